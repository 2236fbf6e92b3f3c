/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/inputs.h"

#include "engine/engine.h"

int inputs_send(struct conn *conn, struct err *err)
{
    return conn_send(conn, "inputs_as_engine", NO_PARAMS, err) < 0 ||
                   conn_send(conn, "inputs_accepted", NO_PARAMS, err) < 0
               ? err_trace(err)
               : 0;
}

int inputs_receive(struct conn *conn, struct result **ret_inputs, struct err *err)
{
    return conn_next(conn, NULL, err) < 0 || conn_next(conn, ret_inputs, err) < 0 ? err_trace(err)
                                                                                  : 0;
}

/* A start names no node: it is where the worker begins. NULL: this graph has no such node. */
static const struct input *input_at(const struct graph *graph, int node, enum command_kind kind)
{
    if (graph != NULL && node < 0)
        node = graph->none_start;
    return graph != NULL && node >= 0 && (size_t)node < graph->n_nodes
               ? input_of(graph, &graph->nodes[node], kind)
               : NULL;
}

/* *ret_words: NULL: it passes. */
static int judge(struct conn *conn, struct graphs *graphs, const struct result *inputs, int row,
                 struct arena *arena, const char **ret_words, struct err *err)
{
    enum command_kind kind = (enum command_kind)result_int(inputs, row, 1);
    int definition = (int)result_int(inputs, row, 2), node = (int)result_int(inputs, row, 3);
    struct schema_report report;
    struct err why = {0};

    *ret_words = NULL;
    if (graphs_load(graphs, conn, arena, &definition, 1, err) < 0)
        return err_trace(err);
    const struct graph *graph = graphs_get(graphs, definition);
    int result = input_check(input_at(graph, node, kind), result_text(inputs, row, 4),
                             result_length(inputs, row, 4), NULL, 0, arena, &report, &why);
    if (result == SCHEMA_INVALID)
        *ret_words = report.best.message;
    else if (result < 0)
        *ret_words = arena_strdup(arena, why.text);
    graphs_put(graphs, graph);
    return 0;
}

int inputs_judge(struct conn *conn, struct graphs *graphs, const struct result *inputs,
                 struct arena *arena, struct input_refusals *ret, struct err *err)
{
    *ret = (struct input_refusals){.n = 0};
    for (int row = 0; row < result_rows(inputs); row++) {
        struct input_refusal refusal = {.command = result_uuid(inputs, row, 0)};
        if (inputs_refused(ret, &refusal.command) != NULL)
            continue; /* one message for many */
        if (judge(conn, graphs, inputs, row, arena, &refusal.words, err) < 0)
            return err_trace(err);
        if (refusal.words != NULL)
            *arena_push(arena, ret->list, ret->n, ret->capacity) = refusal;
    }
    return 0;
}

const char *inputs_refused(const struct input_refusals *refusals, const struct uuid *command)
{
    for (size_t i = 0; i < refusals->n; i++)
        if (uuid_equal(&refusals->list[i].command, command))
            return refusals->list[i].words;
    return NULL;
}
