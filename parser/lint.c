/* SPDX-License-Identifier: Apache-2.0 */
/* Advice about a process that can be deployed: what will hang, never run, or surprise. */
#include "base/build.h"

#include "parser/build.h"

bool node_waits_for_message(const struct node *node)
{
    if (node->kind == NODE_RECEIVE_TASK)
        return true;
    return node->event.kind == EVENT_MESSAGE &&
           (node->kind == NODE_CATCH_EVENT || node->kind == NODE_BOUNDARY_EVENT);
}

static const struct xml_element *element_of(const struct process_build *process, size_t index)
{
    return process->sites[index].element;
}

/* ---- Waits without a timeout ---- */

static bool has_boundary_timer(const struct graph *graph, const struct node *node)
{
    for (size_t i = 0; i < node->n_boundary; i++)
        if (graph->nodes[node->boundary[i]].event.kind == EVENT_TIMER)
            return true;
    return false;
}

/* A timer sits on the node or on a sub-process around it. */
static bool is_timed(const struct graph *graph, const struct node *node)
{
    if (has_boundary_timer(graph, node))
        return true;
    for (int scope = node->scope; scope >= 0; scope = graph->nodes[scope].scope)
        if (has_boundary_timer(graph, &graph->nodes[scope]))
            return true;
    return false;
}

static bool calls(const struct node *node, const char *key)
{
    return node->kind == NODE_CALL_ACTIVITY && node->call->called_element != NULL &&
           expr_is_literal(node->call->called_element) &&
           strcmp(expr_text(node->call->called_element), key) == 0;
}

/* Somebody in the file calls the process and limits its time. */
static bool is_called_timed(const struct process_build *process)
{
    const struct file_build *file = process->file;

    for (size_t p = 0; p < file->n_processes; p++) {
        const struct graph *graph = file->processes[p].graph;
        for (size_t i = 0; i < graph->n_nodes; i++)
            if (calls(&graph->nodes[i], process->graph->key) && is_timed(graph, &graph->nodes[i]))
                return true;
    }
    return false;
}

/* All that leads to the event is an event-based gateway, which is judged in its place. */
static bool is_behind_gateway(const struct graph *graph, const struct node *node)
{
    for (size_t i = 0; i < node->n_in; i++)
        if (graph->nodes[graph->flows[node->in[i]].source].kind != NODE_EVENT_GATEWAY)
            return false;
    return node->n_in > 0;
}

static bool gateway_has_timer(const struct graph *graph, const struct node *gateway)
{
    for (size_t i = 0; i < gateway->n_out; i++)
        if (graph->nodes[graph->flows[gateway->out[i]].target].event.kind == EVENT_TIMER)
            return true;
    return false;
}

static void lint_waits(struct process_build *process)
{
    struct file_build *file = process->file;
    const struct graph *graph = process->graph;
    bool called_timed = is_called_timed(process);

    for (size_t i = 0; i < graph->n_nodes && !called_timed; i++) {
        const struct node *node = &graph->nodes[i];
        const struct xml_element *e = element_of(process, i);
        bool gateway = node->kind == NODE_EVENT_GATEWAY && !gateway_has_timer(graph, node);
        bool message = node_waits_for_message(node) && node->kind != NODE_BOUNDARY_EVENT &&
                       !is_behind_gateway(graph, node);
        if ((!gateway && !message) || is_timed(graph, node))
            continue;
        report(file, CODE_WAIT_WITHOUT_TIMEOUT, e,
               "%s waits for ever if nothing comes. %s", element_shown(file, e),
               gateway ? "Add an intermediate timer event behind it."
               : node->kind == NODE_RECEIVE_TASK
                   ? "Attach a timer boundary event to it."
                   : "Put an event-based gateway before it, with a timer event as the other way out, or "
                     "a timer boundary event on a sub-process around it.");
    }
}

/* ---- Unreachable elements ---- */

/* Marks what can be reached from a node; `stack` has room for each node once. */
static void flood(const struct graph *graph, int from, bool *reached, int *stack)
{
    size_t n = 0;

    if (reached[from])
        return;
    reached[from] = true;
    stack[n++] = from;
    while (n > 0) {
        const struct node *node = &graph->nodes[stack[--n]];
        for (size_t i = 0; i < node->n_out + node->n_boundary + 1; i++) {
            int next = i < node->n_out ? graph->flows[node->out[i]].target
                       : i < node->n_out + node->n_boundary ? node->boundary[i - node->n_out]
                                                            : node->start;
            if (next >= 0 && !reached[next]) {
                reached[next] = true;
                stack[n++] = next;
            }
        }
    }
}

static void lint_reachable(struct process_build *process)
{
    struct file_build *file = process->file;
    const struct graph *graph = process->graph;
    bool *reached = arena_array(file->arena, graph->n_nodes, sizeof(*reached));
    int *stack = arena_array(file->arena, graph->n_nodes, sizeof(*stack));

    if (graph->none_start >= 0)
        flood(graph, graph->none_start, reached, stack);
    for (size_t i = 0; i < graph->n_event_starts; i++)
        flood(graph, graph->event_starts[i], reached, stack);
    /* One finding for each piece: first those where it begins, then what only leads to itself. */
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < graph->n_nodes; i++) {
            const struct node *node = &graph->nodes[i];
            bool inner = node->kind == NODE_BOUNDARY_EVENT || node->kind == NODE_START_EVENT;
            if (reached[i] || (pass == 0 && (node->n_in > 0 || inner)))
                continue;
            flood(graph, (int)i, reached, stack);
            report(file, CODE_UNREACHABLE_ELEMENT, element_of(process, i),
                   "No path from a start event leads to %s%s. Connect it, or remove it.",
                   element_shown(file, element_of(process, i)),
                   node->n_out > 0 ? ", so what lies behind it never runs either" : "");
        }
    }
}

/* ---- Boundaries that the model does not show ---- */

static bool does_work(const struct node *node)
{
    if (node->service != SERVICE_NONE)
        return true;
    return (node->kind == NODE_SEND_TASK || node->kind == NODE_THROW_EVENT) &&
           node->event.message_name != NULL;
}

/* The token came to rest here: what runs behind it is a transaction of its own. */
static bool rests(const struct node *node)
{
    switch (node->kind) {
    case NODE_CATCH_EVENT:
    case NODE_BOUNDARY_EVENT:
    case NODE_RECEIVE_TASK:
    case NODE_USER_TASK:
    case NODE_CALL_ACTIVITY:
    case NODE_SUB_PROCESS:
        return true;
    default:
        return node->http != NULL && node->http->mode == HTTP_WAIT;
    }
}

/* The nearest element before `from` that works in its transaction, or -1. */
static int shares_with(struct process_build *process, int from, int *stamp, int *stack)
{
    const struct graph *graph = process->graph;
    size_t n = 0;

    stack[n++] = from;
    stamp[from] = from + 1;
    while (n > 0) {
        const struct node *node = &graph->nodes[stack[--n]];
        bool enters = node->kind == NODE_START_EVENT && node->scope >= 0;
        const struct node *entry = enters ? &graph->nodes[node->scope] : node;
        if (node->async_before || entry->async_before)
            continue;
        for (size_t i = 0; i < entry->n_in; i++) {
            int source = graph->flows[entry->in[i]].source;
            const struct node *before = &graph->nodes[source];
            if (stamp[source] == from + 1 || before->async_after || rests(before))
                continue;
            if (does_work(before))
                return source;
            stamp[source] = from + 1;
            stack[n++] = source;
        }
    }
    return -1;
}

static void lint_boundaries(struct process_build *process)
{
    struct file_build *file = process->file;
    const struct graph *graph = process->graph;
    int *stamp = arena_array(file->arena, graph->n_nodes, sizeof(*stamp));
    int *stack = arena_array(file->arena, graph->n_nodes + 1, sizeof(*stack));

    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct node *node = &graph->nodes[i];
        if (node->http == NULL || node->http->mode != HTTP_WAIT || node->async_before)
            continue;
        int shared = shares_with(process, (int)i, stamp, stack);
        if (shared < 0)
            continue;
        const struct xml_element *e = element_of(process, i);
        report(file, CODE_HIDDEN_BOUNDARY, e,
               "%s calls a remote service, so everything before it is committed first, from '%.100s' on: "
               "a transaction boundary that the model does not show. Mark it asyncBefore.",
               element_shown(file, e), graph->nodes[shared].id);
    }
}

/* ---- Retries and answers without effect ---- */

static void lint_retries(struct process_build *process)
{
    struct file_build *file = process->file;
    const struct graph *graph = process->graph;

    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct node *node = &graph->nodes[i];
        if (node->retry == NULL || node->async_before || node->async_after || node->http != NULL ||
            node->event.kind == EVENT_TIMER || node_waits_for_message(node) ||
            node->kind == NODE_USER_TASK || node->kind == NODE_CALL_ACTIVITY)
            continue;
        const struct xml_element *e = element_of(process, i);
        report(file, CODE_RETRY_WITHOUT_JOB, e,
               "failedJobRetryTimeCycle has no effect on %s: it runs in the transaction of what comes "
               "before it, and is repeated with that. Mark it asyncBefore.",
               element_shown(file, e));
    }
}

static int compare_names(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;

    return strcmp(*a, *b);
}

/* The messages that the process waits for, sorted. False if one is only known when it runs. */
static bool awaited_messages(struct process_build *process, const char ***ret_names, size_t *ret_n)
{
    const struct graph *graph = process->graph;

    *ret_names = arena_array(process->file->arena, graph->n_nodes, sizeof(**ret_names));
    *ret_n = 0;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct node *node = &graph->nodes[i];
        if (!node_waits_for_message(node) || node->event.message_name == NULL)
            continue;
        if (!expr_is_literal(node->event.message_name))
            return false;
        (*ret_names)[(*ret_n)++] = expr_text(node->event.message_name);
    }
    if (*ret_n > 1)
        qsort(*ret_names, *ret_n, sizeof(**ret_names), compare_names);
    return true;
}

static void lint_answers(struct process_build *process)
{
    struct file_build *file = process->file;
    const struct graph *graph = process->graph;
    const char **names = NULL;
    size_t n = 0;

    if (!awaited_messages(process, &names, &n))
        return;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct http_call *http = graph->nodes[i].http;
        for (size_t k = 0; http != NULL && k < http->n_answers; k++) {
            const char *message = http->answers[k].message;
            if (message == NULL || bsearch(&message, names, n, sizeof(*names), compare_names) != NULL)
                continue;
            const struct xml_element *e = element_of(process, i);
            report(file, CODE_ANSWER_WITHOUT_CATCHER, e,
                   "%s turns an answer into the message '%.100s', but no event of the process waits for "
                   "it. Add one, or correct the name.",
                   element_shown(file, e), message);
        }
    }
}

void lint_process(struct process_build *process)
{
    lint_waits(process);
    lint_reachable(process);
    lint_boundaries(process);
    lint_retries(process);
    lint_answers(process);
    lint_errors(process);
    lint_variables(process);
}
