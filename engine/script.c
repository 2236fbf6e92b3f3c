/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JavaScript in script tasks, conditions and mappings. The engine does not run it: it asks
 * (NEED_SCRIPT), and is told what the script gave within milliseconds, in the middle of a step. A
 * task whose script needs longer becomes a call without HTTP, like that of a C delegate: it waits,
 * and no transaction is open meanwhile. A condition or mapping has no place to wait and fails.
 *
 * A reply is {"result": …, "set": {…}}, {"error": text} or {"bpmnError": {"code", "message"}}.
 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/step.h"

/* ---- The question ---- */

struct gathered {
    struct step *step;
    struct value_member *members;
    size_t n, capacity;
};

static void add_member(struct gathered *gathered, const char *name, struct value value)
{
    *arena_push(gathered->step->arena, gathered->members, gathered->n, gathered->capacity) =
        (struct value_member){.name = name, .name_n = strlen(name), .value = value};
}

static void add_text(struct gathered *gathered, const char *name, const char *text)
{
    add_member(gathered, name,
               text != NULL ? (struct value){.kind = VALUE_STRING,
                                             .u.string = {.text = text, .n = strlen(text)}}
                            : value_null());
}

static struct value object_of(const struct gathered *gathered)
{
    return (struct value){.kind = VALUE_OBJECT,
                          .u.object = {.members = gathered->members, .n = gathered->n}};
}

/* {"script","variables","execution"}: all that the script may know. */
static int build_request(struct view *view, const char *script, const char **ret_text)
{
    struct step *step = view->step;
    const struct instance *instance = view->instance;
    struct gathered execution = {.step = step}, all = {.step = step};
    struct value variables;
    char id[UUID_TEXT_BYTES];
    size_t n;

    if (view_object(view, false, &variables) < 0)
        return err_trace(step->err);
    uuid_format(&instance->id, id);
    add_text(&execution, "processInstanceId", id);
    add_text(&execution, "businessKey", instance->business_key);
    add_text(&execution, "processDefinitionId",
             arena_printf(step->arena, "%d", instance->definition_id));
    add_text(&execution, "processDefinitionKey", instance->graph->key);
    add_text(&execution, "currentActivityId", view->node != NULL ? view->node->id : NULL);
    add_text(&execution, "currentActivityName", view->node != NULL ? view->node->name : NULL);
    add_text(&execution, "tenantId", instance->tenant);
    add_text(&all, "script", script);
    add_member(&all, "variables", variables);
    add_member(&all, "execution", object_of(&execution));
    struct value request = object_of(&all);
    *ret_text = value_text(step->arena, &request, &n);
    if (n > LIMIT_SCRIPT_REQUEST_BYTES)
        return err_set(step->err, ERR_LIMIT,
                       "its script and the variables that it sees have %zu bytes, and the limit is "
                       "%u (LIMIT_SCRIPT_REQUEST_BYTES): keep large data elsewhere.",
                       n, LIMIT_SCRIPT_REQUEST_BYTES);
    return 0;
}

/* ---- The reply ---- */

static const struct value *member(const struct value *object, const char *name)
{
    return object->kind == VALUE_OBJECT ? value_member(object, name, strlen(name)) : NULL;
}

static const char *text_of(const struct value *value)
{
    return value != NULL && value->kind == VALUE_STRING ? value->u.string.text : NULL;
}

static int set_variables(struct view *view, const struct value *set)
{
    for (size_t i = 0; set != NULL && set->kind == VALUE_OBJECT && i < set->u.object.n; i++) {
        const struct value_member *one = &set->u.object.members[i];
        if (strlen(one->name) != one->name_n || one->name_n == 0)
            return err_set(view->step->err, ERR_INVALID,
                           "its script sets a variable whose name is empty or has a NUL.");
        if (variable_set(view->step, view->instance, view->scope, one->name, &one->value) < 0)
            return err_trace(view->step->err);
    }
    return 0;
}

static int reply_read(struct step *step, const char *text, size_t n, struct value *ret)
{
    if (value_read(step->arena, text, n, ret, step->err) < 0)
        return err_trace(step->err);
    const char *error = text_of(member(ret, "error"));
    return error != NULL ? err_set(step->err, ERR_INVALID, "its script failed: %.700s", error) : 0;
}

int script_value(struct view *view, const struct expr *expr, struct value *ret)
{
    struct step *step = view->step;
    const struct need *answer;
    const char *request;
    struct value reply;

    if (build_request(view, expr_text(expr), &request) < 0)
        return err_at_node(step, view->node);
    if (need_script(step, request, true, &answer) < 0)
        return err_trace(step->err);
    if (answer->slow) {
        err_set(
            step->err, ERR_LIMIT,
            "its script ran for more than %u ms (LIMIT_SCRIPT_URGENT_MS): a condition or mapping "
            "must be quick. A script task may take longer.",
            LIMIT_SCRIPT_URGENT_MS);
        return err_at_node(step, view->node);
    }
    if (reply_read(step, answer->result, answer->result_n, &reply) < 0)
        return err_at_node(step, view->node);
    const struct value *thrown = member(&reply, "bpmnError");
    if (thrown != NULL) {
        err_set(step->err, ERR_INVALID,
                "its script threw the BPMN error '%.200s', which only a script task may.",
                text_of(member(thrown, "code")) != NULL ? text_of(member(thrown, "code")) : "");
        return err_at_node(step, view->node);
    }
    const struct value *result = member(&reply, "result");
    *ret = result != NULL ? *result : value_null();
    return set_variables(view, member(&reply, "set")) < 0 ? err_at_node(step, view->node) : 0;
}

/* ---- Script tasks ---- */

/* What the reply says is done: variables, the result, the way on. */
static int carry_out(struct step *step, struct instance *instance, uint32_t token,
                     const struct node *node, const struct value *reply)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);
    const struct value *thrown = member(reply, "bpmnError"), *result = member(reply, "result");
    struct value null = value_null();

    if (thrown != NULL) {
        const char *code = text_of(member(thrown, "code"));
        if (code == NULL || code[0] == '\0' || strlen(code) > LIMIT_NAME_BYTES)
            return err_set(step->err, ERR_INVALID,
                           "%s '%s': its script threw a BPMN error whose code is empty or longer "
                           "than %u bytes.",
                           node_kind_name(node->kind), node->id, LIMIT_NAME_BYTES);
        return error_throw(step, instance, token, node, true, code,
                           text_of(member(thrown, "message")));
    }
    if (set_variables(&view, member(reply, "set")) < 0)
        return err_at_node(step, node);
    if (node->result_variable != NULL &&
        variable_set(step, instance, view.scope, node->result_variable,
                     result != NULL ? result : &null) < 0)
        return err_at_node(step, node);
    return activity_complete(step, instance, token, node);
}

int script_enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    struct view view = view_at(step, instance, token, node);
    const struct need *answer;
    const char *request;
    struct value reply;

    if (build_request(&view, node->script, &request) < 0)
        return err_at_node(step, node);
    if (need_script(step, request, false, &answer) < 0)
        return err_trace(step->err);
    if (answer->slow) {
        struct uuid id = family_uuid(step->family);
        if (call_request(&view, &id, 1) < 0)
            return err_trace(step->err);
        wait_new(step, instance, WAIT_CALL, token, node)->subject = id;
        activity_wait(step, instance, token, node);
        return 0;
    }
    if (reply_read(step, answer->result, answer->result_n, &reply) < 0)
        return err_at_node(step, node);
    if (member(&reply, "bpmnError") != NULL)
        activity_wait(step, instance, token, node);
    return carry_out(step, instance, token, node, &reply);
}

int script_request(struct view *view, struct new_call *call)
{
    const char *request;

    if (build_request(view, view->node->script, &request) < 0)
        return err_at_node(view->step, view->node);
    call->method = SCRIPT_METHOD;
    call->endpoint = DELEGATE_ENDPOINT SCRIPT_DELEGATE;
    call->path = SCRIPT_DELEGATE;
    call->headers = "{}";
    call->body = request;
    call->body_n = strlen(request);
    return 0;
}

int script_answered(struct step *step, const struct trigger *trigger, const struct value *response)
{
    const struct value *body = member(response, "body");
    const char *outcome = text_of(member(response, "outcome"));

    if (outcome != NULL && strcmp(outcome, "bpmnError") == 0)
        return delegate_answered(step, trigger, response);
    if (outcome == NULL || strcmp(outcome, "answered") != 0 || body == NULL ||
        body->kind != VALUE_OBJECT)
        return call_failed(step, trigger, response);
    return carry_out(step, trigger->instance, trigger->token, trigger->node, body);
}
