/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "helper_sim.h"
#include "parser/parser.h"

void sim_init(struct sim *sim)
{
    *sim = (struct sim){.now_us = INT64_C(1790000000000000),
                        .installation = {.key = {7, 7, 7},
                                         .public_url = "https://pawl.test",
                                         .callback_life_us = INT64_C(31536000000000)}};
    sim->arena = calloc(1, sizeof(*sim->arena));
    sim->batch = calloc(1, sizeof(*sim->batch));
    arena_init(sim->arena, 0);
    arena_init(sim->batch, 0);
    parser_init();
}

void sim_deinit(struct sim *sim)
{
    arena_deinit(sim->arena);
    arena_deinit(sim->batch);
    free(sim->arena);
    free(sim->batch);
    for (int i = 0; i < sim->n_graphs; i++)
        graph_free(sim->owned[i]);
}

const struct graph *sim_deploy_with(struct sim *sim, const char *definitions, const char *key,
                                    const char *body)
{
    struct parse_result result;
    const char *xml = arena_printf(
        sim->arena,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><definitions "
        "xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" "
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
        "xmlns:camunda=\"http://camunda.org/schema/1.0/bpmn\" xmlns:pawl=\"urn:pawl:bpmn:1.0\" "
        "id=\"definitions_\" targetNamespace=\"t\">%s<process id=\"%s\" isExecutable=\"true\" "
        "camunda:historyTimeToLive=\"P30D\">%s</process></definitions>",
        definitions, key, body);

    parser_read(key, xml, strlen(xml), true, &result);
    for (size_t i = 0; i < result.n_findings; i++)
        if (result.findings[i].severity == FINDING_ERROR)
            print_error("%s: %s: %s\n", key, result.findings[i].element,
                        result.findings[i].message);
    assert_int_equal(result.n_errors, 0);
    assert_int_equal(result.n_graphs, 1);
    struct graph *graph = result.graphs[0];
    result.graphs[0] = NULL;
    parse_result_deinit(&result);
    sim->owned[sim->n_graphs] = graph;
    sim->graphs[sim->n_graphs++] = graph;
    graph->definition_id = sim->n_graphs;
    return graph;
}

const struct graph *sim_deploy(struct sim *sim, const char *key, const char *body)
{
    return sim_deploy_with(sim, "", key, body);
}

static const struct graph *graph_of(const struct sim *sim, const char *key)
{
    for (int i = sim->n_graphs; i-- > 0;)
        if (strcmp(sim->graphs[i]->key, key) == 0)
            return sim->graphs[i];
    return NULL;
}

static struct sim_instance *instance_of(struct sim *sim, const struct uuid *id)
{
    for (size_t i = 0; i < sim->n_instances; i++)
        if (uuid_equal(&sim->instances[i].row.id, id))
            return &sim->instances[i];
    return NULL;
}

static const char *element(struct sim *sim, const struct uuid *id, int node)
{
    const struct sim_instance *instance = instance_of(sim, id);

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
    if (command->body != NULL)
        copy.body = arena_strndup(sim->arena, command->body, command->body_n);
    return copy;
}

/* ---- A batch ---- */

struct round {
    struct uuid wanted[SIM_ROWS];
    size_t n_wanted;
    struct need answers[SIM_ROWS];
    size_t n_answers;
    bool *failed;
    struct err *errors;
};

static void want(struct round *round, const struct uuid *id)
{
    for (size_t i = 0; i < round->n_wanted; i++)
        if (uuid_equal(&round->wanted[i], id))
            return;
    round->wanted[round->n_wanted++] = *id;
}

static void family_make(struct sim *sim, struct round *round, struct family *family)
{
    uint8_t entropy[16] = {1, 2, 3, (uint8_t)sim->n_batches, (uint8_t)(sim->n_batches >> 8)};
    struct err err;

    family_init(family, sim->batch, &sim->root, sim->now_us, entropy);
    family->installation = &sim->installation;
    for (size_t i = 0; i < round->n_wanted; i++) {
        const struct sim_instance *instance = instance_of(sim, &round->wanted[i]);
        if (instance == NULL || instance->ended)
            continue;
        if (family_load(family, &instance->row, &err) < 0)
            fail_msg("load: %s", err.text);
    }
    for (size_t i = 0; i < round->n_answers; i++)
        *arena_push(sim->batch, family->answers, family->n_answers, family->answers_capacity) =
            round->answers[i];
}

static void run_delegate(struct sim *sim, struct need *need)
{
    need->delegate = keep(sim, need->delegate);
    need->arguments = keep(sim, need->arguments);
    sim->asked[sim->n_asked++] = arena_printf(sim->arena, "%s %s", need->delegate, need->arguments);
    need->result = strcmp(need->delegate, "echo") == 0 ? need->arguments : "null";
    need->result_n = strlen(need->result);
    if (strcmp(need->delegate, "raise") == 0) {
        need->error_code = "E1";
        need->error_message = "why";
    }
}

static void answer(struct sim *sim, struct round *round, const struct family *family)
{
    assert_true(family->n_needs > 0);
    for (size_t i = 0; i < family->n_needs; i++) {
        struct need need = family->needs[i];
        if (need.kind == NEED_INSTANCE) {
            want(round, &need.instance);
        } else if (need.kind == NEED_SQL) {
            run_delegate(sim, &need);
        } else {
            need.key = keep(sim, need.key);
            need.tenant = keep(sim, need.tenant);
            need.graph = graph_of(sim, need.key);
            need.definition_id = need.graph != NULL ? need.graph->definition_id : 0;
        }
        round->answers[round->n_answers++] = need;
    }
}

/* Runs all commands on one loaded family; false: again. */
static bool attempt(struct sim *sim, struct round *round, const struct command *commands, size_t n,
                    struct family *family)
{
    arena_reset(sim->batch);
    family_make(sim, round, family);
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
            return false;
        }
        if (result == STEP_FAILED) {
            assert_true(err.text[0] != '\0');
            round->failed[i] = true;
            round->errors[i] = err;
            sim->err = err;
            return false;
        }
        assert_true(result == STEP_DONE || result == STEP_DROPPED);
    }
    return true;
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
        if (wait.kind == WAIT_MESSAGE)
            assert_non_null(wait.key);
        assert_true(sim->n_waits < SIM_ROWS);
        sim->waits[sim->n_waits++] = (struct sim_wait){.instance = instance->id, .wait = wait};
    }
}

static void write_instance(struct sim *sim, struct family *family, struct instance *instance)
{
    struct sim_instance *row = instance_of(sim, &instance->id);
    const char *doc, *variables;
    size_t n;

    if (row == NULL) {
        assert_true(instance->born);
        if (instance->fate == INSTANCE_ENDED && !uuid_is_nil(&instance->parent))
            return; /* came and went */
        assert_true(sim->n_instances < SIM_ROWS);
        row = &sim->instances[sim->n_instances++];
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

static bool call_wanted(const struct family *family, const struct new_call *call, bool *ret_fired)
{
    const struct instance *instance = family_instance(family, &call->instance);

    *ret_fired = false;
    if (instance == NULL || instance->fate == INSTANCE_ENDED)
        return false;
    for (size_t i = 0; i < instance->n_calls; i++)
        if (uuid_equal(&instance->calls[i].id, &call->id)) {
            *ret_fired = true;
            return true;
        }
    for (size_t i = 0; i < instance->n_waits; i++)
        if (instance->waits[i].kind == WAIT_CALL &&
            uuid_equal(&instance->waits[i].subject, &call->id))
            return true;
    return false;
}

static void write_effects(struct sim *sim, const struct family *family)
{
    for (size_t i = 0; i < family->n_calls; i++) {
        struct sim_call row = {.call = family->calls[i]};
        /* The engine removes what is not wanted any more by itself. */
        assert_true(call_wanted(family, &row.call, &row.fired));
        row.call.endpoint = keep(sim, row.call.endpoint);
        row.call.path = keep(sim, row.call.path);
        row.call.headers = keep(sim, row.call.headers);
        row.call.body = row.call.body != NULL
                            ? arena_strndup(sim->arena, row.call.body, row.call.body_n)
                            : NULL;
        take_call(sim, &row.call.id);
        sim->calls[sim->n_calls++] = row;
    }
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
        sim->tasks[sim->n_tasks++] = task;
    }
    for (size_t i = 0; i < family->n_externals; i++) {
        struct new_external task = family->externals[i];
        task.topic = keep(sim, task.topic);
        assert_true(sim->n_externals < SIM_ROWS);
        sim->externals[sim->n_externals++] = task;
    }
    sim->n_offers += (unsigned)family->n_offers;
    for (size_t i = 0; i < family->n_callbacks; i++) {
        struct new_callback callback = family->callbacks[i];
        callback.allowed_caller = keep(sim, callback.allowed_caller);
        assert_true(sim->n_callbacks < SIM_ROWS);
        sim->callbacks[sim->n_callbacks++] = callback;
    }
    sim->n_accepted += (unsigned)family->n_accepted;
    for (size_t i = 0; i < family->n_jobs; i++) {
        struct job job = family->jobs[i];
        job.command = keep_command(sim, &job.command);
        job.error = keep(sim, job.error);
        job.reason = keep(sim, job.reason);
        assert_true(sim->n_jobs < SIM_ROWS);
        sim->jobs[sim->n_jobs++] = job;
    }
    for (size_t i = 0; i < family->n_messages; i++) {
        struct message_out message = family->messages[i];
        message.name = keep(sim, message.name);
        message.key = keep(sim, message.key);
        message.body = keep(sim, message.body);
        sim->messages[sim->n_messages++] = message;
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
            struct sim_instance *instance = instance_of(sim, &row.instance);
            if (instance != NULL)
                instance->end_state = row.data;
        }
    }
}

/* Does each wait have its row, and each row its wait? */
static void check(struct sim *sim)
{
    struct family family;
    struct round round = {0};
    size_t rows = 0, calls = 0;

    arena_reset(sim->batch);
    for (size_t i = 0; i < sim->n_instances; i++)
        want(&round, &sim->instances[i].row.id);
    family_make(sim, &round, &family);
    for (size_t f = 0; f < family.n_instances; f++) {
        const struct instance *instance = family.instances[f];
        assert_true(instance->n_tokens > 0);
        for (size_t i = 0; i < instance->n_waits; i++) {
            const struct wait *wait = &instance->waits[i];
            bool row = wait->kind != WAIT_CALL && wait->kind != WAIT_CHILD &&
                       ((wait->kind != WAIT_TIMER && wait->kind != WAIT_CALLBACK) ||
                        wait->due_us != INT64_MAX);
            rows += row;
            calls += wait->kind == WAIT_CALL;
        }
        calls += instance->n_calls;
        const char *doc;
        size_t n;
        instance_encode(&family, instance, &doc, &n);
        assert_int_equal(n, instance->doc_n);
        assert_memory_equal(doc, instance->doc, n);
    }
    for (size_t i = 0; i < sim->n_waits; i++) {
        const struct instance *instance = family_instance(&family, &sim->waits[i].instance);
        const struct wait *row = &sim->waits[i].wait;
        bool found = false;
        for (size_t w = 0; instance != NULL && w < instance->n_waits; w++) {
            const struct wait *wait = &instance->waits[w];
            found |= wait->kind == row->kind && wait->token == row->token &&
                     wait->node == row->node && uuid_equal(&wait->subject, &row->subject) &&
                     ((wait->kind != WAIT_TIMER && wait->kind != WAIT_CALLBACK) ||
                      wait->due_us == row->due_us);
        }
        if (!found)
            fail_msg("the row of %s has no wait", element(sim, &sim->waits[i].instance, row->node));
    }
    /* Waits whose row was taken by a command that failed have a job instead. */
    assert_true(sim->n_waits <= rows);
    assert_true(rows - sim->n_waits <= sim->n_jobs);
    assert_true(sim->n_calls <= calls);
}

void sim_batch(struct sim *sim, const struct command *commands, size_t n)
{
    struct round *round = calloc(1, sizeof(*round));
    struct family family;

    round->failed = calloc(n, sizeof(*round->failed));
    round->errors = calloc(n, sizeof(*round->errors));
    for (size_t i = 0; i < n; i++)
        want(round, &commands[i].instance);
    unsigned rounds = 1;
    while (!attempt(sim, round, commands, n, &family))
        assert_true(++rounds < SIM_ROUNDS);
    sim->rounds = rounds;
    sim->n_batches++;
    for (size_t i = 0; i < family.n_instances; i++)
        write_gone(sim, family.instances[i]);
    for (size_t i = 0; i < family.n_instances; i++) {
        write_instance(sim, &family, family.instances[i]);
        if (family.instances[i]->fate != INSTANCE_ENDED)
            write_fresh(sim, &family, family.instances[i]);
    }
    write_effects(sim, &family);
    write_history(sim, &family);
    check(sim);
    if (n == 1 && round->failed[0])
        sim->last_result = STEP_FAILED;
    free(round->failed);
    free(round->errors);
    free(round);
}

int sim_run(struct sim *sim, const struct command *command)
{
    sim_batch(sim, command, 1);
    return sim->last_result;
}

/* ---- Commands from rows ---- */

static struct command command_for(struct sim *sim, enum command_kind kind,
                                  const struct uuid *instance, uint32_t token, int node)
{
    return (struct command){.kind = kind,
                            .instance = *instance,
                            .root = sim->root,
                            .token = token,
                            .node = node,
                            .actor = "tester"};
}

struct uuid sim_start_only(struct sim *sim, const char *key, const char *variables)
{
    uint8_t entropy[10] = {9, 9, (uint8_t)sim->n_instances};
    const struct graph *graph = graph_of(sim, key);

    assert_non_null(graph);
    sim->root = uuid_v7(sim->now_us / 1000, entropy);
    struct command command = command_for(sim, COMMAND_START, &sim->root, 0, graph->none_start);
    command.graph = graph;
    command.business_key = "order 1";
    command.body = variables;
    command.body_n = variables != NULL ? strlen(variables) : 0;
    sim_run(sim, &command);
    return sim->root;
}

struct uuid sim_start(struct sim *sim, const char *key, const char *variables)
{
    struct uuid id = sim_start_only(sim, key, variables);

    sim_drain(sim);
    return id;
}

static struct command job_take(struct sim *sim, size_t i)
{
    struct command command = sim->jobs[i].command;

    memmove(&sim->jobs[i], &sim->jobs[i + 1], (sim->n_jobs - i - 1) * sizeof(*sim->jobs));
    sim->n_jobs--;
    return command;
}

struct command sim_ready(struct sim *sim, const char *id)
{
    for (size_t i = 0; i < sim->n_jobs; i++) {
        const struct command *command = &sim->jobs[i].command;
        if (sim->jobs[i].place == JOB_READY &&
            strcmp(element(sim, &command->instance, command->node), id) == 0)
            return job_take(sim, i);
    }
    fail_msg("nothing is ready at %s", id);
    return (struct command){0};
}

void sim_drain(struct sim *sim)
{
    for (size_t i = 0; i < sim->n_jobs;) {
        if (sim->jobs[i].place != JOB_READY) {
            i++;
            continue;
        }
        struct command command = job_take(sim, i);
        sim_run(sim, &command);
        i = 0;
    }
}

static struct command wait_take(struct sim *sim, enum wait_kind kind, enum command_kind command,
                                const char *id, const char *name, const char *variables)
{
    for (size_t i = 0; i < sim->n_waits; i++) {
        const struct sim_wait row = sim->waits[i];
        if (row.wait.kind != kind ||
            (id != NULL && strcmp(element(sim, &row.instance, row.wait.node), id) != 0) ||
            (name != NULL && strcmp(row.wait.name, name) != 0))
            continue;
        struct command result =
            command_for(sim, command, &row.instance, row.wait.token, row.wait.node);
        result.subject = row.wait.subject;
        result.name = row.wait.name;
        result.due_us = row.wait.due_us;
        result.body = variables;
        result.body_n = variables != NULL ? strlen(variables) : 0;
        memmove(&sim->waits[i], &sim->waits[i + 1], (sim->n_waits - i - 1) * sizeof(*sim->waits));
        sim->n_waits--;
        return result;
    }
    fail_msg("nothing waits for %s", id != NULL ? id : name);
    return (struct command){0};
}

struct command sim_task(struct sim *sim, const char *id, const char *variables)
{
    return wait_take(sim, WAIT_TASK, COMMAND_TASK_COMPLETE, id, NULL, variables);
}

struct command sim_external(struct sim *sim, const char *id, enum command_kind kind,
                            const char *body)
{
    size_t n = sim->n_waits;
    struct command result = wait_take(sim, WAIT_EXTERNAL, kind, id, NULL, body);

    /* wait_take() has moved those behind it: put it back where they end. */
    sim->waits[n - 1] = (struct sim_wait){.instance = result.instance,
                                          .wait = {.kind = WAIT_EXTERNAL,
                                                   .token = result.token,
                                                   .node = result.node,
                                                   .subject = result.subject}};
    sim->n_waits = n;
    return result;
}

static void run_and_drain(struct sim *sim, struct command command)
{
    sim_run(sim, &command);
    int result = sim->last_result;
    sim_drain(sim);
    sim->last_result = result;
}

struct command sim_callback(struct sim *sim, const char *id, enum command_kind kind,
                            const char *body)
{
    for (size_t i = 0; i < sim->n_waits; i++) {
        const struct sim_wait *row = &sim->waits[i];
        if (row->wait.kind != WAIT_CALLBACK ||
            strcmp(element(sim, &row->instance, row->wait.node), id) != 0)
            continue;
        struct command result =
            command_for(sim, kind, &row->instance, row->wait.token, row->wait.node);
        result.subject = row->wait.subject;
        result.body = body;
        result.body_n = body != NULL ? strlen(body) : 0;
        return result;
    }
    fail_msg("%s waits for no callback", id);
    return (struct command){0};
}

void sim_succeed(struct sim *sim, const char *id, const char *output)
{
    const char *body = output != NULL ? arena_printf(sim->arena, "{\"output\":%s}", output) : "{}";

    run_and_drain(sim, sim_callback(sim, id, COMMAND_CALLBACK_SUCCEED, body));
}

void sim_callback_fail(struct sim *sim, const char *id, const char *error, const char *cause)
{
    struct command command = sim_callback(sim, id, COMMAND_CALLBACK_FAIL, NULL);

    command.name = error;
    command.detail = cause;
    run_and_drain(sim, command);
}

struct command sim_message(struct sim *sim, const char *name, const char *variables)
{
    return wait_take(sim, WAIT_MESSAGE, COMMAND_MESSAGE, NULL, name, variables);
}

struct command sim_timer(struct sim *sim, const char *id)
{
    return wait_take(sim, WAIT_TIMER, COMMAND_TIMER, id, NULL, NULL);
}

static struct command call_command(struct sim *sim, enum command_kind kind, const char *id)
{
    for (size_t i = 0; i < sim->n_calls; i++) {
        const struct new_call *call = &sim->calls[i].call;
        if (strcmp(element(sim, &call->instance, call->node), id) != 0)
            continue;
        struct command result = command_for(sim, kind, &call->instance, call->token, call->node);
        result.subject = call->id;
        result.actor = NULL; /* nobody asked */
        if (kind == COMMAND_CALL_RESULT)
            sim->calls[i] = sim->calls[--sim->n_calls];
        return result;
    }
    fail_msg("%s has no call", id);
    return (struct command){0};
}

struct command sim_result(struct sim *sim, const char *id, const char *response)
{
    struct command result = call_command(sim, COMMAND_CALL_RESULT, id);

    result.body = response;
    result.body_n = strlen(response);
    return result;
}

struct command sim_sent(struct sim *sim, const char *id)
{
    struct command result = call_command(sim, COMMAND_CALL_SENT, id);

    result.due_us = sim->now_us;
    result.tries = 1;
    return result;
}

void sim_complete(struct sim *sim, const char *id, const char *variables)
{
    run_and_drain(sim, sim_task(sim, id, variables));
}

void sim_receive(struct sim *sim, const char *name, const char *variables)
{
    run_and_drain(sim, sim_message(sim, name, variables));
}

void sim_answer(struct sim *sim, const char *id, const char *response)
{
    run_and_drain(sim, sim_result(sim, id, response));
}

void sim_report(struct sim *sim, const char *id)
{
    run_and_drain(sim, sim_sent(sim, id));
}

/* The row that is due first, up to `until`; false: none. */
static bool due_take(struct sim *sim, int64_t until_us, struct command *ret)
{
    size_t timer = SIZE_MAX, job = SIZE_MAX;
    int64_t due_us = until_us;

    for (size_t i = 0; i < sim->n_waits; i++)
        if ((sim->waits[i].wait.kind == WAIT_TIMER || sim->waits[i].wait.kind == WAIT_CALLBACK) &&
            sim->waits[i].wait.due_us <= due_us) {
            due_us = sim->waits[i].wait.due_us;
            timer = i;
        }
    for (size_t i = 0; i < sim->n_jobs; i++)
        if (sim->jobs[i].place == JOB_RETRY && sim->jobs[i].command.due_us <= due_us) {
            due_us = sim->jobs[i].command.due_us;
            job = i;
        }
    if (due_us > sim->now_us)
        sim->now_us = due_us;
    if (job != SIZE_MAX) {
        *ret = job_take(sim, job);
        return true;
    }
    if (timer == SIZE_MAX)
        return false;
    const struct sim_wait row = sim->waits[timer];
    *ret = command_for(sim, COMMAND_TIMER, &row.instance, row.wait.token, row.wait.node);
    ret->due_us = row.wait.due_us;
    if (row.wait.kind == WAIT_CALLBACK) { /* its row stays */
        ret->kind = COMMAND_CALLBACK_TIMER;
        ret->subject = row.wait.subject;
        ret->heard_us = sim->heard_us;
        return true;
    }
    sim->waits[timer] = sim->waits[--sim->n_waits];
    return true;
}

void sim_advance(struct sim *sim, int64_t seconds)
{
    int64_t until_us = sim->now_us + seconds * 1000000;
    struct command command;

    while (due_take(sim, until_us, &command))
        run_and_drain(sim, command);
    sim->now_us = until_us;
}

void sim_retry(struct sim *sim, const char *id, const char *decision)
{
    sim_retry_with(sim, id, decision, NULL);
}

void sim_retry_with(struct sim *sim, const char *id, const char *decision, const char *variables)
{
    struct err err = {0};

    for (size_t i = 0; i < sim->n_jobs; i++) {
        const struct command *command = &sim->jobs[i].command;
        if (sim->jobs[i].place != JOB_INCIDENT ||
            strcmp(element(sim, &command->instance, command->node), id) != 0)
            continue;
        struct command again = job_take(sim, i);
        if (decision != NULL)
            again.detail = decision;
        if (variables != NULL)
            assert_int_equal(
                command_correct(sim->arena, &again, variables, strlen(variables), &err), 0);
        run_and_drain(sim, again);
        return;
    }
    fail_msg("there is no incident at %s", id);
}
