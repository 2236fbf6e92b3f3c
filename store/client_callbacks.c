/* SPDX-License-Identifier: Apache-2.0 */
/* Callbacks as the command line sees them (sql/queries/callbacks.sql). */
#include "base/build.h"

#include "store/client_internal.h"

int client_callbacks(struct client *client, const char *process, const struct uuid *instance,
                     int limit, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_callbacks",
                             PARAMS(p_text(process), p_uuid(instance), p_int4(limit)), ret_rows,
                             err);
}

int client_callback_succeed(struct client *client, const char *token, const char *output,
                            const char *options, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_callback_succeed",
                            PARAMS(p_text(token), p_text(output), p_text(options)), ret_row, err);
}

int client_callback_fail(struct client *client, const char *token, const char *error,
                         const char *cause, const char *options, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_callback_fail",
                            PARAMS(p_text(token), p_text(error), p_text(cause), p_text(options)),
                            ret_row, err);
}

int client_callback_heartbeat(struct client *client, const char *token, json_t **ret_row,
                              struct err *err)
{
    return client_query_row(client, "client_callback_heartbeat", PARAMS(p_text(token)), ret_row,
                            err);
}

int client_callback_keys(struct client *client, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_callback_keys", NO_PARAMS, ret_rows, err);
}

int client_rotate_callback_key(struct client *client, const char *options, json_t **ret_row,
                               struct err *err)
{
    return client_query_row(client, "client_rotate_callback_key", PARAMS(p_text(options)), ret_row,
                            err);
}
