/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "engine/schema_check.h"

/* The keywords that look at the items of an array and the members of an object. */

/* How many names an error lists. */
#define LIST_MAX 20u

/* A list of names or values that are too many: "'a', 'b'". */
struct extras {
    const char *list;
    size_t n;
};

static void add_extra(struct check *c, struct extras *extras, const char *words)
{
    extras->n++;
    if (extras->n <= LIST_MAX)
        extras->list = arena_printf(c->arena, "%s%s%s", extras->list != NULL ? extras->list : "",
                                    extras->list != NULL ? ", " : "", words);
    else if (extras->n == LIST_MAX + 1)
        extras->list = arena_printf(c->arena, "%s, …", extras->list);
}

/* --- arrays ---------------------------------------------------------------------------------- */

static bool check_items(struct check *c, const struct rule *rule, const struct here *at,
                        const struct schema_node *node, size_t from)
{
    bool valid = true;

    for (size_t i = from; i < at->tree->n && (valid || at->errors != NULL); i++) {
        struct place instance = {.parent = at->instance, .index = i};
        struct place schema = {.parent = at->schema, .index = i};
        bool tuple = rule->kind == RULE_TUPLE;
        if (c->stopped != NULL || (tuple && i >= rule->n_branches))
            break;
        valid &= check_inside(c, tuple ? rule->branches[i].node : node, &at->tree->items[i], at,
                              &instance, tuple ? &schema : NULL);
    }
    return valid;
}

static bool check_additional_items(struct check *c, const struct rule *rule, const struct here *at)
{
    const struct rule *items = at->node->items;
    struct extras extras = {.list = NULL};

    if (items == NULL || items->kind != RULE_TUPLE || at->tree->n <= items->n_branches)
        return true;
    if (rule->value->kind == VALUE_OBJECT)
        return check_items(c, rule, at, rule->node, items->n_branches);
    if (rule->value->u.boolean)
        return true;
    if (at->errors == NULL)
        return false;
    for (size_t i = items->n_branches; i < at->tree->n; i++)
        add_extra(c, &extras,
                  extras.n <= LIST_MAX ? words_of(c->arena, at->tree->items[i].value) : "");
    return check_fail(c, at, "Additional items are not allowed (%s %s unexpected)", extras.list,
                      extras.n == 1 ? "was" : "were");
}

static bool check_contains(struct check *c, const struct rule *rule, const struct here *at)
{
    struct here silent = *at;

    silent.errors = NULL;
    for (size_t i = 0; i < at->tree->n && c->stopped == NULL; i++) {
        if (check_inside(c, rule->node, &at->tree->items[i], &silent, NULL, NULL))
            return true;
    }
    return check_fail(c, at, "None of %s are valid under the given schema",
                      at->errors != NULL ? words_of(c->arena, at->tree->value) : "");
}

bool check_array(struct check *c, const struct rule *rule, const struct here *at)
{
    switch (rule->kind) {
    case RULE_ITEMS:
    case RULE_TUPLE:
        return check_items(c, rule, at, rule->node, 0);
    case RULE_ADDITIONAL_ITEMS:
        return check_additional_items(c, rule, at);
    case RULE_CONTAINS:
        return check_contains(c, rule, at);
    default: /* uniqueItems */
        if (!rule->value->u.boolean || !check_spend(c, 20 * at->tree->n) ||
            !tree_has_twins(c->arena, at->tree))
            return true;
        return check_fail(c, at, "%s has non-unique elements",
                          at->errors != NULL ? words_of(c->arena, at->tree->value) : "");
    }
}

/* --- objects --------------------------------------------------------------------------------- */

static bool check_required(struct check *c, const struct value *names, const struct here *at,
                           const struct branch *of)
{
    bool valid = true;

    for (size_t i = 0; i < names->u.array.n && (valid || at->errors != NULL); i++) {
        const struct value *name = &names->u.array.items[i];
        if (!check_spend(c, 1) ||
            tree_member(at->tree, name->u.string.text, name->u.string.n) != NULL)
            continue;
        valid = false;
        if (at->errors == NULL)
            break;
        const char *words = words_of(c->arena, name);
        if (of == NULL)
            check_fail(c, at, "%s is a required property", words);
        else
            check_fail(c, at, "%s is a dependency of %s", words,
                       words_of_name(c->arena, of->name, of->name_n));
    }
    return valid;
}

static bool check_dependencies(struct check *c, const struct rule *rule, const struct here *at)
{
    bool valid = true;

    for (size_t i = 0; i < rule->n_branches && (valid || at->errors != NULL); i++) {
        const struct branch *branch = &rule->branches[i];
        struct place place = {.parent = at->schema, .name = branch->name};
        if (!check_spend(c, 1) || tree_member(at->tree, branch->name, branch->name_n) == NULL)
            continue;
        if (branch->names != NULL)
            valid &= check_required(c, branch->names, at, branch);
        else
            valid &= check_inside(c, branch->node, at->tree, at, NULL, &place);
    }
    return valid;
}

static bool check_properties(struct check *c, const struct rule *rule, const struct here *at)
{
    bool valid = true;

    for (size_t i = 0; i < rule->n_branches && (valid || at->errors != NULL); i++) {
        const struct branch *branch = &rule->branches[i];
        const struct tree *member = tree_member(at->tree, branch->name, branch->name_n);
        struct place instance = {.parent = at->instance, .name = branch->name};
        struct place schema = {.parent = at->schema, .name = branch->name};
        if (!check_spend(c, 1))
            return false;
        if (member != NULL)
            valid &= check_inside(c, branch->node, member, at, &instance, &schema);
    }
    return valid;
}

static bool check_patterns(struct check *c, const struct rule *rule, const struct here *at)
{
    bool valid = true;

    for (size_t i = 0; i < rule->n_branches; i++) {
        const struct branch *branch = &rule->branches[i];
        struct place schema = {.parent = at->schema, .name = branch->name};
        for (size_t k = 0; k < at->tree->n && (valid || at->errors != NULL); k++) {
            const struct tree_member *member = &at->tree->members[k];
            struct place instance = {.parent = at->instance, .name = member->name};
            if (check_matches(c, branch->pattern, member->name, member->name_n))
                valid &= check_inside(c, branch->node, &member->tree, at, &instance, &schema);
            if (c->stopped != NULL)
                return false;
        }
    }
    return valid;
}

/* Neither in properties nor matched by a pattern. */
static bool is_additional(struct check *c, const struct schema_node *node,
                          const struct tree_member *member)
{
    const struct rule *known = node->properties, *patterns = node->patterns;
    size_t low = 0, high = known != NULL ? known->n_branches : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct branch *branch = &known->branches[middle];
        int order = name_compare(branch->name, branch->name_n, member->name, member->name_n);
        if (order == 0)
            return false;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = 0; patterns != NULL && i < patterns->n_branches; i++) {
        if (check_matches(c, patterns->branches[i].pattern, member->name, member->name_n))
            return false;
    }
    return true;
}

static bool tell_additional(struct check *c, const struct here *at, const struct extras *extras)
{
    const struct rule *patterns = at->node->patterns;
    struct extras names = {.list = NULL};

    if (patterns == NULL)
        return check_fail(c, at, "Additional properties are not allowed (%s %s unexpected)",
                          extras->list, extras->n == 1 ? "was" : "were");
    for (size_t i = 0; i < patterns->n_branches; i++)
        add_extra(
            c, &names,
            words_of_name(c->arena, patterns->branches[i].name, patterns->branches[i].name_n));
    return check_fail(c, at, "%s %s not match any of the regexes: %s", extras->list,
                      extras->n == 1 ? "does" : "do", names.list != NULL ? names.list : "");
}

static bool check_additional(struct check *c, const struct rule *rule, const struct here *at)
{
    struct extras extras = {.list = NULL};
    bool valid = true;

    for (size_t i = 0; i < at->tree->n && (valid || at->errors != NULL); i++) {
        const struct tree_member *member = &at->tree->members[i];
        struct place instance = {.parent = at->instance, .name = member->name};
        if (!check_spend(c, 5))
            return false;
        if (!is_additional(c, at->node, member))
            continue;
        if (rule->value->kind == VALUE_OBJECT) {
            valid &= check_inside(c, rule->node, &member->tree, at, &instance, NULL);
        } else if (!rule->value->u.boolean) {
            valid = false;
            if (at->errors != NULL)
                add_extra(c, &extras, words_of_name(c->arena, member->name, member->name_n));
        }
    }
    if (extras.n > 0)
        return tell_additional(c, at, &extras);
    return valid;
}

static bool check_names(struct check *c, const struct rule *rule, const struct here *at)
{
    bool valid = true;

    for (size_t i = 0; i < at->tree->n && (valid || at->errors != NULL); i++) {
        const struct tree_member *member = &at->tree->members[i];
        struct value *name = arena_alloc(c->arena, sizeof(*name));
        *name = (struct value){.kind = VALUE_STRING,
                               .u.string = {.text = member->name, .n = member->name_n}};
        struct tree tree = {.value = name};
        valid &= check_inside(c, rule->node, &tree, at, NULL, NULL);
    }
    return valid;
}

bool check_object(struct check *c, const struct rule *rule, const struct here *at)
{
    switch (rule->kind) {
    case RULE_REQUIRED:
        return check_required(c, rule->value, at, NULL);
    case RULE_PROPERTIES:
        return check_properties(c, rule, at);
    case RULE_PATTERN_PROPERTIES:
        return check_patterns(c, rule, at);
    case RULE_ADDITIONAL_PROPERTIES:
        return check_additional(c, rule, at);
    case RULE_DEPENDENCIES:
        return check_dependencies(c, rule, at);
    default: /* propertyNames */
        return check_names(c, rule, at);
    }
}
