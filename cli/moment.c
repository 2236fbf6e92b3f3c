/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <time.h>

#include "cli/moment.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

int64_t moment_parse(const char *iso)
{
    struct tm tm = {0};
    int used = 0;

    if (iso == NULL)
        return MOMENT_NONE;
    if (strcmp(iso, "infinity") == 0)
        return INT64_MAX;
    if (sscanf(iso, "%d-%d-%d%*1[T ]%d:%d:%d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &used) != 6)
        return MOMENT_NONE;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    int64_t us = (int64_t)timegm(&tm) * SECOND;
    const char *rest = iso + used;
    if (*rest == '.') {
        int64_t unit = SECOND / 10;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            us += (*rest - '0') * unit;
    }
    int hours = 0, minutes = 0;
    if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%d:%d", &hours, &minutes) >= 1)
        us -= (*rest == '-' ? -1 : 1) * (hours * HOUR + minutes * MINUTE);
    return us;
}

static const char *two(struct arena *arena, int64_t us, int64_t unit, const char *name,
                       int64_t small, const char *small_name)
{
    int64_t rest = us % unit / small;

    if (rest == 0)
        return arena_printf(arena, "%lld %s", (long long)(us / unit), name);
    return arena_printf(arena, "%lld %s %lld %s", (long long)(us / unit), name, (long long)rest,
                        small_name);
}

const char *moment_span(struct arena *arena, int64_t us)
{
    if (us < 0)
        us = 0;
    if (us < SECOND / 1000)
        return us < 50 ? "0 ms" : arena_printf(arena, "%.1f ms", (double)us / 1000.0);
    if (us < SECOND)
        return arena_printf(arena, "%lld ms", (long long)(us / 1000));
    if (us < 10 * SECOND)
        return arena_printf(arena, "%.1f s", (double)(us / (SECOND / 10)) / 10.0);
    if (us < MINUTE)
        return arena_printf(arena, "%lld s", (long long)(us / SECOND));
    if (us < HOUR)
        return two(arena, us, MINUTE, "min", SECOND, "s");
    if (us < DAY)
        return two(arena, us, HOUR, "h", MINUTE, "min");
    return two(arena, us, DAY, "d", HOUR, "h");
}

const char *moment_relative(struct arena *arena, int64_t at_us, int64_t now_us)
{
    if (at_us == MOMENT_NONE)
        return "-";
    if (at_us == INT64_MAX)
        return "never";
    if (at_us > now_us)
        return arena_printf(arena, "in %s", moment_span(arena, at_us - now_us));
    return arena_printf(arena, "%s ago", moment_span(arena, now_us - at_us));
}

static bool local_time(int64_t at_us, struct tm *ret_tm)
{
    time_t seconds = (time_t)(at_us / SECOND);

    return at_us != MOMENT_NONE && at_us != INT64_MAX && localtime_r(&seconds, ret_tm) != NULL;
}

const char *moment_clock(struct arena *arena, int64_t at_us, int64_t now_us)
{
    struct tm at, now;
    char text[64];

    if (!local_time(at_us, &at) || !local_time(now_us, &now))
        return "-";
    if (at.tm_year == now.tm_year && at.tm_yday == now.tm_yday)
        strftime(text, sizeof(text), "%T", &at);
    else
        strftime(text, sizeof(text), "%F %T", &at);
    return arena_strdup(arena, text);
}

const char *moment_exact(struct arena *arena, int64_t at_us)
{
    char text[64];
    struct tm at;

    if (!local_time(at_us, &at))
        return "-";
    strftime(text, sizeof(text), "%F %T", &at);
    return arena_printf(arena, "%s.%03d", text, (int)(at_us % SECOND / 1000));
}
