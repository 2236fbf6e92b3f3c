/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/cycle.h"
#include "engine/isotime_internal.h"

int cycle_parse(const char *text, size_t n, const struct zone *zone, enum catch_up catch_up,
                struct cycle *ret, struct err *err)
{
    struct cycle cycle = {.zone = zone, .catch_up = catch_up};

    iso_text_trim(&text, &n);
    cycle.is_cron = n > 0 && *text != 'R' && *text != 'P';
    if (cycle.is_cron) {
        if (cron_parse(text, n, &cycle.cron, err) < 0)
            return err_trace(err);
        *ret = cycle;
        return 0;
    }
    if (iso_cycle_parse(text, n, &cycle.iso, err) < 0)
        return err_trace(err);
    if (cycle.iso.period.negative || iso_duration_us(&cycle.iso.period) <= 0)
        return iso_refuse(err, text, n, text, "the period must be longer than nothing");
    if (cycle.iso.has_start && cycle.iso.start_local)
        cycle.iso.start_us = zone_instant(zone, cycle.iso.start_us);
    if (cycle.iso.has_end && cycle.iso.end_local)
        cycle.iso.end_us = zone_instant(zone, cycle.iso.end_us);
    *ret = cycle;
    return 0;
}

/* The nth time of a repetition that is counted from `from_us`. */
static int64_t nth(const struct cycle *cycle, int64_t from_us, int64_t n)
{
    return zone_add(cycle->zone, from_us, &cycle->iso.period, n);
}

/* The number of the first time after `after_us`; 0 is from_us itself. */
static int64_t number_after(const struct cycle *cycle, int64_t from_us, int64_t after_us)
{
    int64_t n = 0;

    if (after_us > from_us)
        n = (after_us - from_us) / iso_duration_us(&cycle->iso.period);
    while (n > 0 && nth(cycle, from_us, n - 1) > after_us)
        n--;
    while (nth(cycle, from_us, n) <= after_us)
        n++;
    return n;
}

/* Times are counted from the start, where there is one: a day that was cut short shortens no other.
 */
static int64_t anchor(const struct cycle *cycle, int64_t due_us)
{
    return cycle->iso.has_start && cycle->iso.start_us <= due_us ? cycle->iso.start_us : due_us;
}

/* The first time after both; *ret_skipped: how many repetitions that is. */
static int64_t time_after(const struct cycle *cycle, int64_t due_us, int64_t after_us,
                          int64_t *ret_repetitions)
{
    *ret_repetitions = 1;
    if (cycle->is_cron)
        return cron_next(&cycle->cron, cycle->zone, after_us > due_us ? after_us : due_us);
    int64_t from_us = anchor(cycle, due_us);
    int64_t next = number_after(cycle, from_us, after_us > due_us ? after_us : due_us);
    *ret_repetitions = next - number_after(cycle, from_us, due_us) + 1;
    return nth(cycle, from_us, next);
}

/* Are there more than LIMIT_CATCH_UP times in between? */
static bool too_many(const struct cycle *cycle, int64_t due_us, int64_t after_us, int64_t until_us)
{
    int64_t repetitions;

    for (unsigned i = 0; i <= LIMIT_CATCH_UP; i++) {
        after_us = time_after(cycle, due_us, after_us, &repetitions);
        if (after_us > until_us)
            return false;
    }
    return true;
}

/* From when on missed times are made up for: all of them since `due_us`, or the last ones. */
static int64_t catch_up_from(const struct cycle *cycle, int64_t due_us, int64_t now_us)
{
    int64_t back_us = 1000000;

    if (cycle->catch_up == CATCH_UP_ONCE || due_us > now_us)
        return now_us;
    if (!too_many(cycle, due_us, due_us, now_us))
        return due_us;
    while (!too_many(cycle, due_us, now_us - 2 * back_us, now_us))
        back_us *= 2;
    return now_us - back_us;
}

struct cycle_time cycle_first(const struct cycle *cycle, int64_t from_us, int64_t now_us)
{
    struct cycle_time time = {.remaining = -1};
    int64_t repetitions;

    if (cycle->is_cron) {
        time.due_us = cron_next(&cycle->cron, cycle->zone, from_us);
        return time;
    }
    time.due_us = cycle->iso.has_start ? cycle->iso.start_us : nth(cycle, from_us, 1);
    if (cycle->iso.times > 0)
        time.remaining = cycle->iso.times - 1;
    if (cycle->iso.times < 0 && time.due_us < now_us)
        time.due_us = time_after(cycle, time.due_us, now_us, &repetitions);
    if (cycle->iso.has_end && time.due_us > cycle->iso.end_us)
        time.due_us = INT64_MAX; /* over before it began */
    return time;
}

struct cycle_time cycle_next(const struct cycle *cycle, const struct cycle_time *last,
                             int64_t now_us)
{
    struct cycle_time next = {.due_us = INT64_MAX};
    int64_t repetitions;

    if (last->remaining == 0)
        return next;
    int64_t due_us =
        time_after(cycle, last->due_us, catch_up_from(cycle, last->due_us, now_us), &repetitions);
    if ((last->remaining > 0 && repetitions > last->remaining) ||
        (!cycle->is_cron && cycle->iso.has_end && due_us > cycle->iso.end_us))
        return next;
    next.due_us = due_us;
    next.remaining = last->remaining < 0 ? -1 : last->remaining - (int32_t)repetitions;
    return next;
}
