/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/start_timer.h"

static bool no_variable(void *context, const char *name, size_t n, struct value *ret_value)
{
    (void)context;
    (void)name;
    (void)n;
    (void)ret_value;
    return false;
}

static int wrong(const struct node *node, const struct err *why, struct err *err)
{
    return err_set(err, ERR_INVALID, "The timer of start event '%s' can not be set: %s", node->id,
                   why->text);
}

static int time_text(const struct node *node, struct arena *arena, int64_t now_us,
                     const char **ret_text, struct err *err)
{
    const struct expr_env env = {.variable = no_variable, .now_us = now_us};
    struct err why = {0};

    if (expr_eval_string(node->event.time, &env, arena, ret_text, &why) < 0)
        return wrong(node, &why, err);
    if (*ret_text == NULL)
        return err_set(err, ERR_INVALID, "The timer of start event '%s' has no time.", node->id);
    return 0;
}

static int cycle_read(const struct node *node, const char *text, struct iso_cycle *ret,
                      struct err *err)
{
    struct err why = {0};

    if (iso_cycle_parse(text, strlen(text), ret, &why) < 0)
        return wrong(node, &why, err);
    if (ret->period.negative || iso_duration_us(&ret->period) <= 0)
        return err_set(err, ERR_INVALID,
                       "The timer of start event '%s' can not be set: the period of "
                       "'%s' must be longer than nothing.",
                       node->id, text);
    return 0;
}

/* The first time after now of what repeats since due_us; *times counts those that were left out. */
static int64_t next_after(int64_t due_us, const struct iso_duration *period, int64_t now_us,
                          int64_t *times)
{
    int64_t n = 1, next;

    if (period->years == 0 && period->months == 0 && now_us > due_us)
        n = (now_us - due_us) / iso_duration_us(period);
    for (n = n > 1 ? n : 1; (next = iso_add(due_us, period, n)) <= now_us;)
        n++;
    *times = n;
    return next;
}

int start_timer_first(const struct node *node, struct arena *arena, int64_t now_us,
                      struct start_time *ret, struct err *err)
{
    struct iso_duration duration;
    struct iso_cycle cycle;
    struct err why = {0};
    const char *text;
    int64_t times;

    *ret = (struct start_time){0};
    if (time_text(node, arena, now_us, &text, err) < 0)
        return err_trace(err);
    switch (node->event.timer) {
    case TIMER_DATE:
        if (iso_date_parse(text, strlen(text), &ret->due_us, &why) < 0)
            return wrong(node, &why, err);
        return 0;
    case TIMER_DURATION:
        if (iso_duration_parse(text, strlen(text), &duration, &why) < 0)
            return wrong(node, &why, err);
        ret->due_us = iso_add(now_us, &duration, 1);
        return 0;
    case TIMER_CYCLE:
        break;
    }
    if (cycle_read(node, text, &cycle, err) < 0)
        return err_trace(err);
    ret->due_us = cycle.has_start ? cycle.start_us : iso_add(now_us, &cycle.period, 1);
    ret->remaining = cycle.times > 0 ? cycle.times - 1 : cycle.times;
    if (cycle.times < 0 && ret->due_us < now_us)
        ret->due_us = next_after(ret->due_us, &cycle.period, now_us, &times);
    if (cycle.has_end && ret->due_us > cycle.end_us)
        ret->due_us = INT64_MAX;
    return 0;
}

int start_timer_next(const struct node *node, struct arena *arena, const struct start_time *time,
                     int64_t now_us, struct start_time *ret, struct err *err)
{
    const struct start_time last = *time; /* ret may be the same */
    struct iso_cycle cycle;
    const char *text;
    int64_t times;

    *ret = (struct start_time){.due_us = INT64_MAX};
    if (node->event.timer != TIMER_CYCLE || last.remaining == 0)
        return 0;
    if (time_text(node, arena, now_us, &text, err) < 0 || cycle_read(node, text, &cycle, err) < 0)
        return err_trace(err);
    int64_t due = next_after(last.due_us, &cycle.period, now_us, &times);
    if (last.remaining > 0 && times > last.remaining)
        return 0;
    if (cycle.has_end && due > cycle.end_us)
        return 0;
    ret->due_us = due;
    ret->remaining = last.remaining < 0 ? -1 : last.remaining - (int32_t)times;
    return 0;
}
