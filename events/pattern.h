/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The event pattern language of EventBridge: which events a rule wants. docs/events.md has it for
 * people. A pattern is read once, into plain data in an arena; matching changes nothing of it.
 *
 * An event is looked at as the list of its leaves: each a path ("detail.items.sku", whatever is
 * nested and whatever has a dot in its name) and a value. Elements of an array have the path of the
 * array, and remember which element they come from: fields of one pattern that lie in the same
 * array must be found in the same element. An empty array or object has no leaves.
 *
 * Pure.
 */
#include "engine/value.h"

struct event_pattern;

/* Each error's text begins with this, as that of AWS does. */
#define PATTERN_ERROR "Event pattern is not valid. Reason: "

/* The text is not needed any more afterwards. */
int event_pattern_read(struct arena *arena, const char *text, size_t n,
                       const struct event_pattern **ret, struct err *err) MUST_CHECK;

/* ---- Events ---- */

struct event_array; /* an element of an array, and the arrays around it */

struct event_field {
    const char *path;
    size_t path_n;
    const struct value *value;        /* no array, no object */
    const struct event_array *inside; /* innermost; NULL: in none */
};

struct event_fields {
    const struct event_field *fields; /* by path */
    size_t n;
};

/* The event must outlive the fields. */
void event_fields_read(struct arena *arena, const struct value *event, struct event_fields *ret);

enum event_match {
    PATTERN_DIFFERS = 0,
    PATTERN_MATCHES = 1,
    PATTERN_TOO_MUCH = 2, /* LIMIT_PATTERN_WORK: too many elements of arrays to try */
};

enum event_match event_pattern_match(const struct event_pattern *pattern,
                                     const struct event_fields *event, struct arena *scratch);
