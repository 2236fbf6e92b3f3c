/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "engine/zone.h"

/* The number of the offset that holds at `us`. */
static size_t holds(const struct zone *zone, int64_t us)
{
    size_t low = 0, high = zone->n;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->from_us[middle] <= us)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static bool has_rules(const struct zone *zone)
{
    return zone != NULL && zone->n > 0;
}

static int64_t add(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

static int64_t offset_us(const struct zone *zone, size_t i)
{
    return (int64_t)zone->offset_s[i] * 1000000;
}

int64_t zone_local(const struct zone *zone, int64_t us)
{
    return has_rules(zone) ? add(us, offset_us(zone, holds(zone, us))) : us;
}

int64_t zone_change(const struct zone *zone, int64_t us)
{
    if (!has_rules(zone))
        return INT64_MAX;
    size_t next = holds(zone, us) + 1;
    return next < zone->n ? zone->from_us[next] : INT64_MAX;
}

int64_t zone_instant(const struct zone *zone, int64_t local_us)
{
    if (!has_rules(zone) || local_us == INT64_MAX || local_us == INT64_MIN)
        return local_us;
    /* No offset is longer than a day or so: begin with the one that held two days before. */
    for (size_t i = holds(zone, add(local_us, -INT64_C(172800000000)));; i++) {
        int64_t us = add(local_us, -offset_us(zone, i));
        if (i + 1 >= zone->n || us < zone->from_us[i + 1])
            return i > 0 && us < zone->from_us[i] ? zone->from_us[i] : us;
    }
}

int64_t zone_add(const struct zone *zone, int64_t from_us, const struct iso_duration *duration,
                 int64_t times)
{
    struct iso_duration days = *duration, rest = {.us = duration->us};

    days.us = 0;
    rest.negative = duration->negative;
    if (!has_rules(zone) || iso_duration_us(&days) == 0)
        return iso_add(from_us, duration, times);
    int64_t local_us = iso_add(zone_local(zone, from_us), &days, times);
    return iso_add(zone_instant(zone, local_us), &rest, times);
}
