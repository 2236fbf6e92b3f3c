/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of tests/parser: valid/<case>.bpmn with <case>.graph (warnings, then the graph as
 * text), invalid/<case>.bpmn with <case>.error (each finding: line, code, element or "-", and a
 * piece of its message). With PAWL_UPDATE=1 in the environment the expected files are written anew:
 * read them then.
 */
#include "base/build.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "dump.h"

#define CASES PAWL_SOURCE_DIR "/tests/parser/"

static char *read_all(const char *path, size_t *ret_n)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return NULL;
    struct buf buf;
    buf_init(&buf, 0);
    char room[65536];
    size_t n;
    while ((n = fread(room, 1, sizeof(room), file)) > 0)
        buf_add(&buf, room, n);
    fclose(file);
    if (ret_n != NULL)
        *ret_n = buf.len;
    if (buf.data == NULL)
        buf_add(&buf, "", 0);
    return buf.data != NULL ? buf.data : calloc(1, 1);
}

static void write_all(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void with_suffix(const char *path, const char *suffix, char *room, size_t bytes)
{
    const char *dot = strrchr(path, '.');

    snprintf(room, bytes, "%.*s%s", (int)(dot - path), path, suffix);
}

static bool updating(void)
{
    return getenv("PAWL_UPDATE") != NULL;
}

static void print_finding(struct buf *out, const struct finding *f, bool message)
{
    buf_printf(out, "%d %s %s", f->line, f->code, f->element[0] != '\0' ? f->element : "-");
    if (message)
        buf_printf(out, " | %s", f->message);
    buf_add_char(out, '\n');
}

/* 0: as expected. The differences are printed. */
static int compare_graph(const char *path, const struct parse_result *result)
{
    char expected_path[4096];
    struct buf out;
    int bad = 0;

    buf_init(&out, 0);
    for (size_t i = 0; i < result->n_findings; i++)
        print_finding(&out, &result->findings[i], true);
    for (size_t i = 0; i < result->n_graphs; i++)
        dump_graph(&out, result->graphs[i]);
    with_suffix(path, ".graph", expected_path, sizeof(expected_path));
    if (updating())
        write_all(expected_path, buf_str(&out));
    char *expected = read_all(expected_path, NULL);
    if (result->n_errors > 0 || expected == NULL || strcmp(expected, buf_str(&out)) != 0) {
        print_error("%s: expected\n%s\ngot\n%s\n", path, expected ? expected : "(no .graph file)",
                    buf_str(&out));
        bad = 1;
    }
    free(expected);
    buf_deinit(&out);
    return bad;
}

/* One expected line against one finding: the message holds what comes after the bar. */
static bool matches(const char *expected, size_t n, const struct finding *f)
{
    char head[512];
    char line[4096];

    snprintf(line, sizeof(line), "%.*s", (int)n, expected);
    snprintf(head, sizeof(head), "%d %s %s", f->line, f->code,
             f->element[0] != '\0' ? f->element : "-");
    char *bar = strstr(line, " | ");
    if (bar != NULL)
        *bar = '\0';
    return strcmp(line, head) == 0 && (bar == NULL || strstr(f->message, bar + 3) != NULL);
}

static int compare_errors(const char *path, const struct parse_result *result)
{
    char expected_path[4096];
    struct buf out;
    int bad = result->n_errors == 0;

    buf_init(&out, 0);
    for (size_t i = 0; i < result->n_findings; i++)
        print_finding(&out, &result->findings[i], true);
    with_suffix(path, ".error", expected_path, sizeof(expected_path));
    if (updating())
        write_all(expected_path, buf_str(&out));
    char *expected = read_all(expected_path, NULL);
    const char *at = expected != NULL ? expected : "";
    for (size_t i = 0; i < result->n_findings; i++) {
        size_t n = strcspn(at, "\n");
        bad |= n == 0 || !matches(at, n, &result->findings[i]);
        at += at[n] == '\n' ? n + 1 : n;
    }
    bad |= *at != '\0';
    if (bad)
        print_error("%s: expected\n%s\ngot\n%s\n", path, expected ? expected : "(no .error file)",
                    buf_str(&out));
    free(expected);
    buf_deinit(&out);
    return bad;
}

static void run_folder(const char *pattern,
                       int (*compare)(const char *, const struct parse_result *))
{
    glob_t found;
    int bad = 0;

    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        size_t n = 0;
        char *text = read_all(path, &n);
        struct parse_result result;
        parser_read(strrchr(path, '/') + 1, text, n, false, &result);
        bad += compare(path, &result);
        parse_result_deinit(&result);
        free(text);
    }
    globfree(&found);
    assert_int_equal(bad, 0);
}

static void test_parser__valid(void **state UNUSED)
{
    run_folder(CASES "valid/*.bpmn", compare_graph);
}

static void test_parser__invalid(void **state UNUSED)
{
    run_folder(CASES "invalid/*.bpmn", compare_errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parser__valid),
        cmocka_unit_test(test_parser__invalid),
    };

    parser_init();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    parser_deinit();
    return failed;
}
