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

static int cycle_read(const struct node *node, const char *text, struct cycle *ret, struct err *err)
{
    struct err why = {0};

    if (cycle_parse(text, strlen(text), node->event.zone, node->event.catch_up, ret, &why) < 0)
        return wrong(node, &why, err);
    return 0;
}

int start_timer_first(const struct node *node, struct arena *arena, int64_t now_us,
                      struct cycle_time *ret, struct err *err)
{
    const struct zone *zone = node->event.zone;
    struct iso_duration duration;
    struct cycle cycle;
    struct err why = {0};
    const char *text;
    bool local;

    *ret = (struct cycle_time){0};
    if (time_text(node, arena, now_us, &text, err) < 0)
        return err_trace(err);
    switch (node->event.timer) {
    case TIMER_DATE:
        if (iso_date_read(text, strlen(text), &ret->due_us, &local, &why) < 0)
            return wrong(node, &why, err);
        if (local)
            ret->due_us = zone_instant(zone, ret->due_us);
        return 0;
    case TIMER_DURATION:
        if (iso_duration_parse(text, strlen(text), &duration, &why) < 0)
            return wrong(node, &why, err);
        ret->due_us = zone_add(zone, now_us, &duration, 1);
        return 0;
    case TIMER_CYCLE:
        break;
    }
    if (cycle_read(node, text, &cycle, err) < 0)
        return err_trace(err);
    *ret = cycle_first(&cycle, now_us, now_us);
    return 0;
}

int start_timer_next(const struct node *node, struct arena *arena, const struct cycle_time *time,
                     int64_t now_us, struct cycle_time *ret, struct err *err)
{
    const struct cycle_time last = *time; /* ret may be the same */
    struct cycle cycle;
    const char *text;

    *ret = (struct cycle_time){.due_us = INT64_MAX};
    if (node->event.timer != TIMER_CYCLE || last.remaining == 0)
        return 0;
    if (time_text(node, arena, now_us, &text, err) < 0 || cycle_read(node, text, &cycle, err) < 0)
        return err_trace(err);
    *ret = cycle_next(&cycle, &last, now_us);
    return 0;
}
