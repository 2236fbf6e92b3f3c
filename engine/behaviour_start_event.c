/* SPDX-License-Identifier: Apache-2.0 */
/* startEvent: the token is made by whoever starts the scope, and goes straight on. */
#include "base/build.h"

#include "engine/behaviour.h"

/* A start was judged already; not that of a called process, nor one that failed and is tried again.
 */
static int enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    bool judged = step->command->kind == COMMAND_START && uuid_is_nil(&instance->parent);
    const struct input *input = input_of(instance->graph, node, step->command->kind);

    if (!judged && input != NULL && input->schema != NULL) {
        size_t n;
        const char *text;
        instance_variables(step->family, instance, &text, &n);
        if (input_accept(step, instance->graph, node, text, n) < 0)
            return err_trace(step->err);
    }
    return activity_complete(step, instance, token, node);
}

const struct behaviour behaviour_start_event = {.enter = enter};
