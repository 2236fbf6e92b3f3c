/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The connector: HTTP requests on one thread of its own, thousands in flight. The only user of
 * libcurl; it knows nothing of calls, endpoints or the database.
 *
 * http_send() may be called by any thread; done() is called on the connector's thread and must
 * neither block nor call http_send() with the same exchange before it returns.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "jobexec/transport.h"

struct http;

struct http_header {
    const char *name, *value;
    bool secret; /* a credential: never leaves for another host */
};

enum http_result {
    HTTP_COMPLETE = 1,  /* a whole answer came; `status` says what it is */
    HTTP_NO_CONNECTION, /* name, address, TLS, or the request itself is not sendable */
    HTTP_TIMED_OUT,     /* in connecting or in all */
    HTTP_BROKEN,        /* the connection was made; no whole HTTP answer came through it */
    HTTP_REFUSED,       /* the egress guard did not let it leave */
    HTTP_TOO_LARGE,     /* the answer passes its limit or LIMIT_RESPONSE_HEADER_BYTES */
    HTTP_NOT_SENT,      /* start_by_us was passed before the request could leave: nothing left */
    HTTP_GIVEN_UP, /* under way when http_stop() ran out of time: what became of it is not known */
};

/* One request and what came of it. From http_send() to done() it belongs to the connector. */
struct http_exchange {
    /* The request; all texts live as long as the exchange. */
    struct arena *arena;               /* for what is made on the way */
    const char *endpoint;              /* its name, for texts; NULL: none */
    const struct transport *transport; /* NULL: as by default */
    const char *method, *url;          /* upper case; http or https */
    const struct http_header *headers;
    size_t n_headers;
    const char *body; /* NULL: none */
    size_t body_n;
    int64_t connect_timeout_us, timeout_us;
    int64_t start_by_us; /* clock_boot_us(); 0: any time */
    bool once; /* must not leave twice: no reused connection, where libcurl would try again */
    void (*done)(struct http_exchange *exchange);
    void *owner; /* the caller's own */
    /* The answer; deinit both buffers with http_exchange_deinit(). */
    enum http_result result;
    int status;      /* 0: none came */
    struct buf head; /* "name: value" lines of the last response, as they came, each with \n */
    unsigned n_head;
    struct buf answer; /* the body */
    char error[512];   /* "" when complete */
    int64_t duration_us;
    int64_t ended_s; /* by this machine's calendar */
    /* The connector's own. */
    struct http_exchange *next, **link;
    void *easy, *list;
    char refusal[512]; /* what the egress guard has against the address; "": nothing */
    bool tried;        /* it let a connection be tried */
    unsigned hops;     /* redirects followed */
    bool foreign;      /* by then at another host: without credentials */
};

struct http_options {
    const char *user_agent; /* for requests that bring none; NULL: "pawl" */
};

int http_start(const struct http_options *options, struct http **ret_http,
               struct err *err) MUST_CHECK;
void http_send(struct http *http, struct http_exchange *exchange);
/*
 * Waits up to drain_us for what is under way, gives up the rest (done() is still called for each),
 * ends the thread and frees. Nothing may be sent any more. NULL is allowed.
 */
void http_stop(struct http *http, int64_t drain_us);

void http_exchange_deinit(struct http_exchange *exchange);
