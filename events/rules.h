/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Many patterns at once. An index by the exact values that they ask for (the source, the type, a
 * field of the detail: whichever few others ask for, too) says which of them an event can match at
 * all; these are then tried one by one. So an event costs what it matches, not what there is.
 *
 * Pure. Built once, then unchanged.
 */
#include "events/pattern.h"

struct rules;

/* The patterns, and `arena`, must outlive it. */
const struct rules *rules_index(struct arena *arena, const struct event_pattern *const *patterns,
                                size_t n);

struct rules_match {
    size_t rule;   /* its number */
    bool too_much; /* it could not be judged: PATTERN_TOO_MUCH */
};

/* All rules that match, by their number; in `scratch`. */
const struct rules_match *rules_match(const struct rules *rules, const struct event_fields *event,
                                      struct arena *scratch, size_t *ret_n);
