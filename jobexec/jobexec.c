/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <sys/resource.h>

#include "base/log.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "jobexec/internal.h"
#include "jobexec/scripts.h"

#define WORKERS 2
/* How often an idle worker looks: nobody waits for longer than 50 ms, whichever worker comes next.
 */
#define IDLE_POLL_MS 50
#define IDLE_POLL_SHARED_MS 75
#define DRAIN_MS 10000
#define DRAIN_COMMIT_US 5000000 /* for the last answers, once the connector has ended */
#define MAX_FLIGHTS 10000u
#define OTHER_FILES 200u /* that are no requests' sockets */

/* Each request under way is a socket: as many as the process may have. */
static unsigned flights_allowed(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 100;
    if (files.rlim_cur < files.rlim_max && files.rlim_cur < MAX_FLIGHTS + OTHER_FILES) {
        rlim_t want = MAX_FLIGHTS + OTHER_FILES;
        files.rlim_cur = want < files.rlim_max ? want : files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0 && getrlimit(RLIMIT_NOFILE, &files) != 0)
            return 100;
    }
    if (files.rlim_cur >= MAX_FLIGHTS + OTHER_FILES)
        return MAX_FLIGHTS;
    return files.rlim_cur > 2 * OTHER_FILES ? (unsigned)files.rlim_cur - OTHER_FILES : 100;
}

static struct jobexec *make(struct store *store, const struct jobexec_options *options)
{
    struct arena arena;

    arena_init(&arena, 0);
    struct jobexec *jobexec = arena_alloc(&arena, sizeof(*jobexec));
    jobexec->store = store;
    jobexec->options = *options;
    jobexec->options.user_agent =
        arena_strdup(&arena, options->user_agent != NULL ? options->user_agent : "pawl");
    if (options->workers == 0)
        jobexec->options.workers = WORKERS;
    if (options->script_program != NULL)
        jobexec->options.script_program = arena_strdup(&arena, options->script_program);
    if (options->idle_poll_ms == 0)
        jobexec->options.idle_poll_ms =
            jobexec->options.workers > 1 ? IDLE_POLL_SHARED_MS : IDLE_POLL_MS;
    if (options->drain_ms == 0)
        jobexec->options.drain_ms = DRAIN_MS;
    jobexec->n_workers = jobexec->options.workers;
    jobexec->workers = arena_array(&arena, jobexec->n_workers, sizeof(struct worker *));
    jobexec->max_flights = flights_allowed();
    jobexec->arena = arena;
    atomic_init(&jobexec->draining, false);
    atomic_init(&jobexec->drain_until_us, 0);
    atomic_init(&jobexec->next_sweep_us, 0);
    atomic_init(&jobexec->next_events_us, 0);
    atomic_init(&jobexec->next_bulk_us, 0);
    wake_init(&jobexec->workers_wake, jobexec->n_workers);
    answers_init(&jobexec->answers);
    pthread_mutex_init(&jobexec->stats_lock, NULL);
    meter_init(&jobexec->meter);
    return jobexec;
}

/* The program's delegates, and the one that runs scripts which take their time. */
static int start_delegates(struct jobexec *jobexec, struct err *err)
{
    const struct jobexec_options *options = &jobexec->options;
    struct jobexec_delegate *items =
        arena_array(&jobexec->arena, options->n_delegates + 1, sizeof(*items));
    size_t n = options->n_delegates;
    char *program = options->script_program != NULL
                        ? arena_strdup(&jobexec->arena, options->script_program)
                        : NULL;

    for (size_t i = 0; i < n; i++)
        items[i] = options->delegates[i];
    if (program != NULL)
        items[n++] = (struct jobexec_delegate){
            .name = SCRIPT_DELEGATE, .run = scripts_delegate, .context = program};
    return delegates_start(items, n, options->delegate_threads, &jobexec->delegates, err) < 0
               ? err_trace(err)
               : 0;
}

int jobexec_start(struct store *store, const struct jobexec_options *options,
                  struct jobexec **ret_jobexec, struct err *err)
{
    struct jobexec *jobexec = make(store, options);
    struct http_options http = {.user_agent = jobexec->options.user_agent};

    if (start_delegates(jobexec, err) < 0 || http_start(&http, &jobexec->http, err) < 0 ||
        dispatcher_start(jobexec, err) < 0)
        goto failed;
    for (unsigned i = 0; i < jobexec->n_workers; i++)
        if (worker_start(jobexec, i, &jobexec->workers[i], err) < 0)
            goto failed;
    if (keeper_start(jobexec, err) < 0)
        goto failed;
    *ret_jobexec = jobexec;
    return 0;
failed:
    jobexec_stop(jobexec);
    return err_trace(err);
}

static void log_totals(struct jobexec *jobexec)
{
    const struct jobexec_stats *s = &jobexec->stats; /* all other threads have ended */

    log_line(LOG_LEVEL_INFO, "executor stopped",
             "commands=%llu batches=%llu put_off=%llu failed=%llu statements=%llu round_trips=%llu "
             "calls_sent=%llu calls_answered=%llu calls_cached=%llu calls_repeated=%llu "
             "calls_unknown=%llu calls_late=%llu reconnects=%llu longest_transaction_ms=%.1f "
             "latest_timer_ms=%.1f",
             (unsigned long long)s->commands, (unsigned long long)s->batches,
             (unsigned long long)s->put_off, (unsigned long long)s->failed,
             (unsigned long long)s->statements, (unsigned long long)s->round_trips,
             (unsigned long long)s->calls_sent, (unsigned long long)s->calls_answered,
             (unsigned long long)s->calls_cached, (unsigned long long)s->calls_repeated,
             (unsigned long long)s->calls_unknown, (unsigned long long)s->calls_late,
             (unsigned long long)s->reconnects, (double)s->longest_transaction_us / 1e3,
             (double)s->latest_timer_us / 1e3);
}

void jobexec_drain(struct jobexec *jobexec)
{
    if (jobexec == NULL || jobexec->stopped)
        return;
    int64_t drain_us = (int64_t)jobexec->options.drain_ms * 1000;
    atomic_store(&jobexec->draining, true);
    if (jobexec->dispatcher != NULL)
        dispatcher_stop(jobexec->dispatcher);
    delegates_stop(jobexec->delegates);
    http_stop(jobexec->http, drain_us);
    atomic_store(&jobexec->drain_until_us, clock_mono_us() + DRAIN_COMMIT_US);
    wake_close(&jobexec->workers_wake);
    for (unsigned i = 0; i < jobexec->n_workers; i++)
        if (jobexec->workers[i] != NULL)
            worker_join(jobexec->workers[i]);
    keeper_stop(jobexec->keeper);
    jobexec->keeper = NULL;
    jobexec->stopped = true;
    log_totals(jobexec);
    size_t left = answers_open(&jobexec->answers);
    if (left != 0)
        log_line(LOG_LEVEL_WARN, "answers could not be committed; their outcome will be unknown",
                 "answers=%zu", left);
}

void jobexec_stop(struct jobexec *jobexec)
{
    if (jobexec == NULL)
        return;
    jobexec_drain(jobexec);
    for (unsigned i = 0; i < jobexec->n_workers; i++)
        worker_free(jobexec->workers[i]);
    dispatcher_free(jobexec->dispatcher);
    delegates_free(jobexec->delegates);
    answers_deinit(&jobexec->answers);
    wake_deinit(&jobexec->workers_wake);
    pthread_mutex_destroy(&jobexec->stats_lock);
    meter_deinit(&jobexec->meter);
    struct arena arena = jobexec->arena;
    arena_deinit(&arena);
}

void jobexec_wake(struct jobexec *jobexec)
{
    wake_signal(&jobexec->workers_wake);
}

void jobexec_stats(struct jobexec *jobexec, struct jobexec_stats *ret_stats)
{
    pthread_mutex_lock(&jobexec->stats_lock);
    *ret_stats = jobexec->stats;
    pthread_mutex_unlock(&jobexec->stats_lock);
    ret_stats->calls_in_flight = dispatcher_in_flight(jobexec->dispatcher);
}

int64_t jobexec_silent_us(struct jobexec *jobexec)
{
    int64_t now_us = clock_mono_us(), longest_us = 0;

    for (unsigned i = 0; i < jobexec->n_workers; i++) {
        int64_t silent_us = now_us - worker_seen_us(jobexec->workers[i]);
        longest_us = silent_us > longest_us ? silent_us : longest_us;
    }
    return longest_us;
}
