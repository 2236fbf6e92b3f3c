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

int store_peek(struct store_worker *worker, struct store_peek *ret_peek, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct column lanes, lows, flying, inboxes, event_flying;
    uint64_t mark = UINT64_MAX;
    int64_t low = INT64_MAX;
    struct arena arena;

    if (worker->more) { /* the last batch knows: nobody is asked */
        worker->more = false;
        *ret_peek = (struct store_peek){.work = true, .next_due_us = INT64_MAX};
        return 0;
    }
    arena_init(&arena, 0);
    claim_lanes(worker, &arena, &lanes, &lows);
    flying = claim_flying(worker, &arena);
    column_init(&inboxes, &arena, COLUMN_INT4);
    for (unsigned i = 0; i < LANE_SHARES; i++) {
        if ((claim_inbox_lanes(worker) >> i & 1) == 0)
            continue;
        column_int(&inboxes, i);
        mark = worker->inbox[i].mark < mark ? worker->inbox[i].mark : mark;
    }
    for (unsigned i = 0; i < LANES; i++) {
        if (worker->ready[i].low < low && (claim_ready_lanes(worker) >> i & 1) != 0)
            low = worker->ready[i].low;
    }
    uint64_t event_mark = events_marks(&worker->store->events, &arena, &event_flying);
    int64_t due_from = worker->timer_full ? INT64_MIN : worker->timer_low_us;
    int rc = conn_query(worker->conn, "peek",
                        PARAMS(p_column(&lanes), p_int8(low), p_column(&inboxes), p_xid8(mark),
                               p_column(&flying), p_time(due_from),
                               p_int4(atomic_load(&worker->store->definitions)), p_xid8(event_mark),
                               p_column(&event_flying)),
                        &rows, err);
    arena_deinit(&arena);
    if (rc < 0)
        return err_trace(err);
    worker->now_us = result_time(rows, 0, 0);
    ret_peek->events = result_bool(rows, 0, 3);
    int64_t due_us = result_null(rows, 0, 2) ? INT64_MAX : result_time(rows, 0, 2);
    ret_peek->next_due_us = due_us == INT64_MAX ? INT64_MAX : due_us - worker->now_us;
    ret_peek->work = result_bool(rows, 0, 1) || ret_peek->next_due_us <= 0 || worker->deploy_waits;
    return 0;
}
