/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"

static void test_buf__grows(void **state UNUSED)
{
    struct buf buf;

    buf_init(&buf, 0);
    assert_string_equal(buf_str(&buf), "");
    buf_add(&buf, "abc", 3);
    buf_add(&buf, NULL, 0);
    buf_add_char(&buf, '-');
    buf_add_str(&buf, "def");
    buf_printf(&buf, "%03d", 7);
    assert_string_equal(buf_str(&buf), "abc-def007");
    for (int i = 0; i < 10000; i++)
        buf_printf(&buf, "%d,", i);
    assert_int_equal(buf.len, strlen(buf_str(&buf)));
    assert_false(buf.overflow);
    buf_reset(&buf);
    assert_string_equal(buf_str(&buf), "");
    buf_deinit(&buf);
    assert_string_equal(buf_str(&buf), "");
}

static void test_buf__numbers(void **state UNUSED)
{
    struct buf buf;

    buf_init(&buf, 0);
    buf_add_int(&buf, 0);
    buf_add_char(&buf, ' ');
    buf_add_int(&buf, -45);
    buf_add_char(&buf, ' ');
    buf_add_int(&buf, INT64_MAX);
    buf_add_char(&buf, ' ');
    buf_add_int(&buf, INT64_MIN);
    buf_add_char(&buf, ' ');
    buf_add_hex(&buf, 0);
    buf_add_char(&buf, ' ');
    buf_add_hex(&buf, UINT64_MAX);
    buf_add_char(&buf, ' ');
    buf_add_hex(&buf, 0x10);
    assert_string_equal(buf_str(&buf),
                        "0 -45 9223372036854775807 -9223372036854775808 0 ffffffffffffffff 10");
    buf_deinit(&buf);
}

static void test_buf__max(void **state UNUSED)
{
    struct buf buf;

    buf_init(&buf, 5);
    buf_add_str(&buf, "12345");
    assert_false(buf.overflow);
    buf_add_char(&buf, '6');
    assert_true(buf.overflow);
    assert_string_equal(buf_str(&buf), "12345");
    buf_reset(&buf);
    assert_false(buf.overflow);
    buf_printf(&buf, "%s", "123456");
    assert_true(buf.overflow);
    assert_string_equal(buf_str(&buf), "");
    buf_add_char(&buf, '1'); /* after an overflow nothing is added: no text with a hole */
    assert_string_equal(buf_str(&buf), "");
    buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf__grows),
        cmocka_unit_test(test_buf__numbers),
        cmocka_unit_test(test_buf__max),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
