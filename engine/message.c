/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: waiting for them, publishing them, and carrying what arrives to the node that waits. */
#include "base/build.h"

#include "base/limits.h"
#include "engine/behaviour.h"

#define TTL_US INT64_C(600000000) /* ten minutes */

static int name_read(struct step *step, struct view *view, const char **ret)
{
    const struct node *node = view->node;

    if (view_string(view, node->event.message_name, ret) < 0)
        return err_trace(step->err);
    if (*ret == NULL || (*ret)[0] == '\0')
        return err_set(step->err, ERR_INVALID, "%s '%s': its message has no name.",
                       node_kind_name(node->kind), node->id);
    if (strlen(*ret) > LIMIT_NAME_BYTES)
        return err_set(step->err, ERR_LIMIT,
                       "%s '%s': the name of its message is longer than %u bytes.",
                       node_kind_name(node->kind), node->id, LIMIT_NAME_BYTES);
    return 0;
}

static int key_read(struct step *step, struct view *view, const char **ret)
{
    const struct node *node = view->node;

    *ret = view->instance->business_key;
    if (node->event.correlation_key != NULL &&
        view_string(view, node->event.correlation_key, ret) < 0)
        return err_trace(step->err);
    if (*ret == NULL)
        *ret = "";
    if (strlen(*ret) > LIMIT_NAME_BYTES)
        return err_set(step->err, ERR_LIMIT,
                       "%s '%s': its correlation key is longer than %u bytes.",
                       node_kind_name(node->kind), node->id, LIMIT_NAME_BYTES);
    return 0;
}

int message_wait(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);
    const char *name, *key;

    if (name_read(step, &view, &name) < 0 || key_read(step, &view, &key) < 0)
        return err_trace(step->err);
    struct wait *wait = wait_new(step, instance, WAIT_MESSAGE, token, node);
    wait->name = name;
    wait->key = key;
    return 0;
}

static int ttl_read(struct step *step, struct view *view, int64_t *ret_us)
{
    const struct node *node = view->node;
    struct iso_duration duration;
    const char *text;

    *ret_us = TTL_US;
    if (view_string(view, node->event.time_to_live, &text) < 0)
        return err_trace(step->err);
    if (text == NULL)
        return 0;
    if (iso_duration_parse(text, strlen(text), &duration, step->err) < 0)
        return err_at_node(step, node);
    if (duration.negative)
        return err_set(step->err, ERR_INVALID, "%s '%s': its time to live is negative.",
                       node_kind_name(node->kind), node->id);
    *ret_us = iso_duration_us(&duration);
    return 0;
}

/* Its input parameters; what else it may know, as an item of a multi-instance, is its own. */
static const char *inputs_object(struct step *step, const struct scope *local,
                                 const struct node *node)
{
    struct scope inputs = {0};

    for (size_t v = 0; v < local->n_variables; v++)
        for (size_t i = 0; i < node->n_inputs; i++)
            if (strcmp(local->variables[v].name, node->inputs[i].name) == 0)
                *arena_push(step->arena, inputs.variables, inputs.n_variables,
                            inputs.variables_capacity) = local->variables[v];
    return scope_object(step->arena, &inputs, NULL);
}

int message_publish(struct step *step, struct instance *instance, uint32_t token,
                    const struct node *node)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);
    uint32_t local = token_find(instance, token)->local;
    struct message_out message = {.body = "{}"};
    struct family *family = step->family;

    if (node->event.message_name == NULL)
        return 0;
    if (name_read(step, &view, &message.name) < 0 || key_read(step, &view, &message.key) < 0 ||
        ttl_read(step, &view, &message.ttl_us) < 0)
        return err_trace(step->err);
    if (local != 0)
        message.body = inputs_object(step, scope_find(instance, local), node);
    *arena_push(family->arena, family->messages, family->n_messages, family->messages_capacity) =
        message;
    history_add(step, HISTORY_MESSAGE_SENT, instance, token, node, 0,
                history_data(step, "ss", "name", message.name, "key", message.key));
    return 0;
}

int wait_trigger(struct step *step, const struct trigger *trigger)
{
    const struct behaviour *behaviour = behaviour_of(trigger->node);

    if (trigger->wait.kind == WAIT_CALLBACK)
        return callback_answered(step, trigger);
    if (behaviour->trigger == NULL)
        return err_set(step->err, ERR_INTERNAL, "%s '%s' does not wait for anything.",
                       node_kind_name(trigger->node->kind), trigger->node->id);
    if (trigger->wait.kind == WAIT_MESSAGE)
        history_add(step, HISTORY_MESSAGE_RECEIVED, trigger->instance, trigger->token,
                    trigger->node, 0, history_data(step, "s", "name", trigger->wait.name));
    return behaviour->trigger(step, trigger);
}
