/* SPDX-License-Identifier: Apache-2.0 */
/* boundaryEvent: its wait belongs to the token of the activity that it is attached to. */
#include "base/build.h"

#include "engine/behaviour.h"

static int interrupting(struct step *step, const struct trigger *trigger)
{
    struct interruption why = {
        .by = trigger->node->id, .state = "cancelled", .reason = trigger->node->id};

    if (activity_interrupt(step, trigger->instance, trigger->token, &why) < 0)
        return err_trace(step->err);
    if (variables_set(step, trigger->instance, token_find(trigger->instance, trigger->token)->scope,
                      trigger->body, trigger->body_n) < 0)
        return err_trace(step->err);
    move_push(step, trigger->instance, trigger->token, trigger->node, MOVE_ENTER);
    return 0;
}

/* The activity goes on, and so does its wait: another token takes the event's way. */
static int beside(struct step *step, const struct trigger *trigger)
{
    struct instance *instance = trigger->instance;
    uint32_t scope = token_find(instance, trigger->token)->scope;
    uint32_t token;

    if (variables_set(step, instance, scope, trigger->body, trigger->body_n) < 0)
        return err_trace(step->err);
    if (trigger->wait.kind == WAIT_TIMER) {
        if (timer_next(step, trigger) < 0)
            return err_trace(step->err);
    } else if (trigger->row_taken) {
        struct wait *old = wait_find(instance, WAIT_MESSAGE, trigger->token, trigger->wait.node);
        if (old != NULL)
            wait_remove(step, instance, old);
        if (message_wait(step, instance, trigger->token, trigger->node) < 0)
            return err_trace(step->err);
    }
    if (token_new(step, instance, scope, &token) < 0)
        return err_trace(step->err);
    move_push(step, instance, token, trigger->node, MOVE_ENTER);
    return 0;
}

static int trigger(struct step *step, const struct trigger *trigger)
{
    if (trigger->wait.kind == WAIT_MESSAGE &&
        input_accept(step, trigger->instance->graph, trigger->node, trigger->body,
                     trigger->body_n) < 0)
        return err_trace(step->err);
    return trigger->node->interrupting ? interrupting(step, trigger) : beside(step, trigger);
}

const struct behaviour behaviour_boundary_event = {.enter = activity_complete, .trigger = trigger};
