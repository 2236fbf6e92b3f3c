/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "engine/isotime.h"
#include "engine/isotime_internal.h"

/* Repetitions: of timers, and of what failed. */

/* A duration that something can wait for: longer than nothing. */
static int parse_wait(const char *text, size_t n, bool zero_too, struct iso_duration *ret,
                      struct err *err)
{
    if (iso_duration_parse(text, n, ret, err) < 0)
        return err_trace(err);
    if (ret->negative || (!zero_too && iso_duration_us(ret) == 0))
        return iso_refuse(err, text, n, text, "the time to wait must be longer than nothing");
    return 0;
}

static bool is_duration(const char *text, size_t n)
{
    return n > 0 && (*text == 'P' || (n > 1 && text[1] == 'P'));
}

/* R or Rn at the start of text; *times is -1 without a number. Returns what is wrong, or NULL. */
static const char *scan_repeat(const char *text, size_t n, int32_t *times)
{
    int64_t count = 0;

    *times = -1;
    if (n == 1)
        return NULL;
    for (size_t i = 1; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return "expected a whole number after R, as in R3/PT10S, or none, as in R/PT10S";
        if (count <= INT32_MAX)
            count = count * 10 + (text[i] - '0');
    }
    if (count == 0)
        return "R0 never happens; R1 is once";
    if (count > INT32_MAX)
        return "the number after R is too large; R without a number repeats for ever";
    *times = (int32_t)count;
    return NULL;
}

/* Cuts text at its slashes; returns the number of parts, more than max if there are more. */
static size_t cut(const char *text, size_t n, const char **parts, size_t *lengths, size_t max)
{
    size_t n_parts = 0;

    for (const char *p = text, *end = text + n;;) {
        const char *slash = memchr(p, '/', (size_t)(end - p));
        if (n_parts < max) {
            parts[n_parts] = p;
            lengths[n_parts] = (size_t)((slash != NULL ? slash : end) - p);
        }
        n_parts++;
        if (slash == NULL)
            return n_parts;
        p = slash + 1;
    }
}

/* Moves the column of a part's error to where it is in the whole. */
static int part_wrong(struct err *err, const char *text, const char *part)
{
    if (err != NULL && err->column > 0)
        err->column += (int)(part - text);
    return err_trace(err);
}

/* R[n]/start/end: as long apart as the two are. */
static int period_between(struct iso_cycle *cycle, const char *text, size_t n, const char *part,
                          struct err *err)
{
    if (cycle->end_us <= cycle->start_us)
        return iso_refuse(err, text, n, part, "the end of the interval is not after its start");
    cycle->period.us = cycle->end_us - cycle->start_us;
    cycle->has_end = false;
    return 0;
}

int iso_cycle_parse(const char *text, size_t n, struct iso_cycle *ret, struct err *err)
{
    static const char *const shape =
        "a repetition looks like R3/PT10M, R/PT10M (for ever), R3/2026-11-21T10:00:00Z/PT10M or "
        "R/PT10M/2026-11-21T10:00:00Z";
    struct iso_cycle cycle = {.times = -1};
    const char *parts[3], *wrong;
    size_t lengths[3];

    iso_text_trim(&text, &n);
    if (n == 0 || *text != 'R')
        return iso_refuse(err, text, n, text,
                          is_duration(text, n)
                              ? "a repetition starts with R; write R1/ before a single duration"
                              : "a repetition starts with R, as in R3/PT10M");
    size_t n_parts = cut(text, n, parts, lengths, ARRAY_LEN(parts));
    wrong = scan_repeat(parts[0], lengths[0], &cycle.times);
    if (wrong != NULL)
        return iso_refuse(err, text, n, text + 1, wrong);
    if (n_parts < 2 || n_parts > 3)
        return iso_refuse(err, text, n, text + n, shape);
    bool period_first = is_duration(parts[1], lengths[1]);
    bool period_last = n_parts == 3 && is_duration(parts[2], lengths[2]);
    if ((n_parts == 2 && !period_first) || (period_first && period_last))
        return iso_refuse(err, text, n, parts[1], shape);
    if (!period_first) {
        cycle.has_start = true;
        if (iso_date_read(parts[1], lengths[1], &cycle.start_us, &cycle.start_local, err) < 0)
            return part_wrong(err, text, parts[1]);
    } else if (parse_wait(parts[1], lengths[1], false, &cycle.period, err) < 0) {
        return part_wrong(err, text, parts[1]);
    }
    if (period_last) {
        if (parse_wait(parts[2], lengths[2], false, &cycle.period, err) < 0)
            return part_wrong(err, text, parts[2]);
    } else if (n_parts == 3) {
        cycle.has_end = true;
        if (iso_date_read(parts[2], lengths[2], &cycle.end_us, &cycle.end_local, err) < 0)
            return part_wrong(err, text, parts[2]);
    }
    if (!period_first && !period_last && period_between(&cycle, text, n, parts[2], err) < 0)
        return err_trace(err);
    *ret = cycle;
    return 0;
}

/* "R3/PT5M", "R3" or "R/PT5M". */
static int parse_repeat(struct arena *arena, const char *text, size_t n, struct retry_cycle *ret,
                        struct err *err)
{
    const char *parts[2], *wrong;
    size_t lengths[2];
    int32_t times;

    size_t n_parts = cut(text, n, parts, lengths, ARRAY_LEN(parts));
    wrong = scan_repeat(parts[0], lengths[0], &times);
    if (wrong != NULL)
        return iso_refuse(err, text, n, text + 1, wrong);
    if (n_parts > 2)
        return iso_refuse(err, text, n, parts[1] + lengths[1],
                          "a retry cycle is R3/PT5M (3 tries in all, 5 minutes apart), without "
                          "start or end");
    ret->tries = times < 0 ? UINT32_MAX : (uint32_t)times;
    if (n_parts == 1)
        return 0;
    ret->delays = arena_alloc(arena, sizeof(*ret->delays));
    ret->n_delays = 1;
    if (parse_wait(parts[1], lengths[1], true, ret->delays, err) < 0)
        return part_wrong(err, text, parts[1]);
    return 0;
}

int retry_cycle_parse(struct arena *arena, const char *text, struct retry_cycle *ret,
                      struct err *err)
{
    struct retry_cycle cycle = {.tries = 1};
    size_t n = strlen(text), capacity = 0, n_delays = 0;

    iso_text_trim(&text, &n);
    if (n > 0 && *text == 'R') {
        if (parse_repeat(arena, text, n, &cycle, err) < 0)
            return err_trace(err);
        *ret = cycle;
        return 0;
    }
    if (n == 0 || *text != 'P')
        return iso_refuse(err, text, n, text,
                          "a retry cycle is R3/PT5M (3 tries in all, 5 minutes apart) or a list of "
                          "waits such as PT10S,PT1M,PT5M");
    for (const char *p = text, *end = text + n;;) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *part = p;
        size_t part_n = (size_t)((comma != NULL ? comma : end) - p);
        struct iso_duration delay;
        iso_text_trim(&part, &part_n);
        if (parse_wait(part, part_n, true, &delay, err) < 0)
            return part_wrong(err, text, part);
        *arena_push(arena, cycle.delays, n_delays, capacity) = delay;
        if (comma == NULL)
            break;
        p = comma + 1;
    }
    cycle.n_delays = (uint32_t)n_delays;
    cycle.tries = cycle.n_delays + 1;
    *ret = cycle;
    return 0;
}
