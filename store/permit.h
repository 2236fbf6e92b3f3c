/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How many requests an endpoint's rate lets leave now. Pure.
 *
 * The rate is a line of permits, one each 1/rate seconds. A permit may be used from `burst` - 1 of
 * them before its time until its time, then it has lapsed: a token bucket of `burst` tokens without
 * a job that refills it. A node takes a stretch of the line (endpoint_state.next_at moves behind
 * it), which from then on is its own; so all nodes together stay below the rate, and nobody asks
 * anybody for each request.
 */
#include "base/build.h"

/* A stretch of the line. next_us: INT64_MIN = never used; end_us <= next_us: nothing is left. */
struct lease {
    int64_t next_us, end_us;
};

struct permits {
    unsigned n;     /* may leave now, at most what was wanted */
    int64_t due_us; /* when one more of this lease may, if `want` was more than n; else INT64_MIN */
};

/* per_second > 0 */
struct permits permits_now(double per_second, int burst, const struct lease *lease, int64_t now_us,
                           unsigned want);
/* n of them were used. */
void permits_used(struct lease *lease, double per_second, int64_t now_us, unsigned n);

/* Is one left that has not lapsed? Else it is time for the next lease. */
bool lease_left(const struct lease *lease, double per_second, int64_t now_us);
/*
 * A lease behind all others, which end at next_us: what a fifth of a second needs, or a burst; no
 * more than `want`. `own` is the one that this node had: where it was the last one, what is left of
 * it is not lost. It is worth asking for once permits_now() says that the first of it may be used.
 */
struct lease lease_next(double per_second, int burst, const struct lease *own, int64_t next_us,
                        int64_t now_us, unsigned want);
