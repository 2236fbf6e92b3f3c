/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: looks whether there is something to do, runs a batch, looks again. When there is
 * nothing, it sleeps until the next timer is due, an answer comes in, or 75 ms have passed; the
 * workers of a node look at evenly spread times.
 */
#include "base/build.h"

#include "base/limits.h"
#include "base/log.h"
#include "engine/value.h"
#include "base/clock.h"
#include "jobexec/internal.h"
#include "jobexec/scripts.h"

#define RESULTS_MAX 256u     /* answers of one batch */
#define SWEEP_US 5000000     /* housekeeping of the node */
#define BULK_IDLE_US 1000000 /* how often it looks for a new bulk */
#define EVENTS_IDLE_US 5000  /* between two looks that find nothing */
#define BULK_LEAST_US 20000  /* between two slices of one */
#define FIRST_SLEEP_US 1000  /* after work there is often more: the sleeps double from here */
#define DRAIN_STEP_US 2000
#define LOCKED_OUT_US 2000 /* doubles three times */
#define AFTER_OTHERS_US 500

struct worker {
    struct jobexec *jobexec; /* immutable */
    unsigned index;          /* immutable */
    pthread_t thread;
    struct arena arena;         /* immutable: holds this struct and its arrays */
    struct store_worker *store; /* owner: this thread; NULL: lost */
    struct backoff backoff;     /* owner: this thread, like the rest */
    struct sandbox sandbox;     /* where its scripts run */
    struct arena scratch;       /* for the log; reset after each batch */
    _Atomic int64_t seen_us;    /* clock_mono_us(): its last look; any thread reads it */
    unsigned idle;              /* looks in a row that found nothing */
    unsigned locked_out;        /* batches in a row that found other workers in their families */
    struct flight **flights;
    struct call_result *results;
    bool *done;
};

/* ---- What people read ---- */

/*
 * A notice's text without what a log must not have: of a late answer, whose text is its row of
 * history, the members that say what it was, and not its body.
 */
static const char *notice_text(struct arena *arena, const struct store_notice *notice)
{
    static const char *const members[] = {"call", "message", "outcome", "status", "attempt", "ms"};
    struct err err = {0};
    struct value value;

    if (notice->text == NULL)
        return "";
    if (notice->kind != NOTICE_LATE)
        return notice->text;
    if (value_read(arena, notice->text, strlen(notice->text), &value, &err) < 0 ||
        value.kind != VALUE_OBJECT)
        return "";
    const char *text = "";
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct value *member = value_member(&value, members[i], strlen(members[i]));
        if (member == NULL || member->kind == VALUE_NULL)
            continue;
        const char *shown =
            member->kind == VALUE_STRING ? member->u.string.text : value_text(arena, member, NULL);
        text = arena_printf(arena, "%s%s%s %s", text, *text != '\0' ? ", " : "", members[i], shown);
    }
    return text;
}

static void log_notice(struct arena *arena, const struct store_notice *notice)
{
    static const struct {
        enum log_level level;
        const char *message;
    } kinds[] = {
        [NOTICE_RETRY] = {LOG_LEVEL_INFO, "failed, will be tried again"},
        [NOTICE_INCIDENT] = {LOG_LEVEL_WARN, "incident: waits for a person"},
        [NOTICE_LATE] = {LOG_LEVEL_INFO, "an answer came too late"},
        [NOTICE_ENDED] = {LOG_LEVEL_DEBUG, "ended"},
        [NOTICE_CALLBACK] = {LOG_LEVEL_DEBUG, "a callback ended"},
        [NOTICE_REFUSED] = {LOG_LEVEL_INFO, "refused, and whoever asked is told"},
    };
    char id[UUID_TEXT_BYTES], key[600], process[300], element[300], text[1200];

    if ((size_t)notice->kind >= ARRAY_LEN(kinds) || kinds[notice->kind].message == NULL)
        return;
    uuid_format(&notice->instance, id);
    log_line(kinds[notice->kind].level, kinds[notice->kind].message,
             "business_key=%s instance=%s element=%s process=%s tries=%u wait_ms=%lld text=%s",
             log_quote(notice->business_key != NULL ? notice->business_key : "", key, sizeof(key)),
             id,
             log_quote(notice->element != NULL ? notice->element : "", element, sizeof(element)),
             log_quote(notice->process != NULL ? notice->process : "", process, sizeof(process)),
             notice->tries, (long long)(notice->wait_us / 1000),
             log_quote(notice_text(arena, notice), text, sizeof(text)));
}

static void log_result(const struct flight *flight)
{
    char id[UUID_TEXT_BYTES], key[600], element[300], endpoint[300];
    const struct call_request *request = &flight->request;

    uuid_format(&request->instance, id);
    log_line(
        LOG_LEVEL_DEBUG, "a call ended",
        "business_key=%s instance=%s element=%s endpoint=%s attempt=%u status=%d ms=%lld",
        log_quote(request->business_key != NULL ? request->business_key : "", key, sizeof(key)), id,
        log_quote(request->element != NULL ? request->element : "", element, sizeof(element)),
        log_quote(flight->endpoint, endpoint, sizeof(endpoint)), (unsigned)request->attempt,
        flight->exchange.status, (long long)(flight->exchange.duration_us / 1000));
}

static void count_batch(struct jobexec *jobexec, const struct store_batch_report *report)
{
    unsigned late = 0;

    for (size_t i = 0; i < report->n_notices; i++)
        late += report->notices[i].kind == NOTICE_LATE;
    pthread_mutex_lock(&jobexec->stats_lock);
    struct jobexec_stats *stats = &jobexec->stats;
    stats->batches += report->commands != 0;
    stats->commands += report->commands;
    stats->put_off += report->put_off;
    stats->failed += report->failed;
    stats->retries += report->retries;
    stats->incidents += report->incidents;
    stats->instances_started += report->started;
    stats->instances_ended += report->ended;
    stats->statements += report->statements;
    stats->round_trips += report->round_trips;
    stats->calls_late += late;
    if (report->transaction_us > stats->longest_transaction_us)
        stats->longest_transaction_us = report->transaction_us;
    if (report->late_us > stats->latest_timer_us)
        stats->latest_timer_us = report->late_us;
    histogram_merge(&stats->lateness, &report->late);
    if (report->commands != 0) {
        histogram_add(&stats->batch_sizes, &histogram_sizes, report->commands);
        histogram_add(&stats->transactions, &histogram_seconds,
                      (double)report->transaction_us / 1e6);
    }
    pthread_mutex_unlock(&jobexec->stats_lock);
}

/* ---- One batch ---- */

/* Frees the answers that were committed and puts off the others; how many were committed. */
static size_t settle(struct worker *worker, size_t n)
{
    struct answers *answers = &worker->jobexec->answers;
    int64_t now_us = clock_mono_us();
    size_t n_done = 0;

    for (size_t i = 0; i < n; i++) {
        if (worker->done[i]) {
            log_result(worker->flights[i]);
            answers_done(answers, worker->flights[i]);
            n_done++;
        } else {
            answers_put_off(answers, worker->flights[i], now_us);
        }
    }
    return n_done;
}

static void judge(struct jobexec *jobexec, struct flight *flight)
{
    flight_judge(flight);
    dispatcher_saw(jobexec->dispatcher, flight);
    meter_call(&jobexec->meter, flight->endpoint, flight->outcome,
               (double)flight->exchange.duration_us / 1e6);
}

/*
 * All that was claimed is for families that another worker has. While it is claimed here, that one
 * leaves it out, and what was asked for behind it: so give way, whoever calls, for a moment.
 */
static void give_way(struct worker *worker, bool locked_out)
{
    const struct timespec pause = {.tv_nsec = (LOCKED_OUT_US << worker->locked_out) * 1000};

    if (locked_out)
        nanosleep(&pause, NULL);
    worker->locked_out = !locked_out ? 0 : worker->locked_out < 3 ? worker->locked_out + 1 : 3;
}

/* Runs a batch with n answers taken. *ret_worked: it did something. */
static int batch(struct worker *worker, size_t n, bool *ret_worked, struct err *err)
{
    struct jobexec *jobexec = worker->jobexec;
    struct store_batch_report report = {0};

    for (size_t i = 0; i < n; i++) {
        if (worker->flights[i]->result.response == NULL)
            judge(jobexec, worker->flights[i]);
        worker->results[i] = worker->flights[i]->result;
        worker->done[i] = false;
    }
    int result = store_batch(worker->store, worker->results, n, worker->done, &report, err);
    size_t n_done = settle(worker, n);
    if (result < 0)
        return err_trace(err);
    count_batch(jobexec, &report);
    for (size_t i = 0; i < report.n_notices; i++)
        log_notice(&worker->scratch, &report.notices[i]);
    arena_reset(&worker->scratch);
    if (report.calls != 0)
        dispatcher_wake(jobexec->dispatcher);
    if (report.more)
        wake_signal(&jobexec->workers_wake); /* one of the others may help */
    *ret_worked = report.commands != 0 || n_done != 0;
    give_way(worker, report.locked_out && !*ret_worked);
    return 0;
}

/* Batches do not depend on it, and the next one may do better: a lock was not free, say. */
static int unless_lost(struct err *err)
{
    char text[1200];

    if (err->code == ERR_LOST)
        return err_trace(err);
    log_line(LOG_LEVEL_WARN, "housekeeping failed; trying on", "error=%s",
             log_quote(err->text, text, sizeof(text)));
    err_reset(err);
    return 0;
}

/* One worker of a node does it, whichever comes first. */
static int sweep(struct worker *worker, struct err *err)
{
    int64_t now_us = clock_mono_us();
    int64_t due_us = atomic_load(&worker->jobexec->next_sweep_us);

    if (now_us < due_us || !atomic_compare_exchange_strong(&worker->jobexec->next_sweep_us, &due_us,
                                                           now_us + SWEEP_US))
        return 0;
    return store_sweep(worker->store, err) < 0 ? unless_lost(err) : 0;
}

/* The same for bulks: seldom while none is under way, else as often as their pace asks for. */
static int bulk(struct worker *worker, struct err *err)
{
    _Atomic int64_t *next_us = &worker->jobexec->next_bulk_us;
    int64_t now_us = clock_mono_us(), due_us = atomic_load(next_us), wait_us;

    if (now_us < due_us || !atomic_compare_exchange_strong(next_us, &due_us, now_us + BULK_IDLE_US))
        return 0;
    if (store_bulk(worker->store, &wait_us, err) < 0)
        return unless_lost(err);
    if (wait_us < BULK_IDLE_US)
        atomic_store(next_us, now_us + (wait_us > BULK_LEAST_US ? wait_us : BULK_LEAST_US));
    return 0;
}

/*
 * A slice of events after each batch, while there are any: they go beside what instances have to
 * do, each in its turn. Else they are looked for every few milliseconds by one worker of the node.
 */
static int events(struct worker *worker, bool *ret_worked, struct err *err)
{
    _Atomic int64_t *next_us = &worker->jobexec->next_events_us;
    int64_t now_us = clock_mono_us(), due_us = atomic_load(next_us);
    unsigned done;

    if (now_us < due_us ||
        !atomic_compare_exchange_strong(next_us, &due_us, now_us + EVENTS_IDLE_US))
        return 0;
    if (store_events(worker->store, &done, err) < 0)
        return unless_lost(err);
    if (done != 0) {
        atomic_store(next_us, now_us);
        *ret_worked = true;
        wake_signal(&worker->jobexec->workers_wake); /* what targets asked for is in the inbox */
    }
    return 0;
}

/* ---- The thread ---- */

/*
 * The n-th look in a row that finds nothing is followed by a longer sleep, up to the next of this
 * worker's own times: the workers of a node share the idle poll evenly.
 */
static int64_t idle_until_us(const struct worker *worker, int64_t now_us)
{
    const struct jobexec *jobexec = worker->jobexec;
    int64_t period_us = (int64_t)jobexec->options.idle_poll_ms * 1000;
    int64_t shift_us = period_us * worker->index / jobexec->n_workers;
    int64_t grid_us = (now_us - shift_us) / period_us * period_us + period_us + shift_us;

    if (worker->idle < 6 && now_us + (FIRST_SLEEP_US << worker->idle) < grid_us)
        return now_us + (FIRST_SLEEP_US << worker->idle);
    return grid_us;
}

static int open_store(struct worker *worker, struct err *err)
{
    const struct jobexec_options *options = &worker->jobexec->options;

    if (store_worker_open(worker->jobexec->store, &options->node, (int)worker->index,
                          &worker->store, err) < 0)
        return err_trace(err);
    store_worker_listen(worker->store, options->committed, options->committed_context);
    store_worker_scripts(worker->store, sandbox_run, &worker->sandbox);
    return 0;
}

/* Looks once and works if there is something to do. *ret_until_us: else sleep until then. */
static int look(struct worker *worker, bool *ret_worked, int64_t *ret_until_us, struct err *err)
{
    struct jobexec *jobexec = worker->jobexec;
    bool draining = atomic_load(&jobexec->draining);
    struct store_peek peek = {.next_due_us = INT64_MAX};
    int64_t put_off_us;

    if (worker->store == NULL && open_store(worker, err) < 0)
        return err_trace(err);
    if (!draining && (sweep(worker, err) < 0 || bulk(worker, err) < 0))
        return err_trace(err);
    size_t n =
        answers_take(&jobexec->answers, clock_mono_us(), worker->flights, RESULTS_MAX, &put_off_us);
    if (n == 0 && !draining && store_peek(worker->store, &peek, err) < 0)
        return err_trace(err);
    int64_t read_us = clock_mono_us();
    if ((n != 0 || peek.work) && batch(worker, n, ret_worked, err) < 0)
        return err_trace(err);
    /* Behind a batch nobody has looked for them. */
    if (!draining && (peek.events || *ret_worked) && events(worker, ret_worked, err) < 0)
        return err_trace(err);
    worker->idle = *ret_worked ? 0 : worker->idle + 1;
    int64_t until_us = idle_until_us(worker, clock_mono_us());
    if (put_off_us < until_us)
        until_us = put_off_us;
    /* A timer is one worker's; the others come later, in case that one is busy. */
    int64_t after_us = (int64_t)worker->index * AFTER_OTHERS_US;
    if (!peek.work && peek.next_due_us < until_us - read_us - after_us)
        until_us = read_us + peek.next_due_us + after_us;
    *ret_until_us = until_us;
    return 0;
}

static void lost(struct worker *worker, const struct err *err)
{
    struct jobexec *jobexec = worker->jobexec;

    backoff_failed(&worker->backoff, "worker", worker->index, err);
    store_worker_close(worker->store);
    worker->store = NULL;
    wake_pause(&jobexec->workers_wake, clock_mono_us() + backoff_next_us(&worker->backoff));
}

/* While the executor stops: until the answers are committed or the time is over. */
static bool finished(const struct worker *worker)
{
    struct jobexec *jobexec = worker->jobexec;

    if (!wake_closed(&jobexec->workers_wake))
        return false;
    return answers_open(&jobexec->answers) == 0 ||
           clock_mono_us() > atomic_load(&jobexec->drain_until_us);
}

static void pause_while_draining(void)
{
    const struct timespec step = {.tv_nsec = DRAIN_STEP_US * 1000};

    nanosleep(&step, NULL);
}

static void *run(void *context)
{
    struct worker *worker = context;
    struct jobexec *jobexec = worker->jobexec;

    while (!finished(worker)) {
        struct err err = {0};
        bool worked = false;
        int64_t until_us = 0;
        atomic_store(&worker->seen_us, clock_mono_us());
        if (look(worker, &worked, &until_us, &err) < 0) {
            lost(worker, &err);
            if (wake_closed(&jobexec->workers_wake))
                pause_while_draining();
            continue;
        }
        if (worker->backoff.tries != 0) {
            pthread_mutex_lock(&jobexec->stats_lock);
            jobexec->stats.reconnects++;
            pthread_mutex_unlock(&jobexec->stats_lock);
        }
        backoff_worked(&worker->backoff, "worker", worker->index);
        if (worked)
            continue;
        if (wake_closed(&jobexec->workers_wake))
            pause_while_draining();
        else
            wake_sleep(&jobexec->workers_wake, until_us);
    }
    store_worker_close(worker->store);
    worker->store = NULL;
    sandbox_end(&worker->sandbox);
    return NULL;
}

/* ---- What the executor calls ---- */

void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    struct arena arena = worker->arena;

    arena_deinit(&worker->scratch);
    arena_deinit(&arena);
}

int worker_start(struct jobexec *jobexec, unsigned index, struct worker **ret_worker,
                 struct err *err)
{
    struct arena arena;

    arena_init(&arena, 0);
    struct worker *worker = arena_alloc(&arena, sizeof(*worker));
    worker->jobexec = jobexec;
    worker->index = index;
    atomic_init(&worker->seen_us, clock_mono_us());
    arena_init(&worker->scratch, 0);
    sandbox_init(&worker->sandbox, jobexec->options.script_program);
    worker->flights = arena_array(&arena, RESULTS_MAX, sizeof(struct flight *));
    worker->results = arena_array(&arena, RESULTS_MAX, sizeof(*worker->results));
    worker->done = arena_array(&arena, RESULTS_MAX, sizeof(*worker->done));
    worker->arena = arena;
    backoff_init(&worker->backoff, (uint32_t)clock_boot_us() ^ (index + 1) * 0x9e3779b9u);
    /* Whoever starts learns at once that the database is not there. */
    if (open_store(worker, err) < 0) {
        worker_free(worker);
        return err_trace(err);
    }
    int failed = pthread_create(&worker->thread, NULL, run, worker);
    if (failed != 0) {
        store_worker_close(worker->store);
        worker_free(worker);
        return err_set(err, ERR_IO, "cannot start a worker's thread: %s", strerror(failed));
    }
    *ret_worker = worker;
    return 0;
}

int64_t worker_seen_us(const struct worker *worker)
{
    return atomic_load(&worker->seen_us);
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
}
