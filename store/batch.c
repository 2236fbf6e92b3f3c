/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/clock.h"
#include "base/fault.h"
#include "store/delegate.h"
#include "store/effects.h"
#include "store/pace.h"
#include "store/partition.h"
#include "store/worker.h"

#define TRIES 3        /* of a whole batch, when the server asks to try again */
#define ALONE_US 50000 /* for commands that run alone, before others get their turn */

struct item *batch_item(struct batch *batch, enum item_source source)
{
    struct item *item = arena_alloc(batch->arena, sizeof(*item));

    item->source = source;
    item->tenant = "";
    *arena_push(batch->arena, batch->items, batch->n_items, batch->items_capacity) = item;
    return item;
}

void batch_keep(struct batch *batch, struct result *result)
{
    *arena_push(batch->arena, batch->results, batch->n_results, batch->results_capacity) = result;
}

static void batch_init(struct batch *batch, struct store_worker *worker)
{
    struct arena *arena = &worker->arena;

    arena_reset(arena);
    *batch = (struct batch){.worker = worker, .conn = worker->conn, .arena = arena};
    map_init(&batch->fams_by_root, arena);
    map_init(&batch->graphs, arena);
    map_init(&batch->callbacks, arena);
    map_init(&batch->tasks_answered, arena);
    map_init(&batch->tasks_locked, arena);
    batch->effects = arena_alloc(arena, sizeof(*batch->effects));
    effects_init(batch->effects, arena);
}

/* What does not lie in the arena. */
static void batch_release(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_results; i++)
        result_free(batch->results[i]);
    batch->n_results = 0;
    for (size_t i = 0; i < batch->n_refs; i++)
        graphs_put(&batch->worker->store->graphs, batch->refs[i]->graph);
    batch->n_refs = 0;
}

/* ---- One transaction ---- */

static size_t count_items(const struct batch *batch, bool put_off)
{
    size_t n = 0;

    for (size_t i = 0; i < batch->n_items; i++)
        n += (batch->items[i]->state == ITEM_PUT_OFF) == put_off;
    return n;
}

static int carry_out(struct batch *batch, struct err *err)
{
    if (load(batch, err) < 0)
        return err_trace(err);
    park(batch);
    if (modify_places(batch, err) < 0 || run(batch, err) < 0)
        return err_trace(err);
    message_gather(batch);
    effects_build(batch);
    return message_pair(batch, err);
}

static int note_journal(struct batch *batch, struct err *err)
{
    const struct store_worker *worker = batch->worker;
    struct item_key *keys = arena_array(batch->arena, batch->n_items, sizeof(*keys));
    size_t n = 0;

    if (worker->journal == NULL)
        return 0;
    for (size_t i = 0; i < batch->n_items; i++) {
        if (batch->items[i]->state != ITEM_PUT_OFF)
            keys[n++] = batch->items[i]->key;
    }
    return journal_begin(worker->journal, worker->alone, keys, n, err);
}

static int transact(struct batch *batch, const struct call_result *results, size_t n_results,
                    struct err *err)
{
    if (claim(batch, results, n_results, err) < 0)
        return err_trace(err);
    if (count_items(batch, false) == 0) {
        conn_rollback(batch->conn);
        return 0;
    }
    if (note_journal(batch, err) < 0)
        return err_trace(err);
    fault_point("batch.claimed");
    if (carry_out(batch, err) < 0)
        return err_trace(err);
    if (count_items(batch, false) == 0) {
        conn_rollback(batch->conn);
        return 0;
    }
    return write_all(batch, err);
}

/* ---- After the commit ---- */

/* What became of the instances of a family. */
static void report_family(struct store_batch_report *r, const struct family *family)
{
    for (size_t i = 0; i < family->n_jobs; i++) {
        r->retries += family->jobs[i].place == JOB_RETRY;
        r->incidents += family->jobs[i].place == JOB_INCIDENT;
    }
    for (size_t i = 0; i < family->n_history; i++) {
        r->started += family->history[i].kind == HISTORY_INSTANCE_STARTED;
        r->ended += family->history[i].kind == HISTORY_INSTANCE_ENDED;
    }
}

static void report(struct batch *batch, bool *result_done)
{
    struct store_batch_report *r = &batch->report;

    for (size_t i = 0; i < batch->n_items; i++) {
        const struct item *item = batch->items[i];
        if (item->state == ITEM_PUT_OFF) {
            r->put_off += item->kind != INBOX_DEPLOY && item->kind != INBOX_WITHDRAW;
            continue;
        }
        r->commands++;
        r->failed += item->state == ITEM_FAILED || item->state == ITEM_REFUSED;
        if (item->source == FROM_RESULT)
            result_done[item->result_index] = true;
        bool timer = item->source == FROM_TIMER || item->source == FROM_START_TIMER;
        int64_t due_us = item->source == FROM_TIMER ? item->id : item->command.due_us;
        if (!timer)
            continue;
        int64_t late_us = batch->now_us > due_us ? batch->now_us - due_us : 0;
        histogram_add(&r->late, &histogram_seconds, (double)late_us / 1e6);
        if (late_us > r->late_us)
            r->late_us = late_us;
    }
    for (size_t i = 0; i < batch->n_fams; i++)
        if (batch->fams[i]->kept)
            report_family(r, &batch->fams[i]->family);
    r->locked_out = batch->locked_out && r->commands == 0;
    r->calls = (unsigned)table_rows(batch->effects, T_INSERT_CALL_QUEUE);
}

static void add_report(struct store_batch_report *sum, const struct store_batch_report *one)
{
    sum->commands += one->commands;
    sum->put_off += one->put_off;
    sum->failed += one->failed;
    sum->calls += one->calls;
    sum->retries += one->retries;
    sum->incidents += one->incidents;
    sum->started += one->started;
    sum->ended += one->ended;
    sum->statements += one->statements;
    sum->round_trips += one->round_trips;
    sum->more |= one->more;
    sum->locked_out |= one->locked_out;
    if (one->transaction_us > sum->transaction_us)
        sum->transaction_us = one->transaction_us;
    if (one->late_us > sum->late_us)
        sum->late_us = one->late_us;
    histogram_merge(&sum->late, &one->late);
    sum->notices = one->notices;
    sum->n_notices = one->n_notices;
}

/* ---- Trying again ---- */

struct attempt {
    struct store_worker *worker;
    const struct call_result *results;
    size_t n_results;
    bool *result_done;
    struct store_batch_report *report;
    struct arena arena;   /* keys and verdicts: they outlive a transaction */
    struct item_key *ran; /* what the last transaction was to carry out */
    size_t n_ran;
    enum suspect_result found; /* when worker->only is one */
};

/* What became of the one command that was to run alone. */
static enum suspect_result found(const struct batch *batch)
{
    const struct store_worker *worker = batch->worker;

    for (size_t i = 0; i < batch->n_items && worker->n_only == 1; i++) {
        if (item_key_equal(&batch->items[i]->key, &worker->only[0]))
            return batch->items[i]->state == ITEM_PUT_OFF ? SUSPECT_PUT_OFF : SUSPECT_RAN;
    }
    return SUSPECT_MISSED;
}

static void keep_keys(struct attempt *attempt, const struct batch *batch)
{
    attempt->ran = arena_array(&attempt->arena, batch->n_items, sizeof(*attempt->ran));
    attempt->n_ran = 0;
    for (size_t i = 0; i < batch->n_items; i++) {
        if (batch->items[i]->state != ITEM_PUT_OFF)
            attempt->ran[attempt->n_ran++] = batch->items[i]->key;
    }
}

/* Ends the transaction on whichever side it still is open, and finds out whether it was committed.
 */
static int after_failure(struct batch *batch, bool *ret_committed, struct err *err)
{
    struct store_worker *worker = batch->worker;
    struct err why;

    *ret_committed = false;
    conn_rollback(worker->conn);
    if (conn_alive(worker->conn))
        return 0;
    if (batch->number != 0)
        worker->number = batch->number;
    if (worker_recover(worker, ret_committed, &why) < 0) {
        *err = why;
        return err_trace(err);
    }
    *ret_committed &= batch->number != 0;
    return 0;
}

/* One transaction, from the claim to the commit. < 0: it was not committed (or nobody can tell: no
 * conn). */
static int once(struct attempt *attempt, struct err *err)
{
    struct store_worker *worker = attempt->worker;
    struct conn_counts before = conn_counts(worker->conn);
    int64_t started_us = clock_mono_us();
    struct batch batch;
    struct err why;

    batch_init(&batch, worker);
    int rc = transact(&batch, attempt->results, attempt->n_results, err);
    if (rc < 0) {
        bool committed;
        keep_keys(attempt, &batch);
        if (after_failure(&batch, &committed, &why) < 0) {
            batch_release(&batch);
            *err = why;
            return err_trace(err);
        }
        rc = committed ? 0 : -1;
    } else {
        struct conn_counts after = conn_counts(worker->conn);
        batch.report.statements = (unsigned)(after.statements - before.statements);
        batch.report.round_trips = (unsigned)(after.round_trips - before.round_trips);
    }
    if (rc == 0) {
        fault_point("batch.after_commit");
        worker->number = batch.number;
        attempt->found = found(&batch);
        batch.report.transaction_us = clock_mono_us() - started_us;
        report(&batch, attempt->result_done);
        if (worker->only == NULL) {
            claim_settle(&batch);
            worker->most = pace_next(worker->most, batch.report.more, batch.report.transaction_us);
        }
        notices_build(&batch);
        decided_tell(&batch);
        add_report(attempt->report, &batch.report);
    }
    batch_release(&batch);
    delegate_leave(worker);
    if (worker->journal != NULL && journal_end(worker->journal, &why) < 0) {
        *err = why;
        return err_trace(err);
    }
    return rc < 0 ? err_trace(err) : 0;
}

/* The server asks to try again, or a partition of history is missing: the same commands once more.
 */
static int again(struct attempt *attempt, struct err *err)
{
    int rc = -1;

    for (int i = 0; rc < 0 && i < TRIES; i++) {
        rc = once(attempt, err);
        if (rc == 0 || attempt->worker->conn == NULL || err->code == ERR_CONFLICT ||
            err->code == ERR_DENIED)
            break;
        bool no_partition =
            strcmp(err->sqlstate, "23514") == 0 && strstr(err->text, "partition") != NULL;
        struct err why;
        if (no_partition && partition_ahead(attempt->worker->conn, &why) < 0) {
            *err = why;
            return err_trace(err);
        }
        if (err->code == ERR_DATA && !no_partition)
            break;
    }
    return rc < 0 ? err_trace(err) : 0;
}

static void condemn(struct attempt *attempt, const struct item_key *key, const struct err *why)
{
    struct store_worker *worker = attempt->worker;
    struct verdict *verdict = NULL;

    for (size_t i = 0; i < worker->n_verdicts; i++) {
        if (item_key_equal(&worker->verdicts[i].key, key))
            verdict = &worker->verdicts[i];
    }
    if (verdict == NULL) {
        verdict = arena_push(&attempt->arena, worker->verdicts, worker->n_verdicts,
                             worker->verdicts_capacity);
        *verdict = (struct verdict){.key = *key};
    }
    verdict->level++;
    verdict->why = arena_strdup(&attempt->arena, why->text);
}

static int level_of(const struct store_worker *worker, const struct item_key *key)
{
    for (size_t i = 0; i < worker->n_verdicts; i++) {
        if (item_key_equal(&worker->verdicts[i].key, key))
            return worker->verdicts[i].level;
    }
    return 0;
}

/* The one command that the database refuses is failed by the engine; if need be, without its data.
 */
static int condemn_one(struct attempt *attempt, const struct item_key *key, struct err *err)
{
    struct store_worker *worker = attempt->worker;
    int rc = -1;

    worker->only = key;
    worker->n_only = 1;
    attempt->report->more = true;
    while (rc < 0 && level_of(worker, key) < 2 && worker->conn != NULL &&
           (err->code == ERR_DATA || err->code == ERR_INTERNAL)) {
        condemn(attempt, key, err);
        rc = again(attempt, err);
    }
    return rc < 0 ? err_trace(err) : 0;
}

/* Carries out `keys`; what the database refuses is halved until the one command is found that it
 * means. */
static int halves(struct attempt *attempt, const struct item_key *keys, size_t n, struct err *err)
{
    struct store_worker *worker = attempt->worker;

    worker->only = keys;
    worker->n_only = n;
    attempt->report->more = true;
    int rc = again(attempt, err);
    if (rc == 0 || worker->conn == NULL || (err->code != ERR_DATA && err->code != ERR_INTERNAL))
        return rc;
    if (n > 1) {
        /* Both halves, even if one is lost: the caller's results are told apart by result_done. */
        rc = halves(attempt, keys, n / 2, err);
        return rc < 0 ? rc : halves(attempt, keys + n / 2, n - n / 2, err);
    }
    return condemn_one(attempt, &keys[0], err);
}

static int all(struct attempt *attempt, struct err *err)
{
    struct store_worker *worker = attempt->worker;
    int rc = again(attempt, err);

    if (rc == 0 || worker->conn == NULL || (err->code != ERR_DATA && err->code != ERR_INTERNAL) ||
        attempt->n_ran == 0)
        return rc;
    rc = attempt->n_ran == 1 ? condemn_one(attempt, attempt->ran, err)
                             : halves(attempt, attempt->ran, attempt->n_ran, err);
    return rc < 0 ? err_trace(err) : 0;
}

/*
 * Commands that were put off because they need a SQL delegate: one transaction each, as many as
 * fit into ALONE_US. What is left is found again.
 */
static int alone(struct attempt *attempt, struct err *err)
{
    struct store_worker *worker = attempt->worker;
    size_t n = worker->n_alone_next;
    int64_t until_us = clock_mono_us() + ALONE_US;
    bool more = attempt->report->more;
    int rc = 0;

    worker->n_alone_next = 0;
    worker->by_name = true;
    for (size_t i = 0; rc == 0 && i < n && (i == 0 || clock_mono_us() < until_us); i++) {
        worker->delegate_tries = 0;
        rc = halves(attempt, &worker->alone_next[i], 1, err);
        more |= attempt->found == SUSPECT_RAN;
    }
    worker->by_name = false;
    attempt->report->more = more; /* what was put off does not make us spin */
    return rc < 0 ? err_trace(err) : 0;
}

/* A command that was under way when the process before us died: alone. */
static int suspect(struct attempt *attempt, const struct suspect *suspect, struct err *err)
{
    struct store_worker *worker = attempt->worker;
    struct err why;

    worker->alone = worker->by_name = true;
    worker->guilty = suspect->guilty;
    int rc = halves(attempt, &suspect->key, 1, err);
    worker->alone = worker->by_name = worker->guilty = false;
    worker->only = NULL;
    worker->n_only = 0;
    if (suspects_settle(&worker->store->suspects, &suspect->key,
                        rc < 0 ? SUSPECT_PUT_OFF : attempt->found, &why) < 0) {
        *err = why;
        rc = -1;
    }
    return rc < 0 ? err_trace(err) : 0;
}

static int deploy(struct store_worker *worker, struct store_batch_report *report, struct err *err)
{
    struct uuid decided = {{0}};
    struct err why;
    bool committed;

    arena_reset(&worker->arena);
    worker->deploy_waits = false;
    int (*transaction)(struct conn *, struct arena *, const struct worker_fence *, uint64_t,
                       int64_t, struct uuid *, struct err *) =
        worker->withdraw ? withdraw_run : deploy_run;
    int rc = transaction(worker->conn, &worker->arena, &worker->fence, worker->deploy_xid,
                         worker->deploy_id, &decided, err);
    if (rc >= 0) {
        if (rc == 0 && worker->committed != NULL && !uuid_is_nil(&decided))
            worker->committed(worker->committed_context, &decided, 1);
        report->commands = rc == 0;
        report->more = rc == 0; /* what must wait for a caller is looked at after a pause */
        return 0;
    }
    /* It is idempotent: when its inbox row is gone, it was committed. */
    if (!conn_alive(worker->conn) && worker_recover(worker, &committed, &why) < 0)
        *err = why;
    return err_trace(err);
}

int store_batch(struct store_worker *worker, const struct call_result *results, size_t n_results,
                bool *result_done, struct store_batch_report *ret_report, struct err *err)
{
    struct attempt attempt = {.worker = worker,
                              .results = results,
                              .n_results = n_results,
                              .result_done = result_done,
                              .report = ret_report};
    struct suspect under_suspicion;
    bool committed;

    *ret_report = (struct store_batch_report){0};
    peek_forget(worker);
    for (size_t i = 0; i < n_results; i++)
        result_done[i] = false;
    if (worker->conn == NULL && worker_recover(worker, &committed, err) < 0)
        return err_trace(err);
    if (worker->deploy_waits)
        return deploy(worker, ret_report, err);
    arena_init(&attempt.arena, 0);
    worker->n_alone_next = 0;
    worker->delegate_tries = 0;
    int rc = 0;
    if (suspects_take(&worker->store->suspects, &under_suspicion))
        rc = suspect(&attempt, &under_suspicion, err);
    if (rc == 0)
        rc = all(&attempt, err);
    if (rc == 0 && worker->n_alone_next > 0)
        rc = alone(&attempt, err);
    worker->only = NULL;
    worker->n_only = 0;
    worker->verdicts = NULL;
    worker->n_verdicts = worker->verdicts_capacity = 0;
    arena_deinit(&attempt.arena);
    return rc < 0 ? err_trace(err) : 0;
}
