/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The HTTP server. The only user of libmicrohttpd; it knows nothing of the job executor: what it
 * shows is asked of its owner, what it does is asked of the database by its desk (store/desk.h).
 *
 *   http.c          requests in, answers out; connections put aside
 *   peers.c         connections and their deadlines; client.c, proxies.c: who is at the other end
 *   listen.c        where it listens; tls.c: with which certificate
 *   guard.c         whether a request is one at all: what makes two of one is refused
 *   operation.h     what can be asked, as tables: operations_*.c, a file for each dialect
 *   router.c        which operation a path has
 *   body.c          whether a body and parameters are what the operation takes
 *   auth.c          who asks; verifier.c: passwords
 *   await.c         requests that wait for an outcome; fetch.c: those that wait for work
 *   problem.c       errors in the words of each dialect
 *   openapi.c       the tables as openapi.json
 *   health.c, metrics.c, deploy.c, camunda.c    handlers
 *
 * Handlers run on the server's own threads or on those of the desk, many at a time. A request that
 * waits holds none.
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/uuid.h"

struct server;

/* What somebody who asks /readyz wants to know. */
struct server_check {
    const char *name;
    /* Whether all is well; else writes a few words why not. */
    bool (*run)(void *context, char *why, size_t why_bytes);
};

struct server_options {
    const char *listen;  /* "127.0.0.1:9464", port 0: any that is free; "unix:/path"; "systemd" */
    const char *version; /* for pawl_build_info */
    const char *conninfo, *schema;  /* of the database; as of store_options */
    const char *tls_cert, *tls_key; /* files in PEM; both or none */
    /* Which proxies are believed when they say for whom they ask, and in which header
     * (server/proxies.h); NULL: none. */
    const char *trusted_proxies, *forwarded_header;
    double request_s; /* of a client, to send a request, and to take its answer; 0: 30 */
    bool open;        /* nobody is asked who he is: `pawl up --dev` */
    void *context;    /* for the callbacks; any of the server's threads may call them */
    const struct server_check *checks;
    size_t n_checks;
    /* Adds metrics in Prometheus' text format (base/metrics.h). */
    void (*metrics)(void *context, struct buf *text);
    /* Something was committed that somebody may want to carry out. */
    void (*committed)(void *context);
};

/* openapi.json. */
void openapi_write(struct buf *text, const char *version);
/* Whether it may listen there; open: only where nobody elsewhere reaches it. */
int server_check_address(const char *listen, bool open, struct err *err) MUST_CHECK;
int server_check_proxies(const char *trusted, const char *header, struct err *err) MUST_CHECK;
int server_start(const struct server_options *options, struct server **ret_server,
                 struct err *err) MUST_CHECK;
/* Where it listens, with the port that it got. Lives as long as the server. */
const char *server_address(const struct server *server);
/* Reads the files of TLS again: what is wrong changes nothing, and is said in the log. NULL is
 * allowed. */
void server_reload(struct server *server);
/* What workers of this process have committed: jobexec_options.committed. NULL is allowed. */
void server_committed(struct server *server, const struct uuid *ids, size_t n);
/* From now on operations are answered with 503; health and metrics go on. NULL is allowed. */
void server_drain(struct server *server);
/* Answers under way are sent, new connections are not taken. NULL is allowed. */
void server_stop(struct server *server);
