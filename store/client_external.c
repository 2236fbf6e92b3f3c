/* SPDX-License-Identifier: Apache-2.0 */
/* External tasks as the command line sees them, and as its own worker does
 * (sql/queries/external.sql).
 */
#include "base/build.h"

#include "store/client_internal.h"

int client_external_tasks(struct client *client, const struct client_external *filter,
                          json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_external_tasks",
                             PARAMS(p_text(filter->topic), p_text(filter->state),
                                    p_uuid(filter->instance), p_int4(filter->limit)),
                             ret_rows, err);
}

int client_external_between(struct client *client, const struct uuid *low, const struct uuid *high,
                            json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_external_between", PARAMS(p_uuid(low), p_uuid(high)),
                             ret_rows, err);
}

int client_external_fetch(struct client *client, const char *worker, const char *topics,
                          const char *options, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_external_fetch",
                             PARAMS(p_text(worker), p_text(topics), p_text(options)), ret_rows,
                             err);
}

int client_external_extend(struct client *client, const struct client_lease *lease, int64_t ms,
                           struct err *err)
{
    json_auto_t *row = NULL;

    return client_query_row(
        client, "client_external_extend",
        PARAMS(p_uuid(&lease->task), p_text(lease->worker), p_int8(ms), p_int8(lease->fence)), &row,
        err);
}

int client_external_complete(struct client *client, const struct client_lease *lease,
                             const char *variables, struct err *err)
{
    json_auto_t *row = NULL;

    return client_query_row(client, "client_external_complete",
                            PARAMS(p_uuid(&lease->task), p_text(lease->worker),
                                   p_int8(lease->fence), p_text(variables)),
                            &row, err);
}

int client_external_error(struct client *client, const struct client_lease *lease, const char *code,
                          const char *message, const char *variables, struct err *err)
{
    json_auto_t *row = NULL;

    return client_query_row(client, "client_external_error",
                            PARAMS(p_uuid(&lease->task), p_text(lease->worker),
                                   p_int8(lease->fence), p_text(code), p_text(message),
                                   p_text(variables)),
                            &row, err);
}

int client_external_failure(struct client *client, const struct client_lease *lease,
                            const char *message, const char *details, int retries, int64_t pause_ms,
                            struct err *err)
{
    json_auto_t *row = NULL;

    return client_query_row(client, "client_external_failure",
                            PARAMS(p_uuid(&lease->task), p_text(lease->worker),
                                   p_int8(lease->fence), p_text(message), p_text(details),
                                   p_int4(retries), p_int8(pause_ms)),
                            &row, err);
}

int client_external_unlock(struct client *client, const struct uuid *task, json_t **ret_row,
                           struct err *err)
{
    return client_query_row(client, "client_external_unlock", PARAMS(p_uuid(task)), ret_row, err);
}
