/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The HTTP server. The only user of libmicrohttpd; it knows nothing of the job executor: what it
 * shows is asked of its owner.
 *
 *   http.c     the listening socket, requests in, answers out
 *   guard.c    whether a request is one at all: what makes two of one is refused
 *   router.c   which handler a path has, by the table of routes.c
 *   health.c, metrics.c, process.c   the handlers
 *
 * Handlers run on the server's own threads, several at a time.
 */
#include "base/buf.h"
#include "base/err.h"

struct server;

/* What somebody who asks /readyz wants to know. */
struct server_check {
    const char *name;
    /* Whether all is well; else writes a few words why not. */
    bool (*run)(void *context, char *why, size_t why_bytes);
};

struct server_options {
    const char *listen;  /* "127.0.0.1:9464"; port 0: any that is free */
    const char *version; /* for pawl_build_info */
    void *context;       /* for the callbacks; any of the server's threads may call them */
    const struct server_check *checks;
    size_t n_checks;
    /* Adds metrics in Prometheus' text format (base/metrics.h). */
    void (*metrics)(void *context, struct buf *text);
};

/* Whether it may listen there: an address of loopback with a port. */
int server_check_address(const char *listen, struct err *err) MUST_CHECK;
int server_start(const struct server_options *options, struct server **ret_server,
                 struct err *err) MUST_CHECK;
/* Where it listens, with the port that it got. Lives as long as the server. */
const char *server_address(const struct server *server);
/* Answers under way are sent, new connections are not taken. NULL is allowed. */
void server_stop(struct server *server);
