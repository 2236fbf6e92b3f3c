# SPDX-License-Identifier: Apache-2.0
# The dialect and the warnings, for all targets. Library headers come in as system headers.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# Assertions stay on in every build: they guard our own invariants, never outside input.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -Wformat=2 -Wcast-qual -Wundef -Werror -fno-omit-frame-pointer
  -fstack-protector-strong)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT PAWL_SANITIZE)
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()
if(PAWL_FAULTS)
  add_compile_definitions(PAWL_FAULTS)
endif()
if(PAWL_SANITIZE)
  add_compile_options(-fsanitize=${PAWL_SANITIZE} -fno-sanitize-recover=all -g)
  add_link_options(-fsanitize=${PAWL_SANITIZE})
endif()
if(PAWL_FUZZ)
  # The warnings that hold are gcc's.
  add_compile_options(-fsanitize=fuzzer-no-link -Wno-error)
endif()
