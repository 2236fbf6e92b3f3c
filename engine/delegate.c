/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delegates: a service task's work done by a SQL statement in the transaction of its step
 * (NEED_SQL), or by a C function of the program that embeds the engine (a call without HTTP).
 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/step.h"

/* ---- Arguments ---- */

/* What the task was given: its own inputs, else its input parameters, else all that it sees. */
static int arguments_build(struct view *view, const char **ret_text, size_t *ret_n)
{
    struct step *step = view->step;
    const struct delegate_call *delegate = view->node->delegate;
    struct value object;

    if (delegate->n_inputs > 0) {
        if (mappings_object(view, delegate->inputs, delegate->n_inputs, ret_text) < 0)
            return err_trace(step->err);
        *ret_n = strlen(*ret_text);
    } else {
        if (view_object(view, view->node->n_inputs > 0, &object) < 0)
            return err_trace(step->err);
        *ret_text = value_text(step->arena, &object, ret_n);
    }
    if (*ret_n > LIMIT_REQUEST_BYTES)
        return err_set(step->err, ERR_LIMIT,
                       "%s '%s': the arguments of delegate '%s' would be %zu bytes long, and the "
                       "limit is %u. Give it less with pawl:input.",
                       node_kind_name(view->node->kind), view->node->id, delegate->name, *ret_n,
                       LIMIT_REQUEST_BYTES);
    return 0;
}

/* ---- What it gave ---- */

static int delegate_done(struct step *step, struct instance *instance, uint32_t token,
                         const struct node *node, const struct value *result)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);
    const struct delegate_call *delegate = node->delegate;
    uint32_t local = token_find(instance, token)->local;

    view.special = "result";
    view.special_value = result;
    if (mappings_apply(&view, delegate->outputs, delegate->n_outputs, view.scope) < 0)
        return err_trace(step->err);
    if (node->result_variable != NULL &&
        variable_set(step, instance, view.scope, node->result_variable, result) < 0)
        return err_trace(step->err);
    /* The task's output parameters see it, and nobody else. */
    if (local != 0 && node->n_outputs > 0 &&
        variable_set_local(step, instance, local, "result", result) < 0)
        return err_trace(step->err);
    return activity_work_done(step, instance, token, node);
}

/* ---- SQL ---- */

int delegate_sql(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);
    const char *name = node->delegate->name, *arguments;
    const struct need *answer;
    struct value result;
    size_t n;

    if (arguments_build(&view, &arguments, &n) < 0 || need_sql(step, node, arguments, &answer) < 0)
        return err_trace(step->err);
    if (answer->error_code != NULL) {
        activity_wait(step, instance, token, node);
        history_add(step, HISTORY_DELEGATE_RAN, instance, token, node, 0,
                    history_data(step, "ss", "delegate", name, "error", answer->error_code));
        return error_throw(step, instance, token, node, true, answer->error_code,
                           answer->error_message);
    }
    if (value_read(step->arena, answer->result, answer->result_n, &result, step->err) < 0)
        return err_at_node(step, node);
    history_add(step, HISTORY_DELEGATE_RAN, instance, token, node, 0,
                history_data(step, "ss", "delegate", name, "result",
                             text_cut(step->arena, answer->result, 200)));
    return delegate_done(step, instance, token, node, &result);
}

/* ---- C ---- */

int delegate_request(struct view *view, struct new_call *call)
{
    const struct delegate_call *delegate = view->node->delegate;

    call->method = DELEGATE_METHOD;
    call->endpoint = arena_printf(view->step->arena, DELEGATE_ENDPOINT "%s", delegate->name);
    call->path = delegate->name;
    call->headers = "{}";
    return arguments_build(view, &call->body, &call->body_n);
}

int delegate_answered(struct step *step, const struct trigger *trigger,
                      const struct value *response)
{
    const struct value *outcome = value_member(response, "outcome", strlen("outcome"));
    const struct value *body = value_member(response, "body", strlen("body"));
    const struct value *code = value_member(response, "errorCode", strlen("errorCode"));
    const struct value *error = value_member(response, "error", strlen("error"));
    const char *what =
        outcome != NULL && outcome->kind == VALUE_STRING ? outcome->u.string.text : "";
    struct value null = value_null();

    if (strcmp(what, "answered") == 0)
        return delegate_done(step, trigger->instance, trigger->token, trigger->node,
                             body != NULL ? body : &null);
    if (strcmp(what, "bpmnError") == 0 && code != NULL && code->kind == VALUE_STRING)
        return error_throw(
            step, trigger->instance, trigger->token, trigger->node, true, code->u.string.text,
            error != NULL && error->kind == VALUE_STRING ? error->u.string.text : NULL);
    return call_failed(step, trigger, response);
}
