/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How many requests an endpoint's rate lets leave now. Pure. The state is one time,
 * endpoint.next_at: when the next request may leave if all went at an even pace (the generic cell
 * rate algorithm, which is a token bucket of `burst` tokens without a refill job).
 */
#include "base/build.h"

struct permits {
    unsigned n;     /* may leave now, at most what was wanted */
    int64_t due_us; /* when one more may, if `want` was more than n; else INT64_MIN */
};

/* per_second > 0; next_us: INT64_MIN = never used. After taking k: max(next, now) + k / rate. */
struct permits permits_now(double per_second, int burst, int64_t next_us, int64_t now_us,
                           unsigned want);
