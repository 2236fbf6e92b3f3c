/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <stdarg.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "engine/expr_internal.h"

/* The public face: text with ${…} in it, and what a caller wants of its value. */

/* How much of the text a message shows on each side of the column. */
#define SHOWN_BYTES 60u

int expr_refuse(struct err *err, enum err_code code, const char *text, size_t text_n, size_t column,
                const char *format, ...)
{
    char what[600];
    size_t at = column - 1, from = 0, to = text_n;
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    if (at > SHOWN_BYTES) {
        from = at - SHOWN_BYTES;
        while (((unsigned char)text[from] & 0xc0) == 0x80)
            from++;
    }
    if (to > at + SHOWN_BYTES) {
        to = at + SHOWN_BYTES;
        while (((unsigned char)text[to] & 0xc0) == 0x80)
            to--;
    }
    err_set(err, code, "in %s%.*s%s at column %zu: %s", from > 0 ? "..." : "", (int)(to - from),
            text + from, to < text_n ? "..." : "", column, what);
    if (err != NULL)
        err->column = (int)column;
    return -1;
}

/* The next ${ or #{ that no backslash takes back; NULL if there is none. */
static const char *find_open(const char *p, const char *end)
{
    for (; end - p >= 2; p++) {
        if (p[0] == '\\' && end - p >= 3 && (p[1] == '$' || p[1] == '#') && p[2] == '{')
            p += 2;
        else if ((p[0] == '$' || p[0] == '#') && p[1] == '{')
            return p;
    }
    return NULL;
}

/* The text between expressions; \${ stands for ${. */
static const struct expr_node *text_node(struct expr_source *s, const char *from, const char *to)
{
    struct expr_node *node = arena_alloc(s->arena, sizeof(*node));
    struct value *value = arena_alloc(s->arena, sizeof(*value));
    char *copy = arena_alloc(s->arena, (size_t)(to - from) + 1);
    size_t n = 0;

    node->column = (uint32_t)(from - s->text) + 1;
    for (; from < to; from++) {
        if (!(from[0] == '\\' && to - from >= 3 && (from[1] == '$' || from[1] == '#') &&
              from[2] == '{'))
            copy[n++] = *from;
    }
    value->kind = VALUE_STRING;
    value->u.string.text = copy;
    value->u.string.n = n;
    node->kind = EXPR_NODE_LITERAL;
    node->u.literal = value;
    return node;
}

/* All parts of a text that has at least one expression. */
static int compile_parts(struct expr_source *s, const struct expr_node **ret)
{
    const struct expr_node **parts = NULL, *part;
    size_t n = 0, capacity = 0;
    const char *open;

    while ((open = find_open(s->p, s->end)) != NULL) {
        if (open > s->p)
            *arena_push(s->arena, parts, n, capacity) = text_node(s, s->p, open);
        s->p = open + 2;
        if (expr_parse(s, open, &part) < 0)
            return err_trace(s->err);
        *arena_push(s->arena, parts, n, capacity) = part;
        if (arena_full(s->arena))
            return err_set(s->err, ERR_LIMIT,
                           "the file has more expressions than memory is allowed for; split it");
    }
    if (n == 1 && s->p == s->end) {
        *ret = parts[0];
        return 0;
    }
    if (s->p < s->end)
        *arena_push(s->arena, parts, n, capacity) = text_node(s, s->p, s->end);
    struct expr_node *node = arena_alloc(s->arena, sizeof(*node));
    node->kind = EXPR_NODE_JOIN;
    node->column = 1;
    node->u.join.parts = parts;
    node->u.join.n = n;
    *ret = node;
    return 0;
}

int expr_compile(struct arena *arena, const char *text, const struct expr **ret_expr,
                 struct err *err)
{
    struct expr *expr = arena_alloc(arena, sizeof(*expr));
    size_t n = strlen(text);

    if (!utf8_valid(text, n))
        return err_set(err, ERR_INVALID, "the text is not valid UTF-8");
    if (n > INT32_MAX)
        return err_set(err, ERR_LIMIT, "the text is too long");
    expr->text = arena_strndup(arena, text, n);
    expr->n = n;
    struct expr_source source = {.text = expr->text, .p = expr->text, .end = expr->text + n};
    source.arena = arena;
    source.err = err;
    /* An escaped \${ is text too, but not as it stands. */
    expr->literal = strstr(expr->text, "${") == NULL && strstr(expr->text, "#{") == NULL;
    if (find_open(source.p, source.end) == NULL)
        expr->root = text_node(&source, source.text, source.end);
    else if (compile_parts(&source, &expr->root) < 0)
        return err_trace(err);
    *ret_expr = expr;
    return 0;
}

int expr_eval(const struct expr *expr, const struct expr_env *env, struct arena *arena,
              struct value *ret_value, struct err *err)
{
    struct expr_run run = {.expr = expr, .env = env, .arena = arena, .err = err};
    struct value value;

    if (expr_node_eval(&run, expr->root, &value) < 0)
        return err_trace(err);
    *ret_value = value;
    return 0;
}

int expr_eval_bool(const struct expr *expr, const struct expr_env *env, struct arena *arena,
                   bool *ret_bool, struct err *err)
{
    struct expr_run run = {.expr = expr, .env = env, .arena = arena, .err = err};
    struct value value;

    if (expr_eval(expr, env, arena, &value, err) < 0)
        return err_trace(err);
    if (value.kind == VALUE_BOOL) {
        *ret_bool = value.u.boolean;
        return 0;
    }
    if (value.kind == VALUE_STRING && strcmp(value.u.string.text, "true") == 0)
        *ret_bool = true;
    else if (value.kind == VALUE_STRING && strcmp(value.u.string.text, "false") == 0)
        *ret_bool = false;
    else
        return expr_fail(&run, 1, "a condition must be true or false, this one is %s%s",
                         value.kind == VALUE_NULL || value.kind == VALUE_STRING ? "" : "of type ",
                         value.kind == VALUE_STRING ? "another string"
                                                    : value_kind_name(value.kind));
    return 0;
}

int expr_eval_string(const struct expr *expr, const struct expr_env *env, struct arena *arena,
                     const char **ret_text, struct err *err)
{
    struct expr_run run = {.expr = expr, .env = env, .arena = arena, .err = err};
    struct value value;
    const char *text;
    size_t n;

    if (expr_eval(expr, env, arena, &value, err) < 0 ||
        expr_text_of(&run, 1, &value, &text, &n) < 0)
        return err_trace(err);
    if (value.kind == VALUE_NULL)
        *ret_text = NULL;
    else
        *ret_text = value.kind == VALUE_STRING ? text : arena_strndup(arena, text, n);
    return 0;
}

const struct expr *expr_of_script(struct arena *arena, const char *text)
{
    struct expr *expr = arena_alloc(arena, sizeof(*expr));

    expr->text = arena_strdup(arena, text);
    expr->n = strlen(text);
    return expr;
}

bool expr_is_script(const struct expr *expr)
{
    return expr->root == NULL && !expr->literal;
}

const char *expr_text(const struct expr *expr)
{
    return expr->text;
}

bool expr_is_literal(const struct expr *expr)
{
    return expr->literal;
}

/* What is always evaluated: not the second operand of && and ||, and neither side of a choice. */
static void each_variable(const struct expr_node *node,
                          void (*each)(void *context, const char *name), void *context)
{
    switch (node->kind) {
    case EXPR_NODE_VARIABLE:
        each(context, node->u.variable.name);
        break;
    case EXPR_NODE_LOOKUP:
        each_variable(node->u.lookup.name, each, context);
        break;
    case EXPR_NODE_UNARY:
        if (node->u.unary.op != EXPR_OP_EMPTY)
            each_variable(node->u.unary.operand, each, context);
        break;
    case EXPR_NODE_CHAIN:
        each_variable(node->u.chain.first, each, context);
        if (node->u.chain.terms[0].op == EXPR_OP_AND || node->u.chain.terms[0].op == EXPR_OP_OR)
            break;
        for (size_t i = 0; i < node->u.chain.n; i++)
            each_variable(node->u.chain.terms[i].operand, each, context);
        break;
    case EXPR_NODE_CHOICE:
        each_variable(node->u.choice.condition, each, context);
        break;
    case EXPR_NODE_PATH:
        each_variable(node->u.path.base, each, context);
        for (size_t i = 0; i < node->u.path.n; i++) {
            for (unsigned k = 0; k < node->u.path.steps[i].n_args; k++)
                each_variable(node->u.path.steps[i].args[k], each, context);
        }
        break;
    case EXPR_NODE_JOIN:
        for (size_t i = 0; i < node->u.join.n; i++)
            each_variable(node->u.join.parts[i], each, context);
        break;
    case EXPR_NODE_LITERAL:
    case EXPR_NODE_PROPERTY:
    case EXPR_NODE_NOW:
        break;
    }
}

void expr_each_variable(const struct expr *expr, void (*each)(void *context, const char *name),
                        void *context)
{
    if (!expr_is_script(expr))
        each_variable(expr->root, each, context);
}
