/* SPDX-License-Identifier: Apache-2.0 */
/* The rate of an endpoint: never more than it allows however many nodes there are, little of it
 * lost, the next one due to the microsecond. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/permit.h"

#define SECOND INT64_C(1000000)
#define START INT64_C(1795307663729542)

static const struct lease no_lease = {INT64_MIN, INT64_MIN};

/* A node, and the line that all share. Returns how many it sends; *due_us: when it looks again. */
struct node {
    struct lease lease;
};

static unsigned look(struct node *node, double rate, int burst, int64_t *next_us, int64_t now_us,
                     unsigned want, int64_t *due_us)
{
    struct lease lease = node->lease;
    bool fresh = !lease_left(&lease, rate, now_us);

    if (fresh)
        lease = lease_next(rate, burst, &node->lease, *next_us, now_us, want);
    struct permits permits = permits_now(rate, burst, &lease, now_us, want);
    *due_us = permits.due_us;
    if (permits.n == 0)
        return 0;
    if (fresh)
        *next_us = lease.end_us;
    node->lease = lease;
    permits_used(&node->lease, rate, now_us, permits.n);
    return permits.n;
}

static void test_permit__one_a_second(void **state)
{
    struct node node = {no_lease};
    int64_t next = INT64_MIN, now = 1000 * SECOND, due;
    (void)state;

    assert_int_equal(look(&node, 1, 1, &next, now, 10, &due), 1);
    assert_int_equal(look(&node, 1, 1, &next, now + 400000, 10, &due), 0);
    assert_int_equal(due, now + SECOND);
    assert_int_equal(look(&node, 1, 1, &next, due, 10, &due), 1);
    /* Idle time is not saved up without a burst. */
    assert_int_equal(look(&node, 1, 1, &next, now + 100 * SECOND, 10, &due), 1);
    assert_int_equal(look(&node, 1, 1, &next, now + 100 * SECOND, 10, &due), 0);
    assert_int_equal(due, now + 101 * SECOND);
}

static void test_permit__burst(void **state)
{
    struct node node = {no_lease};
    int64_t next = INT64_MIN, now = 1000 * SECOND, due;
    (void)state;

    assert_int_equal(look(&node, 10, 5, &next, now, 100, &due), 5);
    assert_int_equal(look(&node, 10, 5, &next, now, 100, &due), 0);
    assert_int_equal(due, now + SECOND / 10);
    struct node same = node;
    int64_t line = next;
    assert_int_equal(look(&node, 10, 5, &next, now + 250000, 100, &due), 2);
    assert_int_equal(look(&same, 10, 5, &line, now + 250000, 1, &due), 1);
    assert_int_equal(due, INT64_MIN);
    assert_int_equal(look(&node, 10, 5, &next, now + 60 * SECOND, 100, &due), 5);
}

/* A lease takes no more than is wanted, or than a fifth of a second or a burst needs. */
static void test_permit__lease(void **state)
{
    (void)state;
    struct lease lease = lease_next(100, 1, &no_lease, INT64_MIN, START, 500);
    assert_int_equal(lease.next_us, START);
    assert_int_equal(lease.end_us, START + SECOND / 5);
    assert_int_equal(lease_next(100, 1, &no_lease, INT64_MIN, START, 3).end_us,
                     START + 3 * SECOND / 100);
    assert_int_equal(lease_next(100, 50, &no_lease, INT64_MIN, START, 500).end_us,
                     START + SECOND / 2);
    assert_int_equal(lease_next(0.1, 1, &no_lease, START + 7, START, 500).end_us,
                     START + 7 + 10 * SECOND);
    /* The rate was one a day until now. */
    assert_int_equal(lease_next(5, 2, &no_lease, START + 86400 * SECOND, START, 1).next_us,
                     START + 2 * SECOND / 5);
    /* What is left of the last one goes on; of any other it has lapsed. */
    struct lease own = {START + 5, START + 100};
    assert_int_equal(lease_next(100, 1, &own, START + 100, START, 1).next_us, START + 5);
    assert_int_equal(lease_next(100, 1, &own, START + 200, START, 1).next_us, START + 200);
    assert_false(lease_left(&own, 100, START));
    own.end_us = own.next_us + SECOND / 100;
    assert_true(lease_left(&own, 100, START));
    assert_false(lease_left(&own, 100, START + SECOND));
}

/*
 * A minute of looks at odd times by one to three nodes. In no stretch of time more than the rate
 * and the burst; and most of the rate is used.
 */
#define SENT_MAX 70000
static int64_t sent_us[SENT_MAX];

static void share(double rate, int burst, unsigned nodes)
{
    struct node node[3] = {{no_lease}, {no_lease}, {no_lease}};
    int64_t next = INT64_MIN, at[3] = {START, START + 1, START + 2}, due;
    uint32_t random = 1;
    size_t n = 0;

    for (;;) {
        unsigned who = 0;
        for (unsigned i = 1; i < nodes; i++)
            if (at[i] < at[who])
                who = i;
        int64_t now = at[who];
        if (now > START + 60 * SECOND)
            break;
        for (unsigned k = look(&node[who], rate, burst, &next, now, 1000, &due); k > 0; k--) {
            assert_true(n < SENT_MAX);
            sent_us[n++] = now;
        }
        random = random * 1103515245u + 12345u;
        int64_t late = 1 + (int64_t)((random >> 16) % 1000);
        at[who] = (due > now ? due : now) + late;
    }
    double step = 1e6 / rate;
    for (size_t i = 0; i < n; i++) {
        /* All in the stretch that begins here: 1, then the burst, then at the rate. */
        size_t j = i + (size_t)burst;
        for (size_t far = 1; far <= 64 && j < n; far *= 4, j = i + (size_t)burst * far)
            assert_true((double)(sent_us[j] - sent_us[i]) >=
                        (double)(j - i - (size_t)burst + 1) * step - 2);
    }
    assert_true((double)n >= 60 * rate * (step > 10000 ? 0.85 : 0.4) - 1);
}

static void test_permit__never_more_than_the_rate(void **state)
{
    static const double rates[] = {0.1, 1, 3, 7.5, 50, 999};
    (void)state;

    for (size_t r = 0; r < ARRAY_LEN(rates); r++)
        for (int burst = 1; burst <= 4; burst++)
            for (unsigned nodes = 1; nodes <= 3; nodes++)
                share(rates[r], burst, nodes);
}

static void test_permit__extremes(void **state)
{
    static const struct lease wide = {INT64_MIN, INT64_MAX};
    (void)state;

    assert_int_equal(permits_now(1e-12, 1, &wide, SECOND, 5).n, 1);
    assert_int_equal(permits_now(1e12, 1, &wide, SECOND, 5).n, 1);
    assert_int_equal(permits_now(1, 0, &wide, SECOND, 5).n, 1);
    assert_int_equal(permits_now(1, 1, &wide, SECOND, 0).n, 0);
    assert_int_equal(permits_now(1, 1, &no_lease, SECOND, 5).n, 0);
    assert_int_equal(
        lease_next(1e-12, 1000000, &no_lease, INT64_MIN, START, 1).end_us > START + SECOND, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_permit__one_a_second),
        cmocka_unit_test(test_permit__burst),
        cmocka_unit_test(test_permit__lease),
        cmocka_unit_test(test_permit__never_more_than_the_rate),
        cmocka_unit_test(test_permit__extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
