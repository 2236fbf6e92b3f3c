/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interruption: taking away what tokens do, with all that lies and was called inside. First the
 * whole extent is gathered and every called instance in it asked for, level by level; then it goes
 * from the innermost outward. No recursion: sub-processes in calls in sub-processes may be nested
 * deeper than C's stack.
 */
#include "base/build.h"

#include "engine/step.h"

struct victim {
    struct instance *instance;
    uint32_t token;
};

struct extent {
    struct step *step;
    struct victim *victims; /* an outer one before those inside of it */
    size_t n, capacity;
    bool missing; /* instances that must be loaded first */
};

static void add(struct extent *extent, struct instance *instance, uint32_t token)
{
    *arena_push(extent->step->arena, extent->victims, extent->n, extent->capacity) =
        (struct victim){.instance = instance, .token = token};
}

static void add_scope(struct extent *extent, struct instance *instance, uint32_t scope,
                      uint32_t but)
{
    uint32_t left = scope_find(instance, scope)->n_tokens;

    for (size_t i = scope_first_token(instance, scope); left > 0 && i < instance->n_tokens; i++) {
        if (instance->tokens[i].scope != scope)
            continue;
        left--;
        if (instance->tokens[i].id != but)
            add(extent, instance, instance->tokens[i].id);
    }
}

static int add_called(struct extent *extent, struct instance *instance, uint32_t token)
{
    struct step *step = extent->step;
    size_t first, n = waits_of(instance, token, &first);

    for (size_t i = first; i < first + n; i++) {
        const struct wait *wait = &instance->waits[i];
        struct instance *child;
        if (wait->kind != WAIT_CHILD)
            continue;
        if (need_instance(step, &wait->subject, &child) < 0) {
            if (step->family->n_needs == 0)
                return err_trace(step->err);
            extent->missing = true;
        } else if (child->fate != INSTANCE_ENDED) {
            add_scope(extent, child, 0, 0);
        }
    }
    return 0;
}

/* Adds what lies inside of the victims so far. */
static int gather(struct extent *extent)
{
    for (size_t i = 0; i < extent->n; i++) {
        struct victim victim = extent->victims[i];
        const struct token *token = token_find(victim.instance, victim.token);
        if (token->state == TOKEN_SCOPE)
            add_scope(extent, victim.instance, token->child, 0);
        else if (token->state == TOKEN_WAIT &&
                 victim.instance->graph->nodes[token->node].kind == NODE_CALL_ACTIVITY &&
                 add_called(extent, victim.instance, victim.token) < 0)
            return err_trace(extent->step->err);
    }
    return extent->missing ? err_trace(extent->step->err) : 0;
}

static void end_instance(struct step *step, struct instance *instance,
                         const struct interruption *why)
{
    fired_close_all(step, instance);
    history_add(step, HISTORY_INSTANCE_ENDED, instance, 0, NULL, instance->started_us,
                history_data(step, "ss", "state", why->state, "reason", why->reason));
    instance->fate = INSTANCE_ENDED;
}

static void end_called(struct step *step, struct instance *instance, uint32_t token,
                       const struct interruption *why)
{
    size_t first, n = waits_of(instance, token, &first);

    for (size_t i = first; i < first + n; i++) {
        const struct wait *wait = &instance->waits[i];
        if (wait->kind != WAIT_CHILD)
            continue;
        struct instance *child = family_instance(step->family, &wait->subject);
        if (child != NULL && child->fate != INSTANCE_ENDED)
            end_instance(step, child, why);
    }
}

/* What lies inside has gone before. */
static void take_away(struct step *step, struct instance *instance, uint32_t id,
                      const struct interruption *why)
{
    const struct token *token = token_find(instance, id);

    if (token->state == TOKEN_READY) {
        effect_remove_jobs(step->family, &instance->id, id);
        token_detach(instance, id);
        return;
    }
    if (token->state == TOKEN_SCOPE) {
        fired_scope_ended(step, instance, token->child, true);
        scope_remove(instance, token->child);
    }
    end_called(step, instance, id, why);
    waits_leave(step, instance, id);
    history_add(step, HISTORY_ACTIVITY_CANCELLED, instance, id,
                &instance->graph->nodes[token->node], token->since_us,
                history_data(step, "s", "by", why->by));
    token_detach(instance, id);
}

static int take_extent(struct extent *extent, size_t n_kept, const struct interruption *why)
{
    if (gather(extent) < 0)
        return err_trace(extent->step->err);
    for (size_t i = extent->n; i-- > 0;) {
        struct victim victim = extent->victims[i];
        take_away(extent->step, victim.instance, victim.token, why);
        if (i >= n_kept)
            token_remove(victim.instance, victim.token);
    }
    return 0;
}

int activity_interrupt(struct step *step, struct instance *instance, uint32_t token,
                       const struct interruption *why)
{
    struct extent extent = {.step = step};

    add(&extent, instance, token);
    return take_extent(&extent, 1, why);
}

int scope_interrupt(struct step *step, struct instance *instance, uint32_t scope, uint32_t but,
                    const struct interruption *why)
{
    struct extent extent = {.step = step};

    add_scope(&extent, instance, scope, but);
    return take_extent(&extent, 0, why);
}

int instance_interrupt(struct step *step, struct instance *instance, const struct interruption *why)
{
    if (scope_interrupt(step, instance, 0, 0, why) < 0)
        return err_trace(step->err);
    end_instance(step, instance, why);
    return 0;
}
