/* SPDX-License-Identifier: Apache-2.0 */
/* Advice about BPMN errors that are thrown and that nobody catches. */
#include "base/build.h"

#include "parser/build.h"

static bool catches(const struct graph *graph, const struct node *node, const char *code)
{
    for (size_t i = 0; i < node->n_boundary; i++) {
        const struct event_definition *event = &graph->nodes[node->boundary[i]].event;
        if (event->kind == EVENT_ERROR &&
            (event->error_code == NULL || strcmp(event->error_code, code) == 0))
            return true;
    }
    return false;
}

/* Caught at the node itself or at a sub-process around it. */
static bool caught_at(const struct graph *graph, const struct node *node, const char *code)
{
    if (catches(graph, node, code))
        return true;
    for (int scope = node->scope; scope >= 0; scope = graph->nodes[scope].scope)
        if (catches(graph, &graph->nodes[scope], code))
            return true;
    return false;
}

/* Past so many steps a file is too entangled for advice about its errors. */
#define STEPS_MAX 300000u

/*
 * Follows the error up through the callers in the file, and theirs. True if it comes out at a
 * process that nobody here calls; *ret_callers counts the callers of the process that throws.
 */
static bool gets_through(struct file_build *file, size_t thrower, const char *code,
                         size_t *ret_callers)
{
    *ret_callers = 0;
    if (file->error_steps++ >= STEPS_MAX)
        return false;
    size_t end = 0;

    /* A round for each error: what was seen in an earlier one has another number. */
    unsigned *seen = file->error_seen;
    size_t *queue = file->error_queue;
    unsigned round = ++file->error_rounds;
    queue[end++] = thrower;
    seen[thrower] = round;
    for (size_t begin = 0; begin < end; begin++) {
        size_t n = 0;
        const char *key = file->processes[queue[begin]].graph->key;
        const struct caller *callers = lint_callers(file, key, &n);
        for (size_t i = 0; i < n && file->error_steps < STEPS_MAX; i++) {
            file->error_steps++;
            size_t p = callers[i].process;
            if (seen[p] == round || caught_at(callers[i].graph, callers[i].node, code))
                continue;
            seen[p] = round;
            queue[end++] = p;
        }
        if (begin == 0)
            *ret_callers = n;
        if (n == 0)
            return true;
    }
    return false;
}

static void warn(struct process_build *process, size_t index, const char *code)
{
    struct file_build *file = process->file;
    const struct xml_element *e = process->sites[index].element;
    size_t callers = 0;

    if (!gets_through(file, (size_t)(process - file->processes), code, &callers))
        return;
    if (callers == 0)
        report(file, CODE_UNCAUGHT_ERROR, e,
               "%s throws the error '%.100s', which nothing in this file catches; uncaught, it "
               "just ends "
               "the path. Each process that calls '%.100s' needs an error boundary event for it on "
               "its "
               "call activity.",
               element_shown(file, e), code, process->graph->key);
    else
        report(
            file, CODE_UNCAUGHT_ERROR, e,
            "%s throws the error '%.100s', but a process of this file that calls '%.100s' does not "
            "catch it; uncaught, it just ends the path. Add an error boundary event for it to each "
            "call activity.",
            element_shown(file, e), code, process->graph->key);
}

/* Each code once, at the first element that throws it past its own process. */
struct thrown {
    const char **codes;
    size_t n, capacity;
};

static void judge(struct process_build *process, size_t index, const char *code,
                  struct thrown *thrown)
{
    const struct graph *graph = process->graph;

    if (code == NULL || caught_at(graph, &graph->nodes[index], code))
        return;
    for (size_t i = 0; i < thrown->n; i++)
        if (strcmp(thrown->codes[i], code) == 0)
            return;
    if (thrown->n >= 100)
        return; /* more than anybody reads */
    *arena_push(process->file->arena, thrown->codes, thrown->n, thrown->capacity) = code;
    warn(process, index, code);
}

void lint_errors(struct process_build *process)
{
    const struct graph *graph = process->graph;
    struct thrown thrown = {0};

    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct node *node = &graph->nodes[i];
        if (node->kind == NODE_END_EVENT && node->event.kind == EVENT_ERROR)
            judge(process, i, node->event.error_code, &thrown);
        for (size_t k = 0; node->http != NULL && k < node->http->n_answers; k++)
            judge(process, i, node->http->answers[k].error_code, &thrown);
        if (node->http != NULL) {
            judge(process, i, node->http->deadline_error, &thrown);
            judge(process, i, node->http->open_error, &thrown);
        }
        for (size_t k = 0; node->external != NULL && k < node->external->n_errors; k++)
            judge(process, i, node->external->errors[k].code, &thrown);
    }
}
