/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The files of sql/, compiled in by cmake/embed.cmake, sorted by name
 * ("migrations/0001_initial.sql"). */
#include "base/build.h"

struct embedded_file {
    const char *name, *text; /* NUL-terminated */
};
extern const struct embedded_file embedded_files[];
extern const size_t n_embedded_files;
