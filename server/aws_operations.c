/* SPDX-License-Identifier: Apache-2.0 */
/* What AWS's clients can ask, with the limits and errors of its models. */
#include "base/build.h"

#include "engine/value.h"
#include "events/pattern.h"
#include "server/aws.h"

#define TOKEN_CHARACTERS 2048u
#define OUTPUT_BYTES 262144u
#define ENTRIES 10u
#define ENTRIES_BYTES 262144u /* of all entries of one request */
#define TIME_BYTES 14u        /* what a Time counts */

#define STEP_FUNCTIONS "AWSStepFunctions."
#define EVENTS "AWSEvents."

/* ---- Members ---- */

static void must_not_be_null(struct request *request, const char *name)
{
    aws_refuse(request, 400, "ValidationException",
               "1 validation error detected: Value null at '%s' failed to satisfy constraint: "
               "Member must not be null",
               name);
}

static void too_long(struct request *request, const char *name, size_t most)
{
    aws_refuse(request, 400, "ValidationException",
               "1 validation error detected: Value at '%s' failed to satisfy constraint: Member "
               "must have length less than or equal to %zu",
               name, most);
}

/* In characters of UTF-8. */
static size_t characters(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

bool aws_judge(struct request *request, const struct aws_operation *operation)
{
    for (size_t i = 0; i < operation->n_members; i++) {
        const struct aws_member *member = &operation->members[i];
        const json_t *given = json_object_get(request->json, member->name);
        if (given == NULL || json_is_null(given)) {
            if (!member->required)
                continue;
            must_not_be_null(request, member->name);
            return false;
        }
        if (json_typeof(given) != member->type) {
            aws_refuse(request, 400, "SerializationException",
                       "%s has a JSON type that it cannot be", member->name);
            return false;
        }
        size_t n =
            json_is_string(given) ? characters(json_string_value(given)) : json_array_size(given);
        if (member->most != 0 && n > member->most) {
            too_long(request, member->name, member->most);
            return false;
        }
        if (n < member->least) {
            aws_refuse(request, 400, "ValidationException",
                       "1 validation error detected: Value at '%s' failed to satisfy constraint: "
                       "Member must have length greater than or equal to %zu",
                       member->name, member->least);
            return false;
        }
    }
    return operation->judge == NULL || operation->judge(request);
}

/* ---- Task tokens ---- */

static bool judge_output(struct request *request)
{
    const json_t *output = json_object_get(request->json, "output");

    if (json_string_length(output) <= OUTPUT_BYTES)
        return true;
    too_long(request, "output", OUTPUT_BYTES);
    return false;
}

static const struct aws_member success_members[] = {
    {"taskToken", JSON_STRING, true, 1, TOKEN_CHARACTERS},
    {"output", JSON_STRING, true, 0, 0},
};
static const struct aws_member failure_members[] = {
    {"taskToken", JSON_STRING, true, 1, TOKEN_CHARACTERS},
    {"error", JSON_STRING, false, 0, 256},
    {"cause", JSON_STRING, false, 0, 32768},
};
static const struct aws_member heartbeat_members[] = {
    {"taskToken", JSON_STRING, true, 1, TOKEN_CHARACTERS},
};
static const struct aws_error token_errors[] = {
    {"PW001", "InvalidToken", "Invalid Token: 'Invalid token'"},
    {"PW002", "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'"},
    {"PW007", "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'"},
    {"PW003", "InvalidOutput", NULL},
    {DESK_INPUT, "InvalidOutput", NULL},
    {"PW006", "ValidationException", NULL},
    {"22", "InvalidOutput", "Invalid Output: 'The output is not valid JSON'"},
    {"54", "InvalidOutput", "Invalid Output: 'The output is nested too deep'"},
};

/* ---- Executions ---- */

static const struct aws_member start_members[] = {
    {"stateMachineArn", JSON_STRING, true, 1, 256},
    {"name", JSON_STRING, false, 0, 80},
    {"input", JSON_STRING, false, 0, 262144},
};
static const struct aws_error start_errors[] = {
    {"PW001", "StateMachineDoesNotExist", NULL},
    {"PW002", "ExecutionAlreadyExists", NULL},
    {"PW004", "ExecutionAlreadyExists", NULL},
    {"PW003", "InvalidExecutionInput", NULL},
    {DESK_INPUT, "InvalidExecutionInput", NULL},
    {"PW006", "InvalidExecutionInput", NULL},
    {"PW", "ValidationException", NULL},
    {"22", "InvalidExecutionInput", "Invalid State Machine Execution Input: it is not valid JSON"},
};
static const struct aws_member execution_members[] = {
    {"executionArn", JSON_STRING, true, 1, 256},
};
static const struct aws_member stop_members[] = {
    {"executionArn", JSON_STRING, true, 1, 256},
    {"error", JSON_STRING, false, 0, 256},
    {"cause", JSON_STRING, false, 0, 32768},
};
static const struct aws_error execution_errors[] = {
    {"PW001", "ExecutionDoesNotExist", NULL},
    {"PW002", "ExecutionDoesNotExist", NULL},
    {"PW003", "InvalidArn", NULL},
    {"22", "InvalidArn", "Invalid Arn: it does not end with the id of an execution"},
};

/* ---- Events ---- */

static size_t length_of(const json_t *entry, const char *name)
{
    return json_string_length(json_object_get(entry, name));
}

static bool judge_entries(struct request *request)
{
    const json_t *entries = json_object_get(request->json, "Entries");
    size_t total = 0;

    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        const json_t *resources = json_object_get(entry, "Resources");
        if (!json_is_object(entry)) {
            aws_refuse(request, 400, "SerializationException", "an entry is no JSON object");
            return false;
        }
        if (json_object_get(entry, "Time") != NULL)
            total += TIME_BYTES;
        total += length_of(entry, "Source") + length_of(entry, "DetailType") +
                 length_of(entry, "Detail");
        for (size_t j = 0; j < json_array_size(resources); j++)
            total += json_string_length(json_array_get(resources, j));
    }
    if (total <= ENTRIES_BYTES)
        return true;
    aws_refuse(request, 400, "ValidationException",
               "Total size of the entries in the request is over the limit.");
    return false;
}

static const struct aws_member put_members[] = {
    {"Entries", JSON_ARRAY, true, 1, ENTRIES},
    {"EndpointId", JSON_STRING, false, 0, 50},
};
static const struct aws_error put_errors[] = {
    {"PW", "ValidationException", NULL},
    {"22", "ValidationException", "an entry has a text or number that cannot be stored"},
};

static const struct aws_member test_members[] = {
    {"EventPattern", JSON_STRING, true, 0, 4096},
    {"Event", JSON_STRING, true, 0, 0},
};

/* What AWS wants of an event that is tried. */
static bool is_whole_event(const struct value *event)
{
    static const char *const names[] = {"id",     "account",   "source",     "time",
                                        "region", "resources", "detail-type"};

    if (event->kind != VALUE_OBJECT)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (value_member(event, names[i], strlen(names[i])) == NULL)
            return false;
    return true;
}

static void test_pattern(struct request *request, const struct aws_operation *operation UNUSED)
{
    const json_t *pattern_text = json_object_get(request->json, "EventPattern");
    const json_t *event_text = json_object_get(request->json, "Event");
    struct arena *arena = &request->arena;
    const struct event_pattern *pattern;
    struct event_fields fields;
    struct value event;
    struct err err = {0};

    if (event_pattern_read(arena, json_string_value(pattern_text), json_string_length(pattern_text),
                           &pattern, &err) < 0) {
        aws_refuse(request, 400, "InvalidEventPatternException", "%s", err.text);
        return;
    }
    if (value_read(arena, json_string_value(event_text), json_string_length(event_text), &event,
                   &err) < 0 ||
        !is_whole_event(&event)) {
        aws_refuse(
            request, 400, "ValidationException",
            "Parameter Event is not valid. Reason: it must be a JSON object with id, account, "
            "source, time, region, resources and detail-type.");
        return;
    }
    event_fields_read(arena, &event, &fields);
    const char *body = event_pattern_match(pattern, &fields, arena) == PATTERN_MATCHES
                           ? "{\"Result\":true}"
                           : "{\"Result\":false}";
    aws_reply(request, body, strlen(body));
}

/* ---- The table ---- */

#define STATES .service = "states", .content_type = "application/x-amz-json-1.0"
#define BUSES .service = "events", .content_type = "application/x-amz-json-1.1"
#define MEMBERS(list) .members = (list), .n_members = ARRAY_LEN(list)
#define ERRORS(list) .errors = (list), .n_errors = ARRAY_LEN(list)

static const struct aws_operation operations[] = {
    {.target = STEP_FUNCTIONS "SendTaskSuccess",
     STATES,
     .rights = RIGHT_ANY,
     .query = "http_aws_task_success",
     .writes = true,
     .of_token = true,
     MEMBERS(success_members),
     ERRORS(token_errors),
     .judge = judge_output},
    {.target = STEP_FUNCTIONS "SendTaskFailure",
     STATES,
     .rights = RIGHT_ANY,
     .query = "http_aws_task_failure",
     .writes = true,
     .of_token = true,
     MEMBERS(failure_members),
     ERRORS(token_errors)},
    {.target = STEP_FUNCTIONS "SendTaskHeartbeat",
     STATES,
     .rights = RIGHT_ANY,
     .query = "http_aws_task_heartbeat",
     .writes = true,
     .of_token = true,
     MEMBERS(heartbeat_members),
     ERRORS(token_errors)},
    {.target = STEP_FUNCTIONS "StartExecution",
     STATES,
     .rights = RIGHT_START,
     .query = "http_aws_start_execution",
     .writes = true,
     MEMBERS(start_members),
     ERRORS(start_errors)},
    {.target = STEP_FUNCTIONS "DescribeExecution",
     STATES,
     .rights = RIGHT_READ,
     .query = "http_aws_describe_execution",
     MEMBERS(execution_members),
     ERRORS(execution_errors)},
    {.target = STEP_FUNCTIONS "StopExecution",
     STATES,
     .rights = RIGHT_ADMIN,
     .query = "http_aws_stop_execution",
     .writes = true,
     MEMBERS(stop_members),
     ERRORS(execution_errors)},
    {.target = EVENTS "PutEvents",
     BUSES,
     .rights = RIGHT_START,
     .query = "http_aws_put_events",
     .writes = true,
     MEMBERS(put_members),
     ERRORS(put_errors),
     .judge = judge_entries},
    {.target = EVENTS "TestEventPattern",
     BUSES,
     .rights = RIGHT_ANY,
     .handle = test_pattern,
     MEMBERS(test_members)},
};

const struct aws_operation *aws_operation(const char *target)
{
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        if (strcmp(operations[i].target, target) == 0)
            return &operations[i];
    return NULL;
}
