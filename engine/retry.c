/* SPDX-License-Identifier: Apache-2.0 */
/* When something that failed is tried again. */
#include "base/build.h"

#include "base/limits.h"
#include "engine/step.h"

/* A number of 62 random bits, the same in each rerun. */
static int64_t family_random(struct family *family)
{
    struct uuid id = family_uuid(family);
    uint64_t number = 0;

    for (size_t i = 8; i < sizeof(id.b); i++)
        number = number << 8 | id.b[i];
    return (int64_t)(number & UINT64_C(0x3fffffffffffffff));
}

/* Within what fits: a delay past the last year is as good as any. */
int64_t retry_backoff_us(const struct retry_backoff *backoff, uint32_t tries, int64_t random)
{
    double grown = (double)backoff->base_us;

    for (uint32_t i = 1; i < tries && backoff->factor > 1 && grown < (double)backoff->cap_us; i++)
        grown *= backoff->factor;
    int64_t delay_us = grown < (double)backoff->cap_us ? (int64_t)grown : backoff->cap_us;
    if (delay_us > TIME_LAST_US)
        delay_us = TIME_LAST_US;
    switch (backoff->jitter) {
    case JITTER_NONE:
        break;
    case JITTER_EQUAL:
        return delay_us - random % (delay_us / 2 + 1);
    case JITTER_FULL:
        return random % (delay_us + 1);
    }
    return delay_us;
}

/* The cycle that an expression gives now; false: `note` says why there is none. */
static bool cycle_now(struct step *step, struct instance *instance, const struct command *command,
                      const struct node *node, const struct retry_policy *policy,
                      struct retry_cycle *ret, const char **note)
{
    uint32_t scope =
        token_find(instance, command->token) != NULL ? token_scope(instance, command->token) : 0;
    struct view view = view_of(step, instance, scope, node);
    const char *text;
    struct err kept = *step->err, why = {0};

    bool read = view_string(&view, policy->expression, &text) == 0;
    why = *step->err;
    *step->err = kept;
    if (read && text != NULL && retry_cycle_parse(step->arena, text, ret, &why) == 0)
        return true;
    *note =
        arena_printf(step->arena,
                     "Its failedJobRetryTimeCycle gives no cycle (%s), so that the default "
                     "counts: 3 tries without delay.",
                     read && text == NULL ? "it is null" : text_cut(step->arena, why.text, 300));
    return false;
}

static int64_t cycle_due(const struct retry_cycle *cycle, uint32_t tries, int64_t now_us)
{
    if (cycle->n_delays == 0)
        return now_us;
    uint32_t i = tries - 1 < cycle->n_delays ? tries - 1 : cycle->n_delays - 1;
    return iso_add(now_us, &cycle->delays[i], 1);
}

/* The policy's own time; false: its tries are used up. */
static bool policy_due(struct step *step, struct instance *instance, const struct command *command,
                       const struct node *node, uint32_t plain_tries, struct retry *ret)
{
    const struct token *token = token_find(instance, command->token);
    const struct retry_policy *policy = node != NULL ? node->retry : NULL;
    struct retry_cycle cycle = {.tries = plain_tries};

    if (node != NULL && node->multi != NULL && node->multi->retry != NULL && token != NULL &&
        token->item != 0)
        policy = node->multi->retry;
    if (policy != NULL && policy->kind == RETRY_BACKOFF) {
        if (command->tries >= policy->backoff.attempts)
            return false;
        ret->due_us = step->family->now_us + retry_backoff_us(&policy->backoff, command->tries,
                                                              family_random(step->family));
        return true;
    }
    if (policy != NULL && policy->kind == RETRY_CYCLE)
        cycle = policy->cycle;
    else if (policy != NULL &&
             !cycle_now(step, instance, command, node, policy, &cycle, &ret->note))
        cycle = (struct retry_cycle){.tries = DEFAULT_TRIES};
    ret->due_us = cycle_due(&cycle, command->tries, step->family->now_us);
    return command->tries < cycle.tries;
}

struct retry retry_next(struct step *step, struct instance *instance, const struct command *command,
                        const struct failure *failure)
{
    const struct node *node = node_at(instance, command->node);
    struct retry retry = {.verdict = RETRY_USED_UP};

    if (failure->hopeless ||
        !policy_due(step, instance, command, node, failure->plain_tries, &retry))
        return retry;
    if (retry.due_us < failure->not_before_us)
        retry.due_us = failure->not_before_us;
    if (retry.due_us > TIME_LAST_US)
        retry.due_us = TIME_LAST_US;
    retry.verdict = failure->deadline_us != 0 && retry.due_us > failure->deadline_us
                        ? RETRY_TOO_LATE
                        : RETRY_AT;
    return retry;
}
