/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/batch.h"
#include "store/pace.h"
#include "store/worker.h"

#define RECONNECTS 5

static int open_slot(struct store_worker *worker, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (store_connect(worker->store, "pawl worker", &worker->conn, err) < 0 ||
        conn_query(worker->conn, "worker_open",
                   PARAMS(p_uuid(&worker->node), p_int2((int16_t)worker->slot)), &rows, err) < 0)
        return err_trace(err);
    worker->fence.worker = (int)result_int(rows, 0, 0);
    worker->fence.epoch = result_int(rows, 0, 1);
    worker->number = result_int(rows, 0, 2);
    worker->range_key = (int32_t)result_int(rows, 0, 3);
    return 0;
}

int store_worker_open(struct store *store, const struct uuid *node, int slot,
                      struct store_worker **ret_worker, struct err *err)
{
    struct arena own;

    arena_init(&own, 0);
    struct store_worker *worker = arena_alloc(&own, sizeof(*worker));
    worker->store = store;
    worker->node = *node;
    worker->slot = slot;
    worker->timer_full = true;
    worker->most = PACE_START;
    arena_init(&worker->arena, 0);
    arena_init(&worker->marks, 0);
    arena_init(&worker->limits_arena, 0);
    arena_init(&worker->installation_arena, 0);
    worker->own = own;
    atomic_fetch_add(&store->n_workers, 1);
    if (journal_open(store->journal_dir, slot, &worker->journal, err) < 0 ||
        open_slot(worker, err) < 0) {
        store_worker_close(worker);
        return err_trace(err);
    }
    *ret_worker = worker;
    return 0;
}

void store_worker_close(struct store_worker *worker)
{
    if (worker == NULL)
        return;
    atomic_fetch_sub(&worker->store->n_workers, 1);
    conn_close(worker->conn);
    journal_close(worker->journal);
    arena_deinit(&worker->arena);
    arena_deinit(&worker->marks);
    arena_deinit(&worker->limits_arena);
    arena_deinit(&worker->installation_arena);
    struct arena own = worker->own;
    arena_deinit(&own);
}

/*
 * The lost session may still commit: the row lock of our slot, which its batch holds, is waited
 * for. A slot that somebody else has taken meanwhile waited for it, too, but its number tells us
 * nothing: then the batch counts as not committed, and what it did is found in the rows as ever.
 */
int worker_recover(struct store_worker *worker, bool *ret_committed, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    conn_close(worker->conn);
    worker->conn = NULL;
    peek_forget(worker);
    int rc = -1;
    for (int i = 0; rc < 0 && i < RECONNECTS; i++) {
        rc = store_connect(worker->store, "pawl worker", &worker->conn, err);
        if (rc == 0)
            rc = conn_query(worker->conn, "worker_look",
                            PARAMS(p_int4(worker->fence.worker), p_int8(worker->fence.epoch)),
                            &rows, err);
        if (rc < 0 && err->code != ERR_LOST)
            break;
        if (rc < 0) {
            conn_close(worker->conn);
            worker->conn = NULL;
        }
    }
    if (rc < 0)
        return err_trace(err);
    if (result_rows(rows) == 0)
        return err_set(err, ERR_CONFLICT,
                       "another process runs with this node's id: end one of them, or "
                       "give it a data directory of its own");
    *ret_committed = result_int(rows, 0, 0) == worker->number;
    return 0;
}

void store_worker_listen(struct store_worker *worker, store_committed_fn *committed, void *context)
{
    worker->committed = committed;
    worker->committed_context = context;
}

void store_worker_scripts(struct store_worker *worker, store_script_fn *script, void *context)
{
    worker->script = script;
    worker->script_context = context;
}
