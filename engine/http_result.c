/* SPDX-License-Identifier: Apache-2.0 */
/* Judging the outcome of remote calls, and what the task that waits for one makes of it. */
#include "base/build.h"

#include "engine/step.h"

int response_read(struct step *step, const char *body, size_t n, struct value *ret)
{
    if (body == NULL)
        return err_set(step->err, ERR_INVALID, "The result of the call has no response.");
    if (value_read(step->arena, body, n, ret, step->err) < 0)
        return err_trace(step->err);
    if (ret->kind != VALUE_OBJECT)
        return err_set(step->err, ERR_INVALID, "The response of the call is not an object.");
    return 0;
}

static const struct value *member(const struct value *object, const char *name)
{
    return value_member(object, name, strlen(name));
}

static const char *member_json(struct step *step, const struct value *object, const char *name)
{
    const struct value *value = member(object, name);

    return value != NULL ? value_text(step->arena, value, NULL) : "null";
}

static const char *member_string(const struct value *object, const char *name)
{
    const struct value *value = member(object, name);

    return value != NULL && value->kind == VALUE_STRING ? value->u.string.text : NULL;
}

static int64_t member_integer(const struct value *object, const char *name)
{
    const struct value *value = member(object, name);

    return value != NULL && value->kind == VALUE_NUMBER && value->u.number.is_integer
               ? value->u.number.integer
               : 0;
}

const char *response_history(struct step *step, const struct uuid *call,
                             const struct value *response)
{
    const struct value *body = member(response, "body");
    const char *text = NULL;
    const char *error = member_string(response, "error");

    if (body != NULL && body->kind == VALUE_STRING)
        text = body->u.string.text;
    else if (body != NULL && body->kind != VALUE_NULL)
        text = value_text(step->arena, body, NULL);
    return history_data(
        step, "urrrrsrs", "call", call, "outcome", member_json(step, response, "outcome"), "status",
        member_json(step, response, "status"), "attempt", member_json(step, response, "attempt"),
        "ms", member_json(step, response, "ms"), "error",
        error != NULL ? text_cut(step->arena, error, 200) : NULL, "fromCache",
        member_json(step, response, "fromCache"), "body",
        text != NULL ? text_cut(step->arena, text, 200) : NULL);
}

int answer_judge(struct view *view, const struct http_call *http, int *ret_answer)
{
    *ret_answer = -1;
    for (size_t i = 0; i < http->n_answers; i++) {
        bool holds = true;
        if (http->answers[i].when != NULL && view_bool(view, http->answers[i].when, &holds) < 0)
            return err_trace(view->step->err);
        if (holds) {
            *ret_answer = (int)i;
            return 0;
        }
    }
    return 0;
}

static bool is_ok(const struct value *response)
{
    const struct value *ok = member(response, "ok");

    return ok != NULL && ok->kind == VALUE_BOOL && ok->u.boolean;
}

/* "offline: could not connect …", "status 500", … */
static const char *failure_text(struct step *step, const struct node *node,
                                const struct value *response)
{
    const char *outcome = member_string(response, "outcome");
    const char *error = member_string(response, "error");
    int64_t status = member_integer(response, "status");
    const char *what = outcome != NULL ? outcome : "no outcome";

    if (status != 0)
        what = arena_printf(step->arena, "%s %lld", what, (long long)status);
    if (is_ok(response))
        what = arena_printf(step->arena, "%s: none of its answer elements holds", what);
    else if (error != NULL)
        what = arena_printf(step->arena, "%s: %s", what, text_cut(step->arena, error, 300));
    return arena_printf(step->arena, "The call of %s '%s' failed: %s", node_kind_name(node->kind),
                        node->id, what);
}

/* The call is sent again, later or when somebody says so. */
static void call_failed(struct step *step, const struct trigger *trigger,
                        const struct value *response)
{
    int64_t attempt = member_integer(response, "attempt");
    struct command again = {.kind = COMMAND_CONTINUE,
                            .instance = trigger->instance->id,
                            .root = trigger->instance->root,
                            .token = trigger->token,
                            .node = trigger->wait.node,
                            .phase = PHASE_CALL,
                            .tries =
                                attempt > 0 && attempt < UINT32_MAX ? (uint32_t)attempt - 1 : 0,
                            .subject = trigger->wait.subject,
                            .origin = step->command->origin};

    failure_file(step, trigger->instance, &again, 3, "failedJob",
                 failure_text(step, trigger->node, response));
}

/*
 * Nobody knows whether the request was carried out. The result itself is parked: carried out again
 * with detail "fail" it counts as a failed try, with any other as leave to send again.
 */
static int call_unknown(struct step *step, const struct trigger *trigger,
                        const struct value *response)
{
    struct command parked = *step->command;
    int64_t attempt = member_integer(response, "attempt");
    uint32_t tries = attempt > 0 && attempt < INT32_MAX ? (uint32_t)attempt : 1;

    if (trigger->detail != NULL && strcmp(trigger->detail, "fail") == 0) {
        call_failed(step, trigger, response);
        return 0;
    }
    if (trigger->detail != NULL)
        return call_request(step, trigger->instance, trigger->token, trigger->node,
                            &trigger->wait.subject, tries + 1);
    parked.detail = "unknown";
    parked.token = trigger->token;
    parked.node = trigger->wait.node;
    parked.tries = tries;
    struct job job = {.place = JOB_INCIDENT,
                      .command = parked,
                      .reason = "unknownOutcome",
                      .error =
                          "It is not known whether the request was carried out: the engine was "
                          "stopped while it was under way. Retry the incident with the decision "
                          "\"repeat\" or \"fail\"."};
    job_add(step, &job);
    history_add(step, HISTORY_INCIDENT, trigger->instance, trigger->token, trigger->node, 0,
                history_data(step, "ss", "reason", job.reason, "error", job.error));
    return 0;
}

static int call_succeeded(struct step *step, const struct trigger *trigger, struct view *view,
                          const struct mapping *outputs, size_t n)
{
    if (mappings_apply(view, outputs, n, view->scope) < 0)
        return err_trace(step->err);
    return activity_complete(step, trigger->instance, trigger->token, trigger->node);
}

/*
 * No answer element holds. What came is a success if it could be read, unless the model says what a
 * success looks like, and has no outputs for any other.
 */
static bool success_by_itself(const struct http_call *http, const struct value *response)
{
    if (!is_ok(response))
        return false;
    for (size_t i = 0; i < http->n_answers && http->n_outputs == 0; i++)
        if (http->answers[i].error_code == NULL)
            return false;
    return true;
}

int call_answered(struct step *step, const struct trigger *trigger)
{
    const struct node *node = trigger->node;
    struct view view =
        view_of(step, trigger->instance, token_scope(trigger->instance, trigger->token), node);
    const struct http_answer *answer;
    struct value response;
    int which;

    if (response_read(step, trigger->body, trigger->body_n, &response) < 0)
        return err_trace(step->err);
    if (trigger->detail == NULL)
        history_add(step, HISTORY_CALL_ANSWERED, trigger->instance, trigger->token, node, 0,
                    response_history(step, &trigger->wait.subject, &response));
    const char *outcome = member_string(&response, "outcome");
    if (outcome != NULL && strcmp(outcome, "unknown") == 0)
        return call_unknown(step, trigger, &response);
    view.response = &response;
    if (answer_judge(&view, node->http, &which) < 0)
        return err_trace(step->err);
    if (which < 0 && !success_by_itself(node->http, &response)) {
        call_failed(step, trigger, &response);
        return 0;
    }
    if (which < 0)
        return call_succeeded(step, trigger, &view, node->http->outputs, node->http->n_outputs);
    answer = &node->http->answers[which];
    if (answer->error_code == NULL)
        return call_succeeded(step, trigger, &view, answer->outputs, answer->n_outputs);
    /* What the catcher may want to know is kept in the scope around the task. */
    uint32_t outer = token_find(trigger->instance, trigger->token)->scope;
    if (mappings_apply(&view, answer->outputs, answer->n_outputs, outer) < 0)
        return err_trace(step->err);
    return error_throw(step, trigger->instance, trigger->token, node, true, answer->error_code,
                       answer->error_message);
}
