/* SPDX-License-Identifier: Apache-2.0 */
/* What this node has counted, in Prometheus' text format. */
#include "base/build.h"

#include "jobexec/internal.h"

static void histogram(struct buf *text, const char *name, const char *help,
                      const struct histogram *counted, const struct histogram_bounds *bounds)
{
    metrics_family(text, name, "histogram", help);
    metrics_histogram(text, name, NO_LABELS, counted, bounds);
}

static void work(struct buf *text, const struct jobexec_stats *s)
{
    const struct {
        const char *name, *help;
        uint64_t value;
    } counters[] = {
        {"pawl_boundaries_total", "Commands carried out and committed: transaction boundaries.",
         s->commands},
        {"pawl_batches_total", "Batches committed: transactions.", s->batches},
        {"pawl_put_off_total", "Times that a command was put off, its family being locked.",
         s->put_off},
        {"pawl_jobs_failed_total", "Commands that failed: retries and incidents.", s->failed},
        {"pawl_retries_total", "Failed commands that are tried again.", s->retries},
        {"pawl_incidents_total", "Incidents made: what waits for a person.", s->incidents},
        {"pawl_instances_started_total", "Instances started, called ones included.",
         s->instances_started},
        {"pawl_instances_ended_total", "Instances ended, called ones included.",
         s->instances_ended},
        {"pawl_statements_total", "SQL statements of batches.", s->statements},
        {"pawl_round_trips_total", "Round trips of batches to the database.", s->round_trips},
        {"pawl_reconnects_total", "Times that a lost connection was made again.", s->reconnects},
    };

    for (size_t i = 0; i < ARRAY_LEN(counters); i++)
        metrics_single(text, counters[i].name, "counter", counters[i].help,
                       (double)counters[i].value);
    histogram(text, "pawl_batch_size", "Commands of a batch.", &s->batch_sizes, &histogram_sizes);
    histogram(text, "pawl_transaction_seconds", "How long a batch's transaction was open.",
              &s->transactions, &histogram_seconds);
    histogram(text, "pawl_job_lateness_seconds",
              "How late due timers and retries were carried out.", &s->lateness,
              &histogram_seconds);
}

static void calls(struct buf *text, const struct jobexec_stats *s)
{
    const struct {
        const char *name, *help;
        uint64_t value;
    } counters[] = {
        {"pawl_calls_sent_total", "Requests that left for services.", s->calls_sent},
        {"pawl_calls_cached_total", "Calls answered from the cache.", s->calls_cached},
        {"pawl_calls_repeated_total", "Requests of unknown outcome that were sent again.",
         s->calls_repeated},
        {"pawl_calls_unknown_total", "Requests whose outcome is not known.", s->calls_unknown},
        {"pawl_calls_late_total", "Answers that came after their wait was left.", s->calls_late},
    };

    for (size_t i = 0; i < ARRAY_LEN(counters); i++)
        metrics_single(text, counters[i].name, "counter", counters[i].help,
                       (double)counters[i].value);
    metrics_single(text, "pawl_calls_in_flight", "gauge", "Requests of this node under way.",
                   s->calls_in_flight);
}

void jobexec_metrics(struct jobexec *jobexec, struct buf *text)
{
    struct jobexec_stats stats;

    jobexec_stats(jobexec, &stats);
    work(text, &stats);
    calls(text, &stats);
    meter_metrics(&jobexec->meter, text);
    metrics_single(text, "pawl_workers", "gauge", "Threads of this node that run processes.",
                   jobexec->n_workers);
    metrics_single(text, "pawl_workers_silent_seconds", "gauge",
                   "How long the worker that was longest without a sign of life has been so.",
                   (double)jobexec_silent_us(jobexec) / 1e6);
}
