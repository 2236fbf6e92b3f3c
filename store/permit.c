/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/permit.h"

struct permits permits_now(double per_second, int burst, int64_t next_us, int64_t now_us,
                           unsigned want)
{
    /* One request in 30 years is as good as none; and no arithmetic overflows. */
    double step = 1e6 / per_second;
    if (!(step < 1e15))
        step = 1e15;
    double tokens = burst < 1 ? 1 : burst;
    double ahead = next_us > now_us ? (double)(next_us - now_us) : 0; /* of the even pace */
    /* Times are whole microseconds: nothing is held back for less than one. */
    double room = ahead > 0 ? tokens - (ahead - 1) / step : tokens;
    unsigned n = room < 1 ? 0 : room < (double)want ? (unsigned)room : want;
    struct permits permits = {.n = n, .due_us = INT64_MIN};
    if (n < want)
        permits.due_us = now_us + (int64_t)(ahead + ((double)n + 1 - tokens) * step);
    return permits;
}
