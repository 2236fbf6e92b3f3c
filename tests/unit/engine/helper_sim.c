/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "helper_sim.h"
#include "parser/parser.h"

/* Does each wait have its row, and each row its wait? */
static void check(struct sim *sim)
{
    struct family family;
    size_t rows = 0, calls = 0;

    assert_int_equal(simulator_load(sim, &family), 0);
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
            fail_msg("the row of %s has no wait",
                     simulator_element(sim, &sim->waits[i].instance, row->node));
    }
    /* Waits whose row was taken by a command that failed have a job instead. */
    assert_true(sim->n_waits <= rows);
    assert_true(rows - sim->n_waits <= sim->n_jobs);
    assert_true(sim->n_calls <= calls);
}

static void run_delegate(struct sim *sim, struct need *need)
{
    (void)sim;
    if (strcmp(need->delegate, "echo") == 0)
        need->result = need->arguments;
    if (strcmp(need->delegate, "raise") == 0) {
        need->error_code = "E1";
        need->error_message = "why";
    }
}

void sim_init(struct sim *sim)
{
    struct arena *arena = calloc(1, sizeof(*arena)), *batch = calloc(1, sizeof(*batch));

    arena_init(arena, 0);
    arena_init(batch, 0);
    simulator_init(sim, arena, batch, INT64_C(1790000000000000));
    sim->written = check;
    sim->delegate = run_delegate;
    parser_init();
}

void sim_deinit(struct sim *sim)
{
    for (size_t i = 0; i < sim->n_graphs; i++)
        graph_free(sim->graphs[i]);
    arena_deinit(sim->arena);
    arena_deinit(sim->batch);
    free(sim->arena);
    free(sim->batch);
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
    simulator_add_graph(sim, graph);
    graph->definition_id = (int)sim->n_graphs;
    return graph;
}

const struct graph *sim_deploy(struct sim *sim, const char *key, const char *body)
{
    return sim_deploy_with(sim, "", key, body);
}

static void must(struct sim *sim, int result)
{
    if (result < 0)
        fail_msg("%s", sim->trouble.text);
}

void sim_batch(struct sim *sim, const struct command *commands, size_t n)
{
    must(sim, simulator_batch(sim, commands, n));
}

int sim_run(struct sim *sim, const struct command *command)
{
    sim_batch(sim, command, 1);
    return sim->last_result;
}

void sim_drain(struct sim *sim)
{
    must(sim, simulator_drain(sim));
}

static void run_and_drain(struct sim *sim, struct command command)
{
    must(sim, simulator_run_all(sim, &command));
}

struct uuid sim_start_only(struct sim *sim, const char *key, const char *variables)
{
    const struct graph *graph = simulator_graph(sim, key);

    assert_non_null(graph);
    struct command command = simulator_start(sim, graph, graph->none_start, "order 1", variables);
    sim_run(sim, &command);
    return sim->root;
}

struct uuid sim_start(struct sim *sim, const char *key, const char *variables)
{
    struct uuid id = sim_start_only(sim, key, variables);

    sim_drain(sim);
    return id;
}

struct command sim_ready(struct sim *sim, const char *id)
{
    struct command command = {0};

    if (!simulator_take_ready(sim, id, &command))
        fail_msg("nothing is ready at %s", id);
    return command;
}

static struct command wait_take(struct sim *sim, enum wait_kind kind, enum command_kind command,
                                const char *id, const char *name, const char *variables)
{
    struct command result = {0};

    if (!simulator_take_wait(sim, kind, command, id, name, variables, &result))
        fail_msg("nothing waits for %s", id != NULL ? id : name);
    return result;
}

static struct command wait_find_row(struct sim *sim, enum wait_kind kind, enum command_kind command,
                                    const char *id, const char *body)
{
    struct command result = {0};

    if (!simulator_find_wait(sim, kind, command, id, body, &result))
        fail_msg("nothing waits for %s", id);
    return result;
}

struct command sim_task(struct sim *sim, const char *id, const char *variables)
{
    return wait_take(sim, WAIT_TASK, COMMAND_TASK_COMPLETE, id, NULL, variables);
}

struct command sim_external(struct sim *sim, const char *id, enum command_kind kind,
                            const char *body)
{
    return wait_find_row(sim, WAIT_EXTERNAL, kind, id, body);
}

struct command sim_callback(struct sim *sim, const char *id, enum command_kind kind,
                            const char *body)
{
    return wait_find_row(sim, WAIT_CALLBACK, kind, id, body);
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
    struct command result = {0};

    if (!simulator_take_call(sim, kind, id, &result))
        fail_msg("%s has no call", id);
    return result;
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

void sim_advance(struct sim *sim, int64_t seconds)
{
    int64_t until_us = sim->now_us + seconds * 1000000;
    struct command command;

    while (simulator_take_due(sim, until_us, &command))
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
            strcmp(simulator_element(sim, &command->instance, command->node), id) != 0)
            continue;
        struct command again = simulator_take_job(sim, i);
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
