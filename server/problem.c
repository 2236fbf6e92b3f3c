/* SPDX-License-Identifier: Apache-2.0 */
/* Responses: JSON, lines of text, and errors in the words of each dialect. */
#include "base/build.h"

#include <stdarg.h>

#include "base/log.h"
#include "base/utf8.h"
#include "server/request.h"
#include "store/json_text.h"

static void start(struct response *response, unsigned status, const char *content_type)
{
    response->status = status;
    response->content_type = content_type;
    buf_reset(&response->body);
}

void response_text(struct response *response, unsigned status, const char *text)
{
    start(response, status, "text/plain; charset=utf-8");
    buf_printf(&response->body, "%s\n", text);
}

void response_json(struct response *response, unsigned status, const char *body, size_t n)
{
    start(response, status, "application/json");
    if (n > 0)
        buf_add(&response->body, body, n);
}

void response_header(struct request *request, const char *name, const char *value)
{
    struct response *response = &request->response;

    assert(response->n_extra < RESPONSE_EXTRA_MAX);
    response->extra[response->n_extra++] =
        (struct pair){name, arena_strdup(&request->arena, value)};
}

static const char *title_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *title;
    } all[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {410, "Gone"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].status == status)
            return all[i].title;
    return "Internal Server Error";
}

void response_object(struct request *request, unsigned status, json_t *object)
{
    if (object == NULL) {
        response_problem(request, 500, NULL, NULL, "the answer to this cannot be written");
        return;
    }
    const char *text = json_text_in(&request->arena, object);
    json_decref(object);
    response_json(&request->response, status, text, strlen(text));
}

static void write_pawl(struct request *request, const struct problem *problem)
{
    bool input = problem->code != NULL && strcmp(problem->code, DESK_INPUT) == 0;

    response_object(
        request, problem->status,
        json_pack("{s:n, s:s, s:i, s:s, s:s*, s:s*}", "type", "title",
                  input ? "input does not pass inputSchema validation" : title_of(problem->status),
                  "status", (int)problem->status, "detail", problem->message, "hint", problem->hint,
                  "code", problem->code));
    request->response.content_type = "application/problem+json";
}

/* Its `code` is a number of that engine's; ours go beside it. */
static void write_camunda(struct request *request, const struct problem *problem)
{
    static const struct {
        unsigned status;
        const char *type;
    } types[] = {{400, "InvalidRequestException"},
                 {403, "AuthorizationException"},
                 {413, "InvalidRequestException"},
                 {415, "NotSupportedException"},
                 {405, "NotAllowedException"}};
    const char *type = "RestException";

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].status == problem->status)
            type = types[i].type;
    response_object(request, problem->status,
                    json_pack("{s:s, s:s, s:n, s:s*, s:s*}", "type", type, "message",
                              problem->message, "code", "hint", problem->hint, "sqlstate",
                              problem->code));
}

static void write_problem(struct request *request, const struct problem *problem)
{
    if (request->dialect == DIALECT_OWN && request->operation != NULL)
        request->operation->problem(request, problem);
    else if (request->dialect == DIALECT_CAMUNDA)
        write_camunda(request, problem);
    else if (request->dialect == DIALECT_TEXT)
        response_text(&request->response, problem->status, problem->message);
    else
        write_pawl(request, problem);
}

void response_problem(struct request *request, unsigned status, const char *code, const char *hint,
                      const char *format, ...)
{
    char message[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    utf8_repair(message);
    write_problem(request, &(struct problem){status, code, message, hint});
}

/* ---- What the database refuses ---- */

unsigned response_status(const char *sqlstate)
{
    static const struct {
        const char *prefix;
        unsigned status;
    } all[] = {
        {"PW001", 404}, {"PW002", 409}, {"PW003", 400}, {"PW004", 422}, {"PW005", 409},
        {"PW006", 400}, {"PW007", 410}, {"PW", 400},    {"02000", 404}, {"42501", 403},
        {"22", 400},    {"08", 503},    {"40", 503},    {"53", 503},    {"55P03", 503},
        {"57", 503},    {"58", 503},    {"25006", 503},
    };

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (sqlstate_in(sqlstate, all[i].prefix))
            return all[i].status;
    return 500;
}

void response_log(const char *query, const struct desk_answer *answer)
{
    static const char *const ill[] = {"53", "58", "25006"}; /* the database, not the request */
    char text[600];
    bool told = response_status(answer->sqlstate) == 500;

    for (size_t i = 0; i < ARRAY_LEN(ill); i++)
        told |= sqlstate_in(answer->sqlstate, ill[i]);
    if (told)
        log_line(sqlstate_in(answer->sqlstate, "XX") ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
                 "a statement failed", "query=%s sqlstate=%s error=%s", query, answer->sqlstate,
                 log_quote(answer->message, text, sizeof(text)));
}

void response_refused(struct request *request, const struct desk_answer *answer)
{
    /* Its clients know 400 for what the state of a thing does not allow, and no 409. */
    bool conflict = request->dialect == DIALECT_CAMUNDA && strcmp(answer->sqlstate, "PW002") == 0;
    unsigned status = conflict ? 400 : response_status(answer->sqlstate);
    struct problem problem = {status, answer->sqlstate, answer->message, answer->hint};

    if (strcmp(answer->sqlstate, "55P03") == 0 || sqlstate_in(answer->sqlstate, "40"))
        problem.message = "another transaction is just changing the same; nothing was done";
    else if (strcmp(answer->sqlstate, "57014") == 0)
        problem.message = "the database took too long for this; nothing was done";
    else if (strcmp(answer->sqlstate, "25006") == 0)
        problem.message = "the database takes no changes at the moment; nothing was done";
    else if (sqlstate_in(answer->sqlstate, "53") || sqlstate_in(answer->sqlstate, "58"))
        problem = (struct problem){status, answer->sqlstate,
                                   "the database lacks what it needs for this; nothing was done",
                                   "Its log and this server's say what it lacks."};
    else if (status == 500)
        problem = (struct problem){status, answer->sqlstate,
                                   "this could not be carried out; the log says why", NULL};
    /* What may have happened is not to be repeated by itself. */
    bool in_doubt = strcmp(answer->sqlstate, DESK_IN_DOUBT) == 0;
    request->response.retry_after = status == 503 && !in_doubt ? 1 : 0;
    write_problem(request, &problem);
}
