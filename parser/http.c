/* SPDX-License-Identifier: Apache-2.0 */
/* pawl:http: a remote call, how it is sent, and how its answers are judged. */
#include "base/build.h"

#include <ctype.h>

#include "base/limits.h"
#include "parser/build.h"

/* ---- Words ---- */

static const char *const http_attributes[] = {
    "endpoint", "method",   "path",          "mode",     "connectTimeout",
    "timeout",  "deadline", "deadlineError", "whenOpen", "openError"};
static const char *const field_attributes[] = {"name"};
static const char *const body_attributes[] = {"contentType"};
static const char *const answer_attributes[] = {"when", "then", "message", "error", "errorMessage"};

static bool is_pawl(const struct xml_element *e, const char *name)
{
    return xml_is(e, SPACE_PAWL, name);
}

static bool is_token(const char *text)
{
    if (text[0] == '\0')
        return false;
    for (const char *c = text; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("!#$%&'*+-.^_`|~", *c) == NULL)
            return false;
    return true;
}

/* Headers that the connector sets itself, and that must not be set twice. */
static bool is_reserved_header(const char *name)
{
    static const char *const reserved[] = {"idempotency-key", "host", "content-length",
                                           "transfer-encoding", "connection"};

    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (strcasecmp(reserved[i], name) == 0)
            return true;
    return false;
}

/* ---- Parts of the request ---- */

static void read_field(struct process_build *process, const struct xml_element *e, bool header,
                       struct http_field **items, size_t *n, size_t *capacity)
{
    struct file_build *file = process->file;
    struct arena *arena = &process->graph->arena;
    const char *name = xml_attr(e, "name");

    check_attributes(file, e, field_attributes, ARRAY_LEN(field_attributes));
    if (name == NULL || xml_blank(name)) {
        report(file, CODE_BAD_HTTP, e, "This pawl:%s has no name.", e->name);
        return;
    }
    if (header && !is_token(name))
        report(file, CODE_BAD_HTTP, e, "\"%.80s\" is not a name that an HTTP header can have.",
               name);
    if (header && is_reserved_header(name))
        report(file, CODE_BAD_HTTP, e,
               "The header %.80s is set by the engine for each request. Remove it.", name);
    const char *what = arena_printf(file->arena, "pawl:%s '%.100s'", e->name, name);
    *arena_push(arena, *items, *n, *capacity) = (struct http_field){
        .name = arena_strdup(arena, name),
        .value = text_expression(process, e, what, xml_text(e)),
    };
}

void read_named_mapping(struct process_build *process, const struct xml_element *e,
                        struct mapping **items, size_t *n, size_t *capacity)
{
    struct file_build *file = process->file;
    struct mapping mapping = {0};

    check_attributes(file, e, field_attributes, ARRAY_LEN(field_attributes));
    if (*n == LIMIT_MAPPINGS)
        report(file, CODE_TOO_MANY_MAPPINGS, e,
               "More than %u pawl:%s elements in one place. Keep the object.", LIMIT_MAPPINGS,
               e->name);
    if (*n >= LIMIT_MAPPINGS)
        return; /* said once */
    mapping.name = text_name(process, e, "The output's name", xml_attr(e, "name"));
    if (xml_attr(e, "name") == NULL || xml_blank(xml_attr(e, "name"))) {
        report(file, CODE_BAD_MAPPING, e,
               "This pawl:%s has no name: it is what its value is called.", e->name);
        return;
    }
    const char *what = arena_printf(file->arena, "pawl:%s '%.100s'", e->name,
                                    mapping.name != NULL ? mapping.name : "");
    read_mapping_value(process, e, what, &mapping);
    *arena_push(&process->graph->arena, *items, *n, *capacity) = mapping;
}

/* ---- Answers ---- */

static void check_answer(struct process_build *process, const struct xml_element *e,
                         const struct http_call *http, const struct http_answer *answer)
{
    struct file_build *file = process->file;

    if (http->mode == HTTP_FIRE && answer->error_code != NULL)
        report(file, CODE_BAD_ANSWER, e,
               "This call is fired: its task is over when the answer comes, so the answer can "
               "throw no "
               "error. Give it a message, and throw the error where the message is caught.");
    else if (http->mode == HTTP_FIRE && answer->message == NULL)
        report(file, CODE_BAD_ANSWER, e,
               "An answer of a fired call reaches the process as a message. Name it with "
               "message=\"…\".");
    if (http->mode == HTTP_WAIT && answer->message != NULL)
        report(
            file, CODE_BAD_ANSWER, e,
            "The task waits for this answer itself, so it needs no message. Remove message, or set "
            "mode=\"fire\".");
    if (answer->error_message != NULL && answer->error_code == NULL)
        report(file, CODE_BAD_ANSWER, e, "errorMessage needs error=\"CODE\" beside it.");
}

/* An answer that is tried again, or ignored, does nothing else. */
static void check_then(struct process_build *process, const struct xml_element *e,
                       const struct http_answer *answer)
{
    if (answer->message != NULL || answer->error_code != NULL || answer->n_outputs > 0)
        report(process->file, CODE_BAD_ANSWER, e,
               "An answer with then=\"%s\" sets and throws nothing and becomes no message. Remove "
               "its message, error and outputs, or then.",
               xml_attr(e, "then"));
    if (answer->then == ANSWER_RETRIES && answer->when == NULL)
        report(process->file, CODE_BAD_ANSWER, e,
               "An answer with then=\"retry\" needs when=\"${…}\": without it nothing could ever "
               "succeed.");
}

static enum answer_then read_then(struct process_build *process, const struct xml_element *e)
{
    const char *then = xml_attr(e, "then");

    if (then == NULL || strcmp(then, "succeed") == 0)
        return ANSWER_SUCCEEDS;
    if (strcmp(then, "retry") == 0)
        return ANSWER_RETRIES;
    if (strcmp(then, "ignore") != 0)
        report(process->file, CODE_BAD_ANSWER, e,
               "then=\"%.60s\" is not known. Write succeed, retry (by the task's retry policy) or "
               "ignore (the process goes on as if nothing had come back).",
               then);
    return ANSWER_IGNORED;
}

static void read_answer(struct process_build *process, const struct xml_element *e,
                        struct http_call *http, size_t *capacity)
{
    struct file_build *file = process->file;
    struct arena *arena = &process->graph->arena;
    struct http_answer answer = {0};
    size_t outputs_capacity = 0;
    check_attributes(file, e, answer_attributes, ARRAY_LEN(answer_attributes));
    answer.when = text_optional(process, e, "when", xml_attr(e, "when"));
    if (answer.when != NULL && expr_is_literal(answer.when))
        report(file, CODE_BAD_CONDITION, e,
               "when=\"%.120s\" is a plain text. Write it as an expression: ${…}.",
               xml_attr(e, "when"));
    answer.message = text_name(process, e, "message", xml_attr(e, "message"));
    answer.error_code = text_name(process, e, "error", xml_attr(e, "error"));
    answer.error_message = text_optional(process, e, "errorMessage", xml_attr(e, "errorMessage"));
    for (const struct xml_element *c = e->first; c != NULL; c = c->next) {
        if (is_pawl(c, "output"))
            read_named_mapping(process, c, &answer.outputs, &answer.n_outputs, &outputs_capacity);
        else
            report(file, CODE_UNKNOWN_PAWL_EXTENSION, c, "pawl:answer holds pawl:output, not %s.",
                   c->name);
    }
    answer.then = read_then(process, e);
    if (answer.then == ANSWER_SUCCEEDS)
        check_answer(process, e, http, &answer);
    else
        check_then(process, e, &answer);
    if (http->n_answers > 0 && http->answers[http->n_answers - 1].when == NULL)
        report(file, CODE_UNREACHABLE_ANSWER, e,
               "This pawl:answer is never looked at: the one before it has no condition and takes "
               "everything. Put it last.");
    *arena_push(arena, http->answers, http->n_answers, *capacity) = answer;
}

/* ---- The call ---- */

static const char *read_method(struct process_build *process, const struct xml_element *e,
                               bool has_body)
{
    const char *written = xml_attr(e, "method");
    char *method = arena_strdup(&process->graph->arena, written != NULL ? written
                                                        : has_body      ? "POST"
                                                                        : "GET");

    for (char *c = method; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    if (strlen(method) > 20 || !is_token(method))
        report(process->file, CODE_BAD_HTTP, e,
               "method=\"%.60s\" is not an HTTP method. Write GET, POST, PUT, PATCH or DELETE.",
               written);
    if (has_body && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0))
        report(process->file, CODE_BAD_HTTP, e,
               "A %s request has no body. Use pawl:query, or method=\"POST\".", method);
    return method;
}

static enum http_mode read_mode(struct process_build *process, const struct xml_element *e)
{
    const char *mode = xml_attr(e, "mode");

    if (mode == NULL || strcmp(mode, "wait") == 0)
        return HTTP_WAIT;
    if (strcmp(mode, "fire") != 0)
        report(
            process->file, CODE_BAD_HTTP, e,
            "mode=\"%.60s\" is not known. Write wait (the task waits for the answer) or fire (the "
            "answer comes as a message).",
            mode);
    return HTTP_FIRE;
}

static void read_parts(struct process_build *process, const struct xml_element *e,
                       struct http_call *http)
{
    struct file_build *file = process->file;
    size_t queries = 0;
    size_t headers = 0;
    size_t answers = 0;
    size_t outputs = 0;

    for (const struct xml_element *c = e->first; c != NULL; c = c->next) {
        if (is_pawl(c, "query")) {
            read_field(process, c, false, &http->query, &http->n_query, &queries);
        } else if (is_pawl(c, "header")) {
            read_field(process, c, true, &http->headers, &http->n_headers, &headers);
        } else if (is_pawl(c, "answer")) {
            read_answer(process, c, http, &answers);
        } else if (is_pawl(c, "output")) {
            read_named_mapping(process, c, &http->outputs, &http->n_outputs, &outputs);
        } else if (is_pawl(c, "body")) {
            const char *type = xml_attr(c, "contentType");
            check_attributes(file, c, body_attributes, ARRAY_LEN(body_attributes));
            if (http->body != NULL)
                report(file, CODE_BAD_HTTP, c, "pawl:http has two bodies. Keep one.");
            http->body = text_expression(process, c, "pawl:body", xml_text(c));
            http->content_type = type != NULL ? arena_strdup(&process->graph->arena, type) : NULL;
            if (type != NULL && strpbrk(type, "\r\n") != NULL)
                report(file, CODE_BAD_HTTP, c, "contentType must be one line.");
        } else {
            report(file, CODE_UNKNOWN_PAWL_EXTENSION, c,
                   "pawl:http holds query, header, body, answer and output, not %s.", c->name);
        }
    }
}

/* How long an open circuit is waited for: "wait" is as long as it takes. */
static int64_t read_when_open(struct process_build *process, const struct xml_element *e)
{
    const char *text = xml_attr(e, "whenOpen");
    struct iso_duration duration;
    struct err err = {0};

    if (text == NULL || strcmp(text, "wait") == 0)
        return -1;
    if (iso_duration_parse(text, strlen(text), &duration, &err) == 0 && !duration.negative)
        return iso_duration_us(&duration);
    report(process->file, CODE_BAD_DURATION, e,
           "whenOpen=\"%.60s\" is neither wait nor a duration such as PT5S (PT0S: at once).", text);
    return -1;
}

/* The deadline of all attempts, and what an open circuit comes to. */
void read_call_times(struct process_build *process, const struct xml_element *e,
                     struct http_call *http)
{
    struct file_build *file = process->file;
    bool fire = http->mode == HTTP_FIRE;

    http->timeout_us = text_duration_us(process, e, "timeout", xml_attr(e, "timeout"));
    http->deadline_us = text_duration_us(process, e, "deadline", xml_attr(e, "deadline"));
    http->deadline_error = text_name(process, e, "deadlineError", xml_attr(e, "deadlineError"));
    http->open_after_us = read_when_open(process, e);
    http->open_error = text_name(process, e, "openError", xml_attr(e, "openError"));
    if (http->deadline_error != NULL && xml_attr(e, "deadline") == NULL)
        report(file, CODE_BAD_HTTP, e, "deadlineError needs deadline=\"PT10M\" beside it.");
    if (http->open_error != NULL && http->open_after_us < 0)
        report(file, CODE_BAD_HTTP, e,
               "openError needs whenOpen=\"PT5S\" beside it: the task waits for as long as the "
               "circuit is open otherwise.");
    if (fire && (http->deadline_error != NULL || http->open_error != NULL))
        report(file, CODE_BAD_HTTP, e,
               "This call is fired, and can throw no error later. Give the outcomes \"open\" and "
               "\"expired\" a pawl:answer with a message.");
    if (!fire && http->open_after_us >= 0 && http->open_error == NULL)
        http->open_error = "CIRCUIT_OPEN";
}

void read_http(struct process_build *process, int index, const struct xml_element *e)
{
    struct file_build *file = process->file;
    struct http_call *http = arena_alloc(&process->graph->arena, sizeof(*http));
    const char *endpoint = xml_attr(e, "endpoint");

    process->graph->nodes[index].http = http;
    check_attributes(file, e, http_attributes, ARRAY_LEN(http_attributes));
    http->mode = read_mode(process, e);
    http->endpoint = text_optional(process, e, "endpoint", endpoint);
    if (endpoint == NULL || xml_blank(endpoint))
        report(
            file, CODE_HTTP_WITHOUT_ENDPOINT, e,
            "pawl:http names no endpoint. Write endpoint=\"NAME\", and set that endpoint up with "
            "`pawl endpoint` or set_endpoint().");
    http->path = text_optional(process, e, "path", xml_attr(e, "path"));
    http->connect_timeout_us =
        text_duration_us(process, e, "connectTimeout", xml_attr(e, "connectTimeout"));
    read_call_times(process, e, http);
    http->method = read_method(process, e, xml_child(e, SPACE_PAWL, "body") != NULL);
    read_parts(process, e, http);
    if (http->mode == HTTP_WAIT)
        return;
    if (http->n_answers == 0 && process->graph->nodes[index].callback == NULL)
        report(file, CODE_BAD_ANSWER, e,
               "A fired call needs at least one pawl:answer that says which message its answer "
               "becomes; "
               "without one, every answer would be an incident.");
    if (http->n_outputs > 0)
        report(file, CODE_BAD_ANSWER, e,
               "A fired call has no outputs of its own: put pawl:output into its pawl:answer "
               "elements.");
}
