/* SPDX-License-Identifier: Apache-2.0 */
/* Judges what a start, an answer or a message brings, by its schema. */
#include "base/build.h"

#include "engine/input.h"
#include "engine/step.h"

static int read_object(struct arena *arena, const char *text, size_t n, struct value *ret,
                       struct err *err)
{
    *ret = (struct value){.kind = VALUE_OBJECT};
    if (text == NULL || n == 0)
        return 0;
    return value_read(arena, text, n, ret, err);
}

/* One object of both; of equal names the last counts. */
static void append(struct arena *arena, struct value *value, const struct value *more)
{
    size_t n = value->u.object.n, m = more->u.object.n;
    struct value_member *members = arena_array(arena, n + m, sizeof(*members));

    if (n > 0)
        memcpy(members, value->u.object.members, n * sizeof(*members));
    if (m > 0)
        memcpy(members + n, more->u.object.members, m * sizeof(*members));
    value->u.object.members = members;
    value->u.object.n = n + m;
}

int input_check(const struct input *input, const char *text, size_t n, const char *more,
                size_t more_n, struct arena *arena, struct schema_report *ret_report,
                struct err *err)
{
    struct value value, others;

    if (input == NULL || input->schema == NULL)
        return SCHEMA_VALID;
    if (read_object(arena, text, n, &value, err) < 0 ||
        read_object(arena, more, more_n, &others, err) < 0)
        return err_trace(err);
    if (value.kind == VALUE_OBJECT && others.kind == VALUE_OBJECT && others.u.object.n > 0)
        append(arena, &value, &others);
    return schema_check(input->schema, &value, arena, ret_report, err);
}

const char *input_words(struct arena *arena, const struct schema_report *report)
{
    const char *place = report->best.instance;
    const char *others = "";

    if (report->n > 1)
        others = arena_printf(arena, "%s%zu more error%s", *place != '\0' ? ", and " : "and ",
                              report->n - 1, report->n == 2 ? "" : "s");
    if (*place == '\0' && *others == '\0')
        return report->best.message;
    return arena_printf(arena, "%s (%s%s%s)", report->best.message, *place != '\0' ? "at " : "",
                        place, others);
}

static const struct input *input_of_start(const struct graph *graph, const struct node *start)
{
    if (start->event.kind == EVENT_TIMER)
        return NULL; /* nobody brings anything */
    return start->input != NULL && start->input->schema != NULL ? start->input : graph->input;
}

const struct input *input_of(const struct graph *graph, const struct node *node,
                             enum command_kind kind)
{
    if (node->kind == NODE_START_EVENT)
        return node->scope < 0 ? input_of_start(graph, node) : NULL;
    /* What its worker brings does not end a task that waits for its token. */
    return kind == COMMAND_EXTERNAL_COMPLETE && node->callback != NULL ? NULL : node->input;
}

int input_accept(struct step *step, const struct graph *graph, const struct node *node,
                 const char *text, size_t n)
{
    const struct command *command = step->command;
    struct schema_report report;

    int result = input_check(input_of(graph, node, command->kind), text, n, command->variables,
                             command->variables_n, step->arena, &report, step->err);
    if (result == SCHEMA_VALID)
        return 0;
    if (result < 0)
        return err_at_node(step, node);
    return err_set(step->err, ERR_INVALID, "%s '%s': input does not pass inputSchema: %s",
                   node_kind_name(node->kind), node->id, input_words(step->arena, &report));
}
