/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Stands in for http.c, router.c and auth.c, so that a handler can be given a request that has come
 * whole, and what it does with it be seen: it answers, or it asks the database. Included by one
 * file of a program.
 */
#include "server/auth.h"
#include "server/server_internal.h"
#include "tests/fuzz/message.h"

struct exchange {
    struct request request; /* first: a request is its exchange */
    struct message message;
    unsigned answers, questions; /* how often it has done which */
    const char *query, *params[DESK_PARAMS];
    size_t n_params;
    void (*then)(struct request *request, const struct desk_answer *answer);
};

static struct exchange *exchange_of(const struct request *request)
{
    return (struct exchange *)(uintptr_t)request;
}

/* False: it is not what the guard lets through. */
static bool exchange_begin(struct exchange *exchange, const uint8_t *data, size_t size)
{
    struct request *request = &exchange->request;
    struct guard_body body;

    *exchange = (struct exchange){.request = {.dialect = DIALECT_PAWL}};
    arena_init(&request->arena, 0);
    buf_init(&request->body, 0);
    buf_init(&request->response.body, 0);
    if (!message_read(arena_strndup(&request->arena, (const char *)data, size), size,
                      &exchange->message))
        return false;
    const struct message *message = &exchange->message;
    struct guard_request guarded = {message->version, message->uri, message->headers,
                                    message->n_headers, false};
    if (guard_judge(&guarded, &body) != NULL)
        return false;
    request->target = message->uri;
    request->method = METHOD_POST;
    request->principal = (struct principal){.name = "anna", .rights = RIGHT_ANY, .caller = "{}"};
    buf_add(&request->body, message->body, message->body_n);
    return true;
}

static void exchange_end(struct exchange *exchange)
{
    json_decref(exchange->request.json);
    buf_deinit(&exchange->request.body);
    buf_deinit(&exchange->request.response.body);
    arena_deinit(&exchange->request.arena);
}

/* ---- http.c ---- */

const char *request_header(const struct request *request, const char *name)
{
    return message_header(&exchange_of(request)->message, name);
}

size_t request_headers(const struct request *request, struct guard_header *list, size_t room)
{
    const struct message *message = &exchange_of(request)->message;
    size_t n = message->n_headers < room ? message->n_headers : room;

    memcpy(list, message->headers, n * sizeof(*list));
    return n;
}

void request_ask(struct request *request, const char *query, bool writes UNUSED,
                 const char *const *params, size_t n_params,
                 void (*then)(struct request *request, const struct desk_answer *answer))
{
    struct exchange *exchange = exchange_of(request);

    assert(n_params <= DESK_PARAMS);
    exchange->questions++;
    exchange->query = query;
    exchange->n_params = n_params;
    memcpy(exchange->params, params, n_params * sizeof(*params));
    exchange->then = then;
}

void request_finish(struct request *request)
{
    exchange_of(request)->answers++;
}

const char *request_address(struct request *request UNUSED)
{
    return "local";
}

/* ---- router.c, which knows all handlers ---- */

const char *method_name(enum method method UNUSED)
{
    return "POST";
}

/* ---- auth.c: anna is known, who says that he is nobody is not ---- */

enum auth_result auth_identify(struct request *request, struct principal *ret_principal)
{
    const char *value = request_header(request, "Authorization");

    *ret_principal = request->principal;
    return value == NULL || strcmp(value, "Bearer anna") == 0 ? AUTH_KNOWN : AUTH_REFUSED;
}

void auth_token_shown(struct request *request UNUSED)
{
}
void auth_forbidden(struct request *request UNUSED, const char *what UNUSED)
{
}
void auth_note_refusal(struct request *request UNUSED, const char *name UNUSED)
{
}

void server_count_callback(struct server *server UNUSED, unsigned status UNUSED)
{
}
