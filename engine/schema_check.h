/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the two files that judge values share: schema_check.c and schema_members.c. Pure. */
#include "engine/schema_internal.h"

#define CHECK_TOLD_MAX (20u * LIMIT_SCHEMA_ERRORS) /* those inside of anyOf and oneOf, too */

struct found;
struct errors {
    struct found *items;
    size_t n, capacity;
    bool full; /* there were more */
};

struct found {
    struct schema_error error;
    struct errors inside; /* of anyOf, oneOf: why none of them fits */
    unsigned depth;       /* of the value */
    bool weak, matches_type;
};

struct check {
    struct arena *arena;
    struct work work;
    const char *stopped; /* why the value cannot be judged */
    unsigned depth, n_told;
    bool ignore_formats;
};

/* Where a check is. */
struct here {
    const struct schema_node *node;
    const struct tree *tree;
    const struct place *instance, *schema;
    struct errors *errors; /* NULL: nobody wants to know why */
};

bool check_spend(struct check *c, size_t steps);
bool check_fail(struct check *c, const struct here *at, const char *format, ...) PRINTF_LIKE(3, 4);
bool check_matches(struct check *c, const struct pattern *pattern, const char *text, size_t n);
bool check_rule(struct check *c, const struct rule *rule, const struct here *at);
/* instance, schema: the places, where they are others; else NULL. */
bool check_inside(struct check *c, const struct schema_node *node, const struct tree *tree,
                  const struct here *from, const struct place *instance,
                  const struct place *schema);
/* schema_members.c: the value is an array, an object. */
bool check_array(struct check *c, const struct rule *rule, const struct here *at);
bool check_object(struct check *c, const struct rule *rule, const struct here *at);
