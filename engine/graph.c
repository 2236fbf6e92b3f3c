/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "engine/graph.h"

const char *node_kind_name(enum node_kind kind)
{
    static const char *const names[NODE_KINDS] = {
        [NODE_START_EVENT] = "startEvent",
        [NODE_END_EVENT] = "endEvent",
        [NODE_CATCH_EVENT] = "intermediateCatchEvent",
        [NODE_THROW_EVENT] = "intermediateThrowEvent",
        [NODE_BOUNDARY_EVENT] = "boundaryEvent",
        [NODE_TASK] = "task",
        [NODE_MANUAL_TASK] = "manualTask",
        [NODE_SERVICE_TASK] = "serviceTask",
        [NODE_SEND_TASK] = "sendTask",
        [NODE_RECEIVE_TASK] = "receiveTask",
        [NODE_USER_TASK] = "userTask",
        [NODE_EXCLUSIVE_GATEWAY] = "exclusiveGateway",
        [NODE_PARALLEL_GATEWAY] = "parallelGateway",
        [NODE_EVENT_GATEWAY] = "eventBasedGateway",
        [NODE_SUB_PROCESS] = "subProcess",
        [NODE_CALL_ACTIVITY] = "callActivity",
        [NODE_SCRIPT_TASK] = "scriptTask",
    };

    return (unsigned)kind < NODE_KINDS ? names[kind] : "unknown";
}

bool node_is_activity(enum node_kind kind)
{
    switch (kind) {
    case NODE_TASK:
    case NODE_MANUAL_TASK:
    case NODE_SERVICE_TASK:
    case NODE_SEND_TASK:
    case NODE_RECEIVE_TASK:
    case NODE_USER_TASK:
    case NODE_SUB_PROCESS:
    case NODE_CALL_ACTIVITY:
    case NODE_SCRIPT_TASK:
        return true;
    default:
        return false;
    }
}

struct graph *graph_new(size_t cap)
{
    struct arena arena;

    arena_init(&arena, cap);
    struct graph *graph = arena_alloc(&arena, sizeof(*graph));
    graph->arena = arena;
    graph->none_start = -1;
    return graph;
}

int graph_find(const struct graph *graph, const char *id)
{
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (strcmp(graph->nodes[i].id, id) == 0)
            return (int)i;
    return -1;
}

void graph_free(struct graph *graph)
{
    if (graph == NULL)
        return;
    struct arena arena = graph->arena; /* the graph is a piece of it */
    arena_deinit(&arena);
}

bool node_awaits_call(const struct node *node)
{
    return node->http != NULL && node->http->mode == HTTP_WAIT;
}
