/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The named queries of sql/queries/: sections "-- name: xxx" of the embedded files. Pure. */
#include "base/arena.h"
#include "base/err.h"

struct query {
    const char *name, *text;  /* NUL-terminated */
    bool prepared, preparing; /* the connection's own */
};

struct query_set {
    struct query *items; /* sorted by name */
    size_t n;
};

/* Adds the sections of one file. What stands before the first section must be comments. */
int query_parse(struct arena *arena, const char *file, const char *text, struct query_set *set,
                size_t *capacity, struct err *err) MUST_CHECK;
/* All embedded files, sorted, each name once. */
int query_load(struct arena *arena, struct query_set *ret_set, struct err *err) MUST_CHECK;
/* Or NULL. */
struct query *query_find(const struct query_set *set, const char *name);
