/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Service levels: an activity or an instance that lasts too long is told of once, in its history
 * and as an event on the bus of alerts. Nothing else changes: no token moves.
 *
 * That of an activity is a wait of its token, which ends with it. That of an instance follows from
 * when it was started: the store keeps its row, with token 0.
 */
#include "base/build.h"

#include "engine/step.h"

#define ALERT_BUS "alerts"
#define ALERT_SOURCE "urn:pawl"
#define ALERT_TYPE "Service Level Missed"

void level_arm(struct step *step, struct instance *instance, uint32_t token,
               const struct node *node)
{
    if (node->level != NULL)
        wait_new(step, instance, WAIT_LEVEL, token, node)->due_us =
            iso_add(step->family->now_us, &node->level->within, 1);
}

int64_t instance_level_us(const struct instance *instance)
{
    const struct service_level *level = instance->graph->level;

    return level != NULL ? iso_add(instance->started_us, &level->within, 1) : INT64_MAX;
}

static void alert(struct step *step, const struct instance *instance, const struct node *node,
                  const struct service_level *level)
{
    struct family *family = step->family;
    struct event_out event = {.id = family_uuid(family),
                              .instance = instance->id,
                              .bus = ALERT_BUS,
                              .source = ALERT_SOURCE,
                              .detail_type = ALERT_TYPE};

    event.detail = history_data(
        step, "usssssst", "instance", &instance->id, "process", instance->graph->key, "businessKey",
        instance->business_key, "element", node != NULL ? node->id : NULL, "elementName",
        node != NULL ? node->name : instance->graph->name, "name", level->name, "within",
        level->text, "started", instance->started_us);
    *arena_push(family->arena, family->events, family->n_events, family->events_capacity) = event;
}

int command_level(struct step *step, struct instance *instance)
{
    const struct command *command = step->command;
    const struct service_level *level = instance->graph->level;
    const struct node *node = NULL;

    if (command->token != 0) {
        struct wait *wait = wait_find(instance, WAIT_LEVEL, command->token, command->node);
        if (wait == NULL || wait->due_us > step->family->now_us)
            return STEP_DROPPED; /* it ended, or was begun anew */
        node = &instance->graph->nodes[wait->node];
        level = node->level;
        wait_remove(step, instance, wait);
    }
    if (level == NULL)
        return STEP_DROPPED;
    history_add(step, HISTORY_LEVEL_MISSED, instance, command->token, node, 0,
                history_data(step, "ss", "name", level->name, "within", level->text));
    alert(step, instance, node, level);
    return 0;
}
