/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* When timer start events of a process are due. Pure. */
#include "engine/graph.h"

/* The first start of a process that is deployed at now_us. The error names the node. */
int start_timer_first(const struct node *node, struct arena *arena, int64_t now_us,
                      struct cycle_time *ret, struct err *err) MUST_CHECK;
/* The start after `time`, which was carried out at now_us. */
int start_timer_next(const struct node *node, struct arena *arena, const struct cycle_time *time,
                     int64_t now_us, struct cycle_time *ret, struct err *err) MUST_CHECK;
