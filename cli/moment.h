/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Times and spans as people read them. Times are microseconds since 1970; MOMENT_NONE: not known.
 */
#include "base/arena.h"

#define MOMENT_NONE INT64_MIN

/* Takes what PostgreSQL puts into JSON: "2026-05-01T10:00:00.5+00:00", "infinity"; else
 * MOMENT_NONE. */
int64_t moment_parse(const char *iso);
/* "35 ms", "1.2 s", "3 min 5 s", "2 h 10 min", "3 d 4 h". */
const char *moment_span(struct arena *arena, int64_t us);
/* "3 s ago", "in 3 s", "now". */
const char *moment_relative(struct arena *arena, int64_t at_us, int64_t now_us);
/* Local time: "10:00:00" on the day of now_us, else with the date. */
const char *moment_clock(struct arena *arena, int64_t at_us, int64_t now_us);
/* Local time with milliseconds: "2026-05-01 10:00:00.500". */
const char *moment_exact(struct arena *arena, int64_t at_us);
