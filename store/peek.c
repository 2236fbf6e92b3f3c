/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is there anything to do? Two statements with the same snapshot see the same rows: whoever has
 * found nothing asks for the snapshot alone until that changes, which costs a fifth. Where somebody
 * commits between any two looks that question would only come on top, so it is asked once two looks
 * in a row had the same snapshot.
 */
#include "base/build.h"

#include "store/batch.h"

void peek_forget(struct store_worker *worker)
{
    worker->quiet = (struct quiet){0};
}

/* Is everything as it was when nothing was found? Else *ret_same is false, and nothing is known. */
static int ask_snapshot(struct store_worker *worker, bool *ret_same, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    const struct quiet *quiet = &worker->quiet;

    *ret_same = false;
    if (!quiet->twice || quiet->lanes != claim_ready_lanes(worker))
        return 0;
    if (conn_query(worker->conn, "peek_snapshot", NO_PARAMS, &rows, err) < 0)
        return err_trace(err);
    worker->now_us = result_time(rows, 0, 0);
    *ret_same = strcmp(result_text(rows, 0, 1), quiet->snapshot) == 0;
    return 0;
}

/* What the workers of this node do for events; nobody knows while one of them is at it. */
struct event_marks {
    uint64_t mark;
    struct column flying;
};

static int ask(struct store_worker *worker, struct arena *arena, struct event_marks *events,
               struct result **ret_rows, struct err *err)
{
    struct column lanes, lows, flying = claim_flying(worker, arena), inboxes;
    uint64_t mark = UINT64_MAX;
    int64_t low = INT64_MAX;

    claim_lanes(worker, arena, &lanes, &lows);
    column_init(&inboxes, arena, COLUMN_INT4);
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
    int64_t due_from = worker->timer_full ? INT64_MIN : worker->timer_low_us;
    return conn_query(worker->conn, "peek",
                      PARAMS(p_column(&lanes), p_int8(low), p_column(&inboxes), p_xid8(mark),
                             p_column(&flying), p_time(due_from),
                             p_int4(atomic_load(&worker->store->definitions)), p_xid8(events->mark),
                             p_column(&events->flying)),
                      ret_rows, err);
}

/* Nothing was found. A snapshot of more transactions than fit will not stay as it is. */
static void remember(struct quiet *quiet, const char *snapshot, uint64_t lanes)
{
    quiet->twice = strcmp(quiet->snapshot, snapshot) == 0;
    quiet->lanes = lanes;
    if (strlen(snapshot) < sizeof(quiet->snapshot))
        snprintf(quiet->snapshot, sizeof(quiet->snapshot), "%s", snapshot);
    else
        *quiet = (struct quiet){0};
}

/* Reads everything. */
static int look(struct store_worker *worker, bool *ret_work, bool *ret_events, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    uint64_t lanes = claim_ready_lanes(worker); /* first: others may add to them meanwhile */
    struct event_marks events;
    struct arena arena;

    arena_init(&arena, 0);
    events.mark = events_marks(&worker->store->events, &arena, &events.flying);
    int rc = ask(worker, &arena, &events, &rows, err);
    arena_deinit(&arena);
    if (rc < 0)
        return err_trace(err);
    worker->now_us = result_time(rows, 0, 0);
    worker->due_us = result_null(rows, 0, 2) ? INT64_MAX : result_time(rows, 0, 2);
    *ret_work = result_bool(rows, 0, 1) || worker->deploy_waits;
    *ret_events = result_bool(rows, 0, 3);
    if (*ret_work || *ret_events || events.mark == UINT64_MAX)
        peek_forget(worker);
    else
        remember(&worker->quiet, result_text(rows, 0, 4), lanes);
    return 0;
}

int store_peek(struct store_worker *worker, struct store_peek *ret_peek, struct err *err)
{
    bool work = false, events = false, same;

    if (worker->more) { /* the last batch knows: nobody is asked */
        worker->more = false;
        *ret_peek = (struct store_peek){.work = true, .next_due_us = INT64_MAX};
        return 0;
    }
    if (ask_snapshot(worker, &same, err) < 0 || (!same && look(worker, &work, &events, err) < 0))
        return err_trace(err);
    int64_t wait_us = worker->due_us == INT64_MAX ? INT64_MAX : worker->due_us - worker->now_us;
    *ret_peek =
        (struct store_peek){.work = work || wait_us <= 0, .events = events, .next_due_us = wait_us};
    return 0;
}
