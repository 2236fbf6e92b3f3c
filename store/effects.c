/* SPDX-License-Identifier: Apache-2.0 */
/* What became of each family and each item, as rows to write. */
#include "base/build.h"

#include <sys/random.h>

#include "base/buf.h"
#include "store/effects.h"

#define HISTORY_TASK_CLAIMED 100
#define HISTORY_TASK_RELEASED 101
#define HISTORY_INCIDENT_RETRIED 102
#define HISTORY_OTHER 199

struct uuid batch_uuid(struct batch *batch)
{
    uint8_t entropy[10];
    ssize_t got = getrandom(entropy, sizeof(entropy), 0);

    assert(got == (ssize_t)sizeof(entropy)); /* up to 256 bytes never come short */
    return uuid_v7(batch->now_us / 1000, entropy);
}

static int64_t small(uint32_t tries)
{
    return tries < INT16_MAX ? (int64_t)tries : INT16_MAX;
}

void effect_command(struct effects *e, enum table_id t, size_t at, const struct command *c)
{
    column_int(col(e, t, at), c->kind);
    column_int(col(e, t, at + 1), c->token);
    column_int(col(e, t, at + 2), c->node);
    column_int(col(e, t, at + 3), c->phase);
    column_int(col(e, t, at + 4), small(c->tries));
    column_uuid(col(e, t, at + 5), &c->subject);
    column_text(col(e, t, at + 6), c->name);
    column_text(col(e, t, at + 7), c->detail);
    column_bytes(col(e, t, at + 8), c->body, c->body_n);
}

/* Of a row of instance or ready: NULL is the instance itself, and most have nobody above them. */
static void put_root(struct column *column, const struct uuid *root, const struct uuid *instance)
{
    if (uuid_equal(root, instance))
        column_null(column);
    else
        column_uuid(column, root);
}

void effect_ready(struct effects *e, const struct command *command, int lane,
                  const struct tid *spare)
{
    if (spare != NULL) {
        column_tid(col(e, T_MOVE_READY, 0), *spare);
        column_uuid(col(e, T_MOVE_READY, 1), &command->instance);
        effect_command(e, T_MOVE_READY, 2, command);
    } else {
        column_int(col(e, T_INSERT_READY, 0), lane);
        put_root(col(e, T_INSERT_READY, 1), &command->root, &command->instance);
        column_uuid(col(e, T_INSERT_READY, 2), &command->instance);
        effect_command(e, T_INSERT_READY, 3, command);
    }
}

void effect_outcome(struct effects *e, const struct uuid *id, const char *tenant, int definition_id,
                    const char *state, const char *detail)
{
    if (uuid_is_nil(id))
        return;
    *arena_push(e->arena, e->decided, e->n_decided, e->decided_capacity) = *id;
    column_uuid(col(e, T_INSERT_OUTCOMES, 0), id);
    column_text(col(e, T_INSERT_OUTCOMES, 1), state);
    column_text(col(e, T_INSERT_OUTCOMES, 2), detail);
    column_text(col(e, T_INSERT_OUTCOMES, 3), tenant);
    if (definition_id != 0)
        column_int(col(e, T_INSERT_OUTCOMES, 4), definition_id);
    else
        column_null(col(e, T_INSERT_OUTCOMES, 4));
}

const char *effect_reason(struct arena *arena, const char *text)
{
    struct value value = value_string(arena, text, strlen(text));
    return arena_printf(arena, "{\"reason\":%s}", value_text(arena, &value, NULL));
}

/* ---- Waits ---- */

struct spares { /* ready rows of this family's commands that were carried out */
    const struct item **items;
    size_t n, capacity;
};

/* A row keeps its lane, which is in its index. */
static const struct tid *take_spare(struct spares *spares, int lane)
{
    for (size_t i = spares->n; i-- > 0;) {
        const struct item *item = spares->items[i];
        if (item->lane != lane)
            continue;
        spares->items[i] = spares->items[--spares->n];
        return &item->tid;
    }
    return NULL;
}

/* Of an instance's jobs. */
static int lane_of(struct batch *batch, const struct instance *instance, int node)
{
    const struct graph *graph = instance != NULL ? instance->graph : NULL;
    int lane = 0;

    if (graph != NULL) {
        bool known = node >= 0 && (size_t)node < graph->n_nodes;
        lane = lane_number(graph->lane, known ? graph->nodes[node].priority : graph->priority);
    }

    atomic_fetch_or(&batch->worker->store->lanes, UINT64_C(1) << lane);
    return lane;
}

/*
 * What is due already goes to ready at once: claims of timers begin a little before now, and a time
 * long past would be found late.
 */
static void timer_row(struct batch *batch, const struct instance *instance,
                      const struct command *command, int64_t due_us, bool retry, const char *error,
                      struct spares *spares)
{
    struct effects *e = batch->effects;

    if (due_us <= batch->now_us) {
        int lane = lane_of(batch, instance, command->node);
        effect_ready(e, command, lane, take_spare(spares, lane));
        return;
    }
    column_time(col(e, T_INSERT_TIMERS, 0), due_us);
    column_uuid(col(e, T_INSERT_TIMERS, 1), &command->instance);
    column_int(col(e, T_INSERT_TIMERS, 2), command->token);
    column_int(col(e, T_INSERT_TIMERS, 3), command->node);
    column_int(col(e, T_INSERT_TIMERS, 4), command->kind);
    column_uuid(col(e, T_INSERT_TIMERS, 5), &command->root);
    column_int(col(e, T_INSERT_TIMERS, 6), command->phase);
    column_int(col(e, T_INSERT_TIMERS, 7), small(command->tries));
    column_bool(col(e, T_INSERT_TIMERS, 8), retry);
    column_uuid(col(e, T_INSERT_TIMERS, 9), &command->subject);
    column_text(col(e, T_INSERT_TIMERS, 10), command->name);
    column_text(col(e, T_INSERT_TIMERS, 11), command->detail);
    column_bytes(col(e, T_INSERT_TIMERS, 12), command->body, command->body_n);
    column_text(col(e, T_INSERT_TIMERS, 13), error);
}

static void fresh_timer(struct batch *batch, const struct instance *instance,
                        const struct wait *wait, struct spares *spares)
{
    struct command command = {.kind = COMMAND_TIMER,
                              .instance = instance->id,
                              .root = instance->root,
                              .token = wait->token,
                              .node = wait->node};

    if (wait->due_us == INT64_MAX)
        return; /* not armed, or never */
    if (wait->due_us <= batch->now_us)
        command.detail = arena_printf(batch->arena, "%lld", (long long)wait->due_us);
    timer_row(batch, instance, &command, wait->due_us, false, NULL, spares);
}

/* When somebody must have been heard of. */
static void callback_timer(struct batch *batch, const struct instance *instance,
                           const struct wait *wait, struct spares *spares)
{
    struct command command = {.kind = COMMAND_CALLBACK_TIMER,
                              .instance = instance->id,
                              .root = instance->root,
                              .token = wait->token,
                              .node = wait->node,
                              .subject = wait->subject};

    timer_row(batch, instance, &command, wait->due_us, false, NULL, spares);
}

/* When it lasts too long; token 0: the instance. */
static void level_timer(struct batch *batch, const struct instance *instance, uint32_t token,
                        int node, int64_t due_us, struct spares *spares)
{
    struct command command = {.kind = COMMAND_LEVEL,
                              .instance = instance->id,
                              .root = instance->root,
                              .token = token,
                              .node = node};

    timer_row(batch, instance, &command, due_us, false, NULL, spares);
}

static void delete_timer(struct effects *e, int64_t due_us, const struct uuid *instance,
                         uint32_t token, int node, int kind, bool retry)
{
    column_time(col(e, T_DELETE_TIMERS, 0), due_us);
    column_uuid(col(e, T_DELETE_TIMERS, 1), instance);
    column_int(col(e, T_DELETE_TIMERS, 2), token);
    column_int(col(e, T_DELETE_TIMERS, 3), node);
    column_int(col(e, T_DELETE_TIMERS, 4), kind);
    column_bool(col(e, T_DELETE_TIMERS, 5), retry);
}

static void delete_call(struct effects *e, const struct uuid *call)
{
    column_uuid(col(e, T_DELETE_CALL_QUEUE, 0), call);
    column_uuid(col(e, T_DELETE_ATTEMPTS, 0), call);
    column_uuid(col(e, T_DELETE_CALLS, 0), call);
}

/* Nobody expects its answer any more. */
static void gone_call(struct effects *e, const struct instance *instance, const struct uuid *call)
{
    delete_call(e, call);
    column_uuid(col(e, T_DELETE_INCIDENTS_AT, 0), &instance->id);
    column_null(col(e, T_DELETE_INCIDENTS_AT, 1));
    column_uuid(col(e, T_DELETE_INCIDENTS_AT, 2), call);
}

static void gone_wait(struct effects *e, const struct instance *instance, const struct wait *wait)
{
    switch (wait->kind) {
    case WAIT_TIMER:
        if (wait->due_us != INT64_MAX)
            delete_timer(e, wait->due_us, &instance->id, wait->token, wait->node, COMMAND_TIMER,
                         false);
        break;
    case WAIT_MESSAGE:
        column_uuid(col(e, T_DELETE_SUBSCRIPTIONS, 0), &instance->id);
        column_int(col(e, T_DELETE_SUBSCRIPTIONS, 1), wait->token);
        column_int(col(e, T_DELETE_SUBSCRIPTIONS, 2), wait->node);
        break;
    case WAIT_TASK:
        column_uuid(col(e, T_DELETE_TASKS, 0), &wait->subject);
        break;
    case WAIT_CALL:
        gone_call(e, instance, &wait->subject);
        break;
    case WAIT_EXTERNAL:
        column_uuid(col(e, T_DELETE_EXTERNAL, 0), &wait->subject);
        break;
    case WAIT_CALLBACK:
        if (wait->due_us == INT64_MAX)
            break; /* it failed, and its rows went then */
        column_uuid(col(e, T_DELETE_CALLBACKS, 0), &wait->subject);
        delete_timer(e, wait->due_us, &instance->id, wait->token, wait->node,
                     COMMAND_CALLBACK_TIMER, false);
        break;
    case WAIT_LEVEL:
        delete_timer(e, wait->due_us, &instance->id, wait->token, wait->node, COMMAND_LEVEL, false);
        break;
    case WAIT_CHILD:
        break;
    }
}

/* ---- Instances ---- */

static void put_variables(struct column *column, struct family *family,
                          const struct instance *instance)
{
    const char *text;
    size_t n;

    instance_variables(family, instance, &text, &n);
    if (text == NULL || n <= 2)
        column_null(column);
    else
        column_bytes(column, text, n);
}

static void insert_instance(struct effects *e, struct family *family,
                            const struct instance *instance)
{
    const char *doc;
    size_t doc_n;
    bool child = !uuid_is_nil(&instance->parent);

    instance_encode(family, instance, &doc, &doc_n);
    column_uuid(col(e, T_INSERT_INSTANCES, 0), &instance->id);
    put_root(col(e, T_INSERT_INSTANCES, 1), &instance->root, &instance->id);
    column_uuid(col(e, T_INSERT_INSTANCES, 2), &instance->parent);
    if (child)
        column_int(col(e, T_INSERT_INSTANCES, 3), instance->parent_token);
    else
        column_null(col(e, T_INSERT_INSTANCES, 3));
    column_int(col(e, T_INSERT_INSTANCES, 4), instance->definition_id);
    column_text(col(e, T_INSERT_INSTANCES, 5), instance->tenant != NULL ? instance->tenant : "");
    column_text(col(e, T_INSERT_INSTANCES, 6), instance->business_key);
    column_time(col(e, T_INSERT_INSTANCES, 7), instance->started_us);
    column_bytes(col(e, T_INSERT_INSTANCES, 8), doc, doc_n);
    put_variables(col(e, T_INSERT_INSTANCES, 9), family, instance);
    const struct instance *parent = child ? family_instance(family, &instance->parent) : NULL;
    column_counter(col(e, T_INSERT_INSTANCES, 10),
                   parent != NULL ? item_around(parent, instance->parent_token) : 0);
}

static void update_instance(struct effects *e, struct family *family,
                            const struct instance *instance)
{
    const struct row *row = instance->row;
    const char *doc;
    size_t n;

    instance_encode(family, instance, &doc, &n);
    bool same = n == instance->doc_n && memcmp(doc, instance->doc, n) == 0;
    if (same && !instance->variables_changed)
        return;
    column_tid(col(e, T_UPDATE_INSTANCES, 0), row->tid);
    column_bytes(col(e, T_UPDATE_INSTANCES, 1), doc, n);
    column_bool(col(e, T_UPDATE_INSTANCES, 2), instance->variables_changed);
    if (instance->variables_changed)
        put_variables(col(e, T_UPDATE_INSTANCES, 3), family, instance);
    else
        column_null(col(e, T_UPDATE_INSTANCES, 3));
}

/* It may not be the token that left, but one that came back since. */
static bool has_left(const struct token *then, const struct token *now)
{
    if (now == NULL)
        return then->state != TOKEN_JOIN;
    if (then->state != TOKEN_WAIT && then->state != TOKEN_SCOPE)
        return false; /* its incident, if it had one, has been tried again */
    return now->state != then->state || now->node != then->node || now->since_us != then->since_us;
}

/*
 * Tokens that left where they were, by whatever way: nobody can settle their incidents any more. An
 * answer that was parked belongs to its request, whose token may be anywhere: see gone_call().
 */
static void left_tokens(struct effects *e, const struct instance *instance)
{
    const struct row *row = instance->row;

    for (size_t i = 0, at = 0; i < row->n_tokens; i++) {
        const struct token *then = &row->tokens[i], *now = NULL;
        while (at < instance->n_tokens && instance->tokens[at].id < then->id)
            at++;
        if (at < instance->n_tokens && instance->tokens[at].id == then->id)
            now = &instance->tokens[at];
        if (!has_left(then, now))
            continue;
        column_uuid(col(e, T_DELETE_INCIDENTS_AT, 0), &instance->id);
        column_int(col(e, T_DELETE_INCIDENTS_AT, 1), then->id);
        column_null(col(e, T_DELETE_INCIDENTS_AT, 2));
    }
}

static void instance_rows(struct batch *batch, struct family *family,
                          const struct instance *instance, struct spares *spares)
{
    struct effects *e = batch->effects;
    bool ended = instance->fate == INSTANCE_ENDED;
    int64_t level_us = instance_level_us(instance);

    if (ended && !instance->born) {
        column_tid(col(e, T_DELETE_INSTANCES, 0), ((const struct row *)instance->row)->tid);
        column_uuid(col(e, T_DELETE_INCIDENTS_OF, 0), &instance->id);
        if (level_us != INT64_MAX)
            delete_timer(e, level_us, &instance->id, 0, 0, COMMAND_LEVEL, false);
    } else if (!ended && instance->born) {
        insert_instance(e, family, instance);
        if (level_us != INT64_MAX)
            level_timer(batch, instance, 0, 0, level_us, spares);
    } else if (!ended) {
        update_instance(e, family, instance);
        left_tokens(e, instance);
    }
    for (size_t i = 0; i < instance->n_gone; i++)
        gone_wait(e, instance, &instance->gone[i]);
    for (size_t i = 0; i < instance->n_calls_gone; i++)
        gone_call(e, instance, &instance->calls_gone[i]);
    for (size_t i = 0; i < instance->n_waits; i++) {
        const struct wait *wait = &instance->waits[i];
        if (ended && !wait->fresh)
            gone_wait(e, instance, wait);
        else if (!ended && wait->fresh && wait->kind == WAIT_TIMER)
            fresh_timer(batch, instance, wait, spares);
        else if (!ended && (wait->fresh || wait->rearmed) && wait->kind == WAIT_CALLBACK)
            callback_timer(batch, instance, wait, spares);
        else if (!ended && wait->fresh && wait->kind == WAIT_LEVEL)
            level_timer(batch, instance, wait->token, wait->node, wait->due_us, spares);
    }
}

/* ---- A family's other effects ---- */

static int definition_of(const struct family *family, const struct uuid *id)
{
    const struct instance *instance = family_instance(family, id);

    return instance != NULL ? instance->definition_id : 0;
}

static void put_jobs(struct batch *batch, struct family *family, struct spares *spares)
{
    for (size_t i = 0; i < family->n_jobs; i++) {
        const struct job *job = &family->jobs[i];
        const struct instance *of = family_instance(family, &job->command.instance);
        int lane = lane_of(batch, of, job->command.node);
        switch (job->place) {
        case JOB_READY:
            effect_ready(batch->effects, &job->command, lane, take_spare(spares, lane));
            break;
        case JOB_RETRY:
            timer_row(batch, of, &job->command, job->command.due_us, true, job->error, spares);
            break;
        case JOB_INCIDENT:
            effect_incident(batch, &job->command, definition_of(family, &job->command.instance),
                            item_around(of, job->command.token),
                            job->reason != NULL ? job->reason : "failedJob",
                            job->error != NULL ? job->error : "");
            break;
        }
    }
}

static void put_call(struct effects *e, const struct family *family, const struct new_call *call)
{
    column_uuid(col(e, T_INSERT_CALLS, 0), &call->id);
    column_uuid(col(e, T_INSERT_CALLS, 1), &call->instance);
    column_uuid(col(e, T_INSERT_CALLS, 2), &family->root);
    column_int(col(e, T_INSERT_CALLS, 3), call->token);
    column_int(col(e, T_INSERT_CALLS, 4), call->node);
    column_text(col(e, T_INSERT_CALLS, 5), call->endpoint);
    column_text(col(e, T_INSERT_CALLS, 6), call->method);
    column_text(col(e, T_INSERT_CALLS, 7), call->path != NULL ? call->path : "");
    column_text(col(e, T_INSERT_CALLS, 8), call->headers != NULL ? call->headers : "{}");
    column_bytes(col(e, T_INSERT_CALLS, 9), call->body, call->body_n);
    column_int(col(e, T_INSERT_CALLS, 10), call->connect_timeout_us);
    column_int(col(e, T_INSERT_CALLS, 11), call->timeout_us);
    column_bool(col(e, T_INSERT_CALLS, 12), call->report_sent);
    if (call->open_after_us >= 0)
        column_int(col(e, T_INSERT_CALLS, 13), call->open_after_us);
    else
        column_null(col(e, T_INSERT_CALLS, 13));
    column_time_or_null(col(e, T_INSERT_CALLS, 14), call->deadline_us);
    column_counter(col(e, T_INSERT_CALLS, 15),
                   item_around(family_instance(family, &call->instance), call->token));
    column_text(col(e, T_INSERT_CALL_QUEUE, 0), call->endpoint);
    column_uuid(col(e, T_INSERT_CALL_QUEUE, 1), &call->id);
    column_int(col(e, T_INSERT_CALL_QUEUE, 2), call->attempt);
}

/* ---- History: how entries are packed into rows is described at the table `event` ---- */

/* JSON has line breaks and tabs between its values only, where a space does. */
static void add_data(struct buf *entries, const char *data)
{
    size_t at = entries->len;

    buf_add_str(entries, data);
    for (; at < entries->len; at++) {
        if ((unsigned char)entries->data[at] < ' ')
            entries->data[at] = ' ';
    }
}

static void add_entry(struct buf *entries, const struct batch *batch, const struct history *h)
{
    if (entries->len > 0)
        buf_add_char(entries, '\n');
    buf_add_int(entries, h->kind);
    buf_add_char(entries, '\t');
    buf_add_int(entries, h->token);
    buf_add_char(entries, '\t');
    buf_add_int(entries, h->node);
    if (h->started_us != 0) {
        buf_add_char(entries, '\t');
        buf_add_int(entries, batch->now_us - h->started_us);
    } else if (h->data != NULL)
        buf_add_char(entries, '\t');
    if (h->data != NULL) {
        buf_add_char(entries, '\t');
        add_data(entries, h->data);
    }
}

/* What an instance wrote in one go is one row; n counts entries, so that their order stays. */
static void put_history(struct batch *batch, const struct family *family, struct buf *entries)
{
    struct effects *e = batch->effects;

    for (size_t i = 0, next; i < family->n_history; i = next) {
        const struct history *first = &family->history[i];
        const struct instance *of =
            first->of != NULL ? first->of : family_instance(family, &first->instance);
        bool starts = false, ends = false;
        buf_reset(entries);
        for (next = i; next < family->n_history &&
                       uuid_equal(&family->history[next].instance, &first->instance);
             next++) {
            const struct history *h = &family->history[next];
            add_entry(entries, batch, h);
            starts |= h->kind == HISTORY_INSTANCE_STARTED;
            ends |= h->kind == HISTORY_INSTANCE_ENDED;
        }
        column_int(col(e, T_INSERT_HISTORY, 0), e->n_history);
        column_uuid(col(e, T_INSERT_HISTORY, 1), &first->instance);
        column_int(col(e, T_INSERT_HISTORY, 2), of != NULL ? of->definition_id : 0);
        column_bool(col(e, T_INSERT_HISTORY, 3), ends);
        column_text(col(e, T_INSERT_HISTORY, 4), starts && of != NULL ? of->business_key : NULL);
        column_bytes(col(e, T_INSERT_HISTORY, 5), entries->data, entries->len);
        e->n_history += (int)(next - i);
    }
}

static void family_effects(struct batch *batch, struct fam *fam, struct buf *entries)
{
    struct family *family = &fam->family;
    struct effects *e = batch->effects;
    struct spares spares = {0};

    for (size_t i = 0; i < fam->n_items; i++) {
        const struct item *item = fam->items[i];
        if (item->source == FROM_READY && item->state != ITEM_PUT_OFF)
            *arena_push(batch->arena, spares.items, spares.n, spares.capacity) = item;
    }
    if (fam->kept) {
        for (size_t i = 0; i < family->n_instances; i++)
            instance_rows(batch, family, family->instances[i], &spares);
        put_jobs(batch, family, &spares);
        outside_effects(e, family);
        for (size_t i = 0; i < family->n_calls; i++)
            put_call(e, family, &family->calls[i]);
        for (size_t i = 0; i < family->n_events; i++)
            event_effects(e, family, &family->events[i]);
        put_history(batch, family, entries);
    }
    for (size_t i = 0; i < spares.n; i++)
        column_tid(col(e, T_DELETE_READY, 0), spares.items[i]->tid);
}

/* ---- Items: their rows go, and who asked is told ---- */

static void audit_row(struct batch *batch, const struct uuid *instance, int kind, int64_t token,
                      int64_t node, const char *data)
{
    struct effects *e = batch->effects;
    CLEANUP(buf_deinit) struct buf entry;
    const struct history h = {
        .kind = (enum history_kind)kind, .token = (uint32_t)token, .node = (int)node, .data = data};

    buf_init(&entry, 0);
    add_entry(&entry, batch, &h);
    column_int(col(e, T_INSERT_AUDIT, 0), e->n_history++);
    column_uuid(col(e, T_INSERT_AUDIT, 1), instance);
    column_bytes(col(e, T_INSERT_AUDIT, 2), entry.data, entry.len);
}

static int64_t number_of(const struct value *object, const char *name, int64_t otherwise)
{
    const struct value *member = value_member(object, name, strlen(name));

    if (member == NULL || member->kind != VALUE_NUMBER || !member->u.number.is_integer)
        return otherwise;
    return member->u.number.integer;
}

/* An act that a function of the SQL API has already done. */
static void put_audit(struct batch *batch, struct item *item)
{
    const struct command *c = &item->command;
    struct value value = value_null();
    struct err err;
    int kind = HISTORY_OTHER;

    if (c->name != NULL && strcmp(c->name, "taskClaimed") == 0)
        kind = HISTORY_TASK_CLAIMED;
    else if (c->name != NULL && strcmp(c->name, "taskReleased") == 0)
        kind = HISTORY_TASK_RELEASED;
    else if (c->name != NULL && strcmp(c->name, "callbackRefused") == 0)
        kind = HISTORY_CALLBACK_REFUSED;
    bool read = c->body != NULL &&
                value_read(batch->arena, c->body, c->body_n, &value, &err) == 0 &&
                value.kind == VALUE_OBJECT;
    audit_row(batch, &c->instance, kind, read ? number_of(&value, "token", 0) : 0,
              read ? number_of(&value, "node", -1) : -1, read ? c->body : NULL);
    item->state = ITEM_DONE;
}

/* A late answer to an instance that has ended: the engine has nothing to write it with. */
static void put_late(struct batch *batch, const struct item *item)
{
    struct value value, *response = &value;
    const struct value *outcome = NULL;
    char id[UUID_TEXT_BYTES];
    struct err err;

    if (item->kind != COMMAND_CALL_RESULT || item->fam == NULL || !item->fam->missing)
        return;
    if (item->command.body == NULL ||
        value_read(batch->arena, item->command.body, item->command.body_n, response, &err) < 0)
        return;
    outcome = value_member(response, "outcome", strlen("outcome"));
    uuid_format(&item->command.subject, id);
    audit_row(batch, &item->command.instance, HISTORY_CALL_LATE, item->command.token, -1,
              arena_printf(batch->arena, "{\"call\":\"%s\",\"outcome\":%s,\"attempt\":%lld}", id,
                           outcome != NULL ? value_text(batch->arena, outcome, NULL) : "null",
                           (long long)number_of(response, "attempt", 0)));
}

static void put_start_timer(struct batch *batch, const struct item *item)
{
    struct effects *e = batch->effects;
    const struct graph *graph = batch_graph(batch, item->definition_id);
    struct cycle_time time = {.due_us = item->command.due_us, .remaining = item->remaining}, next;
    struct err err;
    int node = item->command.node;

    if (graph == NULL || (size_t)node >= graph->n_nodes ||
        start_timer_next(&graph->nodes[node], batch->arena, &time, batch->now_us, &next, &err) <
            0 ||
        next.due_us == INT64_MAX) {
        column_tid(col(e, T_DELETE_START_TIMERS, 0), item->tid);
        return;
    }
    column_tid(col(e, T_MOVE_START_TIMERS, 0), item->tid);
    column_time(col(e, T_MOVE_START_TIMERS, 1), next.due_us);
    column_int(col(e, T_MOVE_START_TIMERS, 2), next.remaining);
}

static void take_row(struct batch *batch, struct item *item)
{
    struct effects *e = batch->effects;
    const struct command *c = &item->command;

    switch (item->source) {
    case FROM_READY:
        if (item->fam == NULL) /* else family_effects() has taken it */
            column_tid(col(e, T_DELETE_READY, 0), item->tid);
        break;
    case FROM_TIMER:
        delete_timer(e, item->id, &c->instance, c->token, c->node, item->kind, item->retry);
        break;
    case FROM_INBOX:
        column_tid(col(e, T_DELETE_INBOX, 0), item->tid);
        break;
    case FROM_START_TIMER:
        put_start_timer(batch, item);
        break;
    case FROM_RESULT:
        if (item->present && item->result->cacheable) {
            column_uuid(col(e, T_KEEP_ANSWERS, 0), &c->subject);
            column_bytes(col(e, T_KEEP_ANSWERS, 1), c->body, c->body_n);
        }
        break;
    }
    if (item->kind == COMMAND_CALL_RESULT && item->state != ITEM_PARKED &&
        (item->source != FROM_RESULT || item->present))
        delete_call(e, &c->subject);
}

/* NULL: none yet. An instance is awaited to its end, so that it was started is none. */
static const char *outcome_state(const struct item *item)
{
    bool start = item->kind == COMMAND_START;

    if (item->state == ITEM_DONE)
        return start ? NULL : "done";
    if (item->state == ITEM_FAILED && !command_is_by_hand(item->command.kind))
        return start ? NULL : "failed";
    return item->state == ITEM_FAILED || item->state == ITEM_DROPPED || item->state == ITEM_REFUSED
               ? "refused"
               : NULL;
}

static void put_outcome(struct batch *batch, const struct item *item)
{
    const char *state = outcome_state(item), *detail = NULL;
    int definition_id = item->definition_id;

    if (state == NULL || item->source != FROM_INBOX || item->kind == INBOX_PUBLISH ||
        item->kind == INBOX_CORRELATE)
        return;
    if (definition_id == 0 && item->fam != NULL)
        definition_id = definition_of(&item->fam->family, &item->command.instance);
    if (item->state != ITEM_DONE)
        detail = effect_reason(batch->arena,
                               item->why != NULL ? item->why : "what it addresses is gone");
    effect_outcome(batch->effects, &item->command_id, item->tenant, definition_id, state, detail);
}

/* Nothing could be done with it, and nobody may lose it: somebody must look. */
static void put_refused(struct batch *batch, struct item *item)
{
    struct command command = item->command;

    if (!item_needs_somebody(item))
        return;
    if (item->why_code == ERR_DATA) {
        command.body = NULL; /* the database would refuse it again */
        command.body_n = 0;
    }
    if (command.kind == COMMAND_START)
        command.token = (uint32_t)item->definition_id;
    effect_incident(batch, &command, item->definition_id, 0, "unreadable", item->why);
}

static const char *quoted(struct arena *arena, const char *text)
{
    struct value value = text != NULL ? value_string(arena, text, strlen(text)) : value_null();

    return value_text(arena, &value, NULL);
}

void effect_audit(struct batch *batch, const struct uuid *instance, int kind,
                  const struct item *item)
{
    audit_row(batch, instance, kind, 0, -1,
              arena_printf(batch->arena, "{\"actor\":%s,\"reason\":%s}",
                           quoted(batch->arena, item->command.actor),
                           quoted(batch->arena, item->command.detail)));
}

/* What was done before the batch, and led to what it did: it stands before it in the history. */
static void item_acts(struct batch *batch, struct item *item)
{
    char id[UUID_TEXT_BYTES];

    if (item->kind == INBOX_AUDIT && item->state == ITEM_RUN)
        put_audit(batch, item);
    if (uuid_is_nil(&item->incident) || item->state == ITEM_PUT_OFF || item->state == ITEM_REFUSED)
        return;
    column_uuid(col(batch->effects, T_DELETE_INCIDENTS, 0), &item->incident);
    uuid_format(&item->incident, id);
    audit_row(batch, &item->command.instance, HISTORY_INCIDENT_RETRIED, item->command.token,
              item->command.node,
              arena_printf(batch->arena, "{\"incident\":\"%s\",\"actor\":%s,\"reason\":%s}", id,
                           quoted(batch->arena, item->command.actor),
                           quoted(batch->arena, item->reason)));
}

static void item_effects(struct batch *batch, struct item *item)
{
    if (item->state == ITEM_PUT_OFF)
        return;
    if (item->state == ITEM_REFUSED)
        put_refused(batch, item);
    if (item->state == ITEM_DROPPED)
        put_late(batch, item);
    take_row(batch, item);
    modify_effects(batch, item);
    put_outcome(batch, item);
}

void effects_build(struct batch *batch)
{
    CLEANUP(buf_deinit) struct buf entries;

    buf_init(&entries, 0);
    for (size_t i = 0; i < batch->n_items; i++)
        item_acts(batch, batch->items[i]);
    for (size_t i = 0; i < batch->n_fams; i++) {
        family_effects(batch, batch->fams[i], &entries);
        park_effects(batch, batch->fams[i]);
    }
    for (size_t i = 0; i < batch->n_items; i++)
        item_effects(batch, batch->items[i]);
}
