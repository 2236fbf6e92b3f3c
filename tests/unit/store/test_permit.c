/* SPDX-License-Identifier: Apache-2.0 */
/* The rate of an endpoint: never more than it allows, none lost, the next one due to the
 * microsecond. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/permit.h"

#define SECOND INT64_C(1000000)

/* What the claim does in SQL. */
static int64_t take(double rate, int64_t next_us, int64_t now_us, unsigned n)
{
    return (next_us > now_us ? next_us : now_us) + (int64_t)(n * 1e6 / rate);
}

static void test_permit__one_a_second(void **state)
{
    (void)state;
    int64_t now = 1000 * SECOND;
    struct permits p = permits_now(1, 1, INT64_MIN, now, 10);

    assert_int_equal(p.n, 1);
    int64_t next = take(1, INT64_MIN, now, 1);
    p = permits_now(1, 1, next, now + 400000, 10);
    assert_int_equal(p.n, 0);
    assert_int_equal(p.due_us, now + SECOND);
    p = permits_now(1, 1, next, p.due_us, 10);
    assert_int_equal(p.n, 1);
    /* Idle time is not saved up without a burst. */
    p = permits_now(1, 1, next, now + 100 * SECOND, 10);
    assert_int_equal(p.n, 1);
    assert_int_equal(p.due_us, now + 101 * SECOND);
}

static void test_permit__burst(void **state)
{
    (void)state;
    int64_t now = 1000 * SECOND;
    struct permits p = permits_now(10, 5, INT64_MIN, now, 100);

    assert_int_equal(p.n, 5);
    assert_int_equal(p.due_us, now + SECOND / 10);
    int64_t next = take(10, INT64_MIN, now, 5);
    p = permits_now(10, 5, next, now, 100);
    assert_int_equal(p.n, 0);
    assert_int_equal(p.due_us, now + SECOND / 10);
    assert_int_equal(permits_now(10, 5, next, now + 250000, 100).n, 2);
    assert_int_equal(permits_now(10, 5, next, now + 250000, 1).n, 1);
    assert_int_equal(permits_now(10, 5, next, now + 250000, 1).due_us, INT64_MIN);
    assert_int_equal(permits_now(10, 5, next, now + 60 * SECOND, 100).n, 5);
}

/* A minute of looks at odd times: the rate, plus the burst at most, and waiting for due_us always
 * pays. */
static void test_permit__never_more_than_the_rate(void **state)
{
    static const double rates[] = {0.1, 1, 3, 7.5, 50, 999};
    (void)state;

    for (size_t r = 0; r < ARRAY_LEN(rates); r++) {
        for (int burst = 1; burst <= 4; burst++) {
            int64_t start = 1795307663729542, now = start, next = INT64_MIN;
            unsigned sent = 0;
            while (now < start + 60 * SECOND) {
                struct permits p = permits_now(rates[r], burst, next, now, 1000);
                assert_true(p.n > 0);
                next = take(rates[r], next, now, p.n);
                sent += p.n;
                struct permits none = permits_now(rates[r], burst, next, now, 1000);
                assert_int_equal(none.n, 0);
                assert_true(none.due_us > now);
                now = none.due_us;
            }
            assert_true(sent <= 60 * rates[r] * 1.002 + burst + 1);
            assert_true(sent >= 60 * rates[r] * 0.99 - 1);
        }
    }
}

static void test_permit__extremes(void **state)
{
    (void)state;
    assert_int_equal(permits_now(1e-12, 1, INT64_MIN, SECOND, 5).n, 1);
    assert_int_equal(permits_now(1e12, 1, INT64_MIN, SECOND, 5).n, 1);
    assert_int_equal(permits_now(1, 0, INT64_MIN, SECOND, 5).n, 1);
    assert_int_equal(permits_now(1, 1, INT64_MIN, SECOND, 0).n, 0);
    /* Somebody moved next_at far ahead: closed until then. */
    struct permits p = permits_now(5, 1, SECOND + 3600 * SECOND, SECOND, 5);
    assert_int_equal(p.n, 0);
    assert_int_equal(p.due_us, SECOND + 3600 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_permit__one_a_second),
        cmocka_unit_test(test_permit__burst),
        cmocka_unit_test(test_permit__never_more_than_the_rate),
        cmocka_unit_test(test_permit__extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
