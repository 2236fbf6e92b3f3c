/* SPDX-License-Identifier: Apache-2.0 */
/* The life cycle that all nodes share: inputs, boundary events, waiting, outputs, leaving. */
#include "base/build.h"

#include "engine/step.h"

bool node_takes_message(const struct node *node)
{
    if (node->kind == NODE_RECEIVE_TASK)
        return node->event.message_name != NULL;
    return (node->kind == NODE_CATCH_EVENT || node->kind == NODE_BOUNDARY_EVENT) &&
           node->event.kind == EVENT_MESSAGE && node->event.message_name != NULL;
}

int boundary_arm(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    for (size_t i = 0; i < node->n_boundary; i++) {
        const struct node *event = &instance->graph->nodes[node->boundary[i]];
        if (event->event.kind == EVENT_TIMER && timer_wait(step, instance, token, event) < 0)
            return err_trace(step->err);
        if (event->event.kind == EVENT_MESSAGE && message_wait(step, instance, token, event) < 0)
            return err_trace(step->err);
    }
    level_arm(step, instance, token, node);
    return 0;
}

static int inputs_apply(struct step *step, struct instance *instance, uint32_t token,
                        const struct node *node)
{
    uint32_t outer = token_find(instance, token)->scope;
    uint32_t local = token_find(instance, token)->local;
    bool again = local != 0; /* it knows its item already */
    struct view view = view_of(step, instance, outer, node);
    struct value value;

    if (!again)
        local = scope_new(step, instance, outer, node, token);
    token_find(instance, token)->local = local;
    if (token_find(instance, token)->item != 0) {
        if (!again && item_variables(step, instance, token, local) < 0)
            return err_trace(step->err);
        view.scope = local; /* its inputs see which item it is */
    }
    view.token = token;
    for (size_t i = 0; i < node->n_inputs; i++) {
        if (mapping_eval(&view, &node->inputs[i], &value) < 0)
            return err_trace(step->err);
        if (variable_set_local(step, instance, local, node->inputs[i].name, &value) < 0)
            return err_trace(step->err);
    }
    return 0;
}

int activity_prepare(struct step *step, struct instance *instance, uint32_t token,
                     const struct node *node)
{
    bool item = token_find(instance, token)->item != 0;
    bool mapped = node->n_inputs > 0 || node->n_outputs > 0 || item;

    if (node->kind == NODE_SUB_PROCESS)
        return 0; /* it has a scope of its own for its variables, and waits of its own */
    if (node->callback != NULL)
        callback_begin(step, instance, token, node);
    /* By its own scope expressions know whose callback is meant. */
    if ((mapped || node->callback != NULL) && inputs_apply(step, instance, token, node) < 0)
        return err_trace(step->err);
    return node->callback != NULL ? callback_arm(step, instance, token, node) : 0;
}

int activity_begin(struct step *step, struct instance *instance, uint32_t token,
                   const struct node *node)
{
    bool item = token_find(instance, token)->item != 0;

    if (activity_prepare(step, instance, token, node) < 0)
        return err_trace(step->err);
    if ((node->n_boundary > 0 || node->level != NULL) && !item && node->kind != NODE_SUB_PROCESS)
        return boundary_arm(step, instance, token, node);
    return 0;
}

void activity_wait(struct step *step, struct instance *instance, uint32_t token,
                   const struct node *node)
{
    if (step->again == token)
        return; /* it has been here all the time */
    token_place(step, instance, token, TOKEN_WAIT, node);
    history_add(step, HISTORY_ACTIVITY_STARTED, instance, token, node, step->family->now_us, NULL);
}

int activity_complete(struct step *step, struct instance *instance, uint32_t id,
                      const struct node *node)
{
    const struct token *token = token_find(instance, id);
    int64_t started_us = token->state == TOKEN_READY ? step->family->now_us : token->since_us;
    uint32_t outer = token->scope;

    uint32_t inner = token->state == TOKEN_SCOPE ? token->child : token_scope(instance, id);
    if (token->item != 0 && item_result(step, instance, id, node, inner) < 0)
        return err_trace(step->err);
    if (node->n_outputs > 0) {
        struct view view = view_of(step, instance, inner, node);
        if (mappings_apply(&view, node->outputs, node->n_outputs, outer) < 0)
            return err_trace(step->err);
    }
    waits_leave(step, instance, id);
    history_add(step, HISTORY_ACTIVITY_ENDED, instance, id, node, started_us, NULL);
    token_detach(instance, id);
    move_push(step, instance, id, node, MOVE_LEAVE);
    return 0;
}

int event_happened(struct step *step, const struct trigger *trigger)
{
    struct instance *instance = trigger->instance;
    struct token *token = token_find(instance, trigger->token);
    const struct node *at = &instance->graph->nodes[token->node];

    if (trigger->wait.kind == WAIT_MESSAGE &&
        input_accept(step, instance->graph, trigger->node, trigger->body, trigger->body_n) < 0)
        return err_trace(step->err);
    if (at != trigger->node) { /* the gateway's wait is over, and its event's began when it did */
        history_add(step, HISTORY_ACTIVITY_ENDED, instance, token->id, at, token->since_us,
                    history_data(step, "s", "won", trigger->node->id));
        token->node = node_index(instance, trigger->node);
    }
    if (variables_set(step, instance, token_scope(instance, trigger->token), trigger->body,
                      trigger->body_n) < 0)
        return err_trace(step->err);
    return activity_complete(step, instance, trigger->token, trigger->node);
}
