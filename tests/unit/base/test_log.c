/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static void test_log__quote(void **state UNUSED)
{
    static const struct {
        const char *text, *want;
        size_t room;
    } cases[] = {
        {"plain", "\"plain\"", 100},
        {"", "\"\"", 3},
        {"a \"b\" c\\d", "\"a \\\"b\\\" c\\\\d\"", 100},
        {"line\nbreak\ttab\x1b[31m", "\"line\\nbreak tab [31m\"", 100},
        {"much too long", "\"muc\"", 8},
        {"ä", "\"ä\"", 100},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char room[100];
        memset(room, 0x55, sizeof(room));
        const char *got = log_quote(cases[i].text, room, cases[i].room);
        assert_ptr_equal(got, room);
        assert_string_equal(got, cases[i].want);
        for (size_t k = cases[i].room; k < sizeof(room); k++)
            assert_int_equal(room[k], 0x55);
    }
}

/* What log_line() writes to stderr while f runs. */
static size_t captured(void (*f)(void), char *room, size_t room_bytes)
{
    int ends[2], old = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    f();
    assert_true(dup2(old, STDERR_FILENO) >= 0);
    close(ends[1]);
    close(old);
    ssize_t n = read(ends[0], room, room_bytes - 1);
    close(ends[0]);
    assert_true(n >= 0);
    room[n] = '\0';
    return (size_t)n;
}

static void write_one(void)
{
    log_line(LOG_LEVEL_WARN, "something happened", "n=%d", 7);
}

static void write_bare(void)
{
    log_line(LOG_LEVEL_ERROR, "something happened", NULL);
}

static void write_quiet(void)
{
    log_line(LOG_LEVEL_DEBUG, "nobody sees this", "n=%d", 7);
}

static void write_long(void)
{
    char text[8000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_line(LOG_LEVEL_INFO, "long", "text=%s", text);
}

static void test_log__line(void **state UNUSED)
{
    char room[9000];
    size_t n = captured(write_one, room, sizeof(room));

    assert_memory_equal(room, "ts=20", 5);
    assert_non_null(strstr(room, "Z level=warn msg=\"something happened\" n=7\n"));
    assert_int_equal(room[n - 1], '\n');
    captured(write_bare, room, sizeof(room));
    assert_non_null(strstr(room, "Z level=error msg=\"something happened\"\n"));
    assert_int_equal(captured(write_quiet, room, sizeof(room)), 0);
    n = captured(write_long, room, sizeof(room));
    assert_true(n > 1000 && n <= 4096);
    assert_int_equal(room[n - 1], '\n');
    log_set_level(LOG_LEVEL_DEBUG);
    assert_true(captured(write_quiet, room, sizeof(room)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log__quote),
        cmocka_unit_test(test_log__line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
