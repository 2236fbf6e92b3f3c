/* SPDX-License-Identifier: Apache-2.0 */
/* receiveTask: waits for its message or callback; also as a target of an event-based gateway. */
#include "base/build.h"

#include "engine/behaviour.h"

static int enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    if (node->event.message_name == NULL && node->callback == NULL)
        return err_set(step->err, ERR_INVALID,
                       "receiveTask '%s' has no message, so nothing could ever end it.", node->id);
    if (node->event.message_name != NULL && message_wait(step, instance, token, node) < 0)
        return err_trace(step->err);
    activity_wait(step, instance, token, node);
    return 0;
}

const struct behaviour behaviour_receive_task = {.enter = enter, .trigger = event_happened};
