/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "engine/schema_internal.h"

/*
 * Values as a schema looks at them. Members are looked up and compared in their order, so that no
 * object, however many members it has, costs more than sorting it once.
 */

int name_compare(const char *a, size_t a_n, const char *b, size_t b_n)
{
    int order = memcmp(a, b, a_n < b_n ? a_n : b_n);

    return order != 0 ? order : (a_n > b_n) - (a_n < b_n);
}

static int compare_members(const void *a, const void *b)
{
    const struct value_member *x = *(const struct value_member *const *)a;
    const struct value_member *y = *(const struct value_member *const *)b;
    int order = name_compare(x->name, x->name_n, y->name, y->name_n);

    return order != 0 ? order : (x > y) - (x < y); /* the last of equals comes last */
}

static void sort_members(struct arena *arena, const struct value *value, struct tree *tree)
{
    size_t n = value->u.object.n;
    const struct value_member **sorted = arena_array(arena, n, sizeof(*sorted));

    for (size_t i = 0; i < n; i++)
        sorted[i] = &value->u.object.members[i];
    qsort(sorted, n, sizeof(*sorted), compare_members);
    tree->members = arena_array(arena, n, sizeof(*tree->members));
    for (size_t i = 0; i < n; i++) {
        const struct value_member *m = sorted[i];
        if (i + 1 < n &&
            name_compare(m->name, m->name_n, sorted[i + 1]->name, sorted[i + 1]->name_n) == 0)
            continue;
        tree->members[tree->n++] = (struct tree_member){
            .name = m->name, .name_n = m->name_n, .tree = tree_of(arena, &m->value)};
    }
}

struct tree tree_of(struct arena *arena, const struct value *value)
{
    struct tree tree = {.value = value};

    if (value->kind == VALUE_ARRAY) {
        tree.n = value->u.array.n;
        tree.items = arena_array(arena, tree.n, sizeof(*tree.items));
        for (size_t i = 0; i < tree.n; i++)
            tree.items[i] = tree_of(arena, &value->u.array.items[i]);
    } else if (value->kind == VALUE_OBJECT && value->u.object.n > 0) {
        sort_members(arena, value, &tree);
    }
    return tree;
}

const struct tree *tree_member(const struct tree *tree, const char *name, size_t name_n)
{
    size_t low = 0, high = tree->value->kind == VALUE_OBJECT ? tree->n : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct tree_member *member = &tree->members[middle];
        int order = name_compare(member->name, member->name_n, name, name_n);
        if (order == 0)
            return &member->tree;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static int compare_objects(const struct tree *a, const struct tree *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        const struct tree_member *x = &a->members[i], *y = &b->members[i];
        int order = name_compare(x->name, x->name_n, y->name, y->name_n);
        if (order == 0)
            order = tree_compare(&x->tree, &y->tree);
        if (order != 0)
            return order;
    }
    return (a->n > b->n) - (a->n < b->n);
}

int tree_compare(const struct tree *a, const struct tree *b)
{
    const struct value *x = a->value, *y = b->value;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    switch (x->kind) {
    case VALUE_NULL:
        break;
    case VALUE_BOOL:
        return x->u.boolean - y->u.boolean;
    case VALUE_NUMBER:
        return value_compare_numbers(x, y);
    case VALUE_STRING:
        return name_compare(x->u.string.text, x->u.string.n, y->u.string.text, y->u.string.n);
    case VALUE_ARRAY:
        for (size_t i = 0; i < a->n && i < b->n; i++) {
            int order = tree_compare(&a->items[i], &b->items[i]);
            if (order != 0)
                return order;
        }
        return (a->n > b->n) - (a->n < b->n);
    case VALUE_OBJECT:
        return compare_objects(a, b);
    }
    return 0;
}

static int compare_items(const void *a, const void *b)
{
    return tree_compare(*(const struct tree *const *)a, *(const struct tree *const *)b);
}

bool tree_has_twins(struct arena *arena, const struct tree *array)
{
    const struct tree **sorted = arena_array(arena, array->n, sizeof(*sorted));

    for (size_t i = 0; i < array->n; i++)
        sorted[i] = &array->items[i];
    qsort(sorted, array->n, sizeof(*sorted), compare_items);
    for (size_t i = 1; i < array->n; i++) {
        if (tree_compare(sorted[i - 1], sorted[i]) == 0)
            return true;
    }
    return false;
}
