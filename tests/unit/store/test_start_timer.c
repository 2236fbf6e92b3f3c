/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/batch.h"
#include "store/start_timer.h"

#define MINUTE INT64_C(60000000)

static struct arena arena;

static int setup(void **state UNUSED)
{
    arena_init(&arena, 0);
    return 0;
}

static int teardown(void **state UNUSED)
{
    arena_deinit(&arena);
    return 0;
}

static struct node timer(enum timer_kind kind, const char *text)
{
    struct node node = {.id = "start", .event = {.kind = EVENT_TIMER, .timer = kind}};
    struct err err;

    assert_int_equal(expr_compile(&arena, text, &node.event.time, &err), 0);
    return node;
}

static void test_start_timer__date_and_duration(void **state UNUSED)
{
    struct node date = timer(TIMER_DATE, "1970-01-01T00:10:00Z");
    struct node duration = timer(TIMER_DURATION, "PT5M");
    struct cycle_time time, next;
    struct err err;

    assert_int_equal(start_timer_first(&date, &arena, MINUTE, &time, &err), 0);
    assert_int_equal(time.due_us, 10 * MINUTE);
    assert_int_equal(start_timer_next(&date, &arena, &time, 11 * MINUTE, &next, &err), 0);
    assert_int_equal(next.due_us, INT64_MAX);
    assert_int_equal(start_timer_first(&duration, &arena, MINUTE, &time, &err), 0);
    assert_int_equal(time.due_us, 6 * MINUTE);
}

static void test_start_timer__cycle_counts(void **state UNUSED)
{
    struct node node = timer(TIMER_CYCLE, "R3/PT10M");
    struct cycle_time time;
    struct err err;
    unsigned starts = 0;

    assert_int_equal(start_timer_first(&node, &arena, 0, &time, &err), 0);
    while (time.due_us != INT64_MAX) {
        starts++;
        assert_int_equal(time.due_us, starts * 10 * MINUTE);
        assert_int_equal(start_timer_next(&node, &arena, &time, time.due_us + 1, &time, &err), 0);
    }
    assert_int_equal(starts, 3);
}

static void test_start_timer__missed_ones_are_not_made_up_for(void **state UNUSED)
{
    struct node node = timer(TIMER_CYCLE, "R/PT10M"), few = timer(TIMER_CYCLE, "R3/PT10M");
    struct cycle_time time = {.due_us = 10 * MINUTE, .remaining = -1}, next;
    struct err err;

    assert_int_equal(start_timer_next(&node, &arena, &time, 95 * MINUTE, &next, &err), 0);
    assert_int_equal(next.due_us, 100 * MINUTE);
    assert_int_equal(next.remaining, -1);
    time.remaining = 2;
    assert_int_equal(start_timer_next(&few, &arena, &time, 95 * MINUTE, &next, &err), 0);
    assert_int_equal(next.due_us, INT64_MAX);
    assert_int_equal(start_timer_next(&few, &arena, &time, 25 * MINUTE, &next, &err), 0);
    assert_int_equal(next.due_us, 30 * MINUTE);
    assert_int_equal(next.remaining, 0);
}

static void test_start_timer__what_is_wrong(void **state UNUSED)
{
    static const char *const texts[] = {"", "PT", "R3", "R/PT0S", "tomorrow", "${x}"};
    struct cycle_time time;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct node node = timer(TIMER_CYCLE, texts[i]);
        assert_int_equal(start_timer_first(&node, &arena, 0, &time, &err), -1);
        assert_non_null(strstr(err.text, "start"));
    }
}

static void test_start_timer__delivery(void **state UNUSED)
{
    static const char *const keys[] = {"", "a", "with spaces  ", "1 2 3", "\xc3\xa4"};
    static const char *const bad[] = {"",
                                      "1",
                                      "1 2 3",
                                      "1 2 3 no-uuid-at-all key",
                                      "1 2 3 01a200cb-7503-7672-ab89-dc579293e1fb",
                                      "1 2 3 01a200cb-7503-7672-ab89-dc579293e1fb 9 a b"};
    struct delivery in = {.message = {{9, 8, 7}},
                          .expires_us = INT64_MAX,
                          .since_us = -5,
                          .mode = 2,
                          .tenant = "no rth",
                          .tenant_n = 6},
                    out;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        in.key = keys[i];
        assert_true(delivery_read(delivery_text(&arena, &in), &out));
        assert_true(uuid_equal(&in.message, &out.message));
        assert_int_equal(out.expires_us, in.expires_us);
        assert_int_equal(out.since_us, in.since_us);
        assert_int_equal(out.mode, in.mode);
        assert_string_equal(out.key, keys[i]);
        assert_int_equal(out.tenant_n, 6);
        assert_memory_equal(out.tenant, "no rth", 6);
    }
    assert_false(delivery_read(NULL, &out));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(delivery_read(bad[i], &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_start_timer__date_and_duration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_timer__cycle_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_timer__missed_ones_are_not_made_up_for, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_start_timer__what_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_timer__delivery, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
