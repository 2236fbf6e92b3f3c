/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who asks: the seam between the router and whoever knows users. */
#include "server/request.h"

struct auth;

enum auth_result {
    AUTH_KNOWN = 1, /* *ret_principal says who */
    AUTH_REFUSED,   /* 401: no credentials, or wrong ones */
    AUTH_ASKS,      /* auth_identified() will be called, from any thread */
};

/*
 * Called when a request has come whole. Before its body is read auth_may_try() says whether it
 * brings credentials at all, so that a stranger's body is not read.
 */
enum auth_result auth_identify(struct request *request, struct principal *ret_principal);
bool auth_may_try(struct request *request);

/* Starts and ends what it needs; auth_close() before the desk's, auth_free() behind it. */
int auth_start(struct server *server, struct err *err) MUST_CHECK;
void auth_close(struct auth *auth);
void auth_free(struct auth *auth); /* NULL is allowed */
/* The request shows the token of a callback: for which tenant it acts the token says, whichever are
 * those of who shows it. */
void auth_token_shown(struct request *request);
/* For the audit trail: a known user was refused what he may not. */
void auth_forbidden(struct request *request, const char *what);
/* For the audit trail and the log: credentials, given in this name, do not hold. */
void auth_note_refusal(struct request *request, const char *name);

/* http.c: what auth_identify() found out later. NULL: refused. */
void auth_identified(struct request *request, const struct principal *principal);
