/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/json_text.h"

/* What comes out of what went in. */
static void expect(const char *text, const char *wanted)
{
    struct arena arena CLEANUP(arena_deinit);
    json_auto_t *value = json_read_text(text);

    arena_init(&arena, 0);
    assert_non_null(value);
    assert_string_equal(json_text_in(&arena, value), wanted);
}

static void test_json_text__doubles_are_short(void **state UNUSED)
{
    expect("0.1", "0.1");
    expect("[52.5, 1e3, -0.25]", "[52.5,1000,-0.25]");
    expect("0.30000000000000004", "0.30000000000000004");
}

static void test_json_text__only_what_is_too_long_becomes_a_double(void **state UNUSED)
{
    json_auto_t *value =
        json_read_text("{\"a\\\"1\": 12345678901234567890, \"b\": [7, -98765432109876543210], "
                       "\"c\": \"12345678901234567890\", \"d\": 9223372036854775807}");

    assert_true(json_is_real(json_object_get(value, "a\"1")));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(value, "b"), 0)), 7);
    assert_true(json_is_real(json_array_get(json_object_get(value, "b"), 1)));
    assert_string_equal(json_string_value(json_object_get(value, "c")), "12345678901234567890");
    assert_true(json_integer_value(json_object_get(value, "d")) == INT64_MAX);
}

static void test_json_text__what_is_no_json_is_none(void **state UNUSED)
{
    assert_null(json_read_text("{\"a\": 12345678901234567890"));
    assert_null(json_read_text("[12345678901234567890, \"x]"));
    assert_null(json_read_text("1e999"));
    assert_null(json_read_text(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_text__doubles_are_short),
        cmocka_unit_test(test_json_text__only_what_is_too_long_becomes_a_double),
        cmocka_unit_test(test_json_text__what_is_no_json_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
