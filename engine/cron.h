/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Cron expressions. Five fields as in crontab(5): minute, hour, day of month, month, day of week.
 * Six as in Camunda 7 (Spring's): a second before them. Seven: a year behind. In the day of week 0
 * and 7 are Sunday. Lists, ranges (over the end too: FRI-MON), steps, names; in the day of month L,
 * L-3, LW, 15W; in the day of week 5L and MON#2. `?` is `*` in both. Where both days are
 * restricted, five fields mean either (as crontab does), six and seven both of them.
 */
#include "engine/zone.h"

struct cron {
    uint64_t seconds, minutes;    /* bits */
    uint32_t hours, days, months; /* bits; days and months from 1 */
    uint8_t weekdays;             /* bit 0: Sunday */
    uint8_t last_weekdays;        /* 5L: the last one of the month */
    uint8_t nth_weekdays[5];      /* MON#2: bit 1 of [1] */
    uint32_t last_days;           /* L-n: bit n; L: bit 0 */
    bool last_workday;            /* LW */
    uint32_t near_workdays;       /* 15W: bit 15 */
    bool any_day, any_weekday;    /* not restricted */
    bool either;                  /* day of month or day of week is enough */
    uint64_t years[4];            /* bits from CRON_FIRST_YEAR */
};

#define CRON_FIRST_YEAR 1970
#define CRON_LAST_YEAR 2199

/* On failure err->column is the 1-based byte of the text, without the spaces before it. */
int cron_parse(const char *text, size_t n, struct cron *ret, struct err *err) MUST_CHECK;
/*
 * The first time after `after_us`; INT64_MAX: there is none. A time of day that the wall clock
 * skips is the first instant after the gap, one that comes twice counts once, the first time; but a
 * cron of every hour goes on by real time, and does not know of the wall clock's jumps.
 */
int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after_us);
