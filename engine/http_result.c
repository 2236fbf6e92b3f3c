/* SPDX-License-Identifier: Apache-2.0 */
/* Judging the outcome of remote calls, and what the task that waits for one makes of it. */
#include "base/build.h"

#include "base/limits.h"
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
        error != NULL ? text_cut(step->arena, callback_mask(step->arena, error), 200) : NULL,
        "fromCache", member_json(step, response, "fromCache"), "body",
        text != NULL ? text_cut(step->arena, callback_mask(step->arena, text), 200) : NULL);
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
        what = arena_printf(step->arena, "%s: none of its answer elements takes it as a success",
                            what);
    else if (error != NULL)
        what = arena_printf(step->arena, "%s: %s", what,
                            text_cut(step->arena, callback_mask(step->arena, error), 300));
    return arena_printf(step->arena, "The %s of %s '%s' failed: %s",
                        node->script != NULL                ? "script"
                        : node->service == SERVICE_DELEGATE ? "C delegate"
                                                            : "call",
                        node_kind_name(node->kind), node->id, what);
}

struct command call_repeat(struct step *step, const struct instance *instance, uint32_t token,
                           int node, const struct uuid *id, const struct value *response)
{
    int64_t attempt = member_integer(response, "attempt");

    return (struct command){
        .kind = COMMAND_CONTINUE,
        .instance = instance->id,
        .root = instance->root,
        .token = token,
        .node = node,
        .phase = PHASE_CALL,
        .tries = attempt > 0 && attempt < UINT32_MAX ? (uint32_t)attempt - 1 : 0,
        .subject = *id,
        .origin = step->command->origin,
    };
}

static bool has_outcome(const struct value *response, const char *outcome)
{
    const char *its = member_string(response, "outcome");

    return its != NULL && strcmp(its, outcome) == 0;
}

/* Until when the service asked us to wait; not longer than we let it. */
static int64_t not_before(const struct step *step, const struct value *response)
{
    int64_t ms = member_integer(response, "retryAfterMs");

    if (ms <= 0)
        return 0;
    if (ms > LIMIT_RETRY_AFTER_S * INT64_C(1000))
        ms = LIMIT_RETRY_AFTER_S * INT64_C(1000);
    return step->family->now_us + ms * 1000;
}

struct failure call_failure(struct step *step, const struct node *node, const struct uuid *id,
                            const struct value *response)
{
    return (struct failure){
        .reason = "failedJob",
        .error = failure_text(step, node, response),
        .plain_tries = DEFAULT_TRIES,
        .not_before_us = not_before(step, response),
        .deadline_us = call_deadline(step, node->http, id),
        .hopeless = has_outcome(response, "refused") || has_outcome(response, "expired"),
    };
}

/* The call is sent again, later or when somebody says so; or its time is up. */
int call_failed(struct step *step, const struct trigger *trigger, const struct value *response)
{
    const struct node *node = trigger->node;
    struct command failed = call_repeat(step, trigger->instance, trigger->token, trigger->wait.node,
                                        &trigger->wait.subject, response);
    struct failure failure = call_failure(step, node, &trigger->wait.subject, response);

    failed.tries++;
    struct retry retry = retry_next(step, trigger->instance, &failed, &failure);
    if (retry.verdict == RETRY_TOO_LATE && node->http->deadline_error != NULL)
        return error_throw(step, trigger->instance, trigger->token, node, true,
                           node->http->deadline_error, failure.error);
    failure_place(step, trigger->instance, &failed, &failure, &retry);
    return 0;
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
    struct view view = view_at(step, trigger->instance, trigger->token, trigger->node);

    if (trigger->detail != NULL && strcmp(trigger->detail, "fail") == 0)
        return call_failed(step, trigger, response);
    if (trigger->detail != NULL)
        return call_request(&view, &trigger->wait.subject, tries + 1);
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
    return activity_work_done(step, trigger->instance, trigger->token, trigger->node);
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
        if (http->answers[i].then == ANSWER_SUCCEEDS && http->answers[i].error_code == NULL)
            return false;
    return true;
}

/* What its attributes say of an outcome that is no answer; NULL: they say nothing. */
static const char *outcome_error(const struct http_call *http, const struct value *response)
{
    if (has_outcome(response, "open"))
        return http->open_error;
    return has_outcome(response, "expired") ? http->deadline_error : NULL;
}

static int call_judged(struct step *step, const struct trigger *trigger, struct view *view)
{
    const struct node *node = trigger->node;
    const struct http_answer *answer;
    int which;

    if (answer_judge(view, node->http, &which) < 0)
        return err_trace(step->err);
    if (which < 0)
        return success_by_itself(node->http, view->special_value)
                   ? call_succeeded(step, trigger, view, node->http->outputs, node->http->n_outputs)
                   : call_failed(step, trigger, view->special_value);
    answer = &node->http->answers[which];
    if (answer->then == ANSWER_RETRIES)
        return call_failed(step, trigger, view->special_value);
    if (answer->error_code == NULL)
        return call_succeeded(step, trigger, view, answer->outputs, answer->n_outputs);
    /* What the catcher may want to know is kept in the scope around the task. */
    uint32_t outer = token_find(trigger->instance, trigger->token)->scope;
    const char *message = NULL;
    if (mappings_apply(view, answer->outputs, answer->n_outputs, outer) < 0 ||
        (answer->error_message != NULL && view_string(view, answer->error_message, &message) < 0))
        return err_trace(step->err);
    return error_throw(step, trigger->instance, trigger->token, node, true, answer->error_code,
                       message);
}

int call_answered(struct step *step, const struct trigger *trigger)
{
    const struct node *node = trigger->node;
    struct view view =
        view_of(step, trigger->instance, token_scope(trigger->instance, trigger->token), node);
    struct value response;

    if (response_read(step, trigger->body, trigger->body_n, &response) < 0)
        return err_trace(step->err);
    if (trigger->detail == NULL)
        history_add(step, HISTORY_CALL_ANSWERED, trigger->instance, trigger->token, node, 0,
                    response_history(step, &trigger->wait.subject, &response));
    if (has_outcome(&response, "unknown"))
        return call_unknown(step, trigger, &response);
    const char *code = outcome_error(node->http, &response);
    if (code != NULL)
        return error_throw(step, trigger->instance, trigger->token, node, true, code,
                           failure_text(step, node, &response));
    if (node->script != NULL)
        return script_answered(step, trigger, &response);
    if (node->service == SERVICE_DELEGATE)
        return delegate_answered(step, trigger, &response);
    view.special = "response";
    view.special_value = &response;
    return call_judged(step, trigger, &view);
}
