/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "jobexec/delegates.h"
#include "jobexec/meter.h"

void meter_init(struct meter *meter)
{
    *meter = (struct meter){.first = NULL};
    arena_init(&meter->arena, 0);
    pthread_mutex_init(&meter->lock, NULL);
}

void meter_deinit(struct meter *meter)
{
    arena_deinit(&meter->arena);
    pthread_mutex_destroy(&meter->lock);
}

/* With the lock. Names come from endpoints that somebody has configured, so there are few. */
static struct meter_endpoint *endpoint_of(struct meter *meter, const char *name)
{
    struct meter_endpoint **link = &meter->first;

    while (*link != NULL && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    if (*link != NULL)
        return *link;
    if (meter->n >= METER_ENDPOINTS_MAX && strcmp(name, "other") != 0)
        return endpoint_of(meter, "other");
    *link = arena_alloc(&meter->arena, sizeof(**link));
    (*link)->name = arena_strdup(&meter->arena, name);
    meter->n++;
    return *link;
}

void meter_call(struct meter *meter, const char *endpoint, enum outcome outcome, double seconds)
{
    assert((size_t)outcome < METER_OUTCOMES);
    pthread_mutex_lock(&meter->lock);
    struct meter_endpoint *of = endpoint_of(meter, endpoint);
    of->outcomes[outcome]++;
    histogram_add(&of->seconds, &histogram_seconds, seconds);
    pthread_mutex_unlock(&meter->lock);
}

void meter_metrics(struct meter *meter, struct buf *text)
{
    pthread_mutex_lock(&meter->lock);
    metrics_family(text, "pawl_connector_requests_total", "counter",
                   "Requests to services that came to an end, by their outcome.");
    for (const struct meter_endpoint *e = meter->first; e != NULL; e = e->next)
        for (size_t i = 0; i < METER_OUTCOMES; i++)
            if (e->outcomes[i] != 0)
                metrics_sample(text, "pawl_connector_requests_total",
                               LABELS({"endpoint", e->name}, {"kind", delegates_kind(e->name)},
                                      {"outcome", outcome_name((enum outcome)i)}),
                               (double)e->outcomes[i]);
    metrics_family(text, "pawl_connector_duration_seconds", "histogram",
                   "How long requests to services took, until their outcome was known.");
    for (const struct meter_endpoint *e = meter->first; e != NULL; e = e->next)
        metrics_histogram(text, "pawl_connector_duration_seconds",
                          LABELS({"endpoint", e->name}, {"kind", delegates_kind(e->name)}),
                          &e->seconds, &histogram_seconds);
    pthread_mutex_unlock(&meter->lock);
}
