/* SPDX-License-Identifier: Apache-2.0 */
/* Shares of a batch, and how large one may be. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/lanes.h"
#include "store/pace.h"

static unsigned sum(const unsigned *rows, size_t n)
{
    unsigned all = 0;
    for (size_t i = 0; i < n; i++)
        all += rows[i];
    return all;
}

static void test_lanes__alone(void **state)
{
    unsigned found[LANES] = {[2] = 900}, rows[LANES];

    (void)state;
    lanes_divide(found, true, LANES, 900, rows);
    assert_int_equal(rows[2], 900);
    assert_in_range(rows[3], 1, 64); /* whoever comes is not overlooked */
}

/* A burst beside one that has little: it gets all that it wants, the burst what remains. */
static void test_lanes__small_beside_large(void **state)
{
    unsigned found[LANES] = {[2] = 1000, [3] = 3}, rows[LANES];

    (void)state;
    lanes_divide(found, true, LANES, 900, rows);
    assert_true(rows[3] >= 3 && rows[3] <= lane_want(3));
    assert_int_equal(rows[2] + rows[3], 900);
    found[3] = 1000;
    lanes_divide(found, true, LANES, 900, rows);
    assert_int_equal(rows[2], 450);
    assert_int_equal(rows[3], 450);
}

static void test_lanes__priorities(void **state)
{
    int normal = lane_number(2, 0), high = lane_number(3, 7), low = lane_number(4, -1);
    unsigned found[LANES] = {0}, rows[LANES];

    (void)state;
    found[normal] = found[high] = found[low] = 5000;
    lanes_divide(found, true, LANES, 1050, rows);
    assert_int_equal(rows[high], 800);
    assert_int_equal(rows[normal], 200);
    assert_int_equal(rows[low], 50); /* a share each: the low one is not starved */
}

/* Whatever the lanes had: no more than there is room for, and all of it where it is wanted. */
static void test_lanes__never_too_many(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        unsigned found[LANES] = {0}, rows[LANES], given = 0, wanted = 0, total;
        for (size_t i = 0; i < LANES; i++) {
            seed = seed * 1664525u + 1013904223u;
            found[i] = (seed >> 24) < 40 ? (seed >> 8) % 1200 : 0;
            wanted += found[i] != 0 ? lane_want(found[i]) : 0;
        }
        total = (seed >> 4) % 1000 + 1;
        lanes_divide(found, round % 2 == 0, LANES, total, rows);
        for (size_t i = 0; i < LANES; i++) {
            given += found[i] != 0 ? rows[i] : 0;
            assert_true(found[i] == 0 || rows[i] <= lane_want(found[i]));
        }
        assert_int_equal(given, wanted < total ? wanted : total);
        assert_true(sum(rows, LANES) >= given);
    }
}

static void test_lanes__pace(void **state)
{
    unsigned most = PACE_START;

    (void)state;
    for (int i = 0; i < 40; i++)
        most = pace_next(most, most, 10000);
    assert_int_equal(most, LIMIT_BATCH_COMMANDS);
    assert_true(pace_next(most, most, 45000) < most);
    assert_int_equal(pace_next(most, most, 110000), most / 2);
    assert_int_equal(pace_next(PACE_FLOOR, PACE_FLOOR, 900000), PACE_FLOOR);
    assert_int_equal(pace_next(most, 700, 35000), most);    /* neither long nor quick */
    assert_int_equal(pace_next(most, 300, 10000), most);    /* there was not more to do */
    assert_int_equal(pace_next(most, 3, 1000), PACE_START); /* idle */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lanes__alone),      cmocka_unit_test(test_lanes__small_beside_large),
        cmocka_unit_test(test_lanes__priorities), cmocka_unit_test(test_lanes__never_too_many),
        cmocka_unit_test(test_lanes__pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
