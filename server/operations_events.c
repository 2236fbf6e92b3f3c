/* SPDX-License-Identifier: Apache-2.0 */
/* Events on buses, the rules that pick them, and what became of them: docs/events.md. */
#include "base/build.h"

#include "base/limits.h"
#include "events/pattern.h"
#include "server/request.h"

#define BODY_BYTES (LIMIT_EVENTS_BYTES + (1u << 20)) /* SQL says what is too much */

/* The text of a member of the body, and the value that is read of it. NULL: the response says why.
 */
static const char *member(struct request *request, const char *name, struct value *ret_value,
                          size_t *ret_n)
{
    const char *text = body_member(request, name, ret_n);
    struct err err = {.code = ERR_NONE};

    if (text == NULL || value_read(&request->arena, text, *ret_n, ret_value, &err) == 0)
        return text;
    response_problem(request, 400, "PW003", NULL, "%s: %s", name, err.text);
    return NULL;
}

/* Patterns are matched here as by the workers, so nobody has to wait for one. */
static void test_pattern(struct request *request)
{
    const struct event_pattern *pattern;
    struct event_fields fields;
    struct value value, event;
    struct err err = {.code = ERR_NONE};
    const char *text;
    size_t n, event_n;

    if ((text = member(request, "pattern", &value, &n)) != NULL &&
        member(request, "event", &event, &event_n) != NULL) {
        if (event_pattern_read(&request->arena, text, n, &pattern, &err) < 0) {
            response_problem(request, 400, "PW003", "docs/events.md shows patterns.", "%s",
                             err.text);
        } else {
            event_fields_read(&request->arena, &event, &fields);
            bool matches =
                event_pattern_match(pattern, &fields, &request->arena) == PATTERN_MATCHES;
            const char *answer = matches ? "{\"matches\": true}" : "{\"matches\": false}";
            response_json(&request->response, 200, answer, strlen(answer));
        }
    }
    request_finish(request);
}

#define EVENTS(method, path, right) METHOD_##method, "/v1" path, RIGHT_##right, DIALECT_PAWL
#define RULE_ANSWERS "202 It will be done: GET /v1/outcomes/{id} says what became of it"

static const struct operation list[] = {
    {EVENTS(POST, "/events", START), "Puts events on a bus, each of them taken or refused",
     .query = "http_put_events", .writes = true, .body_kind = BODY_JSON, .fields = "events:array!",
     .most = BODY_BYTES, .answers = "202 What became of each; 400 All were refused"},
    {EVENTS(GET, "/events", READ), "The events that were put, the newest first",
     .query = "http_events",
     .arguments = "query.state query.bus query.source query.detailType query.limit query.after",
     .parameters = "state:queued|unmatched|matched|failed bus:string source:string "
                   "detailType:string limit:integer after:uuid",
     .answers = "200 The events"},
    {EVENTS(GET, "/events/{id}", READ), "An event, and whether a rule wanted it",
     .query = "http_event", .arguments = "path.id", .answers = "200 The event"},
    {EVENTS(POST, "/events/test", ANY), "Whether an event matches a pattern",
     .handle = test_pattern, .body_kind = BODY_JSON, .fields = "pattern:object! event:object!",
     .answers = "200 Whether it does"},
    {EVENTS(POST, "/events/replay", ADMIN), "Has events go through the rules once more",
     .query = "http_replay_events", .writes = true, .body_kind = BODY_JSON,
     .fields = "state:unmatched|failed|all! bus:string source:string detailType:string rule:string "
               "from:string "
               "until:string ids:array dryRun:boolean limit:integer",
     .answers = "200 How many match, and how many are on their way again"},
    {EVENTS(GET, "/event-deliveries", READ), "What became of events at the targets of the rules",
     .query = "http_event_deliveries",
     .arguments = "query.state query.rule query.event query.limit query.after",
     .parameters = "state:done|pending|failed rule:string event:uuid limit:integer after:uuid",
     .answers = "200 The deliveries"},
    {EVENTS(GET, "/rules", READ), "The rules of the event buses", .query = "http_event_rules",
     .arguments = "query.bus", .parameters = "bus:string", .answers = "200 The rules"},
    {EVENTS(PUT, "/rules/{name}", ADMIN), "Makes a rule, or replaces it",
     .query = "http_set_event_rule", .writes = true, .body_kind = BODY_JSON,
     .fields = "pattern:object! targets:array! description:string enabled:boolean",
     .parameters = "bus:string await:duration", .awaits = true, .answers = RULE_ANSWERS},
    {EVENTS(DELETE, "/rules/{name}", ADMIN), "Removes a rule", .query = "http_drop_event_rule",
     .writes = true, .parameters = "bus:string await:duration", .awaits = true,
     .answers = RULE_ANSWERS},
    {EVENTS(GET, "/buses", READ), "The event buses", .query = "http_event_buses",
     .answers = "200 The buses"},
    {EVENTS(PUT, "/buses/{name}", ADMIN), "Makes an event bus", .query = "http_set_event_bus",
     .writes = true, .body_kind = BODY_JSON, .fields = "description:string",
     .answers = "200 Its name"},
    {EVENTS(DELETE, "/buses/{name}", ADMIN), "Removes an event bus that has no rules",
     .query = "http_drop_event_bus", .writes = true, .answers = "200 Its name"},
};

const struct operations operations_events = {list, ARRAY_LEN(list)};
