/* SPDX-License-Identifier: Apache-2.0 */
/* intermediateCatchEvent: waits for a message or a time; also as a target of an event-based
 * gateway. */
#include "base/build.h"

#include "engine/behaviour.h"

static int enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    int result = node->event.kind == EVENT_TIMER ? timer_wait(step, instance, token, node)
                                                 : message_wait(step, instance, token, node);

    if (result < 0)
        return err_trace(step->err);
    activity_wait(step, instance, token, node);
    return 0;
}

const struct behaviour behaviour_catch_event = {.enter = enter, .trigger = event_happened};
