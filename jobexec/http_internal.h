/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the connector share. All of it runs on the connector's thread. */
#include "jobexec/http.h"

/* ---- http_request.c ---- */

/*
 * Sets exchange->easy up for its URL. -1: it cannot be sent: exchange->refusal says so if it is the
 * egress guard that does not want it, else exchange->error.
 */
int http_request_set(struct http_exchange *exchange, const char *user_agent);
bool http_head_too_large(const struct http_exchange *exchange);

/* ---- http_redirect.c ---- */

/*
 * Whether the answer is a redirect to follow; then the exchange is at its target: URL, method and
 * body, whose host it is. If it is one that may not be followed, exchange->error says why not.
 */
bool http_redirect(struct http_exchange *exchange);
