/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/utf8.h"

static int origin(struct err *err)
{
    return err_set(err, ERR_LIMIT, "too %s: %d", "many", 7);
}

static int passes(struct err *err, int depth)
{
    if (depth == 0)
        return origin(err);
    if (passes(err, depth - 1) < 0)
        return err_trace(err);
    return 0;
}

static void test_err__set_and_trace(void **state UNUSED)
{
    struct err err = {.code = ERR_NONE};

    assert_int_equal(passes(&err, 2), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.text, "too many: 7");
    assert_int_equal(err.n_frames, 3);
    assert_non_null(strstr(err.frames[0].file, "test_err.c"));
    assert_true(err.frames[0].line < err.frames[1].line);
}

static void test_err__many_frames(void **state UNUSED)
{
    struct err err = {.code = ERR_NONE};

    assert_int_equal(passes(&err, 100), -1);
    assert_int_equal(err.n_frames, ARRAY_LEN(err.frames));
}

static void test_err__long_text_is_cut(void **state UNUSED)
{
    struct err err = {.code = ERR_NONE};
    char text[3000];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(err_set(&err, ERR_INVALID, "%s", text), -1);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_string_equal(err.text + sizeof(err.text) - 5, "x...");
}

/* A text that is cut inside a character is still UTF-8: it may become a row. */
static void test_err__text_is_utf8(void **state UNUSED)
{
    struct err err = {.code = ERR_NONE};
    char text[2001];

    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 4 <= sizeof(text) - 1; i += 4)
            memcpy(text + i, "𝄞", 4);
        text[sizeof(text) - 5] = '\0';
        err_set(&err, ERR_INVALID, "%s", text);
        assert_true(utf8_valid(err.text, strlen(err.text)));
        err_set(&err, ERR_INVALID, "%.5s and \xff", text);
        assert_true(utf8_valid(err.text, strlen(err.text)));
    }
}

static void test_err__set_forgets_the_old(void **state UNUSED)
{
    struct err err = {.code = ERR_DATA, .line = 3, .column = 4, .sqlstate = "22001"};

    assert_int_equal(origin(&err), -1);
    assert_int_equal(err.line, 0);
    assert_int_equal(err.column, 0);
    assert_string_equal(err.sqlstate, "");
    err_reset(&err);
    assert_int_equal(err.code, ERR_NONE);
    assert_int_equal(err.n_frames, 0);
}

static void test_err__nobody_wants_to_know(void **state UNUSED)
{
    assert_int_equal(passes(NULL, 3), -1);
    err_reset(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err__set_and_trace),
        cmocka_unit_test(test_err__many_frames),
        cmocka_unit_test(test_err__long_text_is_cut),
        cmocka_unit_test(test_err__text_is_utf8),
        cmocka_unit_test(test_err__set_forgets_the_old),
        cmocka_unit_test(test_err__nobody_wants_to_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
