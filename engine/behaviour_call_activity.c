/* SPDX-License-Identifier: Apache-2.0 */
/* callActivity: another process as an instance of the same family, in the same transaction. */
#include "base/build.h"

#include "base/limits.h"
#include "engine/behaviour.h"

/* ---- Variables that go in and come out ---- */

struct transfer {
    struct step *step;
    struct instance *from, *to;
    uint32_t from_scope, to_scope;
    const struct node *node;
    bool outward; /* set where they exist, from to_scope outward; else in to_scope itself */
};

static int put(struct transfer *transfer, const char *name, const struct value *value, bool local)
{
    if (transfer->outward && !local)
        return variable_set(transfer->step, transfer->to, transfer->to_scope, name, value);
    return variable_set_local(transfer->step, transfer->to, transfer->to_scope, name, value);
}

static int put_text(void *context, const struct variable *variable)
{
    struct transfer *transfer = context;
    struct value value;

    if (!transfer->outward)
        return variable_set_text(transfer->step, transfer->to, transfer->to_scope, variable);
    if (value_read(transfer->step->arena, variable->text, variable->n, &value,
                   transfer->step->err) < 0)
        return err_trace(transfer->step->err);
    return put(transfer, variable->name, &value, false);
}

static int source_value(struct transfer *transfer, const struct call_mapping *mapping,
                        struct value *ret)
{
    const struct value *value;

    if (mapping->kind == CALL_MAP_EXPRESSION) {
        struct view view =
            view_of(transfer->step, transfer->from, transfer->from_scope, transfer->node);
        return view_value(&view, mapping->expression, ret);
    }
    if (variable_get(transfer->step, transfer->from, transfer->from_scope, mapping->source,
                     strlen(mapping->source), &value) < 0)
        return err_trace(transfer->step->err);
    *ret = value != NULL ? *value : value_null();
    return 0;
}

static int transfer_all(struct transfer *transfer, const struct call_mapping *mappings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct call_mapping *mapping = &mappings[i];
        struct value value;
        int result;
        if (mapping->kind == CALL_MAP_ALL)
            result = variables_each(transfer->step, transfer->from, transfer->from_scope,
                                    mapping->local, put_text, transfer);
        else if (source_value(transfer, mapping, &value) < 0)
            result = -1;
        else
            result = put(transfer, mapping->target, &value, mapping->local);
        if (result < 0)
            return err_trace(transfer->step->err);
    }
    return 0;
}

/* ---- Starting ---- */

static int version_read(struct view *view, const struct call_activity *call, int *ret)
{
    const char *text;
    char *end;

    *ret = 0;
    if (call->binding != BINDING_VERSION)
        return 0;
    if (view_string(view, call->version, &text) < 0)
        return err_trace(view->step->err);
    long number = text != NULL ? strtol(text, &end, 10) : 0;
    if (text == NULL || end == text || *end != '\0' || number < 1 || number > INT32_MAX)
        return err_set(view->step->err, ERR_INVALID,
                       "callActivity '%s': the version '%.40s' is not a whole number from 1.",
                       view->node->id, text != NULL ? text : "null");
    *ret = (int)number;
    return 0;
}

static int definition_find(struct view *view, const struct call_activity *call,
                           const struct need **ret)
{
    struct step *step = view->step;
    struct need question = {.kind = NEED_DEFINITION,
                            .tenant = view->instance->tenant,
                            .binding = call->binding,
                            .caller_definition_id = view->instance->definition_id};

    if (view_string(view, call->called_element, &question.key) < 0 ||
        version_read(view, call, &question.version) < 0)
        return err_trace(step->err);
    if (question.key == NULL || question.key[0] == '\0')
        return err_set(step->err, ERR_INVALID, "callActivity '%s': the called process has no name.",
                       view->node->id);
    if (need_definition(step, &question, ret) < 0)
        return err_trace(step->err);
    if ((*ret)->definition_id == 0 || (*ret)->graph == NULL)
        return err_set(step->err, ERR_NOT_FOUND,
                       "callActivity '%s' calls process '%s', which is not deployed%s. Deploy it, "
                       "then retry.",
                       view->node->id, question.key,
                       call->binding == BINDING_VERSION      ? " in that version"
                       : call->binding == BINDING_DEPLOYMENT ? " with the calling process"
                                                             : "");
    if ((*ret)->suspended)
        return err_set(step->err, ERR_CONFLICT,
                       "callActivity '%s' calls process '%s', which is suspended.", view->node->id,
                       question.key);
    if ((*ret)->graph->none_start < 0)
        return err_set(step->err, ERR_INVALID,
                       "callActivity '%s' calls process '%s', which has no start event without a "
                       "trigger.",
                       view->node->id, question.key);
    return 0;
}

static int child_start(struct view *view, uint32_t token, const struct need *definition)
{
    struct step *step = view->step;
    const struct call_activity *call = view->node->call;
    struct instance *parent = view->instance;
    const char *business_key;
    uint32_t first;

    if (view_string(view, call->business_key, &business_key) < 0)
        return err_trace(step->err);
    if (business_key != NULL && strlen(business_key) > LIMIT_NAME_BYTES)
        return err_set(step->err, ERR_LIMIT,
                       "callActivity '%s': the business key is longer than %u bytes.",
                       view->node->id, LIMIT_NAME_BYTES);
    struct uuid id = family_uuid(step->family);
    struct instance *child = instance_new(step->family, &id, definition->graph);
    child->definition_id = definition->definition_id;
    child->parent = parent->id;
    child->parent_token = token;
    child->depth = parent->depth + 1;
    child->business_key = business_key;
    child->tenant = parent->tenant;
    child->fate = INSTANCE_NEW;
    child->born = true;
    struct transfer in = {
        .step = step, .from = parent, .to = child, .from_scope = view->scope, .node = view->node};
    if (transfer_all(&in, call->in, call->n_in) < 0)
        return err_trace(step->err);
    const struct node *start = &child->graph->nodes[child->graph->none_start];
    history_add(step, HISTORY_INSTANCE_STARTED, child, 0, start, 0,
                history_data(step, "us", "calledBy", &parent->id, "element", view->node->id));
    wait_new(step, parent, WAIT_CHILD, token, view->node)->subject = id;
    activity_wait(step, parent, token, view->node);
    if (token_new(step, child, 0, &first) < 0)
        return err_trace(step->err);
    move_push(step, child, first, start, MOVE_ARRIVE);
    return 0;
}

static int enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);
    const struct need *definition;

    if (instance->depth >= LIMIT_CALL_DEPTH)
        return err_set(step->err, ERR_LIMIT,
                       "callActivity '%s' is nested in %u other calls, and the limit is %u. Does a "
                       "process call itself without an end?",
                       node->id, instance->depth, LIMIT_CALL_DEPTH);
    if (definition_find(&view, node->call, &definition) < 0)
        return err_trace(step->err);
    return child_start(&view, token, definition);
}

/* The called instance has ended. */
static int trigger(struct step *step, const struct trigger *trigger)
{
    struct instance *parent = trigger->instance;
    const struct call_activity *call = trigger->node->call;
    struct transfer out = {.step = step,
                           .from = trigger->child,
                           .to = parent,
                           .to_scope = token_scope(parent, trigger->token),
                           .node = trigger->node,
                           .outward = true};

    if (transfer_all(&out, call->out, call->n_out) < 0)
        return err_trace(step->err);
    return activity_complete(step, parent, trigger->token, trigger->node);
}

const struct behaviour behaviour_call_activity = {.enter = enter, .trigger = trigger};
