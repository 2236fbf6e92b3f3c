/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/hex.h"

static void test_hex__digits_of_either_case(void **state UNUSED)
{
    static const char digits[] = "0123456789abcdef", capitals[] = "0123456789ABCDEF";

    for (int i = 0; i < 16; i++) {
        assert_int_equal(hex_digit(digits[i]), i);
        assert_int_equal(hex_digit(capitals[i]), i);
    }
    for (const char *c = "/:@G`g \x01\xff"; *c != '\0'; c++)
        assert_int_equal(hex_digit(*c), -1);
}

static void test_hex__an_escape_is_three_characters(void **state UNUSED)
{
    assert_int_equal(hex_escape("%41", 3), 'A');
    assert_int_equal(hex_escape("%fFx", 4), 0xff);
    assert_int_equal(hex_escape("%41", 2), -1);
    assert_int_equal(hex_escape("%4", 3), -1); /* the NUL is no digit */
    assert_int_equal(hex_escape("%", 3), -1);
    assert_int_equal(hex_escape("%4g", 3), -1);
    assert_int_equal(hex_escape("041", 3), -1);
    assert_int_equal(hex_escape("", 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex__digits_of_either_case),
        cmocka_unit_test(test_hex__an_escape_is_three_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
