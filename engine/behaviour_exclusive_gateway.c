/* SPDX-License-Identifier: Apache-2.0 */
/* exclusiveGateway: the first flow, in document order, whose condition holds. */
#include "base/build.h"

#include "engine/behaviour.h"

static int choose(struct step *step, struct instance *instance, uint32_t token,
                  const struct node *node, int *flows, size_t *ret_n)
{
    *ret_n = 1;
    return flow_choose(step, instance, token, node, flows);
}

const struct behaviour behaviour_exclusive_gateway = {.enter = activity_complete, .choose = choose};
