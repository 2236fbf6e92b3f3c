/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a command that failed: another try, later, or an incident that somebody looks at.
 */
#include "base/build.h"

#include "engine/step.h"

void failure_file(struct step *step, struct instance *instance, const struct command *command,
                  const struct failure *failure)
{
    struct command failed = *command;

    failed.tries += failed.tries < UINT32_MAX;
    struct retry retry = retry_next(step, instance, &failed, failure);
    failure_place(step, instance, &failed, failure, &retry);
}

void failure_place(struct step *step, struct instance *instance, const struct command *failed,
                   const struct failure *failure, const struct retry *retry)
{
    const struct node *node = node_at(instance, failed->node);
    struct job job = {.place = JOB_RETRY, .command = *failed, .error = failure->error};

    if (retry->note != NULL)
        job.error = arena_printf(step->arena, "%s. %s", failure->error, retry->note);
    if (retry->verdict == RETRY_TOO_LATE)
        job.error = arena_printf(step->arena, "%s. Its deadline leaves no time for another try.",
                                 job.error);
    if (retry->verdict == RETRY_AT) {
        job.command.due_us = retry->due_us;
    } else {
        job.place = JOB_INCIDENT;
        job.reason = failure->reason;
    }
    job_add(step, &job);
    const char *error = text_cut(step->arena, job.error, 500);
    history_add(step, HISTORY_JOB_FAILED, instance, failed->token, node, 0,
                history_data(step, "sit", "error", error, "tries", (int64_t)job.command.tries,
                             "next", job.place == JOB_RETRY ? job.command.due_us : (int64_t)0));
    if (job.place == JOB_INCIDENT)
        history_add(step, HISTORY_INCIDENT, instance, failed->token, node, 0,
                    history_data(step, "ss", "reason", failure->reason, "error", error));
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
        failure_file(
            step, instance, &again,
            &(struct failure){.reason = "failedJob", .error = error, .plain_tries = DEFAULT_TRIES});
}

bool command_is_by_hand(enum command_kind kind)
{
    return kind == COMMAND_CANCEL || kind == COMMAND_SET_VARIABLES || kind == COMMAND_SKIP ||
           kind == COMMAND_MOVE || kind == COMMAND_COMPLETE_ELEMENT;
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

    family->n_needs = 0;
    if (command->kind == COMMAND_START) {
        if (instance == NULL)
            start_failed(&step, error);
        return;
    }
    if (instance == NULL || instance->fate == INSTANCE_ENDED)
        return;
    if (command_is_by_hand(command->kind)) {
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
    failure_file(&step, instance, &parked,
                 &(struct failure){.reason = "failedJob",
                                   .error = error,
                                   .plain_tries = timed ? DEFAULT_TRIES : 1});
}
