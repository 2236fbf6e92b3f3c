/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/utf8.h"

/* What UTF-8 is, written the other way round: all characters, encoded. */
static size_t encode(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)((0xf00 >> n & 0xff) | c);
    return n;
}

static void test_utf8__every_character(void **state UNUSED)
{
    for (uint32_t c = 1; c <= 0x110400; c++) {
        char text[4];
        size_t n = encode(c, text);
        bool valid = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        assert_int_equal(utf8_length(text, text + n), valid ? n : 0);
        assert_int_equal(utf8_valid(text, n), valid);
        for (size_t cut = 1; cut < n; cut++)
            assert_int_equal(utf8_length(text, text + cut), 0);
    }
}

static void test_utf8__refuses(void **state UNUSED)
{
    static const char *const cases[] = {
        "\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf5\x80\x80\x80",
        "\xff", "a\xc3",    "\xc3\x28",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_false(utf8_valid(cases[i], strlen(cases[i])));
    assert_false(utf8_valid("a\0b", 3));
    assert_true(utf8_valid("", 0));
}

static void test_utf8__repair(void **state UNUSED)
{
    char text[] = "\xff"
                  "ä"
                  "\xc3"
                  "x\xe2\x82";

    utf8_repair(text);
    assert_string_equal(text, "?ä?x??");
    utf8_repair(text);
    assert_string_equal(text, "?ä?x??");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8__every_character),
        cmocka_unit_test(test_utf8__refuses),
        cmocka_unit_test(test_utf8__repair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
