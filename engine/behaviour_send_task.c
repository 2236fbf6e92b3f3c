/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendTask, and what message throw and end events do: a connector or expression like a service
 * task's, else the message is published; without one it passes.
 */
#include "base/build.h"

#include "engine/behaviour.h"

static int enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    if (node->service != SERVICE_NONE)
        return behaviour_service_task.enter(step, instance, token, node);
    if (message_publish(step, instance, token, node) < 0)
        return err_trace(step->err);
    return activity_work_done(step, instance, token, node);
}

static int trigger(struct step *step, const struct trigger *trigger)
{
    return behaviour_service_task.trigger(step, trigger);
}

const struct behaviour behaviour_send_task = {.enter = enter, .trigger = trigger};
