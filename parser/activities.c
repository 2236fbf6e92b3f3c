/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks, gateways, sub-processes and call activities. */
#include "base/build.h"

#include "parser/build.h"

/* The first element of that name in Pawl's namespace; a second one is refused. */
static const struct xml_element *pawl_child(struct file_build *file, const struct xml_element *e,
                                            const struct xml_element *holder, const char *name)
{
    const struct xml_element *list = xml_child(holder, SPACE_BPMN, "extensionElements");
    const struct xml_element *first = list != NULL ? xml_child(list, SPACE_PAWL, name) : NULL;

    for (const struct xml_element *c = first != NULL ? first->next : NULL; c != NULL; c = c->next)
        if (xml_is(c, SPACE_PAWL, name))
            report(file, CODE_SEVERAL_IMPLEMENTATIONS, c,
                   "%s has two pawl:%s elements. Make each a task of its own.",
                   element_shown(file, e), name);
    return first;
}

void read_result_variable(struct process_build *process, int index,
                          const struct xml_element *holder)
{
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const char *result = xml_extension(holder, "resultVariable");

    if (result == NULL)
        result = xml_extension(holder, "resultVariableName");
    if (result == NULL)
        return;
    if (node->service != SERVICE_EXPRESSION && node->delegate == NULL && node->script == NULL)
        report(process->file, CODE_RESULT_WITHOUT_EXPRESSION, e,
               "%s has a result variable but no expression or delegate that yields it. Take the "
               "value from an outputParameter or a pawl:output instead.",
               element_shown(process->file, e));
    else
        node->result_variable = text_name(process, e, "The result variable", result);
}

/*
 * What a service task, send task or throwing message event does: an expression, a delegate,
 * pawl:http or an external task.
 */
void read_service(struct process_build *process, int index, const struct xml_element *holder)
{
    struct file_build *file = process->file;
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const char *expression = xml_extension(holder, "expression");
    const char *sql = xml_value(holder, SPACE_PAWL, "sql");
    const char *delegate = xml_value(holder, SPACE_PAWL, "delegate");
    const struct xml_element *http = pawl_child(file, e, holder, "http");
    const struct xml_element *sql_element = pawl_child(file, e, holder, "sql");
    const struct xml_element *delegate_element = pawl_child(file, e, holder, "delegate");
    const struct xml_element *event = pawl_child(file, e, holder, "event");
    int n = read_external(process, index, holder) + (expression != NULL) + (http != NULL) +
            (sql != NULL || sql_element != NULL) + (delegate != NULL || delegate_element != NULL) +
            (event != NULL);

    if (http != NULL) {
        node->service = SERVICE_HTTP;
        read_http(process, index, http);
    } else if (sql != NULL || sql_element != NULL) {
        node->service = SERVICE_SQL;
        read_delegate(process, index, sql, sql_element);
    } else if (delegate != NULL || delegate_element != NULL) {
        node->service = SERVICE_DELEGATE;
        read_delegate(process, index, delegate, delegate_element);
    } else if (event != NULL) {
        node->service = SERVICE_EVENT;
        read_event_put(process, index, event);
    } else if (expression != NULL) {
        node->service = SERVICE_EXPRESSION;
        node->expression = text_expression(process, holder, "The attribute expression", expression);
    }
    if (n > 1)
        report(
            file, CODE_SEVERAL_IMPLEMENTATIONS, e,
            "%s has more than one of an expression, pawl:http, pawl:sql, pawl:delegate, pawl:event "
            "and an external task (or Java code). Make them tasks of their own.",
            element_shown(file, e));
    read_result_variable(process, index, holder);
}

/* It was said already that its implementation is refused: one finding is enough. */
static bool has_refused_type(const struct xml_element *e)
{
    return xml_extension(e, "type") != NULL || xml_extension(e, "topic") != NULL ||
           extension_child(e, "connector") != NULL;
}

static void read_service_task(struct process_build *process, int index)
{
    const struct xml_element *e = process->sites[index].element;

    read_service(process, index, e);
    if (process->graph->nodes[index].service != SERVICE_NONE || has_refused_type(e) ||
        process->graph->nodes[index].callback != NULL)
        return;
    report(process->file, CODE_NO_IMPLEMENTATION, e,
           "%s does not say what it does. Add pawl:http (a remote call) to its extension elements, "
           "pawl:event (an event for a bus), pawl:sql=\"NAME\" (a SQL delegate), "
           "pawl:delegate=\"NAME\" (a C function), "
           "camunda:expression=\"${…}\", or camunda:type=\"external\" with a topic; if nothing is "
           "to be done, make it a plain task.",
           element_shown(process->file, e));
}

static void read_send_task(struct process_build *process, int index)
{
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const char *message = xml_attr(e, "messageRef");

    read_service(process, index, e);
    if (message != NULL)
        read_message(process, e, message, &node->event);
    read_correlation(process, e, NULL, true, &node->event);
    if (node->service != SERVICE_NONE && message != NULL)
        report(process->file, CODE_SEVERAL_IMPLEMENTATIONS, e,
               "%s has both a message and an implementation. Keep the one that it shall do.",
               element_shown(process->file, e));
    if (node->service == SERVICE_NONE && message == NULL && !has_refused_type(e) &&
        node->callback == NULL)
        report(
            process->file, CODE_NO_IMPLEMENTATION, e,
            "%s does not say what it sends. Choose a message (messageRef), or add pawl:http to its "
            "extension elements.",
            element_shown(process->file, e));
}

static void read_receive_task(struct process_build *process, int index)
{
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const char *message = xml_attr(e, "messageRef");

    if (message == NULL && node->callback == NULL)
        report(process->file, CODE_RECEIVE_WITHOUT_MESSAGE, e,
               "%s names no message, so nothing could ever end it. Choose one (messageRef).",
               element_shown(process->file, e));
    else if (message != NULL)
        read_message(process, e, message, &node->event);
    read_correlation(process, e, NULL, false, &node->event);
}

static void read_user_task(struct process_build *process, int index)
{
    struct graph *graph = process->graph;
    const struct xml_element *e = process->sites[index].element;
    struct user_task *task = arena_alloc(&graph->arena, sizeof(*task));
    const char *form = xml_extension(e, "formKey");

    task->assignee = text_optional(process, e, "assignee", xml_extension(e, "assignee"));
    task->candidate_users =
        text_optional(process, e, "candidateUsers", xml_extension(e, "candidateUsers"));
    task->candidate_groups =
        text_optional(process, e, "candidateGroups", xml_extension(e, "candidateGroups"));
    task->priority = text_optional(process, e, "priority", xml_extension(e, "priority"));
    task->due_date = text_optional(process, e, "dueDate", xml_extension(e, "dueDate"));
    task->follow_up_date =
        text_optional(process, e, "followUpDate", xml_extension(e, "followUpDate"));
    task->form_key = form != NULL ? arena_strdup(&graph->arena, form) : NULL;
    check_integer(process, e, "priority", task->priority);
    check_date(process, e, "dueDate", task->due_date, true);
    check_date(process, e, "followUpDate", task->follow_up_date, true);
    graph->nodes[index].user_task = task;
}

/* ---- Call activities ---- */

static void read_binding(struct process_build *process, const struct xml_element *e,
                         struct call_activity *call)
{
    struct file_build *file = process->file;
    const char *binding = xml_extension(e, "calledElementBinding");
    const char *version = xml_extension(e, "calledElementVersion");

    if (text_bool(file, e, "sameDeployment", xml_value(e, SPACE_FLOWABLE, "sameDeployment"), false))
        call->binding = BINDING_DEPLOYMENT;
    if (binding == NULL || strcmp(binding, "latest") == 0)
        return;
    if (strcmp(binding, "deployment") == 0) {
        call->binding = BINDING_DEPLOYMENT;
    } else if (strcmp(binding, "version") == 0) {
        call->binding = BINDING_VERSION;
        call->version = text_optional(process, e, "calledElementVersion", version);
        check_integer(process, e, "calledElementVersion", call->version);
        if (version == NULL || xml_blank(version))
            report(
                file, CODE_BAD_CALL, e,
                "%s is bound to a version but names none. Add calledElementVersion, or bind it to "
                "latest.",
                element_shown(file, e));
    } else {
        report(file, CODE_BAD_CALL, e,
               "calledElementBinding=\"%.60s\" of %s is not known. Write latest, deployment or "
               "version.",
               binding, element_shown(file, e));
    }
}

/* camunda:in businessKey="…", Flowable's attributes. */
static void read_business_key(struct process_build *process, const struct xml_element *e,
                              struct call_activity *call)
{
    const char *key = xml_value(e, SPACE_FLOWABLE, "businessKey");

    for (const struct xml_element *c = extensions(e); c != NULL; c = c->next)
        if ((c->space == SPACE_CAMUNDA || c->space == SPACE_FLOWABLE) &&
            strcmp(c->name, "in") == 0 && xml_attr(c, "businessKey") != NULL)
            key = xml_attr(c, "businessKey");
    if (key == NULL && text_bool(process->file, e, "inheritBusinessKey",
                                 xml_value(e, SPACE_FLOWABLE, "inheritBusinessKey"), false))
        key = "${execution.processBusinessKey}";
    call->business_key = text_optional(process, e, "businessKey", key);
}

static void read_call_activity(struct process_build *process, int index)
{
    struct file_build *file = process->file;
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const char *called = xml_attr(e, "calledElement");
    const char *type = xml_value(e, SPACE_FLOWABLE, "calledElementType");

    node->call = arena_alloc(&process->graph->arena, sizeof(*node->call));
    node->call->called_element = text_optional(process, e, "calledElement", called);
    bool refused = xml_extension(e, "caseRef") != NULL;
    if (!refused && (called == NULL || xml_blank(called)))
        report(file, CODE_BAD_CALL, e,
               "%s names no process. Set calledElement to the key of the process to call.",
               element_shown(file, e));
    if (type != NULL && strcmp(type, "key") != 0)
        report(file, CODE_UNSUPPORTED_EXTENSION, e,
               "calledElementType=\"%.60s\" of %s is not supported. Call the process by its key.",
               type, element_shown(file, e));
    read_binding(process, e, node->call);
    read_business_key(process, e, node->call);
    read_call_mappings(process, index);
}

static void read_sub_process(struct process_build *process, int index)
{
    struct file_build *file = process->file;
    struct graph *graph = process->graph;
    const struct xml_element *e = process->sites[index].element;
    struct node *node = &graph->nodes[index];
    const char *triggered = xml_attr(e, "triggeredByEvent");
    unsigned n_starts = 0;

    if (triggered != NULL && strcmp(triggered, "false") != 0) {
        process->sites[index].refused = true;
        return;
    }
    for (const struct xml_element *c = e->first; c != NULL; c = c->next) {
        int start = element_node(process, c);
        if (start < 0 || graph->nodes[start].kind != NODE_START_EVENT)
            continue;
        if (n_starts++ == 0)
            node->start = start;
        else
            report(
                file, CODE_SEVERAL_START_EVENTS, c,
                "%s has more than one start event. Keep one; use a parallel gateway behind it to "
                "start several paths.",
                element_shown(file, e));
    }
    if (n_starts == 0)
        report(file, CODE_NO_START_EVENT, e, "%s has no start event. Add a none start event to it.",
               element_shown(file, e));
}

void read_activity(struct process_build *process, int index)
{
    read_callback(process, index);
    process->graph->nodes[index].level = read_level(process, process->sites[index].element);
    switch (process->graph->nodes[index].kind) {
    case NODE_SERVICE_TASK:
        read_service_task(process, index);
        break;
    case NODE_SEND_TASK:
        read_send_task(process, index);
        break;
    case NODE_RECEIVE_TASK:
        read_receive_task(process, index);
        break;
    case NODE_USER_TASK:
        read_user_task(process, index);
        break;
    case NODE_CALL_ACTIVITY:
        read_call_activity(process, index);
        break;
    case NODE_SUB_PROCESS:
        read_sub_process(process, index);
        break;
    case NODE_SCRIPT_TASK:
        read_script_task(process, index);
        break;
    default: /* plain and manual tasks and gateways have nothing of their own */
        break;
    }
}
