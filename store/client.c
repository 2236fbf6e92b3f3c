/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/client_internal.h"
#include "store/json_text.h"

int client_open(const struct client_options *options, struct client **ret_client, struct err *err)
{
    const struct conn_options conn_options = {
        .conninfo = options->conninfo,
        .schema = options->schema,
        .application_name = "pawl client",
        .statement_timeout_ms = 60000,
    };
    struct conn *conn CLEANUP(conn_closep) = NULL;
    struct arena arena;

    if (conn_open(&conn_options, &conn, err) < 0 || conn_check_schema(conn, err) < 0)
        return err_trace(err);
    arena_init(&arena, 0);
    struct client *client = arena_alloc(&arena, sizeof(*client));
    client->arena = arena;
    client->conn = conn;
    client->tenant = options->tenant != NULL ? arena_strdup(&client->arena, options->tenant) : NULL;
    conn = NULL;
    *ret_client = client;
    return 0;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    conn_close(client->conn);
    struct arena arena = client->arena;
    arena_deinit(&arena);
}

void client_closep(struct client **client)
{
    client_close(*client);
}

/* ---- Rows to JSON ---- */

static json_t *load(const struct result *rows, int row, struct err *err)
{
    const char *text = result_text(rows, row, 0);
    size_t n = result_length(rows, row, 0);
    json_error_t error;

    json_t *object = json_read(text, n, JSON_ALLOW_NUL, &error);
    if (object == NULL)
        err_set(err, ERR_INTERNAL, "a row of the database is not readable as JSON: %s", error.text);
    return object;
}

int client_query_rows(struct client *client, const char *query, const struct param *params,
                      size_t n_params, json_t **ret_rows, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(client->conn, query, params, n_params, &rows, err) < 0)
        return err_trace(err);
    json_t *array = json_array();
    for (int i = 0; i < result_rows(rows); i++) {
        json_t *object = load(rows, i, err);
        if (object == NULL) {
            json_decref(array);
            return err_trace(err);
        }
        json_array_append_new(array, object);
    }
    *ret_rows = array;
    return 0;
}

int client_query_row(struct client *client, const char *query, const struct param *params,
                     size_t n_params, json_t **ret_row, struct err *err)
{
    json_t *rows;

    if (client_query_rows(client, query, params, n_params, &rows, err) < 0)
        return err_trace(err);
    json_t *row = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    if (row == NULL)
        return err_set(err, ERR_INTERNAL, "the query %s gave no row", query);
    *ret_row = row;
    return 0;
}

/* ---- Functions ---- */

int client_deploy(struct client *client, const char *resources, const char *name,
                  const char *parameters, json_t **ret_row, struct err *err)
{
    return client_query_row(
        client, "client_deploy",
        PARAMS(p_text(resources), p_text(name), p_text(parameters), p_text(client->tenant)),
        ret_row, err);
}

int client_await(struct client *client, const struct uuid *id, int64_t ms, json_t **ret_row,
                 struct err *err)
{
    return client_query_row(client, "client_await", PARAMS(p_uuid(id), p_int8(ms)), ret_row, err);
}

static struct param version_param(int version)
{
    return version > 0 ? p_int4(version) : P_NULL_INT4;
}

int client_start(struct client *client, const struct client_start *start, json_t **ret_row,
                 struct err *err)
{
    return client_query_row(client, "client_start",
                            PARAMS(p_text(start->process), p_text(start->business_key),
                                   p_text(start->variables), p_text(start->request_key),
                                   version_param(start->version), p_text(client->tenant)),
                            ret_row, err);
}

int client_start_many(struct client *client, const char *process, const char *items, int version,
                      json_t **ret_rows, struct err *err)
{
    return client_query_rows(
        client, "client_start_many",
        PARAMS(p_text(process), p_text(items), version_param(version), p_text(client->tenant)),
        ret_rows, err);
}

int client_publish(struct client *client, const char *message, const char *key,
                   const char *variables, const char *ttl, bool all, json_t **ret_row,
                   struct err *err)
{
    return client_query_row(client, "client_publish",
                            PARAMS(p_text(message), p_text(key), p_text(variables), p_text(ttl),
                                   p_text(all ? "{\"all\":true}" : "{}"), p_text(client->tenant)),
                            ret_row, err);
}

int client_correlate(struct client *client, const char *message, const char *key,
                     const char *variables, const struct uuid *instance, json_t **ret_row,
                     struct err *err)
{
    return client_query_row(client, "client_correlate",
                            PARAMS(p_text(message), p_text(key), p_text(variables),
                                   p_uuid(instance),
                                   p_text(instance == NULL ? client->tenant : NULL)),
                            ret_row, err);
}

int client_claim(struct client *client, const struct uuid *task, const char *assignee,
                 json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_claim", PARAMS(p_uuid(task), p_text(assignee)), ret_row,
                            err);
}

int client_release(struct client *client, const struct uuid *task, json_t **ret_row,
                   struct err *err)
{
    return client_query_row(client, "client_release", PARAMS(p_uuid(task)), ret_row, err);
}

int client_complete(struct client *client, const struct uuid *task, const char *variables,
                    json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_complete", PARAMS(p_uuid(task), p_text(variables)),
                            ret_row, err);
}

int client_fail(struct client *client, const struct uuid *task, const char *code,
                const char *message, const char *variables, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_fail",
                            PARAMS(p_uuid(task), p_text(code), p_text(message), p_text(variables)),
                            ret_row, err);
}

int client_set_endpoint(struct client *client, const char *name, const char *base_url,
                        const char *options, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_set_endpoint",
                            PARAMS(p_text(name), p_text(base_url), p_text(options)), ret_row, err);
}

int client_drop_endpoint(struct client *client, const char *name, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_drop_endpoint", PARAMS(p_text(name)), ret_row, err);
}

int client_set_sql_delegate(struct client *client, const char *name, const char *statement,
                            const char *options, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_set_sql_delegate",
                            PARAMS(p_text(name), p_text(statement), p_text(options)), ret_row, err);
}

int client_drop_sql_delegate(struct client *client, const char *name, json_t **ret_row,
                             struct err *err)
{
    return client_query_row(client, "client_drop_sql_delegate", PARAMS(p_text(name)), ret_row, err);
}

int client_set_circuit(struct client *client, const char *endpoint, const char *circuit,
                       const char *options, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_set_circuit",
                            PARAMS(p_text(endpoint), p_text(circuit), p_text(options)), ret_row,
                            err);
}

int client_hold(struct client *client, const char *options, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_hold", PARAMS(p_text(options)), ret_row, err);
}

int client_release_calls(struct client *client, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_release_calls", NO_PARAMS, ret_row, err);
}

/* ---- Views ---- */

int client_clock(struct client *client, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_clock", NO_PARAMS, ret_row, err);
}

int client_instances(struct client *client, const struct client_instances *filter,
                     json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_instances",
                             PARAMS(p_text(filter->process), p_text(filter->state),
                                    p_bool(filter->all), p_int4(filter->limit),
                                    p_text(client->tenant)),
                             ret_rows, err);
}

int client_instances_between(struct client *client, const struct uuid *low, const struct uuid *high,
                             int limit, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_instances_between",
                             PARAMS(p_uuid(low), p_uuid(high), p_int4(limit)), ret_rows, err);
}

int client_instances_by_key(struct client *client, const char *business_key, int limit,
                            json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_instances_by_key",
                             PARAMS(p_text(business_key), p_int4(limit)), ret_rows, err);
}

static int of_instance(struct client *client, const char *query, const struct uuid *instance,
                       json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, query, PARAMS(p_uuid(instance)), ret_rows, err);
}

/* When a version 7 id was made, less a day for clocks that differ; -infinity for other ids. */
static int64_t made_us(const struct uuid *id)
{
    int64_t ms = 0;

    if (id->b[6] >> 4 != 7)
        return INT64_MIN;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id->b[i];
    return (ms - INT64_C(86400000)) * 1000;
}

int client_events(struct client *client, const struct uuid *instance, json_t **ret_rows,
                  struct err *err)
{
    return client_query_rows(client, "client_events",
                             PARAMS(p_uuid(instance), p_time(made_us(instance))), ret_rows, err);
}

int client_called(struct client *client, const struct uuid *instance, int64_t at_us,
                  json_t **ret_rows, struct err *err)
{
    uint8_t lowest[10] = {0}, highest[10];

    memset(highest, 0xff, sizeof(highest));
    struct uuid low = uuid_v7(at_us / 1000, lowest), high = uuid_v7(at_us / 1000, highest);
    return client_query_rows(
        client, "client_called",
        PARAMS(p_uuid(instance), p_uuid(&low), p_uuid(&high), p_time(made_us(&low))), ret_rows,
        err);
}

int client_elements(struct client *client, const struct uuid *instance, json_t **ret_rows,
                    struct err *err)
{
    return of_instance(client, "client_elements", instance, ret_rows, err);
}

int client_tokens(struct client *client, const struct uuid *instance, json_t **ret_rows,
                  struct err *err)
{
    return of_instance(client, "client_tokens", instance, ret_rows, err);
}

int client_joined(struct client *client, const struct uuid *instance, json_t **ret_rows,
                  struct err *err)
{
    return of_instance(client, "client_joined", instance, ret_rows, err);
}

int client_jobs(struct client *client, const struct uuid *instance, json_t **ret_rows,
                struct err *err)
{
    return of_instance(client, "client_jobs", instance, ret_rows, err);
}

int client_calls(struct client *client, const struct uuid *instance, json_t **ret_rows,
                 struct err *err)
{
    return of_instance(client, "client_calls", instance, ret_rows, err);
}

int client_variables(struct client *client, const struct uuid *instance, json_t **ret_rows,
                     struct err *err)
{
    return of_instance(client, "client_variables", instance, ret_rows, err);
}

int client_tasks(struct client *client, const struct client_tasks *filter, json_t **ret_rows,
                 struct err *err)
{
    return client_query_rows(client, "client_tasks",
                             PARAMS(p_text(filter->assignee), p_text(filter->group),
                                    p_text(filter->process), p_uuid(filter->instance),
                                    p_int4(filter->limit), p_text(client->tenant)),
                             ret_rows, err);
}

int client_tasks_between(struct client *client, const struct uuid *low, const struct uuid *high,
                         int limit, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_tasks_between",
                             PARAMS(p_uuid(low), p_uuid(high), p_int4(limit)), ret_rows, err);
}

int client_tasks_by_key(struct client *client, const char *business_key, int limit,
                        json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_tasks_by_key",
                             PARAMS(p_text(business_key), p_int4(limit)), ret_rows, err);
}

int client_sql_delegates(struct client *client, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_sql_delegates", NO_PARAMS, ret_rows, err);
}

int client_endpoints(struct client *client, const char *name, json_t **ret_rows, struct err *err)
{
    if (name != NULL)
        return client_query_rows(client, "client_endpoint", PARAMS(p_text(name)), ret_rows, err);
    return client_query_rows(client, "client_endpoints", NO_PARAMS, ret_rows, err);
}

int client_held_calls(struct client *client, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_held_calls", NO_PARAMS, ret_rows, err);
}

int client_definitions(struct client *client, bool all, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_definitions", PARAMS(p_bool(all)), ret_rows, err);
}
