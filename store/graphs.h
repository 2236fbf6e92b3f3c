/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The graphs of definitions, parsed once a process from the stored file and shared by all threads.
 * The cache's lock is a leaf: it is not held while a file is read or parsed.
 */
#include <pthread.h>

#include "engine/graph.h"
#include "store/conn.h"

#define GRAPHS_MAX 1000u /* kept while nobody uses them */

struct graphs {
    pthread_mutex_t lock;
    struct graphs_entry *entries; /* guarded by lock, as all below; sorted by definition id */
    size_t n, capacity;
    uint64_t uses;
    struct arena arena; /* owns entries */
};

void graphs_init(struct graphs *graphs);
void graphs_deinit(struct graphs *graphs);

/* A reference that was taken; give it back with graphs_put(). NULL: not parsed yet. */
const struct graph *graphs_get(struct graphs *graphs, int definition_id);
/*
 * Parses the definitions of `ids` that are not there yet, in one round trip. Ids that do not exist
 * are left out, and so are files that this version of the program can not read any more:
 * graphs_get() has no graph for them, which fails the commands of their instances and nobody
 * else's.
 */
int graphs_load(struct graphs *graphs, struct conn *conn, struct arena *arena, const int *ids,
                size_t n, struct err *err) MUST_CHECK;
void graphs_put(struct graphs *graphs, const struct graph *graph);
