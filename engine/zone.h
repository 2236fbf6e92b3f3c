/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Time zones as data: when the offset from UTC changed, and will. The store reads the rules from
 * PostgreSQL's own time zone database, so that all nodes have the same.
 */
#include "engine/isotime.h"

struct zone {
    const char *name;       /* "Europe/Zurich" */
    size_t n;               /* 0: UTC */
    const int64_t *from_us; /* when each offset begins, in order; the first one holds before, too */
    const int32_t *offset_s; /* seconds east of UTC */
};

/* What a wall clock in the zone (NULL: UTC) shows, as microseconds as if it were in UTC. */
int64_t zone_local(const struct zone *zone, int64_t us);
/*
 * When a wall clock first shows that. A time that the clock skips (in spring) is the first instant
 * after the gap; of one that comes twice (in autumn) it is the first.
 */
int64_t zone_instant(const struct zone *zone, int64_t local_us);
/* When the offset that holds at `us` ends; INT64_MAX: never. */
int64_t zone_change(const struct zone *zone, int64_t us);
/*
 * from + duration * times: years, months, weeks and days on the wall clock's calendar, so that a
 * time of day stays what it is; hours, minutes and seconds exactly.
 */
int64_t zone_add(const struct zone *zone, int64_t from_us, const struct iso_duration *duration,
                 int64_t times);
