/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/arena.h"
#include "engine/expr.h"
#include "tests/fuzz/fuzz.h"

/* An expression up to the first NUL, then its variables as JSON. */

static bool variable(void *context, const char *name, size_t n, struct value *ret_value)
{
    const struct value *member = value_member(context, name, n);

    if (member != NULL)
        *ret_value = *member;
    return member != NULL;
}

static void each(void *context, const char *name)
{
    assert(strlen(name) > 0);
    (*(size_t *)context)++;
}

static void evaluate(struct arena *arena, const struct expr *expr, struct value *variables)
{
    struct expr_env env = {.variable = variable, .context = variables, .business_key = "key"};
    struct err err = {.code = ERR_NONE};
    struct value value, again;
    const char *text;
    bool truth;
    size_t n = strlen(expr_text(expr)), m;

    if (expr_eval(expr, &env, arena, &value, &err) < 0) {
        assert(err.code == ERR_INVALID || err.code == ERR_LIMIT);
        assert(err.column >= 1);
        assert((size_t)err.column <= n + 1);
        assert(expr_eval_bool(expr, &env, arena, &truth, &err) < 0);
        assert(expr_eval_string(expr, &env, arena, &text, &err) < 0);
        return;
    }
    const char *json = value_text(arena, &value, &m);
    assert(value_read(arena, json, m, &again, NULL) == 0);
    assert(expr_eval(expr, &env, arena, &again, NULL) == 0);
    assert(strcmp(value_text(arena, &again, NULL), json) == 0);
    if (expr_eval_bool(expr, &env, arena, &truth, &err) < 0)
        assert(err.column == 1);
    if (expr_eval_string(expr, &env, arena, &text, &err) == 0)
        assert((text == NULL) == (value.kind == VALUE_NULL));
    if (expr_is_literal(expr))
        assert(value.kind == VALUE_STRING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct err err = {.code = ERR_NONE};
    struct value variables = value_null();
    const struct expr *expr;
    size_t n_variables = 0;

    arena_init(&arena, 64u << 20);
    const char *text = arena_strndup(&arena, (const char *)data, size);
    size_t n = strlen(text);
    if (n < size && value_read(&arena, text + n + 1, size - n - 1, &variables, NULL) < 0)
        variables = value_null();
    if (expr_compile(&arena, text, &expr, &err) < 0) {
        assert(err.code == ERR_INVALID || err.code == ERR_LIMIT);
        assert(err.column >= 0);
        assert((size_t)err.column <= n + 1);
        assert(err.text[0] != '\0');
    } else {
        assert(strcmp(expr_text(expr), text) == 0);
        expr_each_variable(expr, each, &n_variables);
        evaluate(&arena, expr, &variables);
    }
    arena_deinit(&arena);
    return 0;
}
