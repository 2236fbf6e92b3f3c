/* SPDX-License-Identifier: Apache-2.0 */
/* Commands for what waits in the rows. */
#include "base/build.h"

#include "simulator/simulator.h"

#define DRAIN_MOST 20000u /* jobs that are ready one after the other: more is a loop */

static struct command command_for(const struct sim *sim, enum command_kind kind,
                                  const struct uuid *instance, uint32_t token, int node)
{
    return (struct command){.kind = kind,
                            .instance = *instance,
                            .root = sim->root,
                            .token = token,
                            .node = node,
                            .actor = "tester"};
}

struct command simulator_start(struct sim *sim, const struct graph *graph, int node,
                               const char *business_key, const char *variables)
{
    uint8_t entropy[10] = {9, 9, (uint8_t)sim->n_instances};

    sim->root = uuid_v7(sim->now_us / 1000, entropy);
    struct command command = command_for(sim, COMMAND_START, &sim->root, 0, node);
    command.graph = graph;
    command.business_key = business_key;
    command.body = variables;
    command.body_n = variables != NULL ? strlen(variables) : 0;
    return command;
}

struct command simulator_take_job(struct sim *sim, size_t i)
{
    struct command command = sim->jobs[i].command;

    memmove(&sim->jobs[i], &sim->jobs[i + 1], (sim->n_jobs - i - 1) * sizeof(*sim->jobs));
    sim->n_jobs--;
    return command;
}

bool simulator_take_ready(struct sim *sim, const char *element, struct command *ret)
{
    for (size_t i = 0; i < sim->n_jobs; i++) {
        const struct command *command = &sim->jobs[i].command;
        if (sim->jobs[i].place != JOB_READY ||
            strcmp(simulator_element(sim, &command->instance, command->node), element) != 0)
            continue;
        *ret = simulator_take_job(sim, i);
        return true;
    }
    return false;
}

int simulator_drain(struct sim *sim)
{
    unsigned n = 0;

    for (size_t i = 0; i < sim->n_jobs;) {
        if (sim->jobs[i].place != JOB_READY) {
            i++;
            continue;
        }
        struct command command = simulator_take_job(sim, i);
        if (++n > DRAIN_MOST)
            return err_set(&sim->trouble, ERR_LIMIT,
                           "it goes on for ever: %u jobs ran, the last at '%s', and no time passed",
                           DRAIN_MOST, simulator_element(sim, &command.instance, command.node));
        if (simulator_run(sim, &command) < 0)
            return err_trace(&sim->trouble);
        i = 0;
    }
    return 0;
}

int simulator_run_all(struct sim *sim, const struct command *command)
{
    if (simulator_run(sim, command) < 0)
        return err_trace(&sim->trouble);
    int result = sim->last_result;
    if (simulator_drain(sim) < 0)
        return err_trace(&sim->trouble);
    sim->last_result = result;
    return 0;
}

static struct command wait_command(const struct sim *sim, const struct sim_wait *row,
                                   enum command_kind kind, const char *body)
{
    struct command command =
        command_for(sim, kind, &row->instance, row->wait.token, row->wait.node);

    command.subject = row->wait.subject;
    command.name = row->wait.name;
    command.due_us = row->wait.due_us;
    command.body = body;
    command.body_n = body != NULL ? strlen(body) : 0;
    return command;
}

static size_t find_wait(const struct sim *sim, enum wait_kind kind, const char *element,
                        const char *name, const char *key)
{
    for (size_t i = 0; i < sim->n_waits; i++) {
        const struct sim_wait *row = &sim->waits[i];
        if (row->wait.kind == kind &&
            (element == NULL ||
             strcmp(simulator_element(sim, &row->instance, row->wait.node), element) == 0) &&
            (name == NULL || strcmp(row->wait.name, name) == 0) &&
            (key == NULL || (row->wait.key != NULL && strcmp(row->wait.key, key) == 0)))
            return i;
    }
    return SIZE_MAX;
}

static bool take_wait(struct sim *sim, size_t i, enum command_kind kind, const char *body,
                      struct command *ret)
{
    if (i == SIZE_MAX)
        return false;
    *ret = wait_command(sim, &sim->waits[i], kind, body);
    memmove(&sim->waits[i], &sim->waits[i + 1], (sim->n_waits - i - 1) * sizeof(*sim->waits));
    sim->n_waits--;
    return true;
}

bool simulator_take_wait(struct sim *sim, enum wait_kind kind, enum command_kind command,
                         const char *element, const char *name, const char *body,
                         struct command *ret)
{
    return take_wait(sim, find_wait(sim, kind, element, name, NULL), command, body, ret);
}

bool simulator_take_message(struct sim *sim, const char *name, const char *key, const char *body,
                            struct command *ret)
{
    return take_wait(sim, find_wait(sim, WAIT_MESSAGE, NULL, name, key), COMMAND_MESSAGE, body,
                     ret);
}

bool simulator_find_wait(struct sim *sim, enum wait_kind kind, enum command_kind command,
                         const char *element, const char *body, struct command *ret)
{
    size_t i = find_wait(sim, kind, element, NULL, NULL);

    if (i == SIZE_MAX)
        return false;
    *ret = wait_command(sim, &sim->waits[i], command, body);
    ret->due_us = 0;
    return true;
}

bool simulator_take_call(struct sim *sim, enum command_kind kind, const char *element,
                         struct command *ret)
{
    for (size_t i = 0; i < sim->n_calls; i++) {
        const struct new_call *call = &sim->calls[i].call;
        if (strcmp(simulator_element(sim, &call->instance, call->node), element) != 0)
            continue;
        *ret = command_for(sim, kind, &call->instance, call->token, call->node);
        ret->subject = call->id;
        ret->actor = NULL; /* nobody asked */
        if (kind == COMMAND_CALL_RESULT)
            sim->calls[i] = sim->calls[--sim->n_calls];
        return true;
    }
    return false;
}

static bool is_clock(const struct sim_wait *row)
{
    return row->wait.kind == WAIT_TIMER || row->wait.kind == WAIT_CALLBACK ||
           row->wait.kind == WAIT_LEVEL;
}

int64_t simulator_next_due(const struct sim *sim)
{
    int64_t due_us = INT64_MAX;

    for (size_t i = 0; i < sim->n_waits; i++)
        if (is_clock(&sim->waits[i]) && sim->waits[i].wait.due_us < due_us)
            due_us = sim->waits[i].wait.due_us;
    for (size_t i = 0; i < sim->n_jobs; i++)
        if (sim->jobs[i].place == JOB_RETRY && sim->jobs[i].command.due_us < due_us)
            due_us = sim->jobs[i].command.due_us;
    return due_us;
}

bool simulator_take_due(struct sim *sim, int64_t until_us, struct command *ret)
{
    size_t timer = SIZE_MAX, job = SIZE_MAX;
    int64_t due_us = until_us;

    for (size_t i = 0; i < sim->n_waits; i++)
        if (is_clock(&sim->waits[i]) && sim->waits[i].wait.due_us <= due_us) {
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
        *ret = simulator_take_job(sim, job);
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
    if (row.wait.kind == WAIT_LEVEL)
        ret->kind = COMMAND_LEVEL;
    sim->waits[timer] = sim->waits[--sim->n_waits];
    return true;
}
