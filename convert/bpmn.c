/* SPDX-License-Identifier: Apache-2.0 */
/* Steps as BPMN 2.0 XML with its diagram; also what each type of step becomes. */
#include "base/build.h"

#include "convert/convert.h"
#include "base/limits.h"
#include "convert/internal.h"

struct writer {
    const struct steps *steps;
    struct buf *out;
};

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#13;";
    }
    return NULL;
}

/* As the text of an element. */
static void escaped(struct buf *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (entity(*c) != NULL)
            buf_add_str(out, entity(*c));
        else
            buf_add_char(out, *c);
    }
}

/* As the value of an attribute, which would make spaces of lines. */
static void escaped_value(struct buf *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\n' || *c == '\t')
            buf_add_str(out, *c == '"' ? "&quot;" : *c == '\n' ? "&#10;" : "&#9;");
        else if (entity(*c) != NULL)
            buf_add_str(out, entity(*c));
        else
            buf_add_char(out, *c);
    }
}

static void attribute(struct buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(out, " %s=\"", name);
    escaped_value(out, value);
    buf_add_char(out, '"');
}

static const char *text_of(const struct item *map, const char *key)
{
    const struct item *value = item_member(map, key);

    return value != NULL ? value->text : NULL;
}

/* As the text of an element: a scalar as it is, anything else as JSON. */
static void value_text(struct buf *out, const struct item *value)
{
    if (value->kind != ITEM_LIST && value->kind != ITEM_MAP) {
        escaped(out, value->text != NULL ? value->text : "");
        return;
    }
    struct buf json CLEANUP(buf_deinit);
    buf_init(&json, 0);
    item_json(value, &json);
    escaped(out, buf_str(&json));
}

/* One element a member of the map. */
static void elements(struct writer *writer, const char *indent, const char *element,
                     const struct item *map)
{
    for (size_t i = 0; map != NULL && i < map->n; i++) {
        buf_printf(writer->out, "%s<%s", indent, element);
        attribute(writer->out, "name", map->keys[i]);
        buf_add_char(writer->out, '>');
        value_text(writer->out, map->list[i]);
        buf_printf(writer->out, "</%s>\n", element);
    }
}

/* ---- Extensions ---- */

static void write_token(struct writer *writer, const struct item *step)
{
    const struct item *token = item_member(step, "taskToken");

    if (token == NULL)
        return;
    buf_add_str(writer->out, "        <pawl:taskToken");
    attribute(writer->out, "timeout", text_of(token, "timeout"));
    attribute(writer->out, "heartbeat", text_of(token, "heartbeat"));
    const struct item *output = item_member(step, "output");
    buf_add_str(writer->out, output != NULL ? ">\n" : "/>\n");
    elements(writer, "          ", "pawl:output", output);
    if (output != NULL)
        buf_add_str(writer->out, "        </pawl:taskToken>\n");
}

static void write_http(struct writer *writer, const struct item *step)
{
    struct buf *out = writer->out;
    const struct item *body = item_member(step, "body");

    if (text_of(step, "retry") != NULL) {
        buf_add_str(out, "        <camunda:failedJobRetryTimeCycle>");
        escaped(out, text_of(step, "retry"));
        buf_add_str(out, "</camunda:failedJobRetryTimeCycle>\n");
    }
    buf_add_str(out, "        <pawl:http");
    attribute(out, "endpoint", text_of(step, "endpoint"));
    attribute(out, "method", text_of(step, "method"));
    attribute(out, "path", text_of(step, "path"));
    attribute(out, "timeout", text_of(step, "timeout"));
    buf_add_str(out, ">\n");
    elements(writer, "          ", "pawl:query", item_member(step, "query"));
    elements(writer, "          ", "pawl:header", item_member(step, "headers"));
    if (body != NULL) {
        bool json = body->kind == ITEM_MAP || body->kind == ITEM_LIST;
        buf_printf(out, "          <pawl:body%s>", json ? " contentType=\"application/json\"" : "");
        value_text(out, body);
        buf_add_str(out, "</pawl:body>\n");
    }
    if (item_member(step, "taskToken") == NULL)
        elements(writer, "          ", "pawl:output", item_member(step, "output"));
    buf_add_str(out, "        </pawl:http>\n");
    write_token(writer, step);
}

static void write_event(struct writer *writer, const struct item *step)
{
    struct buf *out = writer->out;

    buf_add_str(out, "        <pawl:event");
    attribute(out, "bus", text_of(step, "bus"));
    attribute(out, "source", text_of(step, "source"));
    attribute(out, "detailType", text_of(step, "detailType"));
    buf_add_str(out, ">\n");
    elements(writer, "          ", "pawl:detail", item_member(step, "detail"));
    buf_add_str(out, "        </pawl:event>\n");
    write_token(writer, step);
}

static void write_schema(struct writer *writer, int indent, const struct item *schema)
{
    struct buf json CLEANUP(buf_deinit);

    buf_init(&json, 0);
    item_json_lines(schema, indent + 2, &json);
    buf_printf(writer->out, "%*s<pawl:inputSchema>\n%*s", indent, "", indent + 2, "");
    escaped(writer->out, buf_str(&json));
    buf_printf(writer->out, "\n%*s</pawl:inputSchema>\n", indent, "");
}

/* in and out of a call activity: expressions by name; "all" is what the called one has of them. */
static void write_mappings(struct writer *writer, const char *element, const struct item *map)
{
    for (size_t i = 0; map != NULL && i < map->n; i++) {
        buf_printf(writer->out, "        <%s", element);
        struct buf value CLEANUP(buf_deinit);
        buf_init(&value, 0);
        if (map->list[i]->kind == ITEM_LIST || map->list[i]->kind == ITEM_MAP)
            item_json(map->list[i], &value);
        else
            buf_add_str(&value, map->list[i]->text != NULL ? map->list[i]->text : "");
        attribute(writer->out, "sourceExpression", buf_str(&value));
        attribute(writer->out, "target", map->keys[i]);
        buf_add_str(writer->out, "/>\n");
    }
}

static void write_extensions(struct writer *writer, const struct shape *shape)
{
    const struct item *step = shape->step;
    const char *type = step != NULL && shape->kind != SHAPE_BOUNDARY ? text_of(step, "type") : "";
    bool has = strcmp(type, "http") == 0 || strcmp(type, "event") == 0 ||
               strcmp(type, "set") == 0 || strcmp(type, "process") == 0 ||
               (strcmp(type, "task") == 0 && item_member(step, "inputSchema") != NULL);

    if (!has)
        return;
    buf_add_str(writer->out, "      <bpmn:extensionElements>\n");
    if (strcmp(type, "http") == 0)
        write_http(writer, step);
    else if (strcmp(type, "event") == 0)
        write_event(writer, step);
    else if (strcmp(type, "task") == 0)
        write_schema(writer, 8, item_member(step, "inputSchema"));
    else if (strcmp(type, "process") == 0) {
        write_mappings(writer, "camunda:in", item_member(step, "in"));
        write_mappings(writer, "camunda:out", item_member(step, "out"));
    } else {
        buf_add_str(writer->out, "        <camunda:inputOutput>\n");
        elements(writer, "          ", "camunda:outputParameter", item_member(step, "values"));
        buf_add_str(writer->out, "        </camunda:inputOutput>\n");
    }
    buf_add_str(writer->out, "      </bpmn:extensionElements>\n");
}

/* ---- Elements ---- */

static const char *tag_of(const struct shape *shape)
{
    switch (shape->kind) {
    case SHAPE_START:
        return "bpmn:startEvent";
    case SHAPE_END:
    case SHAPE_ERROR_END:
        return "bpmn:endEvent";
    case SHAPE_CATCH:
        return "bpmn:intermediateCatchEvent";
    case SHAPE_RECEIVE:
        return "bpmn:receiveTask";
    case SHAPE_SERVICE:
        return "bpmn:serviceTask";
    case SHAPE_TASK:
        return "bpmn:task";
    case SHAPE_USER:
        return "bpmn:userTask";
    case SHAPE_CALL:
        return "bpmn:callActivity";
    case SHAPE_GATEWAY:
        return "bpmn:exclusiveGateway";
    case SHAPE_BOUNDARY:
        return "bpmn:boundaryEvent";
    }
    return "";
}

static void attributes_of_message(struct writer *writer, const struct shape *shape)
{
    attribute(writer->out, "messageRef",
              arena_printf(writer->steps->arena, "Message_%s", shape->id));
    attribute(writer->out, "pawl:correlationKey", text_of(shape->step, "key"));
}

static void write_own_attributes(struct writer *writer, const struct shape *shape)
{
    struct buf *out = writer->out;
    const struct item *step = shape->step;

    if (shape->kind == SHAPE_BOUNDARY) {
        attribute(out, "attachedToRef", writer->steps->shapes[shape->on].id);
        return;
    }
    if (shape->kind == SHAPE_GATEWAY)
        for (size_t i = 0; i < shape->n_out; i++)
            if (writer->steps->edges[shape->out[i]].is_default)
                attribute(out, "default", writer->steps->edges[shape->out[i]].id);
    if (shape->kind == SHAPE_SERVICE && strcmp(text_of(step, "type"), "echo") == 0) {
        attribute(out, "camunda:expression", text_of(step, "message"));
        attribute(out, "camunda:resultVariable", "echo");
    }
    /* A call begins with what was before it committed; the model shows it. */
    if (shape->kind == SHAPE_SERVICE && strcmp(text_of(step, "type"), "http") == 0)
        attribute(out, "camunda:asyncBefore", "true");
    if (shape->kind == SHAPE_RECEIVE)
        attributes_of_message(writer, shape);
    if (shape->kind == SHAPE_USER) {
        attribute(out, "camunda:assignee", text_of(step, "assignee"));
        attribute(out, "camunda:candidateGroups", text_of(step, "candidateGroups"));
    }
    if (shape->kind == SHAPE_CALL)
        attribute(out, "calledElement", text_of(step, "process"));
}

static void timer(struct writer *writer, const char *element, const char *before, const char *text,
                  const char *after)
{
    buf_printf(writer->out,
               "      <bpmn:timerEventDefinition>\n        <bpmn:%s "
               "xsi:type=\"bpmn:tFormalExpression\">%s",
               element, before);
    escaped(writer->out, text);
    buf_printf(writer->out, "%s</bpmn:%s>\n      </bpmn:timerEventDefinition>\n", after, element);
}

static void write_definition(struct writer *writer, const struct shape *shape)
{
    struct buf *out = writer->out;

    if (shape->code != NULL) {
        buf_add_str(out, "      <bpmn:errorEventDefinition");
        attribute(out, "errorRef", arena_printf(writer->steps->arena, "Error_%s", shape->id));
        buf_add_str(out, "/>\n");
        return;
    }
    if (shape->kind != SHAPE_CATCH && shape->kind != SHAPE_BOUNDARY)
        return;
    if (text_of(shape->step, "seconds") != NULL) {
        timer(writer, "timeDuration", "PT", text_of(shape->step, "seconds"), "S");
    } else if (text_of(shape->step, "duration") != NULL) {
        timer(writer, "timeDuration", "", text_of(shape->step, "duration"), "");
    } else if (text_of(shape->step, "until") != NULL) {
        timer(writer, "timeDate", "", text_of(shape->step, "until"), "");
    } else {
        buf_add_str(out, "      <bpmn:messageEventDefinition");
        attributes_of_message(writer, shape);
        buf_add_str(out, "/>\n");
    }
}

static void write_shape(struct writer *writer, size_t index)
{
    const struct steps *steps = writer->steps;
    const struct shape *shape = &steps->shapes[index];
    struct buf *out = writer->out;

    buf_printf(out, "    <%s", tag_of(shape));
    attribute(out, "id", shape->id);
    attribute(out, "name", shape->name);
    write_own_attributes(writer, shape);
    buf_add_str(out, ">\n");
    write_extensions(writer, shape);
    for (size_t i = 0; i < steps->n_edges; i++)
        if (steps->edges[i].to == index)
            buf_printf(out, "      <bpmn:incoming>%s</bpmn:incoming>\n", steps->edges[i].id);
    for (size_t i = 0; i < shape->n_out; i++)
        buf_printf(out, "      <bpmn:outgoing>%s</bpmn:outgoing>\n",
                   steps->edges[shape->out[i]].id);
    write_definition(writer, shape);
    buf_printf(out, "    </%s>\n", tag_of(shape));
}

static void write_flow(struct writer *writer, const struct edge *edge)
{
    struct buf *out = writer->out;

    buf_add_str(out, "    <bpmn:sequenceFlow");
    attribute(out, "id", edge->id);
    attribute(out, "name", edge->name);
    attribute(out, "sourceRef", writer->steps->shapes[edge->from].id);
    attribute(out, "targetRef", writer->steps->shapes[edge->to].id);
    if (edge->when == NULL) {
        buf_add_str(out, "/>\n");
        return;
    }
    buf_add_str(out, ">\n      <bpmn:conditionExpression xsi:type=\"bpmn:tFormalExpression\">");
    escaped(out, edge->when);
    buf_add_str(out, "</bpmn:conditionExpression>\n    </bpmn:sequenceFlow>\n");
}

/* What events refer to: errors by code, messages by name. */
static void write_roots(struct writer *writer)
{
    struct buf *out = writer->out;

    for (size_t i = 0; i < writer->steps->n_shapes; i++) {
        const struct shape *shape = &writer->steps->shapes[i];
        bool error = shape->code != NULL;
        bool message = (shape->kind == SHAPE_CATCH || shape->kind == SHAPE_RECEIVE) &&
                       text_of(shape->step, "message") != NULL;
        if (!error && !message)
            continue;
        buf_printf(out, "  <bpmn:%s id=\"%s_%s\"", error ? "error" : "message",
                   error ? "Error" : "Message", shape->id);
        attribute(out, "name", error ? shape->code : text_of(shape->step, "message"));
        if (error)
            attribute(out, "errorCode", shape->code);
        buf_add_str(out, "/>\n");
    }
}

static void write_process(struct writer *writer)
{
    const struct steps *steps = writer->steps;
    struct buf *out = writer->out;
    const struct item *schema = item_member(steps->document, "inputSchema");

    buf_add_str(out, "  <bpmn:process");
    attribute(out, "id", steps->id);
    attribute(out, "name", steps->name);
    buf_add_str(out, " isExecutable=\"true\"");
    attribute(out, "camunda:versionTag", text_of(steps->document, "version"));
    buf_add_str(out, ">\n");
    if (text_of(steps->document, "documentation") != NULL) {
        buf_add_str(out, "    <bpmn:documentation>");
        escaped(out, text_of(steps->document, "documentation"));
        buf_add_str(out, "</bpmn:documentation>\n");
    }
    if (schema != NULL) {
        buf_add_str(out, "    <bpmn:extensionElements>\n");
        write_schema(writer, 6, schema);
        buf_add_str(out, "    </bpmn:extensionElements>\n");
    }
    for (size_t i = 0; i < steps->n_shapes; i++)
        write_shape(writer, i);
    for (size_t i = 0; i < steps->n_edges; i++)
        write_flow(writer, &steps->edges[i]);
    buf_add_str(out, "  </bpmn:process>\n");
}

/* ---- The diagram ---- */

static void write_bounds(struct buf *out, const char *indent, const struct box *box)
{
    buf_printf(out, "%s<dc:Bounds x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", indent, box->x,
               box->y, box->width, box->height);
}

static void write_label(struct buf *out, const struct box *label)
{
    if (label->width == 0)
        return;
    buf_add_str(out, "        <bpmndi:BPMNLabel>\n");
    write_bounds(out, "          ", label);
    buf_add_str(out, "        </bpmndi:BPMNLabel>\n");
}

static void write_picture(struct buf *out, const struct shape *shape)
{
    buf_printf(out, "      <bpmndi:BPMNShape id=\"%s_di\" bpmnElement=\"%s\"%s>\n", shape->id,
               shape->id, shape->kind == SHAPE_GATEWAY ? " isMarkerVisible=\"true\"" : "");
    write_bounds(out, "        ", &shape->box);
    write_label(out, &shape->label);
    buf_add_str(out, "      </bpmndi:BPMNShape>\n");
}

static void write_line(struct buf *out, const struct edge *edge)
{
    buf_printf(out, "      <bpmndi:BPMNEdge id=\"%s_di\" bpmnElement=\"%s\">\n", edge->id,
               edge->id);
    for (size_t i = 0; i < edge->n_points; i++)
        buf_printf(out, "        <di:waypoint x=\"%d\" y=\"%d\"/>\n", edge->points[i].x,
                   edge->points[i].y);
    write_label(out, &edge->label);
    buf_add_str(out, "      </bpmndi:BPMNEdge>\n");
}

static int write_document(const struct steps *steps, struct buf *bpmn)
{
    struct writer writer = {.steps = steps, .out = bpmn};

    buf_add_str(bpmn,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<bpmn:definitions xmlns:bpmn=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" "
                "xmlns:bpmndi=\"http://www.omg.org/spec/BPMN/20100524/DI\" "
                "xmlns:dc=\"http://www.omg.org/spec/DD/20100524/DC\" "
                "xmlns:di=\"http://www.omg.org/spec/DD/20100524/DI\" "
                "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                "xmlns:camunda=\"http://camunda.org/schema/1.0/bpmn\" "
                "xmlns:pawl=\"urn:pawl:bpmn:1.0\" id=\"Definitions_1\" "
                "targetNamespace=\"urn:pawl:steps\">\n");
    write_roots(&writer);
    write_process(&writer);
    buf_printf(bpmn,
               "  <bpmndi:BPMNDiagram id=\"Diagram_1\">\n"
               "    <bpmndi:BPMNPlane id=\"Plane_1\" bpmnElement=\"%s\">\n",
               steps->id);
    for (size_t i = 0; i < steps->n_shapes; i++)
        write_picture(bpmn, &steps->shapes[i]);
    for (size_t i = 0; i < steps->n_edges; i++)
        write_line(bpmn, &steps->edges[i]);
    buf_add_str(bpmn, "    </bpmndi:BPMNPlane>\n  </bpmndi:BPMNDiagram>\n</bpmn:definitions>\n");
    if (bpmn->overflow)
        return err_set(steps->err, ERR_LIMIT,
                       "%s: as BPMN it has more than %u bytes (LIMIT_XML_BYTES)", steps->file,
                       LIMIT_XML_BYTES);
    return 0;
}

int convert_steps(const char *file, const char *text, size_t n, struct buf *ret_bpmn,
                  struct buf *ret_id, struct err *err)
{
    struct arena arena CLEANUP(arena_deinit);
    struct item *document = NULL;

    arena_init(&arena, 0);
    struct steps steps = {.arena = &arena, .file = file, .err = err};
    if (n > LIMIT_STEPS_BYTES)
        return err_set(
            err, ERR_LIMIT,
            "%s: it has %zu bytes, the limit is %u (LIMIT_STEPS_BYTES): write it as BPMN", file, n,
            LIMIT_STEPS_BYTES);
    if (yaml_read(&arena, file, text, n, &document, err) < 0)
        return err_trace(err);
    if (document == NULL)
        return err_set(err, ERR_INVALID, "%s: this is empty: a process is wanted", file);
    if (steps_read(&steps, document) < 0)
        return err_trace(err);
    layout_place(&steps);
    if (write_document(&steps, ret_bpmn) < 0)
        return err_trace(err);
    if (ret_id != NULL)
        buf_add_str(ret_id, steps.id);
    return 0;
}
