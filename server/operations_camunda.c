/* SPDX-License-Identifier: Apache-2.0 */
/* What Camunda 7's REST API has, under /engine-rest and /engine-rest/engine/default: its shapes and
 * its words, by sql/queries/http_camunda.sql. What is not here yet is a row each. */
#include "base/build.h"

#include "base/limits.h"
#include "server/camunda.h"
#include "server/operation.h"

#define CAMUNDA(method, path, right)                                                               \
    METHOD_##method, "/engine-rest" path, RIGHT_##right, DIALECT_CAMUNDA
#define DEPLOYMENTS "name:string id:string firstResult:integer maxResults:integer"
#define DEFINITIONS                                                                                \
    "key:string name:string version:integer latestVersion:boolean deploymentId:string "            \
    "firstResult:integer maxResults:integer"
#define KEY "/process-definition/key/{key}"
#define KEY_OF_TENANT KEY "/tenant-id/{tenant}"
#define ONE(text) text, .query = "camunda_definition", .answers = "200 The definition"
#define XML(text) text, .query = "camunda_definition_xml", .answers = "200 The BPMN file"
#define STARTS(text)                                                                               \
    text, .query = "camunda_start", .writes = true, .body_kind = BODY_JSON, .fields = START,       \
          .answers = "200 The instance"
#define EXTERNAL_TASKS "/engine-rest/external-task"
#define EXTERNAL(method, verb, right, text)                                                        \
    METHOD_##method, EXTERNAL_TASKS "/{id}/" verb, RIGHT_##right, DIALECT_CAMUNDA, text,           \
        .writes = true, .body_kind = BODY_JSON, .answers = "204 It will be done"
#define START                                                                                      \
    "businessKey:string variables:object caseInstanceId:string startInstructions:array "           \
    "skipCustomListeners:boolean skipIoMappings:boolean withVariablesInReturn:boolean"

static const struct operation list[] = {
    {METHOD_GET, "/.well-known/camunda-automation-platform/webapps", RIGHT_NONE, DIALECT_CAMUNDA,
     "Where the web pages are, for Camunda Modeler", .handle = camunda_webapps,
     .answers = "200 Their addresses"},
    {CAMUNDA(GET, "/version", ANY), "The version whose API this is", .handle = camunda_version,
     .answers = "200 The version"},
    {CAMUNDA(GET, "/engine", ANY), "The names of the engines: one", .handle = camunda_engines,
     .answers = "200 The engines"},
    /* ---- Deployments ---- */
    /* The editor asks for none of them before it deploys: is somebody there, and am I let in? */
    {METHOD_GET, "/engine-rest/deployment", RIGHT_READ | RIGHT_AUTHOR, DIALECT_CAMUNDA,
     "The deployments", .query = "camunda_deployments",
     .arguments = "query.name query.id query.firstResult query.maxResults",
     .parameters = DEPLOYMENTS, .answers = "200 The deployments"},
    {CAMUNDA(GET, "/deployment/count", READ), "How many deployments there are",
     .query = "camunda_deployment_count", .arguments = "query.name query.id",
     .parameters = DEPLOYMENTS, .answers = "200 The number"},
    {CAMUNDA(POST, "/deployment/create", AUTHOR), "Deploys files, all of them or none",
     .handle = camunda_deploy, .body_kind = BODY_MULTIPART, .most = LIMIT_HTTP_DEPLOYMENT_BYTES,
     .answers = "200 The deployment and its definitions"},
    /* ---- Definitions ---- */
    {CAMUNDA(GET, "/process-definition", READ), "The definitions of processes",
     .query = "camunda_definitions",
     .arguments = "query.key query.name query.version query.latestVersion query.deploymentId "
                  "query.firstResult query.maxResults",
     .parameters = DEFINITIONS, .answers = "200 The definitions"},
    {CAMUNDA(GET, "/process-definition/count", READ), "How many definitions there are",
     .query = "camunda_definition_count",
     .arguments = "query.key query.name query.version query.latestVersion query.deploymentId",
     .parameters = DEFINITIONS, .answers = "200 The number"},
    {CAMUNDA(GET, "/process-definition/{id}", READ), ONE("A definition")},
    {CAMUNDA(GET, KEY, READ), ONE("The latest definition of a key")},
    {CAMUNDA(GET, KEY_OF_TENANT, READ), ONE("The latest definition of a key of a tenant")},
    {CAMUNDA(GET, "/process-definition/{id}/xml", READ), XML("The file of a definition")},
    {CAMUNDA(GET, KEY "/xml", READ), XML("The file of the latest definition of a key")},
    {CAMUNDA(GET, KEY_OF_TENANT "/xml", READ),
     XML("The file of the latest definition of a key of a tenant")},
    {CAMUNDA(POST, "/process-definition/{id}/start", START),
     STARTS("Starts an instance of a definition")},
    {CAMUNDA(POST, KEY "/start", START),
     STARTS("Starts an instance of the latest definition of a key")},
    {CAMUNDA(POST, KEY_OF_TENANT "/start", START),
     STARTS("Starts an instance of the latest definition of a key of a tenant")},
    {CAMUNDA(GET, "/process-instance/{id}", READ), "A running instance",
     .query = "camunda_instance", .arguments = "path.id", .answers = "200 The instance"},
    /* ---- External tasks: what its clients in Java and JavaScript ask ---- */
    {CAMUNDA(POST, "/external-task/fetchAndLock", WORK),
     "Gives work of topics to a worker, and waits for some if asyncResponseTimeout says so",
     .query = "camunda_fetch_and_lock", .writes = true, .body_kind = BODY_JSON, .fetches = true,
     .fields = "workerId:text! maxTasks:integer! topics:array! usePriority:boolean "
               "asyncResponseTimeout:integer sorting:array",
     .answers = "200 The tasks that are his now"},
    {METHOD_GET, EXTERNAL_TASKS, RIGHT_WORK | RIGHT_READ, DIALECT_CAMUNDA,
     "Work for programs, whoever has it", .query = "camunda_external_tasks",
     .arguments = "query.externalTaskId query.topicName query.workerId query.processInstanceId "
                  "query.processDefinitionKey query.firstResult query.maxResults",
     .parameters = "externalTaskId:string topicName:string workerId:string "
                   "processInstanceId:string processDefinitionKey:string firstResult:integer "
                   "maxResults:integer",
     .answers = "200 The tasks"},
    {METHOD_GET, EXTERNAL_TASKS "/{id}", RIGHT_WORK | RIGHT_READ, DIALECT_CAMUNDA,
     "An external task", .query = "camunda_external_task", .arguments = "path.id",
     .answers = "200 The task"},
    {EXTERNAL(POST, "complete", WORK, "Completes an external task"),
     .query = "camunda_external_complete",
     .fields = "workerId:text! variables:object localVariables:object"},
    {EXTERNAL(POST, "failure", WORK, "Reports that a try failed, and how many are left"),
     .query = "camunda_external_failure", .gives_back = true,
     .fields = "workerId:text! errorMessage:string errorDetails:string retries:integer "
               "retryTimeout:number variables:object localVariables:object"},
    {EXTERNAL(POST, "bpmnError", WORK, "Ends an external task with a BPMN error"),
     .query = "camunda_external_error",
     .fields = "workerId:text! errorCode:text! errorMessage:string variables:object"},
    {EXTERNAL(POST, "extendLock", WORK, "More time for an external task"),
     .query = "camunda_external_extend", .fields = "workerId:text! newDuration:number!"},
    {EXTERNAL(POST, "unlock", WORK, "Gives an external task back"),
     .query = "camunda_external_unlock", .gives_back = true, .fields = ""},
    {EXTERNAL(PUT, "retries", ADMIN, "Says how many tries an external task has left"),
     .query = "camunda_external_retries", .fields = "retries:integer!"},
    {EXTERNAL(PUT, "priority", ADMIN, "Says how urgent an external task is"),
     .query = "camunda_external_priority", .fields = "priority:integer!"},
};

const struct operations operations_camunda = {list, ARRAY_LEN(list)};
