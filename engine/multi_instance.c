/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multiInstanceLoopCharacteristics: an activity that is carried out once for each item.
 *
 * The token of the whole stays at the activity, with its boundary events, and has a scope for the
 * items: nrOfInstances and its like are variables there. Each item is a token in that scope, at the
 * same activity, and goes through it like any other; its number and its element are variables of
 * its own. What an item comes to (output_element) is kept with the loop until all are gathered
 * in a list, in the order of the items. Parallel items follow each other as they come to the
 * activity, sequential ones as they end: so the step budget cuts a fan-out of thousands into
 * slices, and one job at a time carries it on.
 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/step.h"

/* ---- How many, and which ---- */

static int not_a_number(struct view *view, const struct value *value)
{
    size_t n;
    const char *text = value_text(view->step->arena, value, &n);

    return err_set(view->step->err, ERR_INVALID,
                   "%s '%s': its loopCardinality is %s; a whole number from 0 to %u is wanted.",
                   node_kind_name(view->node->kind), view->node->id,
                   text_cut(view->step->arena, text, 80), LIMIT_ITEMS);
}

static int too_many(struct view *view, int64_t n)
{
    return err_set(view->step->err, ERR_LIMIT,
                   "%s '%s' would have %lld items, and the limit is %u. Split the collection, and "
                   "call a process for each part.",
                   node_kind_name(view->node->kind), view->node->id, (long long)n, LIMIT_ITEMS);
}

static int cardinality_read(struct view *view, struct loop *loop)
{
    struct value value;
    int64_t n;

    if (view_value(view, view->node->multi->cardinality, &value) < 0)
        return err_trace(view->step->err);
    if (value.kind == VALUE_STRING) {
        char *end;
        n = strtoll(value.u.string.text, &end, 10);
        if (end == value.u.string.text || *end != '\0')
            return not_a_number(view, &value);
    } else if (value.kind == VALUE_NUMBER && value.u.number.is_integer) {
        n = value.u.number.integer;
    } else {
        return not_a_number(view, &value);
    }
    if (n < 0)
        return not_a_number(view, &value);
    if (n > LIMIT_ITEMS)
        return too_many(view, n);
    loop->total = (uint32_t)n;
    return 0;
}

static int collection_value(struct view *view, struct value *ret)
{
    const struct multi_instance *multi = view->node->multi;
    const struct value *variable;

    if (multi->collection != NULL)
        return view_value(view, multi->collection, ret);
    if (variable_get(view->step, view->instance, view->scope, multi->collection_variable,
                     strlen(multi->collection_variable), &variable) < 0)
        return err_trace(view->step->err);
    if (variable == NULL)
        return err_set(view->step->err, ERR_INVALID,
                       "%s '%s': its collection is the variable '%s', which is not there.",
                       node_kind_name(view->node->kind), view->node->id,
                       multi->collection_variable);
    *ret = *variable;
    return 0;
}

static int collection_read(struct view *view, struct loop *loop)
{
    struct value *value = arena_alloc(view->step->arena, sizeof(*value));

    if (collection_value(view, value) < 0)
        return err_trace(view->step->err);
    if (value->kind != VALUE_ARRAY)
        return err_set(view->step->err, ERR_INVALID,
                       "%s '%s': its collection is of the kind %s; a list is wanted.",
                       node_kind_name(view->node->kind), view->node->id,
                       value_kind_name(value->kind));
    if (value->u.array.n > LIMIT_ITEMS)
        return too_many(view, (int64_t)value->u.array.n);
    loop->total = (uint32_t)value->u.array.n;
    loop->values = value;
    loop->items = value_text(view->step->arena, value, &loop->items_n);
    return 0;
}

/* The collection is taken once: what becomes of the variable later changes no item. */
static int element_of(struct step *step, struct loop *loop, uint32_t item, struct value *ret)
{
    if (loop->values == NULL) {
        struct value *values = arena_alloc(step->arena, sizeof(*values));
        if (value_read(step->arena, loop->items, loop->items_n, values, step->err) < 0)
            return err_trace(step->err);
        loop->values = values;
    }
    if (loop->values->kind != VALUE_ARRAY || item > loop->values->u.array.n)
        return err_set(step->err, ERR_INTERNAL, "Item %u of a collection is missing.", item);
    *ret = loop->values->u.array.items[item - 1];
    return 0;
}

/* ---- Variables ---- */

static int counter_set(struct step *step, struct instance *instance, struct scope *scope,
                       const char *name, uint32_t count)
{
    struct value value = value_integer(step->arena, count);
    bool locals_changed = instance->locals_changed;

    int result = variable_set_local(step, instance, scope->id, name, &value);
    /* Nobody keeps a copy of it: see instance_locals(). */
    instance->locals_changed = locals_changed;
    scope->changed = false;
    return result < 0 ? err_trace(step->err) : 0;
}

static int counters_set(struct step *step, struct instance *instance, struct scope *scope)
{
    const struct loop *loop = scope->loop;
    const struct node *node = &instance->graph->nodes[scope->node];
    uint32_t active = scope->n_tokens + (node->multi->sequential ? 0 : loop->total - loop->begun);

    if (counter_set(step, instance, scope, "nrOfInstances", loop->total) < 0 ||
        counter_set(step, instance, scope, "nrOfActiveInstances", active) < 0)
        return err_trace(step->err);
    return counter_set(step, instance, scope, "nrOfCompletedInstances", loop->completed);
}

/* Before the others: an item whose result has another's name gives that. */
static int output_begin(struct step *step, struct instance *instance, uint32_t scope,
                        const struct multi_instance *multi)
{
    struct value none = value_null();

    if (multi->output_variable == NULL)
        return 0;
    return variable_set_local(step, instance, scope, multi->output_variable, &none);
}

int item_variables(struct step *step, struct instance *instance, uint32_t id, uint32_t scope)
{
    const struct token *token = token_find(instance, id);
    const struct scope *whole = scope_find(instance, token->scope);
    const struct multi_instance *multi = instance->graph->nodes[whole->node].multi;
    struct value number = value_integer(step->arena, token->item - 1), element;

    if (output_begin(step, instance, scope, multi) < 0 ||
        variable_set_local(step, instance, scope, "loopCounter", &number) < 0)
        return err_trace(step->err);
    if (multi->index_variable != NULL &&
        variable_set_local(step, instance, scope, multi->index_variable, &number) < 0)
        return err_trace(step->err);
    if (whole->loop->items == NULL)
        return 0;
    if (multi->element_variable != NULL &&
        (element_of(step, whole->loop, token->item, &element) < 0 ||
         variable_set_local(step, instance, scope, multi->element_variable, &element) < 0))
        return err_trace(step->err);
    /* All have theirs by now, unless jobs bring them in in any order. */
    if (token->item == whole->loop->total && !multi->async_before)
        whole->loop->items = NULL;
    return 0;
}

/* ---- Results ---- */

int item_result(struct step *step, struct instance *instance, uint32_t id, const struct node *node,
                uint32_t scope)
{
    const struct token *token = token_find(instance, id);
    struct loop *loop = scope_find(instance, token->scope)->loop;
    struct view view = view_of(step, instance, scope, node);
    struct value value;

    if (node->multi->output_collection == NULL)
        return 0;
    view.token = id;
    if (view_value(&view, node->multi->output_element, &value) < 0)
        return err_trace(step->err);
    if (value.kind == VALUE_NULL)
        return 0;
    if (loop->results == NULL)
        loop->results = arena_array(step->arena, loop->total, sizeof(*loop->results));
    struct loop_result *result = &loop->results[token->item - 1];
    result->text = value_text(step->arena, &value, &result->n);
    instance->variable_bytes += result->n;
    return 0;
}

size_t loop_bytes(const struct loop *loop)
{
    size_t bytes = 0;

    for (uint32_t i = 0; loop->results != NULL && i < loop->total; i++)
        bytes += loop->results[i].n;
    return bytes;
}

/* [1,null,3], as a variable around the activity. */
static int results_gather(struct step *step, struct instance *instance, uint32_t outer,
                          const struct multi_instance *multi, const struct loop *loop)
{
    CLEANUP(buf_deinit) struct buf buf;
    const char *name = multi->output_collection;

    buf_init(&buf, 0);
    if (name == NULL)
        return 0;
    struct value key = value_string(step->arena, name, strlen(name));
    buf_add_char(&buf, '{');
    value_write(&key, &buf);
    buf_add_str(&buf, ":[");
    for (uint32_t i = 0; i < loop->total; i++) {
        const struct loop_result *result = loop->results != NULL ? &loop->results[i] : NULL;
        if (i > 0)
            buf_add_char(&buf, ',');
        if (result != NULL && result->text != NULL)
            buf_add(&buf, result->text, result->n);
        else
            buf_add_str(&buf, "null");
    }
    buf_add_str(&buf, "]}");
    return variables_set(step, instance, outer, arena_strndup(step->arena, buf.data, buf.len),
                         buf.len);
}

/* ---- Items ---- */

static int item_next(struct step *step, struct instance *instance, uint32_t scope)
{
    struct loop *loop = scope_find(instance, scope)->loop;
    const struct node *node = &instance->graph->nodes[scope_place(instance, scope)];
    uint32_t token;

    if (token_new(step, instance, scope, &token) < 0)
        return err_trace(step->err);
    token_find(instance, token)->item = ++loop->begun;
    move_push(step, instance, token, node, MOVE_ARRIVE);
    return 0;
}

int item_arrive(struct step *step, struct instance *instance, uint32_t id, const struct node *node)
{
    const struct token *token = token_find(instance, id);
    const struct loop *loop = scope_find(instance, token->scope)->loop;
    uint32_t scope = token->scope;
    bool more = !node->multi->sequential && token->item == loop->begun && loop->begun < loop->total;
    /* For each answer of a SQL delegate the step is run again. */
    bool later = step->family->moves >= LIMIT_STEP_MOVES || step->family->suspended ||
                 (node->service == SERVICE_SQL && step->family->n_sql >= LIMIT_STEP_DELEGATES);

    /* A new job is free to come back: what asyncBefore makes one of would not lead on. */
    if (later && (more || !node->multi->async_before)) {
        token_ready(step, instance, id, node, PHASE_ENTER);
        return 0;
    }
    if (more && item_next(step, instance, scope) < 0)
        return err_trace(step->err);
    if (node->multi->async_before) {
        step->family->moves++;
        token_ready(step, instance, id, node, PHASE_BEFORE);
    } else {
        move_push(step, instance, id, node, MOVE_ENTER);
    }
    return 0;
}

bool item_is_last(const struct scope *scope)
{
    return scope->n_tokens == 1 && scope->loop->begun == scope->loop->total;
}

/* ---- The whole ---- */

int multi_begin(struct step *step, struct instance *instance, uint32_t token,
                const struct node *node)
{
    uint32_t outer = token_find(instance, token)->scope;
    struct view view = view_of(step, instance, outer, node);
    struct loop *loop = arena_alloc(step->arena, sizeof(*loop));

    int result = node->multi->cardinality != NULL ? cardinality_read(&view, loop)
                                                  : collection_read(&view, loop);
    if (result < 0)
        return err_trace(step->err);
    fired_again(step, instance, node_index(instance, node), outer);
    if (loop->total == 0)
        return results_gather(step, instance, outer, node->multi, loop) < 0
                   ? err_trace(step->err)
                   : activity_complete(step, instance, token, node);
    uint32_t inner = scope_new(step, instance, outer, node, token);
    scope_find(instance, inner)->loop = loop;
    token_place(step, instance, token, TOKEN_SCOPE, node);
    token_find(instance, token)->child = inner;
    history_add(step, HISTORY_ACTIVITY_STARTED, instance, token, node, step->family->now_us, NULL);
    if (counters_set(step, instance, scope_find(instance, inner)) < 0 ||
        boundary_arm(step, instance, token, node) < 0)
        return err_trace(step->err);
    return item_next(step, instance, inner);
}

static int multi_end(struct step *step, struct instance *instance, uint32_t scope)
{
    uint32_t token = scope_find(instance, scope)->token;
    const struct node *node = &instance->graph->nodes[scope_place(instance, scope)];

    if (results_gather(step, instance, scope_find(instance, scope)->parent, node->multi,
                       scope_find(instance, scope)->loop) < 0 ||
        activity_complete(step, instance, token, node) < 0)
        return err_trace(step->err);
    fired_scope_ended(step, instance, scope, false);
    scope_remove(instance, scope);
    return 0;
}

int item_gone(struct step *step, struct instance *instance, uint32_t id, uint32_t item)
{
    struct scope *scope = scope_find(instance, id);
    const struct loop *loop = scope->loop;
    bool follows = instance->graph->nodes[scope->node].multi->sequential ? scope->n_tokens == 0
                                                                         : item == loop->begun;

    if (follows && loop->begun < loop->total) {
        if (item_next(step, instance, id) < 0)
            return err_trace(step->err);
        return counters_set(step, instance, scope_find(instance, id));
    }
    if (scope->n_tokens == 0)
        return multi_end(step, instance, id);
    return counters_set(step, instance, scope);
}

static int completion_holds(struct step *step, struct instance *instance, uint32_t scope, bool *ret)
{
    const struct node *node = &instance->graph->nodes[scope_place(instance, scope)];
    struct view view = view_of(step, instance, scope, node);

    *ret = false;
    if (node->multi->completion == NULL)
        return 0;
    /* It sees how many are done and at work now that this one is. */
    if (counters_set(step, instance, scope_find(instance, scope)) < 0 ||
        view_bool(&view, node->multi->completion, ret) < 0)
        return err_trace(step->err);
    return 0;
}

int item_end(struct step *step, struct instance *instance, uint32_t id)
{
    const struct interruption why = {
        .by = "completionCondition", .state = "cancelled", .reason = "completionCondition"};
    uint32_t scope = token_find(instance, id)->scope, item = token_find(instance, id)->item;
    bool enough;

    token_remove(instance, id);
    scope_find(instance, scope)->loop->completed++;
    if (completion_holds(step, instance, scope, &enough) < 0)
        return err_trace(step->err);
    if (!enough)
        return item_gone(step, instance, scope, item);
    if (scope_interrupt(step, instance, scope, 0, &why) < 0)
        return err_trace(step->err);
    return multi_end(step, instance, scope);
}
