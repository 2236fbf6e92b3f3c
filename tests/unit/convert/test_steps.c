/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of steps: what they become, where it lies in the diagram, and what is refused with its
 * line. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "convert/convert.h"
#include "parser/parser.h"

#define HEAD "id: p\nsteps:\n"
#define LAST "- {id: z, type: echo, message: done, end: true}\n"

static struct buf converted(const char *text)
{
    struct err err = {.code = ERR_NONE};
    struct buf bpmn;

    buf_init(&bpmn, 0);
    if (convert_steps("p.yaml", text, strlen(text), &bpmn, NULL, &err) < 0)
        fail_msg("%s", err.text);
    return bpmn;
}

/* What the parser makes of it: no error. */
static void expect_deployable(const struct buf *bpmn, const char *id, size_t n_nodes)
{
    struct parse_result result;

    parser_read("p.bpmn", bpmn->data, bpmn->len, false, &result);
    for (size_t i = 0; i < result.n_findings; i++)
        if (result.findings[i].severity == FINDING_ERROR)
            fail_msg("%d: %s\n%s", result.findings[i].line, result.findings[i].message, bpmn->data);
    assert_int_equal(result.n_graphs, 1);
    assert_string_equal(result.graphs[0]->key, id);
    assert_int_equal(result.graphs[0]->n_nodes, n_nodes);
    parse_result_deinit(&result);
}

static void every_type_is_deployable(void **state UNUSED)
{
    struct buf bpmn CLEANUP(buf_deinit);

    bpmn = converted(
        "id: p\nname: \"A & <B>\"\nversion: 3\ndocumentation: why\nsteps:\n"
        "- {id: a, type: echo, message: \"Hello ${execution.processInstanceId}\", next: b}\n"
        "- {id: b, type: wait, seconds: 0.5, next: c}\n"
        "- {id: c, type: wait, until: \"2030-01-01T00:00:00Z\", next: d}\n"
        "- {id: d, type: wait, message: Paid, key: \"${number}\", next: e}\n"
        "- {id: e, type: set, values: {x: \"${1 + 1}\", y: [1, {z: null}]}, next: f}\n"
        "- {id: f, type: http, endpoint: shop, method: POST, path: /x, query: {q: 1},\n"
        "   headers: {X-A: b}, body: {a: \"${x}\"}, timeout: PT5S, retry: R3/PT1S,\n"
        "   output: {r: \"${response.body}\"}, catch: {GONE: j, 'B&': g}, next: g}\n"
        "- {id: g, type: task, name: Look, assignee: anna, candidateGroups: sales, next: h}\n"
        "- {id: h, type: process, process: q, in: {a: \"${x}\"}, out: {b: \"${y}\"}, next: i}\n"
        "- id: i\n  type: choice\n  choices: [{when: \"${x > 1}\", next: a, name: again}]\n"
        "  default: z\n"
        "- {id: j, type: fail, error: GONE}\n" LAST);
    expect_deployable(&bpmn, "p", 15);
    assert_non_null(strstr(bpmn.data, "name=\"A &amp; &lt;B&gt;\""));
    assert_non_null(strstr(bpmn.data, ">PT0.5S<"));
    assert_non_null(strstr(bpmn.data, "errorCode=\"B&amp;\""));
}

/* JSON is YAML: what an API takes needs no second reader. */
static void json_is_read(void **state UNUSED)
{
    struct buf bpmn CLEANUP(buf_deinit);

    bpmn = converted("{\"id\": \"p\", \"steps\": [{\"id\": \"a\", \"type\": \"echo\", \"message\": "
                     "\"\\u00fc \\\"x\\\"\", \"end\": true}]}");
    expect_deployable(&bpmn, "p", 3);
    assert_non_null(strstr(bpmn.data, "ü &quot;x&quot;"));
}

/* ---- The diagram ---- */

struct box {
    int x, y, width, height;
};

static size_t boxes_of(const char *xml, struct box *boxes, size_t max)
{
    size_t n = 0;

    for (const char *at = xml; (at = strstr(at, "<bpmndi:BPMNShape")) != NULL; at++) {
        const char *bounds = strstr(at, "<dc:Bounds");
        bool boundary = strncmp(strstr(at, "bpmnElement=\"") + 13, "Boundary_", 9) == 0;
        assert_true(n < max);
        assert_int_equal(sscanf(bounds, "<dc:Bounds x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"",
                                &boxes[n].x, &boxes[n].y, &boxes[n].width, &boxes[n].height),
                         4);
        n += !boundary; /* which lies on its task */
    }
    return n;
}

static bool apart(const struct box *a, const struct box *b)
{
    return a->x + a->width < b->x || b->x + b->width < a->x || a->y + a->height < b->y ||
           b->y + b->height < a->y;
}

/* Whether the straight piece of a flow runs through the inside of the shape. */
static bool crosses(const struct box *box, int x1, int y1, int x2, int y2)
{
    int left = x1 < x2 ? x1 : x2, right = x1 < x2 ? x2 : x1;
    int top = y1 < y2 ? y1 : y2, bottom = y1 < y2 ? y2 : y1;

    return right > box->x && left < box->x + box->width && bottom > box->y &&
           top < box->y + box->height;
}

static void expect_readable(const char *xml)
{
    struct box boxes[64];
    size_t n = boxes_of(xml, boxes, ARRAY_LEN(boxes));

    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            if (!apart(&boxes[i], &boxes[j]))
                fail_msg("shapes %zu and %zu overlap", i, j);
    for (const char *at = xml; (at = strstr(at, "<bpmndi:BPMNEdge")) != NULL; at++) {
        const char *end = strstr(at, "</bpmndi:BPMNEdge>");
        int x = 0, y = 0, x2, y2, k = 0;
        for (const char *p = at; (p = strstr(p, "<di:waypoint")) != NULL && p < end; p++, k++) {
            assert_int_equal(sscanf(p, "<di:waypoint x=\"%d\" y=\"%d\"", &x2, &y2), 2);
            if (k > 0) {
                assert_true(x == x2 || y == y2);
                for (size_t i = 0; i < n; i++)
                    if (crosses(&boxes[i], x, y, x2, y2))
                        fail_msg("a flow runs through shape %zu: %.200s", i, at);
            }
            x = x2;
            y = y2;
        }
        assert_true(k >= 2);
    }
}

static void nothing_overlaps(void **state UNUSED)
{
    struct buf bpmn CLEANUP(buf_deinit);

    bpmn = converted(HEAD "- {id: a, type: http, endpoint: e, catch: {A: f, B: a, C: z}, next: b}\n"
                          "- id: b\n  type: choice\n  default: z\n  choices:\n"
                          "  - {when: \"${x == 1}\", next: c}\n  - {when: \"${x == 2}\", next: d}\n"
                          "  - {when: \"${x == 3}\", next: a}\n  - {when: \"${x == 4}\", next: e}\n"
                          "- {id: c, type: echo, message: c, next: e}\n"
                          "- {id: d, type: task, next: e}\n"
                          "- {id: e, type: wait, seconds: 1, next: z}\n"
                          "- {id: f, type: wait, seconds: 9, next: a}\n" LAST);
    expect_deployable(&bpmn, "p", 12);
    expect_readable(bpmn.data);
}

/* ---- What is refused ---- */

static void expect_refused(const char *text, const char *why)
{
    struct err err = {.code = ERR_NONE};
    struct buf bpmn CLEANUP(buf_deinit);

    buf_init(&bpmn, 0);
    assert_int_equal(convert_steps("p.yaml", text, strlen(text), &bpmn, NULL, &err), -1);
    if (strstr(err.text, why) == NULL)
        fail_msg("wanted: %s\ngot:    %s", why, err.text);
    assert_int_equal(bpmn.len, 0);
}

static void wrong_steps_are_refused(void **state UNUSED)
{
    static const char *const cases[][2] = {
        {"", "p.yaml:1: this is empty"},
        {"a: [", "p.yaml:2: this is no YAML"},
        {"- a\n", "p.yaml:1: a process is a map"},
        {"id: p\nsteps: []\n", "p.yaml:2: a process has 1 to 1000 steps"},
        {"id: 9p\nsteps: [x]\n", "p.yaml:1: \"9p\" is no id for a process"},
        {"id: p\nstep: []\n", "p.yaml:2: a process has no \"step\"; it may have: id, name"},
        {"id: p\nid: q\n", "p.yaml:2: the key \"id\" stands here twice"},
        {"id: p\nsteps: &x [1]\n", "p.yaml:2: anchors"},
        {"id: p\n---\nid: q\n", "p.yaml:2: one document a file"},
        {HEAD "- {id: a, type: sleep, end: true}\n", "p.yaml:3: there is no type \"sleep\""},
        {HEAD "- {id: a, type: echo, end: true}\n",
         "p.yaml:3: step \"a\" (echo) needs \"message\""},
        {HEAD "- {id: a, type: echo, message: x}\n", "needs either \"next\" or \"end: true\""},
        {HEAD "- {id: a, type: echo, message: x, next: b}\n",
         "step \"a\" goes on at \"b\", but there is no such step"},
        {HEAD "- {id: a, type: echo, message: x, end: true}\n" LAST, "nothing leads to step \"z\""},
        {HEAD "- {id: z, type: echo, message: x, next: z}\n" LAST, "two steps with the id \"z\""},
        {HEAD "- {id: p, type: echo, message: x, end: true}\n", "has the id of the process"},
        {HEAD "- {id: a, type: wait, next: z}\n" LAST, "waits for one of"},
        {HEAD "- {id: a, type: wait, seconds: soon, next: z}\n" LAST, "must be a number"},
        {HEAD "- {id: a, type: wait, seconds: -1, next: z}\n" LAST, "must be a number"},
        {HEAD "- {id: End_a, type: wait, seconds: 1, next: z}\n" LAST, "kept for what is added"},
        {HEAD "- {id: a, type: choice, choices: [{when: x, next: z}], default: z}\n" LAST,
         "write ${x}"},
        {HEAD "- {id: a, type: fail, error: X, next: z}\n" LAST, "the process ends there"},
        {HEAD "- {id: a, type: echo, message: \"x\\u0001\", end: true}\n", "control character"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_refused(cases[i][0], cases[i][1]);
}

/* Deep and wide ones end at their limits, in time. */
static void limits_hold(void **state UNUSED)
{
    struct buf text CLEANUP(buf_deinit);

    buf_init(&text, 0);
    buf_add_str(&text, "id: p\ninputSchema: ");
    for (int i = 0; i < 5000; i++)
        buf_add_char(&text, '[');
    expect_refused(buf_str(&text), "LIMIT_STEPS_DEPTH");
    buf_reset(&text);
    buf_add_str(&text, "id: p\nsteps: [");
    for (int i = 0; i < 30000; i++)
        buf_add_str(&text, "1,");
    buf_add_str(&text, "1]\n");
    expect_refused(buf_str(&text), "LIMIT_STEPS_ITEMS");
    buf_reset(&text);
    buf_add_str(&text, HEAD);
    for (int i = 0; i < 999; i++)
        buf_printf(&text, "- {id: s%d, type: echo, message: x, next: %s%d}\n", i,
                   i < 998 ? "s" : "z", i < 998 ? i + 1 : 0);
    for (char *c = text.data; (c = strstr(c, "next: z0")) != NULL;)
        c[7] = ' ';
    buf_add_str(&text, LAST);
    struct buf bpmn CLEANUP(buf_deinit);
    bpmn = converted(buf_str(&text));
    expect_deployable(&bpmn, "p", 1002);
}

static int setup(void **state UNUSED)
{
    parser_init();
    return 0;
}

static int teardown(void **state UNUSED)
{
    parser_deinit();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_deployable),
        cmocka_unit_test(json_is_read),
        cmocka_unit_test(nothing_overlaps),
        cmocka_unit_test(wrong_steps_are_refused),
        cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
