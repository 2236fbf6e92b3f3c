/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parallelGateway: as many tokens as it has incoming flows become one, which goes on along all
 * outgoing flows. Arrivals are counted, not flows: two over the same flow count as two.
 */
#include "base/build.h"

#include "engine/behaviour.h"

static bool joins_here(const struct token *token, uint32_t scope, int node)
{
    return token->state == TOKEN_JOIN && token->scope == scope && token->node == node;
}

static int enter(struct step *step, struct instance *instance, uint32_t id, const struct node *node)
{
    int index = node_index(instance, node);
    uint32_t scope = token_find(instance, id)->scope;
    size_t arrived = 1;

    for (size_t i = 0; i < instance->n_tokens; i++)
        arrived += joins_here(&instance->tokens[i], scope, index);
    if (arrived < node->n_in) {
        token_place(step, instance, id, TOKEN_JOIN, node);
        history_add(step, HISTORY_ACTIVITY_STARTED, instance, id, node, step->family->now_us, NULL);
        return 0;
    }
    for (size_t i = 0, joined = 1; joined < node->n_in && i < instance->n_tokens;) {
        const struct token *token = &instance->tokens[i];
        if (!joins_here(token, scope, index)) {
            i++;
            continue;
        }
        history_add(step, HISTORY_ACTIVITY_ENDED, instance, token->id, node, token->since_us, NULL);
        token_remove(instance, token->id);
        joined++;
    }
    return activity_complete(step, instance, id, node);
}

static int choose(struct step *step, struct instance *instance, uint32_t token,
                  const struct node *node, int *flows, size_t *ret_n)
{
    (void)step;
    (void)instance;
    (void)token;
    memcpy(flows, node->out, node->n_out * sizeof(*flows));
    *ret_n = node->n_out;
    return 0;
}

const struct behaviour behaviour_parallel_gateway = {.enter = enter, .choose = choose};
