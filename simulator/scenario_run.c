/* SPDX-License-Identifier: Apache-2.0 */
/* One case: it begins, its steps are done, its clock moves. */
#include "base/build.h"

#include <stdarg.h>

#include "engine/isotime.h"
#include "simulator/internal.h"

#define BEGIN_US INT64_C(1767225600000000) /* 2026-01-01, unless a case says when */
#define TIMES_MOST 1000

static void note_add(struct run *run, int line, const char *format, va_list args)
{
    char room[2048];
    int n = vsnprintf(room, sizeof(room), format, args);

    *arena_push(run->arena, run->result->notes, run->result->n_notes, run->result->notes_capacity) =
        (struct scenario_note){.line = line, .text = arena_strdup(run->arena, n < 0 ? "" : room)};
    run->result->ok = false;
}

void run_note(struct run *run, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    note_add(run, line, format, args);
    va_end(args);
}

void run_stop(struct run *run, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    note_add(run, line, format, args);
    va_end(args);
    run->stopped = true;
}

const char *run_json(const struct run *run, const struct item *item)
{
    struct buf json CLEANUP(buf_deinit);

    buf_init(&json, 0);
    if (item != NULL)
        item_json(item, &json);
    return item != NULL ? arena_strdup(run->arena, buf_str(&json)) : NULL;
}

static const char *text_of(const struct item *map, const char *key)
{
    const struct item *item = item_member(map, key);

    return item != NULL ? item->text : NULL;
}

static void carry_out(struct run *run, int line, const struct command *command)
{
    if (simulator_run_all(&run->sim, command) < 0) {
        run_stop(run, line, "%s", run->sim.trouble.text);
        return;
    }
    run_settle(run);
}

/* ---- The clock ---- */

static void advance(struct run *run, const struct item *by)
{
    struct iso_duration duration;
    struct command command;
    struct err err = {0};

    if (iso_duration_parse(by->text, strlen(by->text), &duration, &err) < 0) {
        run_stop(run, by->line, "advance: %s", err.text);
        return;
    }
    int64_t until_us = iso_add(run->sim.now_us, &duration, 1);
    while (!run->stopped) {
        int64_t answer_us = run_next_answer(run), due_us = simulator_next_due(&run->sim);
        if (answer_us > until_us && due_us > until_us)
            break;
        if (answer_us <= due_us) {
            if (answer_us > run->sim.now_us)
                run->sim.now_us = answer_us;
            run_settle(run);
        } else if (simulator_take_due(&run->sim, due_us, &command)) {
            carry_out(run, by->line, &command);
        }
    }
    if (!run->stopped && until_us > run->sim.now_us)
        run->sim.now_us = until_us;
}

/* ---- What people and programs do ---- */

static void nothing_waits(struct run *run, const struct item *at, const char *what)
{
    run_stop(run, at->line, "%s %s: nothing waits there for it; it is at %s", what, at->text,
             run_where(run));
}

static void complete(struct run *run, const struct item *step, const struct item *at)
{
    const struct item *output = NULL;
    const char *variables = run_json(run, item_member(step, "variables"));
    struct command command;

    for (size_t i = 0; i < step->n; i++)
        if (strcmp(step->keys[i], "output") == 0)
            output = step->list[i];
    if (output == NULL && simulator_take_wait(&run->sim, WAIT_TASK, COMMAND_TASK_COMPLETE, at->text,
                                              NULL, variables, &command)) {
        carry_out(run, at->line, &command);
        return;
    }
    const char *body =
        arena_printf(run->arena, "{\"variables\":%s}", variables != NULL ? variables : "{}");
    if (output == NULL && simulator_find_wait(&run->sim, WAIT_EXTERNAL, COMMAND_EXTERNAL_COMPLETE,
                                              at->text, body, &command)) {
        carry_out(run, at->line, &command);
        return;
    }
    if (output != NULL)
        variables = run_json(run, output);
    body = arena_printf(run->arena, "{\"output\":%s}", variables != NULL ? variables : "null");
    if (simulator_find_wait(&run->sim, WAIT_CALLBACK, COMMAND_CALLBACK_SUCCEED, at->text, body,
                            &command))
        carry_out(run, at->line, &command);
    else
        nothing_waits(run, at, "complete");
}

static void fail(struct run *run, const struct item *step, const struct item *at)
{
    const char *error = text_of(step, "error"), *cause = text_of(step, "cause");
    const char *variables = run_json(run, item_member(step, "variables"));
    const struct item *retries = item_member(step, "retries");
    struct command command;
    struct item message = {.kind = ITEM_STRING, .text = cause != NULL ? cause : "it failed"};

    if (error != NULL && simulator_take_wait(&run->sim, WAIT_TASK, COMMAND_TASK_ERROR, at->text,
                                             NULL, variables, &command)) {
        command.name = error;
        command.detail = cause;
        carry_out(run, at->line, &command);
        return;
    }
    const char *body = arena_printf(
        run->arena, "{\"variables\":%s,\"externalTask\":{\"errorMessage\":%s,\"retries\":%s}}",
        variables != NULL ? variables : "{}", run_json(run, &message),
        retries != NULL ? retries->text : "0");
    enum command_kind kind = error != NULL ? COMMAND_EXTERNAL_ERROR : COMMAND_EXTERNAL_FAILURE;
    if (simulator_find_wait(&run->sim, WAIT_EXTERNAL, kind, at->text, body, &command) ||
        simulator_find_wait(&run->sim, WAIT_CALLBACK, COMMAND_CALLBACK_FAIL, at->text, "{}",
                            &command)) {
        command.name = error;
        command.detail = cause;
        carry_out(run, at->line, &command);
        return;
    }
    nothing_waits(run, at, error != NULL ? "fail" : "fail (a user task needs an \"error\")");
}

static void message(struct run *run, const struct item *step, const struct item *name)
{
    struct command command;

    if (simulator_take_message(&run->sim, name->text, text_of(step, "key"),
                               run_json(run, item_member(step, "variables")), &command))
        carry_out(run, name->line, &command);
    else
        nothing_waits(run, name, "message");
}

static void retry(struct run *run, const struct item *step, const struct item *at)
{
    const char *variables = run_json(run, item_member(step, "variables"));
    struct err err = {0};

    for (size_t i = 0; i < run->sim.n_jobs; i++) {
        const struct command *command = &run->sim.jobs[i].command;
        if (run->sim.jobs[i].place != JOB_INCIDENT ||
            strcmp(simulator_element(&run->sim, &command->instance, command->node), at->text) != 0)
            continue;
        struct command again = simulator_take_job(&run->sim, i);
        if (variables != NULL &&
            command_correct(run->arena, &again, variables, strlen(variables), &err) < 0)
            run_stop(run, at->line, "retry %s: %s", at->text, err.text);
        else
            carry_out(run, at->line, &again);
        return;
    }
    run_stop(run, at->line, "retry %s: there is no incident; it is at %s", at->text,
             run_where(run));
}

static void do_step(struct run *run, const struct item *step)
{
    static const struct {
        const char *name;
        void (*run)(struct run *run, const struct item *step, const struct item *at);
    } kinds[] = {{"complete", complete}, {"fail", fail}, {"message", message}, {"retry", retry}};
    const struct item *times = item_member(step, "times");
    long n = times != NULL ? strtol(times->text, NULL, 10) : 1;

    if (item_member(step, "expect") != NULL)
        run_expect(run, item_member(step, "expect"));
    if (item_member(step, "advance") != NULL)
        advance(run, item_member(step, "advance"));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct item *at = item_member(step, kinds[i].name);
        for (long done = 0; at != NULL && done < n && done < TIMES_MOST && !run->stopped; done++)
            kinds[i].run(run, step, at);
    }
}

/* ---- Beginning and end ---- */

static int start_node(struct run *run, const struct graph *graph)
{
    const struct item *at = item_member(run->of, "at");

    if (at == NULL) {
        if (graph->none_start < 0)
            run_stop(run, run->of->line,
                     "%s begins with events only: say with \"at\" at which of them", graph->key);
        return graph->none_start;
    }
    int node = graph_find(graph, at->text);
    if (node < 0 || graph->nodes[node].kind != NODE_START_EVENT) {
        run_stop(run, at->line, "%s has no start event %s", graph->key, at->text);
        return -1;
    }
    return node;
}

static void start(struct run *run)
{
    const struct item *process = item_member(run->of, "start");
    const struct item *now = item_member(run->of, "now");
    struct err err = {0};

    if (process == NULL)
        process = item_member(run->scenario->document, "start");
    const struct graph *graph = simulator_graph(&run->sim, process->text);
    if (graph == NULL) {
        run_stop(run, process->line, "none of the files has a process %s", process->text);
        return;
    }
    if (now != NULL && iso_date_parse(now->text, strlen(now->text), &run->sim.now_us, &err) < 0) {
        run_stop(run, now->line, "now: %s", err.text);
        return;
    }
    int node = start_node(run, graph);
    if (node < 0)
        return;
    const char *key = text_of(run->of, "key");
    struct command command = simulator_start(&run->sim, graph, node, key != NULL ? key : "case",
                                             run_json(run, item_member(run->of, "variables")));
    carry_out(run, process->line, &command);
}

/* An incident that nobody expects fails a case; where it failed, it helps to see why. */
static void note_trouble(struct run *run)
{
    bool expected = item_member(item_member(run->of, "expect"), "incidents") != NULL;

    for (size_t i = 0; i < run->sim.n_jobs; i++) {
        const struct job *job = &run->sim.jobs[i];
        const char *element =
            simulator_element(&run->sim, &job->command.instance, job->command.node);
        const char *text = job->error != NULL ? job->error : "it has no text";
        if (job->place == JOB_INCIDENT && !(run->result->ok && expected))
            run_note(run, 0, "there is an incident at %s: %s", element, text);
        else if (job->place == JOB_RETRY && job->error != NULL && !run->result->ok)
            run_note(run, 0, "%s failed, and is tried again later: %s", element, text);
    }
}

void scenario_run(struct scenario *scenario, size_t i, struct arena *batch,
                  struct scenario_result *ret)
{
    const struct item *of = scenario->cases->list[i];
    struct run run = {.scenario = scenario, .of = of, .result = ret, .arena = scenario->arena};
    const struct item *steps = item_member(of, "steps");

    *ret = (struct scenario_result){.line = of->line, .name = text_of(of, "name"), .ok = true};
    if (ret->name == NULL)
        ret->name = arena_printf(scenario->arena, "case %zu", i + 1);
    simulator_init(&run.sim, scenario->arena, batch, BEGIN_US);
    run.sim.delegate = run_delegate;
    run.sim.context = &run;
    run.sim.script = scenario->script;
    run.sim.script_context = scenario->script_context;
    for (size_t p = 0; p < scenario->n_processes; p++)
        simulator_add_graph(&run.sim, scenario->processes[p].graph);
    start(&run);
    for (size_t s = 0; steps != NULL && s < steps->n && !run.stopped; s++)
        do_step(&run, steps->list[s]);
    if (!run.stopped && item_member(of, "expect") != NULL)
        run_expect(&run, item_member(of, "expect"));
    note_trouble(&run);
    coverage_note(&run);
}
