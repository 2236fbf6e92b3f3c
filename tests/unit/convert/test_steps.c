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

/* What is written says itself where a transaction ends: no warning about what its author cannot
 * see. */
static void expect_no_warning(const struct buf *bpmn, const char *code)
{
    struct parse_result result;

    parser_read("p.bpmn", bpmn->data, bpmn->len, false, &result);
    for (size_t i = 0; i < result.n_findings; i++)
        if (strcmp(result.findings[i].code, code) == 0)
            fail_msg("%d: %s", result.findings[i].line, result.findings[i].message);
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
        "- {id: d, type: wait, message: Paid, key: \"${number}\", next: k}\n"
        "- {id: k, type: wait, message: Sent, key: \"${number}\", next: e,\n"
        "   timeout: {seconds: 90, next: j, name: not sent}}\n"
        "- {id: e, type: set, values: {x: \"${1 + 1}\", y: [1, {z: null}]}, next: f}\n"
        "- {id: f, type: http, endpoint: shop, method: POST, path: /x, query: {q: 1},\n"
        "   headers: {X-A: b}, body: {a: \"${x}\"}, timeout: PT5S, retry: R3/PT1S,\n"
        "   output: {r: \"${response.body}\"}, catch: {GONE: j, 'B&': g}, next: g}\n"
        "- {id: g, type: task, name: Look, assignee: anna, candidateGroups: sales, next: h}\n"
        "- {id: h, type: process, process: q, in: {a: \"${x}\"}, out: {b: \"${y}\"}, next: i}\n"
        "- id: i\n  type: choice\n  choices: [{when: \"${x > 1}\", next: a, name: again}]\n"
        "  default: z\n"
        "- {id: j, type: fail, error: GONE}\n" LAST);
    expect_deployable(&bpmn, "p", 17);
    expect_no_warning(&bpmn, "hidden-boundary");
    assert_non_null(strstr(bpmn.data,
                           "<bpmn:receiveTask id=\"k\" name=\"k\" messageRef=\"Message_k\" "
                           "pawl:correlationKey=\"${number}\">"));
    assert_non_null(strstr(bpmn.data, "name=\"not sent\" attachedToRef=\"k\""));
    assert_non_null(strstr(bpmn.data, ">PT90S<"));
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
    assert_non_null(strstr(bpmn.data, "camunda:expression=\"ü &quot;x&quot;\""));
}

/* ---- The diagram ---- */

struct box {
    int x, y, width, height;
};

/* A shape or a flow as the diagram has it. */
struct drawn {
    char id[64], from[64], to[64]; /* flows: what they connect */
    bool boundary;
    struct box box, label; /* a label without width: none */
    int x[8], y[8];
    int n_points;
};

struct diagram {
    struct drawn shapes[64], flows[64];
    size_t n_shapes, n_flows;
};

static void attribute_of(const char *at, const char *name, char *ret, size_t size)
{
    const char *value = strstr(at, name);

    assert_non_null(value);
    value += strlen(name);
    size_t n = strcspn(value, "\"");
    assert_true(n < size);
    memcpy(ret, value, n);
    ret[n] = '\0';
}

static bool box_of(const char *from, const char *end, const char *what, struct box *ret)
{
    const char *at = strstr(from, what);

    if (at == NULL || at > end)
        return false;
    assert_int_equal(sscanf(strstr(at, "<dc:Bounds"),
                            "<dc:Bounds x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"", &ret->x,
                            &ret->y, &ret->width, &ret->height),
                     4);
    return true;
}

static void read_diagram(const char *xml, struct diagram *ret)
{
    char flow[160];

    memset(ret, 0, sizeof(*ret));
    for (const char *at = xml; (at = strstr(at, "<bpmndi:BPMNShape ")) != NULL; at++) {
        const char *end = strstr(at, "</bpmndi:BPMNShape>");
        struct drawn *shape = &ret->shapes[ret->n_shapes++];
        assert_true(ret->n_shapes < ARRAY_LEN(ret->shapes));
        attribute_of(at, "bpmnElement=\"", shape->id, sizeof(shape->id));
        shape->boundary = strncmp(shape->id, "Boundary_", 9) == 0;
        assert_true(box_of(at, end, "<dc:Bounds", &shape->box));
        box_of(at, end, "<bpmndi:BPMNLabel>", &shape->label);
    }
    for (const char *at = xml; (at = strstr(at, "<bpmndi:BPMNEdge ")) != NULL; at++) {
        const char *end = strstr(at, "</bpmndi:BPMNEdge>");
        struct drawn *edge = &ret->flows[ret->n_flows++];
        assert_true(ret->n_flows < ARRAY_LEN(ret->flows));
        attribute_of(at, "bpmnElement=\"", edge->id, sizeof(edge->id));
        snprintf(flow, sizeof(flow), "<bpmn:sequenceFlow id=\"%s\"", edge->id);
        attribute_of(strstr(xml, flow), "sourceRef=\"", edge->from, sizeof(edge->from));
        attribute_of(strstr(xml, flow), "targetRef=\"", edge->to, sizeof(edge->to));
        box_of(at, end, "<bpmndi:BPMNLabel>", &edge->label);
        for (const char *p = at; (p = strstr(p, "<di:waypoint")) != NULL && p < end; p++) {
            assert_true(edge->n_points < (int)ARRAY_LEN(edge->x));
            assert_int_equal(sscanf(p, "<di:waypoint x=\"%d\" y=\"%d\"", &edge->x[edge->n_points],
                                    &edge->y[edge->n_points]),
                             2);
            edge->n_points++;
        }
        assert_true(edge->n_points >= 2);
    }
}

static const struct drawn *shape_of(const struct diagram *diagram, const char *id)
{
    for (size_t i = 0; i < diagram->n_shapes; i++)
        if (strcmp(diagram->shapes[i].id, id) == 0)
            return &diagram->shapes[i];
    fail_msg("no shape %s", id);
    return NULL;
}

static bool meet(const struct box *a, const struct box *b)
{
    return a->width > 0 && b->width > 0 && a->x < b->x + b->width && b->x < a->x + a->width &&
           a->y < b->y + b->height && b->y < a->y + a->height;
}

static bool on_border(const struct box *box, int x, int y)
{
    bool inside =
        x >= box->x && x <= box->x + box->width && y >= box->y && y <= box->y + box->height;

    return inside &&
           (x == box->x || x == box->x + box->width || y == box->y || y == box->y + box->height);
}

/* A straight piece of a flow: as wide as it is drawn, or what lies inside of its ends. */
static struct box piece_of(const struct drawn *flow, int i, bool drawn)
{
    int x1 = flow->x[i - 1], y1 = flow->y[i - 1], x2 = flow->x[i], y2 = flow->y[i];
    int x = x1 < x2 ? x1 : x2, y = y1 < y2 ? y1 : y2, wide = drawn ? 1 : 0;

    assert_true(x1 == x2 || y1 == y2);
    return (struct box){x - wide, y - wide, x1 + x2 - 2 * x + 2 * wide, y1 + y2 - 2 * y + 2 * wide};
}

/* Through the inside of the shape, not only to its border. */
static bool crosses(const struct box *shape, const struct box *piece)
{
    return piece->x + piece->width > shape->x && piece->x < shape->x + shape->width &&
           piece->y + piece->height > shape->y && piece->y < shape->y + shape->height;
}

static void expect_flows_around_shapes(const struct diagram *diagram)
{
    for (size_t i = 0; i < diagram->n_flows; i++) {
        const struct drawn *flow = &diagram->flows[i];
        int last = flow->n_points - 1;
        assert_true(on_border(&shape_of(diagram, flow->from)->box, flow->x[0], flow->y[0]));
        assert_true(on_border(&shape_of(diagram, flow->to)->box, flow->x[last], flow->y[last]));
        for (int k = 1; k <= last; k++) {
            struct box piece = piece_of(flow, k, false);
            for (size_t j = 0; j < diagram->n_shapes; j++)
                if (crosses(&diagram->shapes[j].box, &piece))
                    fail_msg("%s runs through %s", flow->id, diagram->shapes[j].id);
        }
    }
    for (size_t i = 0; i < diagram->n_shapes; i++)
        for (size_t j = i + 1; j < diagram->n_shapes; j++) {
            const struct drawn *a = &diagram->shapes[i], *b = &diagram->shapes[j];
            if (a->boundary == b->boundary && meet(&a->box, &b->box))
                fail_msg("%s and %s overlap", a->id, b->id);
        }
}

/* Flows that have neither source nor target in common cross, but never lie on each other. */
static void expect_flows_apart(const struct diagram *diagram)
{
    for (size_t i = 0; i < diagram->n_flows; i++)
        for (size_t j = i + 1; j < diagram->n_flows; j++) {
            const struct drawn *a = &diagram->flows[i], *b = &diagram->flows[j];
            if (strcmp(a->from, b->from) == 0 || strcmp(a->to, b->to) == 0)
                continue;
            for (int k = 1; k < a->n_points; k++)
                for (int m = 1; m < b->n_points; m++) {
                    struct box p = piece_of(a, k, true), q = piece_of(b, m, true);
                    if ((p.width > p.height) == (q.width > q.height) && meet(&p, &q))
                        fail_msg("%s lies on %s", a->id, b->id);
                }
        }
}

static void expect_label_free(const struct diagram *diagram, const struct drawn *of)
{
    for (size_t i = 0; i < diagram->n_shapes; i++) {
        const struct drawn *shape = &diagram->shapes[i];
        if (meet(&of->label, &shape->box) || (shape != of && meet(&of->label, &shape->label)))
            fail_msg("the name of %s lies on %s or its name", of->id, shape->id);
    }
    for (size_t i = 0; i < diagram->n_flows; i++) {
        const struct drawn *flow = &diagram->flows[i];
        for (int k = 1; k < flow->n_points; k++) {
            struct box piece = piece_of(flow, k, true);
            if (meet(&of->label, &piece))
                fail_msg("%s runs through the name of %s", flow->id, of->id);
        }
        if (flow != of && meet(&of->label, &flow->label))
            fail_msg("the names of %s and %s overlap", of->id, flow->id);
    }
}

static void expect_readable(const char *xml)
{
    struct diagram diagram;

    read_diagram(xml, &diagram);
    expect_flows_around_shapes(&diagram);
    expect_flows_apart(&diagram);
    for (size_t i = 0; i < diagram.n_shapes; i++)
        expect_label_free(&diagram, &diagram.shapes[i]);
    for (size_t i = 0; i < diagram.n_flows; i++)
        expect_label_free(&diagram, &diagram.flows[i]);
}

static void nothing_overlaps(void **state UNUSED)
{
    struct buf bpmn CLEANUP(buf_deinit);

    bpmn = converted(
        HEAD
        "- {id: a, type: http, endpoint: e, catch: {NO_IDEA: f, B: a, LATE: z}, next: b}\n"
        "- id: b\n  type: choice\n  name: Which of these many ways is the right one?\n"
        "  default: z\n  choices:\n"
        "  - {when: \"${x == 1}\", next: c, name: the first}\n"
        "  - {when: \"${x == 2}\", next: d, name: the second of them}\n"
        "  - {when: \"${x == 3}\", next: a, name: back}\n"
        "  - {when: \"${x == 4}\", next: e, name: past it}\n"
        "- {id: c, type: echo, message: c, next: e}\n"
        "- {id: d, type: task, next: e}\n"
        "- {id: e, type: wait, seconds: 1, name: A moment of rest, next: g}\n"
        "- {id: f, type: wait, message: News, timeout: {until: \"${x}\", next: a}, next: e}\n"
        "- {id: g, type: http, endpoint: e, catch: {A: d, CALLBACK_TIMEOUT: h, C: z}, next: h}\n"
        "- {id: h, type: task, next: b}\n" LAST);
    expect_deployable(&bpmn, "p", 18);
    expect_readable(bpmn.data);
    assert_non_null(strstr(bpmn.data, "name=\"callback timeout\""));
}

/* Whatever leads wherever: no flow runs through a shape. */
static void any_process_can_be_drawn(void **state UNUSED)
{
    struct diagram diagram;
    unsigned random = 1;

    for (int round = 0; round < 100; round++) {
        struct buf text CLEANUP(buf_deinit), bpmn CLEANUP(buf_deinit);
        buf_init(&text, 0);
        buf_add_str(&text, HEAD);
        unsigned next[3], n = 10;
        for (unsigned i = 0; i < n; i++) {
            for (size_t k = 0; k < ARRAY_LEN(next); k++) {
                random = random * 1103515245 + 12345;
                next[k] = (random >> 16) % n;
            }
            next[0] = i + 1; /* so that all are reached */
            if (i % 3 == 2)
                buf_printf(&text,
                           "- {id: s%u, type: choice, choices: [{when: \"${x}\", next: s%u}, "
                           "{when: \"${y}\", next: s%u}], default: s%u}\n",
                           i, next[1], next[2], next[0]);
            else
                buf_printf(&text,
                           "- {id: s%u, type: process, process: q, catch: {A: s%u, B: s%u}, next: "
                           "s%u}\n",
                           i, next[1], next[2], next[0]);
        }
        buf_printf(&text, "- {id: s%u, type: echo, message: last, end: true}\n", n);
        bpmn = converted(buf_str(&text));
        read_diagram(bpmn.data, &diagram);
        expect_flows_around_shapes(&diagram);
    }
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
        {HEAD "- {id: a, type: wait, seconds: 1, timeout: {seconds: 2, next: z}, next: z}\n" LAST,
         "p.yaml:3: \"timeout\" of step \"a\" belongs to a message"},
        {HEAD "- {id: a, type: wait, message: M, timeout: PT5S, next: z}\n" LAST, "must be a map"},
        {HEAD "- {id: a, type: wait, message: M, timeout: {seconds: 2}, next: z}\n" LAST,
         "a timeout needs \"next\""},
        {HEAD "- {id: a, type: wait, message: M, timeout: {next: z}, next: z}\n" LAST,
         "the timeout of step \"a\" is one of: seconds, duration, until"},
        {HEAD "- {id: a, type: wait, message: M, timeout: {seconds: x, next: z}, next: z}\n" LAST,
         "must be a number"},
        {HEAD "- {id: a, type: wait, message: M, timeout: {seconds: 2, next: y}, next: z}\n" LAST,
         "goes on at \"y\", but there is no such step"},
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
    buf_add_str(&text, HEAD "- {id: a, type: task, next: z, catch: {");
    for (int i = 0; i < 3100; i++)
        buf_printf(&text, "E%d: z, ", i);
    buf_add_str(&text, "E: z}}\n" LAST);
    expect_refused(buf_str(&text), "LIMIT_STEPS_FLOWS");
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
        cmocka_unit_test(every_type_is_deployable), cmocka_unit_test(json_is_read),
        cmocka_unit_test(nothing_overlaps),         cmocka_unit_test(any_process_can_be_drawn),
        cmocka_unit_test(wrong_steps_are_refused),  cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
