/* SPDX-License-Identifier: Apache-2.0 */
/* What a test sees of the simulated store, and every order of what can happen in it. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "helper_sim.h"

static void add_word(struct buf *buf, const char *format, const char *word)
{
    if (buf->len > 0)
        buf_add_char(buf, ' ');
    for (; *format != '\0'; format++) {
        if (*format == '%')
            buf_add_str(buf, word);
        else
            buf_add_char(buf, *format);
    }
}

static const struct job *job_of(const struct sim *sim, const struct instance *instance,
                                uint32_t token)
{
    for (size_t i = 0; i < sim->n_jobs; i++)
        if (uuid_equal(&sim->jobs[i].command.instance, &instance->id) &&
            sim->jobs[i].command.token == token)
            return &sim->jobs[i];
    return NULL;
}

/*
 * A word for each token, by instance and number: "A" waits at A, "A+" joins there, "A{" is a
 * running sub-process, "A?" ready, "A~" to be tried again, "A!" an incident. "." when all has
 * ended.
 */
const char *sim_where(struct sim *sim)
{
    static const char *const places[] = {
        [JOB_READY] = "%?", [JOB_RETRY] = "%~", [JOB_INCIDENT] = "%!"};
    static const char *const states[] = {
        [TOKEN_WAIT] = "%", [TOKEN_JOIN] = "%+", [TOKEN_SCOPE] = "%{"};
    uint8_t entropy[16] = {0};
    struct family family;
    struct buf buf;
    struct err err;

    buf_init(&buf, 0);
    arena_reset(sim->batch);
    family_init(&family, sim->batch, &sim->root, sim->now_us, entropy);
    for (size_t i = 0; i < sim->n_instances; i++)
        if (!sim->instances[i].ended)
            assert_int_equal(family_load(&family, &sim->instances[i].row, &err), 0);
    for (size_t f = 0; f < family.n_instances; f++) {
        const struct instance *instance = family.instances[f];
        for (size_t i = 0; i < instance->n_tokens; i++) {
            const struct token *token = &instance->tokens[i];
            if (token->state != TOKEN_READY) {
                add_word(&buf, states[token->state], instance->graph->nodes[token->node].id);
                continue;
            }
            const struct job *job = job_of(sim, instance, token->id);
            if (job == NULL)
                fail_msg("token %u has no job", token->id);
            else
                add_word(&buf, places[job->place], instance->graph->nodes[job->command.node].id);
        }
    }
    const char *text = arena_strdup(sim->arena, buf.len > 0 ? buf_str(&buf) : ".");
    buf_deinit(&buf);
    return text;
}

/* "+A" A began to wait, "-A" it ended, "xA" was cancelled; "I+ I-" instances, "!A" error thrown, …
 */
const char *sim_trace(struct sim *sim)
{
    static const char *const words[] = {
        [HISTORY_INSTANCE_STARTED] = "I+",   [HISTORY_INSTANCE_ENDED] = "I-",
        [HISTORY_ACTIVITY_STARTED] = "+%",   [HISTORY_ACTIVITY_ENDED] = "-%",
        [HISTORY_ACTIVITY_CANCELLED] = "x%", [HISTORY_ERROR_THROWN] = "!%",
        [HISTORY_JOB_FAILED] = "failed:%",   [HISTORY_CALL_REQUESTED] = "request:%",
        [HISTORY_CALL_SENT] = "sent:%",      [HISTORY_CALL_ANSWERED] = "answer:%",
        [HISTORY_CALL_LATE] = "late:%",      [HISTORY_MESSAGE_RECEIVED] = "got:%",
        [HISTORY_MESSAGE_SENT] = "told:%",   [HISTORY_TASK_COMPLETED] = "done:%",
        [HISTORY_VARIABLES_SET] = "set",     [HISTORY_INCIDENT] = "incident:%",
        [HISTORY_SKIPPED] = "skip:%",        [HISTORY_MOVED] = "move:%",
        [HISTORY_EXTERNAL_FAILED] = "no:%",  [HISTORY_COMPLETED_BY_HAND] = "hand:%",
        [HISTORY_DELEGATE_RAN] = "ran:%",
    };
    struct buf buf;

    buf_init(&buf, 0);
    for (size_t i = 0; i < sim->n_history; i++)
        add_word(&buf, words[sim->history[i].kind], sim->history_elements[i]);
    const char *text = arena_strdup(sim->arena, buf_str(&buf));
    buf_deinit(&buf);
    return text;
}

bool sim_history_has(const struct sim *sim, enum history_kind kind, const char *piece)
{
    for (size_t i = 0; i < sim->n_history; i++)
        if (sim->history[i].kind == kind && sim->history[i].data != NULL &&
            strstr(sim->history[i].data, piece) != NULL)
            return true;
    return false;
}

static const struct sim_instance *last_of(const struct sim *sim, const char *key)
{
    for (size_t i = sim->n_instances; i-- > 0;)
        if (strcmp(sim->instances[i].row.graph->key, key) == 0)
            return &sim->instances[i];
    return NULL;
}

const char *sim_variable_of(struct sim *sim, const char *key, const char *name)
{
    const struct sim_instance *instance = last_of(sim, key);
    struct value value;
    struct err err;

    assert_non_null(instance);
    if (instance->row.variables == NULL || value_read(sim->arena, instance->row.variables,
                                                      instance->row.variables_n, &value, &err) < 0)
        return "-";
    const struct value *member = value_member(&value, name, strlen(name));
    return member != NULL ? value_text(sim->arena, member, NULL) : "-";
}

const char *sim_variable(struct sim *sim, const char *name)
{
    return sim_variable_of(sim, sim->instances[0].row.graph->key, name);
}

size_t sim_count(const struct sim *sim, enum wait_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < sim->n_waits; i++)
        n += sim->waits[i].wait.kind == kind;
    return n;
}

size_t sim_jobs(const struct sim *sim, enum job_place place)
{
    size_t n = 0;

    for (size_t i = 0; i < sim->n_jobs; i++)
        n += sim->jobs[i].place == place;
    return n;
}

bool sim_ended(const struct sim *sim, const char *key)
{
    const struct sim_instance *instance = last_of(sim, key);

    return instance != NULL && instance->ended;
}

/* ---- Every order ---- */

struct exploration {
    const char *const *names;
    const char *response;
    void (*end)(struct sim *sim);
    unsigned orders;
};

static void explore(struct exploration *exploration, struct sim *sim);

static void branch(struct exploration *exploration, const struct sim *before,
                   const struct command *command, struct sim *scratch)
{
    (void)before;
    sim_run(scratch, command);
    explore(exploration, scratch);
}

static struct sim *copy_of(const struct sim *sim)
{
    struct sim *copy = malloc(sizeof(*copy));
    struct arena *arena = calloc(1, sizeof(*arena));

    assert_non_null(copy);
    assert_non_null(arena);
    arena_init(arena, 0);
    simulator_copy(copy, sim, arena);
    return copy;
}

static void copy_free(struct sim *copy)
{
    arena_deinit(copy->arena);
    free(copy->arena);
    free(copy);
}

static unsigned explore_jobs(struct exploration *exploration, const struct sim *sim)
{
    unsigned n = 0;

    for (size_t i = 0; i < sim->n_jobs; i++) {
        if (sim->jobs[i].place != JOB_READY)
            continue;
        struct sim *scratch = copy_of(sim);
        struct command command = scratch->jobs[i].command;
        scratch->jobs[i] = scratch->jobs[--scratch->n_jobs];
        branch(exploration, sim, &command, scratch);
        copy_free(scratch);
        n++;
    }
    return n;
}

static bool may_happen(const struct exploration *exploration, const struct sim_wait *row)
{
    if (row->wait.kind != WAIT_MESSAGE)
        return true;
    for (size_t i = 0; exploration->names[i] != NULL; i++)
        if (strcmp(exploration->names[i], row->wait.name) == 0)
            return true;
    return false;
}

static unsigned explore_waits(struct exploration *exploration, const struct sim *sim)
{
    static const enum command_kind kinds[] = {[WAIT_TIMER] = COMMAND_TIMER,
                                              [WAIT_MESSAGE] = COMMAND_MESSAGE,
                                              [WAIT_TASK] = COMMAND_TASK_COMPLETE,
                                              [WAIT_EXTERNAL] = COMMAND_EXTERNAL_COMPLETE};
    unsigned n = 0;

    for (size_t i = 0; i < sim->n_waits; i++) {
        const struct sim_wait row = sim->waits[i];
        if (!may_happen(exploration, &row))
            continue;
        struct sim *scratch = copy_of(sim);
        struct command command = {.kind = kinds[row.wait.kind],
                                  .instance = row.instance,
                                  .root = sim->root,
                                  .token = row.wait.token,
                                  .node = row.wait.node,
                                  .subject = row.wait.subject,
                                  .name = row.wait.name,
                                  .due_us = row.wait.due_us};
        if (row.wait.kind == WAIT_TIMER && row.wait.due_us > scratch->now_us)
            scratch->now_us = row.wait.due_us;
        scratch->waits[i] = scratch->waits[--scratch->n_waits];
        branch(exploration, sim, &command, scratch);
        copy_free(scratch);
        n++;
    }
    return n;
}

static unsigned explore_calls(struct exploration *exploration, const struct sim *sim)
{
    unsigned n = 0;

    for (size_t i = 0; i < sim->n_calls; i++) {
        struct sim *scratch = copy_of(sim);
        const struct new_call *call = &sim->calls[i].call;
        struct command command = {.kind = COMMAND_CALL_RESULT,
                                  .instance = call->instance,
                                  .root = sim->root,
                                  .token = call->token,
                                  .node = call->node,
                                  .subject = call->id,
                                  .body = exploration->response,
                                  .body_n = strlen(exploration->response)};
        scratch->calls[i] = scratch->calls[--scratch->n_calls];
        branch(exploration, sim, &command, scratch);
        copy_free(scratch);
        n++;
    }
    return n;
}

static void explore(struct exploration *exploration, struct sim *sim)
{
    assert_true(exploration->orders < 200000);
    if (explore_jobs(exploration, sim) + explore_waits(exploration, sim) +
            explore_calls(exploration, sim) >
        0)
        return;
    exploration->orders++;
    exploration->end(sim);
}

unsigned sim_explore(struct sim *sim, const char *const *names, const char *response,
                     void (*end)(struct sim *sim))
{
    struct exploration exploration = {.names = names, .response = response, .end = end};

    explore(&exploration, sim);
    return exploration.orders;
}
