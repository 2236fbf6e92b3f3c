/* SPDX-License-Identifier: Apache-2.0 */
/* What one field may be: the operators of the language. */
#include "base/build.h"

#include "events/pattern_internal.h"

#define ONE_KEY "Only one key allowed in match expression"

static bool is_text(const struct value *value)
{
    return value->kind == VALUE_STRING;
}

/* ---- Reading ---- */

static struct matcher text_matcher(struct arena *arena, enum matcher_kind kind, bool fold,
                                   const struct value *text)
{
    struct matcher matcher = {.kind = kind, .fold = fold};

    matcher.u.text =
        fold ? text_fold(arena, text->u.string.text, text->u.string.n)
             : (struct piece){arena_strndup(arena, text->u.string.text, text->u.string.n),
                              text->u.string.n};
    return matcher;
}

/* A value that outlives the text that it was read from. */
static struct matcher value_matcher(struct arena *arena, const struct value *value)
{
    struct matcher matcher = {.kind = MATCH_VALUE};

    matcher.u.value = *value;
    if (value->kind == VALUE_STRING)
        matcher.u.value.u.string.text =
            arena_strndup(arena, value->u.string.text, value->u.string.n);
    if (value->kind == VALUE_NUMBER)
        matcher.u.value.u.number.text =
            arena_strndup(arena, value->u.number.text, value->u.number.n);
    return matcher;
}

/* prefix and suffix: a text, or {"equals-ignore-case": text} */
static int affix_read(struct arena *arena, const char *name, enum matcher_kind kind,
                      const struct value *given, struct matcher *ret, struct err *err)
{
    bool prefix = kind == MATCH_PREFIX, fold = given->kind == VALUE_OBJECT;

    if (fold) {
        const struct value_member *member = given->u.object.members;
        if (given->u.object.n == 0)
            return pattern_refuse(err, "%s expression name not found",
                                  prefix ? "Prefix" : "Suffix");
        if (strcmp(member->name, "equals-ignore-case") != 0)
            return pattern_refuse(err, "Unsupported %s pattern: %s", name, member->name);
        if (!is_text(&member->value))
            return pattern_refuse(err, "equals-ignore-case match pattern must be a string");
        if (given->u.object.n > 1)
            return pattern_refuse(err, ONE_KEY);
        given = &member->value;
    }
    if (!is_text(given))
        return pattern_refuse(err, "%s match pattern must be a string", name);
    *ret = text_matcher(arena, kind, fold, given);
    return 0;
}

/* One of what anything-but excludes by an operator. */
static int but_operator_read(struct arena *arena, const char *name, const struct value *given,
                             struct matcher *ret, struct err *err)
{
    bool fold = strcmp(name, "equals-ignore-case") == 0, wildcard = strcmp(name, "wildcard") == 0;

    if (!is_text(given)) {
        if (fold)
            return pattern_refuse(err, "Inside anything-but/equals-ignore-case list, "
                                       "number|start|null|boolean is not supported.");
        return pattern_refuse(err, "%s match pattern must be a string",
                              wildcard ? "wildcard" : "prefix/suffix");
    }
    if (wildcard)
        return wildcard_read(arena, given->u.string.text, given->u.string.n, ret, err);
    if (!fold && given->u.string.n == 0)
        return pattern_refuse(err, "Null prefix/suffix not allowed");
    *ret = text_matcher(arena,
                        fold                          ? MATCH_TEXT
                        : strcmp(name, "prefix") == 0 ? MATCH_PREFIX
                                                      : MATCH_SUFFIX,
                        fold, given);
    return 0;
}

static int but_value_read(struct arena *arena, const struct value *given, struct matcher *ret,
                          struct err *err)
{
    if (!is_text(given) && given->kind != VALUE_NUMBER)
        return pattern_refuse(err,
                              "Inside anything but list, start|null|boolean is not supported.");
    *ret = value_matcher(arena, given);
    return 0;
}

/* anything-but: a value, a list of values of one kind, or an operator with a text or several. */
static int but_read(struct arena *arena, const struct value *given, struct matcher *ret,
                    struct err *err)
{
    const char *by = NULL;

    if (given->kind == VALUE_OBJECT) {
        static const char *const known[] = {"equals-ignore-case", "prefix", "suffix", "wildcard"};
        const struct value_member *member = given->u.object.members;
        if (given->u.object.n == 0)
            return pattern_refuse(err, "Anything-But expression name not found");
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            by = strcmp(member->name, known[i]) == 0 ? known[i] : by;
        if (by == NULL)
            return pattern_refuse(err, "Unsupported anything-but pattern: %s", member->name);
        if (given->u.object.n > 1)
            return pattern_refuse(err, ONE_KEY);
        given = &member->value;
    }
    bool list = given->kind == VALUE_ARRAY;
    if (!list && !is_text(given) && given->kind != VALUE_NUMBER)
        return pattern_refuse(
            err, "Value of anything-but must be an array or single string/number value.");
    size_t n = list ? given->u.array.n : 1, numbers = 0;
    struct matcher *matchers = arena_array(arena, n, sizeof(*matchers));
    for (size_t i = 0; i < n; i++) {
        const struct value *item = list ? &given->u.array.items[i] : given;
        numbers += item->kind == VALUE_NUMBER;
        if (by != NULL ? but_operator_read(arena, by, item, &matchers[i], err) < 0
                       : but_value_read(arena, item, &matchers[i], err) < 0)
            return err_trace(err);
    }
    if (n == 0 || (numbers != 0 && numbers != n))
        return pattern_refuse(err, "Inside anything but list, either all values are number or "
                                   "string, mixed type is not supported");
    *ret = (struct matcher){.kind = MATCH_ANYTHING_BUT, .u.but = {.matchers = matchers, .n = n}};
    return 0;
}

static int bound_read(struct arena *arena, const struct value *items, size_t n, size_t i,
                      const char *shown, struct value *ret, struct err *err)
{
    if (i >= n || items[i].kind != VALUE_NUMBER)
        return pattern_refuse(err, "Value of %s must be numeric", shown);
    *ret = value_matcher(arena, &items[i]).u.value;
    return 0;
}

/* ["=", 1], [">", 0], [">=", 0, "<", 10] */
static int numeric_read(struct arena *arena, const struct value *given, struct matcher *ret,
                        struct err *err)
{
    *ret = (struct matcher){.kind = MATCH_NUMERIC};
    if (given->kind != VALUE_ARRAY)
        return pattern_refuse(err, "Value of numeric must be an array.");
    const struct value *items = given->u.array.items;
    size_t n = given->u.array.n;
    if (n == 0 || !is_text(&items[0]))
        return pattern_refuse(err, "Invalid member in numeric match: %s",
                              n == 0 ? "]" : value_text(arena, &items[0], NULL));
    const char *sign = items[0].u.string.text;
    bool equal = strcmp(sign, "=") == 0;
    bool low = sign[0] == '>', high = sign[0] == '<';
    if (!equal && strcmp(sign, low ? ">" : "<") != 0 && strcmp(sign, low ? ">=" : "<=") != 0)
        return pattern_refuse(err, "Unrecognized numeric range operator: %s", sign);
    if (bound_read(arena, items, n, 1, equal ? "equals" : sign,
                   high ? &ret->u.range.high : &ret->u.range.low, err) < 0)
        return err_trace(err);
    ret->u.range.low_open = strcmp(sign, ">") == 0;
    ret->u.range.high_open = strcmp(sign, "<") == 0;
    if (equal)
        ret->u.range.high = ret->u.range.low;
    if (n == 2)
        return 0;
    if (!low)
        return pattern_refuse(err, "Too many elements in numeric expression");
    if (!is_text(&items[2]))
        return pattern_refuse(err, "Bad value in numeric range: %s",
                              value_text(arena, &items[2], NULL));
    sign = items[2].u.string.text;
    ret->u.range.high_open = strcmp(sign, "<") == 0;
    if (!ret->u.range.high_open && strcmp(sign, "<=") != 0)
        return pattern_refuse(err, "Bad numeric range operator: %s", sign);
    if (bound_read(arena, items, n, 3, sign, &ret->u.range.high, err) < 0)
        return err_trace(err);
    if (n > 4)
        return pattern_refuse(err, "Too many terms in numeric range expression");
    if (value_compare_numbers(&ret->u.range.low, &ret->u.range.high) >= 0)
        return pattern_refuse(err, "Bottom must be less than top");
    return 0;
}

static int operator_read(struct arena *arena, const char *name, const struct value *given,
                         struct matcher *ret, struct err *err)
{
    if (strcmp(name, "prefix") == 0)
        return affix_read(arena, name, MATCH_PREFIX, given, ret, err);
    if (strcmp(name, "suffix") == 0)
        return affix_read(arena, name, MATCH_SUFFIX, given, ret, err);
    if (strcmp(name, "anything-but") == 0)
        return but_read(arena, given, ret, err);
    if (strcmp(name, "numeric") == 0)
        return numeric_read(arena, given, ret, err);
    if (strcmp(name, "exists") == 0) {
        if (given->kind != VALUE_BOOL)
            return pattern_refuse(err, "exists match pattern must be either true or false.");
        *ret = (struct matcher){.kind = given->u.boolean ? MATCH_EXISTS : MATCH_ABSENT};
        return 0;
    }
    bool cidr = strcmp(name, "cidr") == 0, exactly = strcmp(name, "exactly") == 0;
    bool fold = strcmp(name, "equals-ignore-case") == 0, wildcard = strcmp(name, "wildcard") == 0;
    if (!cidr && !exactly && !fold && !wildcard)
        return pattern_refuse(err, "Unrecognized match type %s", name);
    if (!is_text(given)) /* of cidr, too, this is what AWS says */
        return pattern_refuse(err, "%s match pattern must be a string",
                              cidr      ? "prefix"
                              : exactly ? "exact"
                                        : name);
    if (wildcard)
        return wildcard_read(arena, given->u.string.text, given->u.string.n, ret, err);
    if (cidr) {
        *ret = (struct matcher){.kind = MATCH_CIDR};
        return cidr_read(given->u.string.text, &ret->u.cidr, err);
    }
    *ret = exactly ? value_matcher(arena, given) : text_matcher(arena, MATCH_TEXT, true, given);
    return 0;
}

int matcher_read(struct arena *arena, const struct value *given, struct matcher *ret,
                 struct err *err)
{
    if (given->kind == VALUE_ARRAY)
        return pattern_refuse(err, "Match value must be String, number, true, false, or null");
    if (given->kind != VALUE_OBJECT) {
        *ret = value_matcher(arena, given);
        return 0;
    }
    if (given->u.object.n == 0)
        return pattern_refuse(err, "Match expression name not found");
    const struct value_member *member = given->u.object.members;
    if (operator_read(arena, member->name, &member->value, ret, err) < 0)
        return err_trace(err);
    if (given->u.object.n > 1)
        return pattern_refuse(err, "%s",
                              ret->kind == MATCH_NUMERIC || ret->kind == MATCH_ANYTHING_BUT
                                  ? "Too many elements in numeric expression"
                                  : ONE_KEY);
    return 0;
}

/* ---- Matching ---- */

static bool text_holds(const struct matcher *matcher, const struct value *value,
                       struct arena *scratch)
{
    struct piece wanted = matcher->u.text;
    struct piece text = {value->u.string.text, value->u.string.n};

    if (value->kind != VALUE_STRING || text.n < wanted.n ||
        (matcher->kind == MATCH_TEXT && text.n != wanted.n))
        return false;
    const char *at = matcher->kind == MATCH_SUFFIX ? text.text + text.n - wanted.n : text.text;
    if (matcher->fold)
        at = text_fold(scratch, at, wanted.n).text;
    return memcmp(at, wanted.text, wanted.n) == 0;
}

static bool range_holds(const struct matcher *matcher, const struct value *value)
{
    const struct value *low = &matcher->u.range.low, *high = &matcher->u.range.high;

    if (value->kind != VALUE_NUMBER)
        return false;
    if (low->kind == VALUE_NUMBER) {
        int order = value_compare_numbers(value, low);
        if (order < 0 || (order == 0 && matcher->u.range.low_open))
            return false;
    }
    if (high->kind == VALUE_NUMBER) {
        int order = value_compare_numbers(value, high);
        if (order > 0 || (order == 0 && matcher->u.range.high_open))
            return false;
    }
    return true;
}

bool matcher_holds(const struct matcher *matcher, const struct value *value, struct arena *scratch)
{
    switch (matcher->kind) {
    case MATCH_VALUE:
        return value_equal(&matcher->u.value, value);
    case MATCH_PREFIX:
    case MATCH_SUFFIX:
    case MATCH_TEXT:
        return text_holds(matcher, value, scratch);
    case MATCH_WILDCARD:
        return value->kind == VALUE_STRING &&
               wildcard_holds(matcher, value->u.string.text, value->u.string.n);
    case MATCH_ANYTHING_BUT:
        for (size_t i = 0; i < matcher->u.but.n; i++) {
            if (matcher_holds(&matcher->u.but.matchers[i], value, scratch))
                return false;
        }
        return true;
    case MATCH_NUMERIC:
        return range_holds(matcher, value);
    case MATCH_CIDR:
        return value->kind == VALUE_STRING && cidr_holds(&matcher->u.cidr, value->u.string.text);
    case MATCH_EXISTS:
        return true;
    case MATCH_ABSENT:
        return false;
    }
    return false;
}
