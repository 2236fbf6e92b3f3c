#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The engine core and the event patterns of events/ are pure: no I/O, clock, random numbers, locks, heap or log,
# and no state of their own.
# This looks at what the built libengine.a and libevents.a really call (nm -u), and at its writable data.
#
# Why: the same command on the same state has the same effects, on every node, in every test and in every
# rerun; and a step can be simulated millions of times without a database.
#
# To fix "calls X": let the caller pass in what X gave, or return as an effect what X did. Memory comes
# from the arena, time is now_us, random ids come with the command. To fix "writable data": make the table
# const, or put it into the struct that the function gets.
#
# The parser reads XML through libxml2, which is not pure; but it may not have state of its own either.
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 1
build=${1:-${PAWL_BUILD:-build-debug}}
status=0

# Functions of libc and the compiler that touch nothing but their arguments; those of libpcre2 take their
# memory from the arena.
ALLOWED='__umodti3 __assert_fail __stack_chk_fail _GLOBAL_OFFSET_TABLE_
    memchr memcmp memcpy memmove memset memmem memrchr
    strchr strcmp strcspn strlen strncmp strnlen strpbrk strrchr strspn strstr
    snprintf vsnprintf __snprintf_chk __vsnprintf_chk __memcpy_chk __memset_chk __memmove_chk
    strtod strtol strtoll strtoul strtoull qsort bsearch
    pcre2_compile_8 pcre2_compile_context_create_8 pcre2_general_context_create_8
    pcre2_get_error_message_8 pcre2_match_8 pcre2_match_context_create_8 pcre2_match_data_create_8
    pcre2_pattern_info_8 pcre2_set_heap_limit_8 pcre2_set_match_limit_8
    inet_pton
    fmod floor ceil trunc round ldexp __isoc99_sscanf'
# Of base: memory, texts, errors, ids, maps, masks and digests; not the log, the fault points and random bytes.
ALLOWED_BASE='^((arena|buf|err|map|mask|utf8|uuid)_|digest_(of|hmac|equal|hex|unhex|(un)?base64|base64url)$)'

for library in base engine events; do
    if [ ! -e "$build/lib$library.a" ]; then
        printf '%s/lib%s.a does not exist: build first (scripts/build.sh), or name the build folder\n' \
            "$build" "$library"
        exit 1
    fi
done
if nm "$build/libengine.a" 2>/dev/null | grep -qE '__(asan|tsan|ubsan|gcov)_'; then
    echo "skipped: $build is built with sanitizers, which add calls of their own"
    exit 0
fi

own=$(nm --defined-only "$build/libengine.a" "$build/libevents.a" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u)
base=$(nm --defined-only "$build/libbase.a" 2>/dev/null | awk 'NF == 3 { print $3 }' |
    grep -E "$ALLOWED_BASE" | sort -u)
while read -r object symbol; do
    printf '%s: calls %s\n' "$object" "$symbol"
    status=1
done < <(nm -A -u "$build/libengine.a" "$build/libevents.a" 2>/dev/null |
    awk 'NF > 1 { split($1, at, ":"); print $NF, at[2] }' | sort -u |
    join -v 1 - <(printf '%s\n' $own $base $ALLOWED | sort -u) | awk '{ print $2, $1 }')

# Constant tables of pointers lie in .data.rel.ro, which is read-only once the program runs.
for library in engine parser events; do
    [ -e "$build/lib$library.a" ] || continue
    while read -r line; do
        printf 'lib%s.a: writable data: %s\n' "$library" "$line"
        status=1
    done < <(objdump -t "$build/lib$library.a" 2>/dev/null |
        awk '/:  *file format/ { object = $1 }
             / O / && /\.(data|bss|tdata|tbss)/ && !/\.data\.rel\.ro/ { print object, $NF }')
done
exit "$status"
