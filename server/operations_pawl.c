/* SPDX-License-Identifier: Apache-2.0 */
/* Pawl's own operations, under /v1: statements of sql/queries/http.sql over the SQL API. */
#include "base/build.h"

#include "base/limits.h"
#include "server/deploy.h"
#include "server/operation.h"

#define PAWL(method, path, right) METHOD_##method, "/v1" path, RIGHT_##right, DIALECT_PAWL
#define COMMAND(statement)                                                                         \
    .query = (statement), .writes = true, .body_kind = BODY_JSON, .parameters = "await:duration",  \
    .awaits = true, .answers = "202 It will be done: GET /v1/outcomes/{id} says what became of it"

static const struct operation list[] = {
    /* ---- Starts and messages ---- */
    {PAWL(POST, "/processes/{key}/start", START), "Starts an instance of a process",
     .query = "http_start", .writes = true, .body_kind = BODY_JSON,
     .fields = "businessKey:string variables:object requestKey:text version:integer tenant:string",
     .parameters = "await:duration", .awaits = true,
     .answers = "201 The instance; 200 The one of the same request key"},
    {PAWL(POST, "/messages", START),
     "Publishes a message: to who waits for it, or to who comes to wait", COMMAND("http_publish"),
     .fields = "message:text! key:string variables:object ttl:string all:boolean tenant:string"},
    {PAWL(POST, "/messages/correlate", START),
     "Gives a message to the one who waits for it now, and to nobody else",
     COMMAND("http_correlate"),
     .fields = "message:text! key:string variables:object instanceId:uuid tenant:string"},
    {PAWL(GET, "/outcomes/{id}", ANY),
     "What became of a command, a message, a deployment or an instance", .query = "http_outcome",
     .parameters = "wait:duration", .awaits = true, .answers = "200 Its state"},
    /* ---- Definitions ---- */
    {PAWL(GET, "/processes", READ), "The deployed processes, their latest versions",
     .query = "http_processes", .arguments = "query.all query.process",
     .parameters = "all:boolean process:string", .answers = "200 The processes"},
    {PAWL(GET, "/processes/{key}", READ), "The latest version of a process",
     .query = "http_process", .arguments = "path.key", .answers = "200 The process"},
    {PAWL(GET, "/processes/{key}/form", START), "What a start of the process asks for, as a form",
     .query = "http_start_form", .arguments = "path.key",
     .answers = "200 JSON Schema, hints and values"},
    {PAWL(GET, "/tasks/{id}/form", WORK), "What the completion of a task asks for, as a form",
     .query = "http_task_form", .arguments = "path.id",
     .answers = "200 JSON Schema, hints and values"},
    {PAWL(POST, "/deployments", AUTHOR),
     "Deploys files, as multipart/form-data, JSON or one zip file, all of them or none",
     .handle = deploy_files, .body_kind = BODY_MULTIPART, .most = LIMIT_HTTP_DEPLOYMENT_BYTES,
     .fields = "name:string resources:array! duplicateFiltering:boolean parameters:object "
               "tenant:string",
     .parameters = "name:string duplicateFiltering:boolean tenant:string",
     .answers = "201 What was deployed; 400 The findings"},
    {PAWL(GET, "/deployments", READ), "What was deployed, the newest first",
     .query = "http_deployments", .arguments = "query.limit query.after",
     .parameters = "limit:integer after:uuid", .answers = "200 The deployments"},
    {PAWL(GET, "/deployments/{id}", READ), "A deployment and what was found in it",
     .query = "http_deployment", .arguments = "path.id", .answers = "200 The deployment"},
    {METHOD_GET, "/v1/deployments/{id}/files", RIGHT_AUTHOR | RIGHT_READ, DIALECT_PAWL,
     "The files of a deployment as they came: what POST /v1/deployments takes",
     .query = "http_export", .arguments = "path.id", .answers = "200 Its name and files"},
    {METHOD_GET, "/v1/deployments/{id}/zip", RIGHT_AUTHOR | RIGHT_READ, DIALECT_PAWL,
     "The same as a zip file, which can be deployed, too", .handle = deploy_zip,
     .media = "application/zip", .answers = "200 The zip file"},
    {PAWL(DELETE, "/deployments/{id}", AUTHOR),
     "Takes a deployment back: the versions before become the latest again",
     .query = "http_withdraw", .writes = true,
     .arguments = "path.id query.cancelInstances query.reason",
     .parameters = "await:duration cancelInstances:boolean reason:string", .awaits = true,
     .answers = "202 It will be done"},
    /* ---- Instances ---- */
    {PAWL(GET, "/instances", READ),
     "The instances, the newest first; ended ones only if they are asked for",
     .query = "http_instances",
     .arguments = "query.process query.state query.businessKey query.all query.limit query.after",
     .parameters = "process:string businessKey:string all:boolean limit:integer after:uuid "
                   "state:accepted|running|incident|suspended|completed|cancelled|terminated",
     .answers = "200 The instances"},
    {PAWL(GET, "/search", READ),
     "Finds instances by words and variables, the newest first, and says where it found them",
     .query = "http_search", .arguments = "query.q query.process query.limit query.after",
     .parameters = "q:string process:string limit:integer after:uuid",
     .answers = "200 Those found"},
    {PAWL(GET, "/instances/{id}", READ), "An instance, running or ended", .query = "http_instance",
     .arguments = "path.id", .answers = "200 The instance"},
    {PAWL(GET, "/instances/{id}/history", READ), "The way of an instance",
     .query = "http_instance_history", .arguments = "path.id", .answers = "200 Its steps"},
    {PAWL(GET, "/instances/{id}/variables", READ), "The variables of a running instance",
     .query = "http_instance_variables", .arguments = "path.id", .answers = "200 The variables"},
    {PAWL(POST, "/instances/{id}/variables", ADMIN), "Sets variables of a running instance",
     COMMAND("http_set_variables"), .fields = "variables:object!"},
    {PAWL(POST, "/instances/{id}/cancel", ADMIN), "Ends an instance, wherever it is",
     COMMAND("http_cancel"), .fields = "reason:string"},
    {PAWL(POST, "/instances/{id}/suspend", ADMIN), "Lets an instance stand still",
     COMMAND("http_suspend"), .fields = "reason:string"},
    {PAWL(POST, "/instances/{id}/resume", ADMIN), "Lets a suspended instance go on",
     COMMAND("http_resume"), .fields = "reason:string"},
    /* ---- Tasks of people ---- */
    {METHOD_GET, "/v1/tasks", RIGHT_WORK | RIGHT_READ, DIALECT_PAWL,
     "What people have to do, the oldest first", .query = "http_tasks",
     .arguments = "query.assignee query.group query.process query.instance query.limit query.after",
     .parameters = "assignee:string group:string process:string instance:uuid limit:integer "
                   "after:uuid",
     .answers = "200 The tasks"},
    {METHOD_GET, "/v1/tasks/{id}", RIGHT_WORK | RIGHT_READ, DIALECT_PAWL,
     "What somebody has to do, until it is answered", .query = "http_task", .arguments = "path.id",
     .answers = "200 The task"},
    {PAWL(POST, "/tasks/{id}/claim", WORK), "Makes somebody, or the caller, the one who does it",
     COMMAND("http_claim"), .arguments = "request caller.name", .fields = "assignee:text"},
    {PAWL(POST, "/tasks/{id}/release", WORK), "Gives a claimed task back", COMMAND("http_release"),
     .fields = ""},
    {PAWL(POST, "/tasks/{id}/complete", WORK), "Completes a task", COMMAND("http_complete"),
     .fields = "variables:object"},
    {PAWL(POST, "/tasks/{id}/fail", WORK), "Ends a task with a BPMN error", COMMAND("http_fail"),
     .fields = "errorCode:text! message:string variables:object"},
    /* ---- What went wrong, and services ---- */
    {PAWL(GET, "/incidents", READ), "What went wrong and waits for somebody",
     .query = "http_incidents",
     .arguments = "query.process query.instance query.cause query.limit query.after",
     .parameters = "process:string instance:uuid cause:string limit:integer after:uuid",
     .answers = "200 The incidents"},
    {PAWL(POST, "/incidents/{id}/retry", ADMIN), "Tries again what failed", COMMAND("http_retry"),
     .fields = "decision:repeat|fail variables:object reason:string"},
    {PAWL(GET, "/endpoints", READ), "The services that processes call, and how they are",
     .query = "http_endpoints", .answers = "200 The endpoints"},
};

const struct operations operations_pawl = {list, ARRAY_LEN(list)};
