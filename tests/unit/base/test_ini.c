/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/ini.h"
#include "base/limits.h"

static void test_ini__reads(void **state UNUSED)
{
    static const char text[] = "# first\n"
                               "  ; and this\r\n"
                               "\n"
                               "[pawl]\n"
                               "database = host=db dbname=shop  # no comment\n"
                               "empty=\n"
                               "\tworkers =\t4 \r\n"
                               "[ endpoint   geo coder ]\n"
                               "headers.User-Agent = \" a \\\"b\\\" \\\\ \\n\\t\"\n"
                               "rate = \"4\"";
    struct arena arena;
    struct ini ini;
    struct err err = {0};

    arena_init(&arena, 0);
    assert_int_equal(ini_read(&arena, text, strlen(text), &ini, &err), 0);
    assert_int_equal(ini.n_sections, 2);
    const struct ini_section *pawl = ini_section(&ini, "pawl", NULL);
    assert_non_null(pawl);
    assert_int_equal(pawl->line, 4);
    assert_string_equal(ini_entry(pawl, "database")->value, "host=db dbname=shop  # no comment");
    assert_string_equal(ini_entry(pawl, "empty")->value, "");
    assert_string_equal(ini_entry(pawl, "workers")->value, "4");
    assert_false(ini_entry(pawl, "workers")->quoted);
    assert_int_equal(ini_entry(pawl, "workers")->line, 7);
    assert_null(ini_entry(pawl, "Workers"));
    const struct ini_section *endpoint = ini_section(&ini, "endpoint", "geo coder");
    assert_non_null(endpoint);
    assert_string_equal(ini_entry(endpoint, "headers.User-Agent")->value, " a \"b\" \\ \n\t");
    assert_true(ini_entry(endpoint, "rate")->quoted);
    assert_null(ini_section(&ini, "endpoint", NULL));
    assert_null(ini_entry(NULL, "rate"));
    arena_deinit(&arena);
}

static void test_ini__refuses(void **state UNUSED)
{
    static const struct {
        const char *text, *want;
        int line, column;
    } cases[] = {
        {"workers = 4\n", "before the first section", 1, 1},
        {"[pawl]\nworkers\n", "neither", 2, 8},
        {"[pawl]\n  = 4\n", "neither", 2, 3},
        {"[pawl]\na = 1\n\na = 2\n", "the key a is there twice (the first is in line 2)", 4, 1},
        {"[pawl]\n[endpoint x]\n[endpoint  x]\n", "the section endpoint  x is there twice", 3, 1},
        {"[pawl\n", "closing bracket", 1, 6},
        {"[\n", "closing bracket", 1, 2},
        {"[]\n", "needs a name", 1, 2},
        {"[pawl] # no\n", "closing bracket", 1, 12},
        {"[a/b]\n", "first word", 1, 3},
        {"[pawl]\na = \"x\n", "not closed", 2, 5},
        {"[pawl]\na = \"x\" y\n", "follows the closing quote", 2, 8},
        {"[pawl]\na = \"\\x\"\n", "backslash", 2, 6},
        {"[pawl]\na = \"\\", "backslash", 2, 6},
        {"[pawl]\na = b\x01\n", "control character", 2, 6},
        {"[pawl]\na = \xff\n", "UTF-8", 2, 1},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        struct ini ini;
        struct err err = {0};
        arena_init(&arena, 0);
        assert_int_equal(ini_read(&arena, cases[i].text, strlen(cases[i].text), &ini, &err), -1);
        if (strstr(err.text, cases[i].want) == NULL || err.line != cases[i].line ||
            err.column != cases[i].column)
            fail_msg("case %zu: %d:%d: %s", i, err.line, err.column, err.text);
        arena_deinit(&arena);
    }
}

static void test_ini__limits(void **state UNUSED)
{
    struct arena arena;
    struct ini ini;
    struct err err = {0};
    struct buf text;

    arena_init(&arena, 0);
    buf_init(&text, 0);
    for (unsigned i = 0; i <= LIMIT_CONFIG_SECTIONS; i++)
        buf_printf(&text, "[endpoint %u]\n", i);
    assert_int_equal(ini_read(&arena, text.data, text.len, &ini, &err), -1);
    assert_non_null(strstr(err.text, "at most 1000 sections"));
    buf_reset(&text);
    buf_add_str(&text, "[pawl]\n");
    for (unsigned i = 0; i <= LIMIT_CONFIG_KEYS; i++)
        buf_printf(&text, "a%u =\n", i);
    assert_int_equal(ini_read(&arena, text.data, text.len, &ini, &err), -1);
    assert_non_null(strstr(err.text, "at most 1000 keys"));
    buf_reset(&text);
    while (text.len <= LIMIT_CONFIG_BYTES)
        buf_add_str(&text, "# a long comment for a file that is longer than it may be\n");
    assert_int_equal(ini_read(&arena, text.data, text.len, &ini, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    buf_deinit(&text);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ini__reads),
        cmocka_unit_test(test_ini__refuses),
        cmocka_unit_test(test_ini__limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
