/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Prometheus' text format 0.0.4, and histograms to count in.
 *
 *     metrics_family(&text, "pawl_calls_total", "counter", "Remote calls by their outcome.");
 *     metrics_sample(&text, "pawl_calls_total", LABELS({"endpoint", name}, {"outcome", "status"}),
 * n);
 *
 * The samples of a family follow its line.
 */
#include "base/buf.h"

struct metric_label {
    const char *name, *value;
};
#define LABELS(...)                                                                                \
    (const struct metric_label[]){__VA_ARGS__},                                                    \
        ARRAY_LEN(((const struct metric_label[]){__VA_ARGS__}))
#define NO_LABELS NULL, 0

/* type: "counter", "gauge", "histogram". */
void metrics_family(struct buf *text, const char *name, const char *type, const char *help);
void metrics_sample(struct buf *text, const char *name, const struct metric_label *labels,
                    size_t n_labels, double value);
/* A family with one sample, which has no labels. */
void metrics_single(struct buf *text, const char *name, const char *type, const char *help,
                    double value);

#define HISTOGRAM_BUCKETS_MAX 16u

/* Counts of values up to each bound, the last one of all. The owner guards it. */
struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS_MAX + 1]; /* each of its bucket alone */
    double sum;
};

struct histogram_bounds {
    double bounds[HISTOGRAM_BUCKETS_MAX]; /* rising */
    size_t n;
};

/* Seconds, from half a millisecond to a minute; and sizes, from 1 to 1,000. */
extern const struct histogram_bounds histogram_seconds, histogram_sizes;

void histogram_add(struct histogram *histogram, const struct histogram_bounds *bounds,
                   double value);
/* Adds what another one has counted under the same bounds. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);
void metrics_histogram(struct buf *text, const char *name, const struct metric_label *labels,
                       size_t n_labels, const struct histogram *histogram,
                       const struct histogram_bounds *bounds);
