/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One behaviour for each kind of flow node, each in a file of its own. A new BPMN element is a new
 * kind in graph.h, a file here, and a row in behaviour.c's table; README.md has the recipe.
 */
#include "engine/step.h"

struct behaviour {
    /* The token is at the node: complete it (activity_complete) or wait (activity_wait). */
    int (*enter)(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node);
    /* One of the node's waits happened; NULL: the node never waits. */
    int (*trigger)(struct step *step, const struct trigger *trigger);
    /*
     * Chooses the outgoing flows; NULL: those whose condition holds, else the default flow. Fills
     * flows (room for node->n_out) with their numbers.
     */
    int (*choose)(struct step *step, struct instance *instance, uint32_t token,
                  const struct node *node, int *flows, size_t *ret_n);
};

const struct behaviour *behaviour_of(const struct node *node);

extern const struct behaviour behaviour_start_event;
extern const struct behaviour behaviour_end_event;
extern const struct behaviour behaviour_catch_event;
extern const struct behaviour behaviour_throw_event;
extern const struct behaviour behaviour_boundary_event;
extern const struct behaviour behaviour_task;
extern const struct behaviour behaviour_service_task;
extern const struct behaviour behaviour_send_task;
extern const struct behaviour behaviour_receive_task;
extern const struct behaviour behaviour_user_task;
extern const struct behaviour behaviour_exclusive_gateway;
extern const struct behaviour behaviour_parallel_gateway;
extern const struct behaviour behaviour_event_gateway;
extern const struct behaviour behaviour_sub_process;
extern const struct behaviour behaviour_call_activity, behaviour_script_task;
