/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/map.h"
#include "store/wire.h"

static void test_column__array_of_numbers(void **state UNUSED)
{
    static const uint8_t wanted[] = {
        0,    0,    0, 1, 0, 0, 0,    1,    0,    0,
        0,    23,   0, 0, 0, 3, 0,    0,    0,    1, /* 1 dimension, NULLs, int4, 3, from 1 */
        0,    0,    0, 4, 0, 0, 0,    7,    0xff, 0xff,
        0xff, 0xff, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xfe,
    };
    struct arena arena;
    struct column column;

    arena_init(&arena, 0);
    column_init(&column, &arena, COLUMN_INT4);
    column_int(&column, 7);
    column_null(&column);
    column_int(&column, -2);
    struct param p = p_column(&column);
    assert_int_equal(p.type, 1007);
    assert_int_equal(p.n, sizeof(wanted));
    assert_memory_equal(p.bytes, wanted, sizeof(wanted));
    arena_deinit(&arena);
}

static void test_column__empty_array(void **state UNUSED)
{
    static const uint8_t wanted[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25};
    struct arena arena;
    struct column column;

    arena_init(&arena, 0);
    column_init(&column, &arena, COLUMN_TEXT);
    struct param p = p_column(&column);
    assert_int_equal(p.n, sizeof(wanted));
    assert_memory_equal(p.bytes, wanted, sizeof(wanted));
    arena_deinit(&arena);
}

static void test_column__nulls_only(void **state UNUSED)
{
    struct arena arena;
    struct column column;

    arena_init(&arena, 0);
    column_init(&column, &arena, COLUMN_TEXT);
    for (int i = 0; i < 1000; i++)
        column_null(&column);
    struct param p = p_column(&column);
    assert_int_equal(p.type, 1009);
    assert_int_equal(p.n, -1);
    column_text(&column, "x"); /* those before are there after all */
    p = p_column(&column);
    assert_int_equal(p.n, 20 + 1000 * 4 + 5);
    const uint8_t *at = (const uint8_t *)p.bytes + 20;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(wire_get(at + 4 * i, 4), UINT32_MAX);
    assert_int_equal(wire_get(at + 4000, 4), 1);
    arena_deinit(&arena);
}

static void test_column__grows(void **state UNUSED)
{
    struct arena arena;
    struct column column;
    char text[300];

    memset(text, 'x', sizeof(text));
    arena_init(&arena, 0);
    column_init(&column, &arena, COLUMN_TEXT);
    for (size_t i = 0; i < 1000; i++)
        column_bytes(&column, text, i % sizeof(text));
    column_text(&column, "");
    column_text(&column, NULL);
    struct param p = p_column(&column);
    const uint8_t *at = (const uint8_t *)p.bytes + 20;
    for (size_t i = 0; i < 1000; i++) {
        size_t n = (size_t)wire_get(at, 4);
        assert_int_equal(n, i % sizeof(text));
        assert_memory_equal(at + 4, text, n);
        at += 4 + n;
    }
    assert_int_equal(wire_get(at, 4), 0);
    assert_int_equal(wire_get(at + 4, 4), UINT32_MAX);
    assert_int_equal(column.rows, 1002);
    arena_deinit(&arena);
}

static void test_column__times(void **state UNUSED)
{
    static const int64_t times[] = {
        0, 1, -1, WIRE_EPOCH_US, INT64_MAX, INT64_MIN, INT64_C(1767225600000000)};

    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        assert_int_equal(wire_time_from_pg(wire_time_to_pg(times[i])), times[i]);
    assert_int_equal(wire_time_to_pg(WIRE_EPOCH_US), 0);
}

static void test_column__nil_uuid_is_null(void **state UNUSED)
{
    static const struct uuid nil;
    struct uuid id = {{1}};
    struct arena arena;
    struct column column;

    arena_init(&arena, 0);
    column_init(&column, &arena, COLUMN_UUID);
    column_uuid(&column, &nil);
    column_uuid(&column, &id);
    assert_true(column.nulls);
    assert_int_equal(column.n, 20 + 4 + 4 + 16);
    assert_int_equal(p_uuid(NULL).n, -1);
    assert_int_equal(p_uuid(&nil).n, 16);
    arena_deinit(&arena);
}

static void test_column__map(void **state UNUSED)
{
    static int values[5000];
    struct arena arena;
    struct map map;

    arena_init(&arena, 0);
    map_init(&map, &arena);
    struct uuid key = map_number(1);
    assert_null(map_get(&map, &key));
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        key = map_number(i * 1000);
        map_put(&map, &key, &values[i]);
    }
    key = map_number(7000);
    map_put(&map, &key, &values[0]);
    assert_int_equal(map.n, ARRAY_LEN(values));
    assert_ptr_equal(map_get(&map, &key), &values[0]);
    for (size_t i = 8; i < ARRAY_LEN(values); i++) {
        key = map_number(i * 1000);
        assert_ptr_equal(map_get(&map, &key), &values[i]);
        key = map_number(i * 1000 + 1);
        assert_null(map_get(&map, &key));
    }
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_column__array_of_numbers),
        cmocka_unit_test(test_column__empty_array),
        cmocka_unit_test(test_column__nulls_only),
        cmocka_unit_test(test_column__grows),
        cmocka_unit_test(test_column__times),
        cmocka_unit_test(test_column__nil_uuid_is_null),
        cmocka_unit_test(test_column__map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
