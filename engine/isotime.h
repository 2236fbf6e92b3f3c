/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ISO 8601 dates, durations and repetitions, and Camunda's retry cycles. Pure: "now" comes in.
 * Times are microseconds since 1970-01-01T00:00:00Z; a date without offset is UTC. Years, months
 * and days of a duration are added on the calendar (P1M from 31 January is the last day of
 * February).
 */
#include "base/arena.h"
#include "base/err.h"

/* Durations of people: the parts stay apart until they are added to a date. */
struct iso_duration {
    int32_t years, months, weeks, days;
    int64_t us;    /* hours, minutes, seconds and their fraction */
    bool negative; /* refused where it makes no sense */
};

/* On failure err->column is the 1-based byte of the text, without the spaces before it. */
int iso_duration_parse(const char *text, size_t n, struct iso_duration *ret,
                       struct err *err) MUST_CHECK;
int iso_date_parse(const char *text, size_t n, int64_t *ret_us, struct err *err) MUST_CHECK;
/* The same; *ret_local: it has no offset, and may be meant for a zone. */
int iso_date_read(const char *text, size_t n, int64_t *ret_us, bool *ret_local,
                  struct err *err) MUST_CHECK;
/* 2026-11-21T10:00:00.123456Z; "infinity" and "-infinity" outside the years 0 to 9999. */
void iso_date_format(int64_t us, char room[28]);
/* from + duration * times; kept within int64, so that INT64_MAX is "never". */
int64_t iso_add(int64_t from_us, const struct iso_duration *duration, int64_t times);
/* Its length in microseconds, a month counted as 30 days and a year as 365; for limits. */
int64_t iso_duration_us(const struct iso_duration *duration);

/*
 * A repetition: Rn/duration, R/duration (for ever), R[n]/start/duration, R[n]/duration/end, and
 * R[n]/start/end (as long apart as the two are).
 */
struct iso_cycle {
    int32_t times; /* -1: for ever */
    bool has_start, has_end;
    bool start_local, end_local; /* without offset */
    int64_t start_us, end_us;
    struct iso_duration period;
};
int iso_cycle_parse(const char *text, size_t n, struct iso_cycle *ret, struct err *err) MUST_CHECK;

/*
 * failedJobRetryTimeCycle (Camunda 7): "R3/PT5M" = 3 tries in all, PT5M apart; a list
 * "PT10S,PT1M,PT5M" = its length + 1 tries, intervals in order, the last repeats; a single "PT5M" =
 * 2 tries; fractions of a second count; spaces after commas are allowed. "R3" = 3 tries without
 * delay; "R/PT5M" tries for ever.
 */
struct retry_cycle {
    uint32_t tries;              /* in all, the first included; at least 1; UINT32_MAX: for ever */
    struct iso_duration *delays; /* n_delays; delay i follows failure i+1, the last repeats */
    uint32_t n_delays;           /* 0: without delay */
};
int retry_cycle_parse(struct arena *arena, const char *text, struct retry_cycle *ret,
                      struct err *err) MUST_CHECK;
