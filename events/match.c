/* SPDX-License-Identifier: Apache-2.0 */
/* An event as the list of its leaves, and whether a pattern's fields are among them. */
#include "base/build.h"

#include "base/limits.h"
#include "events/pattern_internal.h"

/* Element `index` of the array `array`, which lies `depth` arrays deep. */
struct event_array {
    const struct event_array *outer;
    unsigned depth;
    size_t array, index;
};

struct lister {
    struct arena *arena;
    struct event_field *fields;
    size_t n, capacity;
    size_t arrays; /* so far */
};

/* ---- Leaves ---- */

static void list(struct lister *lister, const char *path, size_t path_n,
                 const struct event_array *inside, const struct value *value)
{
    struct arena *arena = lister->arena;

    if (value->kind == VALUE_OBJECT) {
        for (size_t i = 0; i < value->u.object.n; i++) {
            const struct value_member *member = &value->u.object.members[i];
            size_t n = path_n + (path_n != 0) + member->name_n;
            char *longer = arena_alloc(arena, n + 1);
            memcpy(longer, path, path_n);
            longer[path_n] = '.';
            memcpy(longer + n - member->name_n, member->name, member->name_n);
            longer[n] = '\0';
            list(lister, longer, n, inside, &member->value);
        }
    } else if (value->kind == VALUE_ARRAY) {
        size_t array = ++lister->arrays;
        for (size_t i = 0; i < value->u.array.n; i++) {
            struct event_array *element = arena_alloc(arena, sizeof(*element));
            *element = (struct event_array){.outer = inside,
                                            .depth = inside != NULL ? inside->depth + 1 : 0,
                                            .array = array,
                                            .index = i};
            list(lister, path, path_n, element, &value->u.array.items[i]);
        }
    } else {
        *arena_push(arena, lister->fields, lister->n, lister->capacity) =
            (struct event_field){.path = path, .path_n = path_n, .value = value, .inside = inside};
    }
}

static int path_order(const char *a, size_t a_n, const char *b, size_t b_n)
{
    if (a_n != b_n)
        return a_n < b_n ? -1 : 1;
    return memcmp(a, b, a_n);
}

static int field_order(const void *a, const void *b)
{
    const struct event_field *x = a, *y = b;

    return path_order(x->path, x->path_n, y->path, y->path_n);
}

void event_fields_read(struct arena *arena, const struct value *event, struct event_fields *ret)
{
    struct lister lister = {.arena = arena};

    list(&lister, "", 0, NULL, event);
    if (lister.n != 0)
        qsort(lister.fields, lister.n, sizeof(*lister.fields), field_order);
    *ret = (struct event_fields){.fields = lister.fields, .n = lister.n};
}

/* ---- Fields of a pattern ---- */

/* The leaves of a path: fields[*ret_from] to before the result. */
static size_t find(const struct event_fields *event, const struct clause *clause, size_t *ret_from)
{
    size_t low = 0, high = event->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct event_field *field = &event->fields[middle];
        if (path_order(field->path, field->path_n, clause->path, clause->path_n) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_from = low;
    while (low < event->n && path_order(event->fields[low].path, event->fields[low].path_n,
                                        clause->path, clause->path_n) == 0)
        low++;
    return low;
}

/* Whether two leaves lie in the same element of each array that holds both. */
static bool together(const struct event_array *a, const struct event_array *b)
{
    while (a != NULL && b != NULL && a->depth > b->depth)
        a = a->outer;
    while (a != NULL && b != NULL && b->depth > a->depth)
        b = b->outer;
    for (; a != NULL && b != NULL && a != b; a = a->outer, b = b->outer) {
        if (a->array == b->array && a->index != b->index)
            return false;
    }
    return true;
}

/* A field that is to be found: the leaves that would do, and those that are there. */
struct wanted {
    const struct event_array **fit;
    size_t n_fit;
    size_t from, to; /* all leaves of the path */
    bool absent;
    const struct event_array *chosen; /* where it was found; NULL: anywhere, or not at all */
};

struct search {
    const struct event_fields *event;
    struct wanted *wanted;
    size_t n;
    size_t work;
};

static bool fits(struct search *search, size_t n, const struct event_array *inside)
{
    for (size_t i = 0; i < n; i++) {
        search->work++;
        if (!together(search->wanted[i].chosen, inside))
            return false;
    }
    return true;
}

/* None of the leaves of its path lies where the others were found. */
static bool is_absent(struct search *search, size_t at)
{
    for (size_t i = search->wanted[at].from; i < search->wanted[at].to; i++) {
        if (fits(search, at, search->event->fields[i].inside))
            return false;
    }
    return true;
}

/* Depth is the number of fields of a pattern, which its size bounds. */
static enum event_match place(struct search *search, size_t at)
{
    if (at == search->n)
        return PATTERN_MATCHES;
    struct wanted *wanted = &search->wanted[at];
    for (size_t i = 0; i < wanted->n_fit; i++) {
        if (++search->work > LIMIT_PATTERN_WORK)
            return PATTERN_TOO_MUCH;
        if (!fits(search, at, wanted->fit[i]))
            continue;
        wanted->chosen = wanted->fit[i];
        enum event_match match = place(search, at + 1);
        if (match != PATTERN_DIFFERS)
            return match;
    }
    wanted->chosen = NULL;
    if (wanted->absent && is_absent(search, at))
        return place(search, at + 1);
    return search->work > LIMIT_PATTERN_WORK ? PATTERN_TOO_MUCH : PATTERN_DIFFERS;
}

/* False: it cannot be found. Else *ret_anywhere: it is, whatever the others are. */
static bool look(const struct clause *clause, const struct event_fields *event,
                 struct arena *scratch, struct wanted *ret, bool *ret_anywhere)
{
    *ret = (struct wanted){.absent = clause->absent};
    ret->to = find(event, clause, &ret->from);
    *ret_anywhere = ret->absent && ret->from == ret->to;
    ret->fit = arena_array(scratch, ret->to - ret->from, sizeof(struct event_array *));
    for (size_t i = ret->from; i < ret->to; i++) {
        bool holds = false;
        for (size_t j = 0; j < clause->n && !holds; j++)
            holds = matcher_holds(&clause->matchers[j], event->fields[i].value, scratch);
        if (!holds)
            continue;
        *ret_anywhere = *ret_anywhere || event->fields[i].inside == NULL;
        ret->fit[ret->n_fit++] = event->fields[i].inside;
    }
    return ret->n_fit != 0 || ret->absent;
}

enum event_match alternative_match(const struct alternative *alternative,
                                   const struct event_fields *event, struct arena *scratch)
{
    struct search search = {.event = event};
    bool anywhere;

    search.wanted = arena_array(scratch, alternative->n, sizeof(*search.wanted));
    /* What may be missing comes last: it is judged by where the others are. */
    for (unsigned absent = 0; absent < 2; absent++) {
        for (size_t i = 0; i < alternative->n; i++) {
            const struct clause *clause = &alternative->clauses[i];
            if (clause->absent != (absent == 1))
                continue;
            if (!look(clause, event, scratch, &search.wanted[search.n], &anywhere))
                return PATTERN_DIFFERS;
            search.n += !anywhere;
        }
    }
    return place(&search, 0);
}

enum event_match event_pattern_match(const struct event_pattern *pattern,
                                     const struct event_fields *event, struct arena *scratch)
{
    enum event_match result = PATTERN_DIFFERS;

    for (size_t i = 0; i < pattern->n && result != PATTERN_MATCHES; i++) {
        enum event_match match = alternative_match(&pattern->alternatives[i], event, scratch);
        result = match != PATTERN_DIFFERS ? match : result;
    }
    return result;
}
