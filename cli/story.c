/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/hex.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "cli/story.h"
#include "cli/text.h"
#include "store/json_text.h"

const char *story_element(struct cli *cli, const json_t *row)
{
    const char *name = row_string(cli, row, "element_name");
    const json_t *item = json_object_get(row, "loop_counter");

    if (name != NULL)
        name = arena_printf(&cli->arena, "\"%s\"", name);
    else if ((name = row_string(cli, row, "element_id")) == NULL)
        name = "an element that is not known";
    return json_is_integer(item) ? arena_printf(&cli->arena, "%s (loopCounter %lld)", name,
                                                (long long)json_integer_value(item))
                                 : name;
}

static const json_t *element_row(const json_t *elements, const char *id)
{
    const json_t *row;
    size_t i;

    json_array_foreach(elements, i, row)
    {
        const char *text = json_string_value(json_object_get(row, "element_id"));
        if (text != NULL && id != NULL && strcmp(text, id) == 0)
            return row;
    }
    return NULL;
}

const char *story_element_by_id(struct cli *cli, const json_t *elements, const char *id)
{
    const json_t *row = element_row(elements, id);

    return row != NULL ? story_element(cli, row) : id;
}

const char *story_kind(const json_t *elements, const char *id)
{
    static const char *const names[][2] = {
        {"startEvent", "start"},
        {"endEvent", "end"},
        {"intermediateCatchEvent", "catch event"},
        {"intermediateThrowEvent", "throw event"},
        {"boundaryEvent", "boundary event"},
        {"task", "task"},
        {"manualTask", "manual task"},
        {"serviceTask", "service task"},
        {"sendTask", "send task"},
        {"receiveTask", "receive task"},
        {"userTask", "user task"},
        {"exclusiveGateway", "decision"},
        {"parallelGateway", "parallel gateway"},
        {"eventBasedGateway", "event-based gateway"},
        {"subProcess", "sub-process"},
        {"callActivity", "call activity"},
    };
    const char *kind =
        json_string_value(json_object_get(element_row(elements, id), "element_kind"));

    for (size_t i = 0; kind != NULL && i < ARRAY_LEN(names); i++)
        if (strcmp(names[i][0], kind) == 0)
            return names[i][1];
    return kind != NULL ? kind : "";
}

const char *story_request(struct cli *cli, const char *request)
{
    char *text = arena_strdup(&cli->arena, request), *out = text;

    for (const char *p = text; *p != '\0'; p++) {
        int byte = hex_escape(p, 3);
        *out++ = byte > 0 ? (char)byte : *p;
        p += byte > 0 ? 2 : 0;
    }
    *out = '\0';
    return text;
}

/* What came back, as much as a line has room for; -o json has more. */
static const char *beginning(struct cli *cli, const char *body)
{
    struct buf buf;

    buf_init(&buf, 0);
    text_add(&buf, body, 80);
    const char *text = arena_strdup(&cli->arena, buf_str(&buf));
    buf_deinit(&buf);
    return text;
}

/* ", attempt 2": the first is not worth saying. */
static const char *attempt_of(struct cli *cli, const json_t *data)
{
    int64_t attempt = row_int(data, "attempt");

    return attempt > 1 ? arena_printf(&cli->arena, ", attempt %lld", (long long)attempt) : "";
}

const char *story_answer(struct cli *cli, const json_t *data)
{
    struct arena *arena = &cli->arena;
    const char *outcome = row_text(cli, data, "outcome"), *error = row_string(cli, data, "error");
    const char *body = row_string(cli, data, "body"), *status = row_string(cli, data, "status");
    const char *span = moment_span(arena, row_int(data, "ms") * 1000), *text;

    if (json_is_true(json_object_get(data, "fromCache")))
        text = arena_printf(arena, "from the cache, HTTP %s", status != NULL ? status : "?");
    else if (strcmp(outcome, "answered") == 0 || strcmp(outcome, "status") == 0)
        text = arena_printf(arena, "HTTP %s after %s", status != NULL ? status : "?", span);
    else if (strcmp(outcome, "unreadable") == 0)
        text = arena_printf(arena, "HTTP %s after %s, but unreadable%s%s",
                            status != NULL ? status : "?", span, error != NULL ? ": " : "",
                            error != NULL ? error : "");
    else if (strcmp(outcome, "timeout") == 0)
        text = arena_printf(arena, "none within %s", span);
    else if (strcmp(outcome, "offline") == 0)
        text = arena_printf(arena, "no connection after %s%s%s", span, error != NULL ? ": " : "",
                            error != NULL ? error : "");
    else if (strcmp(outcome, "unknown") == 0)
        text = "not known: the engine ended while the request was under way";
    else
        text = arena_printf(arena, "%s%s%s", outcome, error != NULL ? ": " : "",
                            error != NULL ? error : "");
    return arena_printf(arena, "%s%s%s%s", text, attempt_of(cli, data), body != NULL ? ": " : "",
                        body != NULL ? beginning(cli, body) : "");
}

static const char *call_text(struct cli *cli, const char *kind, const json_t *data)
{
    struct arena *arena = &cli->arena;

    if (strcmp(kind, "callRequested") == 0)
        return arena_printf(arena, "asks %s: %s%s", row_text(cli, data, "endpoint"),
                            story_request(cli, row_text(cli, data, "request")),
                            attempt_of(cli, data));
    if (strcmp(kind, "callSent") == 0)
        return arena_printf(arena, "the request has left%s", attempt_of(cli, data));
    if (strcmp(kind, "callAnswered") == 0)
        return arena_printf(arena, "answer: %s", story_answer(cli, data));
    if (row_string(cli, data, "outcome") == NULL)
        return arena_printf(arena,
                            "an answer that nobody waited for any more is put aside (\"%s\")",
                            row_text(cli, data, "message"));
    return arena_printf(arena, "late answer, given to nobody: %s", story_answer(cli, data));
}

static const char *failure_text(struct cli *cli, const char *kind, const json_t *event,
                                int64_t now_us)
{
    struct arena *arena = &cli->arena;
    const json_t *data = json_object_get(event, "data");
    const char *error = row_text(cli, data, "error");
    int64_t next = row_time(data, "next");

    if (strcmp(kind, "incident") == 0)
        return arena_printf(arena, "incident (%s): %s", row_text(cli, data, "reason"), error);
    if (row_string(cli, data, "tries") == NULL)
        return arena_printf(arena, "refused, what %s asked for: %s", row_text(cli, data, "actor"),
                            error);
    if (next != MOMENT_NONE && next <= row_time(event, "at"))
        return arena_printf(arena, "failed, try %lld, again at once: %s",
                            (long long)row_int(data, "tries"), error);
    if (next == MOMENT_NONE)
        return arena_printf(arena, "failed, try %lld: %s", (long long)row_int(data, "tries"),
                            error);
    return arena_printf(arena, "failed, try %lld, the next at %s: %s",
                        (long long)row_int(data, "tries"), moment_clock(arena, next, now_us),
                        error);
}

static const char *error_text(struct cli *cli, const json_t *data, const json_t *elements)
{
    struct arena *arena = &cli->arena;
    const char *message = row_string(cli, data, "message"),
               *caught = row_string(cli, data, "caught");
    const char *thrown = arena_printf(arena, "error %s%s%s%s", row_text(cli, data, "code"),
                                      message != NULL ? " \"" : "", message != NULL ? message : "",
                                      message != NULL ? "\"" : "");

    if (caught == NULL)
        return arena_printf(arena, "%s, caught by nobody", thrown);
    return arena_printf(arena, "%s, caught by %s", thrown,
                        story_element_by_id(cli, elements, caught));
}

static const char *names_of(struct cli *cli, const json_t *names)
{
    struct buf buf;
    const json_t *name;
    size_t i;

    buf_init(&buf, 0);
    json_array_foreach(names, i, name)
    {
        buf_printf(&buf, "%s%s", i == 0 ? "" : ", ", json_string_value(name));
    }
    const char *text = arena_strdup(&cli->arena, buf_str(&buf));
    buf_deinit(&buf);
    return text;
}

/* What somebody did at the instance: " by anna: asked by phone". */
static const char *hand_text(struct cli *cli, const char *kind, const json_t *data,
                             const json_t *elements)
{
    static const char *const words[][2] = {
        {"elementSkipped", "skipped"},
        {"tokenMoved", "moved"},
        {"elementCompleted", "completed by hand"},
        {"instanceSuspended", "suspended"},
        {"instanceResumed", "resumed"},
        {"incidentRetried", "tried again"},
    };
    const char *actor = row_string(cli, data, "actor"), *reason = row_string(cli, data, "reason");
    const char *to = row_string(cli, data, "to"), *at = row_string(cli, data, "at");

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i][0], kind) != 0)
            continue;
        if (to != NULL)
            to = arena_printf(&cli->arena, " %s %s",
                              at != NULL && strcmp(at, "after") == 0 ? "behind" : "to",
                              story_element_by_id(cli, elements, to));
        return arena_printf(&cli->arena, "%s%s by %s%s%s", words[i][1], to != NULL ? to : "",
                            actor != NULL ? actor : "?", reason != NULL ? ": " : "",
                            reason != NULL ? reason : "");
    }
    return NULL;
}

/* What others did for a task: a worker that failed, a delegate. */
static const char *work_text(struct cli *cli, const char *kind, const json_t *data)
{
    struct arena *arena = &cli->arena;
    const char *error = row_string(cli, data, "error"), *result = row_string(cli, data, "result");

    if (strcmp(kind, "externalTaskFailed") == 0)
        return arena_printf(arena, "failed at %s, tries left: %lld: %s",
                            row_text(cli, data, "actor"), (long long)row_int(data, "retries"),
                            error != NULL ? error : "?");
    if (strcmp(kind, "delegateRan") != 0)
        return NULL;
    return arena_printf(arena, "delegate %s: %s%s", row_text(cli, data, "delegate"),
                        error != NULL ? "error " : "",
                        error != NULL    ? error
                        : result != NULL ? beginning(cli, result)
                                         : "no result");
}

/* "by anna: …", and the last of what its caller wrote down. */
static const char *callback_text(struct cli *cli, const char *kind, const json_t *data)
{
    static const char *const words[][2] = {
        {"callbackOpened", "waits for its callback"},
        {"callbackAccepted", "accepted, waits for its callback"},
        {"callbackSucceeded", "called back"},
        {"callbackFailed", "called back: failed"},
        {"callbackTimedOut", "nobody called back in time:"},
        {"callbackRefused", "a callback was refused"},
    };
    struct arena *arena = &cli->arena;
    const char *actor = row_string(cli, data, "actor"), *error = row_string(cli, data, "error");
    const char *cause = row_string(cli, data, "cause"), *output = row_string(cli, data, "output");
    const json_t *logs = json_object_get(data, "logs"), *log;
    const char *text = "";
    size_t i;

    for (i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i][0], kind) == 0)
            text = words[i][1];
    text = arena_printf(arena, "%s%s%s%s%s%s%s%s%s", text, actor != NULL ? " by " : "",
                        actor != NULL ? actor : "", error != NULL ? " " : "",
                        error != NULL ? error : "", cause != NULL ? ": " : "",
                        cause != NULL ? cause : "", output != NULL ? ": " : "",
                        output != NULL ? beginning(cli, output) : "");
    json_array_foreach(logs, i, log)
    {
        text =
            arena_printf(arena, "%s%s%s", text, i == 0 ? "; it wrote: " : " | ",
                         json_is_string(log) ? json_string_value(log) : json_text_in(arena, log));
    }
    return text;
}

const char *story_event(struct cli *cli, const json_t *event, const json_t *elements,
                        int64_t now_us)
{
    struct arena *arena = &cli->arena;
    const char *kind = row_text(cli, event, "kind");
    const json_t *data = json_object_get(event, "data");
    const char *actor = row_string(cli, data, "actor"), *key = row_string(cli, data, "key");

    if (strncmp(kind, "callback", 8) == 0)
        return callback_text(cli, kind, data);
    if (strncmp(kind, "call", 4) == 0)
        return call_text(cli, kind, data);
    if (strcmp(kind, "serviceLevelMissed") == 0)
        return arena_printf(arena, "lasts longer than %s%s%s", row_text(cli, data, "within"),
                            row_string(cli, data, "name") != NULL ? ": " : "",
                            row_text(cli, data, "name"));
    if (strcmp(kind, "jobFailed") == 0 || strcmp(kind, "incident") == 0)
        return failure_text(cli, kind, event, now_us);
    if (strcmp(kind, "errorThrown") == 0)
        return error_text(cli, data, elements);
    if (strcmp(kind, "messageReceived") == 0)
        return arena_printf(arena, "message \"%s\" received", row_text(cli, data, "name"));
    if (strcmp(kind, "messageSent") == 0)
        return arena_printf(arena, "message \"%s\" sent%s%s", row_text(cli, data, "name"),
                            key != NULL ? ", key " : "", key != NULL ? key : "");
    if (strcmp(kind, "eventPut") == 0)
        return arena_printf(arena, "event \"%s\" put on the bus %s",
                            row_text(cli, data, "detailType"), row_text(cli, data, "bus"));
    if (strcmp(kind, "taskCompleted") == 0)
        return arena_printf(arena, "answered by %s", actor != NULL ? actor : "?");
    if (strcmp(kind, "taskClaimed") == 0)
        return arena_printf(arena, "claimed for %s%s%s", row_text(cli, data, "assignee"),
                            actor != NULL ? " by " : "", actor != NULL ? actor : "");
    if (strcmp(kind, "taskReleased") == 0)
        return arena_printf(arena, "given back%s%s", actor != NULL ? " by " : "",
                            actor != NULL ? actor : "");
    if (strcmp(kind, "variablesSet") == 0)
        return arena_printf(arena, "variables set%s%s: %s", actor != NULL ? " by " : "",
                            actor != NULL ? actor : "",
                            names_of(cli, json_object_get(data, "names")));
    if (strcmp(kind, "instanceStarted") == 0 || strcmp(kind, "instanceEnded") == 0 ||
        strncmp(kind, "activity", 8) == 0)
        return NULL;
    const char *text = hand_text(cli, kind, data, elements);
    if (text == NULL)
        text = work_text(cli, kind, data);
    if (text != NULL)
        return text;
    const char *whole = row_string(cli, event, "data");
    return arena_printf(arena, "%s%s%s", kind, whole != NULL ? " " : "",
                        whole != NULL ? whole : "");
}
