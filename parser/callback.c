/* SPDX-License-Identifier: Apache-2.0 */
/* pawl:taskToken: the task waits until somebody who has its token answers. */
#include "base/build.h"

#include "parser/build.h"

static const char *const attributes[] = {"timeout",        "timeoutError", "heartbeat",
                                         "heartbeatError", "failureError", "allowedCaller"};

static const char *code(struct process_build *process, const struct xml_element *e,
                        const char *name, const char *otherwise)
{
    const char *given = text_name(process, e, name, xml_attr(e, name));

    return given != NULL && given[0] != '\0' ? given : otherwise;
}

void read_callback(struct process_build *process, int index)
{
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *holder =
        xml_child(process->sites[index].element, SPACE_BPMN, "extensionElements");
    const struct xml_element *e =
        holder != NULL ? xml_child(holder, SPACE_PAWL, "taskToken") : NULL;
    size_t capacity = 0;

    if (e == NULL)
        return;
    check_attributes(process->file, e, attributes, ARRAY_LEN(attributes));
    struct callback *callback = arena_alloc(&process->graph->arena, sizeof(*callback));
    *callback = (struct callback){
        .timeout = text_optional(process, e, "timeout", xml_attr(e, "timeout")),
        .heartbeat = text_optional(process, e, "heartbeat", xml_attr(e, "heartbeat")),
        .allowed_caller = text_optional(process, e, "allowedCaller", xml_attr(e, "allowedCaller")),
        .timeout_error = code(process, e, "timeoutError", "CALLBACK_TIMEOUT"),
        .heartbeat_error = code(process, e, "heartbeatError", "HEARTBEAT_TIMEOUT"),
        .failure_error = code(process, e, "failureError", "CALLBACK_FAILED"),
    };
    check_date(process, e, "timeout", callback->timeout, true);
    check_duration(process, e, "heartbeat", callback->heartbeat);
    if (xml_attr(e, "heartbeatError") != NULL && callback->heartbeat == NULL)
        report(process->file, CODE_BAD_CALLBACK, e,
               "heartbeatError needs heartbeat=\"PT1M\" beside it.");
    for (const struct xml_element *c = e->first; c != NULL; c = c->next) {
        if (xml_is(c, SPACE_PAWL, "output"))
            read_named_mapping(process, c, &callback->outputs, &callback->n_outputs, &capacity);
        else
            report(process->file, CODE_UNKNOWN_PAWL_EXTENSION, c,
                   "pawl:taskToken holds pawl:output, not %s.", c->name);
    }
    for (const struct xml_element *c = e->next; c != NULL; c = c->next)
        if (xml_is(c, SPACE_PAWL, "taskToken"))
            report(process->file, CODE_DUPLICATE_EXTENSION, c,
                   "%s has pawl:taskToken twice. Keep one.",
                   element_shown(process->file, process->sites[index].element));
    node->callback = callback;
}
