/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/permit.h"

#define LEASE_US 200000.0 /* what is not used lapses: it shall not be much */

/* Between two permits. One request in 30 years is as good as none; and no arithmetic overflows. */
static double step_us(double per_second)
{
    double step = 1e6 / per_second;

    return step < 1e15 ? step : 1e15;
}

static int64_t first_us(const struct lease *lease, int64_t now_us)
{
    return lease->next_us > now_us ? lease->next_us : now_us;
}

/* How many have not lapsed. Times are whole microseconds: nothing is kept back for less than one.
 */
static double left(const struct lease *lease, double step, int64_t now_us)
{
    int64_t first = first_us(lease, now_us);

    return lease->end_us > first ? ((double)(lease->end_us - first) + 1) / step : 0;
}

bool lease_left(const struct lease *lease, double per_second, int64_t now_us)
{
    return left(lease, step_us(per_second), now_us) >= 1;
}

struct permits permits_now(double per_second, int burst, const struct lease *lease, int64_t now_us,
                           unsigned want)
{
    double step = step_us(per_second), tokens = burst < 1 ? 1 : burst;
    double ahead = (double)(first_us(lease, now_us) - now_us);
    double room = ahead > 0 ? tokens - (ahead - 1) / step : tokens;
    double most = left(lease, step, now_us);

    if (most < room)
        room = most;
    unsigned n = room < 1 ? 0 : room < (double)want ? (unsigned)room : want;
    struct permits permits = {.n = n, .due_us = INT64_MIN};
    if (n < want)
        permits.due_us = now_us + (int64_t)(ahead + ((double)n + 1 - tokens) * step);
    return permits;
}

void permits_used(struct lease *lease, double per_second, int64_t now_us, unsigned n)
{
    if (n != 0)
        lease->next_us = first_us(lease, now_us) + (int64_t)(n * step_us(per_second));
}

struct lease lease_next(double per_second, int burst, const struct lease *own, int64_t next_us,
                        int64_t now_us, unsigned want)
{
    struct lease lease = {.next_us = next_us};
    double step = step_us(per_second), n = LEASE_US / step;

    if (own->end_us == next_us && own->next_us < next_us)
        lease.next_us = own->next_us;
    /* Further ahead than this rate gets: given away when the rate was another one. */
    double ahead = step * burst > LEASE_US ? step * burst : LEASE_US;
    if ((double)lease.next_us - (double)now_us > 2 * ahead)
        lease.next_us = now_us + (int64_t)ahead;
    lease.next_us = first_us(&lease, now_us);
    if (n < burst)
        n = burst;
    if (n > want)
        n = want;
    if (n < 1)
        n = 1;
    lease.end_us = lease.next_us + (int64_t)((double)(int64_t)n * step);
    return lease;
}
