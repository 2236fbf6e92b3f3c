/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that need the whole process: what may be connected with what. */
#include "base/build.h"

#include "parser/build.h"

static void refuse(struct process_build *process, int index, enum finding_code code,
                   const char *sentence)
{
    const struct xml_element *e = process->sites[index].element;

    report(process->file, code, e, "%s %s", element_shown(process->file, e), sentence);
}

static void check_directions(struct process_build *process, int index)
{
    const struct node *node = &process->graph->nodes[index];

    if (node->kind == NODE_START_EVENT && node->n_in > 0)
        refuse(process, index, CODE_START_WITH_INCOMING,
               "is a start event, but a sequence flow leads to it. Lead it to the element behind.");
    if (node->kind == NODE_END_EVENT && node->n_out > 0)
        refuse(process, index, CODE_END_WITH_OUTGOING,
               "is an end event, but a sequence flow leaves it. Make it an intermediate throw "
               "event, or "
               "remove the flow.");
    if (node->kind == NODE_BOUNDARY_EVENT && node->n_in > 0)
        refuse(process, index, CODE_BOUNDARY_WITH_INCOMING,
               "is a boundary event, but a sequence flow leads to it. Lead it to the activity.");
}

/* ---- Gateways and conditions ---- */

static void check_exclusive(struct process_build *process, int index)
{
    struct graph *graph = process->graph;
    const struct node *node = &graph->nodes[index];

    if (node->n_out == 0) {
        refuse(
            process, index, CODE_GATEWAY_WITHOUT_FLOW,
            "has no outgoing flow, so nothing could ever leave it. Connect it, or make it an end "
            "event.");
        return;
    }
    if (node->n_out == 1) {
        if (graph->flows[node->out[0]].condition != NULL)
            refuse(process, index, CODE_CONDITION_NEEDLESS,
                   "has a single outgoing flow with a condition: what if it does not hold? Add a "
                   "second "
                   "flow, or remove the condition.");
        return;
    }
    for (size_t i = 0; i < node->n_out; i++) {
        const struct xml_element *flow = process->flow_sites[node->out[i]];
        /* A condition that could not be read has been reported. */
        bool bare = xml_child(flow, SPACE_BPMN, "conditionExpression") == NULL;
        if (bare && node->out[i] != node->default_flow)
            report(
                process->file, CODE_CONDITION_MISSING, flow,
                "%s leaves the exclusive gateway '%.100s' without a condition. Add one, or make it "
                "the default flow.",
                element_shown(process->file, flow), node->id);
    }
}

static void check_conditions(struct process_build *process, int index)
{
    struct graph *graph = process->graph;
    const struct node *node = &graph->nodes[index];
    bool forks = node->kind == NODE_PARALLEL_GATEWAY || node->kind == NODE_EVENT_GATEWAY;

    if (node->default_flow >= 0 && graph->flows[node->default_flow].condition != NULL) {
        const struct xml_element *flow = process->flow_sites[node->default_flow];
        report(
            process->file, CODE_DEFAULT_WITH_CONDITION, flow,
            "%s is the default flow of '%.100s' and has a condition. It is taken when no other one "
            "is: remove the condition.",
            element_shown(process->file, flow), node->id);
    }
    for (size_t i = 0; i < node->n_out && forks; i++) {
        const struct xml_element *flow = process->flow_sites[node->out[i]];
        if (graph->flows[node->out[i]].condition != NULL)
            report(process->file, CODE_CONDITION_IGNORED, flow,
                   "The condition of %s is never looked at: %s takes no conditions. Remove it, or "
                   "use an "
                   "exclusive gateway.",
                   element_shown(process->file, flow),
                   element_shown(process->file, process->sites[index].element));
    }
}

/* A message that two of these nodes wait for could reach either. Returns a name that is there
 * twice. */
static const char *repeated_message(struct process_build *process, const int *nodes, size_t n)
{
    const char **names = arena_array(process->file->arena, n, sizeof(*names));
    size_t n_names = 0;

    for (size_t i = 0; i < n; i++) {
        const struct event_definition *event = &process->graph->nodes[nodes[i]].event;
        if (event->kind == EVENT_MESSAGE && event->message_name != NULL &&
            event->correlation_key == NULL && expr_is_literal(event->message_name))
            names[n_names++] = expr_text(event->message_name);
    }
    names_sort(names, n_names);
    for (size_t i = 1; i < n_names; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return names[i];
    return NULL;
}

static void check_event_gateway(struct process_build *process, int index)
{
    struct file_build *file = process->file;
    struct graph *graph = process->graph;
    const struct node *node = &graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    int *targets = arena_array(file->arena, node->n_out, sizeof(*targets));
    size_t n = 0;

    if (node->n_out == 0)
        refuse(process, index, CODE_GATEWAY_WITHOUT_FLOW,
               "has no outgoing flow. Lead it to the events that it shall wait for.");
    if (node->async_after)
        refuse(
            process, index, CODE_EVENT_GATEWAY_ASYNC,
            "can not be asyncAfter: it is left by the event that happens. Put asyncBefore on the "
            "elements behind the events.");
    for (size_t i = 0; i < node->n_out; i++) {
        int to = graph->flows[node->out[i]].target;
        if (to < 0)
            continue; /* said already */
        const struct node *target = &graph->nodes[to];
        targets[n++] = to;
        if (target->kind == NODE_CATCH_EVENT || process->sites[to].refused)
            continue;
        report(file, CODE_EVENT_GATEWAY_TARGET, e,
               "%s leads to %s. Behind an event-based gateway only intermediate catch events may "
               "come%s.",
               element_shown(file, e), element_shown(file, process->sites[to].element),
               target->kind == NODE_RECEIVE_TASK
                   ? ": replace the receive task by an intermediate message catch event"
                   : "");
    }
    const char *twice = repeated_message(process, targets, n);
    if (twice != NULL)
        report(
            file, CODE_DUPLICATE_MESSAGE, e,
            "Two events behind %s wait for the message '%.100s': which one would get it? Give them "
            "different messages or different pawl:correlationKey.",
            element_shown(file, e), twice);
}

/* ---- Boundary events ---- */

static void attach_boundaries(struct process_build *process)
{
    struct graph *graph = process->graph;

    for (size_t i = 0; i < graph->n_nodes; i++) {
        struct node *node = &graph->nodes[i];
        node->boundary = arena_array(&graph->arena, node->n_boundary, sizeof(*node->boundary));
        node->n_boundary = 0;
    }
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct node *node = &graph->nodes[i];
        if (node->kind != NODE_BOUNDARY_EVENT || node->attached_to < 0)
            continue;
        struct node *host = &graph->nodes[node->attached_to];
        host->boundary[host->n_boundary++] = (int)i;
    }
}

static void check_boundaries(struct process_build *process, int index)
{
    struct file_build *file = process->file;
    struct graph *graph = process->graph;
    const struct node *node = &graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const char **codes = arena_array(file->arena, node->n_boundary, sizeof(*codes));
    size_t n = 0;

    for (size_t i = 0; i < node->n_boundary; i++) {
        const struct node *event = &graph->nodes[node->boundary[i]];
        if (event->event.kind == EVENT_ERROR)
            codes[n++] = event->event.error_code != NULL ? event->event.error_code : "";
    }
    names_sort(codes, n);
    for (size_t i = 1; i < n; i++)
        if (strcmp(codes[i - 1], codes[i]) == 0)
            report(file, CODE_DUPLICATE_CATCH, e,
                   "%s has two boundary events that catch %s%.100s%s. Keep one.",
                   element_shown(file, e), codes[i][0] != '\0' ? "the error '" : "all errors",
                   codes[i], codes[i][0] != '\0' ? "'" : "");
    const char *twice = repeated_message(process, node->boundary, node->n_boundary);
    if (twice != NULL)
        report(
            file, CODE_DUPLICATE_MESSAGE, e,
            "Two boundary events of %s wait for the message '%.100s': which one would get it? Keep "
            "one, or give them different pawl:correlationKey.",
            element_shown(file, e), twice);
}

/* ---- The process ---- */

static void check_starts(struct process_build *process)
{
    struct file_build *file = process->file;
    struct graph *graph = process->graph;
    const struct xml_element *e = process->element;
    bool refused = false;

    for (size_t i = 0; i < graph->n_nodes; i++)
        refused |= graph->nodes[i].kind == NODE_START_EVENT && graph->nodes[i].scope < 0 &&
                   process->sites[i].refused;
    if (graph->none_start < 0 && graph->n_event_starts == 0 && !refused)
        report(file, CODE_NO_START_EVENT, e, "%s has no start event. Add one.",
               element_shown(file, e));
}

/* A message start event and its message. */
struct start {
    const char *message;
    const struct xml_element *element;
};

static int compare_starts(const void *left, const void *right)
{
    const struct start *a = left;
    const struct start *b = right;
    int order = strcmp(a->message, b->message);

    return order != 0 ? order : a->element->line - b->element->line;
}

void check_start_messages(struct file_build *file)
{
    struct start *starts = NULL;
    size_t n = 0;
    size_t capacity = 0;

    for (size_t p = 0; p < file->n_processes; p++) {
        const struct process_build *process = &file->processes[p];
        for (size_t i = 0; i < process->graph->n_event_starts; i++) {
            int index = process->graph->event_starts[i];
            const struct event_definition *event = &process->graph->nodes[index].event;
            if (event->kind == EVENT_MESSAGE && event->message_name != NULL)
                *arena_push(file->arena, starts, n, capacity) =
                    (struct start){expr_text(event->message_name), process->sites[index].element};
        }
    }
    if (n > 1)
        qsort(starts, n, sizeof(*starts), compare_starts);
    for (size_t i = 1; i < n; i++)
        if (strcmp(starts[i - 1].message, starts[i].message) == 0)
            report(file, CODE_DUPLICATE_MESSAGE, starts[i].element,
                   "%s is started by the message '%.100s', and so is %s in line %d: which one "
                   "shall it "
                   "start? Give each a message of its own.",
                   element_shown(file, starts[i].element), starts[i].message,
                   element_shown(file, starts[i - 1].element), starts[i - 1].element->line);
}

void check_process(struct process_build *process)
{
    struct graph *graph = process->graph;

    attach_boundaries(process);
    check_starts(process);
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct node *node = &graph->nodes[i];
        if (process->sites[i].refused)
            continue;
        check_directions(process, (int)i);
        check_conditions(process, (int)i);
        check_boundaries(process, (int)i);
        if (node->kind == NODE_EXCLUSIVE_GATEWAY)
            check_exclusive(process, (int)i);
        if (node->kind == NODE_EVENT_GATEWAY)
            check_event_gateway(process, (int)i);
    }
}
