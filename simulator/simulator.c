/* SPDX-License-Identifier: Apache-2.0 */
/* One batch: the family is loaded from its rows, stepped until it needs nothing more, and written.
 */
#include "base/build.h"

#include "simulator/simulator.h"

#define ROUNDS 200u /* of loading that a batch may need */

void simulator_init(struct sim *sim, struct arena *arena, struct arena *batch, int64_t now_us)
{
    *sim = (struct sim){.arena = arena,
                        .batch = batch,
                        .now_us = now_us,
                        .installation = {.key = {7, 7, 7},
                                         .public_url = "https://pawl.test",
                                         .callback_life_us = INT64_C(31536000000000)}};
}

void simulator_add_graph(struct sim *sim, struct graph *graph)
{
    *arena_push(sim->arena, sim->graphs, sim->n_graphs, sim->graphs_capacity) = graph;
}

static void *copy_rows(struct arena *arena, const void *rows, size_t n, size_t size)
{
    void *copy = arena_array(arena, n + 1, size);

    if (n > 0)
        memcpy(copy, rows, n * size);
    return copy;
}

#define COPY(rows)                                                                                 \
    copy->rows = copy_rows(arena, sim->rows, sim->n_##rows, sizeof(*sim->rows)),                   \
    copy->rows##_capacity = sim->n_##rows

void simulator_copy(struct sim *copy, const struct sim *sim, struct arena *arena)
{
    *copy = *sim;
    copy->arena = arena;
    COPY(instances);
    COPY(waits);
    COPY(tasks);
    COPY(externals);
    COPY(callbacks);
    COPY(calls);
    COPY(jobs);
    COPY(messages);
    /* Nothing of the history is ever changed: the next push makes a new one. */
    copy->asked_capacity = sim->n_asked;
    copy->history_capacity = copy->elements_capacity = sim->n_history;
}

const struct graph *simulator_graph(const struct sim *sim, const char *key)
{
    for (size_t i = sim->n_graphs; i-- > 0;)
        if (strcmp(sim->graphs[i]->key, key) == 0)
            return sim->graphs[i];
    return NULL;
}

struct sim_instance *simulator_instance(const struct sim *sim, const struct uuid *id)
{
    for (size_t i = 0; i < sim->n_instances; i++)
        if (uuid_equal(&sim->instances[i].row.id, id))
            return &sim->instances[i];
    return NULL;
}

const char *simulator_element(const struct sim *sim, const struct uuid *id, int node)
{
    const struct sim_instance *instance = simulator_instance(sim, id);

    if (instance == NULL || node < 0)
        return "-";
    return instance->row.graph->nodes[node].id;
}

/* ---- Copies that outlive the batch ---- */

static const char *keep(struct sim *sim, const char *text)
{
    return text != NULL ? arena_strdup(sim->arena, text) : NULL;
}

static struct command keep_command(struct sim *sim, const struct command *command)
{
    struct command copy = *command;

    copy.name = keep(sim, command->name);
    copy.detail = keep(sim, command->detail);
    copy.actor = keep(sim, command->actor);
    copy.business_key = keep(sim, command->business_key);
    if (command->variables != NULL)
        copy.variables = arena_strndup(sim->arena, command->variables, command->variables_n);
    if (command->body != NULL)
        copy.body = arena_strndup(sim->arena, command->body, command->body_n);
    return copy;
}

/* ---- A batch ---- */

struct round {
    struct uuid *wanted;
    size_t n_wanted, wanted_capacity;
    struct need *answers;
    size_t n_answers, answers_capacity;
    bool *failed;
    struct err *errors;
};

static void want(struct sim *sim, struct round *round, const struct uuid *id)
{
    for (size_t i = 0; i < round->n_wanted; i++)
        if (uuid_equal(&round->wanted[i], id))
            return;
    *arena_push(sim->arena, round->wanted, round->n_wanted, round->wanted_capacity) = *id;
}

static int family_make(struct sim *sim, struct round *round, struct family *family)
{
    uint8_t entropy[16] = {1, 2, 3, (uint8_t)sim->n_batches, (uint8_t)(sim->n_batches >> 8)};

    family_init(family, sim->batch, &sim->root, sim->now_us, entropy);
    family->installation = &sim->installation;
    for (size_t i = 0; i < round->n_wanted; i++) {
        const struct sim_instance *instance = simulator_instance(sim, &round->wanted[i]);
        if (instance == NULL || instance->ended)
            continue;
        if (family_load(family, &instance->row, &sim->trouble) < 0)
            return err_trace(&sim->trouble);
    }
    for (size_t i = 0; i < round->n_answers; i++)
        *arena_push(sim->batch, family->answers, family->n_answers, family->answers_capacity) =
            round->answers[i];
    return 0;
}

int simulator_load(struct sim *sim, struct family *ret)
{
    struct round round = {0};

    arena_reset(sim->batch);
    for (size_t i = 0; i < sim->n_instances; i++)
        want(sim, &round, &sim->instances[i].row.id);
    return family_make(sim, &round, ret);
}

static void run_delegate(struct sim *sim, struct need *need)
{
    need->delegate = keep(sim, need->delegate);
    need->arguments = keep(sim, need->arguments);
    *arena_push(sim->arena, sim->asked, sim->n_asked, sim->asked_capacity) =
        arena_printf(sim->arena, "%s %s", need->delegate, need->arguments);
    need->result = "null";
    if (sim->delegate != NULL)
        sim->delegate(sim, need);
    need->result_n = need->result != NULL ? strlen(need->result) : 0;
}

static void run_script(struct sim *sim, struct need *need)
{
    need->request = keep(sim, need->request);
    need->result = sim->script != NULL ? sim->script(sim->script_context, sim->arena, need->request)
                                       : "{\"error\":\"scripts do not run here\"}";
    need->result_n = strlen(need->result);
}

static void answer(struct sim *sim, struct round *round, const struct family *family)
{
    for (size_t i = 0; i < family->n_needs; i++) {
        struct need need = family->needs[i];
        if (need.kind == NEED_INSTANCE) {
            want(sim, round, &need.instance);
        } else if (need.kind == NEED_SQL) {
            run_delegate(sim, &need);
        } else if (need.kind == NEED_SCRIPT) {
            run_script(sim, &need);
        } else {
            need.key = keep(sim, need.key);
            need.tenant = keep(sim, need.tenant);
            need.graph = simulator_graph(sim, need.key);
            need.definition_id = need.graph != NULL ? need.graph->definition_id : 0;
        }
        *arena_push(sim->arena, round->answers, round->n_answers, round->answers_capacity) = need;
    }
}

/* Runs all commands on one loaded family; 1: again. */
static int attempt(struct sim *sim, struct round *round, const struct command *commands, size_t n,
                   struct family *family)
{
    arena_reset(sim->batch);
    if (family_make(sim, round, family) < 0)
        return err_trace(&sim->trouble);
    for (size_t i = 0; i < n; i++) {
        if (round->failed[i]) {
            engine_fail(family, &commands[i], &round->errors[i]);
            continue;
        }
        struct err err = {0};
        int result = engine_step(family, &commands[i], &err);
        sim->last_result = result;
        if (result == STEP_NEED) {
            answer(sim, round, family);
            return 1;
        }
        if (result == STEP_FAILED) {
            round->failed[i] = true;
            round->errors[i] = err;
            sim->err = err;
            return 1;
        }
    }
    return 0;
}

static void take_wait(struct sim *sim, const struct uuid *instance, const struct wait *wait)
{
    for (size_t i = 0; i < sim->n_waits; i++) {
        const struct sim_wait *row = &sim->waits[i];
        if (!uuid_equal(&row->instance, instance) || row->wait.kind != wait->kind ||
            row->wait.token != wait->token || row->wait.node != wait->node)
            continue;
        if ((wait->kind == WAIT_TASK || wait->kind == WAIT_EXTERNAL ||
             wait->kind == WAIT_CALLBACK) &&
            !uuid_equal(&wait->subject, &row->wait.subject))
            continue;
        if (wait->kind == WAIT_TIMER && wait->due_us != row->wait.due_us)
            continue;
        sim->waits[i] = sim->waits[--sim->n_waits];
        return;
    }
}

static void take_call(struct sim *sim, const struct uuid *id)
{
    for (size_t i = 0; i < sim->n_calls; i++)
        if (uuid_equal(&sim->calls[i].call.id, id)) {
            sim->calls[i] = sim->calls[--sim->n_calls];
            return;
        }
}

static void write_gone(struct sim *sim, const struct instance *instance)
{
    for (size_t i = 0; i < instance->n_gone; i++) {
        const struct wait *wait = &instance->gone[i];
        take_wait(sim, &instance->id, wait);
        if (wait->kind == WAIT_CALL)
            take_call(sim, &wait->subject);
    }
    for (size_t i = 0; i < instance->n_calls_gone; i++)
        take_call(sim, &instance->calls_gone[i]);
}

static void write_fresh(struct sim *sim, struct family *family, const struct instance *instance)
{
    for (size_t i = 0; i < instance->n_waits; i++) {
        struct wait wait = instance->waits[i];
        for (size_t row = 0; wait.rearmed && row < sim->n_waits; row++)
            if (uuid_equal(&sim->waits[row].wait.subject, &wait.subject))
                sim->waits[row].wait.due_us = wait.due_us;
        if (!wait.fresh || wait.kind == WAIT_CALL || wait.kind == WAIT_CHILD)
            continue;
        if (wait.kind == WAIT_TIMER && wait.due_us == INT64_MAX)
            continue;
        if (wait.kind == WAIT_EXTERNAL)
            sim->locals = keep(sim, instance_locals(family, instance, wait.token));
        wait.name = keep(sim, wait.name);
        wait.key = keep(sim, wait.key);
        *arena_push(sim->arena, sim->waits, sim->n_waits, sim->waits_capacity) =
            (struct sim_wait){.instance = instance->id, .wait = wait};
    }
}

static void write_instance(struct sim *sim, struct family *family, struct instance *instance)
{
    struct sim_instance *row = simulator_instance(sim, &instance->id);
    const char *doc, *variables;
    size_t n;

    if (row == NULL) {
        if (instance->fate == INSTANCE_ENDED && !uuid_is_nil(&instance->parent))
            return; /* came and went */
        row = arena_push(sim->arena, sim->instances, sim->n_instances, sim->instances_capacity);
        row->ended = false;
        row->end_state = NULL;
        row->row = (struct instance_row){.id = instance->id,
                                         .root = instance->root,
                                         .parent = instance->parent,
                                         .parent_token = instance->parent_token,
                                         .definition_id = instance->definition_id,
                                         .graph = instance->graph,
                                         .business_key = keep(sim, instance->business_key),
                                         .tenant = keep(sim, instance->tenant),
                                         .started_us = instance->started_us};
    }
    instance_variables(family, instance, &variables, &n);
    row->row.variables = arena_strndup(sim->arena, variables, n);
    row->row.variables_n = n;
    if (instance->fate == INSTANCE_ENDED) {
        row->ended = true;
        return;
    }
    instance_encode(family, instance, &doc, &n);
    if (row->row.doc_n == n && memcmp(row->row.doc, doc, n) == 0)
        return;
    row->row.doc = arena_strndup(sim->arena, doc, n);
    row->row.doc_n = n;
    sim->documents_written++;
}

/* Does it go on in the background, as one of those that the instance has fired? */
static bool is_fired(const struct family *family, const struct new_call *call)
{
    const struct instance *instance = family_instance(family, &call->instance);

    return instance != NULL && fired_find(instance, &call->id) != NULL;
}

static void write_tasks(struct sim *sim, const struct family *family)
{
    for (size_t i = 0; i < family->n_tasks; i++) {
        struct new_task task = family->tasks[i];
        task.name = keep(sim, task.name);
        task.assignee = keep(sim, task.assignee);
        const char **users = arena_array(sim->arena, task.n_candidate_users, sizeof(*users));
        for (size_t n = 0; n < task.n_candidate_users; n++)
            users[n] = keep(sim, task.candidate_users[n]);
        task.candidate_users = users;
        const char **groups = arena_array(sim->arena, task.n_candidate_groups, sizeof(*groups));
        for (size_t n = 0; n < task.n_candidate_groups; n++)
            groups[n] = keep(sim, task.candidate_groups[n]);
        task.candidate_groups = groups;
        *arena_push(sim->arena, sim->tasks, sim->n_tasks, sim->tasks_capacity) = task;
    }
}

static void write_effects(struct sim *sim, const struct family *family)
{
    for (size_t i = 0; i < family->n_calls; i++) {
        struct sim_call row = {.call = family->calls[i],
                               .fired = is_fired(family, &family->calls[i])};
        row.call.endpoint = keep(sim, row.call.endpoint);
        row.call.path = keep(sim, row.call.path);
        row.call.headers = keep(sim, row.call.headers);
        row.call.body = row.call.body != NULL
                            ? arena_strndup(sim->arena, row.call.body, row.call.body_n)
                            : NULL;
        take_call(sim, &row.call.id);
        *arena_push(sim->arena, sim->calls, sim->n_calls, sim->calls_capacity) = row;
    }
    for (size_t i = 0; i < family->n_externals; i++) {
        struct new_external task = family->externals[i];
        task.topic = keep(sim, task.topic);
        *arena_push(sim->arena, sim->externals, sim->n_externals, sim->externals_capacity) = task;
    }
    sim->n_offers += (unsigned)family->n_offers;
    for (size_t i = 0; i < family->n_callbacks; i++) {
        struct new_callback callback = family->callbacks[i];
        callback.allowed_caller = keep(sim, callback.allowed_caller);
        *arena_push(sim->arena, sim->callbacks, sim->n_callbacks, sim->callbacks_capacity) =
            callback;
    }
    sim->n_accepted += (unsigned)family->n_accepted;
    for (size_t i = 0; i < family->n_jobs; i++) {
        struct job job = family->jobs[i];
        job.command = keep_command(sim, &job.command);
        job.error = keep(sim, job.error);
        job.reason = keep(sim, job.reason);
        *arena_push(sim->arena, sim->jobs, sim->n_jobs, sim->jobs_capacity) = job;
    }
    for (size_t i = 0; i < family->n_messages; i++) {
        struct message_out message = family->messages[i];
        message.name = keep(sim, message.name);
        message.key = keep(sim, message.key);
        message.body = keep(sim, message.body);
        *arena_push(sim->arena, sim->messages, sim->n_messages, sim->messages_capacity) = message;
    }
}

static void write_history(struct sim *sim, const struct family *family)
{
    for (size_t i = 0; i < family->n_history; i++) {
        struct history row = family->history[i];
        const char *id = row.node >= 0 ? row.of->graph->nodes[row.node].id : "";
        row.data = keep(sim, row.data);
        size_t n = sim->n_history;
        *arena_push(sim->arena, sim->history, sim->n_history, sim->history_capacity) = row;
        *arena_push(sim->arena, sim->history_elements, n, sim->elements_capacity) = id;
        if (row.kind == HISTORY_INSTANCE_ENDED) {
            struct sim_instance *instance = simulator_instance(sim, &row.instance);
            if (instance != NULL)
                instance->end_state = row.data;
        }
    }
}

int simulator_batch(struct sim *sim, const struct command *commands, size_t n)
{
    struct round round = {.failed = arena_array(sim->arena, n, sizeof(*round.failed)),
                          .errors = arena_array(sim->arena, n, sizeof(*round.errors))};
    struct family family;
    int result;

    for (size_t i = 0; i < n; i++)
        want(sim, &round, &commands[i].instance);
    sim->rounds = 1;
    while ((result = attempt(sim, &round, commands, n, &family)) == 1)
        if (++sim->rounds >= ROUNDS)
            return err_set(&sim->trouble, ERR_LIMIT,
                           "a step asked for more %u times in a row, and is no nearer to its end",
                           ROUNDS);
    if (result < 0)
        return err_trace(&sim->trouble);
    sim->n_batches++;
    for (size_t i = 0; i < family.n_instances; i++)
        write_gone(sim, family.instances[i]);
    for (size_t i = 0; i < family.n_instances; i++) {
        write_instance(sim, &family, family.instances[i]);
        if (family.instances[i]->fate != INSTANCE_ENDED)
            write_fresh(sim, &family, family.instances[i]);
    }
    write_tasks(sim, &family);
    write_effects(sim, &family);
    write_history(sim, &family);
    if (sim->written != NULL)
        sim->written(sim);
    if (n == 1 && round.failed[0])
        sim->last_result = STEP_FAILED;
    return 0;
}

int simulator_run(struct sim *sim, const struct command *command)
{
    return simulator_batch(sim, command, 1);
}
