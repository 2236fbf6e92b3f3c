/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

#include "base/arena.h"
#include "engine/isotime.h"

/* Dates, durations, repetitions and retry cycles. */

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

static int64_t date(const char *text)
{
    struct err err = {.code = ERR_NONE};
    int64_t us;

    if (iso_date_parse(text, strlen(text), &us, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return us;
}

static struct iso_duration duration(const char *text)
{
    struct err err = {.code = ERR_NONE};
    struct iso_duration d;

    if (iso_duration_parse(text, strlen(text), &d, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return d;
}

static void test_isotime__durations(void **state UNUSED)
{
    static const struct {
        const char *text;
        struct iso_duration want;
    } cases[] = {
        {"PT10S", {.us = 10 * SECOND}},
        {"PT0S", {.us = 0}},
        {"PT0.5S", {.us = SECOND / 2}},
        {"PT0,25S", {.us = SECOND / 4}},
        {"PT0.0000001S", {.us = 1}}, /* never early */
        {"PT1.0000000S", {.us = SECOND}},
        {"PT1H30M", {.us = 5400 * SECOND}},
        {"PT90M", {.us = 5400 * SECOND}},
        {"P1D", {.days = 1}},
        {"P2W", {.weeks = 2}},
        {"P1Y2M3DT4H5M6.000007S",
         {.years = 1, .months = 2, .days = 3, .us = (4 * 3600 + 5 * 60 + 6) * SECOND + 7}},
        {"P1M", {.months = 1}},
        {"PT1M", {.us = 60 * SECOND}},
        {"-P1D", {.days = 1, .negative = true}},
        {"+P1D", {.days = 1}},
        {" \n PT10S\t", {.us = 10 * SECOND}},
        {"P2147483647D", {.days = INT32_MAX}},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct iso_duration d = duration(cases[i].text);
        const struct iso_duration *want = &cases[i].want;
        if (d.years != want->years || d.months != want->months || d.weeks != want->weeks ||
            d.days != want->days || d.us != want->us || d.negative != want->negative)
            fail_msg("%s", cases[i].text);
    }
}

static void test_isotime__bad_durations(void **state UNUSED)
{
    static const struct {
        const char *text;
        int column;
        const char *message;
    } cases[] = {
        {"", 1, "starts with P"},
        {"10S", 1, "starts with P, as in PT10S"},
        {"10", 1, "starts with P"},
        {"pt10s", 1, "starts with P"},
        {"P", 2, "nothing follows the P"},
        {"PT", 3, "nothing follows the T"},
        {"P1DT", 5, "nothing follows the T"},
        {"P10S", 4, "follow a T, as in PT10S"},
        {"P1H", 3, "follow a T"},
        {"PT1D", 4, "expected H, M or S here"},
        {"PT10", 5, "expected a unit (H, M or S)"},
        {"P10", 4, "expected a unit (Y, M, W or D)"},
        {"PTS", 3, "expected a number"},
        {"PT1S1H", 6, "in this order"},
        {"PT1M1M", 6, "each once"},
        {"PT0.5H", 6, "only seconds may have a fraction"},
        {"PT1.S", 3, "expected a number"},
        {"P1.5D", 5, "only seconds may have a fraction"},
        {"PT10S x", 6, "expected a number"},
        {"P99999999999D", 13, "the number is too large"},
        {"PT99999999999999999999S", 23, "the number is too large"},
        {"PT9300000000000S", 16, "the number is too large"},
        {"PT2562047788H54M", 16, "the number is too large"},
        {"PT1T1S", 4, "expected H, M or S"},
        {"--P1D", 2, "starts with P"},
        {"P-1D", 2, "expected a number"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {.code = ERR_NONE};
        struct iso_duration d;
        assert_int_equal(iso_duration_parse(cases[i].text, strlen(cases[i].text), &d, &err), -1);
        if (strstr(err.text, cases[i].message) == NULL || err.column != cases[i].column)
            fail_msg("%s: column %d: %s", cases[i].text, err.column, err.text);
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static void test_isotime__dates(void **state UNUSED)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"1970-01-01", "1970-01-01T00:00:00.000000Z"},
        {"1970-01-01T00:00:00.000001Z", "1970-01-01T00:00:00.000001Z"},
        {"2026-11-21T10:00:00Z", "2026-11-21T10:00:00.000000Z"},
        {"2026-11-21T10:00:00", "2026-11-21T10:00:00.000000Z"},
        {"2026-11-21T10:00", "2026-11-21T10:00:00.000000Z"},
        {"2026-11-21 10:00:00.25+00", "2026-11-21T10:00:00.250000Z"},
        {"2026-11-21T10:00:00.000+0200", "2026-11-21T08:00:00.000000Z"},
        {"2026-11-21T10:00:00+02:00", "2026-11-21T08:00:00.000000Z"},
        {"2026-11-21T23:30:00-05:30", "2026-11-22T05:00:00.000000Z"},
        {" 2024-02-29T23:59:59.999999Z\n", "2024-02-29T23:59:59.999999Z"},
        {"2026-11-21T10:00:00.0000001Z", "2026-11-21T10:00:00.000001Z"},
        {"0001-01-01", "0001-01-01T00:00:00.000000Z"},
        {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000000Z"},
        {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"},
    };
    char room[28];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        iso_date_format(date(cases[i].text), room);
        assert_string_equal(room, cases[i].want);
    }
    assert_true(date("2026-11-21T10:00:00Z") == INT64_C(1795255200) * SECOND);
    iso_date_format(INT64_MAX, room);
    assert_string_equal(room, "infinity");
    iso_date_format(INT64_MIN, room);
    assert_string_equal(room, "-infinity");
}

static void test_isotime__bad_dates(void **state UNUSED)
{
    static const struct {
        const char *text;
        int column;
        const char *message;
    } cases[] = {
        {"", 1, "looks like 2026-11-21T10:00:00Z"},
        {"21.11.2026", 1, "looks like"},
        {"2026-13-01", 6, "looks like"},
        {"2026-02-29", 9, "this month has no such day"},
        {"2025-04-31", 9, "this month has no such day"},
        {"2026-11-21T24:00:00", 12, "expected an hour"},
        {"2026-11-21T10", 14, "expected minutes"},
        {"2026-11-21T10:60", 15, "expected minutes"},
        {"2026-11-21T10:00:60", 18, "expected seconds"},
        {"2026-11-21T10:00:00.Z", 18, "expected digits after"},
        {"2026-11-21T10:00:00 Europe/Berlin", 20, "expected the end, Z or an offset"},
        {"2026-11-21T10:00:00+25:00", 21, "expected an offset"},
        {"2026-11-21T10:00:00+02:", 24, "expected the minutes of the offset"},
        {"2026-11-21T10:00:00Zx", 21, "expected the end here"},
        {"2026-11-21x", 11, "expected the end here"},
        {"PT10S", 1, "looks like"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {.code = ERR_NONE};
        int64_t us;
        assert_int_equal(iso_date_parse(cases[i].text, strlen(cases[i].text), &us, &err), -1);
        if (strstr(err.text, cases[i].message) == NULL || err.column != cases[i].column)
            fail_msg("%s: column %d: %s", cases[i].text, err.column, err.text);
    }
}

/* Every day of 800 years against the C library. */
static void test_isotime__calendar(void **state UNUSED)
{
    for (int64_t day = -146097; day < 146097; day++) {
        char ours[28], theirs[64];
        time_t seconds = (time_t)(day * 86400 + 3661);
        struct tm tm;
        iso_date_format((int64_t)seconds * SECOND, ours);
        assert_non_null(gmtime_r(&seconds, &tm));
        strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S.000000Z", &tm);
        assert_string_equal(ours, theirs);
        assert_true(date(ours) == (int64_t)seconds * SECOND);
    }
}

static void test_isotime__add(void **state UNUSED)
{
    static const struct {
        const char *from, *duration;
        int64_t times;
        const char *want;
    } cases[] = {
        {"2026-01-31", "P1M", 1, "2026-02-28T00:00:00.000000Z"},
        {"2024-01-31", "P1M", 1, "2024-02-29T00:00:00.000000Z"},
        {"2026-01-31", "P1M", 2, "2026-03-31T00:00:00.000000Z"},
        {"2024-02-29", "P1Y", 1, "2025-02-28T00:00:00.000000Z"},
        {"2024-02-29", "P1Y", 4, "2028-02-29T00:00:00.000000Z"},
        {"2026-12-15", "P1M", 1, "2027-01-15T00:00:00.000000Z"},
        {"2026-01-15", "-P1M", 1, "2025-12-15T00:00:00.000000Z"},
        {"2026-11-21T10:00:00Z", "P1Y2M1W3DT4H", 1, "2028-01-31T14:00:00.000000Z"},
        {"2026-11-21T10:00:00Z", "PT0.25S", 3, "2026-11-21T10:00:00.750000Z"},
        {"2026-11-21T10:00:00Z", "P1D", 0, "2026-11-21T10:00:00.000000Z"},
        {"1969-12-31T23:00:00Z", "P1M", 1, "1970-01-31T23:00:00.000000Z"},
        {"2026-11-21", "-P1D", 1, "2026-11-20T00:00:00.000000Z"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct iso_duration d = duration(cases[i].duration);
        char room[28];
        iso_date_format(iso_add(date(cases[i].from), &d, cases[i].times), room);
        assert_string_equal(room, cases[i].want);
    }
}

static void test_isotime__add_saturates(void **state UNUSED)
{
    struct iso_duration day = duration("P2147483647D"), month = duration("P2147483647M"),
                        long_one = duration("PT9000000000000S"), back = duration("-P2147483647Y");

    assert_true(iso_add(0, &day, INT64_MAX) == INT64_MAX);
    assert_true(iso_add(0, &month, 1) == INT64_MAX);
    assert_true(iso_add(0, &month, INT64_MAX) == INT64_MAX);
    assert_true(iso_add(INT64_MAX, &long_one, 1) == INT64_MAX);
    assert_true(iso_add(INT64_MAX, &month, 1) == INT64_MAX);
    assert_true(iso_add(0, &back, 5) == INT64_MIN);
    assert_true(iso_duration_us(&month) > 0);
    month.negative = true;
    assert_true(iso_duration_us(&month) < 0);
}

static void test_isotime__length(void **state UNUSED)
{
    struct iso_duration d = duration("P1Y1M1W1DT1S");

    assert_true(iso_duration_us(&d) == (365 + 30 + 7 + 1) * DAY + SECOND);
}

static void test_isotime__cycles(void **state UNUSED)
{
    struct iso_cycle cycle;
    struct err err;

    assert_int_equal(iso_cycle_parse("R3/PT10M", 8, &cycle, &err), 0);
    assert_int_equal(cycle.times, 3);
    assert_true(cycle.period.us == 600 * SECOND && !cycle.has_start && !cycle.has_end);
    assert_int_equal(iso_cycle_parse(" R/P1M ", 7, &cycle, &err), 0);
    assert_int_equal(cycle.times, -1);
    assert_int_equal(cycle.period.months, 1);
    const char *text = "R5/2026-11-21T10:00:00Z/PT1H";
    assert_int_equal(iso_cycle_parse(text, strlen(text), &cycle, &err), 0);
    assert_true(cycle.has_start && cycle.start_us == date("2026-11-21T10:00:00Z"));
    assert_true(!cycle.has_end && cycle.times == 5 && cycle.period.us == 3600 * SECOND);
    text = "R/PT1H/2026-11-21T10:00:00+01:00";
    assert_int_equal(iso_cycle_parse(text, strlen(text), &cycle, &err), 0);
    assert_true(!cycle.has_start && cycle.has_end && cycle.end_us == date("2026-11-21T09:00:00Z"));
    text = "R2/2026-11-21T10:00:00Z/2026-11-21T10:00:30Z";
    assert_int_equal(iso_cycle_parse(text, strlen(text), &cycle, &err), 0);
    assert_true(cycle.has_start && !cycle.has_end && cycle.period.us == 30 * SECOND);
}

static void test_isotime__bad_cycles(void **state UNUSED)
{
    static const struct {
        const char *text;
        int column;
        const char *message;
    } cases[] = {
        {"", 1, "a repetition starts with R"},
        {"0 0/5 * * * ?", 1, "a repetition starts with R"},
        {"PT10M", 1, "write R1/ before a single duration"},
        {"R", 2, "a repetition looks like"},
        {"R3", 3, "a repetition looks like"},
        {"R0/PT1S", 2, "R0 never happens"},
        {"Rx/PT1S", 2, "expected a whole number after R"},
        {"R99999999999/PT1S", 2, "too large"},
        {"R3/PT0S", 4, "must be longer than nothing"},
        {"R3/-PT1S", 4, "must be longer than nothing"},
        {"R3/10S", 4, "a repetition looks like"},
        {"R3/PT1D", 7, "expected H, M or S"},
        {"R3/PT1S/PT1S", 4, "a repetition looks like"},
        {"R3/2026-11-21/x", 15, "an ISO 8601 date looks like"},
        {"R3/x/PT1S", 4, "an ISO 8601 date looks like"},
        {"R3/2026-11-21/PT0S", 15, "must be longer than nothing"},
        {"R3/2026-11-21/2026-11-21", 15, "is not after its start"},
        {"R3/PT1S/2026-11-21/x", 21, "a repetition looks like"},
        {"R3/", 4, "a repetition looks like"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {.code = ERR_NONE};
        struct iso_cycle cycle;
        assert_int_equal(iso_cycle_parse(cases[i].text, strlen(cases[i].text), &cycle, &err), -1);
        if (strstr(err.text, cases[i].message) == NULL || err.column != cases[i].column)
            fail_msg("%s: column %d: %s", cases[i].text, err.column, err.text);
    }
}

static void test_isotime__retries(void **state UNUSED)
{
    static const struct {
        const char *text;
        uint32_t tries, n_delays;
        int64_t us[3];
    } cases[] = {
        {"R3/PT5M", 3, 1, {300 * SECOND}},
        {"R5/PT0.3S", 5, 1, {300000}},
        {"R3/PT0S", 3, 1, {0}},
        {"R1/PT5M", 1, 1, {300 * SECOND}},
        {"R3", 3, 0, {0}},
        {"R/PT5M", UINT32_MAX, 1, {300 * SECOND}},
        {"PT5M", 2, 1, {300 * SECOND}},
        {"PT10S,PT1M,PT5M", 4, 3, {10 * SECOND, 60 * SECOND, 300 * SECOND}},
        {" PT10S, PT1M ,\n PT5M ", 4, 3, {10 * SECOND, 60 * SECOND, 300 * SECOND}},
        {"P1D", 2, 1, {DAY}},
    };
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct retry_cycle cycle;
        assert_int_equal(retry_cycle_parse(&arena, cases[i].text, &cycle, NULL), 0);
        assert_true(cycle.tries == cases[i].tries);
        assert_int_equal(cycle.n_delays, cases[i].n_delays);
        for (uint32_t k = 0; k < cycle.n_delays; k++)
            assert_true(iso_duration_us(&cycle.delays[k]) == cases[i].us[k]);
    }
    arena_deinit(&arena);
}

static void test_isotime__bad_retries(void **state UNUSED)
{
    static const struct {
        const char *text;
        int column;
        const char *message;
    } cases[] = {
        {"", 1, "a retry cycle is R3/PT5M"},
        {"3", 1, "a retry cycle is R3/PT5M"},
        {"R0/PT5M", 2, "R0 never happens"},
        {"R3/", 4, "starts with P"},
        {"R3/PT5M/PT5M", 8, "without start or end"},
        {"R3/5M", 4, "starts with P"},
        {"PT5M,", 6, "starts with P"},
        {"PT5M,,PT5M", 6, "starts with P"},
        {"PT5M, -PT1M", 7, "must be longer"},
        {"PT5M;PT1M", 5, "expected a number"},
    };
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {.code = ERR_NONE};
        struct retry_cycle cycle;
        assert_int_equal(retry_cycle_parse(&arena, cases[i].text, &cycle, &err), -1);
        if (strstr(err.text, cases[i].message) == NULL || err.column != cases[i].column)
            fail_msg("%s: column %d: %s", cases[i].text, err.column, err.text);
    }
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_isotime__durations),
        cmocka_unit_test(test_isotime__bad_durations),
        cmocka_unit_test(test_isotime__dates),
        cmocka_unit_test(test_isotime__bad_dates),
        cmocka_unit_test(test_isotime__calendar),
        cmocka_unit_test(test_isotime__add),
        cmocka_unit_test(test_isotime__add_saturates),
        cmocka_unit_test(test_isotime__length),
        cmocka_unit_test(test_isotime__cycles),
        cmocka_unit_test(test_isotime__bad_cycles),
        cmocka_unit_test(test_isotime__retries),
        cmocka_unit_test(test_isotime__bad_retries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
