/* SPDX-License-Identifier: Apache-2.0 */
/* Every element of BPMN 2.0 that can stand in a process, and what becomes of it. */
#include "base/build.h"

#include "parser/build.h"

struct known_element {
    const char *name;
    enum element_class class;
    enum node_kind kind;
    const char *remedy;
};

/* A container that is refused is still walked through, so that all of its errors are seen. */
static const struct known_element known[] = {
    {"startEvent", ELEMENT_NODE, NODE_START_EVENT, NULL},
    {"endEvent", ELEMENT_NODE, NODE_END_EVENT, NULL},
    {"intermediateCatchEvent", ELEMENT_NODE, NODE_CATCH_EVENT, NULL},
    {"intermediateThrowEvent", ELEMENT_NODE, NODE_THROW_EVENT, NULL},
    {"boundaryEvent", ELEMENT_NODE, NODE_BOUNDARY_EVENT, NULL},
    {"task", ELEMENT_NODE, NODE_TASK, NULL},
    {"manualTask", ELEMENT_NODE, NODE_MANUAL_TASK, NULL},
    {"serviceTask", ELEMENT_NODE, NODE_SERVICE_TASK, NULL},
    {"sendTask", ELEMENT_NODE, NODE_SEND_TASK, NULL},
    {"receiveTask", ELEMENT_NODE, NODE_RECEIVE_TASK, NULL},
    {"userTask", ELEMENT_NODE, NODE_USER_TASK, NULL},
    {"exclusiveGateway", ELEMENT_NODE, NODE_EXCLUSIVE_GATEWAY, NULL},
    {"parallelGateway", ELEMENT_NODE, NODE_PARALLEL_GATEWAY, NULL},
    {"eventBasedGateway", ELEMENT_NODE, NODE_EVENT_GATEWAY, NULL},
    {"subProcess", ELEMENT_NODE, NODE_SUB_PROCESS, NULL},
    {"callActivity", ELEMENT_NODE, NODE_CALL_ACTIVITY, NULL},
    {"scriptTask", ELEMENT_NODE, NODE_SCRIPT_TASK, NULL},
    {"sequenceFlow", ELEMENT_FLOW, NODE_TASK, NULL},

    {"businessRuleTask", ELEMENT_REFUSED_NODE, NODE_TASK,
     "Decide in exclusive gateways with conditions, or call the decision service with pawl:http"},
    {"inclusiveGateway", ELEMENT_REFUSED_NODE, NODE_PARALLEL_GATEWAY,
     "Model it as a parallel gateway with an exclusive gateway in each branch"},
    {"complexGateway", ELEMENT_REFUSED_NODE, NODE_PARALLEL_GATEWAY,
     "Model it with exclusive and parallel gateways"},
    {"transaction", ELEMENT_REFUSED_NODE, NODE_SUB_PROCESS,
     "Use an embedded sub-process with error boundary events, and undo what was done in the path "
     "that "
     "follows them"},
    {"adHocSubProcess", ELEMENT_REFUSED_NODE, NODE_SUB_PROCESS,
     "Use an embedded sub-process with gateways"},
    {"callChoreography", ELEMENT_REFUSED_NODE, NODE_TASK, "Remove it"},
    {"choreographyTask", ELEMENT_REFUSED_NODE, NODE_TASK, "Remove it"},
    {"subChoreography", ELEMENT_REFUSED_NODE, NODE_TASK, "Remove it"},

    {"standardLoopCharacteristics", ELEMENT_REFUSED, NODE_TASK,
     "Draw the loop with an exclusive gateway that leads back, or make it a sequential "
     "multi-instance activity"},
    {"script", ELEMENT_HARMLESS, NODE_TASK, NULL}, /* of a script task: read with it */
    {"potentialOwner", ELEMENT_REFUSED, NODE_TASK,
     "Use camunda:candidateUsers and camunda:candidateGroups"},
    {"humanPerformer", ELEMENT_REFUSED, NODE_TASK, "Use camunda:assignee"},
    {"performer", ELEMENT_REFUSED, NODE_TASK, "Use camunda:assignee"},
    {"resourceRole", ELEMENT_REFUSED, NODE_TASK,
     "Use camunda:assignee, camunda:candidateUsers and camunda:candidateGroups"},

    {"multiInstanceLoopCharacteristics", ELEMENT_HARMLESS, NODE_TASK,
     NULL}, /* read with its activity */
    {"documentation", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"extensionElements", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"incoming", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"outgoing", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"auditing", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"monitoring", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"categoryValueRef", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"property", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"laneSet", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"textAnnotation", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"association", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"group", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"dataObject", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"dataObjectReference", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"dataStoreReference", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"dataInput", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"dataOutput", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"inputSet", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"outputSet", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"dataInputAssociation", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"dataOutputAssociation", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"ioSpecification", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"ioBinding", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"supportedInterfaceRef", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"supports", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"artifact", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"correlationSubscription", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"rendering", ELEMENT_HARMLESS, NODE_TASK, NULL},
    {"conditionExpression", ELEMENT_HARMLESS, NODE_TASK, NULL}, /* read with its flow */
    {"eventDefinitionRef", ELEMENT_HARMLESS, NODE_TASK, NULL},  /* refused with its event */
};

enum element_class element_classify(const struct xml_element *element, enum node_kind *ret_kind,
                                    const char **ret_remedy)
{
    static const char definition[] = "EventDefinition";

    *ret_kind = NODE_TASK;
    *ret_remedy = NULL;
    if (element->space != SPACE_BPMN)
        return ELEMENT_HARMLESS;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(known[i].name, element->name) != 0)
            continue;
        *ret_kind = known[i].kind;
        *ret_remedy = known[i].remedy;
        return known[i].class;
    }
    size_t n = strlen(element->name);
    size_t suffix = sizeof(definition) - 1;
    if (n > suffix && strcmp(element->name + n - suffix, definition) == 0)
        return ELEMENT_HARMLESS; /* read with its event */
    return ELEMENT_UNKNOWN;
}

/* Plain attributes that may have no other value than the one that BPMN gives them by default. */
static const struct {
    const char *name, *harmless, *remedy;
} fixed[] = {
    {"triggeredByEvent", "false",
     "Event sub-processes are not executed yet: use a boundary event on a sub-process that "
     "encloses "
     "what it should guard"},
    {"isForCompensation", "false",
     "Compensation is not executed yet: undo in the path that follows an error boundary event"},
    {"instantiate", "false", "Start the process with a message start event"},
    {"parallelMultiple", "false", "Use one event for each definition"},
    {"eventGatewayType", "Exclusive",
     "Wait for several events with a parallel gateway and an intermediate catch event in each "
     "branch"},
    {"startQuantity", "1", "Join the branches with a parallel gateway before the activity"},
    {"completionQuantity", "1", "Fork with a parallel gateway after the activity"},
};

void check_plain_attributes(struct file_build *file, const struct xml_element *element)
{
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        const char *value = xml_attr(element, fixed[i].name);
        if (value == NULL || strcmp(value, fixed[i].harmless) == 0)
            continue;
        report(file, CODE_UNSUPPORTED_ATTRIBUTE, element,
               "%s=\"%.60s\" of %s is not supported. %s.", fixed[i].name, value,
               element_shown(file, element), fixed[i].remedy);
    }
}
