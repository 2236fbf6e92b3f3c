/* SPDX-License-Identifier: Apache-2.0 */
/* intermediateThrowEvent: none passes; a message is sent like a send task's. */
#include "base/build.h"

#include "engine/behaviour.h"

static int enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    if (node->event.kind == EVENT_MESSAGE)
        return behaviour_send_task.enter(step, instance, token, node);
    return activity_complete(step, instance, token, node);
}

static int trigger(struct step *step, const struct trigger *trigger)
{
    return behaviour_service_task.trigger(step, trigger);
}

const struct behaviour behaviour_throw_event = {.enter = enter, .trigger = trigger};
