/* SPDX-License-Identifier: Apache-2.0 */
/* Processes and their parameters, instances by hand, many at once: docs/incidents.md and
 * docs/schemas.md. */
#include "base/build.h"

#include "server/operation.h"

#define CONTROL(method, path, right) METHOD_##method, "/v1" path, RIGHT_##right, DIALECT_PAWL
#define CHANGE(statement) .query = (statement), .writes = true, .body_kind = BODY_JSON
#define COMMAND(statement)                                                                         \
    CHANGE(statement), .parameters = "await:duration", .awaits = true,                             \
                       .answers = "202 It will be done; GET /v1/outcomes/{id} says what became "   \
                                  "of it"
#define BULK                                                                                       \
    "action:retry|cancel|suspend|resume! filter:object! pace:number reason:string "                \
    "decision:repeat|fail variables:object"
#define PAGE "limit:integer after:uuid"

static const struct operation list[] = {
    /* ---- Processes ---- */
    {CONTROL(POST, "/processes/{key}/suspend", ADMIN), "Lets no new instances of a process start",
     CHANGE("http_suspend_process"),
     .fields = "version:integer includeInstances:boolean reason:string tenant:string",
     .answers = "200 How many versions, and what becomes of its instances"},
    {CONTROL(POST, "/processes/{key}/resume", ADMIN), "Lets instances of a process start again",
     CHANGE("http_resume_process"),
     .fields = "version:integer includeInstances:boolean reason:string tenant:string",
     .answers = "200 How many versions, and what becomes of its instances"},
    {CONTROL(PUT, "/processes/{key}/concurrency", ADMIN),
     "Limits how many instances of a process are carried on at the same moment",
     CHANGE("http_set_concurrency"), .fields = "most:integer! tenant:string",
     .answers = "200 How many versions there are"},
    {CONTROL(DELETE, "/processes/{key}/concurrency", ADMIN), "Takes that limit away",
     .query = "http_set_concurrency", .writes = true, .parameters = "tenant:string",
     .answers = "200 How many versions there are"},
    {CONTROL(GET, "/processes/{key}/parameters", READ),
     "The parameters of a process, of its latest version unless told", .query = "http_parameters",
     .arguments = "path.key query.version query.tenant",
     .parameters = "version:integer tenant:string", .answers = "200 The parameters"},
    {CONTROL(PUT, "/processes/{key}/parameters/{parameter}", ADMIN),
     "Gives a parameter another value, in all versions unless told", CHANGE("http_set_parameter"),
     .fields = "value:any! version:integer tenant:string",
     .answers = "200 How many versions have it"},
    {CONTROL(DELETE, "/processes/{key}/parameters/{parameter}", ADMIN),
     "Takes a parameter back to the model's default", .query = "http_drop_parameter",
     .writes = true, .arguments = "path.key path.parameter query.version query.tenant",
     .parameters = "version:integer tenant:string", .answers = "200 How many versions have it"},
    {CONTROL(GET, "/parameter-changes", READ),
     "Who gave which parameter which value, the newest first", .query = "http_parameter_changes",
     .arguments = "query.process query.parameter query.limit",
     .parameters = "process:string parameter:string limit:integer", .answers = "200 The changes"},
    /* ---- Instances ---- */
    {CONTROL(GET, "/instances/{id}/tokens", READ),
     "Where a running instance is, and what it waits for", .query = "http_tokens",
     .arguments = "path.id", .answers = "200 Its tokens"},
    {CONTROL(GET, "/instances/{id}/jobs", READ),
     "What will be done for an instance, now or when it is due", .query = "http_instance_jobs",
     .arguments = "path.id", .answers = "200 Its jobs"},
    {CONTROL(GET, "/instances/{id}/events", READ), "The audit trail of an instance as it is",
     .query = "http_instance_events", .arguments = "path.id", .answers = "200 The entries"},
    {CONTROL(POST, "/instances/{id}/skip", ADMIN), "Leaves an element as if it were done",
     COMMAND("http_skip"), .fields = "element:text! variables:object token:integer reason:string"},
    {CONTROL(POST, "/instances/{id}/move", ADMIN),
     "Takes a token from one element, and lets it go on at another", COMMAND("http_move"),
     .fields = "from:text! to:text! after:boolean variables:object token:integer reason:string"},
    {CONTROL(POST, "/instances/{id}/complete", ADMIN),
     "Gives an element the result that it waits for, or failed to get",
     COMMAND("http_complete_element"),
     .fields = "element:text! variables:object response:object token:integer reason:string"},
    {CONTROL(PUT, "/instances/{id}/history/hold", ADMIN),
     "Keeps the history of an instance whatever its age", CHANGE("http_hold_history"),
     .fields = "reason:string", .answers = "200 Whether it was not held before"},
    {CONTROL(DELETE, "/instances/{id}/history/hold", ADMIN),
     "Lets the history of an instance go with its age", .query = "http_release_history",
     .writes = true, .arguments = "path.id", .answers = "200 Whether it was held"},
    {CONTROL(GET, "/history-holds", READ), "The instances whose history is kept",
     .query = "http_history_holds", .arguments = "query.limit query.after", .parameters = PAGE,
     .answers = "200 The instances"},
    /* ---- Messages that nobody has received ---- */
    {CONTROL(GET, "/messages", READ), "The messages that are kept for who comes to wait",
     .query = "http_messages", .arguments = "query.message query.key query.limit query.after",
     .parameters = "message:string key:string " PAGE, .answers = "200 The messages"},
    {CONTROL(GET, "/dead-letters", READ), "The messages that nobody took in their time",
     .query = "http_dead_letters", .arguments = "query.message query.key query.limit query.after",
     .parameters = "message:string key:string " PAGE, .answers = "200 The messages"},
    /* ---- Incidents, and many at once ---- */
    {CONTROL(GET, "/incidents/{id}", READ), "An incident", .query = "http_incident",
     .arguments = "path.id", .answers = "200 The incident"},
    {CONTROL(GET, "/incidents/groups", READ), "The incidents by their cause, the most first",
     .query = "http_incident_groups", .arguments = "query.process", .parameters = "process:string",
     .answers = "200 The causes"},
    {CONTROL(POST, "/bulks", ADMIN),
     "Retries incidents, or cancels, suspends or resumes instances: many, at a pace",
     CHANGE("http_bulk"), .fields = BULK, .answers = "202 Its id, and how many there are now"},
    {CONTROL(POST, "/bulks/preview", ADMIN), "What that would do, counted",
     .query = "http_bulk_preview", .body_kind = BODY_JSON, .fields = BULK,
     .answers = "200 How many of which cause, or process and version"},
    {CONTROL(GET, "/bulks", READ), "What was asked for many at once, the newest first",
     .query = "http_bulks", .arguments = "query.limit query.after", .parameters = PAGE,
     .answers = "200 How far they are"},
    {CONTROL(GET, "/bulks/{id}", READ), "How far it is", .query = "http_bulk_state",
     .arguments = "path.id", .answers = "200 How far it is"},
    {CONTROL(POST, "/bulks/{id}/stop", ADMIN), "Hands nothing more of it to the engine",
     .query = "http_bulk_stop", .writes = true, .arguments = "path.id",
     .answers = "200 How many were handed over"},
};

const struct operations operations_control = {list, ARRAY_LEN(list)};
