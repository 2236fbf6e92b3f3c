/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fired calls: the task is done when the request is filed, and the answer comes as a message to
 * this instance. An answer is addressed to its call: when a wait for one of the call's messages is
 * left another way, the call is closed, and its answer will be late. So an answer to the first
 * attempt never reaches the second.
 */
#include "base/build.h"

#include "engine/step.h"

struct fired_call *fired_find(const struct instance *instance, const struct uuid *id)
{
    for (size_t i = 0; i < instance->n_calls; i++)
        if (uuid_equal(&instance->calls[i].id, id))
            return &instance->calls[i];
    return NULL;
}

static void remove_at(struct instance *instance, size_t i)
{
    instance->variable_bytes -= instance->calls[i].locals_n;
    memmove(&instance->calls[i], &instance->calls[i + 1],
            (instance->n_calls - i - 1) * sizeof(*instance->calls));
    instance->n_calls--;
}

/* Nobody waits for it any more. */
static void close_at(struct step *step, struct instance *instance, size_t i)
{
    struct fired_call call = instance->calls[i];

    effect_remove_call(step->family, &call.id);
    if (!call.fresh)
        *arena_push(step->arena, instance->calls_gone, instance->n_calls_gone,
                    instance->calls_gone_capacity) = call.id;
    if (call.answer_name != NULL)
        history_add(step, HISTORY_CALL_LATE, instance, call.token,
                    &instance->graph->nodes[call.node], 0,
                    history_data(step, "us", "call", &call.id, "message", call.answer_name));
    remove_at(instance, i);
}

void fired_close_all(struct step *step, struct instance *instance)
{
    while (instance->n_calls > 0)
        close_at(step, instance, instance->n_calls - 1);
}

void fired_scope_ended(struct step *step, struct instance *instance, uint32_t scope,
                       bool interrupted)
{
    for (size_t i = instance->n_calls; i-- > 0;) {
        if (instance->calls[i].scope != scope)
            continue;
        if (interrupted)
            close_at(step, instance, i);
        else
            instance->calls[i].scope = scope_find(instance, scope)->parent;
    }
}

void fired_again(struct step *step, struct instance *instance, int node, uint32_t scope)
{
    for (size_t i = instance->n_calls; i-- > 0;)
        if (instance->calls[i].node == node && instance->calls[i].scope == scope)
            close_at(step, instance, i);
}

int fired_new(struct step *step, struct instance *instance, uint32_t token, const struct node *node)
{
    struct fired_call call = {.id = family_uuid(step->family),
                              .node = node_index(instance, node),
                              .scope = token_find(instance, token)->scope,
                              .token = token,
                              .fresh = true};
    struct view view = view_at(step, instance, token, node);

    if (call_request(&view, &call.id, 1) < 0)
        return err_trace(step->err);
    if (token_find(instance, token)->local != 0)
        call.locals = scope_object(step->arena, scope_find(instance, view.scope), &call.locals_n);
    instance->variable_bytes += call.locals_n;
    /* Items of a multi-instance activity fire side by side: see multi_begin(). */
    if (token_find(instance, token)->item == 0)
        fired_again(step, instance, call.node, call.scope);
    *arena_push(step->arena, instance->calls, instance->n_calls, instance->calls_capacity) = call;
    return 0;
}

int fired_view(struct step *step, struct instance *instance, const struct fired_call *call,
               struct view *ret)
{
    struct value *locals = arena_alloc(step->arena, sizeof(*locals));

    *ret = view_of(step, instance, call->scope, &instance->graph->nodes[call->node]);
    ret->token = call->token;
    if (call->locals == NULL)
        return 0;
    if (value_read(step->arena, call->locals, call->locals_n, locals, step->err) < 0)
        return err_trace(step->err);
    ret->locals = locals->kind == VALUE_OBJECT ? locals : NULL;
    return 0;
}

/* ---- Which messages can a call's answer be? ---- */

static bool may_answer(const struct instance *instance, const struct fired_call *call,
                       const char *name)
{
    const struct http_call *http = instance->graph->nodes[call->node].http;

    for (size_t i = 0; i < http->n_answers; i++)
        if (http->answers[i].message != NULL && strcmp(http->answers[i].message, name) == 0)
            return true;
    return false;
}

static bool may_answer_one(const struct instance *instance, const struct fired_call *call,
                           const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (may_answer(instance, call, names[i]))
            return true;
    return false;
}

static bool waited_for(const struct instance *instance, const struct fired_call *call)
{
    for (size_t i = 0; i < instance->n_waits; i++) {
        const struct wait *wait = &instance->waits[i];
        if (wait->kind != WAIT_MESSAGE || !may_answer(instance, call, wait->name))
            continue;
        if (scopes_related(instance, token_find(instance, wait->token)->scope, call->scope))
            return true;
    }
    return false;
}

/*
 * The token's own calls are the ones meant. Only if it had none (it came out of a fork, say), those
 * of others count, unless somebody else still waits for them.
 */
void fired_left(struct step *step, struct instance *instance, uint32_t token, uint32_t scope,
                const char *const *names, size_t n)
{
    bool own = step->delivering && step->delivered_by == token;

    for (size_t i = 0; i < instance->n_calls && !own; i++)
        own = instance->calls[i].token == token &&
              may_answer_one(instance, &instance->calls[i], names, n);
    for (size_t i = instance->n_calls; i-- > 0;) {
        const struct fired_call *call = &instance->calls[i];
        if (!may_answer_one(instance, call, names, n) ||
            !scopes_related(instance, call->scope, scope))
            continue;
        if (own ? call->token == token : !waited_for(instance, call))
            close_at(step, instance, i);
    }
}

/* ---- Answers ---- */

static int deliver(struct step *step, struct instance *instance, size_t i, const struct wait *wait)
{
    struct fired_call call = instance->calls[i];
    struct trigger trigger = {.instance = instance,
                              .token = wait->token,
                              .wait = *wait,
                              .node = &instance->graph->nodes[wait->node],
                              .name = call.answer_name,
                              .body = call.answer_body,
                              .body_n = strlen(call.answer_body)};

    remove_at(instance, i);
    step->delivering = true;
    step->delivered_by = call.token;
    int result = wait_trigger(step, &trigger);
    step->delivering = false;
    return result < 0 ? err_trace(step->err) : 0;
}

/* Who gets the answer: the token that fired, else the first that waits in a related scope. */
static const struct wait *waiter_find(const struct instance *instance,
                                      const struct fired_call *call)
{
    const struct wait *found = NULL;

    for (size_t i = 0; i < instance->n_waits; i++) {
        const struct wait *wait = &instance->waits[i];
        if (wait->kind != WAIT_MESSAGE || strcmp(wait->name, call->answer_name) != 0)
            continue;
        if (wait->token == call->token)
            return wait;
        if (found == NULL &&
            scopes_related(instance, token_find(instance, wait->token)->scope, call->scope))
            found = wait;
    }
    return found;
}

int fired_deliver_kept(struct step *step, struct instance *instance, uint32_t id)
{
    for (size_t i = 0; i < instance->n_calls; i++) {
        const struct fired_call *call = &instance->calls[i];
        const struct token *token = token_find(instance, id);
        if (token == NULL || token->state == TOKEN_READY)
            return 0;
        if (call->answer_name == NULL || !scopes_related(instance, token->scope, call->scope))
            continue;
        for (size_t w = 0; w < instance->n_waits; w++) {
            const struct wait *wait = &instance->waits[w];
            if (wait->kind == WAIT_MESSAGE && wait->token == id &&
                strcmp(wait->name, call->answer_name) == 0)
                return deliver(step, instance, i, wait);
        }
    }
    return 0;
}

static int unexpected(struct step *step, struct instance *instance, const struct fired_call *call)
{
    const struct node *node = &instance->graph->nodes[call->node];
    struct job job = {.place = JOB_INCIDENT,
                      .command = *step->command,
                      .reason = "unexpectedAnswer",
                      .error =
                          arena_printf(step->arena,
                                       "No answer element of %s '%s' holds for what came back. "
                                       "Add one without a condition to catch the rest.",
                                       node_kind_name(node->kind), node->id)};

    job.command.token = call->token;
    job.command.node = call->node;
    job_add(step, &job);
    history_add(step, HISTORY_INCIDENT, instance, call->token, node, 0,
                history_data(step, "ss", "reason", job.reason, "error", job.error));
    return 0;
}

/* It is sent again, later or when somebody says so; whoever waits for its answer waits on. */
static void fired_failed(struct step *step, struct instance *instance,
                         const struct fired_call *call, const struct value *response)
{
    const struct node *node = &instance->graph->nodes[call->node];
    struct command again =
        call_repeat(step, instance, call->token, call->node, &call->id, response);
    struct failure failure = call_failure(step, node, &call->id, response);

    failure_file(step, instance, &again, &failure);
}

void fired_close_of(struct step *step, struct instance *instance, uint32_t token, int node)
{
    for (size_t i = instance->n_calls; i-- > 0;)
        if (instance->calls[i].token == token && instance->calls[i].node == node &&
            instance->calls[i].answer_name == NULL)
            close_at(step, instance, i);
}

/* A request whose task waits for a callback need not say what its answer means. */
static enum answer_then then_by_itself(const struct node *node, const struct value *response)
{
    const struct value *ok = value_member(response, "ok", strlen("ok"));

    if (node->callback == NULL)
        return ANSWER_SUCCEEDS;
    return ok != NULL && ok->kind == VALUE_BOOL && ok->u.boolean ? ANSWER_IGNORED : ANSWER_RETRIES;
}

int fired_answered(struct step *step, struct instance *instance, struct fired_call *call)
{
    const struct node *node = &instance->graph->nodes[call->node];
    struct view view;
    struct value response;
    int which;

    if (fired_view(step, instance, call, &view) < 0 ||
        response_read(step, step->command->body, step->command->body_n, &response) < 0)
        return err_trace(step->err);
    view.special = "response";
    view.special_value = &response;
    history_add(step, HISTORY_CALL_ANSWERED, instance, call->token, node, 0,
                response_history(step, &call->id, &response));
    if (call->sent_us == 0) { /* whatever its report says: it must have left */
        call->sent_us = step->family->now_us;
        if (timers_arm(step, instance, call->node, call->sent_us) < 0)
            return err_trace(step->err);
    }
    if (answer_judge(&view, node->http, &which) < 0)
        return err_trace(step->err);
    enum answer_then then =
        which < 0 ? then_by_itself(node, &response) : node->http->answers[which].then;
    if (then == ANSWER_RETRIES) {
        fired_failed(step, instance, call, &response);
        return 0;
    }
    if (then == ANSWER_IGNORED) {
        close_at(step, instance, (size_t)(call - instance->calls));
        return 0;
    }
    if (which < 0 || node->http->answers[which].message == NULL)
        return unexpected(step, instance, call);
    call->answer_name = node->http->answers[which].message;
    if (mappings_object(&view, node->http->answers[which].outputs,
                        node->http->answers[which].n_outputs, &call->answer_body) < 0)
        return err_trace(step->err);
    const struct wait *wait = waiter_find(instance, call);
    if (wait == NULL)
        return 0;
    return deliver(step, instance, (size_t)(call - instance->calls), wait);
}
