/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving tokens: arriving at nodes, leaving them, along flows, to the end of a scope. Moves are
 * kept on a stack in the step instead of on C's, so that no process can be deep enough to crash.
 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/behaviour.h"

void move_push(struct step *step, struct instance *instance, uint32_t token,
               const struct node *node, enum move_kind kind)
{
    *arena_push(step->arena, step->moves, step->n_moves, step->moves_capacity) = (struct move){
        .instance = instance, .token = token, .node = node_index(instance, node), .kind = kind};
}

void token_ready(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node, enum command_phase phase)
{
    struct job job = {
        .place = JOB_READY,
        .command = {.kind = COMMAND_CONTINUE,
                    .instance = instance->id,
                    .root = instance->root,
                    .token = token,
                    .node = node_index(instance, node),
                    .phase = phase,
                    .origin = step->command->origin},
    };

    token_detach(instance, token);
    job_add(step, &job);
}

/* ---- Which flows? ---- */

static int no_flow(struct step *step, const struct node *node)
{
    return err_set(step->err, ERR_INVALID,
                   "No outgoing sequence flow for the element with id '%s' could be selected for "
                   "continuing the process (ENGINE-02004). Give the %s a default flow, or make one "
                   "of its conditions true.",
                   node->id, node_kind_name(node->kind));
}

static int flow_holds(struct step *step, struct view *view, const struct flow *flow, bool *ret)
{
    *ret = true;
    if (flow->condition != NULL && view_bool(view, flow->condition, ret) < 0)
        return err_trace(step->err);
    return 0;
}

int flow_choose(struct step *step, struct instance *instance, uint32_t token,
                const struct node *node, int *ret_flow)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);

    for (size_t i = 0; i < node->n_out; i++) {
        bool holds = false;
        if (node->out[i] == node->default_flow)
            continue;
        if (flow_holds(step, &view, &instance->graph->flows[node->out[i]], &holds) < 0)
            return err_trace(step->err);
        if (holds) {
            *ret_flow = node->out[i];
            return 0;
        }
    }
    if (node->default_flow < 0)
        return no_flow(step, node);
    *ret_flow = node->default_flow;
    return 0;
}

/* Activities and events: all flows that hold; the default flow if none does. */
static int choose_all(struct step *step, struct instance *instance, uint32_t token,
                      const struct node *node, int *flows, size_t *ret_n)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);

    *ret_n = 0;
    for (size_t i = 0; i < node->n_out; i++) {
        bool holds = false;
        if (node->out[i] == node->default_flow)
            continue;
        if (flow_holds(step, &view, &instance->graph->flows[node->out[i]], &holds) < 0)
            return err_trace(step->err);
        if (holds)
            flows[(*ret_n)++] = node->out[i];
    }
    if (*ret_n == 0 && node->default_flow >= 0)
        flows[(*ret_n)++] = node->default_flow;
    if (*ret_n == 0 && node->n_out > 0)
        return no_flow(step, node);
    return 0;
}

/* ---- The moves ---- */

/* The first flow keeps the token, so that a chain of nodes changes no document. */
static int take_flows(struct step *step, struct instance *instance, uint32_t token,
                      const struct node *node, const int *flows, size_t n)
{
    uint32_t scope = token_find(instance, token)->scope;
    bool job_each = node->async_after && node->kind == NODE_PARALLEL_GATEWAY;
    uint32_t *tokens = arena_array(step->arena, n, sizeof(*tokens));

    tokens[0] = token;
    for (size_t i = 1; i < n; i++)
        if (token_new(step, instance, scope, &tokens[i]) < 0)
            return err_trace(step->err);
    for (size_t i = n; i-- > 0;) {
        const struct node *target =
            &instance->graph->nodes[instance->graph->flows[flows[i]].target];
        if (job_each)
            token_ready(step, instance, tokens[i], target, PHASE_ENTER);
        else
            move_push(step, instance, tokens[i], target, MOVE_ARRIVE);
    }
    return 0;
}

static int move_flows(struct step *step, struct instance *instance, uint32_t token,
                      const struct node *node)
{
    const struct behaviour *behaviour = behaviour_of(node);
    size_t n = 0;

    if (node->n_out == 0)
        return token_end(step, instance, token);
    if (node->n_out == 1 && instance->graph->flows[node->out[0]].condition == NULL)
        return take_flows(step, instance, token, node, node->out, 1);
    int *flows = arena_array(step->arena, node->n_out, sizeof(*flows));
    int result = behaviour->choose != NULL
                     ? behaviour->choose(step, instance, token, node, flows, &n)
                     : choose_all(step, instance, token, node, flows, &n);
    if (result < 0)
        return err_trace(step->err);
    return take_flows(step, instance, token, node, flows, n);
}

static int move_enter(struct step *step, struct instance *instance, uint32_t token,
                      const struct node *node)
{
    step->family->moves++;
    if (node->multi != NULL && token_find(instance, token)->item == 0)
        return multi_begin(step, instance, token, node);
    if (activity_begin(step, instance, token, node) < 0)
        return err_trace(step->err);
    if (behaviour_of(node)->enter(step, instance, token, node) < 0)
        return err_trace(step->err);
    if (instance->n_calls > 0 && fired_deliver_kept(step, instance, token) < 0)
        return err_trace(step->err);
    return 0;
}

static int move_run(struct step *step, const struct move *move)
{
    struct instance *instance = move->instance;
    const struct node *node = &instance->graph->nodes[move->node];
    bool item = token_find(instance, move->token)->item != 0;
    bool async_after = item ? node->multi->async_after : node->async_after;

    switch (move->kind) {
    case MOVE_ARRIVE:
        if (item)
            return item_arrive(step, instance, move->token, node);
        if (node->async_before)
            token_ready(step, instance, move->token, node, PHASE_BEFORE);
        else if (step->family->moves >= LIMIT_STEP_MOVES || step->family->suspended)
            token_ready(step, instance, move->token, node, PHASE_ENTER);
        else
            return move_enter(step, instance, move->token, node);
        return 0;
    case MOVE_ENTER:
        return move_enter(step, instance, move->token, node);
    case MOVE_LEAVE:
        /* A parallel gateway makes a job of each of its flows instead: see take_flows(). */
        if (async_after && node->kind != NODE_PARALLEL_GATEWAY) {
            token_ready(step, instance, move->token, node, PHASE_AFTER);
            return 0;
        }
        break;
    case MOVE_FLOWS:
        break;
    }
    if (item)
        return item_end(step, instance, move->token);
    return move_flows(step, instance, move->token, node);
}

int moves_run(struct step *step)
{
    while (step->n_moves > 0) {
        struct move move = step->moves[--step->n_moves];
        if (move.instance->fate == INSTANCE_ENDED || token_find(move.instance, move.token) == NULL)
            continue; /* interrupted before its turn came */
        if (step->arena->used - step->arena_start > LIMIT_FAMILY_BYTES)
            return err_set(step->err, ERR_LIMIT,
                           "The step needs more than %u MiB of memory. Are there very large "
                           "variables, or a loop that copies them?",
                           LIMIT_FAMILY_BYTES >> 20);
        if (move_run(step, &move) < 0)
            return err_trace(step->err);
    }
    return 0;
}

/* ---- The end of flows, scopes and instances ---- */

static int sub_process_end(struct step *step, struct instance *instance, uint32_t scope)
{
    uint32_t owner = scope_find(instance, scope)->token;
    const struct node *node = node_at(instance, token_find(instance, owner)->node);
    struct trigger trigger = {.instance = instance, .token = owner, .node = node};

    return behaviour_of(node)->trigger(step, &trigger);
}

int token_end(struct step *step, struct instance *instance, uint32_t token)
{
    uint32_t scope = token_find(instance, token)->scope;

    if (token_find(instance, token)->item != 0)
        return item_end(step, instance, token);
    token_remove(instance, token);
    if (scope_has_tokens(instance, scope))
        return 0;
    if (scope != 0)
        return sub_process_end(step, instance, scope);
    return instance_end(step, instance, NULL, NULL);
}

int instance_end(struct step *step, struct instance *instance, const char *state,
                 const char *reason)
{
    const char *data =
        state != NULL ? history_data(step, "ss", "state", state, "reason", reason) : NULL;

    fired_close_all(step, instance);
    history_add(step, HISTORY_INSTANCE_ENDED, instance, 0, NULL, instance->started_us, data);
    instance->fate = INSTANCE_ENDED;
    if (uuid_is_nil(&instance->parent))
        return 0;
    struct instance *parent;
    if (need_instance(step, &instance->parent, &parent) < 0)
        return err_trace(step->err);
    const struct wait *wait = wait_find_subject(parent, WAIT_CHILD, &instance->id);
    if (wait == NULL || wait->token != instance->parent_token)
        return err_set(step->err, ERR_CONFLICT,
                       "The instance that called this one does not wait for it any more.");
    struct trigger trigger = {.instance = parent,
                              .token = wait->token,
                              .wait = *wait,
                              .node = node_at(parent, wait->node),
                              .child = instance};
    return wait_trigger(step, &trigger);
}
