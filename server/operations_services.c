/* SPDX-License-Identifier: Apache-2.0 */
/* Services that processes call, those that call, workers that fetch their work, and alerts:
 * docs/endpoints.md, docs/webhooks.md, docs/external-tasks.md, docs/alerts.md. */
#include "base/build.h"

#include "server/operation.h"

#define SERVICES(method, path, right) METHOD_##method, "/v1" path, RIGHT_##right, DIALECT_PAWL
#define CHANGE(statement) .query = (statement), .writes = true, .body_kind = BODY_JSON
#define WILL                                                                                       \
    .awaits = true, .answers = "202 It will be done; GET /v1/outcomes/{id} says what "             \
                               "became of it"
#define COMMAND(statement) CHANGE(statement), .parameters = "await:duration", WILL
#define ENDPOINT_OPTIONS                                                                           \
    "rate:number burst:integer maxInFlight:integer maxInFlightAll:integer connectTimeout:text "    \
    "timeout:text breaker:any retryBudget:number cache:text unknown:repeat|fail|ask "              \
    "headers:object "                                                                              \
    "tls:object proxy:any redirects:any http:text allow:any maxResponse:integer auth:object "      \
    "sign:object connections:any"
#define PAGE "limit:integer after:uuid"

static const struct operation list[] = {
    /* ---- Endpoints and calls ---- */
    {SERVICES(GET, "/endpoints/{name}", READ), "A service that processes call, and how it is",
     .query = "http_endpoint", .arguments = "path.name", .answers = "200 The endpoint"},
    {SERVICES(PUT, "/endpoints/{name}", ADMIN),
     "Defines a service that processes call, or replaces its whole definition",
     CHANGE("http_set_endpoint"), .fields = "baseUrl:text! " ENDPOINT_OPTIONS,
     .answers = "200 Whether it was made, and what changed"},
    {SERVICES(PATCH, "/endpoints/{name}", ADMIN),
     "Changes what is named of an endpoint (RFC 7396); null is back to the default",
     CHANGE("http_change_endpoint"), .fields = "baseUrl:text " ENDPOINT_OPTIONS,
     .answers = "200 Whether it was made, and what changed"},
    {SERVICES(DELETE, "/endpoints/{name}", ADMIN), "Removes an endpoint that has no open calls",
     .query = "http_drop_endpoint", .writes = true, .arguments = "path.name",
     .answers = "200 Its name"},
    {SERVICES(POST, "/endpoints/{name}/circuit", ADMIN),
     "Opens or closes an endpoint's circuit by hand, or lets it go by what happens",
     CHANGE("http_set_circuit"), .fields = "circuit:open|closed|auto! reason:string",
     .answers = "200 Its state"},
    {SERVICES(GET, "/calls", READ), "The requests to services that are not finished",
     .query = "http_calls",
     .arguments = "query.endpoint query.process query.instance query.limit query.after",
     .parameters = "endpoint:string process:string instance:uuid " PAGE,
     .answers = "200 The calls"},
    {SERVICES(GET, "/calls/held", READ), "What would be sent if nothing were held back",
     .query = "http_held_calls", .arguments = "query.endpoint query.limit query.after",
     .parameters = "endpoint:string " PAGE, .answers = "200 The calls"},
    {SERVICES(POST, "/calls/hold", ADMIN), "Keeps all requests to services back, of all nodes",
     CHANGE("http_hold_calls"), .fields = "reason:string",
     .answers = "200 Whether they were not held before"},
    {SERVICES(POST, "/calls/release", ADMIN), "Lets requests to services leave again",
     .query = "http_release_calls", .writes = true, .answers = "200 Whether they were held"},
    /* ---- Alerts ---- */
    {SERVICES(GET, "/alerts", READ), "What somebody should hear of, the newest first",
     .query = "http_alerts",
     .arguments = "query.kind query.process query.delivery query.limit query.after",
     .parameters = "process:string delivery:queued|no+target|pending|delivered|failed "
                   "kind:incidentCreated|incidentsRepeated|incidentsResolved|serviceLevelMissed|"
                   "circuitOpened|testAlert " PAGE,
     .answers = "200 The alerts"},
    {SERVICES(POST, "/alerts/mute", ADMIN), "Somebody is at it: no more alerts of a cause",
     CHANGE("http_mute_alerts"), .fields = "cause:text! for:text reason:string",
     .answers = "200 Until when"},
    {SERVICES(POST, "/alerts/unmute", ADMIN), "Alerts of a cause are heard again",
     CHANGE("http_unmute_alerts"), .fields = "cause:text!", .answers = "200 Its cause"},
    {SERVICES(GET, "/alert-targets", READ), "Who hears of alerts", .query = "http_alert_targets",
     .answers = "200 The targets"},
    {SERVICES(POST, "/alert-targets/{name}/try", ADMIN),
     "Sends a test alert to one target; GET /v1/alerts says what becomes of it",
     .query = "http_try_alert_target", .writes = true, .arguments = "path.name",
     .answers = "202 The alert"},
    {SERVICES(GET, "/service-levels", READ), "When each running service level would be missed",
     .query = "http_service_levels", .arguments = "query.process query.limit",
     .parameters = "process:string limit:integer", .answers = "200 The service levels"},
    {SERVICES(PUT, "/alert-targets/{name}", ADMIN), "Sends alerts to an endpoint",
     COMMAND("http_set_alert_target"),
     .fields = "endpoint:text! kinds:array path:string retries:text attempts:integer "
               "description:string enabled:boolean tenant:string"},
    {SERVICES(DELETE, "/alert-targets/{name}", ADMIN), "Sends it no alerts any more",
     .query = "http_drop_alert_target", .writes = true, .arguments = "path.name",
     .parameters = "await:duration", WILL},
    /* ---- Webhooks, delegates, classes of Java ---- */
    {SERVICES(GET, "/webhooks", READ), "Where others may send to", .query = "http_webhooks",
     .answers = "200 The webhooks"},
    {SERVICES(PUT, "/webhooks/{name}", ADMIN),
     "Says what becomes of what others send to /webhooks/NAME", CHANGE("http_set_webhook"),
     .fields = "scheme:text secret:any signature:object id:text tolerance:text enabled:boolean "
               "event:object message:object callback:object start:object tenant:string",
     .answers = "200 Its name"},
    {SERVICES(DELETE, "/webhooks/{name}", ADMIN), "Removes a webhook", .query = "http_drop_webhook",
     .writes = true, .arguments = "path.name", .answers = "200 Its name"},
    {SERVICES(GET, "/delegates", READ), "The SQL delegates; they are made in SQL alone",
     .query = "http_delegates", .answers = "200 The delegates"},
    {SERVICES(GET, "/class-topics", READ), "The Java classes whose work workers do",
     .query = "http_class_topics", .answers = "200 The classes"},
    {SERVICES(PUT, "/class-topics/{class}", ADMIN),
     "Makes tasks with this Java class external tasks of a topic", CHANGE("http_map_class"),
     .fields = "topic:text!", .answers = "200 The class and its topic"},
    {SERVICES(DELETE, "/class-topics/{class}", ADMIN), "Forgets the topic of a Java class",
     .query = "http_unmap_class", .writes = true, .arguments = "path.class",
     .answers = "200 The class"},
    /* ---- External tasks and callbacks ---- */
    {METHOD_GET, "/v1/external-tasks", RIGHT_WORK | RIGHT_READ, DIALECT_PAWL,
     "Work for programs, whoever has it", .query = "http_external_tasks",
     .arguments = "query.topic query.state query.process query.instance query.limit query.after",
     .parameters = "topic:string process:string instance:uuid "
                   "state:available|locked|paused|failed|answered " PAGE,
     .answers = "200 The tasks"},
    {METHOD_GET, "/v1/external-tasks/{id}", RIGHT_WORK | RIGHT_READ, DIALECT_PAWL,
     "An external task", .query = "http_external_task", .arguments = "path.id",
     .answers = "200 The task"},
    {SERVICES(POST, "/external-tasks/fetch", WORK),
     "Gives work of topics to a worker, for a time; ?wait=DURATION waits until there is some",
     CHANGE("http_fetch_and_lock"), .fetches = true,
     .fields = "workerId:text! topics:array! maxTasks:integer", .parameters = "wait:duration",
     .answers = "200 The tasks that are his now"},
    {SERVICES(POST, "/external-tasks/{id}/extend", WORK), "More time for an external task",
     CHANGE("http_extend_lock"), .fields = "workerId:text! duration:text! fence:integer",
     .answers = "200 Until when it is his"},
    {SERVICES(POST, "/external-tasks/{id}/complete", WORK), "Completes an external task",
     COMMAND("http_complete_external_task"),
     .fields = "workerId:text! variables:object localVariables:object fence:integer"},
    {SERVICES(POST, "/external-tasks/{id}/fail", WORK),
     "Reports that a try failed, and how many are left", COMMAND("http_handle_failure"),
     .gives_back = true,
     .fields = "workerId:text! errorMessage:string errorDetails:string retries:integer "
               "retryTimeout:text fence:integer variables:object localVariables:object"},
    {SERVICES(POST, "/external-tasks/{id}/error", WORK), "Ends an external task with a BPMN error",
     COMMAND("http_handle_bpmn_error"),
     .fields = "workerId:text! errorCode:text! errorMessage:string variables:object "
               "fence:integer"},
    {SERVICES(POST, "/external-tasks/{id}/unlock", WORK),
     "Gives an external task back, so that it can be fetched at once",
     .query = "http_unlock_external_task", .writes = true, .gives_back = true,
     .arguments = "path.id", .answers = "200 Its id"},
    {SERVICES(PUT, "/external-tasks/{id}/retries", ADMIN),
     "Says how many tries an external task has left", CHANGE("http_external_task_retries"),
     .fields = "retries:integer!", .answers = "200 Its id"},
    {SERVICES(PUT, "/external-tasks/{id}/priority", ADMIN), "Says how urgent an external task is",
     CHANGE("http_external_task_priority"), .fields = "priority:integer!", .answers = "200 Its id"},
    {SERVICES(GET, "/callbacks", READ), "The tasks that wait for who has their token",
     .query = "http_callbacks",
     .arguments = "query.state query.process query.instance query.limit query.after",
     .parameters = "state:requested|accepted|answered process:string instance:uuid " PAGE,
     .answers = "200 The callbacks"},
    {SERVICES(GET, "/callbacks/{id}", READ), "A task that waits for who has its token",
     .query = "http_callback", .arguments = "path.id", .answers = "200 The callback"},
    {SERVICES(GET, "/callback-keys", ADMIN), "The keys whose tokens hold",
     .query = "http_callback_keys", .answers = "200 The keys, without them"},
    {SERVICES(POST, "/callback-keys", ADMIN), "Makes a new key for tokens, and retires the old one",
     CHANGE("http_rotate_callback_key"), .fields = "keep:text reason:string",
     .answers = "201 The numbers of both"},
};

const struct operations operations_services = {list, ARRAY_LEN(list)};
