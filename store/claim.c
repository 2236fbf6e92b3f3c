/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows become items. Claims of ready, inbox and start timers lock their rows, stepping over those
 * that others have; due timers are only read (see load.c). The cursors are in README.md.
 */
#include "base/build.h"

#include "base/clock.h"
#include "store/batch.h"

#define START_TIMERS_MAX 50
#define TIMER_LAG_US                                                                               \
    INT64_C(600000000) /* longer than any transaction that inserts timers may last */
#define INBOX_AHEAD 7  /* claims in a row; then one from the mark, for what others left */
#define LOWS_US 250000 /* low marks lag by this, and late commits are found by the sweep */

/* ---- The claims ---- */

static unsigned share(unsigned found, unsigned max)
{
    unsigned want = found > 0 ? lane_want(found) : max / 8 + 1;
    return want < max ? want : max;
}

struct limits {
    unsigned ready, inbox, timers;
};

static struct limits shares(const struct store_worker *worker, size_t n_results)
{
    unsigned asked = 0;
    for (size_t i = 0; i < LANE_SHARES; i++)
        asked += worker->inbox_found[i];
    /* Of what remains beside the answers: half for the inbox and a third for timers at most. */
    unsigned most = worker->most > n_results ? worker->most - (unsigned)n_results : 1;
    struct limits limits = {.inbox = share(asked, most / 2 + 1),
                            .timers = share(worker->n_timer, most * 3 / 10 + 1)};
    unsigned taken = limits.inbox + limits.timers;

    limits.ready = taken + most / 10 < most ? most - taken : most / 10 + 1;
    return limits;
}

static int64_t timers_from(const struct store_worker *worker)
{
    if (worker->timer_after_us != 0)
        return worker->timer_after_us;
    return worker->timer_full ? INT64_MIN : worker->timer_low_us;
}

/* Behind which row the next claim of a lane of the inbox begins. */
static void inbox_from(const struct store_worker *worker, unsigned lane, uint64_t *ret_xid,
                       int64_t *ret_id)
{
    const struct inbox_lane *l = &worker->inbox[lane];

    *ret_xid = l->after_xid != 0 ? l->after_xid : l->mark;
    *ret_id = l->after_xid != 0 ? l->after_id : l->mark_id - 1;
}

struct column claim_flying(const struct store_worker *worker, struct arena *arena)
{
    struct column flying;

    column_init(&flying, arena, COLUMN_XID8);
    for (size_t i = 0; i < worker->n_inbox_flying; i++)
        column_int(&flying, worker->inbox_flying[i]);
    return flying;
}

uint64_t claim_ready_lanes(const struct store_worker *worker)
{
    return atomic_load(&worker->store->lanes);
}

/* Those of the definitions, that of what names none, and that of messages. */
uint64_t claim_inbox_lanes(const struct store_worker *worker)
{
    return (atomic_load(&worker->store->lanes) | ((1u << LANE_PROCESSES) - 1)) &
           (UINT64_MAX >> (64 - LANE_SHARES));
}

void claim_lanes(const struct store_worker *worker, struct arena *arena, struct column *ret_lanes,
                 struct column *ret_lows)
{
    uint64_t known = claim_ready_lanes(worker);

    column_init(ret_lanes, arena, COLUMN_INT4);
    column_init(ret_lows, arena, COLUMN_INT8);
    for (unsigned i = 0; i < LANES; i++) {
        if ((known >> i & 1) == 0)
            continue;
        column_int(ret_lanes, i);
        column_int(ret_lows, worker->ready[i].low);
    }
}

static int send_ready(struct batch *batch, const struct limits *limits, struct err *err)
{
    const struct store_worker *worker = batch->worker;
    struct claim_next *next = &batch->next;
    struct conn *conn = batch->conn;
    struct column lanes, after, most, lows;
    unsigned rows[LANES];
    uint64_t known = claim_ready_lanes(worker);

    const struct lanes shares = {
        .found = worker->ready_found, .n = LANES, .asked = known, .weighted = true};

    lanes_divide(&shares, limits->ready, rows);
    column_init(&lanes, batch->arena, COLUMN_INT4);
    column_init(&after, batch->arena, COLUMN_INT8);
    column_init(&most, batch->arena, COLUMN_INT4);
    for (unsigned lane = 0; lane < LANES; lane++) {
        if ((known >> lane & 1) == 0)
            continue;
        next->ready[lane].asked = true;
        next->ready[lane].most = rows[lane];
        column_int(&lanes, lane);
        column_int(&after, worker->ready[lane].cursor);
        column_int(&most, rows[lane]);
    }
    if (conn_send(conn, "ready_end", PARAMS(p_int4(atomic_load(&worker->store->definitions))),
                  err) < 0 ||
        conn_send(
            conn, "claim_ready",
            PARAMS(p_column(&lanes), p_column(&after), p_column(&most), p_int4(worker->range_key)),
            err) < 0)
        return err_trace(err);
    next->lows = clock_mono_us() - worker->lows_at_us > LOWS_US;
    if (!next->lows)
        return 0;
    claim_lanes(worker, batch->arena, &lanes, &lows);
    return conn_send(conn, "ready_lows", PARAMS(p_column(&lanes), p_column(&lows)), err);
}

static int send_inbox(struct batch *batch, const struct limits *limits, struct err *err)
{
    const struct store_worker *worker = batch->worker;
    struct conn *conn = batch->conn;
    struct column lanes, marks, mark_ids, xids, ids, most;
    struct column flying = claim_flying(worker, batch->arena);
    unsigned rows[LANE_SHARES];

    const struct lanes shares = {
        .found = worker->inbox_found, .n = LANE_SHARES, .asked = claim_inbox_lanes(worker)};

    lanes_divide(&shares, limits->inbox, rows);
    column_init(&lanes, batch->arena, COLUMN_INT4);
    column_init(&marks, batch->arena, COLUMN_XID8);
    column_init(&mark_ids, batch->arena, COLUMN_INT8);
    column_init(&xids, batch->arena, COLUMN_XID8);
    column_init(&ids, batch->arena, COLUMN_INT8);
    column_init(&most, batch->arena, COLUMN_INT4);
    for (unsigned lane = 0; lane < LANE_SHARES; lane++) {
        if ((shares.asked >> lane & 1) == 0)
            continue;
        uint64_t xid;
        int64_t id;
        inbox_from(worker, lane, &xid, &id);
        batch->next.inbox[lane].asked = true;
        batch->next.inbox[lane].most = rows[lane];
        column_int(&lanes, lane);
        column_int(&marks, (int64_t)worker->inbox[lane].mark);
        column_int(&mark_ids, worker->inbox[lane].mark_id);
        column_int(&xids, (int64_t)xid);
        column_int(&ids, id);
        column_int(&most, rows[lane]);
    }
    if (conn_send(
            conn, "inbox_snapshot",
            PARAMS(p_column(&lanes), p_column(&marks), p_column(&mark_ids), p_column(&flying)),
            err) < 0 ||
        conn_send(conn, "claim_inbox",
                  PARAMS(p_column(&lanes), p_column(&xids), p_column(&ids), p_column(&most),
                         p_int4(worker->range_key)),
                  err) < 0)
        return err_trace(err);
    if (worker->n_inbox_flying == 0)
        return 0;
    return conn_send(conn, "claim_inbox_late",
                     PARAMS(p_column(&lanes), p_column(&marks), p_column(&flying),
                            p_int4((int)limits->inbox), p_int4(worker->range_key)),
                     err);
}

static int send_claims(struct batch *batch, const struct limits *limits, struct err *err)
{
    struct store_worker *worker = batch->worker;
    struct conn *conn = batch->conn;

    if (conn_send(conn, "begin", NO_PARAMS, err) < 0 ||
        conn_send(conn, "batch_fence",
                  PARAMS(p_int4(worker->fence.worker), p_int8(worker->fence.epoch)), err) < 0 ||
        send_ready(batch, limits, err) < 0 ||
        conn_send(conn, "claim_timers",
                  PARAMS(p_time(timers_from(worker)), p_int4((int)limits->timers)), err) < 0 ||
        send_inbox(batch, limits, err) < 0 ||
        conn_send(conn, "claim_starts", PARAMS(p_int4(START_TIMERS_MAX)), err) < 0)
        return err_trace(err);
    return conn_sync(conn, err);
}

static int read_ready(struct batch *batch, struct err *err)
{
    struct store *store = batch->worker->store;
    struct claim_next *next = &batch->next;
    struct result *rows;

    if (claim_rows(batch, &rows, err) < 0)
        return err_trace(err);
    next->ready_end = result_int(rows, 0, 0);
    next->deployed = !result_null(rows, 0, 2);
    if (next->deployed) { /* in this order: the second says that the first was done */
        atomic_fetch_or(&store->lanes, (uint64_t)result_int(rows, 0, 1));
        atomic_store(&store->definitions, (int)result_int(rows, 0, 2));
    }
    if (claim_rows(batch, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++) {
        struct ready_read *read = &next->ready[result_int(rows, i, 13)];
        ready_item(batch, rows, i);
        read->n++;
        read->last = result_int(rows, i, 1);
    }
    if (!next->lows)
        return 0;
    if (claim_rows(batch, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++)
        next->ready[result_int(rows, i, 0)].first =
            result_null(rows, i, 1) ? next->ready_end : result_int(rows, i, 1) - 1;
    return 0;
}

static int read_inbox(struct batch *batch, const struct limits *limits, struct err *err)
{
    struct claim_next *next = &batch->next;
    struct result *rows;

    if (claim_rows(batch, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++) {
        next->inbox_xmax = (uint64_t)result_int(rows, i, 1);
        if (!result_null(rows, i, 2))
            next->inbox_flying = result_ints(rows, i, 2, batch->arena, &next->n_inbox_flying);
        struct inbox_read *read = &next->inbox[result_int(rows, i, 0)];
        read->first = result_null(rows, i, 3) ? UINT64_MAX : (uint64_t)result_int(rows, i, 3);
        read->first_id = result_null(rows, i, 3) ? 0 : result_int(rows, i, 4);
        if (!result_null(rows, i, 5)) { /* of one that was open: it is older */
            read->first = (uint64_t)result_int(rows, i, 5);
            read->first_id = 0;
        }
    }
    if (claim_rows(batch, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++) {
        struct inbox_read *read = &next->inbox[result_int(rows, i, 17)];
        inbox_item(batch, rows, i);
        read->n++;
        read->last_xid = (uint64_t)result_int(rows, i, 1);
        read->last_id = result_int(rows, i, 2);
    }
    if (batch->worker->n_inbox_flying == 0)
        return 0;
    if (claim_rows(batch, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++)
        inbox_item(batch, rows, i);
    next->inbox_limit |= (unsigned)result_rows(rows) == limits->inbox;
    return 0;
}

static int read_claims(struct batch *batch, const struct limits *limits, struct err *err)
{
    struct claim_next *next = &batch->next;
    struct result *rows;

    if (claim_fence(batch, err) < 0 || read_ready(batch, err) < 0 ||
        claim_rows(batch, &rows, err) < 0)
        return err_trace(err);
    next->n_timer = (unsigned)result_rows(rows);
    for (int i = 0; i < result_rows(rows); i++)
        timer_item(batch, rows, i);
    next->timer_limit = next->n_timer == limits->timers;
    next->timer_seen_us = batch->worker->now_us; /* read before */
    if (next->n_timer > 0)
        next->timer_last_us = result_time(rows, (int)next->n_timer - 1, 0);
    if (read_inbox(batch, limits, err) < 0 || claim_rows(batch, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++)
        start_item(batch, rows, i);
    next->starts_limit = result_rows(rows) == START_TIMERS_MAX;
    return 0;
}

/* ---- Which of them run ---- */

static bool is_chosen(const struct store_worker *worker, const struct item *item)
{
    for (size_t i = 0; i < worker->n_only; i++) {
        if (item_key_equal(&worker->only[i], &item->key))
            return true;
    }
    return worker->only == NULL;
}

void claim_judge(const struct store_worker *worker, struct item *item)
{
    for (size_t i = 0; i < worker->n_verdicts; i++) {
        const struct verdict *v = &worker->verdicts[i];
        if (!item_key_equal(&v->key, &item->key))
            continue;
        item->why = v->why;
        item->why_code = ERR_DATA;
        item->fail = true;
        if (v->level >= 2)
            item_refuse(item, ERR_DATA, v->why);
    }
    if (worker->guilty) {
        item->fail = item->park = true;
        item->why_code = ERR_INTERNAL;
        item->why =
            "The engine has crashed twice while it carried this command out: look for what is "
            "unusual about it before you try again.";
    }
}

/* Named by the journal of a process that died: it runs alone first. */
static bool is_suspect(const struct store_worker *worker, const struct item *item,
                       const struct item_key *suspects, size_t n)
{
    for (size_t i = 0; i < n && !worker->alone; i++) {
        if (item_key_equal(&suspects[i], &item->key))
            return true;
    }
    return false;
}

static void choose(struct batch *batch)
{
    struct store_worker *worker = batch->worker;
    size_t n_suspects;
    struct item_key *suspects = suspects_keys(&worker->store->suspects, batch->arena, &n_suspects);

    for (size_t i = 0; i < batch->n_items; i++) {
        struct item *item = batch->items[i];
        if (item->source == FROM_INBOX &&
            (item->kind == INBOX_DEPLOY || item->kind == INBOX_WITHDRAW)) {
            item->state = ITEM_PUT_OFF;
            worker->deploy_xid = item->xid;
            worker->deploy_id = item->id;
            worker->deploy_waits = true;
            worker->withdraw = item->kind == INBOX_WITHDRAW;
        } else if (!is_chosen(worker, item) || is_suspect(worker, item, suspects, n_suspects)) {
            item->state = ITEM_PUT_OFF;
        } else {
            claim_judge(worker, item);
        }
    }
}

int claim(struct batch *batch, const struct call_result *results, size_t n_results, struct err *err)
{
    /* The caller gives the others again. */
    n_results = n_results < batch->worker->most ? n_results : batch->worker->most;
    struct limits limits = shares(batch->worker, n_results);

    if (batch->worker->by_name)
        return claim_one(batch, &batch->worker->only[0], results, n_results, err);
    if (send_claims(batch, &limits, err) < 0 || read_claims(batch, &limits, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < n_results; i++)
        result_item(batch, &results[i], i);
    choose(batch);
    return 0;
}

/* ---- Cursors ---- */

struct tally {
    size_t n, put_off;
};

static struct tally tally_of(const struct batch *batch, enum item_source source)
{
    struct tally tally = {0};

    for (size_t i = 0; i < batch->n_items; i++) {
        if (batch->items[i]->source != source)
            continue;
        tally.n++;
        tally.put_off += batch->items[i]->state == ITEM_PUT_OFF;
    }
    return tally;
}

/*
 * Between a mark and what is still to be claimed lie the rows that others hold, and those that were
 * deleted: where an old snapshot keeps these, it took longer to walk past them than all else.
 * Starts have no order among each other, so most claims of them go on where the last one ended.
 */
static bool goes_on(const struct inbox_lane *lane, unsigned number)
{
    return number >= LANE_PROCESSES && lane->ahead < INBOX_AHEAD;
}

/*
 * A mark is the first row that was to be seen before the claim, and its worker's own are not older:
 * all that is below was read, or was open then. One that nobody has read may lie behind those that
 * were put off, so these are stepped over until the lane's end was seen; not so those that wait for
 * what lies before them.
 */
static void settle_inbox(struct batch *batch)
{
    struct store_worker *worker = batch->worker;
    struct claim_next *next = &batch->next;
    unsigned put_off[LANE_SHARES] = {0};

    for (size_t i = 0; i < batch->n_items; i++) {
        const struct item *item = batch->items[i];
        if (item->source == FROM_INBOX && item->state == ITEM_PUT_OFF && !item->behind)
            put_off[item->lane]++;
    }
    for (unsigned i = 0; i < LANE_SHARES; i++) {
        struct inbox_lane *lane = &worker->inbox[i];
        const struct inbox_read *read = &next->inbox[i];
        if (!read->asked)
            continue;
        bool full = read->n > 0 && read->n == read->most;
        worker->inbox_found[i] = read->n;
        next->inbox_limit |= full;
        lane->mark = read->first < next->inbox_xmax ? read->first : next->inbox_xmax;
        lane->mark_id = read->first < next->inbox_xmax ? read->first_id : 0;
        bool over = full && 2 * put_off[i] >= read->n;
        bool ahead = full && !over && goes_on(lane, i);
        lane->ahead = ahead ? lane->ahead + 1 : 0;
        lane->after_xid = over || ahead ? read->last_xid : 0;
        lane->after_id = over || ahead ? read->last_id : 0;
        next->inbox_behind |= lane->after_xid != 0;
    }
    arena_reset(&worker->marks);
    worker->n_inbox_flying = next->n_inbox_flying;
    worker->inbox_flying = arena_array(&worker->marks, next->n_inbox_flying, sizeof(int64_t));
    if (next->n_inbox_flying > 0)
        memcpy(worker->inbox_flying, next->inbox_flying, next->n_inbox_flying * sizeof(int64_t));
}

/* Behind the last row, or a new lap: a row that a token keeps starves nobody, nor is it starved. */
static void settle_ready(struct store_worker *worker, struct claim_next *next)
{
    int64_t now_us = clock_mono_us();

    for (unsigned i = 0; i < LANES; i++) {
        struct ready_lane *lane = &worker->ready[i];
        const struct ready_read *read = &next->ready[i];
        worker->ready_found[i] = read->n;
        if (!read->asked)
            continue;
        bool full = read->n == read->most;
        int64_t lap_end = lane->cursor <= lane->low ? next->ready_end : lane->lap_end;
        bool lap_goes_on = read->n > 0 && full && read->last < lap_end;
        next->ready_limit |= (read->n > 0 && full) || lap_goes_on;
        lane->lap_end = lap_end;
        if (next->lows) {
            int64_t low = lane->low_next > lane->low ? lane->low_next : lane->low;
            lane->low = low < read->first ? low : read->first;
            lane->low_next = read->first;
        }
        lane->cursor = lap_goes_on ? read->last : lane->low;
    }
    if (next->lows)
        worker->lows_at_us = now_us;
}

void claim_settle(struct batch *batch)
{
    struct store_worker *worker = batch->worker;
    struct claim_next *next = &batch->next;
    struct tally timers = tally_of(batch, FROM_TIMER), ready = tally_of(batch, FROM_READY);
    struct tally inbox = tally_of(batch, FROM_INBOX);

    worker->n_timer = next->n_timer;
    if (next->timer_limit && timers.put_off > 0) {
        worker->timer_after_us = next->timer_last_us;
    } else if (worker->timer_after_us != 0 && !next->timer_limit) {
        worker->timer_after_us = 0;
    } else if (!next->timer_limit && timers.put_off == 0) {
        worker->timer_full = false;
        worker->timer_low_us = next->timer_seen_us - TIMER_LAG_US;
    }
    settle_ready(worker, next);
    settle_inbox(batch);
    size_t done = ready.n + timers.n + inbox.n - ready.put_off - timers.put_off - inbox.put_off;
    batch->report.more =
        (done > 0 && (next->ready_limit || next->timer_limit || next->inbox_limit ||
                      next->starts_limit || batch->keys_full)) ||
        next->inbox_behind || next->deployed || worker->deploy_waits;
    worker->more = batch->report.more;
}
