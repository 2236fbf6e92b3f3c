/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's side of alerts. */
#include "base/build.h"

#include "store/client_internal.h"

int client_alerts(struct client *client, bool all, long limit, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_alerts", PARAMS(p_bool(all), p_int8(limit)), ret_rows,
                             err);
}

int client_alert_targets(struct client *client, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_alert_targets", NO_PARAMS, ret_rows, err);
}

int client_set_alert_target(struct client *client, const char *name, const char *endpoint,
                            const char *options, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_set_alert_target",
                            PARAMS(p_text(name), p_text(endpoint), p_text(options)), ret_row, err);
}

int client_try_alert_target(struct client *client, const char *name, json_t **ret_row,
                            struct err *err)
{
    return client_query_row(client, "client_try_alert_target", PARAMS(p_text(name)), ret_row, err);
}

int client_alert_tried(struct client *client, const struct uuid *alert, json_t **ret_row,
                       struct err *err)
{
    return client_query_row(client, "client_alert_tried", PARAMS(p_uuid(alert)), ret_row, err);
}

int client_mute_alerts(struct client *client, const char *cause, const char *options,
                       json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_mute_alerts", PARAMS(p_text(cause), p_text(options)),
                            ret_row, err);
}

int client_unmute_alerts(struct client *client, const char *cause, json_t **ret_row,
                         struct err *err)
{
    return client_query_row(client, "client_unmute_alerts", PARAMS(p_text(cause)), ret_row, err);
}
