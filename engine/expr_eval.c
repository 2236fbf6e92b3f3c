/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/expr_internal.h"
#include "engine/isotime.h"

/* Walking the tree. Its depth is bounded by LIMIT_EXPR_DEPTH, the text it makes by expr_room(). */

int expr_made(struct expr_run *run, uint32_t column, size_t n)
{
    if (n > LIMIT_VALUE_BYTES)
        return expr_refuse(run->err, ERR_LIMIT, run->expr->text, run->expr->n, column,
                           "the text made here would be longer than %u bytes", LIMIT_VALUE_BYTES);
    run->made += n;
    if (run->made > LIMIT_EXPR_WORK_BYTES || arena_full(run->arena))
        return expr_refuse(run->err, ERR_LIMIT, run->expr->text, run->expr->n, column,
                           "the expression makes more text than it may (%u bytes in all)",
                           LIMIT_EXPR_WORK_BYTES);
    return 0;
}

char *expr_room(struct expr_run *run, uint32_t column, size_t n)
{
    return expr_made(run, column, n) < 0 ? NULL : arena_alloc(run->arena, n + 1);
}

static bool lookup(struct expr_run *run, const char *name, size_t n, struct value *ret)
{
    return run->env->variable != NULL && run->env->variable(run->env->context, name, n, ret);
}

static int eval_variable(struct expr_run *run, const struct expr_node *node, struct value *ret)
{
    if (lookup(run, node->u.variable.name, node->u.variable.n, ret))
        return 0;
    return expr_fail(run, node->column,
                     "there is no variable '%.100s'; set it before, or ask with empty %.100s or "
                     "execution.getVariable('%.100s')",
                     node->u.variable.name, node->u.variable.name, node->u.variable.name);
}

static int eval_lookup(struct expr_run *run, const struct expr_node *node, struct value *ret)
{
    struct value name;

    if (expr_node_eval(run, node->u.lookup.name, &name) < 0)
        return -1;
    if (name.kind != VALUE_STRING)
        return expr_fail(run, node->u.lookup.name->column,
                         "the variable's name must be a string, not %s",
                         value_kind_name(name.kind));
    bool found = lookup(run, name.u.string.text, name.u.string.n, ret);
    if (node->u.lookup.has)
        *ret = value_bool(found);
    else if (!found)
        *ret = value_null();
    return 0;
}

static struct value text_or_null(const char *text)
{
    struct value value = value_null();

    if (text != NULL) {
        value.kind = VALUE_STRING;
        value.u.string.text = text;
        value.u.string.n = strlen(text);
    }
    return value;
}

static struct value time_or_null(struct arena *arena, int64_t us)
{
    char date[28];

    if (us == 0)
        return value_null();
    iso_date_format(us, date);
    return value_string(arena, date, strlen(date));
}

static struct value property(const struct expr_run *run, enum expr_property which)
{
    const struct expr_env *env = run->env;

    switch (which) {
    case EXPR_PROPERTY_INSTANCE_ID:
        return text_or_null(env->process_instance_id);
    case EXPR_PROPERTY_BUSINESS_KEY:
        return text_or_null(env->business_key);
    case EXPR_PROPERTY_DEFINITION_ID:
        return text_or_null(env->process_definition_id);
    case EXPR_PROPERTY_DEFINITION_KEY:
        return text_or_null(env->process_definition_key);
    case EXPR_PROPERTY_ACTIVITY_ID:
        return text_or_null(env->activity_id);
    case EXPR_PROPERTY_ACTIVITY_NAME:
        return text_or_null(env->activity_name);
    case EXPR_PROPERTY_TENANT_ID:
        return text_or_null(env->tenant_id);
    case EXPR_PROPERTY_START_TIME:
        return time_or_null(run->arena, env->started_us);
    case EXPR_PROPERTY_ENTERED_TIME:
        return time_or_null(run->arena, env->entered_us);
    case EXPR_PROPERTY_RETRY_COUNT:
        return value_integer(run->arena, env->retry_count);
    }
    return value_null();
}

/* a.name: of an object; of null it is null, as in JUEL. */
static int step_member(struct expr_run *run, const struct expr_step *step, const struct value *self,
                       struct value *ret)
{
    if (self->kind == VALUE_OBJECT) {
        const struct value *member = value_member(self, step->name, step->name_n);
        *ret = member != NULL ? *member : value_null();
        return 0;
    }
    if (self->kind == VALUE_NULL) {
        *ret = value_null();
        return 0;
    }
    const char *hint = "only objects have members";
    if (self->kind == VALUE_ARRAY)
        hint = "an item is a[0], their number a.size()";
    else if (self->kind == VALUE_STRING)
        hint = "the methods of a string end in (), as in a.length()";
    return expr_fail(run, step->column, "'%.100s' is asked of a value of type %s: %s", step->name,
                     value_kind_name(self->kind), hint);
}

/* The position in an array that a value names; -1: none that exists. */
static int index_of(struct expr_run *run, uint32_t column, const struct value *key, int64_t *ret)
{
    struct value number = *key;

    if (key->kind == VALUE_STRING &&
        !expr_number(run->arena, key->u.string.text, key->u.string.n, &number))
        return expr_fail(run, column,
                         "an array's index must be a whole number, not another string");
    if (number.kind != VALUE_NUMBER)
        return expr_fail(run, column, "an array's index must be a whole number, not %s",
                         value_kind_name(number.kind));
    if (number.u.number.is_integer) {
        *ret = number.u.number.integer;
        return 0;
    }
    double d = number.u.number.number;
    *ret = d >= 0 && d < 1e15 ? (int64_t)d : -1;
    if (*ret >= 0 && ((double)*ret < d || (double)*ret > d))
        return expr_fail(run, column, "an array's index must be a whole number");
    return 0;
}

/* a[key]: what is not there is null, as in JUEL. */
static int step_index(struct expr_run *run, const struct expr_step *step, const struct value *self,
                      const struct value *key, struct value *ret)
{
    int64_t i;
    size_t n;

    switch (self->kind) {
    case VALUE_NULL:
        *ret = value_null();
        return 0;
    case VALUE_OBJECT: {
        const char *name;
        if (expr_text_of(run, step->column, key, &name, &n) < 0)
            return -1;
        const struct value *member = key->kind == VALUE_NULL ? NULL : value_member(self, name, n);
        *ret = member != NULL ? *member : value_null();
        return 0;
    }
    case VALUE_ARRAY:
        if (index_of(run, step->column, key, &i) < 0)
            return -1;
        *ret = i >= 0 && (uint64_t)i < self->u.array.n ? self->u.array.items[i] : value_null();
        return 0;
    case VALUE_BOOL:
    case VALUE_NUMBER:
    case VALUE_STRING:
        break;
    }
    return expr_fail(run, step->column,
                     "a value of type %s has no items; only arrays and objects "
                     "can be indexed",
                     value_kind_name(self->kind));
}

static int eval_steps(struct expr_run *run, const struct expr_node *node, struct value self,
                      struct value *ret)
{
    for (size_t i = 0; i < node->u.path.n; i++) {
        const struct expr_step *step = &node->u.path.steps[i];
        struct value args[2], next;
        int r = 0;
        for (unsigned k = 0; k < step->n_args; k++) {
            if (expr_node_eval(run, step->args[k], &args[k]) < 0)
                return -1;
        }
        switch (step->kind) {
        case EXPR_STEP_MEMBER:
            r = step_member(run, step, &self, &next);
            break;
        case EXPR_STEP_INDEX:
            r = step_index(run, step, &self, &args[0], &next);
            break;
        case EXPR_STEP_METHOD:
            r = expr_method_call(run, step, &self, args, &next);
            break;
        }
        if (r < 0)
            return -1;
        self = next;
    }
    *ret = self;
    return 0;
}

static int eval_path(struct expr_run *run, const struct expr_node *node, struct value *ret)
{
    struct value base;

    if (expr_node_eval(run, node->u.path.base, &base) < 0)
        return -1;
    return eval_steps(run, node, base, ret);
}

/* Under `empty` a variable that does not exist is null, and so is what is asked of it. */
static int eval_for_empty(struct expr_run *run, const struct expr_node *node, struct value *ret)
{
    const struct expr_node *base = node->kind == EXPR_NODE_PATH ? node->u.path.base : node;

    if (base->kind == EXPR_NODE_VARIABLE &&
        !lookup(run, base->u.variable.name, base->u.variable.n, ret)) {
        *ret = value_null();
        return 0;
    }
    return expr_node_eval(run, node, ret);
}

static bool is_empty(const struct value *value)
{
    return value->kind == VALUE_NULL || (value->kind == VALUE_STRING && value->u.string.n == 0) ||
           (value->kind == VALUE_ARRAY && value->u.array.n == 0) ||
           (value->kind == VALUE_OBJECT && value->u.object.n == 0);
}

static int eval_unary(struct expr_run *run, const struct expr_node *node, struct value *ret)
{
    struct value operand;
    bool truth;

    if (node->u.unary.op == EXPR_OP_EMPTY) {
        if (eval_for_empty(run, node->u.unary.operand, &operand) < 0)
            return -1;
        *ret = value_bool(is_empty(&operand));
        return 0;
    }
    if (expr_node_eval(run, node->u.unary.operand, &operand) < 0)
        return -1;
    if (node->u.unary.op == EXPR_OP_NEGATE)
        return expr_op_negate(run, node->column, &operand, ret);
    if (expr_to_bool(run, node->column, "'!'", &operand, &truth) < 0)
        return -1;
    *ret = value_bool(!truth);
    return 0;
}

/* a && b && c, or a || b || c: evaluated until the outcome is known. */
static int eval_logic(struct expr_run *run, const struct expr_node *node, struct value *ret)
{
    bool is_or = node->u.chain.terms[0].op == EXPR_OP_OR, truth;
    const char *who = is_or ? "'||'" : "'&&'";
    struct value value;

    for (size_t i = 0; i <= node->u.chain.n; i++) {
        const struct expr_node *operand =
            i == 0 ? node->u.chain.first : node->u.chain.terms[i - 1].operand;
        uint32_t column = node->u.chain.terms[i == 0 ? 0 : i - 1].column;
        if (expr_node_eval(run, operand, &value) < 0 ||
            expr_to_bool(run, column, who, &value, &truth) < 0)
            return -1;
        if (truth == is_or)
            break;
    }
    *ret = value_bool(truth);
    return 0;
}

static int eval_chain(struct expr_run *run, const struct expr_node *node, struct value *ret)
{
    struct value left, right;
    bool truth;

    if (node->u.chain.terms[0].op == EXPR_OP_OR || node->u.chain.terms[0].op == EXPR_OP_AND)
        return eval_logic(run, node, ret);
    if (expr_node_eval(run, node->u.chain.first, &left) < 0)
        return -1;
    for (size_t i = 0; i < node->u.chain.n; i++) {
        const struct expr_term *term = &node->u.chain.terms[i];
        if (expr_node_eval(run, term->operand, &right) < 0)
            return -1;
        if (term->op >= EXPR_OP_EQ && term->op <= EXPR_OP_GE) {
            if (expr_op_compare(run, term->column, term->op, &left, &right, &truth) < 0)
                return -1;
            left = value_bool(truth);
        } else {
            struct value result;
            if (expr_op_arithmetic(run, term->column, term->op, &left, &right, &result) < 0)
                return -1;
            left = result;
        }
    }
    *ret = left;
    return 0;
}

static int eval_choice(struct expr_run *run, const struct expr_node *node, struct value *ret)
{
    struct value condition;
    bool truth;

    if (expr_node_eval(run, node->u.choice.condition, &condition) < 0 ||
        expr_to_bool(run, node->column, "'?'", &condition, &truth) < 0)
        return -1;
    return expr_node_eval(run, truth ? node->u.choice.yes : node->u.choice.no, ret);
}

static int eval_join(struct expr_run *run, const struct expr_node *node, struct value *ret)
{
    size_t n = node->u.join.n, total = 0, at = 0;
    const char **texts = arena_array(run->arena, n, sizeof(*texts));
    size_t *lengths = arena_array(run->arena, n, sizeof(*lengths));

    for (size_t i = 0; i < n; i++) {
        struct value value;
        if (expr_node_eval(run, node->u.join.parts[i], &value) < 0)
            return -1;
        if (expr_text_of(run, node->u.join.parts[i]->column, &value, &texts[i], &lengths[i]) < 0)
            return -1;
        total += lengths[i];
    }
    char *room = expr_room(run, node->column, total);
    if (room == NULL)
        return -1;
    for (size_t i = 0; i < n; i++) {
        memcpy(room + at, texts[i], lengths[i]);
        at += lengths[i];
    }
    *ret = (struct value){.kind = VALUE_STRING};
    ret->u.string.text = room;
    ret->u.string.n = total;
    return 0;
}

int expr_node_eval(struct expr_run *run, const struct expr_node *node, struct value *ret)
{
    switch (node->kind) {
    case EXPR_NODE_LITERAL:
        *ret = *node->u.literal;
        return 0;
    case EXPR_NODE_VARIABLE:
        return eval_variable(run, node, ret);
    case EXPR_NODE_PROPERTY:
        *ret = property(run, node->u.property);
        return 0;
    case EXPR_NODE_LOOKUP:
        return eval_lookup(run, node, ret);
    case EXPR_NODE_NOW:
        *ret = time_or_null(run->arena, run->env->now_us);
        return 0;
    case EXPR_NODE_UNARY:
        return eval_unary(run, node, ret);
    case EXPR_NODE_CHAIN:
        return eval_chain(run, node, ret);
    case EXPR_NODE_CHOICE:
        return eval_choice(run, node, ret);
    case EXPR_NODE_PATH:
        return eval_path(run, node, ret);
    case EXPR_NODE_JOIN:
        return eval_join(run, node, ret);
    }
    return expr_fail(run, node->column, "this node of the tree is not known");
}
