/* SPDX-License-Identifier: Apache-2.0 */
/* When timer events are due. */
#include "base/build.h"

#include "engine/step.h"

static int time_text(struct step *step, struct instance *instance, uint32_t token,
                     const struct node *node, const char **ret)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);

    if (view_string(&view, node->event.time, ret) < 0)
        return err_trace(step->err);
    if (*ret == NULL)
        return err_set(step->err, ERR_INVALID, "%s '%s': the timer's time is null.",
                       node_kind_name(node->kind), node->id);
    return 0;
}

static int cycle_read(struct step *step, const struct node *node, const char *text,
                      struct cycle *ret)
{
    if (cycle_parse(text, strlen(text), node->event.zone, node->event.catch_up, ret, step->err) < 0)
        return err_at_node(step, node);
    return 0;
}

static int duration_read(struct step *step, const struct node *node, const char *text,
                         struct iso_duration *ret)
{
    if (iso_duration_parse(text, strlen(text), ret, step->err) < 0)
        return err_at_node(step, node);
    if (ret->negative)
        return err_set(step->err, ERR_INVALID, "%s '%s': the duration '%s' is negative.",
                       node_kind_name(node->kind), node->id, text);
    return 0;
}

static int in_range(struct step *step, const struct node *node, const char *text, int64_t due_us)
{
    if (due_us < -TIME_LAST_US || due_us > TIME_LAST_US)
        return err_set(step->err, ERR_INVALID,
                       "%s '%s': the time '%.80s' lies after the year 9999.",
                       node_kind_name(node->kind), node->id, text);
    return 0;
}

static int clock_start(struct step *step, struct instance *instance, uint32_t token,
                       const struct node *node, int64_t from_us, struct cycle_time *ret)
{
    const struct zone *zone = node->event.zone;
    struct iso_duration duration;
    struct cycle cycle;
    const char *text;
    bool local;

    *ret = (struct cycle_time){0};
    if (time_text(step, instance, token, node, &text) < 0)
        return err_trace(step->err);
    switch (node->event.timer) {
    case TIMER_DATE:
        if (iso_date_read(text, strlen(text), &ret->due_us, &local, step->err) < 0)
            return err_at_node(step, node);
        if (local)
            ret->due_us = zone_instant(zone, ret->due_us);
        return 0;
    case TIMER_DURATION:
        if (duration_read(step, node, text, &duration) < 0)
            return err_trace(step->err);
        ret->due_us = zone_add(zone, from_us, &duration, 1);
        return in_range(step, node, text, ret->due_us);
    case TIMER_CYCLE:
        break;
    }
    if (cycle_read(step, node, text, &cycle) < 0)
        return err_trace(step->err);
    *ret = cycle_first(&cycle, from_us, step->family->now_us);
    return ret->due_us == INT64_MAX ? 0 : in_range(step, node, text, ret->due_us);
}

/* When the clock starts: now, or when the call was sent; INT64_MAX: it has not been sent yet. */
static int64_t clock_from(const struct step *step, const struct instance *instance,
                          const struct node *node)
{
    int call_node = node->event.starts_when_sent;

    if (call_node < 0 || (size_t)call_node >= instance->graph->n_nodes)
        return step->family->now_us;
    const struct http_call *http = instance->graph->nodes[call_node].http;
    if (node->kind == NODE_BOUNDARY_EVENT && node->attached_to == call_node && http != NULL &&
        http->mode == HTTP_WAIT)
        return INT64_MAX;
    for (size_t i = instance->n_calls; i-- > 0;) {
        const struct fired_call *call = &instance->calls[i];
        if (call->node == call_node)
            return call->sent_us != 0 ? call->sent_us : INT64_MAX;
    }
    return step->family->now_us;
}

int timer_wait(struct step *step, struct instance *instance, uint32_t token,
               const struct node *node)
{
    int64_t from_us = clock_from(step, instance, node);
    struct cycle_time clock = {.due_us = INT64_MAX};

    if (from_us != INT64_MAX && clock_start(step, instance, token, node, from_us, &clock) < 0)
        return err_trace(step->err);
    struct wait *wait = wait_new(step, instance, WAIT_TIMER, token, node);
    wait->due_us = clock.due_us;
    wait->remaining = clock.remaining;
    return 0;
}

int timers_arm(struct step *step, struct instance *instance, int call_node, int64_t sent_us)
{
    for (size_t i = 0; i < instance->n_waits; i++) {
        struct wait *wait = &instance->waits[i];
        struct cycle_time clock;
        if (wait->kind != WAIT_TIMER || wait->due_us != INT64_MAX)
            continue;
        const struct node *node = &instance->graph->nodes[wait->node];
        if (node->event.starts_when_sent != call_node)
            continue;
        if (clock_start(step, instance, wait->token, node, sent_us, &clock) < 0)
            return err_trace(step->err);
        wait->due_us = clock.due_us;
        wait->remaining = clock.remaining;
        wait->fresh = true; /* it had no row */
    }
    return 0;
}

int timer_next(struct step *step, const struct trigger *trigger)
{
    struct instance *instance = trigger->instance;
    const struct node *node = trigger->node;
    struct wait *old = wait_find(instance, WAIT_TIMER, trigger->token, trigger->wait.node);
    const struct cycle_time last = {trigger->wait.due_us, trigger->wait.remaining};
    struct cycle cycle;
    const char *text;

    if (old == NULL)
        return 0;
    wait_remove(step, instance, old);
    if (node->event.timer != TIMER_CYCLE || trigger->wait.remaining == 0)
        return 0;
    if (time_text(step, instance, trigger->token, node, &text) < 0 ||
        cycle_read(step, node, text, &cycle) < 0)
        return err_trace(step->err);
    struct cycle_time next = cycle_next(&cycle, &last, step->family->now_us);
    if (next.due_us > TIME_LAST_US)
        return 0;
    struct wait *wait = wait_new(step, instance, WAIT_TIMER, trigger->token, node);
    wait->due_us = next.due_us;
    wait->remaining = next.remaining;
    return 0;
}

int time_of_text(struct step *step, const struct node *node, const char *what, const char *text,
                 int64_t *ret_us)
{
    struct iso_duration duration;

    *ret_us = 0;
    if (text == NULL || text[0] == '\0')
        return 0;
    if (text[0] == 'P') {
        if (duration_read(step, node, text, &duration) < 0)
            return err_trace(step->err);
        *ret_us = iso_add(step->family->now_us, &duration, 1);
        return in_range(step, node, text, *ret_us);
    }
    if (iso_date_parse(text, strlen(text), ret_us, step->err) < 0) {
        char reason[sizeof(step->err->text)];
        snprintf(reason, sizeof(reason), "%s", step->err->text);
        return err_set(step->err, ERR_INVALID, "%s '%s': %s: %s", node_kind_name(node->kind),
                       node->id, what, reason);
    }
    return 0;
}
