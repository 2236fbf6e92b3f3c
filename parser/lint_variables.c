/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advice about variables that are read and that nothing can have set. A start, a message or a
 * person may bring any variable, so little can be known for sure; where it can not, nothing is
 * said:
 *   - `response` outside of the answers of a call (`result` of a delegate is a name that a process
 * may well use itself);
 *   - a name that is another one but for a slip (letter case, two letters swapped, one letter
 * wrong);
 *   - any unknown name in a process into which nothing comes from outside.
 */
#include "base/build.h"

#include <ctype.h>

#include "parser/build.h"

/* In a larger process slips are not looked for: the time would grow with the square. */
#define NAMES_MAX 2000u

struct variables {
    struct process_build *process;
    const char **names; /* what the process sets, sorted */
    size_t n, capacity;
    bool open;  /* anything may come from outside */
    bool calls; /* it has a remote call */
    /* where the expression stands that is looked at */
    const struct xml_element *at;
    bool in_answer, in_delegate, in_callback;
    const char **said; /* each name is reported once */
    size_t n_said, said_capacity;
};

/* ---- What is set ---- */

static void add(struct variables *v, const char *name)
{
    if (name != NULL)
        *arena_push(v->process->file->arena, v->names, v->n, v->capacity) = name;
}

static void add_mappings(struct variables *v, const struct mapping *mappings, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add(v, mappings[i].name);
}

static void collect(struct variables *v, const struct node *node)
{
    add_mappings(v, node->inputs, node->n_inputs);
    add_mappings(v, node->outputs, node->n_outputs);
    add(v, node->result_variable);
    add(v, node->event.error_code_variable);
    add(v, node->event.error_message_variable);
    if (node->service == SERVICE_HTTP) {
        v->calls = true;
        add_mappings(v, node->http->outputs, node->http->n_outputs);
        for (size_t i = 0; i < node->http->n_answers; i++)
            add_mappings(v, node->http->answers[i].outputs, node->http->answers[i].n_outputs);
    }
    if (node->delegate != NULL)
        add_mappings(v, node->delegate->outputs, node->delegate->n_outputs);
    if (node->callback != NULL)
        add_mappings(v, node->callback->outputs, node->callback->n_outputs);
    for (size_t i = 0; node->call != NULL && i < node->call->n_out; i++) {
        add(v, node->call->out[i].target);
        v->open |= node->call->out[i].kind == CALL_MAP_ALL;
    }
    if (node->multi != NULL) {
        static const char *const names[] = {"loopCounter", "nrOfInstances", "nrOfActiveInstances",
                                            "nrOfCompletedInstances"};
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            add(v, names[i]);
        add(v, node->multi->element_variable);
        add(v, node->multi->index_variable);
        add(v, node->multi->output_collection);
        add(v, node->multi->output_variable);
    }
    bool start_by_timer = node->kind == NODE_START_EVENT && node->event.kind == EVENT_TIMER;
    bool inner_start = node->kind == NODE_START_EVENT && node->scope >= 0;
    v->open |= (node->kind == NODE_START_EVENT && !start_by_timer && !inner_start) ||
               node->kind == NODE_USER_TASK || node->service == SERVICE_EXTERNAL ||
               (node->callback != NULL && node->callback->n_outputs == 0) ||
               lint_waits_for_message(node);
}

/* ---- Slips ---- */

/* One letter is wrong, missing or too many inside, or two neighbours are swapped. */
static bool is_slip(const char *read, const char *known)
{
    size_t n = strlen(read);
    size_t m = strlen(known);
    size_t front = 0;
    size_t back = 0;

    if (strcasecmp(read, known) == 0)
        return true;
    if (n < 6 || m < 6 || (n > m ? n - m : m - n) > 1)
        return false;
    while (read[front] != '\0' && read[front] == known[front])
        front++;
    while (back < n - front && back < m - front && read[n - 1 - back] == known[m - 1 - back])
        back++;
    size_t middle = n - front - back;
    size_t middle_known = m - front - back;
    for (size_t i = front; i < n - back; i++)
        if (!isalpha((unsigned char)read[i]))
            return false;
    for (size_t i = front; i < m - back; i++)
        if (!isalpha((unsigned char)known[i]))
            return false;
    if (middle == 2 && middle_known == 2)
        return read[front] == known[front + 1] && read[front + 1] == known[front];
    /* item and items, order1 and order2 are names of their own. */
    return front > 0 && back > 0 && middle <= 1 && middle_known <= 1;
}

static const char *find_slip(const struct variables *v, const char *read)
{
    if (v->in_answer && is_slip(read, "response"))
        return "response";
    for (size_t i = 0; i < v->n && v->n <= NAMES_MAX; i++)
        if (is_slip(read, v->names[i]))
            return v->names[i];
    return NULL;
}

/* ---- What is read ---- */

static bool said_before(struct variables *v, const char *name)
{
    for (size_t i = 0; i < v->n_said; i++)
        if (strcmp(v->said[i], name) == 0)
            return true;
    return v->n_said >= 100;
}

static void judge(void *context, const char *name)
{
    struct variables *v = context;
    struct file_build *file = v->process->file;
    bool response = strcmp(name, "response") == 0;

    if ((response && v->in_answer) || (v->in_delegate && strcmp(name, "result") == 0) ||
        (v->in_callback && strcmp(name, "callback") == 0) ||
        (v->process->graph->n_parameters > 0 && strcmp(name, "parameters") == 0) ||
        strcmp(name, "execution") == 0 || said_before(v, name) || names_have(v->names, v->n, name))
        return;
    const char *slip = find_slip(v, name);
    if (response && v->calls)
        report(
            file, CODE_UNKNOWN_VARIABLE, v->at,
            "%s reads `response`, which exists only inside pawl:http (when and pawl:output). Keep "
            "what you need of it in a pawl:output.",
            element_shown(file, v->at));
    else if (slip != NULL)
        report(
            file, CODE_UNKNOWN_VARIABLE, v->at,
            "%s reads the variable '%.100s', which nothing in the process sets. Is '%.100s' meant?",
            element_shown(file, v->at), name, slip);
    else if (!v->open)
        report(
            file, CODE_UNKNOWN_VARIABLE, v->at,
            "%s reads the variable '%.100s', but nothing in the process sets it, and nothing comes "
            "into the process from outside. Set it before, or correct the name.",
            element_shown(file, v->at), name);
    else
        return;
    *arena_push(file->arena, v->said, v->n_said, v->said_capacity) =
        arena_strdup(file->arena, name);
}

static void look(struct variables *v, const struct expr *expr)
{
    if (expr != NULL)
        expr_each_variable(expr, judge, v);
}

static void look_mappings(struct variables *v, const struct mapping *mappings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        look(v, mappings[i].value);
        look_mappings(v, mappings[i].items, mappings[i].n_items);
    }
}

static void look_http(struct variables *v, const struct http_call *http)
{
    look(v, http->endpoint);
    look(v, http->path);
    look(v, http->body);
    for (size_t i = 0; i < http->n_query; i++)
        look(v, http->query[i].value);
    for (size_t i = 0; i < http->n_headers; i++)
        look(v, http->headers[i].value);
    v->in_answer = true;
    for (size_t i = 0; i < http->n_answers; i++) {
        look(v, http->answers[i].when);
        look(v, http->answers[i].error_message);
        look_mappings(v, http->answers[i].outputs, http->answers[i].n_outputs);
    }
    look_mappings(v, http->outputs, http->n_outputs);
    v->in_answer = false;
}

static void look_call(struct variables *v, const struct call_activity *call)
{
    look(v, call->called_element);
    look(v, call->version);
    look(v, call->business_key);
    for (size_t i = 0; i < call->n_in; i++)
        look(v, call->in[i].expression); /* out is evaluated in the called process */
}

static void look_callback(struct variables *v, const struct callback *callback)
{
    look(v, callback->timeout);
    look(v, callback->heartbeat);
    look(v, callback->allowed_caller);
    look_mappings(v, callback->outputs, callback->n_outputs);
}

static void look_node(struct variables *v, const struct node *node)
{
    v->in_callback = node->callback != NULL;
    if (node->callback != NULL)
        look_callback(v, node->callback);
    look_mappings(v, node->inputs, node->n_inputs);
    look(v, node->expression);
    look(v, node->event.message_name);
    look(v, node->event.correlation_key);
    look(v, node->event.time_to_live);
    look(v, node->event.time);
    if (node->retry != NULL)
        look(v, node->retry->expression);
    if (node->multi != NULL) {
        look(v, node->multi->cardinality);
        look(v, node->multi->collection);
        look(v, node->multi->completion);
        look(v, node->multi->output_element);
        if (node->multi->collection_variable != NULL)
            judge(v, node->multi->collection_variable);
    }
    if (node->http != NULL)
        look_http(v, node->http);
    if (node->external != NULL) {
        look(v, node->external->topic);
        look(v, node->external->priority);
    }
    if (node->delegate != NULL)
        look_mappings(v, node->delegate->inputs, node->delegate->n_inputs);
    if (node->put != NULL) {
        look(v, node->put->bus);
        look(v, node->put->source);
        look(v, node->put->detail_type);
        look(v, node->put->detail);
        look_mappings(v, node->put->details, node->put->n_details);
    }
    v->in_delegate = node->delegate != NULL;
    look_mappings(v, node->outputs, node->n_outputs);
    if (node->delegate != NULL)
        look_mappings(v, node->delegate->outputs, node->delegate->n_outputs);
    v->in_delegate = false;
    if (node->call != NULL)
        look_call(v, node->call);
    if (node->user_task != NULL) {
        look(v, node->user_task->assignee);
        look(v, node->user_task->candidate_users);
        look(v, node->user_task->candidate_groups);
        look(v, node->user_task->priority);
        look(v, node->user_task->due_date);
        look(v, node->user_task->follow_up_date);
    }
}

void lint_variables(struct process_build *process)
{
    const struct graph *graph = process->graph;
    struct variables v = {.process = process};

    for (size_t i = 0; i < graph->n_nodes; i++)
        collect(&v, &graph->nodes[i]);
    names_sort(v.names, v.n);
    for (size_t i = 0; i < graph->n_nodes; i++) {
        v.at = process->sites[i].element;
        look_node(&v, &graph->nodes[i]);
    }
    v.in_callback = false;
    for (size_t i = 0; i < graph->n_flows; i++) {
        v.at = process->flow_sites[i];
        look(&v, graph->flows[i].condition);
    }
}
