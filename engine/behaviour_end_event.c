/* SPDX-License-Identifier: Apache-2.0 */
/* endEvent: none, message, error, terminate. */
#include "base/build.h"

#include "engine/behaviour.h"

/* Ends its own scope with everything in it. */
static int terminate(struct step *step, struct instance *instance, uint32_t token,
                     const struct node *node)
{
    uint32_t scope = token_find(instance, token)->scope;
    struct interruption why = {.by = node->id, .state = "terminated", .reason = node->id};

    if (scope_interrupt(step, instance, scope, token, &why) < 0)
        return err_trace(step->err);
    history_add(step, HISTORY_ACTIVITY_ENDED, instance, token, node, step->family->now_us, NULL);
    token_detach(instance, token);
    if (scope != 0)
        return token_end(step, instance, token);
    token_remove(instance, token);
    return instance_end(step, instance, "terminated", node->id);
}

static int enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    switch (node->event.kind) {
    case EVENT_TERMINATE:
        return terminate(step, instance, token, node);
    case EVENT_ERROR:
        return error_throw(step, instance, token, node, false, node->event.error_code,
                           node->event.error_message);
    case EVENT_MESSAGE:
        return behaviour_send_task.enter(step, instance, token, node);
    default:
        return activity_complete(step, instance, token, node);
    }
}

static int trigger(struct step *step, const struct trigger *trigger)
{
    return behaviour_service_task.trigger(step, trigger);
}

const struct behaviour behaviour_end_event = {.enter = enter, .trigger = trigger};
