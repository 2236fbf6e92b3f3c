/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OAuth 2.0 client credentials (RFC 6749, 4.4): a request that needs a token waits until there is
 * one; all that need the same wait for one request. A token lives in memory, until it expires or
 * the service does not take it.
 */
#include "base/build.h"
#include "base/digest.h"

#include <strings.h>

#include "engine/value.h"
#include "base/clock.h"
#include "jobexec/http_internal.h"

#define UNTOLD_S 300       /* a token whose life was not told */
#define ANSWER_BYTES 65536 /* of a token's server */

struct token {
    struct token *next;
    struct http_tokens *tokens;
    struct arena arena; /* holds this struct and the next four */
    const char *url, *client, *scope, *secret;
    struct arena round;            /* what follows; emptied before each request */
    const char *value;             /* NULL: none */
    int64_t until_us;              /* clock_mono_us() */
    bool under_way;                /* `request` is */
    struct http_exchange *waiting; /* linked by next */
    struct transport transport;
    struct http_exchange request;
};

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The endpoint's, whose name, certificates and proxy count for its token, too. */
static struct token *token_of(struct http_tokens *tokens, const struct http_exchange *exchange)
{
    const struct transport *transport = exchange->transport;
    struct token *token = tokens->first;

    while (token != NULL && !(same(token->url, transport->auth.token_url) &&
                              same(token->client, transport->auth.client_id) &&
                              same(token->scope, transport->auth.scope) &&
                              same(token->secret, transport->auth.secret.text)))
        token = token->next;
    if (token != NULL)
        return token;
    struct arena arena;
    arena_init(&arena, 0);
    token = arena_alloc(&arena, sizeof(*token));
    *token = (struct token){.next = tokens->first,
                            .tokens = tokens,
                            .url = arena_strdup(&arena, transport->auth.token_url),
                            .client = arena_strdup(&arena, transport->auth.client_id),
                            .secret = arena_strdup(&arena, transport->auth.secret.text)};
    if (transport->auth.scope != NULL)
        token->scope = arena_strdup(&arena, transport->auth.scope);
    token->arena = arena;
    arena_init(&token->round, 0);
    tokens->first = token;
    return token;
}

/* ---- With a token ---- */

static void launch_with(struct token *token, struct http_exchange *exchange)
{
    struct arena *arena = exchange->arena;
    struct transport *transport = arena_alloc(arena, sizeof(*transport));
    struct secret value = {.text = arena_strdup(arena, token->value), .n = strlen(token->value)};
    struct http_header *headers = arena_array(arena, exchange->n_headers + 1, sizeof(*headers));

    *transport = *exchange->transport;
    transport_hide(arena, transport, &value);
    exchange->transport = transport;
    headers[0] = (struct http_header){.name = "Authorization",
                                      .value = arena_printf(arena, "Bearer %s", value.text),
                                      .secret = true};
    size_t n = 1;
    for (size_t i = 0; i < exchange->n_headers; i++)
        if (strcasecmp(exchange->headers[i].name, "authorization") != 0)
            headers[n++] = exchange->headers[i];
    exchange->headers = headers;
    exchange->n_headers = n;
    http_launch(token->tokens->http, exchange);
}

/* ---- Getting one ---- */

/* What the server said: a token, or why there is none. */
static int read_token(struct token *token, struct err *err)
{
    const struct http_exchange *request = &token->request;
    struct value answer;

    if (request->result != HTTP_COMPLETE)
        return err_set(err, ERR_IO, "%s", request->error);
    if (request->status != 200)
        return err_set(err, ERR_IO, "its server answered with HTTP status %d", request->status);
    if (value_read(&token->round, buf_str(&request->answer), request->answer.len, &answer, err) < 0)
        return err_set(err, ERR_IO, "its server's answer is not JSON");
    const struct value *value = value_member(&answer, "access_token", strlen("access_token"));
    const struct value *type = value_member(&answer, "token_type", strlen("token_type"));
    const struct value *life = value_member(&answer, "expires_in", strlen("expires_in"));
    if (answer.kind != VALUE_OBJECT || value == NULL || value->kind != VALUE_STRING ||
        value->u.string.n == 0 || strpbrk(value->u.string.text, "\r\n") != NULL)
        return err_set(err, ERR_IO, "its server's answer has no access_token");
    if (type != NULL &&
        (type->kind != VALUE_STRING || strcasecmp(type->u.string.text, "bearer") != 0))
        return err_set(err, ERR_IO, "its server's token is no bearer token");
    int64_t life_s = UNTOLD_S;
    if (life != NULL && life->kind == VALUE_NUMBER && life->u.number.is_integer &&
        life->u.number.integer >= 0 && life->u.number.integer < INT32_MAX)
        life_s = life->u.number.integer;
    token->value = arena_strdup(&token->round, value->u.string.text);
    token->until_us = clock_mono_us() + life_s * 900000; /* a tenth is for the way */
    return 0;
}

/* As the token's request ended, so do those that waited: none of them has left. */
static enum http_result result_without(const struct token *token)
{
    switch (token->request.result) {
    case HTTP_TIMED_OUT:
    case HTTP_REFUSED:
        return token->request.result;
    case HTTP_GIVEN_UP:
        return HTTP_NOT_SENT;
    case HTTP_COMPLETE:
    case HTTP_NO_CONNECTION:
    case HTTP_BROKEN:
    case HTTP_TOO_LARGE:
    case HTTP_NOT_SENT:
    default:
        return HTTP_NO_CONNECTION;
    }
}

static void on_token(struct http_exchange *request)
{
    struct token *token = request->owner;
    struct http_exchange *waiting = token->waiting, *next;
    struct err err = {0};

    token->under_way = false;
    token->waiting = NULL;
    bool got = read_token(token, &err) == 0;
    http_exchange_deinit(request);
    for (struct http_exchange *exchange = waiting; exchange != NULL; exchange = next) {
        next = exchange->next;
        exchange->next = NULL;
        exchange->duration_us += clock_mono_us(); /* see http_token_launch() */
        if (got && http_in_time(exchange)) {
            launch_with(token, exchange);
            continue;
        }
        snprintf(exchange->error, sizeof(exchange->error), "auth: no token: %.400s", err.text);
        http_finish(token->tokens->http, exchange, got ? HTTP_NOT_SENT : result_without(token));
    }
}

static void ask(struct token *token, const struct http_exchange *exchange)
{
    struct arena *arena = &token->round;

    token->value = NULL;
    arena_reset(arena);
    struct http_header *headers = arena_array(arena, 3, sizeof(*headers));
    const char *body = "grant_type=client_credentials";

    if (token->scope != NULL)
        body = arena_printf(arena, "%s&scope=%s", body, secret_percent(arena, token->scope));
    const char *both = arena_printf(arena, "%s:%s", secret_percent(arena, token->client),
                                    secret_percent(arena, token->secret));
    headers[0] = (struct http_header){
        .name = "Authorization",
        .value = arena_printf(arena, "Basic %s", digest_base64(arena, both, strlen(both))),
        .secret = true};
    headers[1] =
        (struct http_header){.name = "Content-Type", .value = "application/x-www-form-urlencoded"};
    headers[2] = (struct http_header){.name = "Accept", .value = "application/json"};
    token->transport = *exchange->transport;
    token->transport.auth.type = AUTH_NONE;
    token->transport.redirects.max = 0;
    token->transport.max_response = ANSWER_BYTES;
    token->request = (struct http_exchange){.arena = arena,
                                            .endpoint = exchange->endpoint,
                                            .transport = &token->transport,
                                            .method = "POST",
                                            .url = token->url,
                                            .headers = headers,
                                            .n_headers = 3,
                                            .body = body,
                                            .body_n = strlen(body),
                                            .connect_timeout_us = exchange->connect_timeout_us,
                                            .timeout_us = exchange->timeout_us,
                                            .done = on_token,
                                            .owner = token};
    http_exchange_init(&token->request);
    token->under_way = true;
    http_launch(token->tokens->http, &token->request);
}

void http_token_launch(struct http_tokens *tokens, struct http_exchange *exchange)
{
    struct token *token = token_of(tokens, exchange);

    if (token->value != NULL && clock_mono_us() < token->until_us) {
        launch_with(token, exchange);
        return;
    }
    exchange->duration_us -= clock_mono_us(); /* while it waits: how long counts from here */
    exchange->next = token->waiting;
    token->waiting = exchange;
    if (!token->under_way)
        ask(token, exchange);
}

void http_token_rejected(struct http_tokens *tokens, const struct http_exchange *exchange)
{
    const struct transport *transport = exchange->transport;
    struct token *token = token_of(tokens, exchange);

    /* The last secret is the one that launch_with() added. Another request may have got a new one
     * meanwhile. */
    if (transport->n_secrets != 0 &&
        same(transport->secrets[transport->n_secrets - 1].text, token->value))
        token->value = NULL;
}

void http_tokens_deinit(struct http_tokens *tokens)
{
    for (struct token *token = tokens->first, *next; token != NULL; token = next) {
        next = token->next;
        arena_deinit(&token->round);
        struct arena arena = token->arena;
        arena_deinit(&arena);
    }
}
