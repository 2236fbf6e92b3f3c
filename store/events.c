/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/fault.h"
#include "base/limits.h"
#include "engine/isotime.h"
#include "store/event_rules.h"
#include "store/inputs.h"
#include "store/worker.h"

#define ORDERS_BYTES (32u << 20) /* what the targets of one slice are given, at most */

void events_init(struct events *events)
{
    *events = (struct events){.most = LIMIT_EVENT_SLICE};
    pthread_mutex_init(&events->lock, NULL);
    arena_init(&events->marks, 0);
    arena_init(&events->arena, 0);
}

void events_deinit(struct events *events)
{
    event_rules_free(events->rules);
    arena_deinit(&events->marks);
    arena_deinit(&events->arena);
    pthread_mutex_destroy(&events->lock);
}

/* A row of event_todo, with its event. */
struct todo {
    struct tid tid;
    enum event_todo_kind kind;
    struct uuid event, command;
    const char *tenant, *bus, *name, *target, *body, *actor;
    struct value value; /* TODO_EVENT: as rules see it */
    const char *why;    /* it could not be read */
    bool failure;       /* a process of ours tells that an endpoint could not be called */
};

struct slice {
    struct store_worker *worker;
    struct events *events;
    struct conn *conn;
    struct arena *arena;
    struct result *rows; /* of the claim */
    struct todo *todos;
    size_t n;    /* claimed */
    size_t done; /* of these, from the first: the others stay for the next slice */
    struct column tids;
    uint64_t xmax; /* what the claim has not seen */
    const int64_t *flying;
    size_t n_flying;
    size_t order_bytes;
    /* Deliveries: what is to be done, and whose it is. */
    struct order {
        const struct todo *todo;
        const char *rule, *target, *kind;
        const char *arguments; /* JSON; NULL: nothing is asked of the SQL API */
        const char *why;       /* it is a dead letter */
        struct uuid result;
    } * orders;
    size_t n_orders, orders_capacity;
    struct column unmatched, matched;
    struct column outcome_ids, outcome_states, outcome_details, outcome_tenants;
    struct uuid *decided; /* whose outcomes are known now */
    size_t n_decided;
    bool rules_changed;
};

/* ---- Claiming ---- */

static void put_text(struct value_member *member, const char *name, const char *text)
{
    *member = (struct value_member){.name = name, .name_n = strlen(name)};
    member->value.kind = VALUE_STRING;
    member->value.u.string.text = text;
    member->value.u.string.n = strlen(text);
}

/* The event as rules and targets see it. */
static void read_event(struct slice *slice, int row, struct todo *todo)
{
    struct value_member *m = arena_array(slice->arena, 9, sizeof(*m));
    char *id = arena_alloc(slice->arena, UUID_TEXT_BYTES), *time = arena_alloc(slice->arena, 28);
    const struct result *rows = slice->rows;
    struct err err = {.code = ERR_NONE};

    if (result_null(rows, row, 10)) {
        todo->why = "the event is not kept any more";
        return;
    }
    uuid_format(&todo->event, id);
    iso_date_format(result_time(rows, row, 12), time);
    put_text(&m[0], "version", "0");
    put_text(&m[1], "id", id);
    put_text(&m[2], "detail-type", result_text(rows, row, 11));
    put_text(&m[3], "source", result_text(rows, row, 10));
    put_text(&m[4], "account", EVENT_ACCOUNT);
    put_text(&m[5], "time", time);
    put_text(&m[6], "region", EVENT_REGION);
    put_text(&m[7], "resources", "");
    put_text(&m[8], "detail", "");
    if (value_read(slice->arena, result_text(rows, row, 13), result_length(rows, row, 13),
                   &m[7].value, &err) < 0 ||
        value_read(slice->arena, result_text(rows, row, 14), result_length(rows, row, 14),
                   &m[8].value, &err) < 0)
        todo->why = arena_strdup(slice->arena, err.text);
    todo->value = (struct value){.kind = VALUE_OBJECT, .u.object = {.members = m, .n = 9}};
    todo->failure = strcmp(result_text(rows, row, 10), EVENT_OWN_SOURCE) == 0 &&
                    strcmp(result_text(rows, row, 11), EVENT_DELIVERY_FAILED) == 0;
}

static int claim_todos(struct slice *slice, struct err *err)
{
    struct events *events = slice->events;
    struct column flying;

    column_init(&flying, slice->arena, COLUMN_XID8);
    for (size_t i = 0; i < events->n_flying; i++)
        column_int(&flying, events->flying[i]);
    if (conn_query(slice->conn, "events_claim",
                   PARAMS(p_xid8(events->mark), p_column(&flying), p_int4((int32_t)events->most),
                          p_int8(ORDERS_BYTES)),
                   &slice->rows, err) < 0)
        return err_trace(err);
    slice->n = (size_t)result_rows(slice->rows);
    slice->todos = arena_array(slice->arena, slice->n, sizeof(*slice->todos));
    for (int row = 0; row < result_rows(slice->rows); row++) {
        struct todo *todo = &slice->todos[row];
        *todo = (struct todo){.tid = result_tid(slice->rows, row, 0),
                              .kind = (enum event_todo_kind)result_int(slice->rows, row, 1),
                              .event = result_uuid(slice->rows, row, 2),
                              .command = result_uuid(slice->rows, row, 3),
                              .tenant = result_text(slice->rows, row, 4),
                              .bus = result_text(slice->rows, row, 5),
                              .name = result_text(slice->rows, row, 6),
                              .target = result_text(slice->rows, row, 7),
                              .body = result_text(slice->rows, row, 8),
                              .actor = result_text(slice->rows, row, 9)};
    }
    return 0;
}

/* False: somebody else is at it. */
static int lock_lane(struct slice *slice, bool *ret_mine, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct events *events = slice->events;

    if (conn_query(slice->conn, "events_lock", NO_PARAMS, &rows, err) < 0)
        return err_trace(err);
    *ret_mine = result_rows(rows) != 0;
    if (!*ret_mine)
        return 0;
    if (events->version != result_int(rows, 0, 0)) {
        event_rules_free(events->rules);
        events->rules = NULL;
        events->version = result_int(rows, 0, 0);
    }
    slice->xmax = (uint64_t)result_int(rows, 0, 1);
    slice->flying = result_ints(rows, 0, 2, slice->arena, &slice->n_flying);
    return 0;
}

/* ---- Rules, and patterns that are tried ---- */

static void decide(struct slice *slice, const struct todo *todo, const char *state,
                   const char *detail)
{
    column_uuid(&slice->outcome_ids, &todo->command);
    column_text(&slice->outcome_states, state);
    column_text(&slice->outcome_details, detail);
    column_text(&slice->outcome_tenants, todo->tenant);
    slice->decided[slice->n_decided++] = todo->command;
}

static void refuse(struct slice *slice, const struct todo *todo, const char *reason)
{
    struct value_member member;
    struct value object = {.kind = VALUE_OBJECT, .u.object = {.members = &member, .n = 1}};

    put_text(&member, "reason", reason);
    decide(slice, todo, "refused", value_text(slice->arena, &object, NULL));
}

static const struct value *part(const struct value *body, const char *name)
{
    return value_member(body, name, strlen(name));
}

/* What calls endpoints was deployed with the rule; until it is there the rule is not, either. */
static int can_call(struct slice *slice, const struct todo *todo, const struct target *targets,
                    size_t n, bool *ret_wait, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    bool calls = false;

    *ret_wait = false;
    for (size_t i = 0; i < n; i++)
        calls = calls || targets[i].kind == TARGET_CALL_ENDPOINT;
    if (!calls)
        return 0;
    if (conn_query(slice->conn, "events_can_call", PARAMS(p_text(todo->tenant)), &rows, err) < 0)
        return err_trace(err);
    *ret_wait = result_bool(rows, 0, 0);
    return 0;
}

/* *ret_wait: not yet. */
static int set_rule(struct slice *slice, const struct todo *todo, const struct value *body,
                    bool *ret_wait, struct err *err)
{
    const char *pattern = value_text(slice->arena, part(body, "pattern"), NULL);
    const char *targets = value_text(slice->arena, part(body, "targets"), NULL);
    const struct value *description = part(body, "description");
    const struct event_pattern *read;
    struct err why = {.code = ERR_NONE};
    struct target *list;
    size_t n;

    if (event_pattern_read(slice->arena, pattern, strlen(pattern), &read, &why) < 0 ||
        targets_read(slice->arena, targets, strlen(targets), &list, &n, &why) < 0) {
        refuse(slice, todo, why.text);
        return 0;
    }
    if (can_call(slice, todo, list, n, ret_wait, err) < 0)
        return err_trace(err);
    if (*ret_wait)
        return 0;
    if (conn_query(
            slice->conn, "events_set_rule",
            PARAMS(p_text(todo->tenant), p_text(todo->bus), p_text(todo->name), p_text(pattern),
                   p_text(targets), p_bool(part(body, "enabled")->u.boolean),
                   p_text(description->kind == VALUE_STRING ? description->u.string.text : NULL),
                   p_text(todo->actor)),
            NULL, err) < 0)
        return err_trace(err);
    slice->rules_changed = true;
    decide(slice, todo, "done", "{}");
    return 0;
}

static int drop_rule(struct slice *slice, const struct todo *todo, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(slice->conn, "events_drop_rule",
                   PARAMS(p_text(todo->tenant), p_text(todo->bus), p_text(todo->name)), &rows,
                   err) < 0)
        return err_trace(err);
    if (result_affected(rows) == 0) {
        refuse(slice, todo,
               arena_printf(slice->arena, "there is no rule \"%s\" on the bus \"%s\"", todo->name,
                            todo->bus));
        return 0;
    }
    slice->rules_changed = true;
    decide(slice, todo, "done", "{}");
    return 0;
}

static void test_pattern(struct slice *slice, const struct todo *todo, const struct value *body)
{
    const char *text = value_text(slice->arena, part(body, "pattern"), NULL);
    const struct event_pattern *pattern;
    struct err why = {.code = ERR_NONE};
    struct event_fields fields;

    if (event_pattern_read(slice->arena, text, strlen(text), &pattern, &why) < 0) {
        refuse(slice, todo, why.text);
        return;
    }
    event_fields_read(slice->arena, part(body, "event"), &fields);
    bool matches = event_pattern_match(pattern, &fields, slice->arena) == PATTERN_MATCHES;
    decide(slice, todo, "done", matches ? "{\"matches\": true}" : "{\"matches\": false}");
}

static int carry_out_command(struct slice *slice, const struct todo *todo, bool *ret_wait,
                             struct err *err)
{
    struct err why = {.code = ERR_NONE};
    struct value body;

    if (todo->kind == TODO_DROP_RULE)
        return drop_rule(slice, todo, err);
    if (value_read(slice->arena, todo->body, strlen(todo->body), &body, &why) < 0) {
        refuse(slice, todo, why.text);
        return 0;
    }
    if (todo->kind == TODO_SET_RULE)
        return set_rule(slice, todo, &body, ret_wait, err);
    test_pattern(slice, todo, &body);
    return 0;
}

/* The commands at the beginning: events behind them meet the new rules. */
static int carry_out_commands(struct slice *slice, struct err *err)
{
    bool wait = false;

    for (; slice->done < slice->n && slice->todos[slice->done].kind != TODO_EVENT; slice->done++) {
        if (carry_out_command(slice, &slice->todos[slice->done], &wait, err) < 0)
            return err_trace(err);
        if (wait)
            break;
    }
    if (slice->rules_changed && conn_query(slice->conn, "events_version", NO_PARAMS, NULL, err) < 0)
        return err_trace(err);
    if (slice->n_decided == 0)
        return 0;
    return conn_query(slice->conn, "events_outcomes",
                      PARAMS(p_column(&slice->outcome_ids), p_column(&slice->outcome_states),
                             p_column(&slice->outcome_details), p_column(&slice->outcome_tenants)),
                      NULL, err) < 0
               ? err_trace(err)
               : 0;
}

/* ---- Events ---- */

static struct order *add_order(struct slice *slice, const struct todo *todo, const char *rule,
                               const char *target, const char *kind)
{
    struct order *order =
        arena_push(slice->arena, slice->orders, slice->n_orders, slice->orders_capacity);

    *order = (struct order){.todo = todo, .rule = rule, .target = target, .kind = kind};
    return order;
}

/* What callEndpoint's process is told besides: whose delivery it is. */
static const char *with_origin(struct slice *slice, const struct todo *todo, const char *rule,
                               const char *target, const char *arguments)
{
    struct value_member m[3];
    struct value object = {.kind = VALUE_OBJECT, .u.object = {.members = m, .n = 3}};
    char id[UUID_TEXT_BYTES];

    uuid_format(&todo->event, id);
    put_text(&m[0], "event", id);
    put_text(&m[1], "rule", rule);
    put_text(&m[2], "target", target);
    const char *origin = value_text(slice->arena, &object, NULL);
    return arena_printf(slice->arena, "%.*s,%s", (int)strlen(origin) - 1, origin, arguments + 1);
}

static void give_target(struct slice *slice, const struct todo *todo, const struct event_rule *rule,
                        const struct target *target)
{
    struct target_order filled = target_fill(target, &todo->value, slice->arena);
    const char *kind = target_kind_name(filled.kind);
    struct order *order = add_order(slice, todo, rule->name, target->id, kind);

    order->why = filled.why;
    if (filled.why != NULL)
        return;
    if (filled.kind == TARGET_CALL_ENDPOINT)
        filled.arguments = with_origin(slice, todo, rule->name, target->id, filled.arguments);
    order->arguments = filled.arguments;
    slice->order_bytes += strlen(filled.arguments);
}

static void give_rule(struct slice *slice, const struct todo *todo, const struct event_rule *rule,
                      bool too_much)
{
    if (too_much) {
        add_order(slice, todo, rule->name, "", "")->why =
            "the arrays of the event have too many elements for the rule (LIMIT_PATTERN_WORK)";
        return;
    }
    for (size_t i = 0; i < rule->n_targets; i++) {
        if (todo->target == NULL || strcmp(todo->target, rule->targets[i].id) == 0)
            give_target(slice, todo, rule, &rule->targets[i]);
    }
}

static void match_event(struct slice *slice, const struct todo *todo)
{
    const struct event_bus *bus =
        event_rules_bus(slice->events->rules, todo->tenant, todo->bus != NULL ? todo->bus : "");
    struct event_fields fields;
    size_t n = 0, wanted = 0, before = slice->n_orders;

    if (todo->why != NULL) {
        add_order(slice, todo, "", "", "")->why = todo->why;
        column_uuid(&slice->matched, &todo->event);
        return;
    }
    const struct rules_match *matches = NULL;
    if (bus != NULL) {
        event_fields_read(slice->arena, &todo->value, &fields);
        matches = rules_match(bus->index, &fields, slice->arena, &n);
    }
    for (size_t i = 0; i < n; i++) {
        const struct event_rule *rule = &bus->rules[matches[i].rule];
        if (todo->name != NULL && strcmp(todo->name, rule->name) != 0)
            continue;
        give_rule(slice, todo, rule, matches[i].too_much);
        wanted++;
    }
    if (todo->target != NULL && slice->n_orders == before) {
        add_order(slice, todo, todo->name, todo->target, "")->why =
            "the rule is not there any more, or does not want the event any more";
    } else if (wanted != 0 || todo->failure) {
        column_uuid(&slice->matched, &todo->event);
    } else if (todo->name == NULL) {
        column_uuid(&slice->unmatched, &todo->event);
    }
}

/* In the order in which they stand. *ret_n: how many ask for something. */
static int send_orders(struct slice *slice, int *ret_n, struct err *err)
{
    struct column kinds, arguments, actors, tenants,
        *all[] = {&kinds, &arguments, &actors, &tenants};

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        column_init(all[i], slice->arena, COLUMN_TEXT);
    for (size_t i = 0; i < slice->n_orders; i++) {
        const struct order *order = &slice->orders[i];
        if (order->arguments == NULL)
            continue;
        column_text(&kinds, order->kind);
        column_text(&arguments, order->arguments);
        column_text(&actors, arena_printf(slice->arena, "rule %s", order->rule));
        column_text(&tenants, order->todo->tenant);
    }
    *ret_n = kinds.rows;
    return conn_send(slice->conn, "events_deliver",
                     PARAMS(p_column(&kinds), p_column(&arguments), p_column(&actors),
                            p_column(&tenants)),
                     err) < 0 ||
                   inputs_send(slice->conn, err) < 0 || conn_sync(slice->conn, err) < 0
               ? err_trace(err)
               : 0;
}

/* Has them done, and finds what an inputSchema refuses. */
static int deliver_all(struct slice *slice, struct input_refusals *ret_refusals, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL, *inputs CLEANUP(result_freep) = NULL;
    int n, row = 0;

    if (send_orders(slice, &n, err) < 0 || conn_next(slice->conn, &rows, err) < 0 ||
        inputs_receive(slice->conn, &inputs, err) < 0)
        return err_trace(err);
    if (result_rows(rows) != n)
        return err_set(err, ERR_INTERNAL, "%d of %d deliveries were answered", result_rows(rows),
                       n);
    for (size_t i = 0; i < slice->n_orders; i++) {
        struct order *order = &slice->orders[i];
        if (order->arguments == NULL)
            continue;
        order->result = result_uuid(rows, row, 1);
        if (!result_null(rows, row, 2))
            order->why = arena_strdup(slice->arena, result_text(rows, row, 2));
        row++;
    }
    return inputs_judge(slice->conn, &slice->worker->store->graphs, inputs, slice->arena,
                        ret_refusals, err);
}

/* What an inputSchema refuses is a dead letter; the others are delivered without it. */
static int deliver(struct slice *slice, struct err *err)
{
    struct input_refusals refusals = {.n = 1};

    if (slice->order_bytes == 0)
        return 0;
    for (bool first = true; refusals.n > 0; first = false) {
        if (conn_query(slice->conn, first ? "events_savepoint" : "events_back", NO_PARAMS, NULL,
                       err) < 0 ||
            deliver_all(slice, &refusals, err) < 0)
            return err_trace(err);
        for (size_t i = 0; i < slice->n_orders; i++) {
            struct order *order = &slice->orders[i];
            const char *words = inputs_refused(&refusals, &order->result);
            if (words == NULL)
                continue;
            order->why = arena_printf(slice->arena, "input does not pass inputSchema: %s", words);
            order->arguments = NULL;
            order->result = (struct uuid){{0}};
        }
    }
    return 0;
}

/* One event that waits twice (replayed twice) has one delivery: the last counts. */
static bool is_last(const struct slice *slice, size_t at)
{
    const struct order *order = &slice->orders[at];

    for (size_t i = at + 1; i < slice->n_orders; i++) {
        const struct order *later = &slice->orders[i];
        if (later->todo != order->todo && uuid_equal(&later->todo->event, &order->todo->event) &&
            strcmp(later->rule, order->rule) == 0 && strcmp(later->target, order->target) == 0)
            return false;
    }
    return true;
}

static int note_deliveries(struct slice *slice, struct err *err)
{
    struct column events, rules, targets, kinds, results, errors;

    if (slice->n_orders == 0)
        return 0;
    column_init(&events, slice->arena, COLUMN_UUID);
    column_init(&rules, slice->arena, COLUMN_TEXT);
    column_init(&targets, slice->arena, COLUMN_TEXT);
    column_init(&kinds, slice->arena, COLUMN_TEXT);
    column_init(&results, slice->arena, COLUMN_UUID);
    column_init(&errors, slice->arena, COLUMN_TEXT);
    for (size_t i = 0; i < slice->n_orders; i++) {
        const struct order *order = &slice->orders[i];
        if (!is_last(slice, i))
            continue;
        column_uuid(&events, &order->todo->event);
        column_text(&rules, order->rule);
        column_text(&targets, order->target);
        column_text(&kinds, order->kind);
        column_uuid(&results, &order->result);
        column_text(&errors, order->why);
    }
    return conn_query(slice->conn, "events_note",
                      PARAMS(p_column(&events), p_column(&rules), p_column(&targets),
                             p_column(&kinds), p_column(&results), p_column(&errors)),
                      NULL, err) < 0
               ? err_trace(err)
               : 0;
}

/* Deliveries of before that have failed: their processes say so by events of their own. */
static int note_failures(struct slice *slice, struct err *err)
{
    struct column events, rules, targets, errors;

    column_init(&events, slice->arena, COLUMN_UUID);
    column_init(&rules, slice->arena, COLUMN_TEXT);
    column_init(&targets, slice->arena, COLUMN_TEXT);
    column_init(&errors, slice->arena, COLUMN_TEXT);
    for (size_t i = 0; i < slice->done; i++) {
        const struct todo *todo = &slice->todos[i];
        const char *texts[4];
        static const char *const names[] = {"event", "rule", "target", "error"};
        struct uuid id;
        bool whole = todo->failure && todo->why == NULL;
        for (size_t j = 0; whole && j < ARRAY_LEN(names); j++) {
            const struct value *member = part(part(&todo->value, "detail"), names[j]);
            whole = member != NULL && member->kind == VALUE_STRING;
            texts[j] = whole ? member->u.string.text : NULL;
        }
        if (!whole || !uuid_parse(texts[0], &id))
            continue;
        column_uuid(&events, &id);
        column_text(&rules, texts[1]);
        column_text(&targets, texts[2]);
        column_text(&errors, texts[3]);
    }
    if (events.rows == 0)
        return 0;
    return conn_query(
               slice->conn, "events_failed",
               PARAMS(p_column(&events), p_column(&rules), p_column(&targets), p_column(&errors)),
               NULL, err) < 0
               ? err_trace(err)
               : 0;
}

static int carry_out_events(struct slice *slice, struct err *err)
{
    if (slice->events->rules == NULL &&
        event_rules_read(slice->conn, &slice->events->rules, err) < 0)
        return err_trace(err);
    for (; slice->done < slice->n && slice->todos[slice->done].kind == TODO_EVENT &&
           slice->order_bytes < ORDERS_BYTES;
         slice->done++) {
        struct todo *todo = &slice->todos[slice->done];
        read_event(slice, (int)slice->done, todo);
        match_event(slice, todo);
    }
    if (deliver(slice, err) < 0 || note_deliveries(slice, err) < 0 || note_failures(slice, err) < 0)
        return err_trace(err);
    if (slice->unmatched.rows + slice->matched.rows == 0)
        return 0;
    return conn_query(slice->conn, "events_unmatched",
                      PARAMS(p_column(&slice->unmatched), p_column(&slice->matched)), NULL, err) < 0
               ? err_trace(err)
               : 0;
}

/* ---- One slice ---- */

/* The first of them cannot even be written: it goes, and what is known of it is kept. */
static int give_up(struct slice *slice, const char *why, struct err *err)
{
    struct todo *todo = &slice->todos[0];

    slice->done = 1;
    if (todo->kind == TODO_EVENT) {
        add_order(slice, todo, "", "", "")->why = why;
        return note_deliveries(slice, err);
    }
    refuse(slice, todo, why);
    return conn_query(slice->conn, "events_outcomes",
                      PARAMS(p_column(&slice->outcome_ids), p_column(&slice->outcome_states),
                             p_column(&slice->outcome_details), p_column(&slice->outcome_tenants)),
                      NULL, err) < 0
               ? err_trace(err)
               : 0;
}

static void slice_init(struct slice *slice, struct store_worker *worker)
{
    struct arena *arena = &worker->store->events.arena;

    arena_reset(arena);
    *slice = (struct slice){
        .worker = worker, .events = &worker->store->events, .conn = worker->conn, .arena = arena};
    column_init(&slice->tids, arena, COLUMN_TID);
    column_init(&slice->unmatched, arena, COLUMN_UUID);
    column_init(&slice->matched, arena, COLUMN_UUID);
    column_init(&slice->outcome_ids, arena, COLUMN_UUID);
    column_init(&slice->outcome_states, arena, COLUMN_TEXT);
    column_init(&slice->outcome_details, arena, COLUMN_TEXT);
    column_init(&slice->outcome_tenants, arena, COLUMN_TEXT);
}

/* After the commit: where the next claim begins. */
static void move_mark(struct slice *slice)
{
    struct events *events = slice->events;

    if (slice->rules_changed)
        events->version = -1; /* read anew with the next slice */
    if (slice->done < slice->n || slice->n >= events->most)
        return; /* more is there: the same mark finds it */
    arena_reset(&events->marks);
    int64_t *flying = arena_array(&events->marks, slice->n_flying, sizeof(*flying));
    if (slice->n_flying != 0)
        memcpy(flying, slice->flying, slice->n_flying * sizeof(*flying));
    events->flying = flying;
    events->n_flying = slice->n_flying;
    events->mark = slice->xmax;
}

/* why: the first one is given up. */
static int transact(struct slice *slice, const char *why, struct err *err)
{
    bool mine;

    if (conn_begin(slice->conn, err) < 0 || lock_lane(slice, &mine, err) < 0)
        return err_trace(err);
    if (!mine) {
        conn_rollback(slice->conn);
        return 0;
    }
    if (claim_todos(slice, err) < 0)
        return err_trace(err);
    slice->decided = arena_array(slice->arena, slice->n, sizeof(*slice->decided));
    if (slice->n == 0) {
        conn_rollback(slice->conn);
        move_mark(slice);
        return 0;
    }
    if (why != NULL                          ? give_up(slice, why, err) < 0
        : slice->todos[0].kind == TODO_EVENT ? carry_out_events(slice, err) < 0
                                             : carry_out_commands(slice, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < slice->done; i++)
        column_tid(&slice->tids, slice->todos[i].tid);
    if (conn_query(slice->conn, "events_done", PARAMS(p_column(&slice->tids)), NULL, err) < 0)
        return err_trace(err);
    fault_point("events.before_commit");
    if (conn_commit(slice->conn, err) < 0)
        return err_trace(err);
    fault_point("events.after_commit");
    move_mark(slice);
    return 0;
}

static int work(struct slice *slice, struct err *err)
{
    struct events *events = slice->events;
    struct store_worker *worker = slice->worker;
    int rc = transact(slice, NULL, err);

    if (rc == 0) {
        events->most = LIMIT_EVENT_SLICE;
        return 0;
    }
    conn_rollback(slice->conn);
    if (err->code != ERR_DATA && err->code != ERR_INTERNAL)
        return err_trace(err);
    if (events->most > 1) { /* one by one, until it is found */
        events->most = 1;
        err_reset(err);
        return 0;
    }
    const char *why = arena_strdup(&worker->arena, err->text);
    result_freep(&slice->rows);
    slice_init(slice, worker);
    err_reset(err);
    rc = transact(slice, why, err);
    if (rc < 0)
        conn_rollback(slice->conn);
    events->most = LIMIT_EVENT_SLICE;
    return rc;
}

static void marks(const struct events *events, struct arena *arena, struct column *ret_flying)
{
    column_init(ret_flying, arena, COLUMN_XID8);
    for (size_t i = 0; i < events->n_flying; i++)
        column_int(ret_flying, events->flying[i]);
}

uint64_t events_marks(struct events *events, struct arena *arena, struct column *ret_flying)
{
    uint64_t mark = UINT64_MAX;

    column_init(ret_flying, arena, COLUMN_XID8);
    if (pthread_mutex_trylock(&events->lock) != 0)
        return mark;
    marks(events, arena, ret_flying);
    mark = events->mark;
    pthread_mutex_unlock(&events->lock);
    return mark;
}

static int peek(struct slice *slice, bool *ret_work, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct column flying;

    marks(slice->events, slice->arena, &flying);
    if (conn_query(slice->conn, "events_peek",
                   PARAMS(p_xid8(slice->events->mark), p_column(&flying)), &rows, err) < 0)
        return err_trace(err);
    *ret_work = result_bool(rows, 0, 0);
    return 0;
}

int store_events(struct store_worker *worker, unsigned *ret_done, struct err *err)
{
    struct events *events = &worker->store->events;
    struct slice slice;
    bool committed, found = false;
    struct err why;

    *ret_done = 0;
    peek_forget(worker);
    if (pthread_mutex_trylock(&events->lock) != 0)
        return 0;
    int rc = worker->conn == NULL ? worker_recover(worker, &committed, err) : 0;
    if (rc == 0) {
        slice_init(&slice, worker);
        rc = peek(&slice, &found, err);
        if (rc == 0 && found)
            rc = work(&slice, err);
        result_free(slice.rows);
    }
    if (rc == 0) {
        *ret_done = (unsigned)slice.done;
        if (worker->committed != NULL && slice.n_decided != 0)
            worker->committed(worker->committed_context, slice.decided, slice.n_decided);
    } else if (worker->conn != NULL && !conn_alive(worker->conn) &&
               worker_recover(worker, &committed, &why) < 0) {
        *err = why;
    }
    pthread_mutex_unlock(&events->lock);
    return rc < 0 ? err_trace(err) : 0;
}
