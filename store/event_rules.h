/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The rules of all buses, compiled; read anew when their version has changed. */
#include "events/rules.h"
#include "events/target.h"
#include "store/conn.h"

struct event_rule {
    const char *name;
    const struct target *targets;
    size_t n_targets;
};

struct event_bus {
    const char *tenant, *name;
    const struct rules *index;
    const struct event_rule *rules; /* by their number in the index */
    size_t n_rules;
};

struct event_rules {
    struct arena arena;
    struct event_bus *buses;
    size_t n_buses;
};

int event_rules_read(struct conn *conn, struct event_rules **ret, struct err *err) MUST_CHECK;
void event_rules_free(struct event_rules *rules); /* NULL is a no-op */
/* NULL: it has no rules. */
const struct event_bus *event_rules_bus(const struct event_rules *rules, const char *tenant,
                                        const char *bus);
