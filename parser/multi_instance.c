/* SPDX-License-Identifier: Apache-2.0 */
/* multiInstanceLoopCharacteristics: an activity for each item. */
#include "base/build.h"

#include "base/limits.h"
#include "parser/build.h"

#define LOOP "multiInstanceLoopCharacteristics"

/* What changes execution and is not executed. */
static const struct {
    const char *name, *remedy;
} refused[] = {
    {"complexBehaviorDefinition", "Throw events from the activity itself"},
};

static void check_loop_children(struct file_build *file, const struct xml_element *loop)
{
    static const char *const known[] = {
        "loopCardinality", "loopDataInputRef",    "loopDataOutputRef", "inputDataItem",
        "outputDataItem",  "completionCondition", "documentation",     "extensionElements"};

    for (const struct xml_element *c = loop->first; c != NULL; c = c->next) {
        bool is_known = false, is_refused = false;
        for (size_t i = 0; i < ARRAY_LEN(known) && !is_known; i++)
            is_known = xml_is(c, SPACE_BPMN, known[i]);
        for (size_t i = 0; i < ARRAY_LEN(refused) && !is_refused; i++) {
            is_refused = xml_is(c, SPACE_BPMN, refused[i].name);
            if (is_refused)
                report(file, CODE_UNSUPPORTED_ELEMENT, c, "%s of " LOOP " is not executed. %s.",
                       c->name, refused[i].remedy);
        }
        if (c->space == SPACE_BPMN && !is_known && !is_refused)
            report(file, CODE_UNKNOWN_ELEMENT, c,
                   "%s is not an element that BPMN 2.0 has inside " LOOP
                   ". Remove it, or check its name.",
                   element_shown(file, c));
    }
    const char *behavior = xml_attr(loop, "behavior");
    if (behavior != NULL && strcmp(behavior, "All") != 0)
        report(file, CODE_UNSUPPORTED_ATTRIBUTE, loop,
               "behavior=\"%.60s\" of " LOOP
               " is not supported. Throw events from the activity itself.",
               behavior);
}

static const char *child_text(const struct xml_element *loop, const char *name)
{
    const struct xml_element *child = xml_child(loop, SPACE_BPMN, name);

    return child != NULL && !xml_blank(xml_text(child)) ? xml_text(child) : NULL;
}

static void read_cardinality(struct process_build *process, const struct xml_element *loop,
                             struct multi_instance *multi)
{
    const char *text = child_text(loop, "loopCardinality");
    char *end;

    multi->cardinality = text_optional(process, loop, "loopCardinality", text);
    if (multi->cardinality == NULL || !expr_is_literal(multi->cardinality))
        return;
    long number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || number < 0 || number > (long)LIMIT_ITEMS)
        report(process->file, CODE_BAD_VALUE, loop,
               "loopCardinality is \"%.60s\"; write a whole number from 0 to %u, or an expression "
               "that yields one.",
               text, LIMIT_ITEMS);
}

/* The name of a data item; NULL: there is none. */
static const char *data_item(const struct xml_element *loop, const char *name)
{
    const struct xml_element *item = xml_child(loop, SPACE_BPMN, name);

    if (item == NULL)
        return NULL;
    return xml_attr(item, "name") != NULL ? xml_attr(item, "name") : xml_attr(item, "id");
}

/* A variable by its name, or an expression: Camunda tells them apart by the brace. */
static void read_collection(struct process_build *process, const struct xml_element *loop,
                            struct multi_instance *multi)
{
    const char *text = xml_extension(loop, "collection");
    const char *element = xml_extension(loop, "elementVariable");

    if (text == NULL || xml_blank(text))
        text = child_text(loop, "loopDataInputRef");
    if (element == NULL)
        element = data_item(loop, "inputDataItem");
    multi->element_variable = text_name(process, loop, "elementVariable", element);
    multi->index_variable = text_name(process, loop, "elementIndexVariable",
                                      xml_extension(loop, "elementIndexVariable"));
    if (text != NULL && strchr(text, '{') != NULL)
        multi->collection = text_expression(process, loop, "collection", text);
    else
        multi->collection_variable = text_name(process, loop, "collection", text);
}

/* The name in "name" or "${name}"; NULL: it is something else, or nothing. */
static const char *only_name(struct arena *arena, const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    bool braced = text != NULL && strncmp(text, "${", 2) == 0;

    if (text == NULL || (!braced && strchr(text, '{') != NULL))
        return NULL;
    if (!braced)
        return text;
    size_t n = strspn(text + 2, letters);
    return n > 0 && strcmp(text + 2 + n, "}") == 0 ? arena_strndup(arena, text + 2, n) : NULL;
}

/* Where what items come to is gathered, and what that is: a variable of each, or an expression. */
static void read_results(struct process_build *process, const struct xml_element *loop,
                         struct multi_instance *multi)
{
    struct arena *arena = &process->graph->arena;
    const char *collection = xml_value(loop, SPACE_PAWL, "outputCollection");
    const char *element = xml_value(loop, SPACE_PAWL, "outputElement");

    if (collection == NULL)
        collection = child_text(loop, "loopDataOutputRef");
    if (element == NULL)
        element = data_item(loop, "outputDataItem");
    multi->output_collection = text_name(process, loop, "outputCollection", collection);
    multi->output_variable =
        text_name(process, loop, "outputElement", only_name(process->file->arena, element));
    if (multi->output_variable != NULL)
        element = arena_printf(arena, "${%s}", multi->output_variable);
    multi->output_element = text_optional(process, loop, "outputElement", element);
    if ((collection != NULL) != (element != NULL))
        report(process->file, CODE_BAD_MULTI_INSTANCE, loop,
               collection != NULL
                   ? "%s has an outputCollection, but nothing to put into it. Add "
                     "pawl:outputElement: a variable that each item sets, or an expression."
                   : "%s has an outputElement, but nothing that it is put into. Add "
                     "pawl:outputCollection: a variable that gets a list.",
               element_shown(process->file, loop->parent));
}

static void check_loop(struct process_build *process, int index, const struct xml_element *loop,
                       const struct multi_instance *multi)
{
    struct file_build *file = process->file;
    const struct node *node = &process->graph->nodes[index];
    const char *shown = element_shown(file, process->sites[index].element);
    bool counted = xml_child(loop, SPACE_BPMN, "loopCardinality") != NULL;
    bool collected = xml_extension(loop, "collection") != NULL ||
                     xml_child(loop, SPACE_BPMN, "loopDataInputRef") != NULL;

    if (counted && collected)
        report(file, CODE_BAD_MULTI_INSTANCE, loop,
               "%s has both a loopCardinality and a collection. Keep the one that says how many "
               "items there are.",
               shown);
    else if (multi->cardinality == NULL && multi->collection == NULL &&
             multi->collection_variable == NULL)
        report(file, CODE_BAD_MULTI_INSTANCE, loop,
               "%s does not say how many items there are. Add loopCardinality, or "
               "camunda:collection with the name of a variable that holds a list.",
               shown);
    if (multi->element_variable != NULL && counted && !collected)
        report(file, CODE_BAD_MULTI_INSTANCE, loop,
               "%s names an elementVariable, but has no collection to take it from. Items that are "
               "only counted have their loopCounter.",
               shown);
    if (node->n_outputs > 0)
        report(file, CODE_MAPPING_MISPLACED, loop,
               "%s is carried out for several items, whose outputParameters would overwrite each "
               "other. Gather them as a list: pawl:outputCollection and pawl:outputElement of " LOOP
               ".",
               shown);
}

void read_multi_instance(struct process_build *process, int index)
{
    struct file_build *file = process->file;
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const struct xml_element *loop = xml_child(e, SPACE_BPMN, LOOP);

    if (loop == NULL)
        return;
    if (!node_is_activity(node->kind)) {
        report(file, CODE_UNKNOWN_ELEMENT, loop,
               LOOP " is not an element that BPMN 2.0 has inside %s. Remove it.",
               element_shown(file, e));
        return;
    }
    for (const struct xml_element *c = loop->next; c != NULL; c = c->next)
        if (xml_is(c, SPACE_BPMN, LOOP))
            report(file, CODE_BAD_MULTI_INSTANCE, c, "%s has two " LOOP ". Keep one.",
                   element_shown(file, e));
    vocabulary_check(file, loop, OWNER_LOOP);
    check_loop_children(file, loop);
    struct multi_instance *multi = arena_alloc(&process->graph->arena, sizeof(*multi));
    multi->sequential =
        text_bool(file, loop, "isSequential", xml_attr(loop, "isSequential"), false);
    read_cardinality(process, loop, multi);
    read_collection(process, loop, multi);
    read_results(process, loop, multi);
    multi->completion = text_optional(process, loop, "completionCondition",
                                      child_text(loop, "completionCondition"));
    multi->async_before =
        text_bool(file, loop, "asyncBefore", xml_extension(loop, "asyncBefore"), false) ||
        text_bool(file, loop, "async", xml_extension(loop, "async"), false);
    multi->async_after =
        text_bool(file, loop, "asyncAfter", xml_extension(loop, "asyncAfter"), false);
    multi->retry = read_retry(process, loop);
    check_loop(process, index, loop, multi);
    node->multi = multi;
}
