/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a command that failed: another try, later, or an incident that somebody looks at.
 */
#include "base/build.h"

#include "engine/step.h"

/* Camunda's: three tries without delay where the model says nothing. */
#define PLAIN_TRIES 3u

void failure_file(struct step *step, struct instance *instance, const struct command *command,
                  uint32_t plain_tries, const char *reason, const char *error)
{
    const struct node *node = node_at(instance, command->node);
    const struct retry_cycle *cycle = node != NULL ? node->retry : NULL;
    uint32_t tries = command->tries < UINT32_MAX ? command->tries + 1 : command->tries;
    uint32_t most = cycle != NULL ? cycle->tries : plain_tries;
    struct job job = {.place = JOB_INCIDENT, .command = *command, .error = error};

    job.command.tries = tries;
    if (tries < most) {
        job.place = JOB_RETRY;
        job.command.due_us = step->family->now_us;
        if (cycle != NULL && cycle->n_delays > 0) {
            uint32_t i = tries - 1 < cycle->n_delays ? tries - 1 : cycle->n_delays - 1;
            job.command.due_us = iso_add(step->family->now_us, &cycle->delays[i], 1);
            if (job.command.due_us > TIME_LAST_US)
                job.command.due_us = TIME_LAST_US;
        }
    } else {
        job.reason = reason;
    }
    job_add(step, &job);
    history_add(step, HISTORY_JOB_FAILED, instance, command->token, node, 0,
                history_data(step, "sit", "error", text_cut(step->arena, error, 500), "tries",
                             (int64_t)tries, "next",
                             job.place == JOB_RETRY ? job.command.due_us : (int64_t)0));
    if (job.place == JOB_INCIDENT)
        history_add(
            step, HISTORY_INCIDENT, instance, command->token, node, 0,
            history_data(step, "ss", "reason", reason, "error", text_cut(step->arena, error, 500)));
}

/* The instance is made and stands before its start event, so that nothing of the request is lost.
 */
static void start_failed(struct step *step, const char *error)
{
    const struct command *command = step->command;
    struct command again = {.kind = COMMAND_CONTINUE,
                            .instance = command->instance,
                            .root = command->root,
                            .node = command->node,
                            .phase = PHASE_ENTER,
                            .origin = command->origin};

    if (command->graph == NULL)
        return;
    struct instance *instance = instance_new(step->family, &command->instance, command->graph);
    instance->fate = INSTANCE_NEW;
    instance->born = true;
    instance->business_key = command->business_key;
    instance->tenant = command->tenant;
    instance->variables_text = command->body;
    instance->variables_n = command->body_n;
    instance->variables_changed = command->body != NULL;
    history_add(step, HISTORY_INSTANCE_STARTED, instance, 0, node_at(instance, command->node), 0,
                NULL);
    if (token_new(step, instance, 0, &again.token) == 0)
        failure_file(step, instance, &again, PLAIN_TRIES, "failedJob", error);
}

void engine_fail(struct family *family, const struct command *command, const struct err *why)
{
    struct err unused = {0};
    struct step step = {.family = family,
                        .arena = family->arena,
                        .command = command,
                        .err = &unused,
                        .arena_start = family->arena->used};
    struct instance *instance = family_instance(family, &command->instance);
    const char *error = arena_strdup(family->arena, why->text);
    struct command parked = *command;

    if (command->kind == COMMAND_START) {
        if (instance == NULL)
            start_failed(&step, error);
        return;
    }
    if (instance == NULL || instance->fate == INSTANCE_ENDED)
        return;
    if (command->kind == COMMAND_CANCEL || command->kind == COMMAND_SET_VARIABLES) {
        /* Its caller reads in the outcome that it was refused: there is nothing to try again. */
        history_add(&step, HISTORY_JOB_FAILED, instance, 0, NULL, 0,
                    history_data(&step, "ss", "error", text_cut(family->arena, error, 500), "actor",
                                 command->actor));
        return;
    }
    if (!command_locate(instance, &parked))
        return;
    command_variables_keep(&step, instance);
    bool timed = command->kind == COMMAND_CONTINUE || command->kind == COMMAND_TIMER;
    failure_file(&step, instance, &parked, timed ? PLAIN_TRIES : 1, "failedJob", error);
}
