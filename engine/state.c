/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, waits and scopes of an instance, as plain data. No behaviour is here. */
#include "base/build.h"

#include "base/limits.h"
#include "engine/step.h"

/* ---- Nodes ---- */

int node_index(const struct instance *instance, const struct node *node)
{
    return (int)(node - instance->graph->nodes);
}

const struct node *node_at(const struct instance *instance, int node)
{
    if (node < 0 || (size_t)node >= instance->graph->n_nodes)
        return NULL;
    return &instance->graph->nodes[node];
}

/* ---- Tokens: sorted by id, because ids only grow ---- */

static size_t token_index(const struct instance *instance, uint32_t id)
{
    size_t low = 0, high = instance->n_tokens;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (instance->tokens[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct token *token_find(const struct instance *instance, uint32_t id)
{
    size_t i = token_index(instance, id);

    if (i == instance->n_tokens || instance->tokens[i].id != id)
        return NULL;
    return &instance->tokens[i];
}

int token_new(struct step *step, struct instance *instance, uint32_t scope, uint32_t *ret_id)
{
    if (instance->n_tokens >= LIMIT_TOKENS)
        return err_set(step->err, ERR_LIMIT,
                       "The instance would have more than %u tokens at once. Does a loop of the "
                       "process start new branches without ever joining them?",
                       LIMIT_TOKENS);
    if (instance->next_id == UINT32_MAX)
        return err_set(step->err, ERR_LIMIT, "The instance has used up its token numbers.");
    struct token *token =
        arena_push(step->arena, instance->tokens, instance->n_tokens, instance->tokens_capacity);
    *token =
        (struct token){.id = instance->next_id++, .scope = scope, .state = TOKEN_READY, .node = -1};
    *ret_id = token->id;
    return 0;
}

void token_remove(struct instance *instance, uint32_t id)
{
    size_t i = token_index(instance, id);

    if (i == instance->n_tokens || instance->tokens[i].id != id)
        return;
    memmove(&instance->tokens[i], &instance->tokens[i + 1],
            (instance->n_tokens - i - 1) * sizeof(*instance->tokens));
    instance->n_tokens--;
}

void token_detach(struct instance *instance, uint32_t id)
{
    struct token *token = token_find(instance, id);

    if (token->local != 0)
        scope_remove(instance, token->local);
    token->state = TOKEN_READY;
    token->node = -1;
    token->local = 0;
    token->child = 0;
    token->since_us = 0;
}

void token_place(struct step *step, struct instance *instance, uint32_t id, enum token_state state,
                 const struct node *node)
{
    struct token *token = token_find(instance, id);

    token->state = state;
    token->node = node_index(instance, node);
    token->since_us = step->family->now_us;
}

bool scope_has_tokens(const struct instance *instance, uint32_t scope)
{
    for (size_t i = instance->n_tokens; i-- > 0;)
        if (instance->tokens[i].scope == scope)
            return true;
    return false;
}

/* ---- Waits ---- */

struct wait *wait_new(struct step *step, struct instance *instance, enum wait_kind kind,
                      uint32_t token, const struct node *node)
{
    struct wait *wait =
        arena_push(step->arena, instance->waits, instance->n_waits, instance->waits_capacity);

    *wait = (struct wait){
        .kind = kind, .token = token, .node = node_index(instance, node), .fresh = true};
    return wait;
}

struct wait *wait_find(const struct instance *instance, enum wait_kind kind, uint32_t token,
                       int node)
{
    for (size_t i = 0; i < instance->n_waits; i++) {
        struct wait *wait = &instance->waits[i];
        if (wait->kind == kind && wait->token == token && wait->node == node)
            return wait;
    }
    return NULL;
}

struct wait *wait_find_subject(const struct instance *instance, enum wait_kind kind,
                               const struct uuid *subject)
{
    for (size_t i = 0; i < instance->n_waits; i++) {
        struct wait *wait = &instance->waits[i];
        if (wait->kind == kind && uuid_equal(&wait->subject, subject))
            return wait;
    }
    return NULL;
}

void wait_remove(struct step *step, struct instance *instance, struct wait *wait)
{
    bool has_row = wait->kind != WAIT_TIMER || wait->due_us != INT64_MAX;

    if (!wait->fresh && has_row) {
        struct wait *gone =
            arena_push(step->arena, instance->gone, instance->n_gone, instance->gone_capacity);
        *gone = *wait;
    }
    if (wait->fresh && wait->kind == WAIT_TASK)
        effect_remove_task(step->family, &wait->subject);
    if (wait->kind == WAIT_EXTERNAL)
        effect_remove_external(step->family, &wait->subject);
    /* A loaded call may have been asked for again in this batch. */
    if (wait->kind == WAIT_CALL)
        effect_remove_call(step->family, &wait->subject);
    size_t i = (size_t)(wait - instance->waits);
    memmove(wait, wait + 1, (instance->n_waits - i - 1) * sizeof(*wait));
    instance->n_waits--;
}

void waits_leave(struct step *step, struct instance *instance, uint32_t id)
{
    const struct token *token = token_find(instance, id);
    uint32_t scope = token != NULL ? token->scope : 0;
    const char **names = NULL;
    size_t n_names = 0, capacity = 0;

    for (size_t i = instance->n_waits; i-- > 0;) {
        struct wait *wait = &instance->waits[i];
        if (wait->token != id)
            continue;
        if (wait->kind == WAIT_MESSAGE && instance->n_calls > 0)
            *arena_push(step->arena, names, n_names, capacity) = wait->name;
        wait_remove(step, instance, wait);
    }
    if (n_names > 0)
        fired_left(step, instance, id, scope, names, n_names);
}

/* ---- Scopes: sorted by id; scopes[0] is the process ---- */

struct scope *scope_find(const struct instance *instance, uint32_t id)
{
    size_t low = 0, high = instance->n_scopes;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (instance->scopes[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == instance->n_scopes || instance->scopes[low].id != id)
        return NULL;
    return &instance->scopes[low];
}

uint32_t scope_new(struct step *step, struct instance *instance, uint32_t parent,
                   const struct node *node, uint32_t token)
{
    struct scope *scope =
        arena_push(step->arena, instance->scopes, instance->n_scopes, instance->scopes_capacity);

    *scope = (struct scope){.id = instance->next_id++,
                            .parent = parent,
                            .node = node_index(instance, node),
                            .token = token};
    return scope->id;
}

void scope_remove(struct instance *instance, uint32_t id)
{
    struct scope *scope = scope_find(instance, id);

    if (id == 0 || scope == NULL)
        return;
    size_t i = (size_t)(scope - instance->scopes);
    memmove(scope, scope + 1, (instance->n_scopes - i - 1) * sizeof(*scope));
    instance->n_scopes--;
}

static bool scope_lies_in(const struct instance *instance, uint32_t inner, uint32_t outer)
{
    if (outer == 0)
        return true;
    while (inner != 0 && inner != outer) {
        const struct scope *scope = scope_find(instance, inner);
        inner = scope != NULL ? scope->parent : 0;
    }
    return inner == outer;
}

bool scopes_related(const struct instance *instance, uint32_t a, uint32_t b)
{
    return scope_lies_in(instance, a, b) || scope_lies_in(instance, b, a);
}

int scope_place(const struct instance *instance, uint32_t id)
{
    const struct scope *scope = scope_find(instance, id);

    return scope != NULL ? scope->node : -1;
}
