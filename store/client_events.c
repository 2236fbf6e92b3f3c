/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's side of events. */
#include "base/build.h"

#include "store/client_internal.h"

int client_put_event(struct client *client, const char *entry, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_put_event", PARAMS(p_text(entry)), ret_row, err);
}

int client_events_put(struct client *client, const char *state, const char *bus, long limit,
                      json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_events_put",
                             PARAMS(p_text(state), p_text(bus), p_int8(limit)), ret_rows, err);
}

int client_event_deliveries(struct client *client, bool failed, long limit, json_t **ret_rows,
                            struct err *err)
{
    return client_query_rows(client, "client_event_deliveries",
                             PARAMS(p_bool(failed), p_int8(limit)), ret_rows, err);
}

int client_event_rules(struct client *client, const char *bus, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_event_rules", PARAMS(p_text(bus)), ret_rows, err);
}

int client_set_event_rule(struct client *client, const char *name, const char *pattern,
                          const char *targets, const char *bus, const char *options,
                          json_t **ret_row, struct err *err)
{
    return client_query_row(
        client, "client_set_event_rule",
        PARAMS(p_text(name), p_text(pattern), p_text(targets), p_text(bus), p_text(options)),
        ret_row, err);
}

int client_drop_event_rule(struct client *client, const char *name, const char *bus,
                           json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_drop_event_rule", PARAMS(p_text(name), p_text(bus)),
                            ret_row, err);
}

int client_replay_events(struct client *client, const char *filter, const char *options,
                         json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_replay_events", PARAMS(p_text(filter), p_text(options)),
                            ret_row, err);
}

int client_set_event_bus(struct client *client, const char *name, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_set_event_bus", PARAMS(p_text(name)), ret_row, err);
}
