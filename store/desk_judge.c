/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before a write is carried out: do the variables that it brings pass the inputSchema of what they
 * are for? What is refused here was never accepted.
 */
#include "base/build.h"

#include "store/desk_internal.h"

static const struct input *input_of(const struct graph *graph, int node)
{
    if (graph == NULL || node >= (int)graph->n_nodes)
        return NULL;
    if (node >= 0)
        return graph->nodes[node].kind == NODE_START_EVENT
                   ? input_of_start(graph, &graph->nodes[node])
                   : graph->nodes[node].input;
    return graph->none_start >= 0 ? input_of_start(graph, &graph->nodes[graph->none_start])
                                  : graph->input;
}

/* Columns: definition, node (-1: its start), variables. NULL: it passes; else the words. */
static int judge_rows(struct conn *conn, struct graphs *graphs, struct arena *arena,
                      const struct result *rows, const char **ret_words, struct err *err)
{
    for (int r = 0; r < result_rows(rows) && *ret_words == NULL; r++) {
        int id = (int)result_int(rows, r, 0);
        struct schema_report report;
        struct err why = {0};
        if (graphs_load(graphs, conn, arena, &id, 1, err) < 0)
            return err_trace(err);
        const struct graph *graph = graphs_get(graphs, id);
        int result =
            input_check(input_of(graph, (int)result_int(rows, r, 1)), result_text(rows, r, 2),
                        result_length(rows, r, 2), NULL, 0, arena, &report, &why);
        if (result == SCHEMA_INVALID)
            *ret_words = report.best.message;
        else if (result < 0)
            *ret_words = arena_strdup(arena, why.text);
        graphs_put(graphs, graph);
    }
    return 0;
}

/* 1: it was refused, and is answered. */
static int judge_one(struct conn *conn, struct graphs *graphs, struct arena *arena,
                     struct desk_request *request, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    const char *words = NULL;

    if (conn_prepare(conn, request->judge, 1, err) < 0 ||
        conn_send(conn, "desk_caller", PARAMS(p_text(request->caller)), err) < 0 ||
        conn_send(conn, request->judge, PARAMS(p_text(request->params[0])), err) < 0 ||
        conn_sync(conn, err) < 0 || conn_next(conn, NULL, err) < 0 ||
        conn_next(conn, &rows, err) < 0) {
        if (!conn_alive(conn))
            return err_trace(err);
        /* Its own statement says better what is wrong with it. */
        conn_finish(conn);
        err_reset(err);
        return 0;
    }
    if (judge_rows(conn, graphs, arena, rows, &words, err) < 0)
        return err_trace(err);
    if (words != NULL)
        desk_refuse(request, DESK_INPUT, words, NULL);
    return words != NULL;
}

int desk_judge(struct conn *conn, struct graphs *graphs, struct desk_batch *batch, struct err *err)
{
    struct arena arena CLEANUP(arena_deinit);
    size_t n = 0, i = 0;
    int result = 0;

    arena_init(&arena, 0);
    for (; i < batch->n && result >= 0; i++) {
        struct desk_request *request = batch->requests[i];
        result = request->judge != NULL ? judge_one(conn, graphs, &arena, request, err) : 0;
        if (result <= 0)
            batch->requests[n++] = request;
    }
    memmove(batch->requests + n, batch->requests + i, (batch->n - i) * sizeof(*batch->requests));
    batch->n -= i - n;
    return result < 0 ? err_trace(err) : 0;
}
