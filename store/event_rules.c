/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/event_rules.h"

static bool same_bus(const struct event_bus *bus, const char *tenant, const char *name)
{
    return strcmp(bus->tenant, tenant) == 0 && strcmp(bus->name, name) == 0;
}

/* The rules of rows `from` to before `to`, which are of one bus. */
static struct event_bus read_bus(struct arena *arena, const struct result *rows, int from, int to)
{
    struct event_bus bus = {.tenant = arena_strdup(arena, result_text(rows, from, 0)),
                            .name = arena_strdup(arena, result_text(rows, from, 1))};
    size_t most = (size_t)(to - from);
    struct event_rule *rules = arena_array(arena, most, sizeof(*rules));
    const struct event_pattern **patterns = arena_array(arena, most, sizeof(*patterns));

    for (int row = from; row < to; row++) {
        struct event_rule *rule = &rules[bus.n_rules];
        struct target *targets;
        struct err err = {.code = ERR_NONE};
        const char *text =
            arena_strndup(arena, result_text(rows, row, 4), result_length(rows, row, 4));
        rule->name = arena_strdup(arena, result_text(rows, row, 2));
        /* Judged before it was stored: one that cannot be read any more wants nothing. */
        if (event_pattern_read(arena, result_text(rows, row, 3), result_length(rows, row, 3),
                               &patterns[bus.n_rules], &err) < 0 ||
            targets_read(arena, text, strlen(text), &targets, &rule->n_targets, &err) < 0)
            continue;
        rule->targets = targets;
        bus.n_rules++;
    }
    bus.rules = rules;
    bus.index = rules_index(arena, patterns, bus.n_rules);
    return bus;
}

int event_rules_read(struct conn *conn, struct event_rules **ret, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct arena arena;
    size_t capacity = 0;

    if (conn_query(conn, "events_rules", NO_PARAMS, &rows, err) < 0)
        return err_trace(err);
    arena_init(&arena, 0);
    struct event_rules *rules = arena_alloc(&arena, sizeof(*rules));
    for (int from = 0, to; from < result_rows(rows); from = to) {
        for (to = from + 1; to < result_rows(rows) &&
                            strcmp(result_text(rows, to, 0), result_text(rows, from, 0)) == 0 &&
                            strcmp(result_text(rows, to, 1), result_text(rows, from, 1)) == 0;)
            to++;
        *arena_push(&arena, rules->buses, rules->n_buses, capacity) =
            read_bus(&arena, rows, from, to);
    }
    rules->arena = arena;
    *ret = rules;
    return 0;
}

void event_rules_free(struct event_rules *rules)
{
    if (rules == NULL)
        return;
    struct arena arena = rules->arena;

    arena_deinit(&arena);
}

const struct event_bus *event_rules_bus(const struct event_rules *rules, const char *tenant,
                                        const char *bus)
{
    for (size_t i = 0; i < rules->n_buses; i++) {
        if (same_bus(&rules->buses[i], tenant, bus))
            return &rules->buses[i];
    }
    return NULL;
}
