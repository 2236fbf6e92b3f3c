/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a pattern: from nested objects to alternatives of paths. */
#include "base/build.h"

#include "base/limits.h"
#include "events/pattern_internal.h"

struct reader {
    struct arena *arena;
    struct alternative *alternatives; /* so far: what is read next holds for all of them */
    size_t n, capacity;
    struct err *err;
};

static int object_read(struct reader *reader, const char *path, const struct value *object);

static const char *path_of(struct arena *arena, const char *path, const char *name)
{
    return path[0] == '\0' ? arena_strdup(arena, name) : arena_printf(arena, "%s.%s", path, name);
}

static struct alternative alternative_copy(struct arena *arena, const struct alternative *from)
{
    struct alternative copy = {.n = from->n, .capacity = from->n};

    copy.clauses = arena_array(arena, from->n, sizeof(*copy.clauses));
    if (from->n != 0)
        memcpy(copy.clauses, from->clauses, from->n * sizeof(*copy.clauses));
    return copy;
}

/* Of one path, what is read last counts. */
static void put_clause(struct arena *arena, struct alternative *alternative, struct clause clause)
{
    for (size_t i = 0; i < alternative->n; i++) {
        if (alternative->clauses[i].path_n == clause.path_n &&
            memcmp(alternative->clauses[i].path, clause.path, clause.path_n) == 0) {
            alternative->clauses[i] = clause;
            return;
        }
    }
    *arena_push(arena, alternative->clauses, alternative->n, alternative->capacity) = clause;
}

static int leaf_read(struct reader *reader, const char *path, const struct value *list)
{
    struct arena *arena = reader->arena;
    size_t n = list->u.array.n;
    struct matcher *matchers = arena_array(arena, n, sizeof(*matchers));
    struct clause clause = {.path = path, .path_n = strlen(path), .matchers = matchers, .n = n};

    if (n == 0)
        return pattern_refuse(reader->err, "Empty arrays are not allowed");
    for (size_t i = 0; i < n; i++) {
        if (matcher_read(arena, &list->u.array.items[i], &matchers[i], reader->err) < 0)
            return err_trace(reader->err);
        clause.absent = clause.absent || matchers[i].kind == MATCH_ABSENT;
    }
    if (reader->n == 0)
        *arena_push(arena, reader->alternatives, reader->n, reader->capacity) =
            (struct alternative){.n = 0};
    for (size_t i = 0; i < reader->n; i++)
        put_clause(arena, &reader->alternatives[i], clause);
    return 0;
}

/* Words that are no fields of a branch: an array of such objects is a list of operators. */
static bool is_reserved(const char *name)
{
    static const char *const words[] = {"exactly",
                                        "equals-ignore-case",
                                        "prefix",
                                        "suffix",
                                        "anything-but",
                                        "exists",
                                        "wildcard",
                                        "numeric",
                                        "cidr",
                                        "=",
                                        "<",
                                        "<=",
                                        ">",
                                        ">=",
                                        "regex",
                                        "not-wildcard",
                                        "not-equals-ignore-case",
                                        "date-after",
                                        "date-on-or-after",
                                        "date-before",
                                        "date-on-or-before",
                                        "in-date-range",
                                        "ip-address-in-range",
                                        "ip-address-not-in-range"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(name, words[i]) == 0)
            return true;
    }
    return false;
}

/* $or is one only with two branches or more that are objects of fields; else it is a field. */
static bool is_or(const struct value_member *member)
{
    const struct value *list = &member->value;

    if (strcmp(member->name, "$or") != 0 || list->kind != VALUE_ARRAY || list->u.array.n < 2)
        return false;
    for (size_t i = 0; i < list->u.array.n; i++) {
        const struct value *branch = &list->u.array.items[i];
        if (branch->kind != VALUE_OBJECT)
            return false;
        for (size_t j = 0; j < branch->u.object.n; j++) {
            if (is_reserved(branch->u.object.members[j].name))
                return false;
        }
    }
    return true;
}

/* Each alternative so far with each branch. */
static int or_read(struct reader *reader, const char *path, const struct value *branches)
{
    struct alternative none = {.n = 0};
    const struct alternative *before = reader->n != 0 ? reader->alternatives : &none;
    size_t n_before = reader->n != 0 ? reader->n : 1;
    struct alternative *all = NULL;
    size_t n = 0, capacity = 0;

    for (size_t i = 0; i < branches->u.array.n; i++) {
        reader->alternatives = arena_array(reader->arena, n_before, sizeof(*before));
        reader->n = reader->capacity = n_before;
        for (size_t j = 0; j < n_before; j++)
            reader->alternatives[j] = alternative_copy(reader->arena, &before[j]);
        if (object_read(reader, path, &branches->u.array.items[i]) < 0)
            return err_trace(reader->err);
        for (size_t j = 0; j < reader->n; j++)
            *arena_push(reader->arena, all, n, capacity) = reader->alternatives[j];
        if (n > LIMIT_PATTERN_ALTERNATIVES || arena_full(reader->arena))
            return pattern_refuse(reader->err,
                                  "$or makes more than %u alternatives of it "
                                  "(LIMIT_PATTERN_ALTERNATIVES); make several rules",
                                  LIMIT_PATTERN_ALTERNATIVES);
    }
    reader->alternatives = all;
    reader->n = n;
    reader->capacity = capacity;
    return 0;
}

static int object_read(struct reader *reader, const char *path, const struct value *object)
{
    if (object->u.object.n == 0)
        return pattern_refuse(reader->err, "Empty objects are not allowed");
    for (size_t i = 0; i < object->u.object.n; i++) {
        const struct value_member *member = &object->u.object.members[i];
        int result;
        if (is_or(member))
            result = or_read(reader, path, &member->value);
        else if (member->value.kind == VALUE_OBJECT)
            result =
                object_read(reader, path_of(reader->arena, path, member->name), &member->value);
        else if (member->value.kind == VALUE_ARRAY)
            result = leaf_read(reader, path_of(reader->arena, path, member->name), &member->value);
        else
            return pattern_refuse(reader->err, "\"%s\" must be an object or an array",
                                  member->name);
        if (result < 0)
            return err_trace(reader->err);
    }
    return 0;
}

int event_pattern_read(struct arena *arena, const char *text, size_t n,
                       const struct event_pattern **ret, struct err *err)
{
    struct reader reader = {.arena = arena, .err = err};
    struct err why = {.code = ERR_NONE};
    struct value value;

    if (n > LIMIT_PATTERN_BYTES)
        return err_set(err, ERR_LIMIT,
                       PATTERN_ERROR "it has %zu bytes, the limit is %u (LIMIT_PATTERN_BYTES)", n,
                       LIMIT_PATTERN_BYTES);
    if (value_read(arena, text, n, &value, &why) < 0)
        return pattern_refuse(err, "%s", why.text);
    if (value.kind != VALUE_OBJECT)
        return pattern_refuse(err, "Filter is not an object");
    if (object_read(&reader, "", &value) < 0)
        return err_trace(err);
    struct event_pattern *pattern = arena_alloc(arena, sizeof(*pattern));
    pattern->alternatives = reader.alternatives;
    pattern->n = reader.n;
    *ret = pattern;
    return 0;
}
