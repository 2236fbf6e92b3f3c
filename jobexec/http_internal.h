/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the connector share. All of it runs on the connector's thread. */
#include "jobexec/http.h"

/* ---- http_request.c ---- */

/*
 * Sets exchange->easy up for its URL. -1: it cannot be sent: exchange->refusal says so if it is the
 * egress guard that does not want it, else exchange->error. Crowded: as many are under way as
 * connections are kept, and libcurl goes through all of them to look for one, or to keep one.
 */
int http_request_set(struct http_exchange *exchange, const char *user_agent, bool crowded);
bool http_head_too_large(const struct http_exchange *exchange);

/* ---- http_redirect.c ---- */

/*
 * Whether the answer is a redirect to follow; then the exchange is at its target: URL, method and
 * body, whose host it is. If it is one that may not be followed, exchange->error says why not.
 */
bool http_redirect(struct http_exchange *exchange);

/* ---- http.c ---- */

/* What http_send() sets. */
void http_exchange_init(struct http_exchange *exchange);
/* False: start_by_us is over. */
bool http_in_time(const struct http_exchange *exchange);
/* Sends one hop: the first, or where a redirect leads. May finish it at once. */
void http_launch(struct http *http, struct http_exchange *exchange);
/* Calls done(), which may free it. */
void http_finish(struct http *http, struct http_exchange *exchange, enum http_result result);

/* ---- http_token.c ---- */

struct token;
struct http_tokens {
    struct http *http;
    struct token *first;
};
/* For AUTH_OAUTH2_CLIENT_CREDENTIALS: launches it with a token, now or when there is one. */
void http_token_launch(struct http_tokens *tokens, struct http_exchange *exchange);
/* The service did not take it: the next request asks for a new one. */
void http_token_rejected(struct http_tokens *tokens, const struct http_exchange *exchange);
void http_tokens_deinit(struct http_tokens *tokens);
