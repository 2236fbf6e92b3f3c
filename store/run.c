/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items are stepped, family by family. A family is run from its documents again whenever a step
 * asks for something, fails, or would end a task that a caller is answering: that is rare, and
 * keeps the engine free of undoing. What a run found out stays in the items.
 */
#include "base/build.h"

#include "store/delegate.h"

#define ROUNDS_MAX (4 * LIMIT_CALL_DEPTH)
#define FAILURES_MAX 32 /* of one family in one batch: each of them runs the family again */

enum fam_result { FAM_READY = 0, FAM_NEEDS = 1, FAM_UNDO = 2 };

void item_refuse(struct item *item, enum err_code code, const char *why)
{
    item->state = ITEM_REFUSED;
    item->why_code = code;
    item->why = why;
}

bool item_alive(const struct item *item)
{
    return item->state == ITEM_RUN || item->state == ITEM_DONE || item->state == ITEM_FAILED;
}

/* ---- Does the command still mean what it meant? ---- */

/* The same token may be back at the same event, waiting for another time. */
static bool timer_is_current(const struct instance *instance, const struct item *item)
{
    const struct command *c = &item->command;

    if (item->retry || item->fail || c->due_us == 0)
        return true;
    const struct wait *wait = wait_find(instance, WAIT_TIMER, c->token, c->node);
    return wait == NULL || wait->due_us == c->due_us; /* the engine says that it is gone */
}

static bool message_is_current(const struct instance *instance, const struct item *item)
{
    const struct token *token = token_find(instance, item->command.token);
    struct delivery delivery;

    if (token == NULL || !delivery_read(item->command.detail, &delivery))
        return true;
    return token->since_us <= delivery.since_us;
}

static bool waits_for_call(const struct instance *instance, const struct uuid *call)
{
    return wait_find_subject(instance, WAIT_CALL, call) != NULL ||
           fired_find(instance, call) != NULL;
}

/*
 * A cycle that fell behind: its next time came up in this batch, is over already, and is earlier
 * than this timer. It goes first, from ready; this one waits for the next batch.
 */
static bool timer_is_too_early(const struct fam *fam, const struct item *item)
{
    if (item->source != FROM_TIMER || item->retry)
        return false;
    for (size_t i = 0; i < fam->family.n_instances; i++) {
        const struct instance *instance = fam->family.instances[i];
        for (size_t j = 0; j < instance->n_waits; j++) {
            const struct wait *wait = &instance->waits[j];
            if (wait->kind == WAIT_TIMER && wait->fresh && wait->due_us < item->command.due_us)
                return true;
        }
    }
    return false;
}

/*
 * Whether a callback is late is known only to who has locked its row: somebody may be answering, or
 * have been heard of. False: it waits for the next batch.
 */
static bool hear(const struct batch *batch, const struct fam *fam, struct item *item)
{
    const struct instance *instance = family_instance(&fam->family, &item->command.instance);
    const struct callback_seen *seen = map_get(&batch->callbacks, &item->command.subject);

    if (item->kind != COMMAND_CALLBACK_TIMER || seen != NULL || instance == NULL)
        return true;
    for (size_t i = 0; i < instance->n_waits; i++) {
        const struct wait *wait = &instance->waits[i];
        if (wait->kind == WAIT_CALLBACK && wait->due_us != INT64_MAX &&
            uuid_equal(&wait->subject, &item->command.subject))
            return false;
    }
    return true; /* it is gone */
}

/* Nobody is late who has answered. */
static bool callback_is_open(const struct batch *batch, struct item *item)
{
    const struct callback_seen *seen = map_get(&batch->callbacks, &item->command.subject);

    if (seen == NULL)
        return true;
    item->command.heard_us = seen->heard_us;
    return !seen->answered;
}

/* False: it is gone, or was never meant for what is there now. */
static bool is_current(const struct batch *batch, const struct fam *fam, struct item *item)
{
    const struct instance *instance = family_instance(&fam->family, &item->command.instance);

    if (instance == NULL)
        return true;
    switch (item->kind) {
    case COMMAND_TIMER:
        return timer_is_current(instance, item);
    case COMMAND_MESSAGE:
        return message_is_current(instance, item);
    case COMMAND_CALL_RESULT:
        /* Its attempt is over: told twice, or another one is under way. */
        return item->source != FROM_RESULT || item->present ||
               !waits_for_call(instance, &item->command.subject);
    case COMMAND_CALLBACK_TIMER:
        return callback_is_open(batch, item);
    default:
        return true;
    }
}

/* ---- One item ---- */

static void remember(struct batch *batch, struct item *item, const struct err *err)
{
    item->fail = true;
    item->why = arena_strdup(batch->arena, err->text);
    item->why_code = err->code;
}

/* Where a start begins; false: it was refused. */
static bool prepare_start(struct batch *batch, struct item *item)
{
    struct command *c = &item->command;

    c->graph = batch_graph(batch, item->definition_id);
    c->tenant = item->tenant;
    if (c->graph == NULL) {
        item_refuse(item, ERR_NOT_FOUND,
                    "the definition of the process is gone or can not be read");
        return false;
    }
    if (item->source == FROM_INBOX && uuid_is_nil(&item->incident))
        c->node = c->graph->none_start;
    if (c->graph->only_called) {
        item_refuse(item, ERR_CONFLICT, "the process is started by other processes only");
        return false;
    }
    if (c->node < 0 || (size_t)c->node >= c->graph->n_nodes) {
        item_refuse(item, ERR_CONFLICT,
                    "the process has no start event without a trigger: send the message "
                    "that starts it");
        return false;
    }
    return true;
}

/* It has killed the process twice: nobody tries it again before somebody has looked. */
static void park_jobs(struct fam *fam, size_t first)
{
    for (size_t i = first; i < fam->family.n_jobs; i++) {
        fam->family.jobs[i].place = JOB_INCIDENT;
        fam->family.jobs[i].reason = "crashedEngine";
    }
}

/* An answer is given only once: who gave it cannot give it again. */
static bool is_answer(int kind)
{
    return kind == COMMAND_TASK_COMPLETE || kind == COMMAND_TASK_ERROR ||
           kind == COMMAND_EXTERNAL_COMPLETE || kind == COMMAND_EXTERNAL_ERROR ||
           kind == COMMAND_CALLBACK_SUCCEED || kind == COMMAND_CALLBACK_FAIL;
}

bool item_needs_somebody(const struct item *item)
{
    return item->source != FROM_INBOX || is_answer(item->kind);
}

/* Tasks that this command has ended, but for the one that it answers. */
static void note_ended(struct batch *batch, struct fam *fam, struct item *item,
                       const size_t *before, size_t n_before)
{
    const struct family *family = &fam->family;

    for (size_t i = 0; i < family->n_instances; i++) {
        const struct instance *instance = family->instances[i];
        for (size_t j = i < n_before ? before[i] : 0; j < instance->n_gone; j++) {
            const struct wait *wait = &instance->gone[j];
            bool own = is_answer(item->kind) && uuid_equal(&wait->subject, &item->command.subject);
            if ((wait->kind != WAIT_TASK && wait->kind != WAIT_EXTERNAL &&
                 wait->kind != WAIT_CALLBACK) ||
                (own && map_get(&batch->tasks_answered, &wait->subject) != NULL) ||
                (own && (item->source != FROM_INBOX || !uuid_is_nil(&item->incident))))
                continue;
            *arena_push(batch->arena, fam->ended, fam->n_ended, fam->ended_capacity) =
                (struct ended_task){.task = wait->subject, .kind = wait->kind, .by = item};
        }
    }
    if (item->kind == COMMAND_EXTERNAL_OFFER)
        *arena_push(batch->arena, fam->ended, fam->n_ended, fam->ended_capacity) =
            (struct ended_task){.task = item->command.subject, .kind = WAIT_EXTERNAL, .by = item};
}

static size_t *gone_counts(struct batch *batch, const struct fam *fam)
{
    size_t *counts = arena_array(batch->arena, fam->family.n_instances, sizeof(*counts));

    for (size_t i = 0; i < fam->family.n_instances; i++)
        counts[i] = fam->family.instances[i]->n_gone;
    return counts;
}

/* enum step_result; the family must be run again after anything but DONE and DROPPED. */
static int step_item(struct batch *batch, struct fam *fam, struct item *item)
{
    size_t n_before = fam->family.n_instances, n_jobs = fam->family.n_jobs;
    size_t *before = gone_counts(batch, fam);
    struct err err = {0};

    if (!is_current(batch, fam, item))
        return STEP_DROPPED;
    if (item->kind == COMMAND_START && !prepare_start(batch, item))
        return STEP_DROPPED;
    if (item->fail) {
        err_set(&err, item->why_code != ERR_NONE ? item->why_code : ERR_INTERNAL, "%s", item->why);
        engine_fail(&fam->family, &item->command, &err);
        if (fam->family.n_needs > 0)
            return STEP_NEED;
        if (item->park)
            park_jobs(fam, n_jobs);
        item->state = ITEM_FAILED;
        return STEP_DONE;
    }
    int rc = engine_step(&fam->family, &item->command, &err);
    if (rc == STEP_REFUSED) {
        item_refuse(item, err.code, arena_strdup(batch->arena, err.text));
        return STEP_DROPPED;
    }
    if (rc < 0 || rc == STEP_FAILED) {
        remember(batch, item, &err);
        return STEP_FAILED;
    }
    if (arena_full(batch->arena)) {
        err_set(&err, ERR_LIMIT,
                "The instance needs more than %u MiB of memory for one step: keep large data "
                "elsewhere.",
                LIMIT_FAMILY_BYTES >> 20);
        remember(batch, item, &err);
        return STEP_FAILED;
    }
    if (rc == STEP_DONE)
        note_ended(batch, fam, item, before, n_before);
    return rc;
}

/* ---- One family ---- */

/* Where the tokens were: the incidents of those that leave go with them. */
static void note_tokens(struct batch *batch, const struct fam *fam, struct row *row)
{
    const struct instance *instance = family_instance(&fam->family, &row->instance.id);

    if (row->tokens != NULL)
        return;
    row->tokens = arena_array(batch->arena, instance->n_tokens, sizeof(*row->tokens));
    row->n_tokens = instance->n_tokens;
    for (size_t i = 0; i < instance->n_tokens; i++)
        row->tokens[i] = instance->tokens[i];
}

static bool load_family(struct batch *batch, struct fam *fam)
{
    struct err err = {0};

    family_init(&fam->family, batch->arena, &fam->root, batch->now_us, fam->entropy);
    fam->family.installation = &batch->worker->installation;
    fam->family.suspended = fam->suspended;
    for (size_t i = 0; i < fam->n_answers; i++)
        *arena_push(batch->arena, fam->family.answers, fam->family.n_answers,
                    fam->family.answers_capacity) = fam->answers[i];
    fam->n_ended = 0;
    for (size_t i = 0; i < fam->n_rows; i++) {
        if (family_load(&fam->family, &fam->rows[i]->instance, &err) < 0) {
            fam->broken = arena_strdup(batch->arena, err.text);
            return false;
        }
        note_tokens(batch, fam, fam->rows[i]);
    }
    return true;
}

static void refuse_all(struct fam *fam, enum err_code code, const char *why)
{
    for (size_t i = 0; i < fam->n_items; i++) {
        if (item_alive(fam->items[i]))
            item_refuse(fam->items[i], code, why);
    }
}

/* A fresh run of all items of the family that are to be carried out. */
static int run_once(struct batch *batch, struct fam *fam)
{
    batch->arena->cap = batch->arena->used + LIMIT_FAMILY_BYTES;
    batch->arena->full = false;
    if (!load_family(batch, fam)) {
        refuse_all(fam, ERR_INVALID, fam->broken);
        return STEP_DONE;
    }
    for (size_t i = 0; i < fam->n_items; i++) {
        struct item *item = fam->items[i];
        if (item->state == ITEM_PUT_OFF || item->state == ITEM_PARKED ||
            item->state == ITEM_REFUSED)
            continue;
        if (item->kind == INBOX_SUSPEND || item->kind == INBOX_RESUME) {
            item->state = ITEM_DONE; /* park.c does it */
            continue;
        }
        item->state =
            timer_is_too_early(fam, item) || !hear(batch, fam, item) ? ITEM_PUT_OFF : ITEM_RUN;
        if (item->state == ITEM_PUT_OFF)
            continue;
        fam->at = item;
        int rc = step_item(batch, fam, item);
        if (rc == STEP_NEED || rc == STEP_FAILED)
            return rc;
        if (rc == STEP_DROPPED && item->state != ITEM_REFUSED)
            item->state = ITEM_DROPPED;
        else if (rc == STEP_DONE && item->state == ITEM_RUN)
            item->state = ITEM_DONE;
    }
    return STEP_DONE;
}

/* Jobs behind the last one that failed wait for another batch; what callers ask does not wait. */
static void put_off_jobs(struct fam *fam)
{
    for (size_t i = fam->n_items; i-- > 0 && !fam->items[i]->fail;) {
        struct item *item = fam->items[i];
        bool row = item->source == FROM_READY || item->source == FROM_TIMER;
        bool job = item->kind == COMMAND_CONTINUE || item->kind == COMMAND_TIMER;
        if (row && job && item->state != ITEM_REFUSED && item->state != ITEM_PARKED)
            item->state = ITEM_PUT_OFF;
    }
}

static enum fam_result run_family(struct batch *batch, struct fam *fam)
{
    size_t used = batch->arena->used, failures = 0;
    int rc;

    /*
     * Each run that fails has one more item that fails: it ends. A large family with thousands that
     * fail must not hold up all others, nor fill the memory, by running as often in one batch.
     */
    while ((rc = run_once(batch, fam)) == STEP_FAILED) {
        if (fam->delegated)
            return FAM_UNDO;
        if (++failures >= FAILURES_MAX || batch->arena->used - used > LIMIT_FAMILY_BYTES)
            put_off_jobs(fam);
    }
    batch->arena->cap = 0;
    fam->ready = rc == STEP_DONE;
    return rc == STEP_NEED ? FAM_NEEDS : FAM_READY;
}

/* ---- What steps ask for ---- */

struct asked {
    struct uuid *instances;
    struct need **definitions;
    size_t n_instances, instances_capacity, n_definitions, definitions_capacity;
};

/* An answer is kept in the family: the pointers are into its array, so it must not grow meanwhile.
 */
static void gather_needs(struct batch *batch, struct fam *fam)
{
    for (size_t i = 0; i < fam->family.n_needs; i++)
        *arena_push(batch->arena, fam->answers, fam->n_answers, fam->answers_capacity) =
            fam->family.needs[i];
}

/* The item and what comes behind it in its family wait for another batch. */
void put_off_from(struct fam *fam, const struct item *item)
{
    bool put_off = false;

    for (size_t i = 0; i < fam->n_items; i++) {
        put_off |= fam->items[i] == item;
        if (put_off && fam->items[i]->state != ITEM_REFUSED && fam->items[i]->state != ITEM_PARKED)
            fam->items[i]->state = ITEM_PUT_OFF;
    }
}

/*
 * A command that needs a SQL delegate runs alone next, claimed by its name: a slow delegate must
 * hold up nobody by what its batch has locked. What comes behind it in its family waits for it.
 * False: it does run alone, and the delegate may.
 */
static bool put_off_delegate(struct batch *batch, struct fam *fam)
{
    struct store_worker *worker = batch->worker;
    bool known = false;

    if (fam->family.n_needs == 0 || fam->family.needs[0].kind != NEED_SQL ||
        (worker->by_name && delegate_enter(worker)))
        return false;
    for (size_t i = 0; i < worker->n_alone_next && !known; i++)
        known = item_key_equal(&worker->alone_next[i], &fam->at->key);
    if (worker->n_alone_next < ALONE_MAX && !worker->by_name && !known)
        worker->alone_next[worker->n_alone_next++] = fam->at->key;
    put_off_from(fam, fam->at);
    return true;
}

static int answer_needs(struct batch *batch, struct fam **asking, const size_t *first, size_t n,
                        struct err *err)
{
    struct asked asked = {0};

    for (size_t i = 0; i < n; i++) {
        for (size_t j = first[i]; j < asking[i]->n_answers; j++) {
            struct need *need = &asking[i]->answers[j];
            asking[i]->delegated |= need->kind == NEED_SQL;
            if ((need->kind == NEED_SQL && delegate_run(batch, need, err) < 0) ||
                (need->kind == NEED_PARAMETERS && load_parameters(batch, need, err) < 0))
                return err_trace(err);
            if (need->kind == NEED_INSTANCE)
                *arena_push(batch->arena, asked.instances, asked.n_instances,
                            asked.instances_capacity) = need->instance;
            else if (need->kind == NEED_DEFINITION)
                *arena_push(batch->arena, asked.definitions, asked.n_definitions,
                            asked.definitions_capacity) = need;
        }
    }
    if (asked.n_instances > 0 && load_instances(batch, asked.instances, asked.n_instances, err) < 0)
        return err_trace(err);
    if (asked.n_definitions > 0 &&
        load_definitions(batch, asked.definitions, asked.n_definitions, err) < 0)
        return err_trace(err);
    return 0;
}

/* Runs what is not ready. *ret_again: something had to be loaded. */
static int run_round(struct batch *batch, bool *ret_again, struct err *err)
{
    struct fam **asking = arena_array(batch->arena, batch->n_fams, sizeof(*asking));
    size_t *first = arena_array(batch->arena, batch->n_fams, sizeof(*first));
    size_t n = 0;

    for (size_t i = 0; i < batch->n_fams; i++) {
        struct fam *fam = batch->fams[i];
        if (fam->ready || (!fam->locked && !fam->fresh))
            continue;
        enum fam_result result;
        while ((result = run_family(batch, fam)) == FAM_NEEDS &&
               (script_answer(batch, fam) || put_off_delegate(batch, fam)))
            continue;
        if (result == FAM_READY)
            continue;
        if (result == FAM_UNDO)
            return err_set(err, ERR_DATA, "%s", fam->at->why);
        asking[n] = fam;
        first[n++] = fam->n_answers;
        gather_needs(batch, fam);
    }
    *ret_again = n > 0;
    return n > 0 ? answer_needs(batch, asking, first, n, err) : 0;
}

/* ---- Tasks that somebody may be answering ---- */

static int lock_tasks(struct batch *batch, struct column *tasks, const char *lock_query,
                      const char *open_query, struct err *err)
{
    struct result *rows;
    struct column locked;

    if (tasks->rows == 0)
        return 0;
    if (conn_query(batch->conn, lock_query, PARAMS(p_column(tasks)), &rows, err) < 0)
        return err_trace(err);
    batch_keep(batch, rows);
    column_init(&locked, batch->arena, COLUMN_UUID);
    for (int i = 0; i < result_rows(rows); i++) {
        struct uuid id = result_uuid(rows, i, 0);
        column_uuid(&locked, &id);
    }
    if (conn_query(batch->conn, open_query, PARAMS(p_column(&locked)), &rows, err) < 0)
        return err_trace(err);
    batch_keep(batch, rows);
    for (int i = 0; i < result_rows(rows); i++) {
        struct uuid id = result_uuid(rows, i, 0);
        map_put(&batch->tasks_locked, &id, batch);
    }
    return 0;
}

/*
 * A task that its command did not complete must be free: a caller who is answering it holds its
 * row, and one who has answered it goes first. Else the command that would end it is put off, and
 * only that one.
 */
static int check_tasks(struct batch *batch, bool *ret_again, struct err *err)
{
    struct column tasks, external, callbacks;

    *ret_again = false;
    column_init(&tasks, batch->arena, COLUMN_UUID);
    column_init(&external, batch->arena, COLUMN_UUID);
    column_init(&callbacks, batch->arena, COLUMN_UUID);
    for (size_t i = 0; i < batch->n_fams; i++) {
        const struct fam *fam = batch->fams[i];
        for (size_t j = 0; fam->ready && j < fam->n_ended; j++) {
            const struct ended_task *ended = &fam->ended[j];
            if (map_get(&batch->tasks_locked, &ended->task) == NULL)
                column_uuid(ended->kind == WAIT_EXTERNAL   ? &external
                            : ended->kind == WAIT_CALLBACK ? &callbacks
                                                           : &tasks,
                            &ended->task);
        }
    }
    if (tasks.rows == 0 && external.rows == 0 && callbacks.rows == 0)
        return 0;
    if (lock_tasks(batch, &tasks, "lock_tasks", "open_tasks", err) < 0 ||
        lock_tasks(batch, &external, "lock_external", "open_external", err) < 0 ||
        lock_tasks(batch, &callbacks, "lock_callbacks", "open_callbacks", err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < batch->n_fams; i++) {
        struct fam *fam = batch->fams[i];
        for (size_t j = 0; fam->ready && j < fam->n_ended; j++) {
            if (map_get(&batch->tasks_locked, &fam->ended[j].task) != NULL)
                continue;
            fam->ended[j].by->state = ITEM_PUT_OFF;
            fam->ready = false;
            *ret_again = true;
        }
    }
    return 0;
}

/* Families that are gone: what addresses them is late. */
static void drop_missing(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_items; i++) {
        struct item *item = batch->items[i];
        if (item->fam == NULL || !item->fam->missing || item->fam->fresh || item->state != ITEM_RUN)
            continue;
        item->state = ITEM_DROPPED;
        item->why = "the instance has ended";
    }
}

int run(struct batch *batch, struct err *err)
{
    drop_missing(batch);
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        bool again;
        if (run_round(batch, &again, err) < 0)
            return err_trace(err);
        if (!again && check_tasks(batch, &again, err) < 0)
            return err_trace(err);
        if (!again)
            return 0;
    }
    return err_set(err, ERR_INTERNAL, "a family asks for more and more: its steps do not end");
}
