/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables. Those of the process lie in a column of the instance's row and stay one text until
 * somebody looks; those of sub-processes and activities lie in the document. A value stays text
 * until an expression reads it.
 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/step.h"

/* ---- Finding by name ---- */

#define INDEXED_FROM 32 /* with fewer variables looking at each is faster */

static bool is_named(const struct variable *variable, const char *name, size_t name_n)
{
    return strncmp(variable->name, name, name_n) == 0 && variable->name[name_n] == '\0';
}

/* The slot of that name, or the free one where it belongs. */
static uint32_t *slot_of(const struct scope *scope, const char *name, size_t name_n)
{
    const struct name_index *index = &scope->index;
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (size_t i = 0; i < name_n; i++)
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    size_t at = (size_t)(hash ^ hash >> 32) & (index->n_slots - 1);
    while (index->slots[at] != 0 &&
           !is_named(&scope->variables[index->slots[at] - 1], name, name_n))
        at = (at + 1) & (index->n_slots - 1);
    return &index->slots[at];
}

static void index_all(struct arena *arena, struct scope *scope)
{
    struct name_index *index = &scope->index;

    if (index->n_slots < scope->n_variables * 2) {
        index->n_slots = INDEXED_FROM * 2;
        while (index->n_slots < scope->n_variables * 4)
            index->n_slots *= 2;
        index->slots = arena_array(arena, index->n_slots, sizeof(*index->slots));
        index->n = 0;
    }
    for (; index->n < scope->n_variables; index->n++) {
        const char *name = scope->variables[index->n].name;
        *slot_of(scope, name, strlen(name)) = (uint32_t)index->n + 1;
    }
}

static struct variable *find(struct arena *arena, struct scope *scope, const char *name,
                             size_t name_n)
{
    if (scope->n_variables >= INDEXED_FROM) {
        index_all(arena, scope);
        uint32_t slot = *slot_of(scope, name, name_n);
        return slot != 0 ? &scope->variables[slot - 1] : NULL;
    }
    for (size_t i = 0; i < scope->n_variables; i++)
        if (is_named(&scope->variables[i], name, name_n))
            return &scope->variables[i];
    return NULL;
}

/* ---- Setting ---- */

static int name_check(struct step *step, const char *name)
{
    size_t n = strlen(name);

    if (n == 0)
        return err_set(step->err, ERR_INVALID, "A variable has no name.");
    if (n > LIMIT_NAME_BYTES)
        return err_set(step->err, ERR_LIMIT,
                       "The name of variable '%.40s…' is longer than %u bytes.", name,
                       LIMIT_NAME_BYTES);
    return 0;
}

size_t variable_bytes(const struct variable *variable)
{
    return strlen(variable->name) + variable->n + 4;
}

static int put(struct step *step, struct instance *instance, struct scope *scope,
               const struct variable *variable)
{
    struct variable *old = find(step->arena, scope, variable->name, strlen(variable->name));

    if (variable->n > LIMIT_VALUE_BYTES)
        return err_set(
            step->err, ERR_LIMIT,
            "Variable '%s' would be %zu bytes long, and the limit is %u. Keep large data "
            "in a table of your own, and its key in the variable.",
            variable->name, variable->n, LIMIT_VALUE_BYTES);
    /* As a member of the variables it is one level deeper when it is read again. */
    if (variable->value != NULL && value_depth(variable->value) >= LIMIT_JSON_DEPTH)
        return err_set(step->err, ERR_LIMIT, "Variable '%s' would be nested deeper than %u levels.",
                       variable->name, LIMIT_JSON_DEPTH - 1);
    if (scope->id == 0) {
        if (old != NULL && old->n == variable->n && memcmp(old->text, variable->text, old->n) == 0)
            return 0; /* as it was: the row need not be written */
        instance->variables_changed = true;
    } else {
        instance->locals_changed = scope->changed = true;
    }
    if (old != NULL)
        instance->variable_bytes -= variable_bytes(old);
    if (old == NULL) {
        if (name_check(step, variable->name) < 0)
            return err_trace(step->err);
        old = arena_push(step->arena, scope->variables, scope->n_variables,
                         scope->variables_capacity);
        old->name = variable->name;
    }
    old->text = variable->text;
    old->n = variable->n;
    old->value = variable->value;
    instance->variable_bytes += variable_bytes(old);
    return 0;
}

/* ---- Splitting an object's text ---- */

struct split {
    struct arena *arena;
    struct variable *variables;
    size_t n, capacity;
};

static void split_member(void *context, const char *name, const char *raw, size_t raw_n)
{
    struct split *split = context;

    *arena_push(split->arena, split->variables, split->n, split->capacity) =
        (struct variable){.name = name, .text = raw, .n = raw_n};
}

static int split_text(struct step *step, const char *text, size_t n, struct split *ret)
{
    *ret = (struct split){.arena = step->arena};
    if (value_split(step->arena, text, n, split_member, ret, step->err) < 0)
        return err_trace(step->err);
    return 0;
}

/* Reads the process variables, now that somebody wants them. */
static int unpack(struct step *step, struct instance *instance)
{
    struct split split;
    bool changed = instance->variables_changed;

    if (instance->variables_text == NULL)
        return 0;
    if (split_text(step, instance->variables_text, instance->variables_n, &split) < 0)
        return err_trace(step->err);
    for (size_t i = 0; i < split.n; i++)
        if (put(step, instance, &instance->scopes[0], &split.variables[i]) < 0)
            return err_trace(step->err);
    instance->variables_text = NULL;
    instance->variables_changed = changed;
    return 0;
}

/* ---- Looking and setting ---- */

uint32_t token_scope(const struct instance *instance, uint32_t id)
{
    const struct token *token = token_find(instance, id);

    if (token == NULL)
        return 0;
    return token->local != 0 ? token->local : token->scope;
}

static int find_outward(struct step *step, struct instance *instance, uint32_t id, const char *name,
                        size_t name_n, struct scope **ret_scope, struct variable **ret)
{
    *ret = NULL;
    for (;;) {
        struct scope *scope = scope_find(instance, id);
        if (scope == NULL)
            return err_set(step->err, ERR_INTERNAL, "Scope %u is gone.", id);
        if (id == 0 && unpack(step, instance) < 0)
            return err_trace(step->err);
        *ret_scope = scope;
        *ret = find(step->arena, scope, name, name_n);
        if (*ret != NULL || id == 0)
            return 0;
        id = scope->parent;
    }
}

static int parse(struct step *step, struct variable *variable)
{
    struct value *value;

    if (variable->value != NULL)
        return 0;
    value = arena_alloc(step->arena, sizeof(*value));
    if (value_read(step->arena, variable->text, variable->n, value, step->err) < 0)
        return err_trace(step->err);
    variable->value = value;
    return 0;
}

int variable_get(struct step *step, struct instance *instance, uint32_t scope, const char *name,
                 size_t name_n, const struct value **ret)
{
    struct scope *owner;
    struct variable *variable;

    *ret = NULL;
    if (find_outward(step, instance, scope, name, name_n, &owner, &variable) < 0)
        return err_trace(step->err);
    if (variable == NULL)
        return 0;
    if (parse(step, variable) < 0)
        return err_trace(step->err);
    *ret = variable->value;
    return 0;
}

static int set_outward(struct step *step, struct instance *instance, uint32_t scope,
                       const struct variable *variable)
{
    struct scope *owner;
    struct variable *old;

    if (find_outward(step, instance, scope, variable->name, strlen(variable->name), &owner, &old) <
        0)
        return err_trace(step->err);
    return put(step, instance, owner, variable);
}

static struct variable variable_of(struct step *step, const char *name, const struct value *value)
{
    struct value *copy = arena_alloc(step->arena, sizeof(*copy));
    struct variable variable = {.name = name, .value = copy};

    *copy = *value;
    variable.text = value_text(step->arena, value, &variable.n);
    return variable;
}

int variable_set(struct step *step, struct instance *instance, uint32_t scope, const char *name,
                 const struct value *value)
{
    struct variable variable = variable_of(step, name, value);

    return set_outward(step, instance, scope, &variable);
}

int variable_set_text(struct step *step, struct instance *instance, uint32_t scope,
                      const struct variable *variable)
{
    struct scope *owner = scope_find(instance, scope);

    if (owner == NULL)
        return err_set(step->err, ERR_INTERNAL, "Scope %u is gone.", scope);
    if (scope == 0 && unpack(step, instance) < 0)
        return err_trace(step->err);
    return put(step, instance, owner, variable);
}

int variable_set_local(struct step *step, struct instance *instance, uint32_t scope,
                       const char *name, const struct value *value)
{
    struct variable variable = variable_of(step, name, value);

    return variable_set_text(step, instance, scope, &variable);
}

int variables_set(struct step *step, struct instance *instance, uint32_t scope, const char *text,
                  size_t n)
{
    struct split split;

    if (text == NULL || n == 0)
        return 0;
    if (split_text(step, text, n, &split) < 0)
        return err_trace(step->err);
    for (size_t i = 0; i < split.n; i++)
        if (set_outward(step, instance, scope, &split.variables[i]) < 0)
            return err_trace(step->err);
    return 0;
}

/* Scopes with their variables, so that what was set can be taken back. */
static struct scope *scopes_copy(struct arena *arena, const struct instance *instance)
{
    struct scope *copy = arena_array(arena, instance->n_scopes, sizeof(*copy));

    for (size_t i = 0; i < instance->n_scopes; i++) {
        copy[i] = instance->scopes[i];
        copy[i].variables = arena_array(arena, copy[i].n_variables, sizeof(*copy[i].variables));
        copy[i].variables_capacity = copy[i].n_variables;
        copy[i].index = (struct name_index){0};
        for (size_t v = 0; v < copy[i].n_variables; v++)
            copy[i].variables[v] = instance->scopes[i].variables[v];
    }
    return copy;
}

bool variables_try(struct step *step, struct instance *instance, uint32_t scope, const char *text,
                   size_t n)
{
    struct instance before = *instance;

    before.scopes = scopes_copy(step->arena, instance);
    before.scopes_capacity = instance->n_scopes;
    if (variables_set(step, instance, scope, text, n) == 0 && variables_check(step) == 0)
        return true;
    *instance = before;
    return false;
}

const char *variables_names(struct step *step, const char *text, size_t n)
{
    struct split split;
    struct value *names;

    if (split_text(step, text, n, &split) < 0)
        return "[]"; /* they were set: they can be read */
    names = arena_array(step->arena, split.n, sizeof(*names));
    for (size_t i = 0; i < split.n; i++)
        names[i] =
            value_string(step->arena, split.variables[i].name, strlen(split.variables[i].name));
    struct value list = {.kind = VALUE_ARRAY, .u.array = {.items = names, .n = split.n}};
    return value_text(step->arena, &list, NULL);
}

/* Is there a variable of that name in a scope that lies inside of `outer`, seen from `inner`? */
static bool shadowed(struct arena *arena, const struct instance *instance, uint32_t inner,
                     uint32_t outer, const char *name)
{
    while (inner != outer && inner != 0) {
        struct scope *scope = scope_find(instance, inner);
        if (scope == NULL)
            return false;
        if (find(arena, scope, name, strlen(name)) != NULL)
            return true;
        inner = scope->parent;
    }
    return false;
}

int variables_each(struct step *step, struct instance *instance, uint32_t scope, bool local,
                   int (*each)(void *context, const struct variable *variable), void *context)
{
    if (unpack(step, instance) < 0)
        return err_trace(step->err);
    for (uint32_t id = scope;;) {
        const struct scope *at = scope_find(instance, id);
        if (at == NULL)
            return err_set(step->err, ERR_INTERNAL, "Scope %u is gone.", id);
        for (size_t i = 0; i < at->n_variables; i++) {
            if (shadowed(step->arena, instance, scope, id, at->variables[i].name))
                continue;
            if (each(context, &at->variables[i]) < 0)
                return err_trace(step->err);
        }
        if (id == 0 || local)
            return 0;
        id = at->parent;
    }
}

/* ---- Limits and output ---- */

int variables_check(struct step *step)
{
    struct family *family = step->family;

    for (size_t i = 0; i < family->n_instances; i++) {
        const struct instance *instance = family->instances[i];
        if (instance->fate == INSTANCE_ENDED ||
            (!instance->variables_changed && instance->n_scopes == 1))
            continue;
        size_t bytes = instance->variables_text != NULL ? instance->variables_n : 0;
        bytes += instance->variable_bytes;
        if (bytes > LIMIT_VARIABLES_BYTES)
            return err_set(step->err, ERR_LIMIT,
                           "The variables of the instance would be %zu bytes long in all, and the "
                           "limit is %u. Keep large data in a table of your own, and its key in a "
                           "variable.",
                           bytes, LIMIT_VARIABLES_BYTES);
    }
    return 0;
}

static void object_add(struct buf *buf, const struct variable *variable)
{
    struct value name = {.kind = VALUE_STRING,
                         .u.string = {.text = variable->name, .n = strlen(variable->name)}};

    buf_add_char(buf, buf->len == 0 ? '{' : ',');
    value_write(&name, buf);
    buf_add_char(buf, ':');
    buf_add(buf, variable->text, variable->n);
}

const char *scope_object(struct arena *arena, const struct scope *scope, size_t *ret_n)
{
    CLEANUP(buf_deinit) struct buf buf;

    buf_init(&buf, 0);
    for (size_t i = 0; i < scope->n_variables; i++)
        object_add(&buf, &scope->variables[i]);
    if (buf.len == 0)
        buf_add_char(&buf, '{');
    buf_add_char(&buf, '}');
    if (ret_n != NULL)
        *ret_n = buf.len;
    return arena_strndup(arena, buf_str(&buf), buf.len);
}

const char *instance_locals(struct family *family, const struct instance *instance, uint32_t token)
{
    CLEANUP(buf_deinit) struct buf buf;
    uint32_t inner = token_scope(instance, token);
    const struct scope *scope;

    buf_init(&buf, 0);
    for (uint32_t id = inner; id != 0 && (scope = scope_find(instance, id)) != NULL;
         id = scope->parent)
        /* How far a multi-instance activity is would be old before anybody reads it. */
        for (size_t i = 0; scope->loop == NULL && i < scope->n_variables; i++)
            if (!shadowed(family->arena, instance, inner, id, scope->variables[i].name))
                object_add(&buf, &scope->variables[i]);
    if (buf.len == 0)
        return NULL;
    buf_add_char(&buf, '}');
    return arena_strndup(family->arena, buf.data, buf.len);
}

bool instance_locals_changed(const struct instance *instance, uint32_t token)
{
    const struct scope *scope;

    for (uint32_t id = token_scope(instance, token);
         id != 0 && (scope = scope_find(instance, id)) != NULL; id = scope->parent)
        if (scope->changed)
            return true;
    return false;
}

void instance_variables(struct family *family, const struct instance *instance,
                        const char **ret_text, size_t *ret_n)
{
    if (instance->variables_text == NULL) {
        *ret_text = scope_object(family->arena, &instance->scopes[0], ret_n);
        return;
    }
    *ret_text = instance->variables_text;
    *ret_n = instance->variables_n;
}
