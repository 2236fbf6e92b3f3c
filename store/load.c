/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Families are locked, then loaded: a statement that locked one table and read others would see
 * those as they were before the lock. The root's row has lock and state, so it is read as it is
 * locked.
 */
#include "base/build.h"

#include <sys/random.h>

#include "store/installation.h"
#include "store/places.h"

/* ---- Graphs ---- */

const struct graph *batch_graph(const struct batch *batch, int definition_id)
{
    struct uuid key = map_number((uint64_t)definition_id);
    const struct graph_ref *ref = map_get(&batch->graphs, &key);

    return ref != NULL ? ref->graph : NULL;
}

static void take_graph(struct batch *batch, int definition_id)
{
    struct graphs *graphs = &batch->worker->store->graphs;
    struct uuid key = map_number((uint64_t)definition_id);

    if (map_get(&batch->graphs, &key) != NULL)
        return;
    const struct graph *graph = graphs_get(graphs, definition_id);
    if (graph == NULL)
        return;
    struct graph_ref *ref = arena_alloc(batch->arena, sizeof(*ref));
    *ref = (struct graph_ref){.definition_id = definition_id, .graph = graph};
    map_put(&batch->graphs, &key, ref);
    *arena_push(batch->arena, batch->refs, batch->n_refs, batch->refs_capacity) = ref;
}

int batch_graphs(struct batch *batch, const int *ids, size_t n, struct err *err)
{
    int *missing = arena_array(batch->arena, n, sizeof(*missing));
    size_t n_missing = 0;

    for (size_t i = 0; i < n; i++) {
        take_graph(batch, ids[i]);
        if (batch_graph(batch, ids[i]) == NULL)
            missing[n_missing++] = ids[i];
    }
    if (n_missing == 0)
        return 0;
    if (graphs_load(&batch->worker->store->graphs, batch->conn, batch->arena, missing, n_missing,
                    err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < n_missing; i++)
        take_graph(batch, missing[i]);
    return 0;
}

/* ---- Rows ---- */

static struct row *read_row(struct batch *batch, const struct result *rows, int i)
{
    struct row *row = arena_alloc(batch->arena, sizeof(*row));

    row->tid = result_tid(rows, i, 0);
    row->instance = (struct instance_row){
        .id = result_uuid(rows, i, 1),
        .root = result_uuid(rows, i, 2),
        .parent = result_uuid(rows, i, 3),
        .parent_token = (uint32_t)result_int(rows, i, 4),
        .definition_id = (int)result_int(rows, i, 5),
        .tenant = result_text(rows, i, 6),
        .business_key = result_text(rows, i, 7),
        .started_us = result_time(rows, i, 8),
        .doc = result_text(rows, i, 9),
        .doc_n = result_length(rows, i, 9),
        .variables = result_text(rows, i, 10),
        .variables_n = result_length(rows, i, 10),
        .row = row,
    };
    return row;
}

static void add_row(struct batch *batch, struct fam *fam, struct row *row)
{
    *arena_push(batch->arena, fam->rows, fam->n_rows, fam->rows_capacity) = row;
}

/* The graphs of all rows that have none yet. */
static int give_graphs(struct batch *batch, struct err *err)
{
    int *ids = NULL;
    size_t n = 0, capacity = 0;

    for (size_t i = 0; i < batch->n_fams; i++) {
        const struct fam *fam = batch->fams[i];
        for (size_t j = 0; j < fam->n_rows; j++) {
            int id = fam->rows[j]->instance.definition_id;
            if (batch_graph(batch, id) == NULL && (n == 0 || ids[n - 1] != id))
                *arena_push(batch->arena, ids, n, capacity) = id;
        }
    }
    for (size_t i = 0; i < batch->n_items; i++) {
        const struct item *item = batch->items[i];
        if (item->kind == COMMAND_START && item->state == ITEM_RUN &&
            batch_graph(batch, item->definition_id) == NULL &&
            (n == 0 || ids[n - 1] != item->definition_id))
            *arena_push(batch->arena, ids, n, capacity) = item->definition_id;
    }
    if (n > 0 && batch_graphs(batch, ids, n, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < batch->n_fams; i++) {
        const struct fam *fam = batch->fams[i];
        for (size_t j = 0; j < fam->n_rows; j++) {
            struct instance_row *row = &fam->rows[j]->instance;
            row->graph = batch_graph(batch, row->definition_id);
        }
    }
    return 0;
}

/* ---- Families ---- */

struct fam *batch_fam(struct batch *batch, const struct uuid *root)
{
    struct fam *fam = map_get(&batch->fams_by_root, root);

    if (fam != NULL)
        return fam;
    fam = arena_alloc(batch->arena, sizeof(*fam));
    fam->root = *root;
    map_put(&batch->fams_by_root, root, fam);
    *arena_push(batch->arena, batch->fams, batch->n_fams, batch->fams_capacity) = fam;
    return fam;
}

static bool addresses_family(const struct item *item)
{
    return item->kind < 100 || item->kind == INBOX_RETRY || item->kind == INBOX_SUSPEND ||
           item->kind == INBOX_RESUME;
}

static bool asked_later(const struct item *item, const struct item *other)
{
    return item->source == FROM_INBOX && item->kind != COMMAND_START &&
           (item->xid > other->xid || (item->xid == other->xid && item->id > other->id));
}

/*
 * As they came, but for what callers ask: a start is read in another lane and comes first, and what
 * was found late goes before what was asked for after it.
 */
static void add_item(struct batch *batch, struct fam *fam, struct item *item)
{
    size_t at = item->kind == COMMAND_START ? 0 : fam->n_items;

    while (item->source == FROM_INBOX && at > 0 && asked_later(fam->items[at - 1], item))
        at--;
    (void)arena_push(batch->arena, fam->items, fam->n_items, fam->items_capacity);
    memmove(&fam->items[at + 1], &fam->items[at], (fam->n_items - 1 - at) * sizeof(*fam->items));
    fam->items[at] = item;
}

static void make_families(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_items; i++) {
        struct item *item = batch->items[i];
        if (item->state == ITEM_PUT_OFF || item->state == ITEM_REFUSED || !addresses_family(item))
            continue;
        item->fam = batch_fam(batch, &item->command.root);
        item->fam->fresh |= item->kind == COMMAND_START;
        add_item(batch, item->fam, item);
    }
    size_t bytes = batch->n_fams * sizeof(batch->fams[0]->entropy);
    uint8_t *entropy = arena_alloc(batch->arena, bytes);
    for (size_t at = 0; at < bytes;) {
        ssize_t got = getrandom(entropy + at, bytes - at, 0);
        at += got > 0 ? (size_t)got : 0;
    }
    for (size_t i = 0; i < batch->n_fams; i++)
        memcpy(batch->fams[i]->entropy, entropy + i * 16, 16);
}

/* ---- Locking ---- */

struct wanted {
    struct column asked_roots, asked; /* families and rows of the inbox's commands */
    uint64_t last_xid;                /* of those rows, the last */
    int64_t last_id;
    struct column roots, others, tasks, external, callbacks, incidents, calls, attempts;
    struct column due, instance, token, node, kind, retry; /* of timers */
    struct item **timers, **results;
    size_t n_timers, n_results, timers_capacity, results_capacity;
    struct rows_claimed { /* of ready, and of the inbox: which version of which row */
        struct column tids, made;
        struct item **items;
        size_t n, capacity;
    } ready, inbox;
    struct map seen;
};

static void wanted_init(struct wanted *w, struct arena *arena)
{
    *w = (struct wanted){0};
    column_init(&w->asked_roots, arena, COLUMN_UUID);
    column_init(&w->asked, arena, COLUMN_TID);
    column_init(&w->roots, arena, COLUMN_UUID);
    column_init(&w->others, arena, COLUMN_UUID);
    column_init(&w->tasks, arena, COLUMN_UUID);
    column_init(&w->external, arena, COLUMN_UUID);
    column_init(&w->callbacks, arena, COLUMN_UUID);
    column_init(&w->incidents, arena, COLUMN_UUID);
    column_init(&w->calls, arena, COLUMN_UUID);
    column_init(&w->attempts, arena, COLUMN_INT4);
    column_init(&w->due, arena, COLUMN_TIME);
    column_init(&w->instance, arena, COLUMN_UUID);
    column_init(&w->token, arena, COLUMN_INT4);
    column_init(&w->node, arena, COLUMN_INT4);
    column_init(&w->kind, arena, COLUMN_INT2);
    column_init(&w->retry, arena, COLUMN_BOOL);
    column_init(&w->ready.tids, arena, COLUMN_TID);
    column_init(&w->ready.made, arena, COLUMN_XID);
    column_init(&w->inbox.tids, arena, COLUMN_TID);
    column_init(&w->inbox.made, arena, COLUMN_XID);
    map_init(&w->seen, arena);
}

static void want_timer(struct batch *batch, struct wanted *w, struct item *item)
{
    column_time(&w->due, item->id);
    column_uuid(&w->instance, &item->command.instance);
    column_int(&w->token, item->command.token);
    column_int(&w->node, item->command.node);
    column_int(&w->kind, item->kind);
    column_bool(&w->retry, item->retry);
    *arena_push(batch->arena, w->timers, w->n_timers, w->timers_capacity) = item;
}

static void want_row(struct batch *batch, struct wanted *w, struct item *item)
{
    struct rows_claimed *rows = item->source == FROM_READY ? &w->ready : &w->inbox;

    item->present = item->source == FROM_START_TIMER; /* locked as it was claimed */
    if (item->source != FROM_READY && item->source != FROM_INBOX)
        return;
    item->present = true;
    column_tid(&rows->tids, item->tid);
    column_int(&rows->made, item->made);
    *arena_push(batch->arena, rows->items, rows->n, rows->capacity) = item;
}

static void want_order(struct wanted *w, const struct item *item)
{
    column_uuid(&w->asked_roots, &item->command.root);
    column_tid(&w->asked, item->tid);
    if (item->xid > w->last_xid || (item->xid == w->last_xid && item->id > w->last_id)) {
        w->last_xid = item->xid;
        w->last_id = item->id;
    }
}

static void want(struct batch *batch, struct wanted *w, struct item *item)
{
    const struct command *c = &item->command;

    if (!item->fam->fresh && !uuid_is_nil(&c->instance) && !uuid_equal(&c->instance, &c->root) &&
        map_get(&w->seen, &c->instance) == NULL) {
        map_put(&w->seen, &c->instance, item);
        column_uuid(&w->others, &c->instance);
    }
    if (item->source == FROM_INBOX && item->kind != COMMAND_START)
        want_order(w, item);
    if (item->source == FROM_INBOX &&
        (item->kind == COMMAND_TASK_COMPLETE || item->kind == COMMAND_TASK_ERROR))
        column_uuid(&w->tasks, &c->subject);
    if (item->source == FROM_INBOX &&
        (item->kind == COMMAND_EXTERNAL_COMPLETE || item->kind == COMMAND_EXTERNAL_ERROR))
        column_uuid(&w->external, &c->subject);
    if (item->kind == COMMAND_CALLBACK_SUCCEED || item->kind == COMMAND_CALLBACK_FAIL ||
        item->kind == COMMAND_CALLBACK_TIMER)
        column_uuid(&w->callbacks, &c->subject);
    if (item->kind == INBOX_RETRY)
        column_uuid(&w->incidents, &c->subject);
    if (item->source == FROM_TIMER)
        want_timer(batch, w, item);
    if (item->source == FROM_RESULT) {
        column_uuid(&w->calls, &c->subject);
        column_int(&w->attempts, item->result->attempt);
        *arena_push(batch->arena, w->results, w->n_results, w->results_capacity) = item;
    }
}

static int send_if(struct conn *conn, bool send, const char *query, const struct param *params,
                   size_t n_params, struct err *err)
{
    return send ? conn_send(conn, query, params, n_params, err) : 0;
}

static int send_wanted(struct batch *batch, struct wanted *w, struct err *err)
{
    struct conn *conn = batch->conn;
    const struct inbox_lane *from = &batch->worker->inbox[0];
    struct column flying = claim_flying(batch->worker, batch->arena);

    if (send_if(conn, w->roots.rows > 0, "lock_roots", PARAMS(p_column(&w->roots)), err) < 0 ||
        send_if(conn, w->others.rows > 0, "load_instances", PARAMS(p_column(&w->others)), err) <
            0 ||
        send_if(conn, w->tasks.rows > 0, "lock_answered_tasks", PARAMS(p_column(&w->tasks)), err) <
            0 ||
        send_if(conn, w->external.rows > 0, "lock_answered_external",
                PARAMS(p_column(&w->external)), err) < 0 ||
        send_if(conn, w->callbacks.rows > 0, "lock_callbacks", PARAMS(p_column(&w->callbacks)),
                err) < 0 ||
        send_if(conn, w->incidents.rows > 0, "load_incidents", PARAMS(p_column(&w->incidents)),
                err) < 0 ||
        send_if(conn, w->n_timers > 0, "timers_present",
                PARAMS(p_column(&w->due), p_column(&w->instance), p_column(&w->token),
                       p_column(&w->node), p_column(&w->kind), p_column(&w->retry)),
                err) < 0 ||
        send_if(conn, w->n_results > 0, "calls_present",
                PARAMS(p_column(&w->calls), p_column(&w->attempts)), err) < 0 ||
        send_if(conn, w->ready.n > 0, "ready_gone",
                PARAMS(p_column(&w->ready.tids), p_column(&w->ready.made)), err) < 0 ||
        send_if(conn, w->inbox.n > 0, "inbox_gone",
                PARAMS(p_column(&w->inbox.tids), p_column(&w->inbox.made)), err) < 0 ||
        send_if(conn, w->asked.rows > 0, "inbox_before",
                PARAMS(p_xid8(from->mark), p_int8(from->mark_id), p_xid8(w->last_xid),
                       p_int8(w->last_id), p_column(&w->asked_roots), p_column(&w->asked),
                       p_column(&flying)),
                err) < 0 ||
        conn_send(conn, "clock", NO_PARAMS, err) < 0)
        return err_trace(err);
    return conn_sync(conn, err);
}

static int next_if(struct batch *batch, bool sent, struct result **ret_rows, struct err *err)
{
    *ret_rows = NULL;
    if (!sent)
        return 0;
    if (conn_next(batch->conn, ret_rows, err) < 0)
        return err_trace(err);
    batch_keep(batch, *ret_rows);
    return 0;
}

static int rows_of(const struct result *rows)
{
    return rows != NULL ? result_rows(rows) : 0;
}

static int read_instances(struct batch *batch, const struct wanted *w, struct err *err)
{
    struct result *rows;

    if (next_if(batch, w->roots.rows > 0, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < rows_of(rows); i++) {
        struct row *row = read_row(batch, rows, i);
        struct fam *fam = batch_fam(batch, &row->instance.id);
        fam->locked = true;
        fam->suspended = result_bool(rows, i, 11);
        add_row(batch, fam, row);
    }
    if (next_if(batch, w->others.rows > 0, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < rows_of(rows); i++) {
        struct row *row = read_row(batch, rows, i);
        struct fam *fam = map_get(&batch->fams_by_root, &row->instance.root);
        if (fam != NULL && fam->locked)
            add_row(batch, fam, row);
    }
    return 0;
}

/* What whoever retries says: {"decision":"repeat|fail","variables":{…}}, each if he does. */
static int retry_wishes(struct arena *arena, struct command *c, const char *text, size_t n,
                        struct err *err)
{
    const struct value *decision, *variables;
    struct value wishes;
    size_t variables_n;

    if (text == NULL)
        return 0;
    if (value_read(arena, text, n, &wishes, err) < 0)
        return err_trace(err);
    decision = value_member(&wishes, "decision", strlen("decision"));
    variables = value_member(&wishes, "variables", strlen("variables"));
    if (decision != NULL && decision->kind == VALUE_STRING)
        c->detail = decision->u.string.text;
    if (variables == NULL)
        return 0;
    text = value_text(arena, variables, &variables_n);
    return command_correct(arena, c, text, variables_n, err);
}

/* The parked command takes the place of the inbox row that asks for it. */
static void unpark(struct arena *arena, struct item *item, const struct result *rows, int row)
{
    struct command *c = &item->command;
    const char *wishes = c->body;
    size_t wishes_n = c->body_n;
    struct err err = {0};

    item->incident = c->subject;
    item->kind = (int)result_int(rows, row, 1);
    c->kind = (enum command_kind)item->kind;
    c->token = (uint32_t)result_int(rows, row, 2);
    c->node = (int)result_int(rows, row, 3);
    c->phase = (enum command_phase)result_int(rows, row, 4);
    c->tries = (uint32_t)result_int(rows, row, 5);
    c->subject = result_uuid(rows, row, 6);
    c->name = result_text(rows, row, 7);
    c->detail = result_text(rows, row, 8);
    c->body = result_text(rows, row, 9);
    c->body_n = c->body != NULL ? result_length(rows, row, 9) : 0;
    if (retry_wishes(arena, c, wishes, wishes_n, &err) < 0) {
        item_refuse(item, ERR_INVALID, arena_strdup(arena, err.text));
        item->kind = INBOX_RETRY; /* the incident stays */
        return;
    }
    if (c->kind == COMMAND_CALL_SENT && c->detail != NULL)
        c->due_us = strtoll(c->detail, NULL, 10);
    if (c->kind == COMMAND_START)
        item->definition_id = (int)c->token;
}

/* Two may ask for the same incident: the first one gets it. */
static void find_incidents(struct batch *batch, const struct result *rows)
{
    struct map taken;

    map_init(&taken, batch->arena);
    for (size_t i = 0; i < batch->n_items; i++) {
        struct item *item = batch->items[i];
        if (item->kind != INBOX_RETRY || item->fam == NULL)
            continue;
        int row = 0;
        while (row < rows_of(rows)) {
            struct uuid id = result_uuid(rows, row, 0);
            if (uuid_equal(&id, &item->command.subject))
                break;
            row++;
        }
        bool first = map_get(&taken, &item->command.subject) == NULL;
        if (!uuid_is_nil(&item->command.subject))
            map_put(&taken, &item->command.subject, item);
        if (row < rows_of(rows) && first)
            unpark(batch->arena, item, rows, row);
        else
            item_refuse(item, ERR_NOT_FOUND, "the incident is settled already");
    }
}

/*
 * What one caller asks for in two transactions is carried out in this order, also when two workers
 * have claimed it: the later command waits for the earlier one.
 */
static void put_off_later(struct batch *batch, const struct result *rows)
{
    for (int i = 0; i < rows_of(rows); i++) {
        struct uuid root = result_uuid(rows, i, 0);
        uint64_t xid = (uint64_t)result_int(rows, i, 1);
        int64_t id = result_int(rows, i, 2);
        const struct fam *fam = map_get(&batch->fams_by_root, &root);
        for (size_t j = 0; fam != NULL && j < fam->n_items; j++) {
            struct item *item = fam->items[j];
            if (item->source == FROM_INBOX && item->kind != COMMAND_START &&
                (item->xid > xid || (item->xid == xid && item->id > id))) {
                item->state = ITEM_PUT_OFF;
                item->behind = true;
            }
        }
    }
}

/* Rows that another worker has carried out, or moved on, between our claim and our lock. */
static int read_gone(struct batch *batch, const struct rows_claimed *claimed, struct err *err)
{
    struct result *rows;

    if (next_if(batch, claimed->n > 0, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < rows_of(rows); i++) {
        struct item *item = claimed->items[result_int(rows, i, 0)];
        item->present = false;
        /* Nobody else may go on with a family whose start is not ours. */
        if (item->kind == COMMAND_START && item->fam != NULL)
            item->fam->fresh = false;
    }
    return 0;
}

static void note_answered(struct batch *batch, const struct result *tasks)
{
    for (int i = 0; i < rows_of(tasks); i++) {
        struct uuid id = result_uuid(tasks, i, 0);
        map_put(&batch->tasks_answered, &id, batch);
    }
}

/* An answer's own command may end the wait; so may its timer while nobody has answered. */
static void note_callbacks(struct batch *batch, const struct result *rows)
{
    for (int i = 0; i < rows_of(rows); i++) {
        struct uuid id = result_uuid(rows, i, 0);
        struct callback_seen *seen = arena_alloc(batch->arena, sizeof(*seen));
        seen->heard_us = result_null(rows, i, 1) ? 0 : result_time(rows, i, 1);
        seen->answered = result_bool(rows, i, 2);
        map_put(&batch->callbacks, &id, seen);
        map_put(seen->answered ? &batch->tasks_answered : &batch->tasks_locked, &id, seen);
    }
}

/* Whose row is still there, and not answered by a caller who is not finished. */
static int read_presence(struct batch *batch, const struct wanted *w, struct err *err)
{
    struct result *tasks, *external, *callbacks, *incidents, *rows;

    if (next_if(batch, w->tasks.rows > 0, &tasks, err) < 0 ||
        next_if(batch, w->external.rows > 0, &external, err) < 0 ||
        next_if(batch, w->callbacks.rows > 0, &callbacks, err) < 0 ||
        next_if(batch, w->incidents.rows > 0, &incidents, err) < 0)
        return err_trace(err);
    note_callbacks(batch, callbacks);
    note_answered(batch, tasks);
    note_answered(batch, external);
    find_incidents(batch, incidents);
    if (next_if(batch, w->n_timers > 0, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < rows_of(rows); i++)
        w->timers[result_int(rows, i, 0)]->present = true;
    if (next_if(batch, w->n_results > 0, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < rows_of(rows); i++)
        w->results[result_int(rows, i, 0)]->present = true;
    if (read_gone(batch, &w->ready, err) < 0 || read_gone(batch, &w->inbox, err) < 0 ||
        next_if(batch, w->asked.rows > 0, &rows, err) < 0)
        return err_trace(err);
    put_off_later(batch, rows);
    if (next_if(batch, true, &rows, err) < 0)
        return err_trace(err);
    batch->now_us = result_time(rows, 0, 0);
    batch->worker->now_us = batch->now_us;
    return 0;
}

/* Of families that could not be locked: are they somebody else's just now, or gone? */
static int look_for_missing(struct batch *batch, struct err *err)
{
    struct column missing;
    struct result *rows;

    column_init(&missing, batch->arena, COLUMN_UUID);
    for (size_t i = 0; i < batch->n_fams; i++) {
        struct fam *fam = batch->fams[i];
        if (fam->locked || fam->fresh)
            continue;
        fam->missing = true;
        column_uuid(&missing, &fam->root);
    }
    if (missing.rows == 0)
        return 0;
    if (conn_query(batch->conn, "roots_present", PARAMS(p_column(&missing)), &rows, err) < 0)
        return err_trace(err);
    batch_keep(batch, rows);
    for (int i = 0; i < result_rows(rows); i++) {
        struct uuid root = result_uuid(rows, i, 0);
        struct fam *fam = map_get(&batch->fams_by_root, &root);
        if (fam != NULL)
            fam->missing = false;
    }
    return 0;
}

static void put_off_unlocked(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_items; i++) {
        struct item *item = batch->items[i];
        const struct fam *fam = item->fam;
        if (item->state != ITEM_RUN)
            continue;
        if (fam != NULL && !fam->locked && !fam->fresh && !fam->missing) {
            item->state = ITEM_PUT_OFF;
            batch->locked_out = true;
        }
        /* What another worker has carried out since we read it. */
        if (item->source != FROM_RESULT && !item->present)
            item->state = ITEM_PUT_OFF;
    }
}

int load(struct batch *batch, struct err *err)
{
    struct wanted w;

    make_families(batch);
    wanted_init(&w, batch->arena);
    for (size_t i = 0; i < batch->n_fams; i++) {
        const struct fam *fam = batch->fams[i];
        if (!fam->fresh)
            column_uuid(&w.roots, &fam->root);
        for (size_t j = 0; j < fam->n_items; j++)
            want(batch, &w, fam->items[j]);
    }
    for (size_t i = 0; i < batch->n_items; i++) {
        if (batch->items[i]->state == ITEM_RUN)
            want_row(batch, &w, batch->items[i]);
    }
    if (send_wanted(batch, &w, err) < 0 || read_instances(batch, &w, err) < 0 ||
        read_presence(batch, &w, err) < 0 || look_for_missing(batch, err) < 0 ||
        places_take(batch, err) < 0 || installation_read(batch, err) < 0)
        return err_trace(err);
    put_off_unlocked(batch);
    return give_graphs(batch, err);
}

/* ---- Later, when a step asks for more ---- */

int load_instances(struct batch *batch, const struct uuid *ids, size_t n, struct err *err)
{
    struct column wanted;
    struct result *rows;

    column_init(&wanted, batch->arena, COLUMN_UUID);
    for (size_t i = 0; i < n; i++)
        column_uuid(&wanted, &ids[i]);
    if (conn_query(batch->conn, "load_instances", PARAMS(p_column(&wanted)), &rows, err) < 0)
        return err_trace(err);
    batch_keep(batch, rows);
    for (int i = 0; i < result_rows(rows); i++) {
        struct row *row = read_row(batch, rows, i);
        struct fam *fam = map_get(&batch->fams_by_root, &row->instance.root);
        if (fam != NULL && fam->locked)
            add_row(batch, fam, row);
    }
    return give_graphs(batch, err);
}

int load_parameters(struct batch *batch, struct need *need, struct err *err)
{
    struct result *rows;

    if (conn_query(batch->conn, "load_parameters", PARAMS(p_int4(need->definition_id)), &rows,
                   err) < 0)
        return err_trace(err);
    batch_keep(batch, rows);
    need->result = result_text(rows, 0, 0);
    need->result_n = result_length(rows, 0, 0);
    return 0;
}

int load_definitions(struct batch *batch, struct need **needs, size_t n, struct err *err)
{
    struct column tenant, key, binding, version, caller;
    struct result *rows;
    int *ids = arena_array(batch->arena, n, sizeof(*ids));

    column_init(&tenant, batch->arena, COLUMN_TEXT);
    column_init(&key, batch->arena, COLUMN_TEXT);
    column_init(&binding, batch->arena, COLUMN_INT4);
    column_init(&version, batch->arena, COLUMN_INT4);
    column_init(&caller, batch->arena, COLUMN_INT4);
    for (size_t i = 0; i < n; i++) {
        column_text(&tenant, needs[i]->tenant != NULL ? needs[i]->tenant : "");
        column_text(&key, needs[i]->key);
        column_int(&binding, needs[i]->binding);
        column_int(&version, needs[i]->version);
        column_int(&caller, needs[i]->caller_definition_id);
    }
    if (conn_query(batch->conn, "load_definitions",
                   PARAMS(p_column(&tenant), p_column(&key), p_column(&binding), p_column(&version),
                          p_column(&caller)),
                   &rows, err) < 0)
        return err_trace(err);
    batch_keep(batch, rows);
    for (int i = 0; i < result_rows(rows); i++) {
        struct need *need = needs[result_int(rows, i, 0)];
        need->definition_id = (int)result_int(rows, i, 1);
        need->suspended = result_bool(rows, i, 2);
        ids[i] = need->definition_id;
    }
    if (batch_graphs(batch, ids, (size_t)result_rows(rows), err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < n; i++)
        needs[i]->graph = batch_graph(batch, needs[i]->definition_id);
    return 0;
}
