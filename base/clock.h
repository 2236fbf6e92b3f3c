/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * This node's clocks, for waiting only: what happens when is decided by the database's clock
 * (DESIGN.md rule 7). Microseconds since some start.
 */
#include "base/build.h"

#include <time.h>

/* Goes on while the machine sleeps: deadlines that others count too. */
static inline int64_t clock_boot_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Since 1970: for those outside who compare it with a clock of theirs, and for ids. */
static inline int64_t clock_unix_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static inline int64_t clock_unix_s(void)
{
    return clock_unix_ms() / 1000;
}

/* The clock of condition variables: how long to sleep. */
static inline int64_t clock_mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
