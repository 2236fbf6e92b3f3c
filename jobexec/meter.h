/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Answers of remote calls by endpoint, counted since the start. Any thread. */
#include "base/metrics.h"
#include "jobexec/response.h"

#include <pthread.h>

#define METER_ENDPOINTS_MAX 1000u /* those that come later are counted as one, "other" */
#define METER_OUTCOMES 16u        /* at least as many as enum outcome has */

struct meter_endpoint {
    const char *name;
    uint64_t outcomes[METER_OUTCOMES];
    struct histogram seconds; /* by histogram_seconds */
    struct meter_endpoint *next;
};

struct meter {
    pthread_mutex_t lock; /* leaf */
    struct arena arena;   /* guarded by lock; holds the list */
    struct meter_endpoint *first;
    unsigned n;
};

void meter_init(struct meter *meter);
void meter_deinit(struct meter *meter);
void meter_call(struct meter *meter, const char *endpoint, enum outcome outcome, double seconds);
void meter_metrics(struct meter *meter, struct buf *text);
