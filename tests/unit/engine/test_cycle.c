/* SPDX-License-Identifier: Apache-2.0 */
/* Cron expressions, time zones, and what cycles do with both. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

#include "base/limits.h"
#include "engine/cycle.h"
#include "helper_zones.h"

#define MINUTE INT64_C(60000000)
#define DAY (1440 * MINUTE)

static int64_t at(const char *text)
{
    struct err err = {0};
    int64_t us;

    if (iso_date_parse(text, strlen(text), &us, &err) < 0)
        fail_msg("%s", err.text);
    return us;
}

static struct cron cron_of(const char *text)
{
    struct err err = {0};
    struct cron cron;

    if (cron_parse(text, strlen(text), &cron, &err) < 0)
        fail_msg("%s", err.text);
    return cron;
}

static struct cycle cycle_of(const char *text, const struct zone *zone, enum catch_up catch_up)
{
    struct err err = {0};
    struct cycle cycle;

    if (cycle_parse(text, strlen(text), zone, catch_up, &cycle, &err) < 0)
        fail_msg("%s", err.text);
    return cycle;
}

/* ---- Reading ---- */

static void test_cycle__bad_crons(void **state)
{
    static const struct {
        const char *text, *said;
        int column;
    } cases[] = {
        {"* * * *", "a cron expression has 5 fields", 1},
        {"0 0 0 1 1 ? 2026 x", "a cron expression has 5 fields", 1},
        {"60 * * * *", "the minute is a number from 0 to 59", 1},
        {"0 24 * * *", "the hour is a number from 0 to 23", 3},
        {"0 0 0 * *", "the day of the month is a number from 1 to 31", 5},
        {"0 0 1 13 *", "the month is a number from 1 to 12 or a name", 7},
        {"0 0 1 * 8", "the day of the week is a number from 0 to 7 or a name", 9},
        {"0 0 1 * MOX", "the day of the week is a number", 9},
        {"0 0 1 JANUARY *", "the month can not be read from here", 10},
        {"*/0 * * * *", "the minute has a step", 3},
        {"1,,2 * * * *", "the minute is a number", 3},
        {"1- * * * *", "the minute is a number", 3},
        {"0 0 L-31 * *", "counts back from the last day", 5},
        {"0 0 32W * *", "the day of the month is a number", 5},
        {"0 0 * * MON#6", "has a number from 1 to 5 behind #", 12},
        {"0 0 0 1 1 ? 1969", "the year is a number from 1970 to 2199", 13},
        {"0 0 0 1 1 ? 2030-2026", "the year does not begin anew", 22},
        {"99999999999999 * * * *", "the minute is a number", 1},
        {"? * * * *", "the minute is a number", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        struct cron cron;
        assert_int_equal(cron_parse(cases[i].text, strlen(cases[i].text), &cron, &err), -1);
        if (strstr(err.text, cases[i].said) == NULL || err.column != cases[i].column)
            fail_msg("%s: column %d: %s", cases[i].text, err.column, err.text);
    }
}

struct firing {
    const char *cron;
    const struct zone *zone;
    const char *after, *times[4]; /* in UTC */
};

static void check(const struct firing *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct cron cron = cron_of(cases[i].cron);
        int64_t us = at(cases[i].after);
        for (size_t k = 0; k < 4 && cases[i].times[k] != NULL; k++) {
            char room[28];
            us = cron_next(&cron, cases[i].zone, us);
            iso_date_format(us, room);
            if (us != at(cases[i].times[k]))
                fail_msg("%s in %s, time %zu: %s in place of %s", cases[i].cron,
                         cases[i].zone != NULL ? cases[i].zone->name : "UTC", k, room,
                         cases[i].times[k]);
        }
    }
}

static void test_cycle__crons_in_utc(void **state)
{
    static const struct firing cases[] = {
        {"0 0 9-17 * * MON-FRI",
         NULL,
         "2026-11-20T16:30Z",
         {"2026-11-20T17:00Z", "2026-11-23T09:00Z", "2026-11-23T10:00Z"}},
        {"0 0/5 * * * ?", NULL, "2026-11-20T16:59:59Z", {"2026-11-20T17:00Z", "2026-11-20T17:05Z"}},
        {"*/20 9 * * 1", NULL, "2026-11-20T00:00Z", {"2026-11-23T09:00Z", "2026-11-23T09:20Z"}},
        /* Five fields: either day; six: both. */
        {"0 0 13 * FRI",
         NULL,
         "2026-11-01T00:00Z",
         {"2026-11-06T00:00Z", "2026-11-13T00:00Z", "2026-11-20T00:00Z"}},
        {"0 0 0 13 * FRI", NULL, "2026-03-01T00:00Z", {"2026-03-13T00:00Z", "2026-11-13T00:00Z"}},
        {"0 0 L * ?", NULL, "2028-01-31T00:00Z", {"2028-02-29T00:00Z", "2028-03-31T00:00Z"}},
        {"0 0 L-2 2 ?", NULL, "2026-01-01T00:00Z", {"2026-02-26T00:00Z", "2027-02-26T00:00Z"}},
        {"0 0 LW * ?", NULL, "2026-05-01T00:00Z", {"2026-05-29T00:00Z", "2026-06-30T00:00Z"}},
        {"0 0 15W * ?", NULL, "2026-08-01T00:00Z", {"2026-08-14T00:00Z", "2026-09-15T00:00Z"}},
        {"0 0 1W * ?", NULL, "2026-07-31T00:00Z", {"2026-08-03T00:00Z", "2026-09-01T00:00Z"}},
        {"0 0 ? * 5L", NULL, "2026-11-01T00:00Z", {"2026-11-27T00:00Z", "2026-12-25T00:00Z"}},
        {"0 0 ? * TUE#5", NULL, "2026-11-01T00:00Z", {"2026-12-29T00:00Z", "2027-03-30T00:00Z"}},
        {"0 22-2/2 * * FRI-MON",
         NULL,
         "2026-11-20T21:00Z",
         {"2026-11-20T22:00Z", "2026-11-21T00:00Z", "2026-11-21T02:00Z", "2026-11-21T22:00Z"}},
        {"0 0 * * 0", NULL, "2026-11-20T00:00Z", {"2026-11-22T00:00Z"}},
        {"0 0 * * 7", NULL, "2026-11-20T00:00Z", {"2026-11-22T00:00Z"}},
        {"0 0 * * sun,Wed", NULL, "2026-11-20T00:00Z", {"2026-11-22T00:00Z", "2026-11-25T00:00Z"}},
        {"0 0 0 29 2 ? 2027-2040/2", NULL, "2026-01-01T00:00Z", {"infinity"}},
        {"30 0 0 29 FEB ?", NULL, "2026-01-01T00:00Z", {"2028-02-29T00:00:30Z"}},
        {"0 0 0 1 1 ? 2027,2030", NULL, "2026-01-01T00:00Z", {"2027-01-01", "2030-01-01"}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (strcmp(cases[i].times[0], "infinity") != 0)
            check(&cases[i], 1);
        else {
            struct cron never = cron_of(cases[i].cron);
            assert_int_equal(cron_next(&never, NULL, at(cases[i].after)), INT64_MAX);
        }
}

static void test_cycle__crons_across_clock_changes(void **state)
{
    static const struct firing cases[] = {
        /* Zurich: the clock skips 2:00 to 3:00 on 2026-03-29, and shows it twice on 2026-10-25. */
        {"0 9 * * *",
         &zone_zurich,
         "2026-03-28T00:00Z",
         {"2026-03-28T08:00Z", "2026-03-29T07:00Z", "2026-03-30T07:00Z"}},
        {"0 9 * * *",
         &zone_zurich,
         "2026-10-24T00:00Z",
         {"2026-10-24T07:00Z", "2026-10-25T08:00Z", "2026-10-26T08:00Z"}},
        {"30 2 * * *",
         &zone_zurich,
         "2026-03-28T00:00Z",
         {"2026-03-28T01:30Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z"}},
        {"30 2 * * *",
         &zone_zurich,
         "2026-10-24T12:00Z",
         {"2026-10-25T00:30Z", "2026-10-26T01:30Z"}},
        {"0,30 2-3 * * *",
         &zone_zurich,
         "2026-03-28T23:30Z",
         {"2026-03-29T01:00Z", "2026-03-29T01:30Z", "2026-03-30T00:00Z"}},
        /* Every hour goes on by real time. */
        {"30 * * * *",
         &zone_zurich,
         "2026-03-29T00:00Z",
         {"2026-03-29T00:30Z", "2026-03-29T01:30Z", "2026-03-29T02:30Z"}},
        {"0 0/30 * * * ?",
         &zone_zurich,
         "2026-10-25T00:00Z",
         {"2026-10-25T00:30Z", "2026-10-25T01:00Z", "2026-10-25T01:30Z", "2026-10-25T02:00Z"}},
        /* New York: 2026-03-08 and 2026-11-01. */
        {"30 2 * * *",
         &zone_new_york,
         "2026-03-08T00:00Z",
         {"2026-03-08T07:00Z", "2026-03-09T06:30Z"}},
        {"30 1 * * *",
         &zone_new_york,
         "2026-11-01T00:00Z",
         {"2026-11-01T05:30Z", "2026-11-02T06:30Z"}},
        /* Lord Howe: half an hour, 2026-04-05 back from 2:00, 2026-10-04 on from 2:00. */
        {"45 1 * * *",
         &zone_lord_howe,
         "2026-04-04T00:00Z",
         {"2026-04-04T14:45Z", "2026-04-05T15:15Z"}},
        {"15 2 * * *",
         &zone_lord_howe,
         "2026-10-03T00:00Z",
         {"2026-10-03T15:30Z", "2026-10-04T15:15Z"}},
        {"45 * * * *",
         &zone_lord_howe,
         "2026-04-04T14:00Z",
         {"2026-04-04T14:45Z", "2026-04-04T15:15Z", "2026-04-04T16:15Z"}},
        {"0 9 * * *", &zone_kathmandu, "2026-11-20T00:00Z", {"2026-11-20T03:15Z"}},
        /* Apia had no 2011-12-30: the Friday's time comes when the Saturday begins. */
        {"0 12 * * *",
         &zone_apia,
         "2011-12-29T00:00Z",
         {"2011-12-29T22:00Z", "2011-12-30T10:00Z", "2011-12-30T22:00Z"}},
        {"0 12 * * FRI",
         &zone_apia,
         "2011-12-29T00:00Z",
         {"2011-12-30T10:00Z", "2012-01-05T22:00Z"}},
    };

    (void)state;
    check(cases, ARRAY_LEN(cases));
}

/* ---- Against a slow and simple judge ---- */

/* Fields as sets, and the text that says the same. */
struct sets {
    bool minute[60], hour[24], day[32], month[13], weekday[7];
    char text[200];
};

static uint32_t random_number(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static void random_field(uint32_t *seed, struct sets *sets, bool *set, int min, int max)
{
    size_t n = strlen(sets->text), room = sizeof(sets->text) - n;
    char *end = sets->text + n;
    int size = max - min + 1;
    int a = min + (int)random_number(seed, (uint32_t)size);
    int b = a + (int)random_number(seed, (uint32_t)(max - a + 1));
    int step = 1 + (int)random_number(seed, 7);

    switch (random_number(seed, 4)) {
    case 0:
        snprintf(end, room, " *");
        for (int i = min; i <= max; i++)
            set[i] = true;
        break;
    case 1:
        snprintf(end, room, " %d,%d", a, b);
        set[a] = set[b] = true;
        break;
    case 2:
        snprintf(end, room, " %d-%d", a, b);
        for (int i = a; i <= b; i++)
            set[i] = true;
        break;
    default:
        snprintf(end, room, " */%d", step);
        for (int i = min; i <= max; i += step)
            set[i] = true;
        break;
    }
}

static bool wall_fits(const struct sets *sets, int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    return sets->minute[tm.tm_min] && sets->hour[tm.tm_hour] && sets->day[tm.tm_mday] &&
           sets->month[tm.tm_mon + 1] && sets->weekday[tm.tm_wday];
}

#define JUDGED_MINUTES (5 * 1440)

/* fires[i]: does it fire at that minute? Wall clock times are looked for one by one. */
static void judge(const struct sets *sets, const struct zone *zone, int64_t from_us, bool *fires)
{
    int64_t first = zone_local(zone, from_us);
    int64_t last = zone_local(zone, from_us + (JUDGED_MINUTES - 1) * MINUTE);
    bool every_hour = true;

    for (int i = 0; i < 24; i++)
        every_hour = every_hour && sets->hour[i];
    memset(fires, 0, JUDGED_MINUTES);
    for (int i = 0; every_hour && i < JUDGED_MINUTES; i++)
        fires[i] = wall_fits(sets, zone_local(zone, from_us + i * MINUTE));
    int i = 0; /* the first minute at which the clock shows that or more: only grows */
    for (int64_t wall = first; !every_hour && wall <= last; wall += MINUTE) {
        while (zone_local(zone, from_us + i * MINUTE) < wall)
            i++;
        fires[i] = fires[i] || wall_fits(sets, wall);
    }
}

static void test_cycle__crons_like_the_judge(void **state)
{
    static const struct {
        const struct zone *zone;
        const char *from;
    } windows[] = {{&zone_zurich, "2026-03-27T03:00Z"},
                   {&zone_zurich, "2026-10-23T03:00Z"},
                   {&zone_new_york, "2026-03-06T03:00Z"},
                   {&zone_new_york, "2026-10-30T03:00Z"},
                   {&zone_lord_howe, "2026-04-02T03:00Z"},
                   {&zone_lord_howe, "2026-10-01T03:00Z"},
                   {&zone_kathmandu, "2026-12-30T03:00Z"},
                   {&zone_apia, "2011-12-27T03:00Z"},
                   {NULL, "2028-02-27T00:00Z"}};
    uint32_t seed = 4711;
    static bool fires[JUDGED_MINUTES];

    (void)state;
    for (int round = 0; round < 400; round++) {
        struct sets sets = {.text = "0"};
        random_field(&seed, &sets, sets.minute, 0, 59);
        random_field(&seed, &sets, sets.hour, 0, 23);
        random_field(&seed, &sets, sets.day, 1, 31);
        random_field(&seed, &sets, sets.month, 1, 12);
        random_field(&seed, &sets, sets.weekday, 0, 6);
        struct cron cron = cron_of(sets.text);
        for (size_t w = 0; w < ARRAY_LEN(windows); w++) {
            int64_t from = at(windows[w].from);
            judge(&sets, windows[w].zone, from, fires);
            int64_t next = cron_next(&cron, windows[w].zone, from - 1);
            for (int i = 0; i < JUDGED_MINUTES; i++) {
                if (fires[i] != (next == from + i * MINUTE))
                    fail_msg("'%s' from %s in %s: wrong at minute %d", sets.text, windows[w].from,
                             windows[w].zone != NULL ? windows[w].zone->name : "UTC", i);
                if (fires[i])
                    next = cron_next(&cron, windows[w].zone, next);
            }
        }
    }
}

/* ---- ISO 8601 cycles in a zone ---- */

static void test_cycle__days_keep_their_time_of_day(void **state)
{
    struct cycle cycle = cycle_of("R/2026-03-27T09:00:00/P1D", &zone_zurich, CATCH_UP_ONCE);
    struct cycle hours = cycle_of("R/2026-03-27T09:00:00/PT24H", &zone_zurich, CATCH_UP_ONCE);
    struct cycle_time time = cycle_first(&cycle, 0, at("2026-03-27T00:00Z"));

    (void)state;
    assert_int_equal(time.due_us, at("2026-03-27T08:00Z"));
    time = cycle_next(&cycle, &time, time.due_us);
    time = cycle_next(&cycle, &time, time.due_us);
    assert_int_equal(time.due_us, at("2026-03-29T07:00Z"));
    time = cycle_first(&hours, 0, at("2026-03-29T00:00Z"));
    assert_int_equal(time.due_us, at("2026-03-29T08:00Z"));
}

/* What the gap or a short month moved is back in its place the next time. */
static void test_cycle__counted_from_the_start(void **state)
{
    struct cycle gap = cycle_of("R/2026-03-27T02:30:00/P1D", &zone_zurich, CATCH_UP_ONCE);
    struct cycle month = cycle_of("R4/2026-01-31T09:00:00Z/P1M", NULL, CATCH_UP_ONCE);
    struct cycle_time time = {.due_us = at("2026-03-28T01:30Z"), .remaining = -1};
    static const char *const months[] = {"2026-01-31T09:00Z", "2026-02-28T09:00Z",
                                         "2026-03-31T09:00Z", "2026-04-30T09:00Z"};

    (void)state;
    time = cycle_next(&gap, &time, time.due_us);
    assert_int_equal(time.due_us, at("2026-03-29T01:00Z"));
    time = cycle_next(&gap, &time, time.due_us);
    assert_int_equal(time.due_us, at("2026-03-30T00:30Z"));
    time = cycle_first(&month, 0, at("2026-01-01T00:00Z"));
    for (size_t i = 0; i < ARRAY_LEN(months); i++) {
        assert_int_equal(time.due_us, at(months[i]));
        time = cycle_next(&month, &time, time.due_us);
    }
    assert_int_equal(time.due_us, INT64_MAX);
}

/* ---- After downtime ---- */

static void test_cycle__missed(void **state)
{
    static const char *const texts[] = {"R/PT1H", "0 * * * *"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct cycle once = cycle_of(texts[i], NULL, CATCH_UP_ONCE);
        struct cycle all = cycle_of(texts[i], NULL, CATCH_UP_ALL);
        struct cycle_time time = {.due_us = at("2026-11-20T01:00Z"), .remaining = -1};
        int64_t now = at("2026-11-20T05:30Z");
        assert_int_equal(cycle_next(&once, &time, now).due_us, at("2026-11-20T06:00Z"));
        unsigned n = 0;
        while ((time = cycle_next(&all, &time, now)).due_us <= now)
            n++;
        assert_int_equal(n, 4);
        assert_int_equal(time.due_us, at("2026-11-20T06:00Z"));
    }
}

static void test_cycle__missed_too_often(void **state)
{
    static const char *const texts[] = {"R/PT1S", "* * * * * *"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct cycle all = cycle_of(texts[i], NULL, CATCH_UP_ALL);
        struct cycle_time time = {.due_us = at("2016-11-20T01:00Z"), .remaining = -1};
        int64_t now = at("2026-11-20T05:30Z");
        unsigned n = 0;
        while ((time = cycle_next(&all, &time, now)).due_us <= now)
            n++;
        assert_in_range(n, LIMIT_CATCH_UP / 2, LIMIT_CATCH_UP);
    }
}

static void test_cycle__missed_ones_are_counted(void **state)
{
    struct cycle once = cycle_of("R5/PT10M", NULL, CATCH_UP_ONCE);
    struct cycle all = cycle_of("R5/PT10M", NULL, CATCH_UP_ALL);
    struct cycle_time time = {.due_us = 10 * MINUTE, .remaining = 4};

    (void)state;
    struct cycle_time next = cycle_next(&once, &time, 35 * MINUTE);
    assert_int_equal(next.due_us, 40 * MINUTE);
    assert_int_equal(next.remaining, 1);
    next = cycle_next(&all, &time, 35 * MINUTE);
    assert_int_equal(next.due_us, 20 * MINUTE);
    assert_int_equal(next.remaining, 3);
    assert_int_equal(cycle_next(&once, &time, 99 * MINUTE).due_us, INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cycle__bad_crons),
        cmocka_unit_test(test_cycle__crons_in_utc),
        cmocka_unit_test(test_cycle__crons_across_clock_changes),
        cmocka_unit_test(test_cycle__crons_like_the_judge),
        cmocka_unit_test(test_cycle__days_keep_their_time_of_day),
        cmocka_unit_test(test_cycle__counted_from_the_start),
        cmocka_unit_test(test_cycle__missed),
        cmocka_unit_test(test_cycle__missed_too_often),
        cmocka_unit_test(test_cycle__missed_ones_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
