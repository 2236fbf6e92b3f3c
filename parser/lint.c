/* SPDX-License-Identifier: Apache-2.0 */
/* Advice about a process that can be deployed: what will hang, never run, or surprise. */
#include "base/build.h"

#include "parser/build.h"

bool lint_waits_for_message(const struct node *node)
{
    if (node->kind == NODE_RECEIVE_TASK)
        return node->callback == NULL || node->event.message_name != NULL;
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

/* Somebody in the file calls the process and limits its time. */
static bool is_called_timed(const struct process_build *process)
{
    size_t n = 0;
    const struct caller *callers = lint_callers(process->file, process->graph->key, &n);

    for (size_t i = 0; i < n; i++)
        if (is_timed(callers[i].graph, callers[i].node))
            return true;
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
        bool message = lint_waits_for_message(node) && node->kind != NODE_BOUNDARY_EVENT &&
                       !is_behind_gateway(graph, node);
        /* A callback's time is over some day. */
        if ((!gateway && !message) || is_timed(graph, node) || node->callback != NULL)
            continue;
        report(file, CODE_WAIT_WITHOUT_TIMEOUT, e, "%s waits for ever if nothing comes. %s",
               element_shown(file, e),
               gateway ? "Add an intermediate timer event behind it."
               : node->kind == NODE_RECEIVE_TASK
                   ? "Attach a timer boundary event to it."
                   : "Put an event-based gateway before it, with a timer event as the other way "
                     "out, or "
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
            int next = i < node->n_out                      ? graph->flows[node->out[i]].target
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
        return node->service == SERVICE_EXTERNAL || node_awaits_call(node);
    }
}

/* The token comes to `to` in the transaction in which `worker` did its work. */
static void share(const struct graph *graph, int to, int worker, int *shared, int *stack, size_t *n)
{
    if (graph->nodes[to].async_before || shared[to] != 0)
        return;
    shared[to] = worker + 1;
    stack[(*n)++] = to;
}

/*
 * For each node an element (its index + 1) that works before it in the same transaction; 0: none.
 * One flood from all that works, over everything that does not rest.
 */
static int *find_shared(struct process_build *process)
{
    const struct graph *graph = process->graph;
    int *shared = arena_array(process->file->arena, graph->n_nodes, sizeof(*shared));
    int *stack = arena_array(process->file->arena, graph->n_nodes, sizeof(*stack));

    for (size_t w = 0; w < graph->n_nodes; w++) {
        const struct node *worker = &graph->nodes[w];
        size_t n = 0;
        if (!does_work(worker) || rests(worker) || worker->async_after)
            continue;
        for (size_t i = 0; i < worker->n_out; i++)
            share(graph, graph->flows[worker->out[i]].target, (int)w, shared, stack, &n);
        while (n > 0) {
            const struct node *node = &graph->nodes[stack[--n]];
            if (node->start >= 0)
                share(graph, node->start, (int)w, shared, stack, &n);
            if (rests(node) || node->async_after)
                continue;
            for (size_t i = 0; i < node->n_out; i++)
                share(graph, graph->flows[node->out[i]].target, (int)w, shared, stack, &n);
        }
    }
    return shared;
}

static void lint_boundaries(struct process_build *process)
{
    struct file_build *file = process->file;
    const struct graph *graph = process->graph;
    const int *shared = find_shared(process);

    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct node *node = &graph->nodes[i];
        if (!node_awaits_call(node) || node->script != NULL || shared[i] == 0)
            continue;
        const struct xml_element *e = element_of(process, i);
        report(file, CODE_HIDDEN_BOUNDARY, e,
               "%s calls a service, so everything before it is committed first, from "
               "'%.100s' on: "
               "a transaction boundary that the model does not show. Mark it asyncBefore.",
               element_shown(file, e), graph->nodes[shared[i] - 1].id);
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
            node->event.kind == EVENT_TIMER || lint_waits_for_message(node) ||
            node->kind == NODE_USER_TASK || node->kind == NODE_CALL_ACTIVITY ||
            node->service == SERVICE_EXTERNAL || node->callback != NULL)
            continue;
        const struct xml_element *e = element_of(process, i);
        report(file, CODE_RETRY_WITHOUT_JOB, e,
               "%s has no effect on %s: it runs in the transaction of what comes before it, and is "
               "repeated with that. Mark it asyncBefore.",
               node->retry->kind == RETRY_BACKOFF ? "pawl:retry" : "failedJobRetryTimeCycle",
               element_shown(file, e));
    }
}

/* The messages that the process waits for, sorted. False if one is only known when it runs. */
static bool awaited_messages(struct process_build *process, const char ***ret_names, size_t *ret_n)
{
    const struct graph *graph = process->graph;

    *ret_names = arena_array(process->file->arena, graph->n_nodes, sizeof(**ret_names));
    *ret_n = 0;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct node *node = &graph->nodes[i];
        if (!lint_waits_for_message(node) || node->event.message_name == NULL)
            continue;
        if (!expr_is_literal(node->event.message_name))
            return false;
        (*ret_names)[(*ret_n)++] = expr_text(node->event.message_name);
    }
    names_sort(*ret_names, *ret_n);
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
            if (message == NULL || names_have(names, n, message))
                continue;
            const struct xml_element *e = element_of(process, i);
            report(file, CODE_ANSWER_WITHOUT_CATCHER, e,
                   "%s turns an answer into the message '%.100s', but no event of the process "
                   "waits for "
                   "it. Add one, or correct the name.",
                   element_shown(file, e), message);
        }
    }
}

/* ---- The file ---- */

static int compare_callers(const void *left, const void *right)
{
    const struct caller *a = left;
    const struct caller *b = right;

    return strcmp(a->key, b->key);
}

static void index_callers(struct file_build *file)
{
    size_t capacity = 0;

    for (size_t p = 0; p < file->n_processes; p++) {
        const struct graph *graph = file->processes[p].graph;
        for (size_t i = 0; i < graph->n_nodes; i++) {
            const struct node *node = &graph->nodes[i];
            if (node->kind != NODE_CALL_ACTIVITY || !expr_is_literal(node->call->called_element))
                continue;
            *arena_push(file->arena, file->callers, file->n_callers, capacity) = (struct caller){
                .key = expr_text(node->call->called_element),
                .process = p,
                .graph = graph,
                .node = node,
            };
        }
    }
    if (file->n_callers > 1)
        qsort(file->callers, file->n_callers, sizeof(*file->callers), compare_callers);
}

const struct caller *lint_callers(const struct file_build *file, const char *key, size_t *ret_n)
{
    size_t low = 0;
    size_t high = file->n_callers;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(file->callers[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_n = 0;
    while (low + *ret_n < file->n_callers && strcmp(file->callers[low + *ret_n].key, key) == 0)
        (*ret_n)++;
    return *ret_n > 0 ? &file->callers[low] : NULL;
}

void lint_file(struct file_build *file)
{
    index_callers(file);
    file->error_seen = arena_array(file->arena, file->n_processes, sizeof(*file->error_seen));
    file->error_queue = arena_array(file->arena, file->n_processes, sizeof(*file->error_queue));
    for (size_t i = 0; i < file->n_processes; i++) {
        struct process_build *process = &file->processes[i];
        lint_waits(process);
        lint_reachable(process);
        lint_boundaries(process);
        lint_retries(process);
        lint_answers(process);
        lint_errors(process);
        lint_variables(process);
    }
}
