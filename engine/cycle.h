/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The cycles of timers: a repetition of ISO 8601 or a cron expression, in a time zone. Pure. */
#include "engine/cron.h"

/* How timers fire that fell behind, while nobody was there or the process was stopped. */
enum catch_up {
    CATCH_UP_ONCE, /* once, and then on by the schedule */
    CATCH_UP_ALL,  /* once for each time that was missed, up to LIMIT_CATCH_UP */
};

struct cycle {
    bool is_cron;
    struct cron cron;
    struct iso_cycle iso;
    const struct zone *zone; /* NULL: UTC */
    enum catch_up catch_up;
};

struct cycle_time {
    int64_t due_us;    /* INT64_MAX: never, or over */
    int32_t remaining; /* repetitions after this one; -1: for ever */
};

/* Refuses a period of no length, too. */
int cycle_parse(const char *text, size_t n, const struct zone *zone, enum catch_up catch_up,
                struct cycle *ret, struct err *err) MUST_CHECK;
/* What begins at from_us; one for ever does not begin before now. */
struct cycle_time cycle_first(const struct cycle *cycle, int64_t from_us, int64_t now_us);
/* After `last` has fired, now. Missed times that are left out count as repetitions. */
struct cycle_time cycle_next(const struct cycle *cycle, const struct cycle_time *last,
                             int64_t now_us);
