/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/fault.h"
#include "store/deploy.h"
#include "store/zones.h"

/* ---- Against what is deployed ---- */

/* Which processes are the same as their latest version, and the numbers of the new versions. */
static int compare_versions(struct conn *conn, struct deployment *d, const struct result *digests,
                            struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct column keys;

    column_init(&keys, d->arena, COLUMN_TEXT);
    for (size_t i = 0; i < d->n_processes; i++)
        column_text(&keys, d->processes[i].graph->key);
    if (conn_query(conn, "deploy_latest", PARAMS(p_text(d->tenant), p_column(&keys)), &rows, err) <
        0)
        return err_trace(err);
    for (size_t i = 0; i < d->n_processes; i++) {
        struct deploy_process *p = &d->processes[i];
        size_t n;
        const char *digest = deploy_digest(d, p, digests, &n);
        p->is_new = true;
        p->version = 1;
        for (int r = 0; r < result_rows(rows); r++) {
            if (strcmp(result_text(rows, r, 0), p->graph->key) != 0)
                continue;
            p->version = (int)result_int(rows, r, 2) + 1;
            if (!d->all_new && result_length(rows, r, 3) == n &&
                memcmp(result_text(rows, r, 3), digest, n) == 0) {
                p->is_new = false;
                p->version = (int)result_int(rows, r, 4);
                p->definition_id = (int)result_int(rows, r, 1);
            }
        }
    }
    return 0;
}

/* A message may start one process only: not one of this deployment and another that stays. */
static int judge_message_starts(struct conn *conn, struct deployment *d, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct column keys, names;

    column_init(&keys, d->arena, COLUMN_TEXT);
    column_init(&names, d->arena, COLUMN_TEXT);
    for (size_t i = 0; i < d->n_processes; i++) {
        const struct graph *graph = d->processes[i].graph;
        column_text(&keys, graph->key);
        for (size_t j = 0; j < graph->n_event_starts; j++) {
            const struct node *node = &graph->nodes[graph->event_starts[j]];
            if (node->event.kind == EVENT_MESSAGE)
                column_text(&names, expr_text(node->event.message_name));
        }
    }
    if (names.rows == 0)
        return 0;
    if (conn_query(conn, "deploy_message_clash",
                   PARAMS(p_text(d->tenant), p_column(&names), p_column(&keys)), &rows, err) < 0)
        return err_trace(err);
    for (int r = 0; r < result_rows(rows); r++) {
        const char *name = arena_strdup(d->arena, result_text(rows, r, 0));
        deploy_found(d, FINDING_ERROR, d->processes[0].file->name, 0, "", "duplicate-message-start",
                     arena_printf(d->arena,
                                  "Process '%s', which is deployed, starts with message '%s', "
                                  "too: only one process may start with a message of that name.",
                                  result_text(rows, r, 1), name));
    }
    return 0;
}

/* Nodes that name something, to ask the database about: an index is a row of `places`. */
struct named {
    struct column names, indexes;
    struct place {
        const struct node *node;
        const char *file, *name;
    } * places;
    size_t n, capacity;
};

static void find_named(struct deployment *d, const char *(*name_of)(const struct node *node),
                       struct named *ret)
{
    *ret = (struct named){.n = 0};
    column_init(&ret->names, d->arena, COLUMN_TEXT);
    column_init(&ret->indexes, d->arena, COLUMN_INT4);
    for (size_t i = 0; i < d->n_processes; i++) {
        const struct graph *graph = d->processes[i].graph;
        for (size_t j = 0; j < graph->n_nodes; j++) {
            const char *name = name_of(&graph->nodes[j]);
            if (name == NULL)
                continue;
            column_text(&ret->names, name);
            column_int(&ret->indexes, (int64_t)ret->n);
            *arena_push(d->arena, ret->places, ret->n, ret->capacity) =
                (struct place){&graph->nodes[j], d->processes[i].file->name, name};
        }
    }
}

static const char *called_process(const struct node *node)
{
    return node->call != NULL && expr_is_literal(node->call->called_element)
               ? expr_text(node->call->called_element)
               : NULL;
}

/* Called processes that nobody has deployed yet: they may follow. */
static int judge_called(struct conn *conn, struct deployment *d, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct named called;

    find_named(d, called_process, &called);
    if (called.n == 0)
        return 0;
    if (conn_query(conn, "deploy_uncalled",
                   PARAMS(p_text(d->tenant), p_column(&called.names), p_column(&called.indexes)),
                   &rows, err) < 0)
        return err_trace(err);
    for (int r = 0; r < result_rows(rows); r++) {
        const struct place *place = &called.places[result_int(rows, r, 0)];
        deploy_found(d, FINDING_WARNING, place->file, place->node->line, place->node->id,
                     "called-process-missing",
                     arena_printf(d->arena,
                                  "Process '%s' is called here and not deployed: deploy it before "
                                  "an instance comes here.",
                                  place->name));
    }
    return 0;
}

/* Processes that he who deploys may not: only where his right is limited to some. */
static int judge_author(struct conn *conn, struct deployment *d, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct column keys;

    if (d->allowed == NULL)
        return 0;
    column_init(&keys, d->arena, COLUMN_TEXT);
    for (size_t i = 0; i < d->n_processes; i++)
        column_text(&keys, d->processes[i].graph->key);
    if (conn_query(conn, "deploy_not_his", PARAMS(p_column(&keys), p_text(d->allowed)), &rows,
                   err) < 0)
        return err_trace(err);
    for (int r = 0; r < result_rows(rows); r++) {
        const struct deploy_process *process = &d->processes[result_int(rows, r, 0)];
        deploy_found(d, FINDING_ERROR, process->file->name, 1, process->graph->key,
                     "process-not-allowed",
                     arena_printf(d->arena,
                                  "%s may not deploy the process '%s': an administrator can give "
                                  "the right (grant_process).",
                                  d->actor, process->graph->key));
    }
    return 0;
}

static const char *java_class(const struct node *node)
{
    return node->external != NULL ? node->external->class_name : NULL;
}

/* Java classes and delegate expressions that nobody has mapped to a topic. */
static int judge_classes(struct conn *conn, struct deployment *d, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct named classes;

    find_named(d, java_class, &classes);
    if (classes.n == 0)
        return 0;
    if (conn_query(conn, "deploy_unmapped",
                   PARAMS(p_column(&classes.names), p_column(&classes.indexes)), &rows, err) < 0)
        return err_trace(err);
    for (int r = 0; r < result_rows(rows); r++) {
        const struct place *place = &classes.places[result_int(rows, r, 0)];
        deploy_found(d, FINDING_ERROR, place->file, place->node->line, place->node->id,
                     "unmapped-class",
                     arena_printf(d->arena,
                                  "The Java code %s cannot run here, and is not mapped to a topic "
                                  "for workers. Write the worker, then map it: select "
                                  "%s.map_class('%s', 'its-topic').",
                                  place->name, conn_schema(conn), place->name));
    }
    return 0;
}

/* ---- Writing ---- */

static int insert_files(struct conn *conn, struct deployment *d, struct result **ret_digests,
                        struct err *err)
{
    struct column names, contents;

    column_init(&names, d->arena, COLUMN_TEXT);
    column_init(&contents, d->arena, COLUMN_TEXT);
    for (size_t i = 0; i < d->n_files; i++) {
        column_text(&names, d->files[i].name);
        column_bytes(&contents, d->files[i].content, d->files[i].n);
    }
    return conn_query(conn, "deploy_files",
                      PARAMS(p_uuid(&d->id), p_column(&names), p_column(&contents)), ret_digests,
                      err);
}

/* The name of the message that it takes; "": its name is known when it waits. NULL: none. */
static const char *taken_message(const struct node *node)
{
    bool takes = node->kind == NODE_START_EVENT || node->kind == NODE_CATCH_EVENT ||
                 node->kind == NODE_BOUNDARY_EVENT || node->kind == NODE_RECEIVE_TASK;
    const struct expr *name = node->event.message_name;

    if (!takes || name == NULL)
        return NULL;
    return expr_is_literal(name) ? expr_text(name) : "";
}

static int insert_definition(struct conn *conn, struct deployment *d, struct deploy_process *p,
                             const struct result *digests, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct column node, id, name, kind, line, message;
    size_t digest_n;
    const char *digest = deploy_digest(d, p, digests, &digest_n);

    if (conn_query(conn, "deploy_definition",
                   PARAMS(p_text(d->tenant), p_text(p->graph->key), p_int4(p->version),
                          p_text(p->graph->name), p_text(p->graph->version_tag), p_uuid(&d->id),
                          p_text(p->file->name), p_bytea(digest, digest_n),
                          p_text(p->graph->history_time_to_live), p_bool(p->graph->only_called)),
                   &rows, err) < 0)
        return err_trace(err);
    p->definition_id = (int)result_int(rows, 0, 0);
    column_init(&node, d->arena, COLUMN_INT4);
    column_init(&id, d->arena, COLUMN_TEXT);
    column_init(&name, d->arena, COLUMN_TEXT);
    column_init(&kind, d->arena, COLUMN_TEXT);
    column_init(&line, d->arena, COLUMN_INT4);
    column_init(&message, d->arena, COLUMN_TEXT);
    for (size_t i = 0; i < p->graph->n_nodes; i++) {
        const struct node *n = &p->graph->nodes[i];
        column_int(&node, (int64_t)i);
        column_text(&id, n->id);
        column_text(&name, n->name);
        column_text(&kind, node_kind_name(n->kind));
        column_int(&line, n->line);
        column_text(&message, taken_message(n));
    }
    return conn_query(conn, "deploy_elements",
                      PARAMS(p_int4(p->definition_id), p_column(&node), p_column(&id),
                             p_column(&name), p_column(&kind), p_column(&line), p_column(&message)),
                      NULL, err);
}

/* The start events of the new versions take the place of those of the former ones. */
int deploy_replace_starts(struct conn *conn, struct deployment *d, int64_t now_us, struct err *err)
{
    struct column keys, definition[2], node[2], name, due, remaining;

    column_init(&keys, d->arena, COLUMN_TEXT);
    for (int i = 0; i < 2; i++) {
        column_init(&definition[i], d->arena, COLUMN_INT4);
        column_init(&node[i], d->arena, COLUMN_INT4);
    }
    column_init(&name, d->arena, COLUMN_TEXT);
    column_init(&due, d->arena, COLUMN_TIME);
    column_init(&remaining, d->arena, COLUMN_INT4);
    for (size_t i = 0; i < d->n_processes; i++) {
        const struct deploy_process *p = &d->processes[i];
        if (!p->is_new)
            continue;
        column_text(&keys, p->graph->key);
        for (size_t j = 0; j < p->graph->n_event_starts; j++) {
            const struct node *start = &p->graph->nodes[p->graph->event_starts[j]];
            bool timer = start->event.kind == EVENT_TIMER;
            struct cycle_time time = {0};
            if (timer && start_timer_first(start, d->arena, now_us, &time, err) < 0)
                return err_trace(err);
            column_int(&definition[timer], p->definition_id);
            column_int(&node[timer], p->graph->event_starts[j]);
            if (timer) {
                column_time(&due, time.due_us);
                column_int(&remaining, time.remaining);
            } else {
                column_text(&name, expr_text(start->event.message_name));
            }
        }
    }
    if (conn_query(conn, "deploy_clear_messages", PARAMS(p_text(d->tenant), p_column(&keys)), NULL,
                   err) < 0 ||
        conn_query(conn, "deploy_clear_timers", PARAMS(p_text(d->tenant), p_column(&keys)), NULL,
                   err) < 0 ||
        conn_query(conn, "deploy_messages",
                   PARAMS(p_text(d->tenant), p_column(&name), p_column(&definition[0]),
                          p_column(&node[0])),
                   NULL, err) < 0 ||
        conn_query(conn, "deploy_timers",
                   PARAMS(p_column(&definition[1]), p_column(&node[1]), p_column(&due),
                          p_column(&remaining)),
                   NULL, err) < 0)
        return err_trace(err);
    return 0;
}

int deploy_zones(struct conn *conn, struct deployment *d, struct err *err)
{
    struct graph **graphs = arena_array(d->arena, d->n_processes, sizeof(*graphs));

    for (size_t i = 0; i < d->n_processes; i++)
        graphs[i] = d->processes[i].graph;
    return zones_fill(conn, d->arena, graphs, d->n_processes, err);
}

/* Zones whose name PostgreSQL does not know. */
static void judge_zones(struct deployment *d, const struct deploy_process *p)
{
    for (size_t i = 0; i < p->graph->n_nodes; i++) {
        const struct node *node = &p->graph->nodes[i];
        if (node->event.kind == EVENT_TIMER && node->event.zone != NULL && node->event.zone->n == 0)
            deploy_found(d, FINDING_ERROR, p->file->name, node->line, node->id, "bad-time-zone",
                         arena_printf(d->arena,
                                      "PostgreSQL knows no time zone '%s'. The view "
                                      "pg_timezone_names lists those that it knows, such as "
                                      "Europe/Zurich.",
                                      node->event.zone->name));
    }
}

/* Timer start events must be computable: judged before anything is written. */
static void judge_timers(struct deployment *d, int64_t now_us)
{
    for (size_t i = 0; i < d->n_processes; i++) {
        const struct deploy_process *p = &d->processes[i];
        judge_zones(d, p);
        for (size_t j = 0; j < p->graph->n_event_starts; j++) {
            const struct node *start = &p->graph->nodes[p->graph->event_starts[j]];
            struct cycle_time time;
            struct err why = {0};
            if (start->event.kind == EVENT_TIMER &&
                start_timer_first(start, d->arena, now_us, &time, &why) < 0)
                deploy_found(d, FINDING_ERROR, p->file->name, start->line, start->id, "bad-timer",
                             arena_strdup(d->arena, why.text));
        }
    }
}

static const char *outcome_json(const struct deployment *d, const char *findings)
{
    struct buf json CLEANUP(buf_deinit);

    buf_init(&json, 0);
    buf_add_str(&json, "{\"definitions\":[");
    for (size_t i = 0; i < d->n_processes && d->n_errors == 0; i++) {
        const struct deploy_process *p = &d->processes[i];
        struct value key = value_string(d->arena, p->graph->key, strlen(p->graph->key));
        struct value file = value_string(d->arena, p->file->name, strlen(p->file->name));
        buf_printf(&json, "%s{\"definitionId\":%d,\"process\":", i > 0 ? "," : "",
                   p->definition_id);
        value_write(&key, &json);
        buf_printf(&json, ",\"version\":%d,\"new\":%s,\"resource\":", p->version,
                   p->is_new ? "true" : "false");
        value_write(&file, &json);
        buf_add_char(&json, '}');
    }
    buf_printf(&json, "],\"findings\":%s", findings);
    if (d->n_errors > 0)
        buf_printf(&json, ",\"reason\":\"the files have %zu error%s\"", d->n_errors,
                   d->n_errors == 1 ? "" : "s");
    buf_add_char(&json, '}');
    return arena_strdup(d->arena, buf_str(&json));
}

static int write_active(struct conn *conn, struct deployment *d, const char *state, int64_t now_us,
                        struct result **ret_digests, struct err *err)
{
    if (conn_query(conn, "deploy_insert",
                   PARAMS(p_uuid(&d->id), p_text(d->name), p_text(d->tenant), p_text(d->actor),
                          p_time(now_us), p_text(state)),
                   NULL, err) < 0)
        return err_trace(err);
    /* Of a refused one the findings stay, not the files: they may be large, and nobody asks for
     * them. */
    if (d->n_errors > 0)
        return 0;
    if (insert_files(conn, d, ret_digests, err) < 0 ||
        compare_versions(conn, d, *ret_digests, err) < 0)
        return err_trace(err);
    bool any = false;
    for (size_t i = 0; i < d->n_processes; i++) {
        struct deploy_process *p = &d->processes[i];
        any |= p->is_new;
        if (p->is_new && (insert_definition(conn, d, p, *ret_digests, err) < 0 ||
                          deploy_insert_inputs(conn, d, p, err) < 0))
            return err_trace(err);
    }
    if (deploy_insert_parameters(conn, d, now_us, err) < 0)
        return err_trace(err);
    return any ? deploy_replace_starts(conn, d, now_us, err) : 0;
}

/* In a transaction that holds the inbox row and the lock on versions. */
static int write_all(struct conn *conn, struct deployment *d, int64_t now_us, struct err *err)
{
    struct result *digests CLEANUP(result_freep) = NULL;

    if (d->n_errors == 0) {
        if (deploy_zones(conn, d, err) < 0)
            return err_trace(err);
        judge_timers(d, now_us);
        if (judge_message_starts(conn, d, err) < 0 || judge_called(conn, d, err) < 0 ||
            judge_classes(conn, d, err) < 0 || judge_author(conn, d, err) < 0 ||
            deploy_judge_parameters(conn, d, err) < 0)
            return err_trace(err);
    }
    const char *state = d->n_errors == 0 ? "active" : "refused";
    if (write_active(conn, d, state, now_us, &digests, err) < 0)
        return err_trace(err);
    const char *findings = deploy_findings_json(d);
    if (conn_query(conn, "deploy_findings", PARAMS(p_uuid(&d->id), p_text(findings)), NULL, err) <
        0)
        return err_trace(err);
    return conn_query(conn, "outcome_put",
                      PARAMS(p_uuid(&d->id), p_text(state), p_text(outcome_json(d, findings)),
                             p_text(d->tenant), p_time(now_us)),
                      NULL, err);
}

int deploy_begin(struct conn *conn, const struct worker_fence *fence, uint64_t xid, int64_t id,
                 struct err *err)
{
    struct result *fenced CLEANUP(result_freep) = NULL;
    struct result *taken CLEANUP(result_freep) = NULL;

    if (conn_begin(conn, err) < 0 ||
        conn_query(conn, "batch_fence", PARAMS(p_int4(fence->worker), p_int8(fence->epoch)),
                   &fenced, err) < 0)
        return err_trace(err);
    if (result_rows(fenced) != 1)
        return err_set(err, ERR_CONFLICT,
                       "another process runs with this node's id: end one of them");
    if (conn_query(conn, "deploy_take", PARAMS(p_xid8(xid), p_int8(id)), &taken, err) < 0)
        return err_trace(err);
    if (result_affected(taken) == 0) {
        conn_rollback(conn);
        return 0;
    }
    return 1;
}

static int transaction(struct conn *conn, struct deployment *d, const struct worker_fence *fence,
                       uint64_t xid, int64_t id, struct err *err)
{
    struct result *now CLEANUP(result_freep) = NULL;

    int taken = deploy_begin(conn, fence, xid, id, err);
    if (taken <= 0)
        return taken < 0 ? err_trace(err) : 0;
    if (conn_query(conn, "deploy_lock", NO_PARAMS, NULL, err) < 0 ||
        conn_query(conn, "clock", NO_PARAMS, &now, err) < 0 ||
        write_all(conn, d, result_time(now, 0, 0), err) < 0)
        return err_trace(err);
    fault_point("deploy.before_commit");
    if (conn_commit(conn, err) < 0)
        return err_trace(err);
    fault_point("deploy.after_commit");
    return 0;
}

int deploy_run(struct conn *conn, struct arena *arena, const struct worker_fence *fence,
               uint64_t xid, int64_t id, struct uuid *ret_id, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct deployment d = {.arena = arena};

    if (conn_query(conn, "deploy_read", PARAMS(p_xid8(xid), p_int8(id)), &rows, err) < 0)
        return err_trace(err);
    if (result_rows(rows) == 0)
        return 0;
    *ret_id = d.id = result_uuid(rows, 0, 0);
    d.name = result_text(rows, 0, 1);
    d.actor = result_text(rows, 0, 3);
    d.tenant = result_text(rows, 0, 4);
    d.allowed = result_text(rows, 0, 6);
    deploy_judge(&d, result_text(rows, 0, 2), result_length(rows, 0, 2));
    deploy_options(&d, result_text(rows, 0, 5), result_length(rows, 0, 5));
    int rc = transaction(conn, &d, fence, xid, id, err);
    if (rc < 0 && err->code == ERR_DATA) {
        /* The database refused a text of the files: as good a reason to refuse them as any. */
        conn_rollback(conn);
        deploy_found(&d, FINDING_ERROR, "", 0, "", "refused-by-database",
                     arena_strdup(arena, err->text));
        size_t n_files = d.n_files;
        d.n_files = 0;
        rc = transaction(conn, &d, fence, xid, id, err);
        d.n_files = n_files;
    }
    if (rc < 0)
        conn_rollback(conn);
    deploy_forget(&d);
    return rc < 0 ? err_trace(err) : 0;
}
