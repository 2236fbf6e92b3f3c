/* SPDX-License-Identifier: Apache-2.0 */
/* eventBasedGateway: waits for all events behind it at once; the first one wins. */
#include "base/build.h"

#include "engine/behaviour.h"

static int enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    const struct graph *graph = instance->graph;

    for (size_t i = 0; i < node->n_out; i++) {
        const struct node *event = &graph->nodes[graph->flows[node->out[i]].target];
        int result;
        if (event->kind == NODE_CATCH_EVENT && event->event.kind == EVENT_TIMER)
            result = timer_wait(step, instance, token, event);
        else if (node_takes_message(event))
            result = message_wait(step, instance, token, event);
        else
            result = err_set(step->err, ERR_INVALID,
                             "eventBasedGateway '%s' leads to '%s', which waits for no event.",
                             node->id, event->id);
        if (result < 0)
            return err_trace(step->err);
    }
    activity_wait(step, instance, token, node);
    return 0;
}

/* The events behind it are triggered, never the gateway: see event_happened(). */
const struct behaviour behaviour_event_gateway = {.enter = enter};
