/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <math.h>

#include "base/metrics.h"

const struct histogram_bounds histogram_seconds = {
    {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}, 16};
const struct histogram_bounds histogram_sizes = {{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}, 10};

/* Of help texts quotes stay; of labels' values they are escaped. */
static void add_escaped(struct buf *text, const char *s, bool quotes)
{
    for (; *s != '\0'; s++) {
        if (*s == '\\')
            buf_add_str(text, "\\\\");
        else if (*s == '\n')
            buf_add_str(text, "\\n");
        else if (*s == '"' && quotes)
            buf_add_str(text, "\\\"");
        else
            buf_add_char(text, *s);
    }
}

void metrics_family(struct buf *text, const char *name, const char *type, const char *help)
{
    buf_printf(text, "# HELP %s ", name);
    add_escaped(text, help, false);
    buf_printf(text, "\n# TYPE %s %s\n", name, type);
}

static void add_value(struct buf *text, double value)
{
    if (isnan(value))
        buf_add_str(text, " NaN\n");
    else if (isinf(value))
        buf_add_str(text, value > 0 ? " +Inf\n" : " -Inf\n");
    else if (value == trunc(value) && fabs(value) < 1e15)
        buf_printf(text, " %.0f\n", value);
    else
        buf_printf(text, " %.9g\n", value);
}

static void add_labels(struct buf *text, const struct metric_label *labels, size_t n,
                       const char *bound)
{
    if (n == 0 && bound == NULL)
        return;
    buf_add_char(text, '{');
    for (size_t i = 0; i < n; i++) {
        buf_printf(text, "%s%s=\"", i > 0 ? "," : "", labels[i].name);
        add_escaped(text, labels[i].value, true);
        buf_add_char(text, '"');
    }
    if (bound != NULL)
        buf_printf(text, "%sle=\"%s\"", n > 0 ? "," : "", bound);
    buf_add_char(text, '}');
}

void metrics_sample(struct buf *text, const char *name, const struct metric_label *labels,
                    size_t n_labels, double value)
{
    buf_add_str(text, name);
    add_labels(text, labels, n_labels, NULL);
    add_value(text, value);
}

void metrics_single(struct buf *text, const char *name, const char *type, const char *help,
                    double value)
{
    metrics_family(text, name, type, help);
    metrics_sample(text, name, NO_LABELS, value);
}

void histogram_add(struct histogram *histogram, const struct histogram_bounds *bounds, double value)
{
    size_t i = 0;

    while (i < bounds->n && value > bounds->bounds[i])
        i++;
    histogram->counts[i]++;
    histogram->sum += value;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    for (size_t i = 0; i < ARRAY_LEN(histogram->counts); i++)
        histogram->counts[i] += other->counts[i];
    histogram->sum += other->sum;
}

void metrics_histogram(struct buf *text, const char *name, const struct metric_label *labels,
                       size_t n_labels, const struct histogram *histogram,
                       const struct histogram_bounds *bounds)
{
    uint64_t count = 0;

    for (size_t i = 0; i <= bounds->n; i++) {
        char bound[32] = "+Inf";
        if (i < bounds->n)
            snprintf(bound, sizeof(bound), "%g", bounds->bounds[i]);
        count += histogram->counts[i];
        buf_printf(text, "%s_bucket", name);
        add_labels(text, labels, n_labels, bound);
        buf_printf(text, " %llu\n", (unsigned long long)count);
    }
    buf_printf(text, "%s_sum", name);
    add_labels(text, labels, n_labels, NULL);
    add_value(text, histogram->sum);
    buf_printf(text, "%s_count", name);
    add_labels(text, labels, n_labels, NULL);
    buf_printf(text, " %llu\n", (unsigned long long)count);
}
