/* SPDX-License-Identifier: Apache-2.0 */
/* One command: find what it addresses, do that, and run every token until it waits, ends or parks.
 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/step.h"

static int command_start(struct step *step)
{
    const struct command *command = step->command;
    uint32_t token;

    if (family_instance(step->family, &command->instance) != NULL)
        return STEP_DROPPED;
    if (command->graph == NULL)
        return err_set(step->err, ERR_NOT_FOUND, "The process definition to start is missing.");
    if (command->node < 0 || (size_t)command->node >= command->graph->n_nodes ||
        command->graph->nodes[command->node].kind != NODE_START_EVENT)
        return err_set(step->err, ERR_INVALID, "Process '%s' has no such start event.",
                       command->graph->key);
    if (command->business_key != NULL && strlen(command->business_key) > LIMIT_NAME_BYTES)
        return err_set(step->err, ERR_LIMIT, "The business key is longer than %u bytes.",
                       LIMIT_NAME_BYTES);
    const struct node *node = &command->graph->nodes[command->node];
    if (input_accept(step, command->graph, node, command->body, command->body_n) < 0)
        /* Who asked is told; a message is kept, with an instance that somebody looks at. */
        return command->name == NULL ? STEP_REFUSED : err_trace(step->err);
    struct instance *instance = instance_new(step->family, &command->instance, command->graph);
    instance->fate = INSTANCE_NEW;
    instance->born = true;
    instance->business_key = command->business_key;
    instance->tenant = command->tenant;
    if (variables_set(step, instance, 0, command->body, command->body_n) < 0)
        return err_trace(step->err);
    history_add(step, HISTORY_INSTANCE_STARTED, instance, 0, node, 0,
                command->actor != NULL ? history_data(step, "s", "actor", command->actor) : NULL);
    if (token_new(step, instance, 0, &token) < 0)
        return err_trace(step->err);
    if (command->name != NULL)
        history_add(step, HISTORY_MESSAGE_RECEIVED, instance, token, node, 0,
                    history_data(step, "s", "name", command->name));
    move_push(step, instance, token, node, MOVE_ARRIVE);
    return 0;
}

/* A job row is not trusted: does its element exist, and where the token is? */
static int job_node(struct step *step, const struct instance *instance, const struct token *token,
                    const struct node **ret)
{
    *ret = node_at(instance, step->command->node);
    if (*ret == NULL || !token_fits(instance, token, *ret))
        return err_set(step->err, ERR_INVALID,
                       "The job names element number %d, which is not where its token is.",
                       step->command->node);
    return 0;
}

static int call_again(struct step *step, struct instance *instance)
{
    const struct command *command = step->command;
    const struct wait *wait = wait_find_subject(instance, WAIT_CALL, &command->subject);
    const struct fired_call *call = fired_find(instance, &command->subject);
    uint32_t attempt = command->tries < UINT32_MAX ? command->tries + 1 : command->tries;
    struct view view;

    if (call != NULL && call->answer_name == NULL) {
        if (fired_view(step, instance, call, &view) < 0)
            return err_trace(step->err);
    } else {
        if (wait == NULL || wait->token != command->token)
            return STEP_DROPPED;
        view = view_at(step, instance, wait->token, &instance->graph->nodes[wait->node]);
    }
    return call_request(&view, &command->subject, attempt);
}

static int command_continue(struct step *step, struct instance *instance)
{
    const struct command *command = step->command;
    const struct token *token = token_find(instance, command->token);
    const struct node *node;

    if (command->phase == PHASE_CALL)
        return call_again(step, instance);
    if (token == NULL || token->state != TOKEN_READY)
        return STEP_DROPPED;
    if (job_node(step, instance, token, &node) < 0)
        return err_trace(step->err);
    switch (command->phase) {
    case PHASE_BEFORE:
        move_push(step, instance, token->id, node, MOVE_ENTER);
        return 0;
    case PHASE_AFTER:
        move_push(step, instance, token->id, node, MOVE_FLOWS);
        return 0;
    case PHASE_ENTER:
        move_push(step, instance, token->id, node, MOVE_ARRIVE);
        return 0;
    case PHASE_CALL:
        break;
    }
    return err_set(step->err, ERR_INVALID, "The job has the unknown phase %d.",
                   (int)command->phase);
}

static int trigger_wait(struct step *step, struct instance *instance, const struct wait *wait)
{
    const struct command *command = step->command;
    struct trigger trigger = {.instance = instance,
                              .token = wait->token,
                              .wait = *wait,
                              .node = &instance->graph->nodes[wait->node],
                              .name = command->name,
                              .detail = command->detail,
                              .body = command->body,
                              .body_n = command->body_n,
                              .row_taken = true};

    return wait_trigger(step, &trigger);
}

static int command_timer(struct step *step, struct instance *instance)
{
    const struct wait *wait =
        wait_find(instance, WAIT_TIMER, step->command->token, step->command->node);

    /* The clock of a later round of a loop is not the one that rang. */
    if (wait == NULL || wait->due_us > step->family->now_us)
        return STEP_DROPPED;
    return trigger_wait(step, instance, wait);
}

static int command_message(struct step *step, struct instance *instance)
{
    const struct command *command = step->command;
    const struct wait *wait = wait_find(instance, WAIT_MESSAGE, command->token, command->node);

    if (wait == NULL || (command->name != NULL && strcmp(command->name, wait->name) != 0))
        return STEP_DROPPED;
    return trigger_wait(step, instance, wait);
}

static int command_task(struct step *step, struct instance *instance)
{
    const struct wait *wait = wait_find_subject(instance, WAIT_TASK, &step->command->subject);

    if (wait == NULL)
        return STEP_DROPPED;
    return trigger_wait(step, instance, wait);
}

static int command_external(struct step *step, struct instance *instance)
{
    const struct wait *wait = wait_find_subject(instance, WAIT_EXTERNAL, &step->command->subject);

    if (wait == NULL)
        return STEP_DROPPED;
    return trigger_wait(step, instance, wait);
}

static int command_callback(struct step *step, struct instance *instance)
{
    const struct wait *wait = wait_find_subject(instance, WAIT_CALLBACK, &step->command->subject);
    bool again = step->command->kind == COMMAND_CALLBACK_AGAIN;

    /* One that failed is only tried again. */
    if (wait == NULL || (wait->due_us == INT64_MAX) != again)
        return STEP_DROPPED;
    return again ? callback_again(step, instance, wait) : trigger_wait(step, instance, wait);
}

static int command_call_sent(struct step *step, struct instance *instance)
{
    const struct command *command = step->command;
    struct fired_call *call = fired_find(instance, &command->subject);
    const struct wait *wait = wait_find_subject(instance, WAIT_CALL, &command->subject);
    uint32_t token = call != NULL ? call->token : wait != NULL ? wait->token : 0;
    int node = call != NULL ? call->node : wait != NULL ? wait->node : -1;

    if (node < 0 || (call != NULL && call->sent_us != 0))
        return STEP_DROPPED;
    /* A node's clock is not ours: never from the future. */
    int64_t sent_us = command->due_us > 0 && command->due_us < step->family->now_us
                          ? command->due_us
                          : step->family->now_us;
    if (call != NULL)
        call->sent_us = sent_us;
    history_add(
        step, HISTORY_CALL_SENT, instance, token, node_at(instance, node), 0,
        history_data(step, "un", "call", &command->subject, "attempt", (int64_t)command->tries));
    return timers_arm(step, instance, node, sent_us);
}

static int command_call_result(struct step *step, struct instance *instance)
{
    const struct command *command = step->command;
    struct fired_call *call = fired_find(instance, &command->subject);
    const struct wait *wait = wait_find_subject(instance, WAIT_CALL, &command->subject);
    struct value response;

    if (call != NULL && call->answer_name == NULL)
        return fired_answered(step, instance, call);
    if (wait != NULL)
        return trigger_wait(step, instance, wait);
    if (response_read(step, command->body, command->body_n, &response) < 0)
        return STEP_DROPPED; /* late, and not even readable */
    history_add(step, HISTORY_CALL_LATE, instance, command->token, node_at(instance, command->node),
                0, response_history(step, &command->subject, &response));
    return STEP_DROPPED;
}

static int command_cancel(struct step *step, struct instance *instance)
{
    const struct command *command = step->command;
    const char *reason = command->detail != NULL ? command->detail : "cancelled";
    struct interruption why = {.by = reason, .state = "cancelled", .reason = reason};

    if (!uuid_is_nil(&instance->parent)) {
        char root[UUID_TEXT_BYTES];
        uuid_format(&instance->root, root);
        return err_set(step->err, ERR_CONFLICT,
                       "This instance was started by a call activity, which waits for its end. "
                       "Cancel the instance that started it all, %s.",
                       root);
    }
    return instance_interrupt(step, instance, &why);
}

static int command_set_variables(struct step *step, struct instance *instance)
{
    const struct command *command = step->command;

    if (command->body == NULL)
        return 0;
    if (variables_set(step, instance, 0, command->body, command->body_n) < 0)
        return err_trace(step->err);
    history_add(step, HISTORY_VARIABLES_SET, instance, 0, NULL, 0,
                history_data(step, "rs", "names",
                             variables_names(step, command->body, command->body_n), "actor",
                             command->actor));
    return 0;
}

static int command_run(struct step *step)
{
    struct instance *instance = family_instance(step->family, &step->command->instance);

    if (step->command->kind == COMMAND_START)
        return command_start(step);
    if (instance == NULL || instance->fate == INSTANCE_ENDED)
        return STEP_DROPPED;
    int result = command_variables(step, instance);
    if (result != 0)
        return result;
    switch (step->command->kind) {
    case COMMAND_START:
        break;
    case COMMAND_CONTINUE:
        return command_continue(step, instance);
    case COMMAND_TIMER:
        return command_timer(step, instance);
    case COMMAND_MESSAGE:
        return command_message(step, instance);
    case COMMAND_TASK_COMPLETE:
    case COMMAND_TASK_ERROR:
        return command_task(step, instance);
    case COMMAND_CALL_SENT:
        return command_call_sent(step, instance);
    case COMMAND_CALL_RESULT:
        return command_call_result(step, instance);
    case COMMAND_CANCEL:
        return command_cancel(step, instance);
    case COMMAND_SET_VARIABLES:
        return command_set_variables(step, instance);
    case COMMAND_SKIP:
    case COMMAND_MOVE:
    case COMMAND_COMPLETE_ELEMENT:
        return command_modify(step, instance);
    case COMMAND_EXTERNAL_COMPLETE:
    case COMMAND_EXTERNAL_ERROR:
    case COMMAND_EXTERNAL_FAILURE:
    case COMMAND_EXTERNAL_OFFER:
        return command_external(step, instance);
    case COMMAND_CALLBACK_SUCCEED:
    case COMMAND_CALLBACK_FAIL:
    case COMMAND_CALLBACK_TIMER:
    case COMMAND_CALLBACK_AGAIN:
        return command_callback(step, instance);
    case COMMAND_LEVEL:
        return command_level(step, instance);
    }
    return err_set(step->err, ERR_INVALID, "The command has the unknown kind %d.",
                   (int)step->command->kind);
}

int engine_step(struct family *family, const struct command *command, struct err *err)
{
    struct err unused;
    struct step step = {.family = family,
                        .arena = family->arena,
                        .command = command,
                        .err = err != NULL ? err : &unused,
                        .arena_start = family->arena->used};

    err_reset(step.err);
    family->moves = 0;
    family->n_needs = 0;
    int result = command_run(&step);
    if (result > 0)
        return result;
    if (result == 0)
        result = moves_run(&step);
    if (result == 0)
        result = variables_check(&step);
    if (family->n_needs > 0) /* also where it could go on without, as a retry cycle can */
        return STEP_NEED;
    return result == 0 ? STEP_DONE : STEP_FAILED;
}
