/* SPDX-License-Identifier: Apache-2.0 */
/*
 * External tasks: work for programs that fetch it by topic, at their own pace. The task waits like
 * a user task; who has it, for how long, and how many tries are left is the store's business. Here
 * it is offered, and what a worker answers is carried out.
 *
 * The body of COMMAND_EXTERNAL_COMPLETE and COMMAND_EXTERNAL_FAILURE is an object: "variables",
 * "localVariables" (both objects) and "externalTask", what expressions may know of it: "workerId",
 * "topicName", "errorMessage", "errorDetails", "retries", "priority".
 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/step.h"

int external_enter(struct step *step, struct instance *instance, uint32_t token,
                   const struct node *node)
{
    const struct external_task *external = node->external;
    struct view view = view_of(step, instance, token_scope(instance, token), node);
    struct family *family = step->family;
    struct new_external task = {.id = family_uuid(family),
                                .instance = instance->id,
                                .token = token,
                                .node = node_index(instance, node),
                                .topic = external->class_name,
                                .topic_is_class = external->class_name != NULL};

    if (task.topic == NULL && view_string(&view, external->topic, &task.topic) < 0)
        return err_trace(step->err);
    if (task.topic == NULL || task.topic[0] == '\0' || strlen(task.topic) > LIMIT_NAME_BYTES)
        return err_set(
            step->err, ERR_INVALID,
            "%s '%s': its topic is %s: no worker could fetch it. A text of 1 to %u bytes "
            "is wanted.",
            node_kind_name(node->kind), node->id,
            task.topic == NULL || task.topic[0] == '\0' ? "empty" : "too long", LIMIT_NAME_BYTES);
    if (view_integer(&view, external->priority, "priority", INT64_MIN + 1, INT64_MAX - 1,
                     &task.priority) < 0)
        return err_trace(step->err);
    *arena_push(family->arena, family->externals, family->n_externals, family->externals_capacity) =
        task;
    wait_new(step, instance, WAIT_EXTERNAL, token, node)->subject = task.id;
    activity_wait(step, instance, token, node);
    return 0;
}

/* ---- Answers ---- */

struct answer {
    struct step *step;
    const char *variables, *locals;
    size_t variables_n, locals_n;
    const char *task; /* "externalTask" */
    size_t task_n;
};

static void answer_member(void *context, const char *name, const char *raw, size_t n)
{
    struct answer *answer = context;

    if (strcmp(name, "variables") == 0) {
        answer->variables = raw;
        answer->variables_n = n;
    } else if (strcmp(name, "localVariables") == 0) {
        answer->locals = raw;
        answer->locals_n = n;
    } else if (strcmp(name, "externalTask") == 0) {
        answer->task = raw;
        answer->task_n = n;
    }
}

struct local_setter {
    struct step *step;
    struct instance *instance;
    uint32_t scope;
    int result;
};

static void set_local(void *context, const char *name, const char *raw, size_t n)
{
    struct local_setter *setter = context;
    struct variable variable = {.name = name, .text = raw, .n = n};

    if (setter->result == 0)
        setter->result =
            variable_set_text(setter->step, setter->instance, setter->scope, &variable);
}

/* Variables of the task itself: they are seen by its output mappings, and end with it. */
static int locals_set(struct step *step, const struct trigger *trigger, const struct answer *answer)
{
    struct instance *instance = trigger->instance;
    struct local_setter setter = {.step = step, .instance = instance};

    if (answer->locals_n <= 2) /* {} */
        return 0;
    struct token *token = token_find(instance, trigger->token);
    if (token->local == 0)
        token->local = scope_new(step, instance, token->scope, trigger->node, trigger->token);
    setter.scope = token->local;
    if (value_split(step->arena, answer->locals, answer->locals_n, set_local, &setter, step->err) <
        0)
        return err_trace(step->err);
    return setter.result;
}

static int answer_take(struct step *step, const struct trigger *trigger, struct answer *ret,
                       struct value *ret_task)
{
    *ret = (struct answer){.step = step};
    *ret_task = (struct value){.kind = VALUE_OBJECT};
    if (trigger->body != NULL &&
        value_split(step->arena, trigger->body, trigger->body_n, answer_member, ret, step->err) < 0)
        return err_trace(step->err);
    if (step->command->kind == COMMAND_EXTERNAL_COMPLETE &&
        input_accept(step, trigger->instance->graph, trigger->node, ret->variables,
                     ret->variables_n) < 0)
        return err_trace(step->err);
    if (ret->task != NULL &&
        value_read(step->arena, ret->task, ret->task_n, ret_task, step->err) < 0)
        return err_trace(step->err);
    if (variables_set(step, trigger->instance, token_scope(trigger->instance, trigger->token),
                      ret->variables, ret->variables_n) < 0)
        return err_trace(step->err);
    /* Whoever retries an answer by hand may have corrected what it brought. */
    if (variables_set(step, trigger->instance, token_scope(trigger->instance, trigger->token),
                      step->command->variables, step->command->variables_n) < 0)
        return err_trace(step->err);
    return locals_set(step, trigger, ret);
}

/* The first error definition of the model that holds; NULL: none. */
static int error_judge(struct step *step, const struct trigger *trigger, const struct value *task,
                       const struct external_error **ret)
{
    const struct external_task *external = trigger->node->external;
    struct view view = view_of(step, trigger->instance,
                               token_scope(trigger->instance, trigger->token), trigger->node);

    view.special = "externalTask";
    view.special_value = task;
    *ret = NULL;
    for (size_t i = 0; i < external->n_errors && *ret == NULL; i++) {
        bool holds;
        if (view_bool(&view, external->errors[i].when, &holds) < 0)
            return err_trace(step->err);
        if (holds)
            *ret = &external->errors[i];
    }
    return 0;
}

static int answer_throw(struct step *step, const struct trigger *trigger, const char *code,
                        const char *message)
{
    return error_throw(step, trigger->instance, trigger->token, trigger->node,
                       node_is_activity(trigger->node->kind), code, message);
}

static void note_completed(struct step *step, const struct trigger *trigger)
{
    history_add(
        step, HISTORY_TASK_COMPLETED, trigger->instance, trigger->token, trigger->node, 0,
        history_data(step, "us", "task", &trigger->wait.subject, "actor", step->command->actor));
}

static int completed(struct step *step, const struct trigger *trigger)
{
    const struct external_error *error;
    struct answer answer;
    struct value task;

    if (answer_take(step, trigger, &answer, &task) < 0 ||
        error_judge(step, trigger, &task, &error) < 0)
        return err_trace(step->err);
    note_completed(step, trigger);
    if (error != NULL)
        return answer_throw(step, trigger, error->code, error->message);
    return activity_work_done(step, trigger->instance, trigger->token, trigger->node);
}

static int failed_with_error(struct step *step, const struct trigger *trigger)
{
    if (variables_set(step, trigger->instance, token_scope(trigger->instance, trigger->token),
                      trigger->body, trigger->body_n) < 0)
        return err_trace(step->err);
    note_completed(step, trigger);
    return answer_throw(step, trigger, trigger->name, trigger->detail);
}

/* Nobody tries again by himself: retrying the incident offers the task once more. */
static void park(struct step *step, const struct trigger *trigger, const char *error)
{
    struct job job = {.place = JOB_INCIDENT,
                      .command = {.kind = COMMAND_EXTERNAL_OFFER,
                                  .instance = trigger->instance->id,
                                  .root = trigger->instance->root,
                                  .token = trigger->token,
                                  .node = trigger->wait.node,
                                  .subject = trigger->wait.subject,
                                  .origin = step->command->origin},
                      .error = error,
                      .reason = "failedExternalTask"};

    job_add(step, &job);
    history_add(
        step, HISTORY_INCIDENT, trigger->instance, trigger->token, trigger->node, 0,
        history_data(step, "ss", "reason", job.reason, "error", text_cut(step->arena, error, 500)));
}

static int failed(struct step *step, const struct trigger *trigger)
{
    const struct external_error *thrown;
    struct answer answer;
    struct value task;

    if (answer_take(step, trigger, &answer, &task) < 0 ||
        error_judge(step, trigger, &task, &thrown) < 0)
        return err_trace(step->err);
    const struct value *text = value_member(&task, "errorMessage", strlen("errorMessage"));
    const struct value *left = value_member(&task, "retries", strlen("retries"));
    const char *error = text != NULL && text->kind == VALUE_STRING ? text->u.string.text
                                                                   : "The worker gave no reason.";
    int64_t retries = left != NULL && left->kind == VALUE_NUMBER && left->u.number.is_integer
                          ? left->u.number.integer
                          : 0;
    history_add(step, HISTORY_EXTERNAL_FAILED, trigger->instance, trigger->token, trigger->node, 0,
                history_data(step, "usis", "task", &trigger->wait.subject, "error",
                             text_cut(step->arena, error, 500), "retries", retries, "actor",
                             step->command->actor));
    if (thrown != NULL)
        return answer_throw(step, trigger, thrown->code, thrown->message);
    if (retries <= 0)
        park(step, trigger, error);
    return 0;
}

/* Workers may fetch it again: nothing is left to decide, nor what this batch was about to park. */
static void offer(struct step *step, const struct trigger *trigger)
{
    struct family *family = step->family;

    for (size_t i = family->n_jobs; i-- > 0;) {
        const struct command *parked = &family->jobs[i].command;
        if (parked->kind != COMMAND_EXTERNAL_OFFER ||
            !uuid_equal(&parked->subject, &trigger->wait.subject))
            continue;
        memmove(&family->jobs[i], &family->jobs[i + 1],
                (family->n_jobs - i - 1) * sizeof(*family->jobs));
        family->n_jobs--;
    }
    *arena_push(family->arena, family->offers, family->n_offers, family->offers_capacity) =
        (struct external_offer){.task = trigger->wait.subject, .instance = trigger->instance->id};
}

int external_answered(struct step *step, const struct trigger *trigger)
{
    switch (step->command->kind) {
    case COMMAND_EXTERNAL_COMPLETE:
        return completed(step, trigger);
    case COMMAND_EXTERNAL_ERROR:
        return failed_with_error(step, trigger);
    case COMMAND_EXTERNAL_FAILURE:
        return failed(step, trigger);
    default: /* COMMAND_EXTERNAL_OFFER */
        offer(step, trigger);
        return 0;
    }
}
