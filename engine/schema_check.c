/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <stdarg.h>

#include "base/digest.h"
#include "base/limits.h"
#include "engine/schema_check.h"
#include "engine/value_internal.h"

/*
 * Judges a value. With a list of errors all that is wrong is told, in the order of the schema;
 * without one the first thing that is wrong ends it. The words are those of Python's jsonschema
 * 4.10, and so is the choice of the error that tells most.
 */

bool check_spend(struct check *c, size_t steps)
{
    c->work.left -= (int64_t)(steps < INT32_MAX ? steps : INT32_MAX);
    if (c->work.left < 0 && c->stopped == NULL)
        c->stopped = "it takes too many steps to judge this value by its schema; make the value "
                     "smaller, or the schema simpler";
    return c->stopped == NULL;
}

static bool is_of(const struct tree *value, unsigned types)
{
    static const unsigned of[] = {
        [VALUE_NULL] = 1u << TYPE_NULL,     [VALUE_BOOL] = 1u << TYPE_BOOLEAN,
        [VALUE_NUMBER] = 1u << TYPE_NUMBER, [VALUE_STRING] = 1u << TYPE_STRING,
        [VALUE_ARRAY] = 1u << TYPE_ARRAY,   [VALUE_OBJECT] = 1u << TYPE_OBJECT,
    };

    return (types & of[value->value->kind]) != 0 ||
           ((types & 1u << TYPE_INTEGER) != 0 && value->value->kind == VALUE_NUMBER &&
            value_is_whole(value->value));
}

bool check_fail(struct check *c, const struct here *at, const char *format, ...)
{
    char *text;
    va_list args;

    if (at->errors == NULL || c->stopped != NULL)
        return false;
    if (c->n_told >= CHECK_TOLD_MAX) {
        at->errors->full = true;
        return false;
    }
    c->n_told++;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = arena_alloc(c->arena, (size_t)n + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    unsigned depth = 0;
    for (const struct place *p = at->instance; p->parent != NULL; p = p->parent)
        depth++;
    *arena_push(c->arena, at->errors->items, at->errors->n, at->errors->capacity) =
        (struct found){.error = {.message = text,
                                 .instance = place_text(c->arena, at->instance),
                                 .schema = place_text(c->arena, at->schema)},
                       .depth = depth,
                       .matches_type = at->node->types != 0 && is_of(at->tree, at->node->types)};
    return false;
}

bool check_inside(struct check *c, const struct schema_node *node, const struct tree *tree,
                  const struct here *from, const struct place *instance, const struct place *schema)
{
    struct here at = {.node = node,
                      .tree = tree,
                      .instance = instance != NULL ? instance : from->instance,
                      .schema = schema != NULL ? schema : from->schema,
                      .errors = from->errors};
    bool valid = true;

    if (!check_spend(c, 1 + node->n_rules))
        return false;
    if (++c->depth > LIMIT_SCHEMA_DEPTH) {
        c->stopped = "the schema nests too deep for this value";
        return false;
    }
    for (size_t i = 0; i < node->n_rules && (valid || at.errors != NULL); i++) {
        const struct rule *rule = &node->rules[i];
        struct place place = {.parent = at.schema, .name = rule->keyword};
        struct here rule_at = at;
        if (rule->keyword != NULL && rule->kind != RULE_IF)
            rule_at.schema = &place;
        valid &= check_rule(c, rule, &rule_at);
    }
    c->depth--;
    return valid && c->stopped == NULL;
}

/* --- what looks at the value itself ---------------------------------------------------------- */

static const char *shown(struct check *c, const struct here *at)
{
    return at->errors != NULL ? words_of(c->arena, at->tree->value) : "";
}

static bool check_type(struct check *c, const struct rule *rule, const struct here *at)
{
    const struct value *names = rule->value;
    const char *list = "";
    size_t n = 1;

    if (is_of(at->tree, at->node->types))
        return true;
    if (at->errors == NULL)
        return false;
    if (names->kind == VALUE_ARRAY) {
        n = names->u.array.n;
        names = names->u.array.items;
    }
    for (size_t i = 0; i < n; i++)
        list = arena_printf(c->arena, "%s%s'%s'", list, i > 0 ? ", " : "", names[i].u.string.text);
    return check_fail(c, at, "%s is not of type %s", shown(c, at), list);
}

static bool check_enum(struct check *c, const struct rule *rule, const struct here *at)
{
    for (size_t i = 0; i < rule->tree.n && check_spend(c, 1); i++) {
        if (tree_compare(&rule->tree.items[i], at->tree) == 0)
            return true;
    }
    if (at->errors == NULL)
        return false;
    return check_fail(c, at, "%s is not one of %s", shown(c, at), words_of(c->arena, rule->value));
}

static bool check_number(struct check *c, const struct rule *rule, const struct here *at)
{
    const struct value *value = at->tree->value;
    const char *words = NULL;

    if (value->kind != VALUE_NUMBER || !check_spend(c, value->u.number.n / 64))
        return true;
    if (rule->kind == RULE_MULTIPLE_OF) {
        words = value_is_multiple(value, rule->value) ? NULL : "is not a multiple of";
    } else {
        int order = value_compare_numbers(value, rule->value);
        if (rule->kind == RULE_MAXIMUM && order > 0)
            words = "is greater than the maximum of";
        else if (rule->kind == RULE_EXCLUSIVE_MAXIMUM && order >= 0)
            words = "is greater than or equal to the maximum of";
        else if (rule->kind == RULE_MINIMUM && order < 0)
            words = "is less than the minimum of";
        else if (rule->kind == RULE_EXCLUSIVE_MINIMUM && order <= 0)
            words = "is less than or equal to the minimum of";
    }
    if (words == NULL || at->errors == NULL)
        return words == NULL;
    return check_fail(c, at, "%s %s %s", shown(c, at), words, words_of(c->arena, rule->value));
}

static uint64_t characters(const char *text, size_t n)
{
    uint64_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* How much there is of what the rule counts; false: the value is not of that kind. */
static bool count(struct check *c, const struct rule *rule, const struct tree *tree, uint64_t *ret)
{
    bool length = rule->kind == RULE_MAX_LENGTH || rule->kind == RULE_MIN_LENGTH;
    bool items = rule->kind == RULE_MAX_ITEMS || rule->kind == RULE_MIN_ITEMS;
    const struct value *value = tree->value;

    if (value->kind != (length ? VALUE_STRING : items ? VALUE_ARRAY : VALUE_OBJECT))
        return false;
    *ret = tree->n;
    if (length) {
        if (!check_spend(c, value->u.string.n / 64))
            return false;
        *ret = characters(value->u.string.text, value->u.string.n);
    }
    return true;
}

static bool check_count(struct check *c, const struct rule *rule, const struct here *at)
{
    bool most = rule->kind == RULE_MAX_LENGTH || rule->kind == RULE_MAX_ITEMS ||
                rule->kind == RULE_MAX_PROPERTIES;
    uint64_t n;

    if (!count(c, rule, at->tree, &n) || (most ? n <= rule->limit : n >= rule->limit))
        return true;
    if (rule->kind == RULE_MAX_PROPERTIES)
        return check_fail(c, at, "%s has too many properties", shown(c, at));
    if (rule->kind == RULE_MIN_PROPERTIES)
        return check_fail(c, at, "%s does not have enough properties", shown(c, at));
    return check_fail(c, at, "%s is too %s", shown(c, at), most ? "long" : "short");
}

/* Does the name or text match? One that cannot be told stops everything. */
bool check_matches(struct check *c, const struct pattern *pattern, const char *text, size_t n)
{
    int result = pattern_match(pattern, text, n, &c->work);

    if (result == PATTERN_TOO_LONG && c->stopped == NULL)
        c->stopped = "a regular expression of the schema takes too long on this value; write one "
                     "that does not try every way to read it, as (a+)+ does";
    return result == PATTERN_YES;
}

static bool check_text(struct check *c, const struct rule *rule, const struct here *at)
{
    const struct value *value = at->tree->value;
    size_t n;

    if (value->kind != VALUE_STRING)
        return true;
    n = value->u.string.n;
    if (rule->kind == RULE_PATTERN)
        return check_matches(c, rule->pattern, value->u.string.text, n) ||
               check_fail(c, at, "%s does not match %s", shown(c, at),
                          words_of(c->arena, rule->value));
    if (rule->format == NULL || !check_spend(c, n / 16 + 50))
        return true;
    return rule->format(value->u.string.text, n, c->arena) ||
           check_fail(c, at, "%s is not a %s", shown(c, at), words_of(c->arena, rule->value));
}

/* contentEncoding and contentMediaType, together: at the first of the two. */
static bool check_content(struct check *c, const struct rule *rule, const struct here *at)
{
    const struct schema_node *node = at->node;
    const struct value *value = at->tree->value;
    const char *text;
    struct value document;
    size_t n;

    for (const struct rule *before = node->rules; before < rule; before++) {
        if (before->kind == RULE_CONTENT)
            return true;
    }
    if (c->ignore_formats || value->kind != VALUE_STRING || !check_spend(c, value->u.string.n / 8))
        return true;
    text = value->u.string.text;
    n = value->u.string.n;
    if (node->encoding != NULL && strcmp(node->encoding, "base64") != 0)
        return true;
    if (node->encoding != NULL &&
        (text = (const char *)digest_unbase64(c->arena, text, n, &n)) == NULL)
        return check_fail(c, at, "%s is not valid base64", shown(c, at));
    if (node->media_type != NULL && strcmp(node->media_type, "application/json") == 0 &&
        value_read(c->arena, text, n, &document, NULL) < 0)
        return check_fail(c, at, "%s is not a JSON document", shown(c, at));
    return true;
}

/* --- what looks at the value by other schemas ------------------------------------------------- */

static bool check_all_of(struct check *c, const struct rule *rule, const struct here *at)
{
    bool valid = true;

    for (size_t i = 0; i < rule->n_branches && (valid || at->errors != NULL); i++) {
        struct place place = {.parent = at->schema, .index = i};
        valid &= check_inside(c, rule->branches[i].node, at->tree, at, NULL, &place);
    }
    return valid;
}

/* Whether the schema holds, without words. */
static bool holds(struct check *c, const struct schema_node *node, const struct tree *tree,
                  const struct here *at)
{
    struct here silent = *at;

    silent.errors = NULL;
    return check_inside(c, node, tree, &silent, NULL, NULL);
}

static bool more_than_one(struct check *c, const struct rule *rule, const struct here *at,
                          size_t first)
{
    const char *list = "";

    for (size_t i = first + 1; i < rule->n_branches; i++) {
        if (!holds(c, rule->branches[i].node, at->tree, at))
            continue;
        if (at->errors == NULL)
            return false;
        list = arena_printf(c->arena, "%s%s, ", list,
                            words_of(c->arena, rule->branches[i].node->value));
    }
    if (*list == '\0')
        return true;
    return check_fail(c, at, "%s is valid under each of %s%s", shown(c, at), list,
                      words_of(c->arena, rule->branches[first].node->value));
}

static bool check_choice(struct check *c, const struct rule *rule, const struct here *at)
{
    struct errors inside = {.items = NULL};
    struct here quiet = *at;

    if (at->errors != NULL)
        quiet.errors = &inside;
    for (size_t i = 0; i < rule->n_branches; i++) {
        struct place place = {.parent = at->schema, .index = i};
        if (check_inside(c, rule->branches[i].node, at->tree, &quiet, NULL, &place))
            return rule->kind == RULE_ANY_OF || more_than_one(c, rule, at, i);
    }
    size_t before = at->errors != NULL ? at->errors->n : 0;
    check_fail(c, at, "%s is not valid under any of the given schemas", shown(c, at));
    if (at->errors != NULL && at->errors->n > before) {
        at->errors->items[before].inside = inside;
        at->errors->items[before].weak = true;
    }
    return false;
}

static bool check_if(struct check *c, const struct rule *rule, const struct here *at)
{
    bool yes = holds(c, rule->node, at->tree, at);
    const struct schema_node *next = yes ? at->node->then_node : at->node->else_node;
    struct place place = {.parent = at->schema, .name = yes ? "then" : "else"};

    return next == NULL || check_inside(c, next, at->tree, at, NULL, &place);
}

static bool check_not(struct check *c, const struct rule *rule, const struct here *at)
{
    if (!holds(c, rule->node, at->tree, at))
        return true;
    return check_fail(c, at, "%s should not be valid under %s", shown(c, at),
                      at->errors != NULL ? words_of(c->arena, rule->value) : "");
}

bool check_rule(struct check *c, const struct rule *rule, const struct here *at)
{ /* long: a dispatch */
    switch (rule->kind) {
    case RULE_FALSE:
        return check_fail(c, at, "False schema does not allow %s", shown(c, at));
    case RULE_REF:
        return check_inside(c, rule->node, at->tree, at, NULL, NULL);
    case RULE_TYPE:
        return check_type(c, rule, at);
    case RULE_ENUM:
        return check_enum(c, rule, at);
    case RULE_CONST:
        return tree_compare(&rule->tree, at->tree) == 0 ||
               check_fail(c, at, "%s was expected",
                          at->errors != NULL ? words_of(c->arena, rule->value) : "");
    case RULE_MULTIPLE_OF:
    case RULE_MAXIMUM:
    case RULE_EXCLUSIVE_MAXIMUM:
    case RULE_MINIMUM:
    case RULE_EXCLUSIVE_MINIMUM:
        return check_number(c, rule, at);
    case RULE_MAX_LENGTH:
    case RULE_MIN_LENGTH:
    case RULE_MAX_ITEMS:
    case RULE_MIN_ITEMS:
    case RULE_MAX_PROPERTIES:
    case RULE_MIN_PROPERTIES:
        return check_count(c, rule, at);
    case RULE_PATTERN:
    case RULE_FORMAT:
        return check_text(c, rule, at);
    case RULE_CONTENT:
        return check_content(c, rule, at);
    case RULE_ITEMS:
    case RULE_TUPLE:
    case RULE_ADDITIONAL_ITEMS:
    case RULE_UNIQUE_ITEMS:
    case RULE_CONTAINS:
        return at->tree->value->kind != VALUE_ARRAY || check_array(c, rule, at);
    case RULE_REQUIRED:
    case RULE_PROPERTIES:
    case RULE_PATTERN_PROPERTIES:
    case RULE_ADDITIONAL_PROPERTIES:
    case RULE_DEPENDENCIES:
    case RULE_PROPERTY_NAMES:
        return at->tree->value->kind != VALUE_OBJECT || check_object(c, rule, at);
    case RULE_IF:
        return check_if(c, rule, at);
    case RULE_THEN:
    case RULE_ELSE:
    case RULE_DEFINITIONS:
        return true;
    case RULE_ALL_OF:
        return check_all_of(c, rule, at);
    case RULE_ANY_OF:
    case RULE_ONE_OF:
        return check_choice(c, rule, at);
    case RULE_NOT:
        return check_not(c, rule, at);
    }
    return true;
}

/* --- the answer ------------------------------------------------------------------------------ */

/* > 0: a tells more than b. Nearer to the top is more; a choice of schemas is less. */
static int compare_errors(const struct found *a, const struct found *b)
{
    if (a->depth != b->depth)
        return a->depth < b->depth ? 1 : -1;
    if (a->weak != b->weak)
        return a->weak ? -1 : 1;
    return (int)b->matches_type - (int)a->matches_type;
}

static struct schema_error choose(const struct errors *errors)
{
    const struct found *best = &errors->items[0];

    /* Of equals the first by the name of its keyword, whatever order the schema is written in: what
     * must not be there is told before what is missing. */
    for (size_t i = 1; i < errors->n; i++) {
        const struct found *found = &errors->items[i];
        int order = compare_errors(found, best);
        if (order > 0 || (order == 0 && strcmp(found->error.schema, best->error.schema) < 0))
            best = found;
    }
    /* Of a choice that fits nowhere, what lies deepest: that branch was meant; unless two do. */
    while (best->inside.n > 0) {
        const struct found *least = &best->inside.items[0];
        unsigned equals = 1;
        for (size_t i = 1; i < best->inside.n; i++) {
            int order = compare_errors(&best->inside.items[i], least);
            equals = order < 0 ? 1 : equals + (order == 0);
            if (order < 0)
                least = &best->inside.items[i];
        }
        if (equals > 1)
            break;
        best = least;
    }
    return best->error;
}

int schema_check(const struct schema *schema, const struct value *value, struct arena *arena,
                 struct schema_report *ret_report, struct err *err)
{
    struct check c = {.arena = arena,
                      .ignore_formats = schema->ignore_formats,
                      .work = {.left = LIMIT_SCHEMA_WORK, .arena = arena}};
    struct tree tree = tree_of(arena, value);
    struct place root = {.parent = NULL};
    struct errors errors = {.items = NULL};
    struct here at = {.instance = &root, .schema = &root};

    bool valid = check_inside(&c, schema->root, &tree, &at, NULL, NULL);
    if (!valid && c.stopped == NULL && ret_report != NULL) {
        at.errors = &errors;
        c.depth = 0;
        (void)check_inside(&c, schema->root, &tree, &at, NULL, NULL);
    }
    if (c.stopped != NULL)
        return err_set(err, ERR_LIMIT, "%s", c.stopped);
    if (valid)
        return SCHEMA_VALID;
    if (ret_report != NULL) {
        assert(errors.n > 0);
        *ret_report = (struct schema_report){.best = choose(&errors)};
        ret_report->n = errors.n < LIMIT_SCHEMA_ERRORS ? errors.n : LIMIT_SCHEMA_ERRORS;
        ret_report->errors = arena_array(arena, ret_report->n, sizeof(*ret_report->errors));
        for (size_t i = 0; i < ret_report->n; i++)
            ret_report->errors[i] = errors.items[i].error;
    }
    return SCHEMA_INVALID;
}
