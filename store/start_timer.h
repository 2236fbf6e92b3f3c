/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* When timer start events of a process are due. Pure. */
#include "engine/graph.h"

struct start_time {
    int64_t due_us;    /* INT64_MAX: never (again) */
    int32_t remaining; /* starts after this one; -1: for ever */
};

/* The first start of a process that is deployed at now_us. The error names the node. */
int start_timer_first(const struct node *node, struct arena *arena, int64_t now_us,
                      struct start_time *ret, struct err *err) MUST_CHECK;
/* The start after `time`, which was carried out at now_us. What nobody was there to see is not made
 * up for. */
int start_timer_next(const struct node *node, struct arena *arena, const struct start_time *time,
                     int64_t now_us, struct start_time *ret, struct err *err) MUST_CHECK;
