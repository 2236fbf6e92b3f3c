/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of schema share and nobody else needs. Pure. */
#include "base/buf.h"
#include "engine/schema.h"

/* --- schema_tree.c: values with their members in order ------------------------------------- */

/* A value whose members are sorted by name, of equal names the last. */
struct tree {
    const struct value *value;
    struct tree_member *members; /* of an object */
    struct tree *items;          /* of an array */
    size_t n;
};

struct tree_member {
    const char *name;
    size_t name_n;
    struct tree tree;
};

struct tree tree_of(struct arena *arena, const struct value *value);
const struct tree *tree_member(const struct tree *tree, const char *name, size_t name_n);
/* A total order; 0: equal, 1 equals 1.0. */
int tree_compare(const struct tree *a, const struct tree *b);
int name_compare(const char *a, size_t a_n, const char *b, size_t b_n);
/* Whether two of the items are equal. */
bool tree_has_twins(struct arena *arena, const struct tree *array);

/* --- schema_uri.c ---------------------------------------------------------------------------- */

/* RFC 3986, 5.2: the reference seen from the base; without an empty fragment. */
const char *uri_resolve(struct arena *arena, const char *base, const char *reference);
/* The fragment without its %XX, or NULL: they are no UTF-8. */
const char *uri_decode(struct arena *arena, const char *text);
/* Takes the next step off a JSON Pointer: NULL at its end. *ret_n tells its length. */
const char *pointer_next(struct arena *arena, const char **pointer, size_t *ret_n);

/* --- schema_pattern.c ------------------------------------------------------------------------ */

struct pattern;

/* Reads a regular expression of ECMA 262. */
int pattern_compile(struct arena *arena, const char *text, size_t n, const struct pattern **ret,
                    struct err *err) MUST_CHECK;

/* What one check may still do, and the room that its matches share. */
struct work {
    int64_t left;
    struct arena *arena;
    void *match_data, *match_context;
};

enum { PATTERN_NO = 0, PATTERN_YES = 1, PATTERN_TOO_LONG = 2 };
int pattern_match(const struct pattern *pattern, const char *text, size_t n, struct work *work);

/* --- schema_format.c, schema_format_uri.c ---------------------------------------------------- */

/* Is the text of this format? Reads the NUL-terminated UTF-8 text. */
typedef bool format_fn(const char *text, size_t n, struct arena *arena);
/* NULL: a format that draft-07 does not know. */
format_fn *format_find(const char *name);
format_fn format_uri, format_uri_reference, format_iri, format_iri_reference, format_uri_template;
bool format_is_ipv4(const char *text, size_t n);
bool format_is_ipv6(const char *text, size_t n);

/* --- schema_compile.c ------------------------------------------------------------------------ */

enum rule_kind {
    RULE_FALSE, /* the schema false */
    RULE_REF,
    RULE_TYPE,
    RULE_ENUM,
    RULE_CONST,
    RULE_MULTIPLE_OF,
    RULE_MAXIMUM,
    RULE_EXCLUSIVE_MAXIMUM,
    RULE_MINIMUM,
    RULE_EXCLUSIVE_MINIMUM,
    RULE_MAX_LENGTH,
    RULE_MIN_LENGTH,
    RULE_PATTERN,
    RULE_FORMAT,
    RULE_CONTENT,
    RULE_ITEMS, /* one schema for all */
    RULE_TUPLE, /* items: an array */
    RULE_ADDITIONAL_ITEMS,
    RULE_MAX_ITEMS,
    RULE_MIN_ITEMS,
    RULE_UNIQUE_ITEMS,
    RULE_CONTAINS,
    RULE_MAX_PROPERTIES,
    RULE_MIN_PROPERTIES,
    RULE_REQUIRED,
    RULE_PROPERTIES,
    RULE_PATTERN_PROPERTIES,
    RULE_ADDITIONAL_PROPERTIES,
    RULE_DEPENDENCIES,
    RULE_PROPERTY_NAMES,
    RULE_IF,
    RULE_THEN, /* asked for by if */
    RULE_ELSE,
    RULE_ALL_OF,
    RULE_ANY_OF,
    RULE_ONE_OF,
    RULE_NOT,
    RULE_DEFINITIONS,
};

/* One of several schemas of a keyword: by name, by position, or by pattern. */
struct branch {
    const char *name;
    size_t name_n;
    const struct schema_node *node; /* NULL: `names` */
    const struct value *names;      /* of dependencies: an array of strings */
    const struct pattern *pattern;  /* of patternProperties */
};

struct rule {
    enum rule_kind kind;
    const char *keyword;
    const struct value *value; /* of the keyword */
    uint64_t limit;            /* max… and min… of lengths */
    const struct schema_node *node;
    struct branch *branches;
    size_t n_branches;
    struct tree tree; /* enum, const */
    const struct pattern *pattern;
    format_fn *format;
};

struct schema_node {
    const struct value *value;
    struct rule *rules; /* in the order of the keywords */
    size_t n_rules;
    unsigned types; /* what `type` names: 1 << enum schema_type; 0: it is not there */
    const struct rule *properties; /* branches sorted by name */
    const struct rule *patterns, *items;
    const char *encoding, *media_type; /* contentEncoding, contentMediaType */
    const struct schema_node *then_node, *else_node;
    unsigned mark; /* of the search for circles */
};

struct schema {
    const struct schema_node *root;
    bool ignore_formats;
};

enum schema_type {
    TYPE_NULL,
    TYPE_BOOLEAN,
    TYPE_OBJECT,
    TYPE_ARRAY,
    TYPE_NUMBER,
    TYPE_STRING,
    TYPE_INTEGER,
    SCHEMA_TYPES
};

/* schema_rules.c: one keyword, into the node. */
struct compiler;
struct place {
    const struct place *parent;
    const char *name; /* NULL: the index */
    size_t index;
};
int rules_compile(struct compiler *c, struct schema_node *node, const char *base,
                  const struct place *at) MUST_CHECK;
/* schema_compile.c, for it. */
int compile_node(struct compiler *c, const struct value *value, const char *base,
                 const struct place *at, const struct schema_node **ret) MUST_CHECK;
int compile_refuse(struct compiler *c, const struct place *at, const char *format, ...)
    PRINTF_LIKE(3, 4);
void compile_later(struct compiler *c, struct schema_node *node, const char *base,
                   const struct place *at);
/* A JSON Pointer to the place, of at most some hundred bytes. */
const char *place_text(struct arena *arena, const struct place *at);

struct compiler {
    struct arena *arena;
    const struct schema_options *options;
    struct err *err;
    struct known *known; /* nodes by their value's address */
    size_t n_known, known_capacity;
    struct resource *resources; /* by URI */
    size_t n_resources, resources_capacity;
    struct pending *pending; /* references to be followed */
    size_t n_pending, pending_capacity;
};

/* --- schema_words.c -------------------------------------------------------------------------- */

/* The value as Python writes it, cut behind LIMIT_SCHEMA_WORDS bytes. */
const char *words_of(struct arena *arena, const struct value *value);
const char *words_of_name(struct arena *arena, const char *name, size_t n);
