/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people do by hand to a token: leave its element as if it were done (skip), go on elsewhere
 * (move), or have it done with a given result (complete). All or nothing: what cannot work is
 * refused, and what the token meets on its way fails the command.
 *
 * A token whose job waits has no place in the document: the command then names its token and node.
 * It goes on under a new number, so that the old job, wherever its row is, finds nobody.
 */
#include "base/build.h"

#include "engine/step.h"

struct wish {
    const struct node *node, *to;
    uint32_t token; /* 0: the one that is there */
    bool named;     /* its number was given, and not found by its job */
    bool after;
    const struct value *variables, *response; /* NULL: none */
};

struct place {
    uint32_t token;
    bool ready; /* a job of it waits … */
    enum command_phase phase;
    const struct wait *wait; /* behind an event-based gateway: that event's */
};

static int node_named(struct step *step, const struct instance *instance, const char *id,
                      const struct node **ret)
{
    int node = id != NULL ? graph_find(instance->graph, id) : -1;

    if (node < 0)
        return err_set(step->err, ERR_NOT_FOUND, "Process '%s' has no element '%.100s'.",
                       instance->graph->key, id != NULL ? id : "");
    *ret = &instance->graph->nodes[node];
    return 0;
}

static const struct value *member(const struct value *object, const char *name,
                                  enum value_kind kind)
{
    const struct value *value = value_member(object, name, strlen(name));

    return value != NULL && value->kind == kind ? value : NULL;
}

static int wish_read(struct step *step, const struct instance *instance, struct wish *ret)
{
    const struct command *command = step->command;
    struct value *body = arena_alloc(step->arena, sizeof(*body));
    const struct value *value;

    *ret = (struct wish){0};
    if (node_named(step, instance, command->name, &ret->node) < 0)
        return err_trace(step->err);
    ret->token = command->token;
    if (command->body == NULL)
        return 0;
    if (value_read(step->arena, command->body, command->body_n, body, step->err) < 0)
        return err_trace(step->err);
    ret->named = member(body, "token", VALUE_NUMBER) != NULL;
    value = member(body, "to", VALUE_STRING);
    if (value != NULL && node_named(step, instance, value->u.string.text, &ret->to) < 0)
        return err_trace(step->err);
    value = member(body, "after", VALUE_BOOL);
    ret->after = value != NULL && value->u.boolean;
    ret->variables = member(body, "variables", VALUE_OBJECT);
    ret->response = member(body, "response", VALUE_OBJECT);
    return 0;
}

/* ---- Where is the token? ---- */

/* A wait of the token for this event, when the token itself is at the gateway before it. */
static const struct wait *gateway_wait(const struct instance *instance, const struct token *token,
                                       int node)
{
    if (token->state != TOKEN_WAIT ||
        instance->graph->nodes[token->node].kind != NODE_EVENT_GATEWAY)
        return NULL;
    for (size_t i = 0; i < instance->n_waits; i++) {
        if (instance->waits[i].token == token->id && instance->waits[i].node == node)
            return &instance->waits[i];
    }
    return NULL;
}

static int place_find(struct step *step, const struct instance *instance, const struct wish *wish,
                      struct place *ret)
{
    int node = node_index(instance, wish->node);
    /* Without a number a multi-instance activity is meant as a whole. */
    bool whole = wish->node->multi != NULL && !wish->named;
    size_t n = 0;

    *ret = (struct place){0};
    for (size_t i = 0; i < instance->n_tokens; i++) {
        const struct token *token = &instance->tokens[i];
        const struct wait *wait = gateway_wait(instance, token, node);
        bool job = token->state == TOKEN_READY && step->command->node == node &&
                   token->id == step->command->token && token_fits(instance, token, wish->node);
        bool here = (token->state != TOKEN_READY && token->node == node) || wait != NULL || job;
        if (!here || (whole ? token->item != 0 : wish->token != 0 && wish->token != token->id))
            continue;
        *ret = (struct place){
            .token = token->id, .ready = job, .phase = step->command->phase, .wait = wait};
        n++;
    }
    if (n == 0)
        return err_set(step->err, ERR_CONFLICT,
                       "No token is at '%s' any more: look where the instance is now.",
                       wish->node->id);
    if (n > 1)
        return err_set(step->err, ERR_CONFLICT,
                       "%zu tokens are at '%s': say which, by the number in the view tokens.", n,
                       wish->node->id);
    return 0;
}

/* ---- Taking it from there ---- */

/* A new token in the scope; the old one goes, with all that it does. */
static int token_replace(struct step *step, struct instance *instance, uint32_t scope, uint32_t old,
                         const char *by, uint32_t *ret_new)
{
    const struct interruption why = {.by = by, .state = "cancelled", .reason = by};

    if (token_new(step, instance, scope, ret_new) < 0)
        return err_trace(step->err);
    if (token_find(instance, old)->scope == scope)
        token_find(instance, *ret_new)->item = token_find(instance, old)->item;
    if (token_find(instance, old)->state != TOKEN_READY &&
        activity_interrupt(step, instance, old, &why) < 0)
        return err_trace(step->err);
    token_remove(instance, old);
    return 0;
}

static int set_variables(struct step *step, struct instance *instance, uint32_t token,
                         const struct wish *wish)
{
    size_t n;

    if (wish->variables == NULL)
        return 0;
    const char *text = value_text(step->arena, wish->variables, &n);
    return variables_set(step, instance, token_scope(instance, token), text, n);
}

static const char *who_and_why(struct step *step)
{
    return history_data(step, "ss", "actor", step->command->actor, "reason", step->command->detail);
}

static int skip(struct step *step, struct instance *instance, const struct wish *wish,
                const struct place *place)
{
    const struct token *token = token_find(instance, place->token);
    uint32_t next;

    if (token->state == TOKEN_JOIN)
        return err_set(step->err, ERR_CONFLICT,
                       "The token waits for others at '%s': move it, or those that are missing.",
                       wish->node->id);
    if (wish->node->kind == NODE_EVENT_GATEWAY)
        return err_set(step->err, ERR_CONFLICT,
                       "'%s' waits for several events: skip the one that it shall go on with.",
                       wish->node->id);
    if (token_replace(step, instance, token->scope, token->id, "skipped by hand", &next) < 0 ||
        set_variables(step, instance, next, wish) < 0)
        return err_trace(step->err);
    history_add(step, HISTORY_SKIPPED, instance, next, wish->node, 0, who_and_why(step));
    move_push(step, instance, next, wish->node,
              place->ready && place->phase == PHASE_AFTER ? MOVE_FLOWS : MOVE_LEAVE);
    return 0;
}

/* ---- Moving ---- */

static int target_check(struct step *step, const struct wish *wish)
{
    if (wish->to == NULL)
        return err_set(step->err, ERR_INVALID, "It is not said where the token shall go.");
    if (wish->to->kind == NODE_BOUNDARY_EVENT)
        return err_set(step->err, ERR_CONFLICT,
                       "No token can stand at the boundary event '%s': move it to what comes "
                       "after, or to the activity.",
                       wish->to->id);
    if (wish->after && wish->to->kind == NODE_EVENT_GATEWAY)
        return err_set(step->err, ERR_CONFLICT,
                       "Behind the event-based gateway '%s' are several events: name one of them.",
                       wish->to->id);
    return 0;
}

/* The scope around the token, or around that, in which the target lies. */
static int scope_of_target(struct step *step, const struct instance *instance, uint32_t scope,
                           const struct node *to, uint32_t *ret)
{
    for (;; scope = scope_find(instance, scope)->parent) {
        if (scope_find(instance, scope)->loop != NULL)
            continue; /* only its items are in it, and only at their activity */
        if (scope_place(instance, scope) == to->scope) {
            *ret = scope;
            return 0;
        }
        if (scope == 0)
            break;
    }
    return err_set(step->err, ERR_CONFLICT,
                   "'%s' lies in subProcess '%s', in which the token is not: move it to the "
                   "subProcess.",
                   to->id, instance->graph->nodes[to->scope].id);
}

/* Sub-processes in which it was the last token go with it. */
static uint32_t outermost_alone(const struct instance *instance, uint32_t id, uint32_t scope)
{
    for (;;) {
        const struct token *token = token_find(instance, id);
        if (token->scope == scope)
            return id;
        const struct scope *around = scope_find(instance, token->scope);
        if (around->n_tokens > 1 || (around->loop != NULL && !item_is_last(around)))
            return id;
        id = around->token;
    }
}

static int move(struct step *step, struct instance *instance, const struct wish *wish,
                const struct place *place)
{
    uint32_t scope, next;

    if (wish->to == wish->node && token_find(instance, place->token)->item != 0)
        return err_set(step->err, ERR_CONFLICT,
                       "An item of '%s' can not be moved to it again: complete it, skip it, or "
                       "move the whole.",
                       wish->node->id);
    if (target_check(step, wish) < 0 ||
        scope_of_target(step, instance, token_find(instance, place->token)->scope, wish->to,
                        &scope) < 0)
        return err_trace(step->err);
    uint32_t victim = outermost_alone(instance, place->token, scope);
    uint32_t around = token_find(instance, victim)->scope;
    uint32_t item = around != scope ? token_find(instance, victim)->item : 0;
    if (token_replace(step, instance, scope, victim, "moved by hand", &next) < 0 ||
        set_variables(step, instance, next, wish) < 0)
        return err_trace(step->err);
    history_add(step, HISTORY_MOVED, instance, next, wish->node, 0,
                history_data(step, "ssss", "to", wish->to->id, "at",
                             wish->after ? "after" : "before", "actor", step->command->actor,
                             "reason", step->command->detail));
    move_push(step, instance, next, wish->to, wish->after ? MOVE_LEAVE : MOVE_ARRIVE);
    return item != 0 ? item_gone(step, instance, around, item) : 0;
}

/* ---- Completing ---- */

static int can_complete(struct step *step, const struct node *node, bool item)
{
    bool event = node->kind == NODE_CATCH_EVENT;

    if (node->multi != NULL && !item)
        return err_set(step->err, ERR_CONFLICT,
                       "%s '%s' is carried out once for each item: say which one is done, by its "
                       "token's number, or skip it as a whole.",
                       node_kind_name(node->kind), node->id);
    if (node->kind == NODE_SUB_PROCESS || node->kind == NODE_CALL_ACTIVITY)
        return err_set(step->err, ERR_CONFLICT,
                       "%s '%s' has a result of its own: complete what waits inside of it, or skip "
                       "it.",
                       node_kind_name(node->kind), node->id);
    if (!node_is_activity(node->kind) && !event)
        return err_set(step->err, ERR_CONFLICT,
                       "%s '%s' has no result: skip it, or move its token.",
                       node_kind_name(node->kind), node->id);
    return 0;
}

/* The answer of a remote call, judged as if it had come. */
static int answer(struct step *step, struct instance *instance, const struct wish *wish,
                  const struct place *place)
{
    const struct wait *wait =
        wait_find(instance, WAIT_CALL, place->token, node_index(instance, wish->node));
    struct trigger trigger = {.instance = instance, .token = place->token, .node = wish->node};

    if (wait == NULL)
        return err_set(step->err, ERR_CONFLICT,
                       "'%s' does not wait for the answer of a call: give it variables in place of "
                       "a response.",
                       wish->node->id);
    trigger.wait = *wait;
    trigger.body = value_text(step->arena, wish->response, &trigger.body_n);
    return wait_trigger(step, &trigger);
}

static int complete(struct step *step, struct instance *instance, const struct wish *wish,
                    const struct place *place)
{
    uint32_t token = place->token;

    if (can_complete(step, wish->node, token_find(instance, token)->item != 0) < 0)
        return err_trace(step->err);
    if (place->ready && place->phase == PHASE_AFTER)
        return err_set(step->err, ERR_CONFLICT,
                       "'%s' is done already, and the way on failed: skip it, or try again.",
                       wish->node->id);
    history_add(step, HISTORY_COMPLETED_BY_HAND, instance, token, wish->node, 0, who_and_why(step));
    if (wish->response != NULL)
        return set_variables(step, instance, token, wish) < 0 ? err_trace(step->err)
                                                              : answer(step, instance, wish, place);
    if (place->wait != NULL) {
        struct trigger trigger = {
            .instance = instance, .token = token, .wait = *place->wait, .node = wish->node};
        if (wish->variables != NULL)
            trigger.body = value_text(step->arena, wish->variables, &trigger.body_n);
        return event_happened(step, &trigger);
    }
    if (place->ready) {
        uint32_t scope = token_find(instance, token)->scope;
        if (token_replace(step, instance, scope, place->token, "completed by hand", &token) < 0 ||
            activity_begin(step, instance, token, wish->node) < 0)
            return err_trace(step->err);
    }
    if (set_variables(step, instance, token, wish) < 0)
        return err_trace(step->err);
    return activity_complete(step, instance, token, wish->node);
}

int command_modify(struct step *step, struct instance *instance)
{
    struct wish wish;
    struct place place;

    if (wish_read(step, instance, &wish) < 0 || place_find(step, instance, &wish, &place) < 0)
        return err_trace(step->err);
    switch (step->command->kind) {
    case COMMAND_SKIP:
        return skip(step, instance, &wish, &place);
    case COMMAND_MOVE:
        return move(step, instance, &wish, &place);
    default:
        return complete(step, instance, &wish, &place);
    }
}
