/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "engine/cron.h"
#include "engine/isotime_internal.h"

#define US_SECOND INT64_C(1000000)
#define US_DAY (86400 * US_SECOND)
#define ALL_HOURS 0xffffffu

/* ---- Reading ---- */

enum field { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR, FIELDS };

static const struct {
    const char *name;
    int min, max;
} shapes[FIELDS] = {
    [SECOND] = {"second", 0, 59},
    [MINUTE] = {"minute", 0, 59},
    [HOUR] = {"hour", 0, 23},
    [DAY] = {"day of the month", 1, 31},
    [MONTH] = {"month", 1, 12},
    [WEEKDAY] = {"day of the week", 0, 7},
    [YEAR] = {"year", CRON_FIRST_YEAR, CRON_LAST_YEAR},
};

struct reader {
    const char *text;
    size_t n;
    const char *p, *end; /* of the field at hand */
    enum field field;
    struct cron *cron;
    struct err *err;
};

static int wrong(struct reader *r, const char *at, const char *what)
{
    char said[160];

    snprintf(said, sizeof(said), "the %s %s", shapes[r->field].name, what);
    return iso_refuse(r->err, r->text, r->n, at, said);
}

static int wrong_value(struct reader *r, const char *at)
{
    char said[100];

    snprintf(said, sizeof(said), "is a number from %d to %d%s", shapes[r->field].min,
             shapes[r->field].max,
             r->field == WEEKDAY ? " or a name such as MON"
             : r->field == MONTH ? " or a name such as JAN"
                                 : "");
    return wrong(r, at, said);
}

static bool digits(const char **p, const char *end, int *ret)
{
    const char *s = *p;
    int number = 0;

    for (; s < end && *s >= '0' && *s <= '9' && s - *p < 6; s++)
        number = number * 10 + (*s - '0');
    if (s == *p)
        return false;
    *p = s;
    *ret = number;
    return true;
}

/* Three letters, in any case. */
static bool is_name(const char *text, const char *letters)
{
    for (size_t i = 0; i < 3; i++)
        if ((text[i] & ~0x20) != letters[i])
            return false;
    return true;
}

static bool name(struct reader *r, int *ret)
{
    static const char months[][4] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                     "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
    static const char weekdays[][4] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

    if (r->end - r->p < 3)
        return false;
    for (int i = 0; r->field == MONTH && i < (int)ARRAY_LEN(months); i++)
        if (is_name(r->p, months[i]))
            *ret = i + 1;
    for (int i = 0; r->field == WEEKDAY && i < (int)ARRAY_LEN(weekdays); i++)
        if (is_name(r->p, weekdays[i]))
            *ret = i;
    if (*ret < 0)
        return false;
    r->p += 3;
    return true;
}

static int read_value(struct reader *r, int *ret)
{
    const char *at = r->p;

    *ret = -1;
    if (!name(r, ret) && !digits(&r->p, r->end, ret))
        return wrong_value(r, at);
    if (*ret < shapes[r->field].min || *ret > shapes[r->field].max)
        return wrong_value(r, at);
    return 0;
}

static void set_one(struct cron *cron, enum field field, int value)
{
    switch (field) {
    case SECOND:
        cron->seconds |= UINT64_C(1) << value;
        break;
    case MINUTE:
        cron->minutes |= UINT64_C(1) << value;
        break;
    case HOUR:
        cron->hours |= 1u << value;
        break;
    case DAY:
        cron->days |= 1u << value;
        break;
    case MONTH:
        cron->months |= 1u << value;
        break;
    case WEEKDAY:
        cron->weekdays |= (uint8_t)(1u << value % 7);
        break;
    case YEAR:
        value -= CRON_FIRST_YEAR;
        cron->years[value / 64] |= UINT64_C(1) << value % 64;
        break;
    case FIELDS:
        break;
    }
}

/* From first to last by `step`, around the end if need be. */
static void set_range(struct cron *cron, enum field field, int first, int last, int step)
{
    int size = shapes[field].max - shapes[field].min + 1 - (field == WEEKDAY);

    if (last < first)
        last += size;
    for (int value = first; value <= last; value += step)
        set_one(cron, field, shapes[field].min + (value - shapes[field].min) % size);
}

static bool take(struct reader *r, char c)
{
    if (r->p >= r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

/* L, L-3, LW and 15W. *ret: it was one of them. */
static int read_special_day(struct reader *r, bool *ret)
{
    const char *at = r->p;
    int number = 0;

    *ret = true;
    if (take(r, 'L')) {
        if (take(r, 'W')) {
            r->cron->last_workday = true;
            return 0;
        }
        if (take(r, '-') && (!digits(&r->p, r->end, &number) || number > 30))
            return wrong(r, at, "L-n counts back from the last day by 1 to 30");
        r->cron->last_days |= 1u << number;
        return 0;
    }
    if (digits(&r->p, r->end, &number) && take(r, 'W')) {
        if (number < 1 || number > 31)
            return wrong_value(r, at);
        r->cron->near_workdays |= 1u << number;
        return 0;
    }
    r->p = at;
    *ret = false;
    return 0;
}

/* 5L and MON#2, whose weekday has been read. *ret: it was one of them. */
static int read_special_weekday(struct reader *r, int weekday, bool *ret)
{
    const char *at = r->p;
    int nth;

    *ret = true;
    if (take(r, 'L')) {
        r->cron->last_weekdays |= (uint8_t)(1u << weekday % 7);
        return 0;
    }
    if (take(r, '#')) {
        if (!digits(&r->p, r->end, &nth) || nth < 1 || nth > 5)
            return wrong(r, at, "of a month has a number from 1 to 5 behind #");
        r->cron->nth_weekdays[nth - 1] |= (uint8_t)(1u << weekday % 7);
        return 0;
    }
    *ret = false;
    return 0;
}

static bool at_end(const struct reader *r)
{
    return r->p >= r->end || *r->p == ',';
}

/* One piece of a list. */
static int read_piece(struct reader *r)
{
    int first, last, step = 1;
    bool special = false, range = true;

    if (r->field == DAY && read_special_day(r, &special) < 0)
        return err_trace(r->err);
    if (special)
        return 0;
    if (take(r, '*') || ((r->field == DAY || r->field == WEEKDAY) && take(r, '?'))) {
        first = shapes[r->field].min;
        last = shapes[r->field].max - (r->field == WEEKDAY);
    } else {
        if (read_value(r, &first) < 0)
            return err_trace(r->err);
        if (r->field == WEEKDAY && read_special_weekday(r, first, &special) < 0)
            return err_trace(r->err);
        if (special)
            return 0;
        range = take(r, '-');
        last = first;
        if (range && read_value(r, &last) < 0)
            return err_trace(r->err);
    }
    if (take(r, '/')) {
        const char *at = r->p;
        if (!digits(&r->p, r->end, &step) || step < 1 || step > shapes[r->field].max)
            return wrong(r, at, "has a step that is not a number from 1 on");
        if (!range)
            last = shapes[r->field].max - (r->field == WEEKDAY);
    }
    if (r->field == YEAR && last < first)
        return wrong(r, r->p, "does not begin anew");
    set_range(r->cron, r->field, first, last, step);
    return 0;
}

static int read_field(struct reader *r)
{
    bool any = r->end - r->p == 1 && (*r->p == '*' || *r->p == '?');

    if (r->field == DAY)
        r->cron->any_day = any;
    if (r->field == WEEKDAY)
        r->cron->any_weekday = any;
    do {
        if (read_piece(r) < 0)
            return err_trace(r->err);
        if (!at_end(r))
            return wrong(r, r->p, "can not be read from here");
    } while (take(r, ','));
    return 0;
}

int cron_parse(const char *text, size_t n, struct cron *ret, struct err *err)
{
    struct cron cron = {0};
    struct reader r = {.cron = &cron, .err = err};
    const char *starts[FIELDS], *ends[FIELDS];
    size_t n_fields = 0;

    iso_text_trim(&text, &n);
    r.text = text;
    r.n = n;
    for (const char *p = text, *end = text + n; p < end;) {
        const char *start = p;
        while (p < end && memchr(" \t\r\n", *p, 4) == NULL)
            p++;
        if (n_fields < FIELDS) {
            starts[n_fields] = start;
            ends[n_fields] = p;
        }
        n_fields++;
        while (p < end && memchr(" \t\r\n", *p, 4) != NULL)
            p++;
    }
    if (n_fields < 5 || n_fields > FIELDS)
        return iso_refuse(err, text, n, text,
                          "a cron expression has 5 fields (minute, hour, day, month, day of the "
                          "week), 6 with seconds before them, or 7 with a year behind, as in "
                          "0 0 9-17 * * MON-FRI; a repetition starts with R, as in R/PT10M");
    size_t first = n_fields == 5 ? MINUTE : SECOND;
    for (size_t i = 0; i < n_fields; i++) {
        r.field = (enum field)(first + i);
        r.p = starts[i];
        r.end = ends[i];
        if (read_field(&r) < 0)
            return err_trace(err);
    }
    cron.either = n_fields == 5;
    if (n_fields == 5)
        cron.seconds = 1;
    if (n_fields < FIELDS)
        set_range(&cron, YEAR, CRON_FIRST_YEAR, CRON_LAST_YEAR, 1);
    *ret = cron;
    return 0;
}

/* ---- Finding ---- */

struct month {
    int64_t year;
    int month, days;
    int first; /* weekday of its first day */
};

static struct month month_of(int64_t year, int month)
{
    int64_t day = iso_days_of_date(year, month, 1);

    return (struct month){.year = year,
                          .month = month,
                          .days = iso_days_of_month(year, month),
                          .first = (int)(((day + 4) % 7 + 7) % 7)};
}

static int weekday_of(const struct month *m, int day)
{
    return (m->first + day - 1) % 7;
}

/* The Monday to Friday that is nearest to the day, in the same month. */
static int workday_near(const struct month *m, int day)
{
    switch (weekday_of(m, day)) {
    case 6:
        return day > 1 ? day - 1 : day + 2;
    case 0:
        return day < m->days ? day + 1 : day - 2;
    default:
        return day;
    }
}

static bool day_fits(const struct cron *cron, const struct month *m, int day)
{
    if ((cron->days >> day & 1) != 0 || (cron->last_days >> (m->days - day) & 1) != 0)
        return true;
    if (cron->last_workday && workday_near(m, m->days) == day)
        return true;
    for (int near = day - 2 > 1 ? day - 2 : 1; near <= day + 2 && near <= m->days; near++)
        if ((cron->near_workdays >> near & 1) != 0 && workday_near(m, near) == day)
            return true;
    return false;
}

static bool weekday_fits(const struct cron *cron, const struct month *m, int day)
{
    unsigned bit = 1u << weekday_of(m, day);

    return ((cron->weekdays | cron->nth_weekdays[(day - 1) / 7]) & bit) != 0 ||
           ((cron->last_weekdays & bit) != 0 && day + 7 > m->days);
}

static bool date_fits(const struct cron *cron, const struct month *m, int day)
{
    bool by_day = day_fits(cron, m, day), by_weekday = weekday_fits(cron, m, day);

    if (cron->either && !cron->any_day && !cron->any_weekday)
        return by_day || by_weekday;
    return by_day && by_weekday;
}

/* The first bit from `from` on below `most`, or -1. */
static int bit_from(uint64_t bits, int from, int most)
{
    for (int i = from; i < most; i++)
        if ((bits >> i & 1) != 0)
            return i;
    return -1;
}

/* The first time of day from `second` on; -1: none on this day. */
static int time_from(const struct cron *cron, int second)
{
    int h = second / 3600, m = second / 60 % 60, s = second % 60;

    for (int hour = bit_from(cron->hours, h, 24); hour >= 0;
         hour = bit_from(cron->hours, hour + 1, 24)) {
        int minute_from = hour == h ? m : 0;
        for (int minute = bit_from(cron->minutes, minute_from, 60); minute >= 0;
             minute = bit_from(cron->minutes, minute + 1, 60)) {
            int found = bit_from(cron->seconds, hour == h && minute == m ? s : 0, 60);
            if (found >= 0)
                return hour * 3600 + minute * 60 + found;
        }
    }
    return -1;
}

static bool year_fits(const struct cron *cron, int64_t year)
{
    int64_t i = year - CRON_FIRST_YEAR;

    return i >= 0 && year <= CRON_LAST_YEAR && (cron->years[i / 64] >> i % 64 & 1) != 0;
}

/* The first wall clock time that is `from` or later; INT64_MAX: none. */
static int64_t wall_from(const struct cron *cron, int64_t from_us)
{
    int64_t time_us, year;
    int month, day;
    int64_t days = iso_day_of_us(from_us, &time_us);
    int second = (int)((time_us + US_SECOND - 1) / US_SECOND);

    iso_date_of_days(days, &year, &month, &day);
    if (year < CRON_FIRST_YEAR) {
        year = CRON_FIRST_YEAR;
        month = day = 1;
        second = 0;
    }
    for (; year <= CRON_LAST_YEAR; year++, month = 1, day = 1, second = 0) {
        if (!year_fits(cron, year))
            continue;
        for (; month <= 12; month++, day = 1, second = 0) {
            if ((cron->months >> month & 1) == 0)
                continue;
            struct month m = month_of(year, month);
            for (; day <= m.days; day++, second = 0) {
                int found = date_fits(cron, &m, day) ? time_from(cron, second) : -1;
                if (found >= 0)
                    return iso_days_of_date(year, month, day) * US_DAY + found * US_SECOND;
            }
        }
    }
    return INT64_MAX;
}

/* Every hour: by real time, through each stretch of the same offset. */
static int64_t next_by_hours(const struct cron *cron, const struct zone *zone, int64_t after_us)
{
    int64_t from_us = after_us + 1;

    for (;;) {
        int64_t offset_us = zone_local(zone, from_us) - from_us;
        int64_t change_us = zone_change(zone, from_us);
        int64_t wall_us = wall_from(cron, from_us + offset_us);
        if (wall_us == INT64_MAX || wall_us - offset_us < change_us)
            return wall_us == INT64_MAX ? wall_us : wall_us - offset_us;
        from_us = change_us;
    }
}

int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after_us)
{
    if (after_us >= INT64_MAX / 2 || after_us <= INT64_MIN / 2)
        return INT64_MAX;
    if (cron->hours == ALL_HOURS)
        return next_by_hours(cron, zone, after_us);
    for (int64_t wall_us = zone_local(zone, after_us);; wall_us++) {
        wall_us = wall_from(cron, wall_us);
        if (wall_us == INT64_MAX)
            return wall_us;
        int64_t us = zone_instant(zone, wall_us);
        if (us > after_us)
            return us;
    }
}
