/* SPDX-License-Identifier: Apache-2.0 */
/* Interruption: taking away what tokens do, with all that lies and was called inside. */
#include "base/build.h"

#include "engine/step.h"

static int ask_scope(struct step *step, struct instance *instance, uint32_t scope, uint32_t but);

/*
 * First the whole extent is walked and every called instance in it asked for at once, so that an
 * interruption needs as many rounds of loading as calls are nested, and not one a call.
 */
static int ask_token(struct step *step, struct instance *instance, const struct token *token)
{
    if (token->state == TOKEN_SCOPE)
        return ask_scope(step, instance, token->child, 0);
    if (token->state != TOKEN_WAIT ||
        instance->graph->nodes[token->node].kind != NODE_CALL_ACTIVITY)
        return 0;
    for (size_t i = 0; i < instance->n_waits; i++) {
        const struct wait *wait = &instance->waits[i];
        struct instance *child;
        if (wait->kind != WAIT_CHILD || wait->token != token->id)
            continue;
        if (need_instance(step, &wait->subject, &child) < 0)
            return err_trace(step->err);
        if (child->fate != INSTANCE_ENDED)
            return ask_scope(step, child, 0, 0);
    }
    return 0;
}

static int ask_scope(struct step *step, struct instance *instance, uint32_t scope, uint32_t but)
{
    bool failed = false;

    for (size_t i = 0; i < instance->n_tokens; i++) {
        const struct token *token = &instance->tokens[i];
        if (token->scope != scope || token->id == but)
            continue;
        if (ask_token(step, instance, token) < 0) {
            if (step->family->n_needs == 0)
                return err_trace(step->err);
            failed = true;
        }
    }
    return failed ? err_trace(step->err) : 0;
}

static int interrupt_children(struct step *step, struct instance *instance, uint32_t token,
                              const struct interruption *why)
{
    for (size_t i = 0; i < instance->n_waits; i++) {
        const struct wait *wait = &instance->waits[i];
        struct instance *child;
        if (wait->kind != WAIT_CHILD || wait->token != token)
            continue;
        if (need_instance(step, &wait->subject, &child) < 0)
            return err_trace(step->err);
        if (child->fate != INSTANCE_ENDED && instance_interrupt(step, child, why) < 0)
            return err_trace(step->err);
    }
    return 0;
}

int activity_interrupt(struct step *step, struct instance *instance, uint32_t id,
                       const struct interruption *why)
{
    struct token *token = token_find(instance, id);

    if (ask_token(step, instance, token) < 0)
        return err_trace(step->err);
    if (token->state == TOKEN_SCOPE) {
        uint32_t child = token->child;
        if (scope_interrupt(step, instance, child, 0, why) < 0)
            return err_trace(step->err);
        fired_scope_ended(step, instance, child, true);
        scope_remove(instance, child);
    }
    if (interrupt_children(step, instance, id, why) < 0)
        return err_trace(step->err);
    waits_leave(step, instance, id);
    token = token_find(instance, id);
    if (token->state != TOKEN_READY)
        history_add(step, HISTORY_ACTIVITY_CANCELLED, instance, id,
                    &instance->graph->nodes[token->node], token->since_us,
                    history_data(step, "s", "by", why->by));
    token_detach(instance, id);
    return 0;
}

int scope_interrupt(struct step *step, struct instance *instance, uint32_t scope, uint32_t but,
                    const struct interruption *why)
{
    if (ask_scope(step, instance, scope, but) < 0)
        return err_trace(step->err);
    /* From the end: tokens of inner scopes are younger, and go with theirs. */
    for (size_t i = instance->n_tokens; i-- > 0;) {
        if (i >= instance->n_tokens)
            continue;
        uint32_t id = instance->tokens[i].id;
        if (instance->tokens[i].scope != scope || id == but)
            continue;
        if (activity_interrupt(step, instance, id, why) < 0)
            return err_trace(step->err);
        token_remove(instance, id);
    }
    return 0;
}

int instance_interrupt(struct step *step, struct instance *instance, const struct interruption *why)
{
    if (scope_interrupt(step, instance, 0, 0, why) < 0)
        return err_trace(step->err);
    fired_close_all(step, instance);
    history_add(step, HISTORY_INSTANCE_ENDED, instance, 0, NULL, instance->started_us,
                history_data(step, "ss", "state", why->state, "reason", why->reason));
    instance->fate = INSTANCE_ENDED;
    return 0;
}
