/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows become items. Claims of ready, inbox and start timers lock their rows, stepping over those
 * that others have; due timers are only read (see load.c). The cursors are in README.md.
 */
#include "base/build.h"

#include <sys/random.h>
#include <time.h>

#include "store/batch.h"

#define START_TIMERS_MAX 50
#define TIMER_LAG_US                                                                               \
    INT64_C(600000000) /* longer than any transaction that inserts timers may last */
#define SHARE_MIN 64u
#define INBOX_MAX 500u
#define TIMER_MAX 300u

static struct item_key key_of(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return (struct item_key){{a, b, c, d}};
}

static void key_uuid(const struct uuid *uuid, uint64_t *ret_a, uint64_t *ret_b)
{
    memcpy(ret_a, uuid->b, 8);
    memcpy(ret_b, uuid->b + 8, 8);
}

static const char *text_or_null(const struct result *rows, int row, int column)
{
    return result_null(rows, row, column) ? NULL : result_text(rows, row, column);
}

/* kind, token, node, phase, tries stand side by side wherever a command is stored. */
static void read_body(struct item *item, const struct result *rows, int row, int subject)
{
    struct command *c = &item->command;

    c->subject = result_uuid(rows, row, subject);
    c->name = text_or_null(rows, row, subject + 1);
    c->detail = text_or_null(rows, row, subject + 2);
    c->body = text_or_null(rows, row, subject + 3);
    c->body_n = c->body != NULL ? result_length(rows, row, subject + 3) : 0;
}

static bool all_digits(const char *text)
{
    return text != NULL && text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

static void ready_item(struct batch *batch, const struct result *rows, int row)
{
    struct item *item = batch_item(batch, FROM_READY);
    struct command *c = &item->command;

    item->tid = result_tid(rows, row, 0);
    item->id = result_int(rows, row, 1);
    item->key = key_of(FROM_READY, (uint64_t)item->id, 0, 0);
    item->kind = (int)result_int(rows, row, 4);
    item->present = true;
    *c = (struct command){
        .kind = (enum command_kind)item->kind,
        .root = result_uuid(rows, row, 2),
        .instance = result_uuid(rows, row, 3),
        .token = (uint32_t)result_int(rows, row, 5),
        .node = (int)result_int(rows, row, 6),
        .phase = (enum command_phase)result_int(rows, row, 7),
        .tries = (uint32_t)result_int(rows, row, 8),
        .origin = item,
    };
    read_body(item, rows, row, 9);
    if (c->kind == COMMAND_START) {
        /* A message starts a process: see message.c for where its columns come from. */
        item->definition_id = (int)c->token;
        item->tenant = c->detail;
        c->token = 0;
        c->business_key = c->name;
        c->name = c->detail = NULL;
    } else if ((c->kind == COMMAND_CALL_SENT || c->kind == COMMAND_TIMER) &&
               all_digits(c->detail)) {
        c->due_us = strtoll(c->detail, NULL, 10);
    }
}

static void timer_item(struct batch *batch, const struct result *rows, int row)
{
    struct item *item = batch_item(batch, FROM_TIMER);
    struct command *c = &item->command;
    uint64_t a, b;

    item->kind = (int)result_int(rows, row, 4);
    item->retry = result_bool(rows, row, 8);
    *c = (struct command){
        .kind = (enum command_kind)item->kind,
        .due_us = result_time(rows, row, 0),
        .instance = result_uuid(rows, row, 1),
        .token = (uint32_t)result_int(rows, row, 2),
        .node = (int)result_int(rows, row, 3),
        .root = result_uuid(rows, row, 5),
        .phase = (enum command_phase)result_int(rows, row, 6),
        .tries = (uint32_t)result_int(rows, row, 7),
        .origin = item,
    };
    read_body(item, rows, row, 9);
    item->id = c->due_us; /* the row's key, whatever becomes of the command's */
    if (item->retry && c->kind == COMMAND_CALL_SENT && all_digits(c->detail))
        c->due_us = strtoll(c->detail, NULL, 10);
    key_uuid(&c->instance, &a, &b);
    item->key =
        key_of((uint64_t)FROM_TIMER | (uint64_t)item->kind << 4 | (uint64_t)item->retry << 12 |
                   (uint64_t)(uint32_t)c->node << 13 | (uint64_t)c->token << 32,
               (uint64_t)item->id, a, b);
}

static void inbox_item(struct batch *batch, const struct result *rows, int row)
{
    struct item *item = batch_item(batch, FROM_INBOX);
    struct command *c = &item->command;

    item->tid = result_tid(rows, row, 0);
    item->xid = (uint64_t)result_int(rows, row, 1);
    item->id = result_int(rows, row, 2);
    item->key = key_of(FROM_INBOX, item->xid, (uint64_t)item->id, 0);
    item->kind = (int)result_int(rows, row, 3);
    item->command_id = result_uuid(rows, row, 4);
    item->definition_id = (int)result_int(rows, row, 8);
    item->ttl_us = result_int(rows, row, 13);
    item->tenant = result_text(rows, row, 15);
    item->asked_us = result_time(rows, row, 16);
    item->present = true;
    *c = (struct command){
        .kind = (enum command_kind)item->kind,
        .root = result_uuid(rows, row, 5),
        .instance = result_uuid(rows, row, 6),
        .subject = result_uuid(rows, row, 7),
        .name = text_or_null(rows, row, 9),
        .business_key = text_or_null(rows, row, 10),
        .detail = text_or_null(rows, row, 11),
        .body = text_or_null(rows, row, 12),
        .body_n = result_null(rows, row, 12) ? 0 : result_length(rows, row, 12),
        .actor = result_text(rows, row, 14),
        .origin = item,
    };
    if (item->kind == INBOX_RETRY)
        item->reason = item->command.detail;
}

static void start_item(struct batch *batch, const struct result *rows, int row)
{
    struct item *item = batch_item(batch, FROM_START_TIMER);
    uint8_t entropy[10];

    item->kind = COMMAND_START;
    item->tid = result_tid(rows, row, 0);
    item->definition_id = (int)result_int(rows, row, 1);
    item->remaining = (int32_t)result_int(rows, row, 4);
    item->tenant = result_text(rows, row, 5);
    item->present = true;
    int64_t due_us = result_time(rows, row, 3);
    int node = (int)result_int(rows, row, 2);
    item->key =
        key_of(FROM_START_TIMER, (uint64_t)item->definition_id, (uint64_t)node, (uint64_t)due_us);
    ssize_t got = getrandom(entropy, sizeof(entropy), 0);
    assert(got == (ssize_t)sizeof(entropy)); /* up to 256 bytes never come short */
    struct uuid id = uuid_v7(batch->worker->now_us / 1000, entropy);
    item->command = (struct command){.kind = COMMAND_START,
                                     .instance = id,
                                     .root = id,
                                     .node = node,
                                     .due_us = due_us,
                                     .origin = item};
}

static void result_item(struct batch *batch, const struct call_result *result, size_t index)
{
    struct item *item = batch_item(batch, FROM_RESULT);
    uint64_t a, b;

    item->kind = COMMAND_CALL_RESULT;
    item->result = result;
    item->result_index = index;
    key_uuid(&result->call, &a, &b);
    item->key = key_of((uint64_t)FROM_RESULT | (uint64_t)result->attempt << 32, a, b, 0);
    item->command = (struct command){
        .kind = COMMAND_CALL_RESULT,
        .instance = result->instance,
        .root = result->root,
        .token = result->token,
        .node = result->node,
        .subject = result->call,
        .body = result->response,
        .body_n = result->response_n,
        .origin = item,
    };
}

/* ---- The claims ---- */

static unsigned share(unsigned found, unsigned max)
{
    unsigned twice = 2 * found + SHARE_MIN;
    return twice < max ? twice : max;
}

struct limits {
    unsigned ready, inbox, timers;
};

static struct limits shares(const struct store_worker *worker, size_t n_results)
{
    struct limits limits = {.inbox = share(worker->n_inbox, INBOX_MAX),
                            .timers = share(worker->n_timer, TIMER_MAX)};
    unsigned taken = limits.inbox + limits.timers + (unsigned)n_results;

    limits.ready =
        taken + SHARE_MIN < LIMIT_BATCH_COMMANDS ? LIMIT_BATCH_COMMANDS - taken : SHARE_MIN;
    return limits;
}

static int64_t timers_from(const struct store_worker *worker)
{
    if (worker->timer_after_us != 0)
        return worker->timer_after_us;
    return worker->timer_full ? INT64_MIN : worker->timer_low_us;
}

void claim_inbox_from(const struct store_worker *worker, uint64_t *ret_xid, int64_t *ret_id)
{
    bool after = worker->inbox_after_xid != 0;

    *ret_xid = after ? worker->inbox_after_xid : worker->inbox_mark;
    *ret_id = after ? worker->inbox_after_id : -1;
}

static struct column flying_column(const struct batch *batch)
{
    const struct store_worker *worker = batch->worker;
    struct column flying;

    column_init(&flying, batch->arena, COLUMN_XID8);
    for (size_t i = 0; i < worker->n_inbox_flying; i++)
        column_int(&flying, worker->inbox_flying[i]);
    return flying;
}

static bool lap_begins(const struct store_worker *worker)
{
    return worker->ready_cursor <= worker->ready_low;
}

static int send_claims(struct batch *batch, const struct limits *limits, struct err *err)
{
    struct store_worker *worker = batch->worker;
    struct conn *conn = batch->conn;
    struct column flying = flying_column(batch);
    uint64_t from_xid;
    int64_t from_id;

    claim_inbox_from(worker, &from_xid, &from_id);
    if (conn_send(conn, "begin", NO_PARAMS, err) < 0 ||
        conn_send(conn, "batch_fence",
                  PARAMS(p_int4(worker->fence.worker), p_int8(worker->fence.epoch)), err) < 0 ||
        (lap_begins(worker) && conn_send(conn, "ready_last", NO_PARAMS, err) < 0) ||
        conn_send(conn, "claim_ready",
                  PARAMS(p_int8(worker->ready_cursor), p_int4((int)limits->ready)), err) < 0 ||
        conn_send(conn, "claim_timers",
                  PARAMS(p_time(timers_from(worker)), p_int4((int)limits->timers)), err) < 0 ||
        conn_send(conn, "inbox_snapshot", PARAMS(p_xid8(worker->inbox_mark), p_column(&flying)),
                  err) < 0 ||
        conn_send(conn, "claim_inbox",
                  PARAMS(p_xid8(from_xid), p_int8(from_id), p_int4((int)limits->inbox)), err) < 0 ||
        conn_send(conn, "claim_starts", PARAMS(p_int4(START_TIMERS_MAX)), err) < 0)
        return err_trace(err);
    if (worker->n_inbox_flying > 0 &&
        conn_send(conn, "claim_inbox_late", PARAMS(p_column(&flying), p_int4((int)limits->inbox)),
                  err) < 0)
        return err_trace(err);
    return conn_sync(conn, err);
}

static int next_rows(struct batch *batch, struct result **ret_rows, struct err *err)
{
    if (conn_next(batch->conn, ret_rows, err) < 0)
        return err_trace(err);
    batch_keep(batch, *ret_rows);
    return 0;
}

static int read_fence(struct batch *batch, struct err *err)
{
    struct result *rows;

    if (conn_next(batch->conn, NULL, err) < 0 || next_rows(batch, &rows, err) < 0)
        return err_trace(err);
    if (result_rows(rows) != 1)
        return err_set(err, ERR_CONFLICT,
                       "another process runs with this node's id: end one of them, or "
                       "give it a data directory of its own");
    batch->number = result_int(rows, 0, 0);
    return 0;
}

static int read_inbox(struct batch *batch, const struct limits *limits, struct err *err)
{
    struct claim_next *next = &batch->next;
    struct result *rows;

    if (next_rows(batch, &rows, err) < 0)
        return err_trace(err);
    next->inbox_xmax = (uint64_t)result_int(rows, 0, 0);
    next->inbox_flying = result_ints(rows, 0, 1, batch->arena, &next->n_inbox_flying);
    next->inbox_first = result_null(rows, 0, 2) ? UINT64_MAX : (uint64_t)result_int(rows, 0, 2);
    if (next_rows(batch, &rows, err) < 0)
        return err_trace(err);
    int n = result_rows(rows);
    for (int i = 0; i < n; i++)
        inbox_item(batch, rows, i);
    next->inbox_limit = (unsigned)n == limits->inbox;
    next->n_inbox = (unsigned)n;
    if (n > 0) {
        next->inbox_last_xid = (uint64_t)result_int(rows, n - 1, 1);
        next->inbox_last_id = result_int(rows, n - 1, 2);
    }
    return 0;
}

static int read_claims(struct batch *batch, const struct limits *limits, struct err *err)
{
    struct claim_next *next = &batch->next;
    struct result *rows;

    if (read_fence(batch, err) < 0)
        return err_trace(err);
    next->ready_lap_end = batch->worker->ready_lap_end;
    if (lap_begins(batch->worker)) {
        if (next_rows(batch, &rows, err) < 0)
            return err_trace(err);
        next->ready_lap_end = result_int(rows, 0, 0);
    }
    if (next_rows(batch, &rows, err) < 0)
        return err_trace(err);
    int n = result_rows(rows);
    for (int i = 0; i < n; i++)
        ready_item(batch, rows, i);
    next->ready_limit = (unsigned)n == limits->ready;
    next->ready_cursor = n > 0 ? result_int(rows, n - 1, 1) : 0;
    if (next_rows(batch, &rows, err) < 0)
        return err_trace(err);
    next->n_timer = (unsigned)result_rows(rows);
    for (int i = 0; i < result_rows(rows); i++)
        timer_item(batch, rows, i);
    next->timer_limit = next->n_timer == limits->timers;
    next->timer_seen_us = batch->worker->now_us; /* read before */
    if (next->n_timer > 0)
        next->timer_last_us = result_time(rows, (int)next->n_timer - 1, 0);
    if (read_inbox(batch, limits, err) < 0 || next_rows(batch, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++)
        start_item(batch, rows, i);
    next->starts_limit = result_rows(rows) == START_TIMERS_MAX;
    if (batch->worker->n_inbox_flying == 0)
        return 0;
    if (next_rows(batch, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++)
        inbox_item(batch, rows, i);
    next->inbox_limit |= (unsigned)result_rows(rows) == limits->inbox;
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

/* What is known of a command from earlier runs of this batch, or from the process before this one.
 */
static void judge(const struct store_worker *worker, struct item *item)
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
        if (item->source == FROM_INBOX && item->kind == INBOX_DEPLOY) {
            item->state = ITEM_PUT_OFF;
            worker->deploy_xid = item->xid;
            worker->deploy_id = item->id;
            worker->deploy_waits = true;
        } else if (!is_chosen(worker, item) || is_suspect(worker, item, suspects, n_suspects)) {
            item->state = ITEM_PUT_OFF;
        } else {
            judge(worker, item);
        }
    }
}

int claim(struct batch *batch, const struct call_result *results, size_t n_results, struct err *err)
{
    struct limits limits = shares(batch->worker, n_results);

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

static void settle_inbox(struct store_worker *worker, const struct claim_next *next,
                         struct tally tally)
{
    bool was_after = worker->inbox_after_xid != 0;

    worker->inbox_after_xid = 0;
    if (next->inbox_limit) {
        /* All of them wait for somebody: look behind them before we look at them again. */
        if (tally.put_off == tally.n && next->n_inbox > 0) {
            worker->inbox_after_xid = next->inbox_last_xid;
            worker->inbox_after_id = next->inbox_last_id;
        }
        return;
    }
    if (was_after || tally.put_off > 0)
        return; /* the mark must not pass what still waits */
    arena_reset(&worker->marks);
    worker->n_inbox_flying = next->n_inbox_flying;
    worker->inbox_flying = arena_array(&worker->marks, next->n_inbox_flying, sizeof(int64_t));
    if (next->n_inbox_flying > 0)
        memcpy(worker->inbox_flying, next->inbox_flying, next->n_inbox_flying * sizeof(int64_t));
    claim_mark_inbox(worker,
                     next->inbox_first < next->inbox_xmax ? next->inbox_first : next->inbox_xmax);
}

/* A row must not be found both from the mark on and as one of an open transaction: it would be
 * carried out twice. */
void claim_mark_inbox(struct store_worker *worker, uint64_t mark)
{
    size_t n = 0;

    worker->inbox_mark = mark;
    for (size_t i = 0; i < worker->n_inbox_flying; i++) {
        if ((uint64_t)worker->inbox_flying[i] < mark)
            worker->inbox_flying[n++] = worker->inbox_flying[i];
    }
    worker->n_inbox_flying = n;
}

void claim_settle(struct batch *batch)
{
    struct store_worker *worker = batch->worker;
    const struct claim_next *next = &batch->next;
    struct tally timers = tally_of(batch, FROM_TIMER), ready = tally_of(batch, FROM_READY);
    struct tally inbox = tally_of(batch, FROM_INBOX);

    worker->n_inbox = next->n_inbox;
    worker->n_timer = next->n_timer;
    /* Behind the last row, or a new lap: a row that a token keeps starves nobody, nor is it
     * starved. */
    bool lap_goes_on = next->ready_limit && next->ready_cursor < next->ready_lap_end;
    worker->ready_cursor = lap_goes_on ? next->ready_cursor : worker->ready_low;
    worker->ready_lap_end = next->ready_lap_end;
    if (next->timer_limit && timers.put_off > 0) {
        worker->timer_after_us = next->timer_last_us;
    } else if (worker->timer_after_us != 0 && !next->timer_limit) {
        worker->timer_after_us = 0;
    } else if (!next->timer_limit && timers.put_off == 0) {
        worker->timer_full = false;
        worker->timer_low_us = next->timer_seen_us - TIMER_LAG_US;
    }
    settle_inbox(worker, next, inbox);
    size_t done = ready.n + timers.n + inbox.n - ready.put_off - timers.put_off - inbox.put_off;
    batch->report.more =
        (done > 0 &&
         (next->ready_limit || worker->ready_cursor > worker->ready_low || next->timer_limit ||
          next->inbox_limit || next->starts_limit || batch->keys_full)) ||
        worker->inbox_after_xid != 0 || worker->deploy_waits;
}
