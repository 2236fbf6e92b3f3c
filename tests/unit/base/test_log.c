/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
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

static void write_pairs(void)
{
    log_line(LOG_LEVEL_INFO, "failed", "business_key=%s n=-1.50 zero=007 id=a-b text=%s", "\"\"",
             "\"x \\\"y\\\" z\\n\"");
}

static void test_log__json(void **state UNUSED)
{
    char room[9000];

    log_set_format(LOG_FORMAT_JSON);
    captured(write_pairs, room, sizeof(room));
    assert_memory_equal(room, "{\"ts\":\"20", 9);
    assert_non_null(strstr(room, "Z\",\"level\":\"info\",\"msg\":\"failed\",\"business_key\":\"\","
                                 "\"n\":-1.50,\"zero\":\"007\",\"id\":\"a-b\","
                                 "\"text\":\"x \\\"y\\\" z\\n\"}\n"));
    size_t n = captured(write_long, room, sizeof(room));
    assert_true(n <= LIMIT_LOG_LINE_BYTES);
    assert_string_equal(room + n - 2, "}\n");
    log_set_format(LOG_FORMAT_LOGFMT);
}

static void find_and_write(void)
{
    char stream[64];
    struct stat st;

    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_find_journal();
    write_one();
    log_set_format(LOG_FORMAT_JSON);
    write_bare();
    log_set_format(LOG_FORMAT_LOGFMT);
    setenv("JOURNAL_STREAM", "1:1", 1);
    log_find_journal();
}

/* The journal takes the priority from the line and notes the time itself. */
static void test_log__journal(void **state UNUSED)
{
    char room[9000];

    captured(find_and_write, room, sizeof(room));
    assert_string_equal(room, "<4>level=warn msg=\"something happened\" n=7\n"
                              "<3>{\"level\":\"error\",\"msg\":\"something happened\"}\n");
    captured(write_one, room, sizeof(room));
    assert_memory_equal(room, "ts=20", 5);
}

static void write_flood(void)
{
    for (unsigned i = 0; i < LIMIT_LOG_ALIKE + 23; i++)
        log_line(LOG_LEVEL_WARN, "incident", "business_key=\"k%u\" instance=%u element=\"a b\"", i,
                 i);
    log_line(LOG_LEVEL_WARN, "incident", "business_key=\"k\" instance=0 element=\"c\"");
    log_flush();
    log_flush();
}

static void test_log__flood_is_cut(void **state UNUSED)
{
    static char room[200000];
    unsigned lines = 0;

    captured(write_flood, room, sizeof(room));
    for (const char *c = room; (c = strchr(c, '\n')) != NULL; c++)
        lines++;
    assert_int_equal(lines, LIMIT_LOG_ALIKE + 2);
    assert_non_null(strstr(room, "element=\"c\""));
    assert_non_null(strstr(room, "left out\" lines=23 line=\"incident\"\n"));
}

static void test_log__names(void **state UNUSED)
{
    enum log_level level = LOG_LEVEL_INFO;
    enum log_format format = LOG_FORMAT_LOGFMT;

    assert_true(log_level_parse("error", &level) && level == LOG_LEVEL_ERROR);
    assert_false(log_level_parse("Error", &level));
    assert_true(log_format_parse("json", &format) && format == LOG_FORMAT_JSON);
    assert_false(log_format_parse("", &format));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log__quote),        cmocka_unit_test(test_log__line),
        cmocka_unit_test(test_log__json),         cmocka_unit_test(test_log__journal),
        cmocka_unit_test(test_log__flood_is_cut), cmocka_unit_test(test_log__names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
