/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "engine/schema_internal.h"
#include "engine/value_internal.h"

/* The keywords of one schema, each by a function that judges what it says and keeps it. */

typedef int keyword_fn(struct compiler *c, struct schema_node *node, struct rule *rule,
                       const char *base, const struct place *at);

static int wrong(struct compiler *c, const struct rule *rule, const struct place *at,
                 const char *wanted)
{
    return compile_refuse(c, at, "wants %s, not %s", wanted, words_of(c->arena, rule->value));
}

static int read_ref(struct compiler *c, struct schema_node *node, struct rule *rule,
                    const char *base, const struct place *at)
{
    if (rule->value->kind != VALUE_STRING)
        return wrong(c, rule, at, "the URI of a schema");
    compile_later(c, node, base, at->parent);
    return 0;
}

static int type_of(const struct value *name)
{
    static const char *const types[SCHEMA_TYPES] = {
        [TYPE_NULL] = "null",       [TYPE_BOOLEAN] = "boolean", [TYPE_OBJECT] = "object",
        [TYPE_ARRAY] = "array",     [TYPE_NUMBER] = "number",   [TYPE_STRING] = "string",
        [TYPE_INTEGER] = "integer",
    };

    for (int i = 0; name->kind == VALUE_STRING && i < SCHEMA_TYPES; i++) {
        if (strcmp(types[i], name->u.string.text) == 0)
            return i;
    }
    return -1;
}

static int read_type(struct compiler *c, struct schema_node *node, struct rule *rule,
                     const char *base, const struct place *at)
{
    static const char wanted[] = "null, boolean, object, array, number, string or integer, or a "
                                 "list of these";
    const struct value *names = rule->value;
    size_t n = 1;

    (void)base;
    if (names->kind == VALUE_ARRAY) {
        n = names->u.array.n;
        names = names->u.array.items;
    }
    if (n == 0)
        return wrong(c, rule, at, wanted);
    for (size_t i = 0; i < n; i++) {
        int type = type_of(&names[i]);
        if (type < 0)
            return wrong(c, rule, at, wanted);
        node->types |= 1u << type;
    }
    return 0;
}

static int read_enum(struct compiler *c, struct schema_node *node, struct rule *rule,
                     const char *base, const struct place *at)
{
    (void)node;
    (void)base;
    if (rule->value->kind != VALUE_ARRAY)
        return wrong(c, rule, at, "a list of values");
    rule->tree = tree_of(c->arena, rule->value);
    return 0;
}

static int read_const(struct compiler *c, struct schema_node *node, struct rule *rule,
                      const char *base, const struct place *at)
{
    (void)node;
    (void)base;
    (void)at;
    rule->tree = tree_of(c->arena, rule->value);
    return 0;
}

static int read_number(struct compiler *c, struct schema_node *node, struct rule *rule,
                       const char *base, const struct place *at)
{
    (void)node;
    (void)base;
    if (rule->value->kind != VALUE_NUMBER)
        return wrong(c, rule, at, "a number");
    return 0;
}

static int read_multiple(struct compiler *c, struct schema_node *node, struct rule *rule,
                         const char *base, const struct place *at)
{
    (void)node;
    (void)base;
    if (rule->value->kind != VALUE_NUMBER || !value_is_divisor(rule->value))
        return wrong(c, rule, at, "a number above 0 of at most 18 digits");
    return 0;
}

static int read_length(struct compiler *c, struct schema_node *node, struct rule *rule,
                       const char *base, const struct place *at)
{
    const struct value *value = rule->value;

    (void)node;
    (void)base;
    if (value->kind != VALUE_NUMBER || !value_is_whole(value) || value->u.number.number < 0)
        return wrong(c, rule, at, "a whole number from 0");
    rule->limit = value->u.number.number < 1e18 ? (uint64_t)value->u.number.number : UINT64_MAX;
    return 0;
}

static int read_pattern(struct compiler *c, struct schema_node *node, struct rule *rule,
                        const char *base, const struct place *at)
{
    struct err why = {.code = ERR_NONE};

    (void)node;
    (void)base;
    if (rule->value->kind != VALUE_STRING)
        return wrong(c, rule, at, "a regular expression");
    if (pattern_compile(c->arena, rule->value->u.string.text, rule->value->u.string.n,
                        &rule->pattern, &why) < 0)
        return compile_refuse(c, at, "%s is no regular expression of ECMA 262: %s",
                              words_of(c->arena, rule->value), why.text);
    return 0;
}

static int read_format(struct compiler *c, struct schema_node *node, struct rule *rule,
                       const char *base, const struct place *at)
{
    (void)node;
    (void)base;
    if (rule->value->kind != VALUE_STRING)
        return wrong(c, rule, at, "the name of a format");
    if (!c->options->ignore_formats)
        rule->format = format_find(rule->value->u.string.text);
    return 0;
}

static int read_content(struct compiler *c, struct schema_node *node, struct rule *rule,
                        const char *base, const struct place *at)
{
    (void)node;
    (void)base;
    if (rule->value->kind != VALUE_STRING)
        return wrong(c, rule, at, "a text");
    return 0;
}

static int read_flag(struct compiler *c, struct schema_node *node, struct rule *rule,
                     const char *base, const struct place *at)
{
    (void)node;
    (void)base;
    if (rule->value->kind != VALUE_BOOL)
        return wrong(c, rule, at, "true or false");
    return 0;
}

static int read_schema(struct compiler *c, struct schema_node *node, struct rule *rule,
                       const char *base, const struct place *at)
{
    (void)node;
    return compile_node(c, rule->value, base, at, &rule->node);
}

static int read_names(struct compiler *c, struct schema_node *node, struct rule *rule,
                      const char *base, const struct place *at)
{
    (void)node;
    (void)base;
    if (rule->value->kind != VALUE_ARRAY)
        return wrong(c, rule, at, "a list of names");
    for (size_t i = 0; i < rule->value->u.array.n; i++) {
        if (rule->value->u.array.items[i].kind != VALUE_STRING)
            return wrong(c, rule, at, "a list of names");
    }
    return 0;
}

static int read_list(struct compiler *c, struct schema_node *node, struct rule *rule,
                     const char *base, const struct place *at)
{
    (void)node;
    if (rule->value->kind != VALUE_ARRAY ||
        (rule->value->u.array.n == 0 && rule->kind != RULE_TUPLE))
        return wrong(c, rule, at, "a list of schemas");
    rule->n_branches = rule->value->u.array.n;
    rule->branches = arena_array(c->arena, rule->n_branches, sizeof(*rule->branches));
    for (size_t i = 0; i < rule->n_branches; i++) {
        struct place item = {.parent = at, .index = i};
        if (compile_node(c, &rule->value->u.array.items[i], base, &item, &rule->branches[i].node) <
            0)
            return err_trace(c->err);
    }
    return 0;
}

static int read_items(struct compiler *c, struct schema_node *node, struct rule *rule,
                      const char *base, const struct place *at)
{
    if (rule->value->kind != VALUE_ARRAY)
        return read_schema(c, node, rule, base, at);
    rule->kind = RULE_TUPLE;
    return read_list(c, node, rule, base, at);
}

/* What a member of a keyword's object says: a schema, or of dependencies a list of names. */
static int read_branch(struct compiler *c, struct rule *rule, const struct value_member *member,
                       const char *base, const struct place *at)
{
    struct branch *branch = &rule->branches[rule->n_branches++];
    struct rule names = {.value = &member->value}, pattern = {.keyword = NULL};
    struct value name = {.kind = VALUE_STRING,
                         .u.string = {.text = member->name, .n = member->name_n}};

    *branch = (struct branch){.name = member->name, .name_n = member->name_n};
    if (rule->kind == RULE_DEPENDENCIES && member->value.kind == VALUE_ARRAY) {
        branch->names = &member->value;
        return read_names(c, NULL, &names, base, at);
    }
    if (rule->kind == RULE_PATTERN_PROPERTIES) {
        pattern.value = &name;
        if (read_pattern(c, NULL, &pattern, base, at->parent) < 0)
            return err_trace(c->err);
        branch->pattern = pattern.pattern;
    }
    return compile_node(c, &member->value, base, at, &branch->node);
}

static int compare_branches(const void *a, const void *b)
{
    const struct branch *x = a, *y = b;

    return name_compare(x->name, x->name_n, y->name, y->name_n);
}

static int read_map(struct compiler *c, struct schema_node *node, struct rule *rule,
                    const char *base, const struct place *at)
{
    const struct value *map = rule->value;

    if (map->kind != VALUE_OBJECT)
        return wrong(c, rule, at, "an object of schemas");
    rule->branches = arena_array(c->arena, map->u.object.n, sizeof(*rule->branches));
    for (size_t i = 0; i < map->u.object.n; i++) {
        const struct value_member *member = &map->u.object.members[i];
        struct place place = {.parent = at, .name = member->name};
        if (value_member(map, member->name, member->name_n) != &member->value)
            continue; /* another of that name comes later */
        if (read_branch(c, rule, member, base, &place) < 0)
            return err_trace(c->err);
    }
    if (rule->kind == RULE_PROPERTIES) {
        struct rule *sorted = arena_alloc(c->arena, sizeof(*sorted));
        *sorted = *rule;
        sorted->branches = arena_array(c->arena, rule->n_branches, sizeof(*sorted->branches));
        if (rule->n_branches > 0)
            memcpy(sorted->branches, rule->branches, rule->n_branches * sizeof(*sorted->branches));
        qsort(sorted->branches, sorted->n_branches, sizeof(*sorted->branches), compare_branches);
        node->properties = sorted;
    }
    return 0;
}

static const struct keyword {
    const char *name;
    enum rule_kind kind;
    keyword_fn *read;
} keywords[] = {
    {"type", RULE_TYPE, read_type},
    {"enum", RULE_ENUM, read_enum},
    {"const", RULE_CONST, read_const},
    {"multipleOf", RULE_MULTIPLE_OF, read_multiple},
    {"maximum", RULE_MAXIMUM, read_number},
    {"exclusiveMaximum", RULE_EXCLUSIVE_MAXIMUM, read_number},
    {"minimum", RULE_MINIMUM, read_number},
    {"exclusiveMinimum", RULE_EXCLUSIVE_MINIMUM, read_number},
    {"maxLength", RULE_MAX_LENGTH, read_length},
    {"minLength", RULE_MIN_LENGTH, read_length},
    {"pattern", RULE_PATTERN, read_pattern},
    {"format", RULE_FORMAT, read_format},
    {"contentEncoding", RULE_CONTENT, read_content},
    {"contentMediaType", RULE_CONTENT, read_content},
    {"items", RULE_ITEMS, read_items},
    {"additionalItems", RULE_ADDITIONAL_ITEMS, read_schema},
    {"maxItems", RULE_MAX_ITEMS, read_length},
    {"minItems", RULE_MIN_ITEMS, read_length},
    {"uniqueItems", RULE_UNIQUE_ITEMS, read_flag},
    {"contains", RULE_CONTAINS, read_schema},
    {"maxProperties", RULE_MAX_PROPERTIES, read_length},
    {"minProperties", RULE_MIN_PROPERTIES, read_length},
    {"required", RULE_REQUIRED, read_names},
    {"properties", RULE_PROPERTIES, read_map},
    {"patternProperties", RULE_PATTERN_PROPERTIES, read_map},
    {"additionalProperties", RULE_ADDITIONAL_PROPERTIES, read_schema},
    {"dependencies", RULE_DEPENDENCIES, read_map},
    {"propertyNames", RULE_PROPERTY_NAMES, read_schema},
    {"if", RULE_IF, read_schema},
    {"then", RULE_THEN, read_schema},
    {"else", RULE_ELSE, read_schema},
    {"allOf", RULE_ALL_OF, read_list},
    {"anyOf", RULE_ANY_OF, read_list},
    {"oneOf", RULE_ONE_OF, read_list},
    {"not", RULE_NOT, read_schema},
    {"definitions", RULE_DEFINITIONS, read_map},
};

static const struct keyword *find_keyword(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
        if (strcmp(keywords[i].name, name) == 0)
            return &keywords[i];
    }
    return NULL;
}

/* Where the node keeps what its other rules ask for. */
static void keep(struct schema_node *node, const struct rule *rule)
{
    switch (rule->kind) {
    case RULE_PATTERN_PROPERTIES:
        node->patterns = rule;
        break;
    case RULE_ITEMS:
    case RULE_TUPLE:
        node->items = rule;
        break;
    case RULE_CONTENT:
        if (strcmp(rule->keyword, "contentEncoding") == 0)
            node->encoding = rule->value->u.string.text;
        else
            node->media_type = rule->value->u.string.text;
        break;
    case RULE_THEN:
        node->then_node = rule->node;
        break;
    case RULE_ELSE:
        node->else_node = rule->node;
        break;
    default:
        break;
    }
}

int rules_compile(struct compiler *c, struct schema_node *node, const char *base,
                  const struct place *at)
{
    const struct value *schema = node->value;
    const struct value *reference = value_member(schema, "$ref", 4);

    node->rules = arena_array(c->arena, schema->u.object.n, sizeof(*node->rules));
    for (size_t i = 0; i < schema->u.object.n; i++) {
        const struct value_member *member = &schema->u.object.members[i];
        const struct keyword *keyword = find_keyword(member->name);
        struct place place = {.parent = at, .name = member->name};
        struct rule *rule = &node->rules[node->n_rules];
        if (reference != NULL) { /* its siblings do not count */
            if (&member->value != reference)
                continue;
            node->n_rules++;
            *rule = (struct rule){.kind = RULE_REF, .keyword = "$ref", .value = reference};
            return read_ref(c, node, rule, base, &place);
        }
        if (keyword == NULL || value_member(schema, member->name, member->name_n) != &member->value)
            continue;
        node->n_rules++;
        *rule =
            (struct rule){.kind = keyword->kind, .keyword = keyword->name, .value = &member->value};
        if (keyword->read(c, node, rule, base, &place) < 0)
            return err_trace(c->err);
        keep(node, rule);
    }
    return 0;
}
