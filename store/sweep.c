/* SPDX-License-Identifier: Apache-2.0 */
/* Housekeeping of a node, every few seconds. */
#include "base/build.h"

#include "base/fault.h"
#include "store/partition.h"
#include "store/worker.h"

#define SWEEP_ROWS 1000 /* of one transaction */
#define SWEEP_ROUNDS 20 /* of one kind: more than callers leave behind in the seconds between */

/*
 * An id that was handed out may become visible after higher ones, when its transaction commits, and
 * a caller may commit long after he asked: what lies below a mark is found here, and the mark goes
 * back to it. A lane that somebody else began to use becomes known.
 */
static int move_marks(struct store_worker *worker, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL, *asked CLEANUP(result_freep) = NULL;

    if (conn_query(worker->conn, "ready_first", PARAMS(p_int4(LANES)), &rows, err) < 0 ||
        conn_query(worker->conn, "inbox_first", PARAMS(p_int4(LANE_SHARES)), &asked, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++) {
        struct ready_lane *lane = &worker->ready[result_int(rows, i, 0)];
        if (result_null(rows, i, 1))
            continue;
        atomic_fetch_or(&worker->store->lanes, UINT64_C(1) << result_int(rows, i, 0));
        int64_t first = result_int(rows, i, 1) - 1; /* the cursor is exclusive */
        if (first < lane->low)
            lane->low = lane->low_next = first; /* the next lap takes it */
    }
    for (int i = 0; i < result_rows(asked); i++) {
        struct inbox_lane *lane = &worker->inbox[result_int(asked, i, 0)];
        if (result_null(asked, i, 1))
            continue;
        atomic_fetch_or(&worker->store->lanes, UINT64_C(1) << result_int(asked, i, 0));
        if ((uint64_t)result_int(asked, i, 1) >= lane->mark)
            continue;
        lane->mark = (uint64_t)result_int(asked, i, 1);
        lane->mark_id = 0;
    }
    worker->timer_full = true;
    return 0;
}

static int note_mark(struct store_worker *worker, struct err *err)
{
    return conn_query(worker->conn, "sweep_mark", NO_PARAMS, NULL, err) < 0 ? err_trace(err) : 0;
}

static int expire(struct store_worker *worker, struct err *err)
{
    static const char *const queries[] = {
        "sweep_messages",         "sweep_outcomes",      "sweep_request_keys",
        "sweep_dead_letters",     "sweep_answers",       "sweep_bulks",
        "sweep_events",           "sweep_event_keys",    "sweep_webhooks",
        "sweep_callback_answers", "sweep_callback_keys", "sweep_audit"};

    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        long long found = SWEEP_ROWS;
        for (int round = 0; round < SWEEP_ROUNDS && found == SWEEP_ROWS; round++) {
            struct result *rows CLEANUP(result_freep) = NULL;
            if (conn_query(worker->conn, queries[i], PARAMS(p_int4(SWEEP_ROWS)), &rows, err) < 0)
                return err_trace(err);
            found = (long long)result_affected(rows);
            fault_point("sweep.after_commit");
        }
    }
    return 0;
}

/*
 * A message and a wait that meet each other's key and were not paired: only when a transaction that
 * was about to delete the wait was rolled back after another had stepped over it. The message is
 * given to the inbox again.
 */
static int repair_pairs(struct store_worker *worker, struct err *err)
{
    return conn_query(worker->conn, "sweep_pairs", NO_PARAMS, NULL, err);
}

/* Of causes of incidents people hear again, and of their end. */
static int look_at_alerts(struct store_worker *worker, struct err *err)
{
    return conn_query(worker->conn, "sweep_alerts", NO_PARAMS, NULL, err);
}

int store_bulk(struct store_worker *worker, int64_t *ret_wait_us, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct err why;
    bool committed;

    if (worker->conn == NULL && worker_recover(worker, &committed, err) < 0)
        return err_trace(err);
    if (conn_query(worker->conn, "bulk_slice", NO_PARAMS, &rows, err) < 0) {
        if (!conn_alive(worker->conn) && worker_recover(worker, &committed, &why) < 0)
            *err = why;
        return err_trace(err);
    }
    if (result_int(rows, 0, 0) > 0)
        fault_point("bulk.after_commit");
    *ret_wait_us = result_null(rows, 0, 1) ? INT64_MAX : result_int(rows, 0, 1);
    return 0;
}

int store_sweep(struct store_worker *worker, struct err *err)
{
    bool committed;

    peek_forget(worker);
    if (worker->conn == NULL && worker_recover(worker, &committed, err) < 0)
        return err_trace(err);
    if (partition_ahead(worker->conn, err) < 0 || move_marks(worker, err) < 0 ||
        note_mark(worker, err) < 0 || expire(worker, err) < 0 || repair_pairs(worker, err) < 0 ||
        look_at_alerts(worker, err) < 0) {
        struct err why;
        if (!conn_alive(worker->conn) && worker_recover(worker, &committed, &why) < 0)
            *err = why;
        return err_trace(err);
    }
    return 0;
}
