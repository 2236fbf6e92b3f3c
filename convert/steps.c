/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of items to steps: what each type may say, what it must, and where it goes next. */
#include "base/build.h"

#include <stdarg.h>

#include "base/limits.h"
#include "convert/internal.h"

struct field {
    const char *name;
    enum item_kind kind; /* ITEM_STRING: any scalar; ITEM_NULL: anything */
    bool needed;
};

struct type {
    const char *name;
    enum shape_kind shape;
    struct field fields[12]; /* besides those that all have */
};

/* docs/steps.md has the same, for people. */
static const struct type types[] = {
    {"echo", SHAPE_SERVICE, {{"message", ITEM_STRING, true}}},
    {"wait",
     SHAPE_CATCH,
     {{"seconds", ITEM_STRING, false},
      {"duration", ITEM_STRING, false},
      {"until", ITEM_STRING, false},
      {"message", ITEM_STRING, false},
      {"key", ITEM_STRING, false},
      {"timeout", ITEM_MAP, false}}},
    {"set", SHAPE_TASK, {{"values", ITEM_MAP, true}}},
    {"http",
     SHAPE_SERVICE,
     {{"endpoint", ITEM_STRING, true},
      {"method", ITEM_STRING, false},
      {"path", ITEM_STRING, false},
      {"query", ITEM_MAP, false},
      {"headers", ITEM_MAP, false},
      {"body", ITEM_NULL, false},
      {"timeout", ITEM_STRING, false},
      {"retry", ITEM_STRING, false},
      {"output", ITEM_MAP, false},
      {"taskToken", ITEM_MAP, false},
      {"catch", ITEM_MAP, false}}},
    {"event",
     SHAPE_SERVICE,
     {{"bus", ITEM_STRING, false},
      {"source", ITEM_STRING, true},
      {"detailType", ITEM_STRING, true},
      {"detail", ITEM_MAP, false},
      {"output", ITEM_MAP, false},
      {"taskToken", ITEM_MAP, false},
      {"catch", ITEM_MAP, false}}},
    {"task",
     SHAPE_USER,
     {{"assignee", ITEM_STRING, false},
      {"candidateGroups", ITEM_STRING, false},
      {"inputSchema", ITEM_MAP, false},
      {"catch", ITEM_MAP, false}}},
    {"process",
     SHAPE_CALL,
     {{"process", ITEM_STRING, true},
      {"in", ITEM_MAP, false},
      {"out", ITEM_MAP, false},
      {"catch", ITEM_MAP, false}}},
    {"choice", SHAPE_GATEWAY, {{"choices", ITEM_LIST, true}, {"default", ITEM_STRING, true}}},
    {"fail", SHAPE_ERROR_END, {{"error", ITEM_STRING, true}}},
};

/* The error at the item's line; returns -1. */
static int PRINTF_LIKE(3, 4)
    wrong(const struct steps *steps, const struct item *at, const char *format, ...)
{
    char text[800];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    err_set(steps->err, ERR_INVALID, "%s:%d: %s", steps->file, at->line, text);
    if (steps->err != NULL)
        steps->err->line = at->line;
    return -1;
}

/* ---- Fields ---- */

static bool is_scalar(const struct item *item)
{
    return item->text != NULL && item->kind != ITEM_NULL;
}

static const char *kind_name(enum item_kind kind)
{
    switch (kind) {
    case ITEM_LIST:
        return "a list";
    case ITEM_MAP:
        return "a map";
    default:
        return "a text";
    }
}

static int check_field(const struct steps *steps, const struct item *item, const char *what,
                       const struct field *field)
{
    const struct item *value = item_member(item, field->name);

    if (value == NULL)
        return field->needed ? wrong(steps, item, "%s needs \"%s\"", what, field->name) : 0;
    if (field->kind == ITEM_NULL ||
        (field->kind == ITEM_STRING ? is_scalar(value) : value->kind == field->kind))
        return 0;
    return wrong(steps, value, "\"%s\" of %s must be %s", field->name, what,
                 kind_name(field->kind));
}

/* Everything in the item is one of the fields, and right. */
static int check_fields(const struct steps *steps, const struct item *item, const char *what,
                        const struct field *common, size_t n_common, const struct field *fields,
                        size_t n_fields)
{
    for (size_t i = 0; i < item->n; i++) {
        bool known = false;
        for (size_t f = 0; f < n_common; f++)
            known |= strcmp(common[f].name, item->keys[i]) == 0;
        for (size_t f = 0; f < n_fields && fields[f].name != NULL; f++)
            known |= strcmp(fields[f].name, item->keys[i]) == 0;
        if (known)
            continue;
        struct buf names CLEANUP(buf_deinit);
        buf_init(&names, 0);
        for (size_t f = 0; f < n_common; f++)
            buf_printf(&names, "%s%s", f > 0 ? ", " : "", common[f].name);
        for (size_t f = 0; f < n_fields && fields[f].name != NULL; f++)
            buf_printf(&names, ", %s", fields[f].name);
        return wrong(steps, item->list[i], "%s has no \"%s\"; it may have: %s", what, item->keys[i],
                     buf_str(&names));
    }
    for (size_t f = 0; f < n_common; f++)
        if (check_field(steps, item, what, &common[f]) < 0)
            return -1;
    for (size_t f = 0; f < n_fields && fields[f].name != NULL; f++)
        if (check_field(steps, item, what, &fields[f]) < 0)
            return -1;
    return 0;
}

/* An id of XML. Those of what is added begin with a capital letter and an underscore. */
static int check_id(const struct steps *steps, const struct item *id, const char *what)
{
    const char *c = id->text;
    bool right = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';

    for (; right && *c != '\0'; c++)
        right = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
                strchr("_-.", *c) != NULL;
    if (!right || strlen(id->text) > 100)
        return wrong(steps, id,
                     "\"%s\" is no id for %s: a letter, then at most 99 letters, digits, "
                     "'-', '_' and '.'",
                     id->text, what);
    static const char *const reserved[] = {"Start_",    "End_",   "Flow_",
                                           "Boundary_", "Error_", "Message_"};
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (strncmp(id->text, reserved[i], strlen(reserved[i])) == 0)
            return wrong(steps, id,
                         "ids that begin with %s are kept for what is added: "
                         "choose another one",
                         reserved[i]);
    return 0;
}

/* ---- Shapes and edges ---- */

static size_t add_shape(struct steps *steps, enum shape_kind kind, const char *id, const char *name,
                        const struct item *step)
{
    struct shape *shape =
        arena_push(steps->arena, steps->shapes, steps->n_shapes, steps->shapes_capacity);

    *shape = (struct shape){.kind = kind, .id = id, .name = name, .step = step};
    return steps->n_shapes - 1;
}

static struct edge *add_edge(struct steps *steps, size_t from, size_t to)
{
    struct shape *source = &steps->shapes[from];
    struct edge *edge =
        arena_push(steps->arena, steps->edges, steps->n_edges, steps->edges_capacity);

    *edge = (struct edge){
        .id = arena_printf(steps->arena, "Flow_%zu_%s_%s", steps->n_edges, source->id,
                           steps->shapes[to].id),
        .from = from,
        .to = to,
    };
    *arena_push(steps->arena, source->out, source->n_out, source->out_capacity) =
        steps->n_edges - 1;
    return edge;
}

static size_t find_step(const struct steps *steps, const char *id)
{
    for (size_t i = 0; i < steps->n_shapes; i++)
        if (steps->shapes[i].step != NULL && steps->shapes[i].kind != SHAPE_BOUNDARY &&
            strcmp(steps->shapes[i].id, id) == 0)
            return i;
    return SIZE_MAX;
}

/* The edge to the step that is named there. */
static int link_to(struct steps *steps, size_t from, const struct item *target,
                   struct edge **ret_edge)
{
    if (!is_scalar(target))
        return wrong(steps, target, "the id of a step is wanted here");
    size_t to = find_step(steps, target->text);
    if (to == SIZE_MAX)
        return wrong(steps, target, "step \"%s\" goes on at \"%s\", but there is no such step",
                     steps->shapes[from].id, target->text);
    if (steps->n_edges == LIMIT_STEPS_FLOWS)
        return wrong(steps, target,
                     "more than %u ways from step to step (LIMIT_STEPS_FLOWS): use several "
                     "processes",
                     LIMIT_STEPS_FLOWS);
    *ret_edge = add_edge(steps, from, to);
    return 0;
}

static int link_choice(struct steps *steps, size_t from)
{
    static const struct field fields[] = {
        {"when", ITEM_STRING, true}, {"next", ITEM_STRING, true}, {"name", ITEM_STRING, false}};
    const struct item *step = steps->shapes[from].step;
    const struct item *choices = item_member(step, "choices");
    struct edge *edge;

    if (choices->n == 0)
        return wrong(steps, choices, "step \"%s\" has no choices", steps->shapes[from].id);
    for (size_t i = 0; i < choices->n; i++) {
        const struct item *choice = choices->list[i];
        if (choice->kind != ITEM_MAP)
            return wrong(steps, choice, "a choice is a map with \"when\" and \"next\"");
        if (check_fields(steps, choice, "a choice", fields, ARRAY_LEN(fields), NULL, 0) < 0 ||
            link_to(steps, from, item_member(choice, "next"), &edge) < 0)
            return -1;
        const struct item *name = item_member(choice, "name");
        edge->when = item_member(choice, "when")->text;
        edge->name = name != NULL ? name->text : NULL;
        if (strstr(edge->when, "${") == NULL)
            return wrong(steps, item_member(choice, "when"),
                         "a condition is an expression: write ${%s}", edge->when);
    }
    if (link_to(steps, from, item_member(step, "default"), &edge) < 0)
        return -1;
    edge->is_default = true;
    return 0;
}

/* NO_PAPER as people say it: "no paper". A code in small letters is a word already. */
static const char *words_of(const struct steps *steps, const char *code)
{
    char *words = arena_strdup(steps->arena, code);

    if (strpbrk(code, "abcdefghijklmnopqrstuvwxyz") != NULL)
        return words;
    for (char *c = words; *c != '\0'; c++)
        *c = *c == '_' ? ' ' : *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    return words;
}

static size_t add_boundary(struct steps *steps, size_t on, size_t nth, const char *name,
                           const struct item *step)
{
    const char *id = arena_printf(steps->arena, "Boundary_%zu_%s", nth + 1, steps->shapes[on].id);
    size_t boundary = add_shape(steps, SHAPE_BOUNDARY, id, name, step);

    steps->shapes[boundary].on = on;
    steps->shapes[boundary].nth = nth;
    return boundary;
}

/* BPMN errors that are caught: a boundary event each. */
static int link_catches(struct steps *steps, size_t from)
{
    const struct item *step = steps->shapes[from].step, *catches = item_member(step, "catch");
    struct edge *edge;

    for (size_t i = 0; catches != NULL && i < catches->n; i++) {
        size_t boundary = add_boundary(steps, from, i, words_of(steps, catches->keys[i]), step);
        steps->shapes[boundary].code = catches->keys[i];
        if (catches->keys[i][0] == '\0' || strlen(catches->keys[i]) > LIMIT_NAME_BYTES)
            return wrong(steps, catches->list[i], "the code of an error has 1 to %u bytes",
                         LIMIT_NAME_BYTES);
        if (link_to(steps, boundary, catches->list[i], &edge) < 0)
            return -1;
    }
    return 0;
}

/* Where a wait for a message goes on when it has lasted too long: a boundary event. */
static int link_timeout(struct steps *steps, size_t from)
{
    const struct item *timeout = item_member(steps->shapes[from].step, "timeout");
    const struct item *name = item_member(timeout, "name");
    struct edge *edge;

    size_t boundary = add_boundary(steps, from, 0, name != NULL ? name->text : "too late", timeout);
    return link_to(steps, boundary, item_member(timeout, "next"), &edge);
}

static int link_step(struct steps *steps, size_t from)
{
    const struct item *step = steps->shapes[from].step;
    const struct item *next = item_member(step, "next"), *end = item_member(step, "end");
    const char *id = steps->shapes[from].id;
    struct edge *edge;
    bool ends = end != NULL && strcmp(end->text, "true") == 0;

    if (end != NULL && end->kind != ITEM_BOOL)
        return wrong(steps, end, "\"end\" of step \"%s\" must be true or false", id);
    if (steps->shapes[from].kind == SHAPE_GATEWAY || steps->shapes[from].kind == SHAPE_ERROR_END) {
        if (next != NULL || ends)
            return wrong(steps, step, "step \"%s\" takes neither \"next\" nor \"end\"%s", id,
                         steps->shapes[from].kind == SHAPE_GATEWAY
                             ? ": its choices and \"default\" say where it goes on"
                             : ": the process ends there");
        return steps->shapes[from].kind == SHAPE_GATEWAY ? link_choice(steps, from) : 0;
    }
    if ((next != NULL) == ends)
        return wrong(steps, step, "step \"%s\" needs either \"next\" or \"end: true\"", id);
    if (ends)
        add_edge(steps, from,
                 add_shape(steps, SHAPE_END, arena_printf(steps->arena, "End_%s", id), NULL, NULL));
    else if (link_to(steps, from, next, &edge) < 0)
        return -1;
    return steps->shapes[from].kind == SHAPE_RECEIVE ? link_timeout(steps, from)
                                                     : link_catches(steps, from);
}

/* ---- Steps ---- */

/* One of them says what is waited for; the last is a message. */
static const char *const waits[] = {"seconds", "duration", "until", "message"};
#define N_TIMES (ARRAY_LEN(waits) - 1)

static unsigned count_waits(const struct item *item, size_t n_waits)
{
    unsigned n = 0;

    for (size_t i = 0; i < n_waits; i++)
        n += item_member(item, waits[i]) != NULL;
    return n;
}

static int check_seconds(const struct steps *steps, const struct item *item, const char *id)
{
    const struct item *seconds = item_member(item, "seconds");

    if (seconds != NULL &&
        (seconds->kind != ITEM_NUMBER || seconds->text[strspn(seconds->text, "0123456789.")] != 0))
        return wrong(steps, seconds,
                     "\"seconds\" of step \"%s\" must be a number such as 45 or 0.5; for an "
                     "expression use duration: \"${…}\", an ISO 8601 duration",
                     id);
    return 0;
}

static int check_timeout(const struct steps *steps, const struct item *step, const char *id)
{
    static const struct field fields[] = {
        {"seconds", ITEM_STRING, false}, {"duration", ITEM_STRING, false},
        {"until", ITEM_STRING, false},   {"next", ITEM_STRING, true},
        {"name", ITEM_STRING, false},
    };
    const struct item *timeout = item_member(step, "timeout");

    if (timeout == NULL)
        return 0;
    if (check_fields(steps, timeout, "a timeout", fields, ARRAY_LEN(fields), NULL, 0) < 0)
        return -1;
    if (count_waits(timeout, N_TIMES) != 1)
        return wrong(steps, timeout,
                     "the timeout of step \"%s\" is one of: seconds, duration, until", id);
    return check_seconds(steps, timeout, id);
}

static int check_wait(const struct steps *steps, const struct item *step, const char *id)
{
    static const char *const of_message[] = {"key", "timeout"};

    if (count_waits(step, ARRAY_LEN(waits)) != 1)
        return wrong(steps, step,
                     "step \"%s\" waits for one of: seconds, duration, until, "
                     "message",
                     id);
    for (size_t i = 0; i < ARRAY_LEN(of_message); i++)
        if (item_member(step, of_message[i]) != NULL && item_member(step, "message") == NULL)
            return wrong(steps, step, "\"%s\" of step \"%s\" belongs to a message", of_message[i],
                         id);
    return check_seconds(steps, step, id) < 0 ? -1 : check_timeout(steps, step, id);
}

/* Values of these maps are texts, numbers or expressions; those of others may be anything. */
static int check_scalars(const struct steps *steps, const struct item *step, const char *name)
{
    const struct item *map = item_member(step, name);

    for (size_t i = 0; map != NULL && i < map->n; i++)
        if (!is_scalar(map->list[i]))
            return wrong(steps, map->list[i],
                         "\"%s\" in \"%s\" must be a text, a number or "
                         "an expression",
                         map->keys[i], name);
    return 0;
}

static int check_token(const struct steps *steps, const struct item *step)
{
    static const struct field fields[] = {{"timeout", ITEM_STRING, false},
                                          {"heartbeat", ITEM_STRING, false}};
    const struct item *token = item_member(step, "taskToken");

    return token == NULL
               ? 0
               : check_fields(steps, token, "a taskToken", fields, ARRAY_LEN(fields), NULL, 0);
}

static int read_step(struct steps *steps, const struct item *step)
{
    static const struct field common[] = {{"id", ITEM_STRING, true},
                                          {"type", ITEM_STRING, true},
                                          {"name", ITEM_STRING, false},
                                          {"next", ITEM_STRING, false},
                                          {"end", ITEM_STRING, false}};
    static const char *const scalars[] = {"query", "headers", "catch"};
    const struct type *type = NULL;

    if (step->kind != ITEM_MAP)
        return wrong(steps, step, "a step is a map with \"id\" and \"type\"");
    const struct item *id = item_member(step, "id"), *kind = item_member(step, "type");
    if (id == NULL || !is_scalar(id) || kind == NULL || !is_scalar(kind))
        return wrong(steps, step, "a step needs an \"id\" and a \"type\"");
    if (check_id(steps, id, "a step") < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(types[i].name, kind->text) == 0)
            type = &types[i];
    if (type == NULL) {
        struct buf names CLEANUP(buf_deinit);
        buf_init(&names, 0);
        for (size_t i = 0; i < ARRAY_LEN(types); i++)
            buf_printf(&names, "%s%s", i > 0 ? ", " : "", types[i].name);
        return wrong(steps, kind, "there is no type \"%s\" of steps; there are: %s", kind->text,
                     buf_str(&names));
    }
    if (strcmp(id->text, steps->id) == 0)
        return wrong(steps, id, "the step \"%s\" has the id of the process: choose another one",
                     id->text);
    if (find_step(steps, id->text) != SIZE_MAX)
        return wrong(steps, id, "there are two steps with the id \"%s\"", id->text);
    if (check_fields(steps, step,
                     arena_printf(steps->arena, "step \"%s\" (%s)", id->text, type->name), common,
                     ARRAY_LEN(common), type->fields, ARRAY_LEN(type->fields)) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(scalars); i++)
        if (check_scalars(steps, step, scalars[i]) < 0)
            return -1;
    if (check_token(steps, step) < 0 ||
        (strcmp(type->name, "wait") == 0 && check_wait(steps, step, id->text) < 0))
        return -1;
    const struct item *name = item_member(step, "name");
    size_t at = add_shape(steps, type->shape, id->text, name != NULL ? name->text : id->text, step);
    struct shape *shape = &steps->shapes[at];
    if (shape->kind == SHAPE_ERROR_END)
        shape->code = item_member(step, "error")->text;
    if (shape->kind == SHAPE_CATCH && item_member(step, "timeout") != NULL)
        shape->kind = SHAPE_RECEIVE;
    return 0;
}

/* Each step can be come to; what cannot was meant otherwise. */
static int check_reached(const struct steps *steps)
{
    bool *reached = arena_array(steps->arena, steps->n_shapes, sizeof(*reached));
    bool more = true;

    reached[0] = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < steps->n_shapes; i++) {
            const struct shape *shape = &steps->shapes[i];
            if (!reached[i] && (shape->kind != SHAPE_BOUNDARY || !reached[shape->on]))
                continue;
            more |= !reached[i];
            reached[i] = true;
            for (size_t o = 0; o < shape->n_out; o++) {
                size_t to = steps->edges[shape->out[o]].to;
                more |= !reached[to];
                reached[to] = true;
            }
        }
    }
    for (size_t i = 0; i < steps->n_shapes; i++)
        if (!reached[i])
            return wrong(steps, steps->shapes[i].step, "nothing leads to step \"%s\"",
                         steps->shapes[i].id);
    return 0;
}

int steps_read(struct steps *steps, const struct item *document)
{
    static const struct field fields[] = {
        {"id", ITEM_STRING, true},        {"name", ITEM_STRING, false},
        {"version", ITEM_STRING, false},  {"documentation", ITEM_STRING, false},
        {"inputSchema", ITEM_MAP, false}, {"steps", ITEM_LIST, true}};

    if (document->kind != ITEM_MAP)
        return wrong(steps, document, "a process is a map with \"id\" and \"steps\"");
    if (check_fields(steps, document, "a process", fields, ARRAY_LEN(fields), NULL, 0) < 0 ||
        check_id(steps, item_member(document, "id"), "a process") < 0)
        return -1;
    const struct item *list = item_member(document, "steps");
    const struct item *name = item_member(document, "name");
    steps->document = document;
    steps->id = item_member(document, "id")->text;
    steps->name = name != NULL ? name->text : NULL;
    if (list->n == 0 || list->n > LIMIT_STEPS)
        return wrong(steps, list, "a process has 1 to %u steps (LIMIT_STEPS)", LIMIT_STEPS);
    size_t start = add_shape(steps, SHAPE_START, arena_printf(steps->arena, "Start_%s", steps->id),
                             NULL, NULL);
    for (size_t i = 0; i < list->n; i++)
        if (read_step(steps, list->list[i]) < 0)
            return -1;
    add_edge(steps, start, start + 1);
    for (size_t i = 0; i < list->n; i++)
        if (link_step(steps, start + 1 + i) < 0)
            return -1;
    return check_reached(steps);
}
