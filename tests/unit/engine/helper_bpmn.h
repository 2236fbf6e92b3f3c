/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Short words for BPMN in tests. Ids and conditions are literals. */
#define START "<startEvent id='start'/>"
#define END(id) "<endEvent id='" id "'/>"
#define END_ERROR(id, ref)                                                                         \
    "<endEvent id='" id "'><errorEventDefinition errorRef='" ref "'/></endEvent>"
#define END_TERMINATE(id) "<endEvent id='" id "'><terminateEventDefinition/></endEvent>"
#define FLOW(a, b) "<sequenceFlow id='" a "_" b "' sourceRef='" a "' targetRef='" b "'/>"
#define FLOW_IF(a, b, condition)                                                                   \
    "<sequenceFlow id='" a "_" b "' sourceRef='" a "' targetRef='" b                               \
    "'><conditionExpression xsi:type='tFormalExpression'>${" condition                             \
    "}</conditionExpression></sequenceFlow>"
#define USER(id) "<userTask id='" id "'/>"
#define ASYNC(id) "<task id='" id "' camunda:asyncBefore='true'/>"
#define TASK(id) "<task id='" id "'/>"
#define SET(id, variable, expression)                                                              \
    "<serviceTask id='" id "' camunda:expression='${" expression                                   \
    "}' camunda:resultVariable='" variable "'/>"
#define XOR(id) "<exclusiveGateway id='" id "'/>"
#define AND(id) "<parallelGateway id='" id "'/>"
#define EVENTS(id) "<eventBasedGateway id='" id "'/>"
#define TIMER(duration)                                                                            \
    "<timerEventDefinition><timeDuration>" duration "</timeDuration></timerEventDefinition>"
#define CYCLE(cycle) "<timerEventDefinition><timeCycle>" cycle "</timeCycle></timerEventDefinition>"
#define MESSAGE(ref) "<messageEventDefinition messageRef='" ref "'/>"
#define CATCH(id, event) "<intermediateCatchEvent id='" id "'>" event "</intermediateCatchEvent>"
#define BOUNDARY(id, activity, event)                                                              \
    "<boundaryEvent id='" id "' attachedToRef='" activity "'>" event "</boundaryEvent>"
#define BESIDE(id, activity, event)                                                                \
    "<boundaryEvent id='" id "' attachedToRef='" activity "' cancelActivity='false'>" event        \
    "</boundaryEvent>"
#define ON_ERROR(ref) "<errorEventDefinition errorRef='" ref "'/>"
#define ON_ANY_ERROR "<errorEventDefinition/>"
#define SUB(id, body) "<subProcess id='" id "'>" body "</subProcess>"
#define CALL(id, key) "<callActivity id='" id "' calledElement='" key "'/>"
#define EXTENDED(x) "<extensionElements>" x "</extensionElements>"
#define DEFINE_MESSAGE(id) "<message id='" id "' name='" id "'/>"
#define DEFINE_ERROR(id) "<error id='" id "' name='" id "' errorCode='" id "'/>"
/* Multi-instance activities. */
#define LOOP(attributes, inside)                                                                   \
    "<multiInstanceLoopCharacteristics " attributes ">" inside "</"                                \
    "multiInstanceLoopCharacteristics>"
#define TIMES(n) "<loopCardinality>" n "</loopCardinality>"
#define UNTIL(x) "<completionCondition>${" x "}</completionCondition>"
#define EACH(list, item) "camunda:collection='" list "' camunda:elementVariable='" item "'"
#define IN_TURN "isSequential='true' "
#define ITEMS(id, loop) "<userTask id='" id "'>" loop "</userTask>"
