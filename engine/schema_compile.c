/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <stdarg.h>

#include "base/limits.h"
#include "engine/schema_internal.h"

/*
 * From JSON to nodes. First all $id are noted; then each schema becomes a node, once, by the
 * address of its value; then the references are followed, which may make more nodes; at last
 * schemas that refer to themselves without end are found.
 */

/* A node by its value; a hash table by address. */
struct known {
    const struct value *value;
    struct schema_node *node;
};

struct resource {
    const char *uri;
    const struct value *value;
    const char *base; /* for what is inside */
};

struct pending {
    struct schema_node *node; /* its first rule is the reference */
    const char *base;
    const char *where;
};

const char *place_text(struct arena *arena, const struct place *at)
{
    if (at == NULL || at->parent == NULL)
        return "";
    const char *before = place_text(arena, at->parent);
    if (at->name == NULL)
        return arena_printf(arena, "%s/%zu", before, at->index);
    size_t length = strlen(at->name), to = 0;
    char *escaped = arena_alloc(arena, 2 * length + 1);
    for (size_t i = 0; i < length; i++) {
        char c = at->name[i];
        if (c == '~' || c == '/') {
            escaped[to++] = '~';
            c = c == '~' ? '0' : '1';
        }
        escaped[to++] = c;
    }
    return arena_printf(arena, "%s/%s", before, escaped);
}

int compile_refuse(struct compiler *c, const struct place *at, const char *format, ...)
{
    char text[512];
    va_list args;
    const char *where = place_text(c->arena, at);

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return err_set(c->err, ERR_INVALID, "%s%s%s", where, *where != '\0' ? ": " : "", text);
}

/* --- which node a value has ------------------------------------------------------------------ */

static size_t slot_of(const struct compiler *c, const struct value *value)
{
    size_t mask = c->known_capacity - 1, i = ((uintptr_t)value >> 3) * 0x9e3779b1u & mask;

    while (c->known[i].value != NULL && c->known[i].value != value)
        i = (i + 1) & mask;
    return i;
}

static void remember(struct compiler *c, const struct value *value, struct schema_node *node)
{
    if (2 * c->n_known >= c->known_capacity) {
        struct known *old = c->known;
        size_t n = c->known_capacity;
        c->known_capacity = n > 0 ? 4 * n : 256;
        c->known = arena_array(c->arena, c->known_capacity, sizeof(*c->known));
        for (size_t i = 0; i < n; i++) {
            if (old[i].value != NULL)
                c->known[slot_of(c, old[i].value)] = old[i];
        }
    }
    c->known[slot_of(c, value)] = (struct known){value, node};
    c->n_known++;
}

/* The base for what is inside of the schema: its $id counts, unless it is a $ref. */
static const char *base_inside(struct compiler *c, const struct value *schema, const char *base)
{
    const struct value *id = value_member(schema, "$id", 3);

    if (id == NULL || id->kind != VALUE_STRING || id->u.string.text[0] == '#' ||
        value_member(schema, "$ref", 4) != NULL)
        return base;
    return uri_resolve(c->arena, base, id->u.string.text);
}

int compile_node(struct compiler *c, const struct value *value, const char *base,
                 const struct place *at, const struct schema_node **ret)
{
    if (c->known_capacity > 0) {
        const struct known *known = &c->known[slot_of(c, value)];
        if (known->value != NULL) {
            *ret = known->node;
            return 0;
        }
    }
    if (value->kind != VALUE_OBJECT && value->kind != VALUE_BOOL)
        return compile_refuse(c, at, "a schema is an object, true or false, not %s",
                              value_kind_name(value->kind));
    if (c->n_known >= LIMIT_SCHEMA_NODES)
        return err_set(c->err, ERR_LIMIT, "more than %u schemas in one", LIMIT_SCHEMA_NODES);
    struct schema_node *node = arena_alloc(c->arena, sizeof(*node));
    node->value = value;
    remember(c, value, node);
    *ret = node;
    if (value->kind == VALUE_OBJECT)
        return rules_compile(c, node, base_inside(c, value, base), at);
    if (!value->u.boolean) {
        node->rules = arena_alloc(c->arena, sizeof(*node->rules));
        node->rules[0] = (struct rule){.kind = RULE_FALSE, .keyword = NULL, .value = value};
        node->n_rules = 1;
    }
    return 0;
}

/* --- what has which URI ---------------------------------------------------------------------- */

static int note_ids(struct compiler *c, const struct value *schema, const char *base);

static int note_all(struct compiler *c, const struct value *schemas, const char *base)
{
    int result = 0;

    if (schemas->kind == VALUE_ARRAY) {
        for (size_t i = 0; result == 0 && i < schemas->u.array.n; i++)
            result = note_ids(c, &schemas->u.array.items[i], base);
    } else if (schemas->kind == VALUE_OBJECT) {
        for (size_t i = 0; result == 0 && i < schemas->u.object.n; i++)
            result = note_ids(c, &schemas->u.object.members[i].value, base);
    }
    return result;
}

static int add_resource(struct compiler *c, const char *uri, const struct value *value,
                        const char *base)
{
    for (size_t i = 0; i < c->n_resources; i++) {
        if (strcmp(c->resources[i].uri, uri) == 0 && c->resources[i].value != value && *uri != '\0')
            return err_set(c->err, ERR_INVALID, "two schemas have the $id \"%s\"", uri);
    }
    *arena_push(c->arena, c->resources, c->n_resources, c->resources_capacity) =
        (struct resource){uri, value, base};
    return 0;
}

/* Notes the $id of a schema and of all inside of it. */
static int note_ids(struct compiler *c, const struct value *schema, const char *base)
{
    static const char *const one[] = {"additionalItems",
                                      "contains",
                                      "additionalProperties",
                                      "propertyNames",
                                      "if",
                                      "then",
                                      "else",
                                      "not"};
    static const char *const several[] = {"definitions",  "properties", "patternProperties",
                                          "dependencies", "allOf",      "anyOf",
                                          "oneOf"};
    const struct value *id = value_member(schema, "$id", 3), *inside;

    if (schema->kind != VALUE_OBJECT || value_member(schema, "$ref", 4) != NULL)
        return 0;
    base = base_inside(c, schema, base);
    if (id != NULL && id->kind == VALUE_STRING) {
        const char *uri = uri_resolve(c->arena, base, id->u.string.text);
        if (add_resource(c, uri, schema, base) < 0)
            return err_trace(c->err);
    }
    if ((inside = value_member(schema, "items", 5)) != NULL &&
        (inside->kind == VALUE_ARRAY ? note_all(c, inside, base) : note_ids(c, inside, base)) < 0)
        return err_trace(c->err);
    for (size_t i = 0; i < ARRAY_LEN(one); i++) {
        inside = value_member(schema, one[i], strlen(one[i]));
        if (inside != NULL && note_ids(c, inside, base) < 0)
            return err_trace(c->err);
    }
    for (size_t i = 0; i < ARRAY_LEN(several); i++) {
        inside = value_member(schema, several[i], strlen(several[i]));
        if (inside != NULL && note_all(c, inside, base) < 0)
            return err_trace(c->err);
    }
    return 0;
}

/* --- references ------------------------------------------------------------------------------ */

void compile_later(struct compiler *c, struct schema_node *node, const char *base,
                   const struct place *at)
{
    *arena_push(c->arena, c->pending, c->n_pending, c->pending_capacity) =
        (struct pending){node, base, place_text(c->arena, at)};
}

static const struct resource *find_resource(const struct compiler *c, const char *uri)
{
    for (size_t i = 0; i < c->n_resources; i++) {
        if (strcmp(c->resources[i].uri, uri) == 0)
            return &c->resources[i];
    }
    return NULL;
}

/* Goes from a resource along a JSON Pointer; NULL: nothing is there. */
static const struct value *walk(struct compiler *c, const struct resource *from,
                                const char *pointer, const char **ret_base)
{
    const struct value *at = from->value;
    const char *step;
    size_t n;

    *ret_base = from->base;
    while (at != NULL && (step = pointer_next(c->arena, &pointer, &n)) != NULL) {
        if (at->kind == VALUE_ARRAY) {
            char *end;
            unsigned long index = strtoul(step, &end, 10);
            bool good = n > 0 && step[0] >= '0' && step[0] <= '9' && *end == '\0';
            at = good && index < at->u.array.n ? &at->u.array.items[index] : NULL;
        } else {
            if (at != from->value)
                *ret_base = base_inside(c, at, *ret_base);
            at = value_member(at, step, n);
        }
    }
    return *pointer == '\0' || at == NULL ? at : NULL;
}

static int follow(struct compiler *c, const struct pending *p)
{
    struct rule *rule = &p->node->rules[0];
    const char *reference = rule->value->u.string.text, *inside = p->base;
    const char *uri = uri_resolve(c->arena, p->base, reference);
    const struct resource *resource = find_resource(c, uri);
    const struct value *target = resource != NULL ? resource->value : NULL;

    if (resource != NULL) {
        inside = resource->base;
    } else {
        size_t n = strcspn(uri, "#");
        const char *fragment = uri[n] == '#' ? uri_decode(c->arena, uri + n + 1) : NULL;
        resource = find_resource(c, arena_strndup(c->arena, uri, n));
        if (resource != NULL && fragment != NULL && fragment[0] == '/')
            target = walk(c, resource, fragment, &inside);
    }
    struct place root = {.parent = NULL}, at = {.parent = &root, .name = reference};
    if (target == NULL)
        return err_set(c->err, ERR_INVALID,
                       "%s/$ref: \"%s\" is neither in this schema nor a file of this deployment "
                       "(nothing is fetched)",
                       p->where, reference);
    return compile_node(c, target, inside, &at, &rule->node);
}

/* --- circles --------------------------------------------------------------------------------- */

/*
 * A schema that applies itself to the very same value would never end. Such steps are $ref and the
 * keywords that look at the value itself.
 */
static int find_circle(struct compiler *c, const struct schema_node *const_node, unsigned depth)
{
    /* The compiler owns the nodes still. */
    struct schema_node *node = c->known[slot_of(c, const_node->value)].node;

    if (node->mark == 2)
        return 0;
    if (node->mark == 1 || depth > LIMIT_SCHEMA_DEPTH)
        return err_set(c->err, ERR_INVALID,
                       "a schema refers to itself without end: $ref leads back to where it "
                       "started, for the same value");
    node->mark = 1;
    for (size_t i = 0; i < node->n_rules; i++) {
        const struct rule *rule = &node->rules[i];
        bool same = rule->kind == RULE_REF || rule->kind == RULE_IF || rule->kind == RULE_NOT;
        bool branches = rule->kind == RULE_ALL_OF || rule->kind == RULE_ANY_OF ||
                        rule->kind == RULE_ONE_OF || rule->kind == RULE_DEPENDENCIES;
        if (same && find_circle(c, rule->node, depth + 1) < 0)
            return err_trace(c->err);
        for (size_t k = 0; branches && k < rule->n_branches; k++) {
            if (rule->branches[k].node != NULL &&
                find_circle(c, rule->branches[k].node, depth + 1) < 0)
                return err_trace(c->err);
        }
    }
    if (node->then_node != NULL && find_circle(c, node->then_node, depth + 1) < 0)
        return err_trace(c->err);
    if (node->else_node != NULL && find_circle(c, node->else_node, depth + 1) < 0)
        return err_trace(c->err);
    node->mark = 2;
    return 0;
}

static int find_circles(struct compiler *c)
{
    for (size_t i = 0; i < c->known_capacity; i++) {
        if (c->known[i].value != NULL && find_circle(c, c->known[i].node, 0) < 0)
            return err_trace(c->err);
    }
    return 0;
}

int schema_compile(struct arena *arena, const struct schema_document *documents, size_t n_documents,
                   const struct schema_options *options, const struct schema **ret_schema,
                   struct err *err)
{
    struct compiler c = {.arena = arena, .options = options, .err = err};
    struct place root = {.parent = NULL};
    struct schema *schema = arena_alloc(arena, sizeof(*schema));

    assert(n_documents > 0);
    for (size_t i = 0; i < n_documents; i++) {
        const char *uri = uri_resolve(arena, "", documents[i].uri);
        const struct value *value = documents[i].value;
        if (add_resource(&c, uri, value, base_inside(&c, value, uri)) < 0 ||
            note_ids(&c, value, uri) < 0)
            return err_trace(err);
    }
    if (compile_node(&c, documents[0].value, documents[0].uri, &root, &schema->root) < 0)
        return err_trace(err);
    for (size_t i = 0; i < c.n_pending; i++) { /* grows meanwhile */
        struct pending pending = c.pending[i];
        if (follow(&c, &pending) < 0)
            return err_trace(err);
    }
    if (find_circles(&c) < 0)
        return err_trace(err);
    schema->ignore_formats = options->ignore_formats;
    *ret_schema = schema;
    return 0;
}
