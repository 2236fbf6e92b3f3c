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
#include "parser/findings.h"

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

/* Where an editor jumps to: the '<' of the element, its column in characters; what is no XML points
 * where that was seen. */
static bool points_at_tag(const char *text, const struct finding *f)
{
    if (f->element[0] == '\0' || strcmp(f->code, "undeclared-prefix") == 0 ||
        strcmp(f->code, "not-well-formed") == 0)
        return true;
    for (int line = 1; line < f->line; line++)
        text += strcspn(text, "\n") + 1;
    for (int column = 1; column < f->column; column++)
        for (text++; (*text & 0xc0) == 0x80;)
            text++;
    return f->column > 0 && *text == '<';
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
    char *expected = read_all(expected_path, NULL), *text = read_all(path, NULL);
    const char *at = expected != NULL ? expected : "";
    for (size_t i = 0; i < result->n_findings; i++) {
        if (!points_at_tag(text, &result->findings[i])) {
            print_error("%s:%d:%d is no tag\n", path, result->findings[i].line,
                        result->findings[i].column);
            bad = 1;
        }
        size_t n = strcspn(at, "\n");
        bad |= n == 0 || !matches(at, n, &result->findings[i]);
        at += at[n] == '\n' ? n + 1 : n;
    }
    bad |= *at != '\0';
    if (bad)
        print_error("%s: expected\n%s\ngot\n%s\n", path, expected ? expected : "(no .error file)",
                    buf_str(&out));
    free(expected);
    free(text);
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

/* ---- What no file can show ---- */

/* A SQL client has decoded the text: whatever it declares, it is UTF-8. */
static void test_parser__decoded(void **state UNUSED)
{
    static const char *const declared[] = {"UTF-16", "ISO-8859-1", "EBCDIC-CP-US"};

    for (size_t i = 0; i < ARRAY_LEN(declared); i++) {
        char text[512];
        struct parse_result result;
        snprintf(text, sizeof(text),
                 "<?xml version=\"1.0\" encoding=\"%s\"?>\n"
                 "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\">"
                 "<process id=\"p\" name=\"Stra\xC3\x9F"
                 "e\" isExecutable=\"true\">"
                 "<startEvent id=\"s\"/></process></definitions>",
                 declared[i]);
        parser_read(NULL, text, strlen(text), true, &result);
        assert_int_equal(result.n_errors, 0);
        assert_int_equal(result.n_graphs, 1);
        assert_string_equal(result.graphs[0]->name, "Stra\xC3\x9F"
                                                    "e");
        parse_result_deinit(&result);
    }
}

static void test_parser__empty(void **state UNUSED)
{
    struct parse_result result;

    parser_read("x", NULL, 0, true, &result);
    assert_int_equal(result.n_errors, 1);
    assert_string_equal(result.findings[0].code, "empty-file");
    parse_result_deinit(&result);
}

/* A graph that was taken out outlives the result. */
static void test_parser__taken_out(void **state UNUSED)
{
    static const char text[] = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\">"
                               "<process id=\"p\" isExecutable=\"true\"><startEvent id=\"s\"/>"
                               "</process></definitions>";
    struct parse_result result;

    parser_read("x", text, strlen(text), false, &result);
    assert_int_equal(result.n_graphs, 1);
    struct graph *graph = result.graphs[0];
    result.graphs[0] = NULL;
    parse_result_deinit(&result);
    assert_string_equal(graph->nodes[0].id, "s");
    assert_int_equal(graph_find(graph, "s"), 0);
    graph_free(graph);
}

/* Each code has its row in docs/bpmn.md, and each has a case that provokes it. */
static void test_parser__codes(void **state UNUSED)
{
    char *docs = read_all(PAWL_SOURCE_DIR "/docs/bpmn.md", NULL);
    struct buf cases;
    glob_t found;
    int missing = 0;

    assert_non_null(docs);
    buf_init(&cases, 0);
    assert_int_equal(glob(CASES "*/*.[ge]r*", 0, NULL, &found), 0);
    assert_int_equal(glob(PAWL_SOURCE_DIR "/tests/hostile/bpmn/*.error", GLOB_APPEND, NULL, &found),
                     0);
    assert_int_equal(
        glob(PAWL_SOURCE_DIR "/tests/unit/parser/test_[hi]*.c", GLOB_APPEND, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *text = read_all(found.gl_pathv[i], NULL);
        buf_add_str(&cases, text);
        free(text);
    }
    globfree(&found);
    for (int code = 0; code < FINDING_CODE_COUNT; code++) {
        const char *name = finding_code_text((enum finding_code)code);
        char row[128];
        snprintf(row, sizeof(row), "\n| `%s` | ", name);
        if (strstr(docs, row) == NULL || strstr(buf_str(&cases), name) == NULL) {
            print_error("%s: %s\n", name,
                        strstr(docs, row) == NULL ? "not in docs/bpmn.md" : "no case provokes it");
            missing++;
        }
    }
    free(docs);
    buf_deinit(&cases);
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parser__valid),     cmocka_unit_test(test_parser__invalid),
        cmocka_unit_test(test_parser__decoded),   cmocka_unit_test(test_parser__empty),
        cmocka_unit_test(test_parser__taken_out), cmocka_unit_test(test_parser__codes),
    };

    parser_init();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    parser_deinit();
    return failed;
}
