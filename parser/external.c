/* SPDX-License-Identifier: Apache-2.0 */
/*
 * External tasks: type="external" with a topic, or a Java class (or delegate expression), which is
 * mapped to a topic when the file is deployed, so that files with Java code need no change.
 */
#include "base/build.h"

#include "base/limits.h"
#include "parser/build.h"

static bool is_external_type(const char *type)
{
    return type != NULL && (strcmp(type, "external") == 0 || strcmp(type, "external-worker") == 0);
}

static struct external_error read_error(struct process_build *process, const struct xml_element *at,
                                        const struct xml_element *definition)
{
    struct event_definition event = {0};
    const char *expression = xml_attr(definition, "expression");

    read_error_reference(process, at, definition, true, &event);
    if (expression == NULL || xml_blank(expression))
        report(process->file, CODE_BAD_VALUE, definition,
               "An errorEventDefinition of %s does not say when it holds. Give it an expression: "
               "${externalTask.errorMessage == 'out of stock'}.",
               element_shown(process->file, at));
    return (struct external_error){
        .when = text_optional(process, definition, "expression", expression),
        .code = event.error_code,
        .message = event.error_message,
    };
}

static void read_errors(struct process_build *process, const struct xml_element *at,
                        const struct xml_element *holder, struct external_task *external)
{
    struct arena *arena = &process->graph->arena;
    size_t capacity = 0;

    for (const struct xml_element *e = extensions(holder); e != NULL; e = e->next)
        if ((e->space == SPACE_CAMUNDA || e->space == SPACE_FLOWABLE) &&
            strcmp(e->name, "errorEventDefinition") == 0)
            *arena_push(arena, external->errors, external->n_errors, capacity) =
                read_error(process, at, e);
}

static void read_topic(struct process_build *process, const struct xml_element *e,
                       const char *topic, struct external_task *external)
{
    if (topic == NULL || xml_blank(topic)) {
        report(process->file, CODE_EXTERNAL_WITHOUT_TOPIC, e,
               "%s has no topic, so no worker could fetch it. Set camunda:topic.",
               element_shown(process->file, e));
        return;
    }
    external->topic = text_optional(process, e, "topic", topic);
    if (external->topic != NULL && expr_is_literal(external->topic))
        (void)text_name(process, e, "The topic", topic);
}

static void read_priority(struct process_build *process, const struct xml_element *e,
                          const struct xml_element *holder, struct external_task *external)
{
    const char *priority = xml_extension(holder, "taskPriority");

    if (priority == NULL)
        priority = xml_extension(process->element, "taskPriority");
    external->priority = text_optional(process, e, "taskPriority", priority);
    check_integer(process, e, "taskPriority", external->priority);
}

bool read_external(struct process_build *process, int index, const struct xml_element *holder)
{
    struct file_build *file = process->file;
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const char *type = xml_extension(holder, "type"), *topic = xml_extension(holder, "topic");
    const char *class_name = xml_extension(holder, "class");

    if (class_name == NULL)
        class_name = xml_extension(holder, "delegateExpression");
    if (type != NULL && !is_external_type(type)) {
        report(file, CODE_UNSUPPORTED_EXTENSION, e,
               "type=\"%.80s\" of %s is not supported. Call the service with pawl:http, or make it "
               "an external task (type=\"external\" and a topic).",
               type, element_shown(file, e));
        return true;
    }
    if (type == NULL && class_name == NULL) {
        const struct xml_element *judged = extension_child(holder, "errorEventDefinition");
        if (judged != NULL)
            report(file, CODE_MISPLACED_EXTENSION, judged,
                   "An errorEventDefinition has no effect on %s, which is no external task. Remove "
                   "it.",
                   element_shown(file, e));
        if (topic != NULL)
            report(file, CODE_BAD_VALUE, e,
                   "%s has a topic but is no external task. Add type=\"external\", or remove the "
                   "topic.",
                   element_shown(file, e));
        return topic != NULL;
    }
    if (type != NULL && class_name != NULL)
        report(file, CODE_SEVERAL_IMPLEMENTATIONS, e,
               "%s is both an external task and Java code. Keep one.", element_shown(file, e));
    node->service = SERVICE_EXTERNAL;
    node->external = arena_alloc(&process->graph->arena, sizeof(*node->external));
    if (type != NULL) {
        read_topic(process, e, topic, node->external);
    } else {
        node->external->class_name = text_name(process, e, "The class", class_name);
        report(file, CODE_JAVA_CLASS, e,
               "%s is the Java code %.100s, which cannot run here: its work is done by a worker. "
               "Map it to the worker's topic before you deploy: pawl.map_class('%.100s', …).",
               element_shown(file, e), class_name, class_name);
    }
    read_priority(process, e, holder, node->external);
    read_errors(process, e, holder, node->external);
    return true;
}
