/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "events/pattern_internal.h"
#include "events/rules.h"

/* An alternative of a rule, in the list of what asks for the same. */
struct candidate {
    const struct alternative *alternative;
    size_t rule;
    const struct candidate *next;
};

/* Keys are hashes alone: who is found by a wrong one does not match. */
struct slot {
    uint64_t key; /* 0: free */
    size_t count; /* while it is built: how many alternatives could be found by it */
    const struct candidate *first;
};

struct rules {
    struct slot *slots;
    size_t mask;
    const struct candidate *others; /* that ask for no field to be there */
    size_t n;                       /* rules */
};

/* ---- Keys ---- */

#define HASH_START UINT64_C(0xcbf29ce484222325)

static uint64_t hash_more(uint64_t hash, const void *bytes, size_t n)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t path_key(const char *path, size_t n)
{
    return hash_more(HASH_START, path, n) | 1;
}

/* Equal values have equal keys. */
static uint64_t value_key(uint64_t path, const struct value *value)
{
    uint8_t kind = (uint8_t)('0' + value->kind);
    uint64_t hash = hash_more(path, &kind, 1);
    double number;

    switch (value->kind) {
    case VALUE_STRING:
        hash = hash_more(hash, value->u.string.text, value->u.string.n);
        break;
    case VALUE_NUMBER:
        number = value->u.number.number + 0.0; /* -0 is 0 */
        hash = hash_more(hash, &number, sizeof(number));
        break;
    case VALUE_BOOL:
        hash = hash_more(hash, &value->u.boolean, 1);
        break;
    default:
        break;
    }
    return hash | 1;
}

static struct slot *slot_of(const struct rules *rules, uint64_t key)
{
    size_t at = (key ^ key >> 32) & rules->mask;

    while (rules->slots[at].key != 0 && rules->slots[at].key != key)
        at = (at + 1) & rules->mask;
    return &rules->slots[at];
}

/* ---- Building ---- */

static bool is_exact(const struct clause *clause)
{
    for (size_t i = 0; i < clause->n; i++) {
        if (clause->matchers[i].kind != MATCH_VALUE)
            return false;
    }
    return true;
}

/* Calls for each key that finds the clause: one a value, or that of the path alone. */
static void clause_keys(struct rules *rules, const struct clause *clause,
                        void (*each)(struct slot *slot, void *context), void *context)
{
    uint64_t path = path_key(clause->path, clause->path_n);
    bool exact = is_exact(clause);

    for (size_t i = 0; i < (exact ? clause->n : 1); i++) {
        uint64_t key = exact ? value_key(path, &clause->matchers[i].u.value) : path;
        struct slot *slot = slot_of(rules, key);
        slot->key = key;
        each(slot, context);
    }
}

static void count_one(struct slot *slot, void *context)
{
    (void)context;
    slot->count++;
}

static void add_count(struct slot *slot, void *context)
{
    *(size_t *)context += slot->count;
}

struct adding {
    struct arena *arena;
    const struct alternative *alternative;
    size_t rule;
};

static void add_one(struct slot *slot, void *context)
{
    struct adding *adding = context;
    struct candidate *candidate = arena_alloc(adding->arena, sizeof(*candidate));

    *candidate = (struct candidate){adding->alternative, adding->rule, slot->first};
    slot->first = candidate;
}

/* The field by which it is found: the one whose values fewest others ask for. */
static const struct clause *best_clause(struct rules *rules, const struct alternative *alternative)
{
    const struct clause *best = NULL;
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < alternative->n; i++) {
        const struct clause *clause = &alternative->clauses[i];
        size_t count = 0;
        if (clause->absent)
            continue;
        clause_keys(rules, clause, add_count, &count);
        if (count < least) {
            least = count;
            best = clause;
        }
    }
    return best;
}

/* How many keys there may be: the table stays half empty. */
static size_t count_keys(const struct event_pattern *const *patterns, size_t n)
{
    size_t keys = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < patterns[i]->n; j++) {
            const struct alternative *alternative = &patterns[i]->alternatives[j];
            for (size_t k = 0; k < alternative->n; k++)
                keys += alternative->clauses[k].n;
        }
    }
    return keys;
}

const struct rules *rules_index(struct arena *arena, const struct event_pattern *const *patterns,
                                size_t n)
{
    struct rules *rules = arena_alloc(arena, sizeof(*rules));
    size_t size = 16, keys = count_keys(patterns, n);

    while (size < keys * 2)
        size *= 2;
    *rules = (struct rules){.mask = size - 1, .n = n};
    rules->slots = arena_array(arena, size, sizeof(*rules->slots));
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < patterns[i]->n; j++) {
            const struct alternative *alternative = &patterns[i]->alternatives[j];
            for (size_t k = 0; k < alternative->n; k++)
                clause_keys(rules, &alternative->clauses[k], count_one, NULL);
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < patterns[i]->n; j++) {
            struct adding adding = {arena, &patterns[i]->alternatives[j], i};
            struct slot others = {.first = rules->others};
            const struct clause *best = best_clause(rules, adding.alternative);
            if (best != NULL) {
                clause_keys(rules, best, add_one, &adding);
                continue;
            }
            add_one(&others, &adding);
            rules->others = others.first;
        }
    }
    return rules;
}

/* ---- Matching ---- */

struct found {
    const struct event_fields *event;
    struct arena *scratch;
    uint8_t *done; /* a bit a rule: it matches, nothing more is to be tried */
    struct rules_match *matches;
    size_t n, capacity;
};

static void try_all(struct found *found, const struct candidate *candidate)
{
    for (; candidate != NULL; candidate = candidate->next) {
        uint8_t bit = (uint8_t)(1u << candidate->rule % 8);
        if ((found->done[candidate->rule / 8] & bit) != 0)
            continue;
        enum event_match match =
            alternative_match(candidate->alternative, found->event, found->scratch);
        if (match == PATTERN_DIFFERS)
            continue;
        found->done[candidate->rule / 8] |= bit;
        *arena_push(found->scratch, found->matches, found->n, found->capacity) =
            (struct rules_match){candidate->rule, match == PATTERN_TOO_MUCH};
    }
}

static int match_order(const void *a, const void *b)
{
    size_t x = ((const struct rules_match *)a)->rule, y = ((const struct rules_match *)b)->rule;

    return (x > y) - (x < y);
}

const struct rules_match *rules_match(const struct rules *rules, const struct event_fields *event,
                                      struct arena *scratch, size_t *ret_n)
{
    struct found found = {.event = event, .scratch = scratch};
    uint64_t path = 0;

    found.done = arena_alloc(scratch, rules->n / 8 + 1);
    for (size_t i = 0; i < event->n; i++) {
        const struct event_field *field = &event->fields[i];
        bool again = i > 0 && field->path_n == field[-1].path_n &&
                     memcmp(field->path, field[-1].path, field->path_n) == 0;
        if (!again) {
            path = path_key(field->path, field->path_n);
            try_all(&found, slot_of(rules, path)->first);
        }
        try_all(&found, slot_of(rules, value_key(path, field->value))->first);
    }
    try_all(&found, rules->others);
    if (found.n != 0)
        qsort(found.matches, found.n, sizeof(*found.matches), match_order);
    *ret_n = found.n;
    return found.matches;
}
