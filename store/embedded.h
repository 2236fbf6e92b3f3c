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

#define EMBEDDED_DIGEST_BYTES 17u
/* What tells the files whose names begin so from other versions of them: FNV-1a of names and texts,
 * in hex. */
void embedded_digest(const char *prefix, char ret_digest[EMBEDDED_DIGEST_BYTES]);
