/* SPDX-License-Identifier: Apache-2.0 */
/* subProcess, embedded: a scope of its own, which ends with its last token. */
#include "base/build.h"

#include "engine/behaviour.h"

static int inputs_apply(struct step *step, struct instance *instance, uint32_t token,
                        uint32_t inner, const struct node *node)
{
    struct view view = view_of(step, instance, token_find(instance, token)->scope, node);
    struct value value;

    if (token_find(instance, token)->item != 0) {
        if (item_variables(step, instance, token, inner) < 0)
            return err_trace(step->err);
        view.scope = inner; /* its inputs see which item it is */
    }
    for (size_t i = 0; i < node->n_inputs; i++) {
        if (mapping_eval(&view, &node->inputs[i], &value) < 0)
            return err_trace(step->err);
        if (variable_set_local(step, instance, inner, node->inputs[i].name, &value) < 0)
            return err_trace(step->err);
    }
    return 0;
}

static int enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    const struct node *start = node_at(instance, node->start);
    uint32_t outer = token_find(instance, token)->scope;
    uint32_t inner, first;

    if (start == NULL)
        return err_set(step->err, ERR_INVALID, "subProcess '%s' has no start event.", node->id);
    inner = scope_new(step, instance, outer, node, token);
    if (inputs_apply(step, instance, token, inner, node) < 0)
        return err_trace(step->err);
    token_place(step, instance, token, TOKEN_SCOPE, node);
    token_find(instance, token)->child = inner;
    history_add(step, HISTORY_ACTIVITY_STARTED, instance, token, node, step->family->now_us, NULL);
    if (token_find(instance, token)->item == 0 && boundary_arm(step, instance, token, node) < 0)
        return err_trace(step->err);
    if (token_new(step, instance, inner, &first) < 0)
        return err_trace(step->err);
    move_push(step, instance, first, start, MOVE_ARRIVE);
    return 0;
}

/* Its last token has ended. */
static int trigger(struct step *step, const struct trigger *trigger)
{
    struct instance *instance = trigger->instance;
    uint32_t inner = token_find(instance, trigger->token)->child;

    if (activity_complete(step, instance, trigger->token, trigger->node) < 0)
        return err_trace(step->err);
    fired_scope_ended(step, instance, inner, false);
    scope_remove(instance, inner);
    return 0;
}

const struct behaviour behaviour_sub_process = {.enter = enter, .trigger = trigger};
