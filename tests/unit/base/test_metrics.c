/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/metrics.h"

static void test_metrics__text(void **state UNUSED)
{
    struct buf text;

    buf_init(&text, 0);
    metrics_family(&text, "pawl_a", "gauge", "What \"a\" is\\was,\nin short.");
    metrics_sample(&text, "pawl_a", NO_LABELS, 1);
    metrics_sample(&text, "pawl_a", LABELS({"endpoint", "x\"y\\z\n"}, {"outcome", ""}), 0.25);
    metrics_sample(&text, "pawl_a", NO_LABELS, 12345678901234.0);
    metrics_sample(&text, "pawl_a", NO_LABELS, 1e30);
    metrics_sample(&text, "pawl_a", NO_LABELS, NAN);
    metrics_sample(&text, "pawl_a", NO_LABELS, INFINITY);
    metrics_sample(&text, "pawl_a", NO_LABELS, -INFINITY);
    assert_string_equal(buf_str(&text), "# HELP pawl_a What \"a\" is\\\\was,\\nin short.\n"
                                        "# TYPE pawl_a gauge\n"
                                        "pawl_a 1\n"
                                        "pawl_a{endpoint=\"x\\\"y\\\\z\\n\",outcome=\"\"} 0.25\n"
                                        "pawl_a 12345678901234\n"
                                        "pawl_a 1e+30\n"
                                        "pawl_a NaN\n"
                                        "pawl_a +Inf\n"
                                        "pawl_a -Inf\n");
    buf_deinit(&text);
}

static void test_metrics__histogram(void **state UNUSED)
{
    static const struct histogram_bounds bounds = {{0.5, 1, 10}, 3};
    struct histogram one = {.sum = 0}, all = {.sum = 0};
    struct buf text;

    histogram_add(&one, &bounds, 0);
    histogram_add(&one, &bounds, 0.5);
    histogram_add(&one, &bounds, 0.75);
    histogram_add(&one, &bounds, 100);
    histogram_merge(&all, &one);
    histogram_merge(&all, &one);
    buf_init(&text, 0);
    metrics_histogram(&text, "t", LABELS({"e", "x"}), &one, &bounds);
    metrics_histogram(&text, "t", NO_LABELS, &all, &bounds);
    assert_string_equal(buf_str(&text), "t_bucket{e=\"x\",le=\"0.5\"} 2\n"
                                        "t_bucket{e=\"x\",le=\"1\"} 3\n"
                                        "t_bucket{e=\"x\",le=\"10\"} 3\n"
                                        "t_bucket{e=\"x\",le=\"+Inf\"} 4\n"
                                        "t_sum{e=\"x\"} 101.25\n"
                                        "t_count{e=\"x\"} 4\n"
                                        "t_bucket{le=\"0.5\"} 4\n"
                                        "t_bucket{le=\"1\"} 6\n"
                                        "t_bucket{le=\"10\"} 6\n"
                                        "t_bucket{le=\"+Inf\"} 8\n"
                                        "t_sum 202.5\n"
                                        "t_count 8\n");
    buf_deinit(&text);
}

/* Bounds rise, or a value would be counted in no bucket of its own. */
static void test_metrics__bounds_rise(void **state UNUSED)
{
    const struct histogram_bounds *all[] = {&histogram_seconds, &histogram_sizes};

    for (size_t k = 0; k < ARRAY_LEN(all); k++) {
        assert_true(all[k]->n <= HISTOGRAM_BUCKETS_MAX);
        for (size_t i = 1; i < all[k]->n; i++)
            assert_true(all[k]->bounds[i] > all[k]->bounds[i - 1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics__text),
        cmocka_unit_test(test_metrics__histogram),
        cmocka_unit_test(test_metrics__bounds_rise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
