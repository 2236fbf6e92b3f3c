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

/* These four lanes are asked. */
static void divide(const unsigned *found, unsigned total, unsigned *rows)
{
    const struct lanes lanes = {
        .found = found,
        .n = LANES,
        .asked = UINT64_C(1) << 2 | UINT64_C(1) << lane_number(3, 0) |
                 UINT64_C(1) << lane_number(3, 1) | UINT64_C(1) << lane_number(4, -1),
        .weighted = true,
    };
    lanes_divide(&lanes, total, rows);
    assert_int_equal(rows[0], 0); /* not asked */
    assert_true(sum(rows, LANES) <= total);
}

static void test_lanes__alone(void **state)
{
    unsigned found[LANES] = {[2] = 900}, rows[LANES];

    (void)state;
    divide(found, 900, rows);
    assert_in_range(rows[2], 800, 899);
    assert_in_range(rows[3], 1, 64); /* whoever comes is not overlooked */
}

/* A burst beside one that has little: it gets all that it wants, the burst what remains. */
static void test_lanes__small_beside_large(void **state)
{
    unsigned found[LANES] = {[2] = 1000, [3] = 3}, rows[LANES];

    (void)state;
    divide(found, 900, rows);
    assert_true(rows[3] >= 3 && rows[3] <= lane_want(3));
    assert_in_range(rows[2] + rows[3], 860, 900);
    found[3] = 1000;
    divide(found, 900, rows);
    assert_int_equal(rows[2], rows[3]);
    assert_in_range(rows[2], 430, 450);
}

static void test_lanes__priorities(void **state)
{
    int normal = lane_number(2, 0), high = lane_number(3, 7), low = lane_number(4, -1);
    unsigned found[LANES] = {0}, rows[LANES];

    (void)state;
    found[normal] = found[high] = found[low] = found[3] = 5000;
    divide(found, 1050, rows);
    assert_int_equal(rows[normal], 168); /* 4 of 25 parts */
    assert_int_equal(rows[3], 168);
    assert_int_equal(rows[high], 672);
    assert_int_equal(rows[low], 42); /* a share each: the low one is not starved */
}

/* Whatever the lanes had: no more than there is room for, and all of it where it is wanted. */
static void test_lanes__never_too_many(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        unsigned found[LANES] = {0}, rows[LANES], given = 0, wanted = 0, idle = 0, total;
        for (size_t i = 0; i < LANES; i++) {
            seed = seed * 1664525u + 1013904223u;
            found[i] = (seed >> 24) < 40 ? (seed >> 8) % 1200 : 0;
            wanted += found[i] != 0 ? lane_want(found[i]) : 0;
        }
        total = (seed >> 4) % 900 + 100;
        const struct lanes lanes = {
            .found = found, .n = LANES, .asked = UINT64_MAX >> 16, .weighted = round % 2 == 0};
        lanes_divide(&lanes, total, rows);
        for (size_t i = 0; i < LANES; i++) {
            given += found[i] != 0 ? rows[i] : 0;
            idle += found[i] == 0 ? rows[i] : 0;
            assert_true(rows[i] > 0 || found[i] != 0);
            assert_true(found[i] == 0 || rows[i] <= lane_want(found[i]));
        }
        assert_true(given <= total && idle <= total / 4 + LANES);
        assert_int_equal(given, wanted < total - idle ? wanted : total - idle);
    }
}

static void test_lanes__pace(void **state)
{
    unsigned most = PACE_START;

    (void)state;
    for (int i = 0; i < 40; i++)
        most = pace_next(most, true, 10000);
    assert_int_equal(most, LIMIT_BATCH_COMMANDS);
    assert_true(pace_next(most, true, 45000) < most);
    assert_int_equal(pace_next(most, true, 110000), most / 2);
    assert_int_equal(pace_next(PACE_FLOOR, true, 900000), PACE_FLOOR);
    assert_int_equal(pace_next(most, true, 35000), most); /* neither long nor quick */
    for (int i = 0; i < 40; i++)
        most = pace_next(most, false, 1000);
    assert_int_equal(most, PACE_START); /* idle */
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
