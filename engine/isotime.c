/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "engine/isotime.h"
#include "engine/isotime_internal.h"

/*
 * Dates and durations, and the calendar between them. The calendar is the proleptic Gregorian one;
 * there are no leap seconds, as in PostgreSQL. Everything saturates: INT64_MAX is "never".
 */
#define US_SECOND INT64_C(1000000)
#define US_MINUTE (60 * US_SECOND)
#define US_HOUR (60 * US_MINUTE)
#define US_DAY (24 * US_HOUR)

void iso_text_trim(const char **text, size_t *n)
{
    while (*n > 0 && memchr(" \t\r\n", **text, 4) != NULL) {
        (*text)++;
        (*n)--;
    }
    while (*n > 0 && memchr(" \t\r\n", (*text)[*n - 1], 4) != NULL)
        (*n)--;
}

int iso_refuse(struct err *err, const char *text, size_t n, const char *at, const char *what)
{
    int shown = n > 60 ? 60 : (int)n;

    err_set(err, ERR_INVALID, "'%.*s%s': %s", shown, text, n > 60 ? "..." : "", what);
    if (err != NULL)
        err->column = (int)(at - text) + 1;
    return -1;
}

/* Months counted from March make leap days last. */
int64_t iso_days_of_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

void iso_date_of_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;

    *ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

int iso_days_of_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number of a duration at *p: digits, and where a fraction may stand, its microseconds. */
struct amount {
    int64_t whole;
    int64_t fraction_us; /* of one second; rounded up, so that no timer is early */
    bool has_fraction;
};

static bool scan_amount(const char **p, const char *end, struct amount *ret)
{
    struct amount amount = {.whole = 0};
    int64_t unit = 100000;
    const char *s = *p;

    if (s >= end || !is_digit(*s))
        return false;
    for (; s < end && is_digit(*s); s++) {
        if (amount.whole < INT64_MAX / 20)
            amount.whole = amount.whole * 10 + (*s - '0');
    }
    if (s < end && (*s == '.' || *s == ',')) {
        amount.has_fraction = true;
        s++;
        if (s >= end || !is_digit(*s))
            return false;
        bool more = false;
        for (; s < end && is_digit(*s); s++) {
            amount.fraction_us += unit * (*s - '0');
            more = more || (unit == 0 && *s != '0');
            unit /= 10;
        }
        amount.fraction_us += more;
    }
    *p = s;
    *ret = amount;
    return true;
}

/* Adds an amount of a unit to the duration; false if it does not fit. */
static bool add_amount(struct iso_duration *d, char unit, bool in_time, const struct amount *amount)
{
    int64_t us_of_unit = unit == 'H' ? US_HOUR : unit == 'M' ? US_MINUTE : US_SECOND;
    int64_t us;

    if (in_time) {
        if (__builtin_mul_overflow(amount->whole, us_of_unit, &us) ||
            __builtin_add_overflow(us, amount->fraction_us, &us) ||
            __builtin_add_overflow(d->us, us, &d->us))
            return false;
        return true;
    }
    if (amount->whole > INT32_MAX)
        return false;
    int32_t whole = (int32_t)amount->whole;
    *(unit == 'Y'   ? &d->years
      : unit == 'M' ? &d->months
      : unit == 'W' ? &d->weeks
                    : &d->days) = whole;
    return true;
}

/* The parts behind the P, in their order. Returns NULL, or what is wrong at *p. */
static const char *scan_parts(const char **p, const char *end, struct iso_duration *d)
{
    const char *order = "YMWD";
    bool in_time = false, any = false;

    while (*p < end) {
        struct amount amount;
        const char *unit;
        if (**p == 'T' && !in_time) {
            in_time = true;
            any = false;
            order = "HMS";
            (*p)++;
            continue;
        }
        if (!scan_amount(p, end, &amount))
            return "expected a number, as in P1DT2H or PT10S";
        if (*p >= end)
            return in_time ? "expected a unit (H, M or S) after the number"
                           : "expected a unit (Y, M, W or D) after the number; hours, minutes and "
                             "seconds follow a T, as in PT10S";
        unit = strchr(order, **p);
        if (unit == NULL || **p == '\0')
            return in_time ? "expected H, M or S here, each once and in this order"
                           : "expected Y, M, W or D here, each once and in this order; hours, "
                             "minutes and seconds follow a T, as in PT10S";
        if (amount.has_fraction && **p != 'S')
            return "only seconds may have a fraction; write PT30M for half an hour";
        if (!add_amount(d, **p, in_time, &amount))
            return "the number is too large";
        order = unit + 1;
        any = true;
        (*p)++;
    }
    if (!any)
        return in_time ? "nothing follows the T; write PT10S for ten seconds"
                       : "nothing follows the P; write PT10S for ten seconds";
    return NULL;
}

int iso_duration_parse(const char *text, size_t n, struct iso_duration *ret, struct err *err)
{
    struct iso_duration duration = {.years = 0};
    const char *wrong;

    iso_text_trim(&text, &n);
    const char *p = text, *end = text + n;
    if (p < end && (*p == '-' || *p == '+'))
        duration.negative = *p++ == '-';
    if (p >= end || *p != 'P')
        return iso_refuse(err, text, n, p,
                          "an ISO 8601 duration starts with P, as in PT10S, PT1H30M or P1D");
    p++;
    wrong = scan_parts(&p, end, &duration);
    if (wrong != NULL)
        return iso_refuse(err, text, n, p, wrong);
    *ret = duration;
    return 0;
}

/* Exactly `width` digits at *p within [min, max]. */
static bool scan_fixed(const char **p, const char *end, int width, int min, int max, int *ret)
{
    int number = 0;

    if (end - *p < width)
        return false;
    for (int i = 0; i < width; i++) {
        if (!is_digit((*p)[i]))
            return false;
        number = number * 10 + ((*p)[i] - '0');
    }
    if (number < min || number > max)
        return false;
    *p += width;
    *ret = number;
    return true;
}

static bool scan_char(const char **p, const char *end, char c)
{
    if (*p >= end || **p != c)
        return false;
    (*p)++;
    return true;
}

/* hh:mm[:ss[.fraction]] at *p. Returns NULL, or what is wrong there. */
static const char *scan_time(const char **p, const char *end, int64_t *us)
{
    int hour, minute, second = 0;
    int64_t fraction = 0;

    if (!scan_fixed(p, end, 2, 0, 23, &hour))
        return "expected an hour from 00 to 23";
    if (!scan_char(p, end, ':') || !scan_fixed(p, end, 2, 0, 59, &minute))
        return "expected minutes, as in 10:30";
    if (scan_char(p, end, ':')) {
        struct amount amount;
        const char *from = *p;
        if (!scan_fixed(p, end, 2, 0, 59, &second))
            return "expected seconds from 00 to 59";
        *p = from;
        if (!scan_amount(p, end, &amount))
            return "expected digits after the decimal point";
        if (amount.whole != second)
            return "expected two digits of seconds";
        fraction = amount.fraction_us;
    }
    *us = hour * US_HOUR + minute * US_MINUTE + second * US_SECOND + fraction;
    return NULL;
}

/* Z, +hh, +hhmm or +hh:mm at *p; nothing is local time. */
static const char *scan_offset(const char **p, const char *end, int64_t *us, bool *local)
{
    int hours, minutes = 0;

    *us = 0;
    *local = *p >= end;
    if (*p >= end || scan_char(p, end, 'Z') || scan_char(p, end, 'z'))
        return NULL;
    if (**p != '+' && **p != '-')
        return "expected the end, Z or an offset such as +02:00";
    bool negative = *(*p)++ == '-';
    if (!scan_fixed(p, end, 2, 0, 18, &hours))
        return "expected an offset from UTC such as +02:00";
    if (scan_char(p, end, ':') || *p < end) {
        if (!scan_fixed(p, end, 2, 0, 59, &minutes))
            return "expected the minutes of the offset, as in +02:00";
    }
    *us = hours * US_HOUR + minutes * US_MINUTE;
    if (negative)
        *us = -*us;
    return NULL;
}

int iso_date_parse(const char *text, size_t n, int64_t *ret_us, struct err *err)
{
    bool local;

    return iso_date_read(text, n, ret_us, &local, err);
}

int iso_date_read(const char *text, size_t n, int64_t *ret_us, bool *ret_local, struct err *err)
{
    int year, month, day;
    int64_t time = 0, offset = 0;
    bool local = true;
    const char *wrong = NULL;

    iso_text_trim(&text, &n);
    const char *p = text, *end = text + n;
    if (!scan_fixed(&p, end, 4, 1, 9999, &year) || !scan_char(&p, end, '-') ||
        !scan_fixed(&p, end, 2, 1, 12, &month) || !scan_char(&p, end, '-') ||
        !scan_fixed(&p, end, 2, 1, 31, &day))
        return iso_refuse(err, text, n, p,
                          "an ISO 8601 date looks like 2026-11-21T10:00:00Z; the part from here is "
                          "not one");
    if (day > iso_days_of_month(year, month))
        return iso_refuse(err, text, n, p - 2, "this month has no such day");
    if (scan_char(&p, end, 'T') || scan_char(&p, end, 't') || scan_char(&p, end, ' ')) {
        wrong = scan_time(&p, end, &time);
        if (wrong == NULL)
            wrong = scan_offset(&p, end, &offset, &local);
    }
    if (wrong == NULL && p < end)
        wrong = "expected the end here; a date looks like 2026-11-21T10:00:00Z";
    if (wrong != NULL)
        return iso_refuse(err, text, n, p, wrong);
    *ret_us = iso_days_of_date(year, month, day) * US_DAY + time - offset;
    *ret_local = local;
    return 0;
}

int64_t iso_day_of_us(int64_t us, int64_t *ret_time)
{
    int64_t days = us / US_DAY, time = us % US_DAY;

    if (time < 0) {
        time += US_DAY;
        days--;
    }
    *ret_time = time;
    return days;
}

void iso_date_format(int64_t us, char room[28])
{
    int64_t time, year;
    int month, day;

    iso_date_of_days(iso_day_of_us(us, &time), &year, &month, &day);
    if (year < 0 || year > 9999) {
        memcpy(room, year < 0 ? "-infinity" : "infinity", year < 0 ? 10 : 9);
        return;
    }
    /* The modulos tell the compiler what holds anyway: each part fits its width. */
    snprintf(room, 28, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", (unsigned)year % 10000u,
             (unsigned)month % 100u, (unsigned)day % 100u, (unsigned)(time / US_HOUR) % 24u,
             (unsigned)(time / US_MINUTE % 60), (unsigned)(time / US_SECOND % 60),
             (unsigned)(time % US_SECOND));
}

/* a + b * times, kept within int64. */
static int64_t add_times(int64_t a, int64_t b, int64_t times)
{
    int64_t product, sum;

    if (__builtin_mul_overflow(b, times, &product))
        return (b < 0) != (times < 0) ? INT64_MIN : INT64_MAX;
    if (__builtin_add_overflow(a, product, &sum))
        return product < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

int64_t iso_add(int64_t from_us, const struct iso_duration *duration, int64_t times)
{
    int64_t time, year, months, days;
    int month, day;

    if (duration->negative)
        times = -times;
    months = (int64_t)duration->years * 12 + duration->months;
    days = (int64_t)duration->weeks * 7 + duration->days;
    if (months != 0) {
        int64_t from_days = iso_day_of_us(from_us, &time);
        iso_date_of_days(from_days, &year, &month, &day);
        int64_t count = add_times(year * 12 + month - 1, months, times);
        /* Beyond what microseconds can hold (about the year 294000) there is no calendar. */
        if (count < -INT64_C(3500000) || count > INT64_C(3500000))
            return count < 0 ? INT64_MIN : INT64_MAX;
        int64_t new_year = (count >= 0 ? count : count - 11) / 12;
        int new_month = (int)(count - new_year * 12) + 1;
        int last = iso_days_of_month(new_year, new_month);
        from_us =
            add_times(time, iso_days_of_date(new_year, new_month, day < last ? day : last), US_DAY);
    }
    int64_t span = add_times(duration->us, days, US_DAY);
    return add_times(from_us, span, times);
}

int64_t iso_duration_us(const struct iso_duration *duration)
{
    int64_t days = (int64_t)duration->years * 365 + (int64_t)duration->months * 30 +
                   (int64_t)duration->weeks * 7 + duration->days;
    int64_t us = add_times(duration->us, days, US_DAY);

    return duration->negative ? -us : us;
}
