/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that want to break the parser: those of tests/hostile/bpmn, and large ones made here. Each
 * must give the expected error in under a second.
 */
#include "base/build.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "parser/parser.h"

#define HEAD                                                                                       \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                                 \
    "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" "                          \
    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "                                     \
    "xmlns:camunda=\"http://camunda.org/schema/1.0/bpmn\" xmlns:pawl=\"urn:pawl:bpmn:1.0\">\n"
#define PROCESS HEAD "<process id=\"p\" isExecutable=\"true\"><startEvent id=\"s\"/>\n"
#define END "</process></definitions>\n"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SECONDS_MAX 10.0
#else
#define SECONDS_MAX 1.0
#endif

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Reads the text and expects this code first (NULL: no error at all). Frees the buffer. */
static void expect_at(struct buf *text, const char *code, int line)
{
    struct parse_result result;
    double begin = seconds();

    parser_read("hostile.bpmn", buf_str(text), text->len, false, &result);
    double took = seconds() - begin;
    const struct finding *first = NULL;
    for (size_t i = 0; i < result.n_findings && first == NULL; i++)
        if (result.findings[i].severity == FINDING_ERROR)
            first = &result.findings[i];
    if (code == NULL) {
        if (first != NULL)
            print_error("%d %s %s\n", first->line, first->code, first->message);
        assert_null(first);
        assert_true(result.n_graphs > 0);
    } else {
        assert_non_null(first);
        if (strcmp(first->code, code) != 0 || (line != 0 && first->line != line))
            print_error("expected %s %d, got %s %d: %s\n", code, line, first->code, first->line,
                        first->message);
        assert_string_equal(first->code, code);
        assert_true(line == 0 || first->line == line);
        assert_true(strlen(first->message) > 10);
        assert_int_equal(result.n_graphs, 0);
    }
    if (took > SECONDS_MAX)
        print_error("%s took %.2f s\n", code != NULL ? code : "no error", took);
    assert_true(took <= SECONDS_MAX);
    parse_result_deinit(&result);
    buf_deinit(text);
}

static void expect(struct buf *text, const char *code)
{
    expect_at(text, code, 0);
}

static void repeat(struct buf *text, const char *piece, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_str(text, piece);
}

static void start(struct buf *text, const char *head)
{
    buf_init(text, 0);
    buf_add_str(text, head);
}

/* ---- The files ---- */

static void read_file(const char *path, struct buf *text)
{
    FILE *file = fopen(path, "rb");
    char room[65536];
    size_t n;

    assert_non_null(file);
    buf_init(text, 0);
    while ((n = fread(room, 1, sizeof(room), file)) > 0)
        buf_add(text, room, n);
    fclose(file);
}

static void test_hostile__files(void **state UNUSED)
{
    glob_t found;

    assert_int_equal(glob(PAWL_SOURCE_DIR "/tests/hostile/bpmn/*.bpmn", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char path[4096];
        struct buf text;
        struct buf expected;
        char code[64];
        int line = 0;
        size_t stem = strlen(found.gl_pathv[i]) - strlen(".bpmn");
        snprintf(path, sizeof(path), "%.*s.error", (int)stem, found.gl_pathv[i]);
        read_file(path, &expected);
        assert_int_equal(sscanf(buf_str(&expected), "%63s %d", code, &line), 2);
        buf_deinit(&expected);
        read_file(found.gl_pathv[i], &text);
        print_message("%s\n", strrchr(found.gl_pathv[i], '/') + 1);
        expect_at(&text, code, line);
    }
    globfree(&found);
}

/* ---- Large as XML ---- */

static void test_hostile__fifty_megabytes(void **state UNUSED)
{
    struct buf text;

    start(&text, PROCESS);
    for (size_t i = 0; text.len < 50u << 20; i++)
        buf_printf(&text, "<task id=\"t%zu\"/>", i);
    buf_add_str(&text, END);
    expect(&text, "file-too-large");
}

static void test_hostile__depth(void **state UNUSED)
{
    struct buf text;

    start(&text, PROCESS);
    repeat(&text, "<subProcess>", 100000);
    repeat(&text, "</subProcess>", 100000);
    buf_add_str(&text, END);
    expect(&text, "too-deep");

    start(&text, HEAD);
    repeat(&text, "<a>", 3000000);
    expect(&text, "too-deep");
}

static void test_hostile__attributes(void **state UNUSED)
{
    struct buf text;

    start(&text, PROCESS "<task");
    for (int i = 0; i < 100000; i++)
        buf_printf(&text, " a%d=\"x\"", i);
    buf_add_str(&text, "/>" END);
    expect(&text, "too-many-attributes");

    start(&text, PROCESS "<task");
    for (int i = 0; i < 100000; i++)
        buf_printf(&text, " xmlns:a%d=\"urn:%d\"", i, i);
    buf_add_str(&text, "/>" END);
    expect(&text, "too-many-attributes");
}

static void test_hostile__namespaces(void **state UNUSED)
{
    struct buf text;

    start(&text, PROCESS);
    for (int depth = 0; depth < 200; depth++) {
        buf_add_str(&text, "<task");
        for (int i = 0; i < 100; i++)
            buf_printf(&text, " xmlns:n%d_%d=\"urn:%d\"", depth, i, i);
        buf_add_str(&text, ">");
    }
    repeat(&text, "<n0_0:x/>", 300000);
    expect(&text, "too-many-namespaces");
}

static void test_hostile__elements(void **state UNUSED)
{
    struct buf text;

    start(&text, PROCESS);
    repeat(&text, "<a/>", 1000000);
    buf_add_str(&text, END);
    expect(&text, "too-many-elements");
}

static void test_hostile__long_texts(void **state UNUSED)
{
    struct buf text;

    start(&text, PROCESS "<task id=\"");
    repeat(&text, "xxxxxxxxxx", 900000);
    buf_add_str(&text, "\"/>" END);
    expect(&text, "name-too-long");

    start(&text, PROCESS "<serviceTask id=\"t\" camunda:expression=\"${");
    repeat(&text, "1 + 1 + 1 ", 900000);
    buf_add_str(&text, "}\"/>" END);
    expect(&text, "bad-expression");

    start(&text, PROCESS "<serviceTask id=\"t\" camunda:expression=\"${");
    repeat(&text, "(", 4000);
    buf_add_str(&text, "}\"/>" END);
    expect(&text, "bad-expression");

    start(&text, PROCESS "<documentation>");
    repeat(&text, "&lt;&#228;<![CDATA[<x>]]><!-- - -->", 200000);
    buf_add_str(&text, "</documentation><businessRuleTask id=\"t\"/>" END);
    expect(&text, "unsupported-element");
}

static void test_hostile__long_text_of_a_name(void **state UNUSED)
{
    struct buf text;

    start(&text, HEAD "<message id=\"m\" name=\"");
    repeat(&text, "\xF0\x9F\x98\x80", 2000000);
    buf_add_str(&text, "\"/><process id=\"p\" isExecutable=\"true\"><startEvent id=\"s\">"
                       "<messageEventDefinition messageRef=\"m\"/></startEvent>" END);
    expect(&text, "name-too-long");
}

/* ---- Large as BPMN ---- */

static void test_hostile__nodes(void **state UNUSED)
{
    struct buf text;

    start(&text, PROCESS);
    for (int i = 0; i < 25000; i++)
        buf_printf(&text, "<task id=\"t%d\"/>\n", i);
    buf_add_str(&text, END);
    expect(&text, "too-many-nodes");
}

static void test_hostile__ids(void **state UNUSED)
{
    struct buf text;

    start(&text, PROCESS);
    repeat(&text, "<dataObject id=\"same\"/>\n", 200000);
    buf_add_str(&text, END);
    expect_at(&text, "duplicate-id", 5);

    start(&text, PROCESS);
    for (int i = 0; i < 100000; i++)
        buf_printf(&text, "<sequenceFlow id=\"f%d\" sourceRef=\"a%d\" targetRef=\"b%d\"/>\n", i, i,
                   i);
    buf_add_str(&text, END);
    expect_at(&text, "dangling-reference", 4);
}

static void test_hostile__many_of_one(void **state UNUSED)
{
    struct buf text;

    start(&text, PROCESS "<task id=\"t\"><extensionElements><camunda:inputOutput>");
    for (int i = 0; i < 100000; i++)
        buf_printf(&text, "<camunda:inputParameter name=\"p%d\">x</camunda:inputParameter>\n", i);
    buf_add_str(&text, "</camunda:inputOutput></extensionElements></task>" END);
    expect(&text, "too-many-mappings");

    start(&text, PROCESS "<task id=\"t\"/>\n");
    for (int i = 0; i < 19000; i++)
        buf_printf(&text,
                   "<boundaryEvent id=\"b%d\" attachedToRef=\"t\"><errorEventDefinition/>"
                   "</boundaryEvent>\n",
                   i);
    buf_add_str(&text, END);
    expect(&text, "duplicate-catch");

    start(&text, HEAD "<message id=\"m\" name=\"M\"/><process id=\"p\" isExecutable=\"true\">\n");
    for (int i = 0; i < 19000; i++)
        buf_printf(
            &text,
            "<startEvent id=\"s%d\"><messageEventDefinition messageRef=\"m\"/></startEvent>\n", i);
    buf_add_str(&text, END);
    expect(&text, "duplicate-message");
}

static void test_hostile__processes(void **state UNUSED)
{
    struct buf text;

    start(&text, HEAD);
    for (int i = 0; i < 20000; i++)
        buf_printf(&text, "<process id=\"p%d\" isExecutable=\"true\"/>\n", i);
    buf_add_str(&text, "</definitions>");
    expect(&text, "no-start-event"); /* in a later line: too-many-processes */

    start(&text, HEAD);
    for (int i = 0; i < 20000; i++)
        buf_printf(&text,
                   "<process id=\"p%d\" isExecutable=\"true\"><startEvent id=\"s%d\"/></process>\n",
                   i, i);
    buf_add_str(&text, "</definitions>");
    expect_at(&text, "too-many-processes", 1003);
}

/* ---- Large and right: judged and advised upon in time, too ---- */

static void test_hostile__large_and_valid(void **state UNUSED)
{
    struct buf text;

    /* A chain of calls, each of which looks back for the work before it. */
    start(&text, PROCESS "<sequenceFlow id=\"f\" sourceRef=\"s\" targetRef=\"t0\"/>");
    for (int i = 0; i < 10000; i++) {
        buf_printf(
            &text,
            "<task id=\"t%d\"/><sequenceFlow id=\"f%d\" sourceRef=\"t%d\" targetRef=\"t%d\"/>", i,
            i, i, i + 1);
    }
    buf_add_str(&text, "<task id=\"t10000\"/>");
    for (int i = 0; i < 9000; i++) {
        buf_printf(&text,
                   "<serviceTask id=\"h%d\"><extensionElements><pawl:http endpoint=\"${a%d}\">"
                   "<pawl:output name=\"variable%dx\">${response}</pawl:output></pawl:http>"
                   "</extensionElements></serviceTask>"
                   "<sequenceFlow id=\"g%d\" sourceRef=\"t10000\" targetRef=\"h%d\"/>",
                   i, i, i, i, i);
    }
    buf_add_str(&text, END);
    expect(&text, NULL);
}

static void test_hostile__callers_and_throwers(void **state UNUSED)
{
    struct buf text;

    start(&text, HEAD);
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "<error id=\"e%d\" errorCode=\"E%d\"/>", i, i);
    /* Each process calls the next one and throws; nobody catches; the last one calls the first. */
    for (int p = 0; p < 1000; p++)
        buf_printf(
            &text,
            "<process id=\"p%d\" isExecutable=\"true\"><startEvent id=\"s%d\"/>"
            "<sequenceFlow id=\"f%d\" sourceRef=\"s%d\" targetRef=\"c%d\"/>"
            "<callActivity id=\"c%d\" calledElement=\"p%d\"/>"
            "<sequenceFlow id=\"g%d\" sourceRef=\"c%d\" targetRef=\"x%d\"/>"
            "<endEvent id=\"x%d\"><errorEventDefinition errorRef=\"e%d\"/></endEvent></process>\n",
            p, p, p, p, p, p, (p + 1) % 1000, p, p, p, p, p);
    buf_add_str(&text, "</definitions>");
    expect(&text, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile__files),
        cmocka_unit_test(test_hostile__fifty_megabytes),
        cmocka_unit_test(test_hostile__depth),
        cmocka_unit_test(test_hostile__attributes),
        cmocka_unit_test(test_hostile__namespaces),
        cmocka_unit_test(test_hostile__elements),
        cmocka_unit_test(test_hostile__long_texts),
        cmocka_unit_test(test_hostile__long_text_of_a_name),
        cmocka_unit_test(test_hostile__nodes),
        cmocka_unit_test(test_hostile__ids),
        cmocka_unit_test(test_hostile__many_of_one),
        cmocka_unit_test(test_hostile__processes),
        cmocka_unit_test(test_hostile__large_and_valid),
        cmocka_unit_test(test_hostile__callers_and_throwers),
    };

    parser_init();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    parser_deinit();
    return failed;
}
