/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A request that the guard has let through, from its first line to its answer.
 *
 * A handler fills request->response and calls request_finish(), at once or later. One that asks the
 * database calls request_ask() and returns: its connection is put aside, `then` runs on a thread of
 * the desk when the statement was committed. Nothing of a request may be touched after
 * request_finish().
 */
#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "server/operation.h"
#include "server/principal.h"
#include "server/proxies.h"
#include "server/server.h"
#include "store/desk.h"

#define PATH_PARAMETERS_MAX 4u

struct pair {
    const char *name, *value; /* decoded, UTF-8 */
};

#define RESPONSE_EXTRA_MAX 4u

struct response {
    unsigned status;
    const char *content_type;
    const char *allow;                     /* 405 */
    const char *location;                  /* 201 */
    unsigned retry_after;                  /* seconds; 0: none */
    bool authenticate;                     /* WWW-Authenticate */
    bool close;                            /* it is the last one of its connection */
    struct pair extra[RESPONSE_EXTRA_MAX]; /* headers of one dialect */
    size_t n_extra;
    struct buf body;
};

struct peer;

/* Why a request is refused. */
struct problem {
    unsigned status;
    const char *code; /* SQLSTATE or NULL */
    const char *message, *hint;
};

struct request {
    struct server *server;
    struct peer *peer;                /* its connection; NULL: no memory was left for it */
    char address[ADDRESS_TEXT_BYTES]; /* of request_address(); "": not known yet */
    enum proxied proxied;
    const struct server_options *options;
    const struct operation *operation; /* NULL: none has this path and method */
    enum dialect dialect;              /* of its errors */
    enum method method;                /* HEAD comes as GET */
    struct arena arena;
    const char *target; /* as it came: path and query */
    size_t path_n;      /* of it, without the query */
    struct pair path[PATH_PARAMETERS_MAX];
    size_t n_path;
    struct pair *query;
    size_t n_query;
    struct buf body;
    json_t *json; /* of a JSON body; NULL: none */
    struct principal principal;
    void (*identified)(struct request *request); /* of request_identify() */
    struct response response;
    struct desk_request desk;
    void (*then)(struct request *request, const struct desk_answer *answer);
    void *own; /* the handler's, in the arena */
    int64_t began_us;
};

/* ---- What it says ---- */

/* By name; NULL: not there. */
const char *request_path(const struct request *request, const char *name);
const char *request_query(const struct request *request, const char *name);
const char *request_header(const struct request *request, const char *name);
/* "https://host:port", as the client calls it. */
const char *request_origin(struct request *request);
struct guard_header;
/* All headers as they came, up to `room`; they live as long as the request. */
size_t request_headers(const struct request *request, struct guard_header *list, size_t room);
/* What its operation's statement gets: DESK_PARAMS at most. */
size_t request_arguments(struct request *request, const char **ret_arguments);
/* Whether its body is JSON in UTF-8, by its Content-Type. */
bool request_is_json(const struct request *request);

/*
 * Whether a page of another site has made a browser send it, perhaps with credentials that the
 * browser knows: a form needs no leave for that. Then the response says so. Programs have no
 * Origin, or that of files (Camunda Modeler: file://).
 */
bool request_is_foreign(struct request *request);

/* Whether its client has closed the connection, which was put aside. */
bool request_is_gone(const struct request *request);

/* Whether its body is a zip file, by its Content-Type. */
bool request_is_zip(const struct request *request);

/* ---- What becomes of it ---- */

/* Runs a statement; `then` NULL: its answer is the response. params: as many as it takes. */
void request_ask(struct request *request, const char *query, bool writes, const char *const *params,
                 size_t n_params,
                 void (*then)(struct request *request, const struct desk_answer *answer));
/* Finds out who asks, and goes on if he may do it; else it is answered. On any thread. */
void request_identify(struct request *request, void (*then)(struct request *request));
/* Puts it aside until request_finish(), which may then come from any thread. */
void request_suspend(struct request *request);
void request_finish(struct request *request);
/* Gives its body back: nobody looks at it, nor at what its statement got, any more. */
void request_drop_body(struct request *request);
/* The response of a statement's answer. */
void request_answer(struct request *request, const struct desk_answer *answer);

/* ---- Responses ---- */

void response_text(struct response *response, unsigned status, const char *text);
/* Copies. */
void response_json(struct response *response, unsigned status, const char *body, size_t n);
/* Takes the object over. NULL: it could not be made, which is a fault of ours. */
void response_object(struct request *request, unsigned status, json_t *object);
/* One more header; copies. */
void response_header(struct request *request, const char *name, const char *value);
/* An error in the dialect of the request. hint, code: may be NULL. */
void response_problem(struct request *request, unsigned status, const char *code, const char *hint,
                      const char *format, ...) PRINTF_LIKE(5, 6);
/* The HTTP status of a SQLSTATE; 500: it is a fault of ours, which the log tells. */
unsigned response_status(const char *sqlstate);
/* Tells the log of a failure that is not the fault of who asked. */
void response_log(const char *query, const struct desk_answer *answer);
/* A refusal of the database. */
void response_refused(struct request *request, const struct desk_answer *answer);

/* ---- router.c ---- */

enum route { ROUTE_FOUND = 1, ROUTE_NOT_FOUND, ROUTE_METHOD };
/* Finds the operation; fills operation, dialect, path and query. *ret_allow: ROUTE_METHOD. -1: what
 * was asked for cannot be read; the response says why. */
int router_find(struct request *request, const char *method, const char **ret_allow);

/* ---- body.c ---- */

/* Whether the body and the parameters are what the operation takes; else fills the response. */
bool body_accept(struct request *request);
/* Reads the body into request->json; else fills the response. An empty one is none. */
bool body_read_json(struct request *request);
/* The text of a member that a JSON body has, as it came, so that numbers keep their digits. Before
 * request_arguments(), which takes the body. NULL: the response says why not. */
const char *body_member(struct request *request, const char *name, size_t *ret_n);
/* "30s", "500ms", "2m", "1h". False: it is none of these. */
bool duration_read(const char *text, int64_t *ret_us);

/* ---- Handlers of operations_common.c ---- */

void health_live(struct request *request);
void health_ready(struct request *request);
void metrics_page(struct request *request);
void openapi_page(struct request *request);
