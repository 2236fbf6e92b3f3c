/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <stdarg.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "server/auth.h"
#include "server/aws.h"
#include "server/server_internal.h"
#include "server/sigv4.h"

/* Of a request, while its access key is looked up. */
struct aws {
    const struct aws_operation *operation;
    struct guard_header headers[LIMIT_HTTP_HEADERS];
    struct sigv4_request signed_request;
    struct sigv4_claim claim;
};

/* ---- Answers ---- */

static void add_id(struct request *request)
{
    struct uuid id;
    char text[UUID_TEXT_BYTES];

    if (request->response.n_extra != 0)
        return;
    digest_random(id.b, sizeof(id.b));
    uuid_format(&id, text);
    response_header(request, "x-amzn-RequestId", text);
}

static const char *content_type(const struct request *request)
{
    const struct aws *aws = request->own;

    return aws != NULL && aws->operation != NULL ? aws->operation->content_type
                                                 : "application/x-amz-json-1.0";
}

void aws_reply(struct request *request, const char *body, size_t n)
{
    response_json(&request->response, 200, body, n);
    request->response.content_type = content_type(request);
    add_id(request);
}

static void write_error(struct request *request, unsigned status, const char *type,
                        const char *message)
{
    const struct aws *aws = request->own;

    if (strcmp(type, "AccessDeniedException") == 0 && aws != NULL)
        auth_forbidden(request, aws->operation->target);
    response_object(request, status, json_pack("{s:s, s:s}", "__type", type, "message", message));
    request->response.content_type = content_type(request);
    add_id(request);
    response_header(request, "x-amzn-ErrorType", type);
}

void aws_refuse(struct request *request, unsigned status, const char *type, const char *format, ...)
{
    char message[1200];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    utf8_repair(message);
    write_error(request, status, type, message);
}

/* What the server itself refuses. */
void aws_problem(struct request *request, const struct problem *problem)
{
    static const struct {
        unsigned status, told;
        const char *type;
    } all[] = {
        {400, 400, "SerializationException"}, {401, 400, "UnrecognizedClientException"},
        {403, 400, "AccessDeniedException"},  {413, 413, "RequestEntityTooLarge"},
        {503, 503, "ServiceUnavailable"},     {500, 500, "InternalFailure"},
    };
    unsigned told = 400;
    const char *type = "ValidationException";

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].status == problem->status) {
            told = all[i].told;
            type = all[i].type;
        }
    request->response.authenticate = false;
    write_error(request, told, type, problem->message);
}

static void answered(struct request *request, const struct desk_answer *answer)
{
    const struct aws_operation *operation = ((struct aws *)request->own)->operation;
    const struct aws_error *error = NULL;

    if (operation->of_token)
        server_count_callback(request->server,
                              answer->sqlstate != NULL ? response_status(answer->sqlstate) : 200);
    for (size_t i = 0; answer->sqlstate != NULL && error == NULL && i < operation->n_errors; i++)
        if (sqlstate_in(answer->sqlstate, operation->errors[i].sqlstate))
            error = &operation->errors[i];
    if (error != NULL)
        write_error(request, 400, error->type,
                    error->message != NULL ? error->message : answer->message);
    else if (answer->sqlstate != NULL)
        response_refused(request, answer);
    else
        aws_reply(request, answer->body, answer->n);
    request_finish(request);
}

/* ---- Who asks ---- */

static void carry_out(struct request *request)
{
    const struct aws_operation *operation = ((struct aws *)request->own)->operation;

    if ((operation->rights & request->principal.rights) == 0) {
        aws_refuse(request, 400, "AccessDeniedException",
                   "User: %s is not authorized to perform: %s", request->principal.name,
                   operation->target);
        request_finish(request);
    } else if (!aws_judge(request, operation)) {
        request_finish(request);
    } else if (operation->handle != NULL) {
        operation->handle(request, operation);
        request_finish(request);
    } else {
        const char *body = buf_str(&request->body);
        if (operation->of_token)
            auth_token_shown(request);
        request_ask(request, operation->query, operation->writes, &body, 1, answered);
    }
}

static void unknown_client(struct request *request)
{
    aws_refuse(request, 400, "UnrecognizedClientException",
               "The security token included in the request is invalid.");
    request_finish(request);
}

/* {"secret", "principal": {"name", "rights": bits}, "caller"} of an access key. */
static void on_key(struct request *request, const struct desk_answer *answer)
{
    struct aws *aws = request->own;
    const char *secret, *name, *caller;
    int rights;

    if (answer->sqlstate != NULL && strcmp(answer->sqlstate, "02000") != 0) { /* no row */
        response_refused(request, answer);
        request_finish(request);
        return;
    }
    json_auto_t *key = answer->body != NULL ? json_loadb(answer->body, answer->n, 0, NULL) : NULL;
    if (key == NULL || json_unpack(key, "{s:s, s:s, s:i, s:s}", "secret", &secret, "name", &name,
                                   "rights", &rights, "caller", &caller) < 0) {
        /* Where everybody is let in (--dev), any key will do. */
        if (auth_identify(request, &request->principal) == AUTH_KNOWN) {
            carry_out(request);
        } else {
            auth_note_refusal(request, aws->claim.access_key);
            unknown_client(request);
        }
        return;
    }
    if (!sigv4_verify(&request->arena, &aws->signed_request, &aws->claim, secret)) {
        auth_note_refusal(request, aws->claim.access_key);
        aws_refuse(request, 400, "InvalidSignatureException",
                   "The request signature we calculated does not match the signature you provided. "
                   "Check your AWS Secret Access Key and signing method. Consult the service "
                   "documentation for details.");
        request_finish(request);
        return;
    }
    request->principal = (struct principal){.name = arena_strdup(&request->arena, name),
                                            .rights = (unsigned)rights,
                                            .caller = arena_strdup(&request->arena, caller)};
    carry_out(request);
}

static void identify_by_signature(struct request *request)
{
    struct aws *aws = request->own;
    struct sigv4_refusal refusal;

    aws->signed_request = (struct sigv4_request){
        .method = method_name(request->method),
        .uri = request->target,
        .headers = aws->headers,
        .n_headers = request_headers(request, aws->headers, ARRAY_LEN(aws->headers)),
        .body = buf_str(&request->body),
        .body_n = request->body.len,
        .now_s = clock_unix_s(),
    };
    if (sigv4_read(&request->arena, &aws->signed_request, aws->operation->service, &aws->claim,
                   &refusal) > 0) {
        if (aws->claim.access_key != NULL)
            auth_note_refusal(request, aws->claim.access_key);
        write_error(request, 400, refusal.type, refusal.message);
        request_finish(request);
        return;
    }
    request_ask(request, "http_access_key", false, &aws->claim.access_key, 1, on_key);
}

static void identify(struct request *request)
{
    const char *authorization = request_header(request, "Authorization");

    if (authorization != NULL && strncmp(authorization, "AWS4-", 5) == 0) {
        identify_by_signature(request);
        return;
    }
    switch (auth_identify(request, &request->principal)) {
    case AUTH_KNOWN:
        carry_out(request);
        return;
    case AUTH_ASKS:
        return; /* aws_handle() is called again */
    case AUTH_REFUSED:
        if (authorization != NULL) {
            unknown_client(request);
            return;
        }
        aws_refuse(request, 400, "MissingAuthenticationTokenException",
                   "Missing Authentication Token");
        request_finish(request);
    }
}

/* ---- A request ---- */

/* Whether it is one that we know, and its body JSON; else the error is written. */
static bool read_request(struct request *request, struct aws *aws)
{
    const char *target = request_header(request, "X-Amz-Target");

    aws->operation = target != NULL ? aws_operation(target) : NULL;
    if (aws->operation == NULL) {
        aws_refuse(request, 400, "UnknownOperationException",
                   target != NULL ? "%.200s is not an operation of this server"
                                  : "the header X-Amz-Target is missing%s",
                   target != NULL ? target : "");
        return false;
    }
    if (!body_read_json(request))
        return false;
    if (json_is_object(request->json))
        return true;
    aws_refuse(request, 400, "SerializationException", "the body must be a JSON object");
    return false;
}

void aws_handle(struct request *request)
{
    struct aws *aws = request->own;

    if (aws != NULL) { /* auth_identify() has found out who asks */
        carry_out(request);
        return;
    }
    aws = arena_alloc(&request->arena, sizeof(*aws));
    request->own = aws;
    if (read_request(request, aws))
        identify(request);
    else
        request_finish(request);
}
