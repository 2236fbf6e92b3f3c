/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/conn.h"
#include "store/setup.h"

struct run {
    struct conn *conn;
    const struct uuid *node;
    const struct setup *setup;
    struct setup_result result;
    int line;
};

static int set_one(struct run *run, const struct setup_endpoint *endpoint, struct err *err)
{
    struct result *same CLEANUP(result_freep) = NULL;

    run->line = endpoint->line;
    if (conn_query(run->conn, "setup_same",
                   PARAMS(p_uuid(run->node), p_text(endpoint->name), p_text(endpoint->base_url),
                          p_text(endpoint->options)),
                   &same, err) < 0)
        return err_trace(err);
    if (result_bool(same, 0, 0)) {
        run->result.unchanged++;
        return 0;
    }
    if (conn_query(
            run->conn, "setup_set",
            PARAMS(p_text(endpoint->name), p_text(endpoint->base_url), p_text(endpoint->options)),
            NULL, err) < 0 ||
        conn_query(run->conn, "setup_note",
                   PARAMS(p_uuid(run->node), p_text(endpoint->name), p_text(endpoint->base_url),
                          p_text(endpoint->options)),
                   NULL, err) < 0)
        return err_trace(err);
    run->result.set++;
    return 0;
}

static int drop_one(struct run *run, const char *name, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(run->conn, "setup_droppable", PARAMS(p_uuid(run->node), p_text(name)), &rows,
                   err) < 0)
        return err_trace(err);
    bool dropped = result_bool(rows, 0, 0), gone = result_bool(rows, 0, 1);
    if (dropped && conn_query(run->conn, "setup_drop", PARAMS(p_text(name)), NULL, err) < 0)
        return err_trace(err);
    run->result.dropped += dropped;
    run->result.in_use += !dropped && !gone;
    if (!dropped && !gone)
        return 0;
    return conn_query(run->conn, "setup_forget", PARAMS(p_uuid(run->node), p_text(name)), NULL,
                      err) < 0
               ? err_trace(err)
               : 0;
}

static bool in_file(const struct setup *setup, const char *name)
{
    for (size_t i = 0; i < setup->n_endpoints; i++)
        if (strcmp(setup->endpoints[i].name, name) == 0)
            return true;
    return false;
}

static int carry_out(struct run *run, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_begin(run->conn, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < run->setup->n_endpoints; i++)
        if (set_one(run, &run->setup->endpoints[i], err) < 0)
            return err_trace(err);
    run->line = run->setup->retention_line;
    if (run->setup->retention != NULL &&
        conn_query(run->conn, "setup_retention", PARAMS(p_text(run->setup->retention)), NULL, err) <
            0)
        return err_trace(err);
    run->line = 0;
    if (run->setup->public_url != NULL &&
        conn_query(run->conn, "setup_public_url", PARAMS(p_text(run->setup->public_url)), NULL,
                   err) < 0)
        return err_trace(err);
    if (run->setup->no_file)
        return 0;
    if (conn_query(run->conn, "setup_noted", PARAMS(p_uuid(run->node)), &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++)
        if (!in_file(run->setup, result_text(rows, i, 0)) &&
            drop_one(run, result_text(rows, i, 0), err) < 0)
            return err_trace(err);
    return 0;
}

int store_setup(const struct store_options *options, const struct uuid *node,
                const struct setup *setup, bool judge_only, struct setup_result *ret_result,
                int *ret_line, struct err *err)
{
    struct conn *conn CLEANUP(conn_closep) = NULL;
    const struct conn_options how = {
        .conninfo = options->conninfo, .schema = options->schema, .application_name = "pawl setup"};

    *ret_line = 0;
    if (conn_open(&how, &conn, err) < 0 || conn_check_schema(conn, err) < 0)
        return err_trace(err);
    struct run run = {.conn = conn, .node = node, .setup = setup};
    if (carry_out(&run, err) < 0 || (!judge_only && conn_commit(conn, err) < 0)) {
        *ret_line = run.line;
        conn_rollback(conn);
        return err_trace(err);
    }
    if (judge_only)
        conn_rollback(conn);
    *ret_result = run.result;
    return 0;
}
