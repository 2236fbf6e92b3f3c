/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "engine/behaviour.h"

const struct behaviour *behaviour_of(const struct node *node)
{
    static const struct behaviour *const behaviours[NODE_KINDS] = {
        [NODE_START_EVENT] = &behaviour_start_event,
        [NODE_END_EVENT] = &behaviour_end_event,
        [NODE_CATCH_EVENT] = &behaviour_catch_event,
        [NODE_THROW_EVENT] = &behaviour_throw_event,
        [NODE_BOUNDARY_EVENT] = &behaviour_boundary_event,
        [NODE_TASK] = &behaviour_task,
        [NODE_MANUAL_TASK] = &behaviour_task,
        [NODE_SERVICE_TASK] = &behaviour_service_task,
        [NODE_SEND_TASK] = &behaviour_send_task,
        [NODE_RECEIVE_TASK] = &behaviour_receive_task,
        [NODE_USER_TASK] = &behaviour_user_task,
        [NODE_EXCLUSIVE_GATEWAY] = &behaviour_exclusive_gateway,
        [NODE_PARALLEL_GATEWAY] = &behaviour_parallel_gateway,
        [NODE_EVENT_GATEWAY] = &behaviour_event_gateway,
        [NODE_SUB_PROCESS] = &behaviour_sub_process,
        [NODE_CALL_ACTIVITY] = &behaviour_call_activity,
        [NODE_SCRIPT_TASK] = &behaviour_script_task,
    };

    return behaviours[node->kind];
}
