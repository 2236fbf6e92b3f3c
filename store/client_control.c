/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators do to running instances and incidents, one or many (sql/queries/control.sql).
 */
#include "base/build.h"

#include "store/client_internal.h"

int client_cancel(struct client *client, const struct uuid *instance, const char *reason,
                  json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_cancel", PARAMS(p_uuid(instance), p_text(reason)),
                            ret_row, err);
}

int client_incidents(struct client *client, const struct client_incidents *filter,
                     json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_incidents",
                             PARAMS(p_text(filter->process), p_uuid(filter->instance),
                                    p_uuid(filter->low), p_uuid(filter->high),
                                    p_text(filter->business_key), p_text(filter->element),
                                    p_text(filter->cause), p_int4(filter->limit)),
                             ret_rows, err);
}

int client_incident_groups(struct client *client, const struct client_incidents *filter,
                           json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_incident_groups",
                             PARAMS(p_text(filter->process), p_text(filter->element),
                                    p_text(filter->cause), p_int4(filter->limit)),
                             ret_rows, err);
}

int client_search(struct client *client, const struct client_search *filter, json_t **ret_rows,
                  struct err *err)
{
    return client_query_rows(client, "client_search",
                             PARAMS(p_text(filter->query), p_text(filter->process),
                                    p_text(filter->after), p_int4(filter->limit)),
                             ret_rows, err);
}

int client_retry(struct client *client, const struct uuid *incident, const char *options,
                 json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_retry", PARAMS(p_uuid(incident), p_text(options)),
                            ret_row, err);
}

int client_skip(struct client *client, const struct uuid *instance, const char *element,
                const char *options, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_skip",
                            PARAMS(p_uuid(instance), p_text(element), p_text(options)), ret_row,
                            err);
}

int client_move(struct client *client, const struct uuid *instance, const char *from,
                const char *to, const char *options, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_move",
                            PARAMS(p_uuid(instance), p_text(from), p_text(to), p_text(options)),
                            ret_row, err);
}

int client_complete_element(struct client *client, const struct uuid *instance, const char *element,
                            const char *variables, const char *options, json_t **ret_row,
                            struct err *err)
{
    return client_query_row(
        client, "client_complete_element",
        PARAMS(p_uuid(instance), p_text(element), p_text(variables), p_text(options)), ret_row,
        err);
}

int client_deployments(struct client *client, const struct uuid *low, const struct uuid *high,
                       const char *process, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_deployments",
                             PARAMS(p_uuid(low), p_uuid(high), p_text(process)), ret_rows, err);
}

int client_export(struct client *client, const struct uuid *deployment, json_t **ret_rows,
                  struct err *err)
{
    return client_query_rows(client, "client_export", PARAMS(p_uuid(deployment)), ret_rows, err);
}

int client_withdraw(struct client *client, const struct uuid *deployment, bool cancel,
                    const char *reason, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_withdraw",
                            PARAMS(p_uuid(deployment), p_bool(cancel), p_text(reason)), ret_row,
                            err);
}

int client_suspend(struct client *client, bool suspend, const struct uuid *instance,
                   const char *reason, json_t **ret_row, struct err *err)
{
    return client_query_row(client, suspend ? "client_suspend" : "client_resume",
                            PARAMS(p_uuid(instance), p_text(reason)), ret_row, err);
}

int client_suspend_definition(struct client *client, const struct client_suspend_definition *what,
                              json_t **ret_row, struct err *err)
{
    return client_query_row(
        client, what->suspend ? "client_suspend_definition" : "client_resume_definition",
        PARAMS(p_text(what->process), what->version > 0 ? p_int4(what->version) : P_NULL_INT4,
               p_bool(what->instances), p_text(what->reason)),
        ret_row, err);
}

int client_parameters(struct client *client, const char *process, json_t **ret_rows,
                      struct err *err)
{
    return client_query_rows(client, "client_parameters", PARAMS(p_text(process)), ret_rows, err);
}

int client_set_parameter(struct client *client, const char *process, const char *name,
                         const char *value, int version, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_set_parameter",
                            PARAMS(p_text(process), p_text(name), p_text(value),
                                   version > 0 ? p_int4(version) : P_NULL_INT4),
                            ret_row, err);
}

int client_set_concurrency(struct client *client, const char *process, int most, json_t **ret_row,
                           struct err *err)
{
    return client_query_row(client, "client_set_concurrency",
                            PARAMS(p_text(process), most > 0 ? p_int4(most) : P_NULL_INT4), ret_row,
                            err);
}

int client_bulk(struct client *client, const char *action, const char *filter, const char *options,
                json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_bulk",
                            PARAMS(p_text(action), p_text(filter), p_text(options)), ret_row, err);
}

int client_bulk_preview(struct client *client, const char *action, const char *filter,
                        const char *options, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_bulk_preview",
                             PARAMS(p_text(action), p_text(filter), p_text(options)), ret_rows,
                             err);
}

int client_bulk_stop(struct client *client, const struct uuid *bulk, json_t **ret_row,
                     struct err *err)
{
    return client_query_row(client, "client_bulk_stop", PARAMS(p_uuid(bulk)), ret_row, err);
}

int client_bulks(struct client *client, const struct uuid *low, const struct uuid *high, bool all,
                 int limit, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_bulks",
                             PARAMS(p_uuid(low), p_uuid(high), p_bool(all), p_int4(limit)),
                             ret_rows, err);
}

int client_set_webhook(struct client *client, const char *name, const char *options,
                       json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_set_webhook", PARAMS(p_text(name), p_text(options)),
                            ret_row, err);
}

int client_drop_webhook(struct client *client, const char *name, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_drop_webhook", PARAMS(p_text(name)), ret_row, err);
}

int client_webhooks(struct client *client, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_webhooks", NO_PARAMS, ret_rows, err);
}
