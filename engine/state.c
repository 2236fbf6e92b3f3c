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

/* ---- Arrays in order ---- */

/* Takes an item out. The shorter side moves, so that taking one after the other is cheap. */
static void *take_out(void *items, size_t *n, size_t *capacity, size_t i, size_t size)
{
    char *base = items;

    (*n)--;
    if (i >= *n / 2) {
        memmove(base + i * size, base + (i + 1) * size, (*n - i) * size);
        return base;
    }
    memmove(base + size, base, i * size);
    (*capacity)--;
    return base + size;
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
    scope_find(instance, scope)->n_tokens++;
    return 0;
}

void token_remove(struct instance *instance, uint32_t id)
{
    size_t i = token_index(instance, id);

    if (i == instance->n_tokens || instance->tokens[i].id != id)
        return;
    struct scope *scope = scope_find(instance, instance->tokens[i].scope);
    if (scope != NULL) /* it goes before its tokens when it is interrupted */
        scope->n_tokens--;
    instance->tokens = take_out(instance->tokens, &instance->n_tokens, &instance->tokens_capacity,
                                i, sizeof(*instance->tokens));
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
    return scope_find(instance, scope)->n_tokens > 0;
}

/* They are younger than the token that owns the scope. */
size_t scope_first_token(const struct instance *instance, uint32_t scope)
{
    return scope != 0 ? token_index(instance, scope_find(instance, scope)->token) : 0;
}

bool token_fits(const struct instance *instance, const struct token *token, const struct node *node)
{
    const struct scope *scope = scope_find(instance, token->scope);

    if (scope == NULL)
        return false;
    return scope->loop != NULL ? scope->node == node_index(instance, node)
                               : scope->node == node->scope;
}

/* ---- Waits: sorted by token ---- */

/* The first wait of this token or a later one. */
static size_t wait_index(const struct instance *instance, uint64_t token)
{
    size_t low = 0, high = instance->n_waits;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (instance->waits[middle].token < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t waits_of(const struct instance *instance, uint32_t token, size_t *ret_first)
{
    size_t n = 0;

    *ret_first = wait_index(instance, token);
    while (*ret_first + n < instance->n_waits && instance->waits[*ret_first + n].token == token)
        n++;
    return n;
}

struct wait *wait_add(struct arena *arena, struct instance *instance, const struct wait *wait)
{
    size_t n = instance->n_waits, i = n;

    if (n > 0 && instance->waits[n - 1].token > wait->token)
        i = wait_index(instance, (uint64_t)wait->token + 1);
    *arena_push(arena, instance->waits, instance->n_waits, instance->waits_capacity) = *wait;
    if (i < n) {
        memmove(&instance->waits[i + 1], &instance->waits[i], (n - i) * sizeof(*wait));
        instance->waits[i] = *wait;
    }
    return &instance->waits[i];
}

struct wait *wait_new(struct step *step, struct instance *instance, enum wait_kind kind,
                      uint32_t token, const struct node *node)
{
    return wait_add(
        step->arena, instance,
        &(struct wait){
            .kind = kind, .token = token, .node = node_index(instance, node), .fresh = true});
}

struct wait *wait_find(const struct instance *instance, enum wait_kind kind, uint32_t token,
                       int node)
{
    size_t first, n = waits_of(instance, token, &first);

    for (size_t i = first; i < first + n; i++) {
        struct wait *wait = &instance->waits[i];
        if (wait->kind == kind && wait->node == node)
            return wait;
    }
    return NULL;
}

static struct wait *find_subject(const struct instance *instance, size_t first, size_t n,
                                 enum wait_kind kind, const struct uuid *subject)
{
    for (size_t i = first; i < first + n; i++) {
        struct wait *wait = &instance->waits[i];
        if (wait->kind == kind && uuid_equal(&wait->subject, subject))
            return wait;
    }
    return NULL;
}

struct wait *wait_find_subject(const struct instance *instance, enum wait_kind kind,
                               const struct uuid *subject)
{
    /* What was made since is not in it: few, and nobody knows their ids yet. */
    const void *token = map_get(&instance->subjects, subject);

    if (token != NULL) {
        size_t first, n = waits_of(instance, (uint32_t)(uintptr_t)token, &first);
        struct wait *wait = find_subject(instance, first, n, kind, subject);
        if (wait != NULL)
            return wait;
    }
    return find_subject(instance, 0, instance->n_waits, kind, subject);
}

void wait_remove(struct step *step, struct instance *instance, struct wait *wait)
{
    bool timed = wait->kind == WAIT_TIMER || wait->kind == WAIT_CALLBACK;
    bool has_row = !timed || wait->due_us != INT64_MAX;

    if (!wait->fresh && has_row) {
        struct wait *gone =
            arena_push(step->arena, instance->gone, instance->n_gone, instance->gone_capacity);
        *gone = *wait;
    }
    if (wait->fresh && wait->kind == WAIT_TASK)
        effect_remove_task(step->family, &wait->subject);
    if (wait->kind == WAIT_EXTERNAL)
        effect_remove_external(step->family, &wait->subject);
    if (wait->kind == WAIT_CALLBACK)
        effect_remove_callback(step->family, &wait->subject);
    /* A loaded call may have been asked for again in this batch. */
    if (wait->kind == WAIT_CALL)
        effect_remove_call(step->family, &wait->subject);
    instance->waits = take_out(instance->waits, &instance->n_waits, &instance->waits_capacity,
                               (size_t)(wait - instance->waits), sizeof(*wait));
}

void waits_leave(struct step *step, struct instance *instance, uint32_t id)
{
    const struct token *token = token_find(instance, id);
    uint32_t scope = token != NULL ? token->scope : 0;
    const char **names = NULL;
    size_t n_names = 0, capacity = 0, first, n = waits_of(instance, id, &first);

    for (size_t i = first + n; i-- > first;) {
        struct wait *wait = &instance->waits[i];
        if (wait->kind == WAIT_MESSAGE && instance->n_calls > 0)
            *arena_push(step->arena, names, n_names, capacity) = wait->name;
        wait_remove(step, instance, wait);
    }
    if (n_names > 0)
        fired_left(step, instance, id, scope, names, n_names);
}

uint32_t item_around(const struct instance *instance, uint32_t id)
{
    const struct token *token;

    if (instance == NULL)
        return 0;
    while ((token = token_find(instance, id)) != NULL && token->item == 0 && token->scope != 0) {
        const struct scope *scope = scope_find(instance, token->scope);
        id = scope != NULL ? scope->token : 0;
    }
    return token != NULL ? token->item : 0;
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
    for (size_t v = 0; v < scope->n_variables; v++)
        instance->variable_bytes -= variable_bytes(&scope->variables[v]);
    if (scope->loop != NULL)
        instance->variable_bytes -= loop_bytes(scope->loop);
    instance->scopes = take_out(instance->scopes, &instance->n_scopes, &instance->scopes_capacity,
                                (size_t)(scope - instance->scopes), sizeof(*scope));
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
