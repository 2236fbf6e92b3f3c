/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <math.h>

#include "base/limits.h"
#include "engine/expr_internal.h"
#include "engine/value_internal.h"

/*
 * Operators and the coercions between kinds. The rule is JUEL's wherever JUEL has an answer; what
 * it answers silently and wrongly for JSON is an error here. docs/expressions.md has the whole
 * table.
 */

const char *expr_op_name(enum expr_op op)
{
    static const char *const names[] = {"||", "&&", "==", "!=", "<", "<=", ">",     ">=",
                                        "+",  "-",  "*",  "/",  "%", "!",  "minus", "empty"};

    assert((size_t)op < ARRAY_LEN(names));
    return names[op];
}

/* What a value is, for a message; never what it holds. */
static const char *what_is(const struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        return "null";
    case VALUE_BOOL:
        return "a boolean";
    case VALUE_NUMBER:
        return "a number";
    case VALUE_STRING:
        return "a string that is no number";
    case VALUE_ARRAY:
        return "an array";
    case VALUE_OBJECT:
        return "an object";
    }
    return "?";
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool expr_number(struct arena *arena, const char *text, size_t n, struct value *ret)
{
    const char *p = text, *end = text + n, *whole, *fraction = NULL;
    size_t whole_n, fraction_n = 0;
    bool negative = false;

    if (p < end && (*p == '-' || *p == '+'))
        negative = *p++ == '-';
    for (whole = p; p < end && is_digit(*p);)
        p++;
    whole_n = (size_t)(p - whole);
    bool point = p < end && *p == '.';
    if (point) {
        for (fraction = ++p; p < end && is_digit(*p);)
            p++;
        fraction_n = (size_t)(p - fraction);
    }
    if (whole_n + fraction_n == 0)
        return false;
    const char *exponent = p;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        if (p >= end || !is_digit(*p))
            return false;
        while (p < end && is_digit(*p))
            p++;
    }
    if (p != end)
        return false;
    /* JSON has no zeros in front, no lone point and no plus. */
    while (whole_n > 1 && *whole == '0') {
        whole++;
        whole_n--;
    }
    if (n > LIMIT_EXPR_BYTES)
        return false;
    const char *json = arena_printf(arena, "%s%.*s%s%.*s%s%.*s", negative ? "-" : "", (int)whole_n,
                                    whole, whole_n == 0 ? "0" : "", point ? 1 : 0, ".",
                                    fraction_n == 0 && point ? "0" : "", (int)fraction_n,
                                    fraction_n == 0 ? "" : fraction);
    json = arena_printf(arena, "%s%.*s", json, (int)(end - exponent), exponent);
    return value_read(arena, json, strlen(json), ret, NULL) == 0;
}

/* Whether an integer came as text that 64 bits cannot hold. */
static bool is_big(const struct value *number)
{
    if (number->u.number.is_integer)
        return false;
    for (size_t i = 0; i < number->u.number.n; i++) {
        if (number->u.number.text[i] != '-' && !is_digit(number->u.number.text[i]))
            return false;
    }
    return true;
}

/* As JUEL: null and "" count as 0, a numeric string as its number. False if there is none. */
static bool to_number(struct arena *arena, const struct value *value, struct value *ret)
{
    if (value->kind == VALUE_NUMBER) {
        *ret = *value;
        return true;
    }
    if (value->kind == VALUE_NULL || (value->kind == VALUE_STRING && value->u.string.n == 0)) {
        *ret = value_integer(arena, 0);
        return true;
    }
    return value->kind == VALUE_STRING &&
           expr_number(arena, value->u.string.text, value->u.string.n, ret);
}

static bool is_numeric(struct arena *arena, const struct value *value)
{
    struct value number;

    return value->kind != VALUE_STRING ||
           (value->u.string.n != 0 && to_number(arena, value, &number));
}

int expr_text_of(struct expr_run *run, uint32_t column, const struct value *value,
                 const char **ret_text, size_t *ret_n)
{
    switch (value->kind) {
    case VALUE_NULL:
        *ret_text = "";
        *ret_n = 0;
        break;
    case VALUE_BOOL:
        *ret_text = value->u.boolean ? "true" : "false";
        *ret_n = strlen(*ret_text);
        break;
    case VALUE_NUMBER:
        *ret_text = value->u.number.text;
        *ret_n = value->u.number.n;
        break;
    case VALUE_STRING:
        *ret_text = value->u.string.text;
        *ret_n = value->u.string.n;
        break;
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        *ret_text = value_text(run->arena, value, ret_n);
        return expr_made(run, column, *ret_n);
    }
    return 0;
}

static int join(struct expr_run *run, uint32_t column, const struct value *a, const struct value *b,
                struct value *ret)
{
    const char *x = "", *y = "";
    size_t n = 0, m = 0;

    if (expr_text_of(run, column, a, &x, &n) < 0 || expr_text_of(run, column, b, &y, &m) < 0)
        return -1;
    if (expr_made(run, column, n + m) < 0)
        return -1;
    char *room = arena_alloc(run->arena, n + m + 1);
    memcpy(room, x, n);
    memcpy(room + n, y, m);
    *ret = (struct value){.kind = VALUE_STRING};
    ret->u.string.text = room;
    ret->u.string.n = n + m;
    return 0;
}

static int operands(struct expr_run *run, uint32_t column, const char *name, const struct value *a,
                    const struct value *b, struct value *x, struct value *y)
{
    bool left = to_number(run->arena, a, x);

    if (left && to_number(run->arena, b, y))
        return 0;
    return expr_fail(run, column, "'%s' needs numbers, but its %s side is %s", name,
                     left ? "right" : "left", what_is(left ? b : a));
}

static int divided_by_zero(struct expr_run *run, uint32_t column)
{
    return expr_fail(run, column, "division by zero; ask first, as in x == 0 ? 0 : y / x");
}

static int integers(struct expr_run *run, uint32_t column, enum expr_op op, int64_t a, int64_t b,
                    struct value *ret)
{
    int64_t result = 0;
    bool overflow = false;

    if (op == EXPR_OP_ADD)
        overflow = __builtin_add_overflow(a, b, &result);
    else if (op == EXPR_OP_SUBTRACT)
        overflow = __builtin_sub_overflow(a, b, &result);
    else if (op == EXPR_OP_MULTIPLY)
        overflow = __builtin_mul_overflow(a, b, &result);
    else if (b == 0)
        return divided_by_zero(run, column);
    else
        result = b == -1 ? 0 : a % b;
    if (overflow)
        return expr_fail(run, column, "the result of '%s' does not fit a 64-bit integer",
                         expr_op_name(op));
    *ret = value_integer(run->arena, result);
    return 0;
}

static int decimals(struct expr_run *run, uint32_t column, enum expr_op op, double a, double b,
                    struct value *ret)
{
    double result = 0;

    if (!isfinite(a) || !isfinite(b))
        return expr_fail(run, column, "a number is too large for '%s' to compute with",
                         expr_op_name(op));
    if ((op == EXPR_OP_DIVIDE || op == EXPR_OP_MODULO) && !(b > 0) && !(b < 0))
        return divided_by_zero(run, column);
    if (op == EXPR_OP_ADD)
        result = a + b;
    else if (op == EXPR_OP_SUBTRACT)
        result = a - b;
    else if (op == EXPR_OP_MULTIPLY)
        result = a * b;
    else if (op == EXPR_OP_DIVIDE)
        result = a / b;
    else
        result = fmod(a, b);
    if (!isfinite(result))
        return expr_fail(run, column, "the result of '%s' is too large", expr_op_name(op));
    *ret = value_double(run->arena, result);
    return 0;
}

int expr_op_arithmetic(struct expr_run *run, uint32_t column, enum expr_op op,
                       const struct value *a, const struct value *b, struct value *ret)
{
    const char *name = expr_op_name(op);
    struct value x, y;

    if (op == EXPR_OP_ADD && (!is_numeric(run->arena, a) || !is_numeric(run->arena, b)))
        return join(run, column, a, b, ret);
    if (operands(run, column, name, a, b, &x, &y) < 0)
        return -1;
    if (op != EXPR_OP_DIVIDE && (is_big(&x) || is_big(&y)))
        return expr_fail(run, column,
                         "'%s' computes exactly with 64-bit integers, and its %s side "
                         "is a longer one",
                         name, is_big(&x) ? "left" : "right");
    if (op != EXPR_OP_DIVIDE && x.u.number.is_integer && y.u.number.is_integer)
        return integers(run, column, op, x.u.number.integer, y.u.number.integer, ret);
    return decimals(run, column, op, x.u.number.number, y.u.number.number, ret);
}

int expr_op_negate(struct expr_run *run, uint32_t column, const struct value *a, struct value *ret)
{
    struct value zero = value_integer(run->arena, 0), x;

    if (!to_number(run->arena, a, &x))
        return expr_fail(run, column, "'-' needs a number, but this is %s", what_is(a));
    if (!x.u.number.is_integer && !is_big(&x) && isfinite(x.u.number.number)) {
        *ret = value_double(run->arena, -x.u.number.number);
        return 0;
    }
    return expr_op_arithmetic(run, column, EXPR_OP_SUBTRACT, &zero, &x, ret);
}

/* Strings by their UTF-8 bytes, which is by code points. */
static int compare_texts(const char *a, size_t n, const char *b, size_t m)
{
    int order = memcmp(a, b, n < m ? n : m);

    return order != 0 ? order : (n > m) - (n < m);
}

/* The order of two values that are not null. */
static int compare(struct expr_run *run, uint32_t column, const char *name, const struct value *a,
                   const struct value *b, int *ret)
{
    bool text = a->kind == VALUE_STRING || b->kind == VALUE_STRING;
    struct value x, y;

    if (a->kind == VALUE_NUMBER || b->kind == VALUE_NUMBER) {
        if (operands(run, column, name, a, b, &x, &y) < 0)
            return -1;
        *ret = value_compare_numbers(&x, &y);
        return 0;
    }
    if (a->kind == VALUE_BOOL && b->kind == VALUE_BOOL) {
        *ret = (int)a->u.boolean - (int)b->u.boolean;
        return 0;
    }
    bool plain_a = a->kind == VALUE_STRING || a->kind == VALUE_BOOL;
    bool plain_b = b->kind == VALUE_STRING || b->kind == VALUE_BOOL;
    if (text && plain_a && plain_b) {
        const char *s, *t;
        size_t n, m;
        if (expr_text_of(run, column, a, &s, &n) < 0 || expr_text_of(run, column, b, &t, &m) < 0)
            return -1;
        *ret = compare_texts(s, n, t, m);
        return 0;
    }
    return expr_fail(run, column, "'%s' cannot order %s and %s: it takes numbers or strings", name,
                     value_kind_name(a->kind), value_kind_name(b->kind));
}

static int equals(struct expr_run *run, uint32_t column, const char *name, const struct value *a,
                  const struct value *b, bool *ret)
{
    struct value x, y;

    if (a->kind == VALUE_NULL || b->kind == VALUE_NULL) {
        *ret = a->kind == b->kind;
        return 0;
    }
    if (a->kind != b->kind && (a->kind == VALUE_NUMBER || b->kind == VALUE_NUMBER)) {
        if (operands(run, column, name, a, b, &x, &y) < 0)
            return -1;
        *ret = value_compare_numbers(&x, &y) == 0;
        return 0;
    }
    if (a->kind != b->kind && (a->kind == VALUE_BOOL || b->kind == VALUE_BOOL)) {
        bool p, q;
        if (expr_to_bool(run, column, "comparing with a boolean", a, &p) < 0 ||
            expr_to_bool(run, column, "comparing with a boolean", b, &q) < 0)
            return -1;
        *ret = p == q;
        return 0;
    }
    *ret = value_equal(a, b);
    return 0;
}

int expr_op_compare(struct expr_run *run, uint32_t column, enum expr_op op, const struct value *a,
                    const struct value *b, bool *ret)
{
    const char *name = expr_op_name(op);
    int order;

    if (op == EXPR_OP_EQ || op == EXPR_OP_NE) {
        if (equals(run, column, name, a, b, ret) < 0)
            return -1;
        *ret = *ret == (op == EXPR_OP_EQ);
        return 0;
    }
    /* Nothing is less or greater than null; null <= null holds. */
    if (a->kind == VALUE_NULL || b->kind == VALUE_NULL) {
        *ret = a->kind == b->kind && (op == EXPR_OP_LE || op == EXPR_OP_GE);
        return 0;
    }
    if (compare(run, column, name, a, b, &order) < 0)
        return -1;
    *ret = op == EXPR_OP_LT   ? order < 0
           : op == EXPR_OP_LE ? order <= 0
           : op == EXPR_OP_GT ? order > 0
                              : order >= 0;
    return 0;
}

/* Whether text is the word, in any case. */
static bool is_word(const struct value *string, const char *word)
{
    size_t n = strlen(word);

    if (string->u.string.n != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if ((string->u.string.text[i] | 0x20) != word[i])
            return false;
    }
    return true;
}

int expr_to_bool(struct expr_run *run, uint32_t column, const char *who, const struct value *value,
                 bool *ret)
{
    switch (value->kind) {
    case VALUE_NULL:
        *ret = false;
        return 0;
    case VALUE_BOOL:
        *ret = value->u.boolean;
        return 0;
    case VALUE_STRING:
        if (value->u.string.n != 0 && !is_word(value, "true") && !is_word(value, "false"))
            return expr_fail(run, column, "%s needs true or false, and this string is neither",
                             who);
        *ret = is_word(value, "true");
        return 0;
    case VALUE_NUMBER:
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        break;
    }
    return expr_fail(run, column, "%s needs true or false, not %s", who, what_is(value));
}
