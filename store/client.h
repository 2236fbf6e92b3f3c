/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the command line asks of the database: the functions and views of the SQL API as C
 * functions, one for each query of sql/queries/client.sql. Rows come back as a jansson array of
 * objects with the names of the views' columns, so that tables and `-o json` are made of the same;
 * functions give one object. The caller frees them with json_decref(). Each call is a transaction
 * of its own. One thread.
 */
#include <jansson.h>

#include "base/err.h"
#include "base/uuid.h"

struct client;

struct client_options {
    const char *conninfo; /* libpq; NULL: its environment */
    const char *schema;   /* NULL: "pawl" */
    /* Of deployments, starts, messages, and of the instances and tasks that are listed. NULL: the
     * caller's first, and all that he sees. */
    const char *tenant;
};

/* ERR_LOST or ERR_DENIED: not reachable; ERR_NOT_FOUND: no engine there; ERR_INVALID: not ours. */
int client_open(const struct client_options *options, struct client **ret_client,
                struct err *err) MUST_CHECK;
void client_close(struct client *client); /* NULL is a no-op */
void client_closep(struct client **client);

/* ---- Functions; ret_row: what they return, by the names of their OUT parameters ---- */

/* resources: JSON array of {"name","content"}. */
/* parameters: a JSON object. */
int client_deploy(struct client *client, const char *resources, const char *name,
                  const char *parameters, json_t **ret_row, struct err *err) MUST_CHECK;
/* state "pending" when nothing was known after `ms`. */
int client_await(struct client *client, const struct uuid *id, int64_t ms, json_t **ret_row,
                 struct err *err) MUST_CHECK;

struct client_start {
    const char *process, *business_key, *variables, *request_key;
    int version; /* 0: the latest */
};
int client_start(struct client *client, const struct client_start *start, json_t **ret_row,
                 struct err *err) MUST_CHECK;
/* items: JSON array of {"businessKey","variables","requestKey"}; all of them or none. A row each.
 */
int client_start_many(struct client *client, const char *process, const char *items, int version,
                      json_t **ret_rows, struct err *err) MUST_CHECK;
/* ttl: an interval; NULL: the API's default. */
int client_publish(struct client *client, const char *message, const char *key,
                   const char *variables, const char *ttl, bool all, json_t **ret_row,
                   struct err *err) MUST_CHECK;
int client_correlate(struct client *client, const char *message, const char *key,
                     const char *variables, const struct uuid *instance, json_t **ret_row,
                     struct err *err) MUST_CHECK;
int client_claim(struct client *client, const struct uuid *task, const char *assignee,
                 json_t **ret_row, struct err *err) MUST_CHECK;
int client_release(struct client *client, const struct uuid *task, json_t **ret_row,
                   struct err *err) MUST_CHECK;
int client_complete(struct client *client, const struct uuid *task, const char *variables,
                    json_t **ret_row, struct err *err) MUST_CHECK;
int client_fail(struct client *client, const struct uuid *task, const char *code,
                const char *message, const char *variables, json_t **ret_row,
                struct err *err) MUST_CHECK;
int client_cancel(struct client *client, const struct uuid *instance, const char *reason,
                  json_t **ret_row, struct err *err) MUST_CHECK;
/* options: JSON object as retry() takes it. */
int client_retry(struct client *client, const struct uuid *incident, const char *options,
                 json_t **ret_row, struct err *err) MUST_CHECK;
/* What people do by hand at an element; options as the functions take them. */
int client_skip(struct client *client, const struct uuid *instance, const char *element,
                const char *options, json_t **ret_row, struct err *err) MUST_CHECK;
int client_move(struct client *client, const struct uuid *instance, const char *from,
                const char *to, const char *options, json_t **ret_row, struct err *err) MUST_CHECK;
int client_complete_element(struct client *client, const struct uuid *instance, const char *element,
                            const char *variables, const char *options, json_t **ret_row,
                            struct err *err) MUST_CHECK;
/* By id (low, high) or by "process" (its latest version) and "process:version"; at most two. */
int client_deployments(struct client *client, const struct uuid *low, const struct uuid *high,
                       const char *process, json_t **ret_rows, struct err *err) MUST_CHECK;
/* Its files: name and content. */
int client_export(struct client *client, const struct uuid *deployment, json_t **ret_rows,
                  struct err *err) MUST_CHECK;
int client_withdraw(struct client *client, const struct uuid *deployment, bool cancel,
                    const char *reason, json_t **ret_row, struct err *err) MUST_CHECK;
int client_suspend(struct client *client, bool suspend, const struct uuid *instance,
                   const char *reason, json_t **ret_row, struct err *err) MUST_CHECK;
struct client_suspend_definition {
    bool suspend, instances;
    const char *process, *reason;
    int version; /* 0: all */
};
int client_suspend_definition(struct client *client, const struct client_suspend_definition *what,
                              json_t **ret_row, struct err *err) MUST_CHECK;
/* most 0: no limit. */
/* process may be NULL: of all. */
int client_parameters(struct client *client, const char *process, json_t **ret_rows,
                      struct err *err) MUST_CHECK;
/* value: JSON; version 0: all. */
int client_set_parameter(struct client *client, const char *process, const char *name,
                         const char *value, int version, json_t **ret_row,
                         struct err *err) MUST_CHECK;
int client_set_concurrency(struct client *client, const char *process, int most, json_t **ret_row,
                           struct err *err) MUST_CHECK;
/* action, filter, options: as bulk() takes them. */
int client_bulk(struct client *client, const char *action, const char *filter, const char *options,
                json_t **ret_row, struct err *err) MUST_CHECK;
int client_bulk_preview(struct client *client, const char *action, const char *filter,
                        const char *options, json_t **ret_rows, struct err *err) MUST_CHECK;
int client_bulk_stop(struct client *client, const struct uuid *bulk, json_t **ret_row,
                     struct err *err) MUST_CHECK;
/* options: JSON object as set_endpoint() takes it. */
int client_set_endpoint(struct client *client, const char *name, const char *base_url,
                        const char *options, json_t **ret_row, struct err *err) MUST_CHECK;
int client_drop_endpoint(struct client *client, const char *name, json_t **ret_row,
                         struct err *err) MUST_CHECK;
/* options: JSON object as set_webhook() takes it. */
int client_set_webhook(struct client *client, const char *name, const char *options,
                       json_t **ret_row, struct err *err) MUST_CHECK;
int client_drop_webhook(struct client *client, const char *name, json_t **ret_row,
                        struct err *err) MUST_CHECK;
int client_webhooks(struct client *client, json_t **ret_rows, struct err *err) MUST_CHECK;
/* options: JSON object as set_sql_delegate() takes it. */
int client_set_sql_delegate(struct client *client, const char *name, const char *statement,
                            const char *options, json_t **ret_row, struct err *err) MUST_CHECK;
int client_drop_sql_delegate(struct client *client, const char *name, json_t **ret_row,
                             struct err *err) MUST_CHECK;
/* circuit: "open", "closed", "auto". */
int client_set_circuit(struct client *client, const char *endpoint, const char *circuit,
                       const char *options, json_t **ret_row, struct err *err) MUST_CHECK;
int client_hold(struct client *client, const char *options, json_t **ret_row,
                struct err *err) MUST_CHECK;
int client_release_calls(struct client *client, json_t **ret_row, struct err *err) MUST_CHECK;

/* ---- Views; ret_rows: an array ---- */

/* The engine's clock. */
int client_clock(struct client *client, json_t **ret_row, struct err *err) MUST_CHECK;

struct client_instances {
    const char *process, *state; /* NULL: any; state also sees ended ones */
    bool all;                    /* ended ones, too */
    int limit;
};
int client_instances(struct client *client, const struct client_instances *filter,
                     json_t **ret_rows, struct err *err) MUST_CHECK;
int client_instances_between(struct client *client, const struct uuid *low, const struct uuid *high,
                             int limit, json_t **ret_rows, struct err *err) MUST_CHECK;
int client_instances_by_key(struct client *client, const char *business_key, int limit,
                            json_t **ret_rows, struct err *err) MUST_CHECK;
int client_events(struct client *client, const struct uuid *instance, json_t **ret_rows,
                  struct err *err) MUST_CHECK;
/* The starts (instanceStarted events) of what this instance called at that time. */
int client_called(struct client *client, const struct uuid *instance, int64_t at_us,
                  json_t **ret_rows, struct err *err) MUST_CHECK;
/* The kinds of the elements that it passed. */
int client_elements(struct client *client, const struct uuid *instance, json_t **ret_rows,
                    struct err *err) MUST_CHECK;
int client_tokens(struct client *client, const struct uuid *instance, json_t **ret_rows,
                  struct err *err) MUST_CHECK;
/* Parallel gateways where tokens wait for others, how many, and since when. */
int client_joined(struct client *client, const struct uuid *instance, json_t **ret_rows,
                  struct err *err) MUST_CHECK;
int client_jobs(struct client *client, const struct uuid *instance, json_t **ret_rows,
                struct err *err) MUST_CHECK;
int client_calls(struct client *client, const struct uuid *instance, json_t **ret_rows,
                 struct err *err) MUST_CHECK;
int client_variables(struct client *client, const struct uuid *instance, json_t **ret_rows,
                     struct err *err) MUST_CHECK;

struct client_tasks {
    const char *assignee, *group, *process; /* NULL: any */
    const struct uuid *instance;
    int limit;
};
int client_tasks(struct client *client, const struct client_tasks *filter, json_t **ret_rows,
                 struct err *err) MUST_CHECK;
int client_tasks_between(struct client *client, const struct uuid *low, const struct uuid *high,
                         int limit, json_t **ret_rows, struct err *err) MUST_CHECK;
int client_tasks_by_key(struct client *client, const char *business_key, int limit,
                        json_t **ret_rows, struct err *err) MUST_CHECK;

/* ---- External tasks: lists, and what a worker needs ---- */

/* What waits for a callback; process, instance: NULL for all. */
int client_callbacks(struct client *client, const char *process, const struct uuid *instance,
                     int limit, json_t **ret_rows, struct err *err) MUST_CHECK;
/* output, options: JSON. error, cause: may be NULL. */
int client_callback_succeed(struct client *client, const char *token, const char *output,
                            const char *options, json_t **ret_row, struct err *err) MUST_CHECK;
int client_callback_fail(struct client *client, const char *token, const char *error,
                         const char *cause, const char *options, json_t **ret_row,
                         struct err *err) MUST_CHECK;
int client_callback_heartbeat(struct client *client, const char *token, json_t **ret_row,
                              struct err *err) MUST_CHECK;
/* The keys whose tokens hold, the newest first; never the keys themselves. */
int client_callback_keys(struct client *client, json_t **ret_rows, struct err *err) MUST_CHECK;
/* options: JSON object as rotate_callback_key() takes it. */
int client_rotate_callback_key(struct client *client, const char *options, json_t **ret_row,
                               struct err *err) MUST_CHECK;

struct client_external {
    const char *topic, *state; /* NULL: any */
    const struct uuid *instance;
    int limit;
};
int client_external_tasks(struct client *client, const struct client_external *filter,
                          json_t **ret_rows, struct err *err) MUST_CHECK;
/* At most two. */
int client_external_between(struct client *client, const struct uuid *low, const struct uuid *high,
                            json_t **ret_rows, struct err *err) MUST_CHECK;
/* At most one row of fetch_and_lock(). */
int client_external_fetch(struct client *client, const char *worker, const char *topics,
                          const char *options, json_t **ret_rows, struct err *err) MUST_CHECK;
struct client_lease {
    struct uuid task;
    const char *worker;
    int64_t fence;
};
/* ERR_NOT_FOUND, ERR_CONFLICT: the worker has lost it. */
int client_external_extend(struct client *client, const struct client_lease *lease, int64_t ms,
                           struct err *err) MUST_CHECK;
int client_external_complete(struct client *client, const struct client_lease *lease,
                             const char *variables, struct err *err) MUST_CHECK;
int client_external_error(struct client *client, const struct client_lease *lease, const char *code,
                          const char *message, const char *variables, struct err *err) MUST_CHECK;
int client_external_failure(struct client *client, const struct client_lease *lease,
                            const char *message, const char *details, int retries, int64_t pause_ms,
                            struct err *err) MUST_CHECK;
int client_external_unlock(struct client *client, const struct uuid *task, json_t **ret_row,
                           struct err *err) MUST_CHECK;

struct client_incidents {
    const char *process, *business_key, *element, *cause; /* NULL: any */
    const struct uuid *instance;
    const struct uuid *low, *high; /* of incident ids; both or none */
    int limit;
};
int client_incidents(struct client *client, const struct client_incidents *filter,
                     json_t **ret_rows, struct err *err) MUST_CHECK;
struct client_search {
    const char *query;
    const char *process, *after; /* NULL: any, from the newest on */
    int limit;
};
/* What search() finds, and its last row, which may have nothing but where it stopped. */
int client_search(struct client *client, const struct client_search *filter, json_t **ret_rows,
                  struct err *err) MUST_CHECK;
/* By process, element and cause. */
int client_incident_groups(struct client *client, const struct client_incidents *filter,
                           json_t **ret_rows, struct err *err) MUST_CHECK;
/* The newest first; low, high: of their ids, both or none; all: ended ones, too. */
int client_bulks(struct client *client, const struct uuid *low, const struct uuid *high, bool all,
                 int limit, json_t **ret_rows, struct err *err) MUST_CHECK;
/* name NULL: all of them. */
int client_endpoints(struct client *client, const char *name, json_t **ret_rows,
                     struct err *err) MUST_CHECK;
int client_sql_delegates(struct client *client, json_t **ret_rows, struct err *err) MUST_CHECK;

/* Who did what. NULL: any; since: a day ago. */
struct client_audit {
    const char *since, *until, *kind, *actor, *subject;
    int limit;
};
int client_audit(struct client *client, const struct client_audit *filter, json_t **ret_rows,
                 struct err *err) MUST_CHECK;

/* Users. Lists are texts with commas; NULL: not given, or as it is. */
struct client_user {
    const char *name, *rights, *tenants;
    const char *password; /* its verifier */
    const char *disabled; /* "true", "false" */
    bool technical;
};
int client_users(struct client *client, json_t **ret_rows, struct err *err) MUST_CHECK;
int client_user_add(struct client *client, const struct client_user *user, json_t **ret_row,
                    struct err *err) MUST_CHECK;
int client_user_set(struct client *client, const struct client_user *user, json_t **ret_row,
                    struct err *err) MUST_CHECK;
int client_user_drop(struct client *client, const char *name, json_t **ret_row,
                     struct err *err) MUST_CHECK;
/* lifetime: an interval; NULL: for ever. The row has the token. */
int client_user_token(struct client *client, const char *user, const char *name,
                      const char *lifetime, json_t **ret_row, struct err *err) MUST_CHECK;
int client_user_token_drop(struct client *client, const char *user, const char *name,
                           json_t **ret_row, struct err *err) MUST_CHECK;
/* Who, which right, which process. */
int client_user_grant(struct client *client, bool revoke, const char *const words[3], bool role,
                      json_t **ret_row, struct err *err) MUST_CHECK;
/* Makes a key for a user, or drops the key of this id. */
int client_user_key(struct client *client, bool drop, const char *name, json_t **ret_row,
                    struct err *err) MUST_CHECK;
int client_held_calls(struct client *client, json_t **ret_rows, struct err *err) MUST_CHECK;
/* all: every version. */
int client_definitions(struct client *client, bool all, json_t **ret_rows,
                       struct err *err) MUST_CHECK;

/* ---- Alerts: client_alerts.c ---- */

/* all: those that are over, too. */
int client_alerts(struct client *client, bool all, long limit, json_t **ret_rows,
                  struct err *err) MUST_CHECK;
int client_alert_targets(struct client *client, json_t **ret_rows, struct err *err) MUST_CHECK;
/* options: JSON object as set_alert_target() takes it. */
int client_set_alert_target(struct client *client, const char *name, const char *endpoint,
                            const char *options, json_t **ret_row, struct err *err) MUST_CHECK;
int client_try_alert_target(struct client *client, const char *name, json_t **ret_row,
                            struct err *err) MUST_CHECK;
/* {"delivery","error"}: what became of it so far. */
int client_alert_tried(struct client *client, const struct uuid *alert, json_t **ret_row,
                       struct err *err) MUST_CHECK;
int client_mute_alerts(struct client *client, const char *cause, const char *options,
                       json_t **ret_row, struct err *err) MUST_CHECK;
int client_unmute_alerts(struct client *client, const char *cause, json_t **ret_row,
                         struct err *err) MUST_CHECK;

/* ---- Events: client_events.c. JSON as the functions take it ---- */

int client_put_event(struct client *client, const char *entry, json_t **ret_row,
                     struct err *err) MUST_CHECK;
int client_events_put(struct client *client, const char *state, const char *bus, long limit,
                      json_t **ret_rows, struct err *err) MUST_CHECK;
int client_event_deliveries(struct client *client, bool failed, long limit, json_t **ret_rows,
                            struct err *err) MUST_CHECK;
int client_event_rules(struct client *client, const char *bus, json_t **ret_rows,
                       struct err *err) MUST_CHECK;
int client_set_event_rule(struct client *client, const char *name, const char *pattern,
                          const char *targets, const char *bus, const char *options,
                          json_t **ret_row, struct err *err) MUST_CHECK;
int client_drop_event_rule(struct client *client, const char *name, const char *bus,
                           json_t **ret_row, struct err *err) MUST_CHECK;
int client_replay_events(struct client *client, const char *filter, const char *options,
                         json_t **ret_row, struct err *err) MUST_CHECK;
int client_set_event_bus(struct client *client, const char *name, json_t **ret_row,
                         struct err *err) MUST_CHECK;
