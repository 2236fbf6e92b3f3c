/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schema in one text, for programs that draw forms: they look nothing up. Each document that it
 * refers to stands under "definitions", and each $ref to one leads there.
 */
#include "base/build.h"

#include "engine/schema.h"
#include "engine/schema_internal.h"

struct bundled {
    const struct value *value;
    const char *base; /* what its $ref are seen from */
    const char *uri;  /* what others call it */
    const char *name; /* under "definitions"; NULL: the schema itself */
    bool used;
};

struct bundle {
    struct arena *arena;
    struct bundled *documents;
    size_t n;
};

static const char *id_of(const struct value *schema)
{
    const struct value *id = value_member(schema, "$id", 3);

    return id != NULL && id->kind == VALUE_STRING && id->u.string.text[0] != '#' ? id->u.string.text
                                                                                 : NULL;
}

/* One step of a JSON Pointer in the fragment of a URI. */
static const char *pointer_step(struct arena *arena, const char *name)
{
    struct buf step CLEANUP(buf_deinit);

    buf_init(&step, 0);
    for (const char *c = name; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if (byte == '~' || byte == '/')
            buf_add_str(&step, byte == '~' ? "~0" : "~1");
        else if (letter || (byte >= '0' && byte <= '9') || strchr("-._", byte) != NULL)
            buf_add_char(&step, *c);
        else
            buf_printf(&step, "%%%02X", byte);
    }
    return arena_strdup(arena, buf_str(&step));
}

/* What the reference is called in the bundle: an anchor, or what is none of ours, stays as it is.
 */
static const char *bundled_reference(struct bundle *b, const char *base, const char *reference)
{
    const char *uri = uri_resolve(b->arena, base, reference);
    size_t n = strcspn(uri, "#");
    const char *fragment = uri[n] == '#' ? uri + n + 1 : "";

    if (*fragment != '\0' && *fragment != '/')
        return reference;
    for (size_t i = 0; i < b->n; i++) {
        struct bundled *to = &b->documents[i];
        bool same = (strlen(to->base) == n && strncmp(to->base, uri, n) == 0) ||
                    (strlen(to->uri) == n && strncmp(to->uri, uri, n) == 0);
        if (!same)
            continue;
        to->used = true;
        if (to->name == NULL)
            return arena_printf(b->arena, "#%s", fragment);
        return arena_printf(b->arena, "#/definitions/%s%s", pointer_step(b->arena, to->name),
                            fragment);
    }
    return reference;
}

enum where { TOP, SCHEMA, NAMES /* of properties or definitions: no keywords */ };

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static struct value bundled_value(struct bundle *b, const struct value *value, const char *base,
                                  enum where where);

static struct value bundled_member(struct bundle *b, const struct value_member *member,
                                   const char *base, enum where where)
{
    static const char *const data[] = {"enum", "const", "default", "examples"};
    static const char *const maps[] = {"properties", "patternProperties", "definitions",
                                       "dependencies"};
    bool keyword = where != NAMES;

    if (keyword && strcmp(member->name, "$ref") == 0 && member->value.kind == VALUE_STRING) {
        const char *text = bundled_reference(b, base, member->value.u.string.text);
        return value_string(b->arena, text, strlen(text));
    }
    if (keyword && is_one_of(member->name, data, ARRAY_LEN(data)))
        return member->value;
    bool map = keyword && is_one_of(member->name, maps, ARRAY_LEN(maps));
    return bundled_value(b, &member->value, base, map ? NAMES : SCHEMA);
}

/* The value with its references changed; as deep as LIMIT_JSON_DEPTH. */
static struct value bundled_value(struct bundle *b, const struct value *value, const char *base,
                                  enum where where)
{
    struct value copy = *value;

    if (value->kind == VALUE_ARRAY) {
        struct value *items = arena_array(b->arena, value->u.array.n + 1, sizeof(*items));
        for (size_t i = 0; i < value->u.array.n; i++)
            items[i] = bundled_value(b, &value->u.array.items[i], base, SCHEMA);
        copy.u.array.items = items;
    } else if (value->kind == VALUE_OBJECT) {
        struct value_member *members =
            arena_array(b->arena, value->u.object.n + 1, sizeof(*members));
        if (where == SCHEMA && id_of(value) != NULL)
            base = uri_resolve(b->arena, base, id_of(value));
        for (size_t i = 0; i < value->u.object.n; i++) {
            members[i] = value->u.object.members[i];
            members[i].value = bundled_member(b, &value->u.object.members[i], base, where);
        }
        copy.u.object.members = members;
    }
    return copy;
}

/* Without its $id, which would change where its references lead. */
static struct value definition_of(struct bundle *b, const struct bundled *document)
{
    struct value value = bundled_value(b, document->value, document->base, TOP);
    struct value_member *members;
    size_t n = 0;

    if (value.kind != VALUE_OBJECT || id_of(document->value) == NULL)
        return value;
    members = arena_array(b->arena, value.u.object.n, sizeof(*members));
    for (size_t i = 0; i < value.u.object.n; i++)
        if (strcmp(value.u.object.members[i].name, "$id") != 0)
            members[n++] = value.u.object.members[i];
    value.u.object.members = members;
    value.u.object.n = n;
    return value;
}

static void name_documents(struct bundle *b, const struct schema_document *documents)
{
    const struct value *own = value_member(documents[0].value, "definitions", 11);

    for (size_t i = 0; i < b->n; i++) {
        struct bundled *to = &b->documents[i];
        const char *id = id_of(documents[i].value);
        to->value = documents[i].value;
        to->uri = uri_resolve(b->arena, "", documents[i].uri);
        to->base = id != NULL ? uri_resolve(b->arena, to->uri, id) : to->uri;
        to->name = i > 0 ? documents[i].uri : NULL;
        while (i > 0 && own != NULL && value_member(own, to->name, strlen(to->name)) != NULL)
            to->name = arena_printf(b->arena, "%s_", to->name);
    }
}

/* The definitions that the schema has, and those that it needs. */
static struct value all_definitions(struct bundle *b, const struct value *own)
{
    size_t n_own = own != NULL ? own->u.object.n : 0, n = n_own;
    struct value_member *members = arena_array(b->arena, n_own + b->n, sizeof(*members));
    bool *done = arena_array(b->arena, b->n, sizeof(*done));

    if (n_own > 0)
        memcpy(members, own->u.object.members, n_own * sizeof(*members));
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 1; i < b->n; i++) {
            struct bundled *document = &b->documents[i];
            if (!document->used || done[i])
                continue;
            more = done[i] = true;
            members[n++] = (struct value_member){.name = document->name,
                                                 .name_n = strlen(document->name),
                                                 .value = definition_of(b, document)};
        }
    }
    return (struct value){.kind = VALUE_OBJECT, .u.object = {.members = members, .n = n}};
}

const char *schema_bundle(struct arena *arena, const struct schema_document *documents, size_t n)
{
    struct bundle b = {arena, arena_array(arena, n, sizeof(*b.documents)), n};

    name_documents(&b, documents);
    struct value whole = bundled_value(&b, documents[0].value, b.documents[0].base, TOP);
    const struct value *own = value_member(&whole, "definitions", 11);
    if (whole.kind != VALUE_OBJECT || (own != NULL && own->kind != VALUE_OBJECT))
        return value_text(arena, &whole, NULL);
    struct value definitions = all_definitions(&b, own);
    struct value_member *members = arena_array(arena, whole.u.object.n + 1, sizeof(*members));
    size_t to = 0;
    for (size_t i = 0; i < whole.u.object.n; i++)
        if (&whole.u.object.members[i].value != own)
            members[to++] = whole.u.object.members[i];
    if (definitions.u.object.n > 0)
        members[to++] =
            (struct value_member){.name = "definitions", .name_n = 11, .value = definitions};
    whole.u.object.members = members;
    whole.u.object.n = to;
    return value_text(arena, &whole, NULL);
}
