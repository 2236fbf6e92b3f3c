/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of store/ share: the inside of a store. */
#include <stdatomic.h>

#include "store/events.h"
#include "store/graphs.h"
#include "store/journal.h"
#include "store/store.h"

struct store {
    /* Those that anybody may have put a row into, a bit each: the others are not looked at. */
    _Atomic uint64_t lanes;
    atomic_int definitions; /* the lanes of those up to this id are among them */
    struct arena arena;     /* owns the texts; immutable */
    const char *conninfo;   /* NULL: libpq's environment */
    const char *schema;
    const char *journal_dir;  /* NULL: none */
    struct graphs graphs;     /* has its own lock */
    struct events events;     /* has its own lock */
    struct suspects suspects; /* has its own lock */
    atomic_uint n_workers;    /* open ones */
    atomic_uint n_delegating; /* of them that run a SQL delegate just now */
};

/* A connection for a worker of this store: plans by key, short timeouts. */
int store_connect(const struct store *store, const char *application_name, struct conn **ret_conn,
                  struct err *err) MUST_CHECK;
