/* SPDX-License-Identifier: Apache-2.0 */
/* inputOutput of activities and events; in and out of call activities. */
#include "base/build.h"

#include "base/limits.h"
#include "parser/build.h"

static bool is_extension(const struct xml_element *e, const char *name)
{
    return (e->space == SPACE_CAMUNDA || e->space == SPACE_FLOWABLE) && strcmp(e->name, name) == 0;
}

/* The children of a list or map. */
static void read_items(struct process_build *process, const struct xml_element *list,
                       const char *what, struct mapping *mapping)
{
    struct file_build *file = process->file;
    bool map = mapping->kind == MAPPING_MAP;
    size_t capacity = 0;

    for (const struct xml_element *c = list->first; c != NULL; c = c->next) {
        struct mapping item = {0};
        /* Camunda writes entry and value; an item of a list may also be a list or map itself. */
        bool nested = !map && (is_extension(c, "list") || is_extension(c, "map"));
        if (!nested && !is_extension(c, map ? "entry" : "value")) {
            report(file, CODE_BAD_MAPPING, c, "%s: a %s holds %s elements, not %s.", what,
                   map ? "map" : "list", map ? "entry" : "value", c->name);
            continue;
        }
        if (map && xml_attr(c, "key") == NULL)
            report(file, CODE_BAD_MAPPING, c, "%s: an entry of the map has no key.", what);
        else if (map)
            item.name = text_name(process, c, "The key of an entry", xml_attr(c, "key"));
        if (nested) {
            item.kind = is_extension(c, "list") ? MAPPING_LIST : MAPPING_MAP;
            read_items(process, c, what, &item);
        } else {
            read_mapping_value(process, c, what, &item);
        }
        *arena_push(&process->graph->arena, mapping->items, mapping->n_items, capacity) = item;
    }
}

void read_mapping_value(struct process_build *process, const struct xml_element *at,
                        const char *what, struct mapping *ret_mapping)
{
    struct file_build *file = process->file;
    const struct xml_element *only = at->first;

    ret_mapping->kind = MAPPING_VALUE;
    if (only == NULL) {
        /* An empty parameter is null, as in Camunda. */
        const char *text = xml_blank(xml_text(at)) ? "${null}" : xml_text(at);
        ret_mapping->value = text_expression(process, at, what, text);
        return;
    }
    if (only->next != NULL)
        report(file, CODE_BAD_MAPPING, only->next, "%s: only one element may be in it.", what);
    if (is_extension(only, "list") || is_extension(only, "map")) {
        ret_mapping->kind = is_extension(only, "list") ? MAPPING_LIST : MAPPING_MAP;
        read_items(process, only, what, ret_mapping);
    } else if (is_extension(only, "script")) {
        ret_mapping->value = read_script(process, only, what, xml_attr(only, "scriptFormat"));
    } else {
        report(file, CODE_BAD_MAPPING, only,
               "%s holds an element %s. It may hold a text, an expression ${…}, a list or a map.",
               what, only->name);
    }
}

/* inputParameter or outputParameter: name and value. */
static void read_parameter(struct process_build *process, const struct xml_element *e,
                           struct mapping **items, size_t *n, size_t *capacity)
{
    struct file_build *file = process->file;
    const char *name = text_name(process, e, "The parameter's name", xml_attr(e, "name"));
    struct mapping mapping = {.name = name};

    if (*n == LIMIT_MAPPINGS)
        report(file, CODE_TOO_MANY_MAPPINGS, e,
               "More than %u parameters of one element. Pass one object instead.", LIMIT_MAPPINGS);
    if (*n >= LIMIT_MAPPINGS)
        return; /* said once */
    if (xml_attr(e, "name") == NULL || xml_blank(xml_attr(e, "name"))) {
        report(file, CODE_BAD_MAPPING, e, "This %s has no name: it is the variable that it sets.",
               e->name);
        return;
    }
    const char *what = arena_printf(file->arena, "%s '%.100s'", e->name, name != NULL ? name : "");
    read_mapping_value(process, e, what, &mapping);
    for (size_t i = 0; i < *n && name != NULL; i++)
        if ((*items)[i].name != NULL && strcmp((*items)[i].name, name) == 0)
            report(file, CODE_BAD_MAPPING, e, "%s is there twice. Keep one of them.", what);
    *items = arena_grow(&process->graph->arena, *items, *n, capacity, sizeof(**items));
    (*items)[(*n)++] = mapping;
}

/* Camunda's rule, and ours: these have no life of their own in which a variable could be local. */
static bool may_map(enum node_kind kind)
{
    return kind != NODE_START_EVENT && kind != NODE_BOUNDARY_EVENT &&
           kind != NODE_EXCLUSIVE_GATEWAY && kind != NODE_PARALLEL_GATEWAY &&
           kind != NODE_EVENT_GATEWAY;
}

void read_mappings(struct process_build *process, int index)
{
    struct file_build *file = process->file;
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const struct xml_element *holder = extension_child(e, "inputOutput");
    size_t inputs_capacity = 0;
    size_t outputs_capacity = 0;

    if (holder == NULL)
        return;
    if (!may_map(node->kind)) {
        report(file, CODE_MAPPING_MISPLACED, holder,
               "%s can not have inputOutput. Put it on the activity before or behind.",
               element_shown(file, e));
        return;
    }
    for (const struct xml_element *c = holder->first; c != NULL; c = c->next) {
        if (is_extension(c, "inputParameter")) {
            read_parameter(process, c, &node->inputs, &node->n_inputs, &inputs_capacity);
        } else if (is_extension(c, "outputParameter") && node->kind == NODE_END_EVENT) {
            report(file, CODE_MAPPING_MISPLACED, c,
                   "%s is an end event: nothing comes after it that could read an outputParameter.",
                   element_shown(file, e));
        } else if (is_extension(c, "outputParameter")) {
            read_parameter(process, c, &node->outputs, &node->n_outputs, &outputs_capacity);
        } else {
            report(file, CODE_BAD_MAPPING, c,
                   "inputOutput holds inputParameter and outputParameter, not %s.", c->name);
        }
    }
}

/* ---- in and out ---- */

static void read_call_mapping(struct process_build *process, const struct xml_element *e,
                              struct call_mapping **items, size_t *n, size_t *capacity)
{
    struct file_build *file = process->file;
    struct call_mapping mapping = {.kind = CALL_MAP_SOURCE};
    const char *all = xml_attr(e, "variables");
    const char *source = xml_attr(e, "source");
    const char *expression = xml_attr(e, "sourceExpression");
    const char *target = xml_attr(e, "target");

    if (*n == LIMIT_MAPPINGS)
        report(file, CODE_TOO_MANY_MAPPINGS, e,
               "More than %u mappings of one call. Pass one object, or variables=\"all\".",
               LIMIT_MAPPINGS);
    if (*n >= LIMIT_MAPPINGS)
        return; /* said once */
    if (xml_attr(e, "targetExpression") != NULL)
        report(file, CODE_UNSUPPORTED_EXTENSION, e,
               "targetExpression is not supported. Name the variable with target.");
    mapping.local = text_bool(file, e, "local", xml_attr(e, "local"), false);
    if (xml_attr(e, "businessKey") != NULL && all == NULL && source == NULL && expression == NULL)
        return; /* read with the call */
    if (all != NULL) {
        mapping.kind = CALL_MAP_ALL;
        if (strcmp(all, "all") != 0)
            report(file, CODE_BAD_MAPPING, e, "variables=\"%.60s\" is not known; write \"all\".",
                   all);
    } else if (expression != NULL) {
        mapping.kind = CALL_MAP_EXPRESSION;
        mapping.expression = text_optional(process, e, "sourceExpression", expression);
    } else if (source != NULL && strstr(source, "${") != NULL) {
        /* Some editors put an expression there. */
        mapping.kind = CALL_MAP_EXPRESSION;
        mapping.expression = text_optional(process, e, "source", source);
    } else {
        mapping.source = text_name(process, e, "source", source);
    }
    mapping.target = text_name(process, e, "target", target);
    bool named = source != NULL || expression != NULL;
    if (mapping.kind != CALL_MAP_ALL && (!named || (target == NULL || xml_blank(target))))
        report(file, CODE_BAD_MAPPING, e,
               "This %s element needs a source (or sourceExpression) and a target, or "
               "variables=\"all\".",
               e->name);
    *items = arena_grow(&process->graph->arena, *items, *n, capacity, sizeof(**items));
    (*items)[(*n)++] = mapping;
}

void read_call_mappings(struct process_build *process, int index)
{
    const struct xml_element *e = process->sites[index].element;
    struct call_activity *call = process->graph->nodes[index].call;
    size_t in_capacity = 0;
    size_t out_capacity = 0;

    if (text_bool(process->file, e, "inheritVariables",
                  xml_value(e, SPACE_FLOWABLE, "inheritVariables"), false)) {
        call->in = arena_grow(&process->graph->arena, call->in, 0, &in_capacity, sizeof(*call->in));
        call->in[call->n_in++] = (struct call_mapping){.kind = CALL_MAP_ALL};
    }
    for (const struct xml_element *c = extensions(e); c != NULL; c = c->next) {
        if (is_extension(c, "in"))
            read_call_mapping(process, c, &call->in, &call->n_in, &in_capacity);
        else if (is_extension(c, "out"))
            read_call_mapping(process, c, &call->out, &call->n_out, &out_capacity);
    }
}
