/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What can be asked over HTTP, as tables: one file for each dialect (operations_*.c), a row for
 * each operation. The router, the rights, the checks of what comes in and openapi.json all come
 * from the same row.
 *
 * A row with `query` is a statement of sql/queries/http*.sql that gets one parameter,
 *
 *     {"origin":"http://…","path":{…},"query":{…},"body":…,"headers":{…}}
 *
 * as text, and returns (status int, body text [, subject uuid]): see store/desk.h. How its input
 * is judged no row says: the desk judges whatever a statement has accepted. A row with `handle` is
 * C: where it must wait, take a file apart, or answer without the database.
 *
 * Fields (of a body or of the query) are written as "name:type", separated by blanks; a ! behind
 * the type says that it must be there. Types: string, text (not empty), integer, number, boolean,
 * object, array, uuid, duration ("30s"), any. null counts as not there. What has few values is
 * written as them, with + for a blank: "state:open|half+open". Others are refused with those that
 * there are.
 */
#include "base/build.h"

struct request;

enum method { METHOD_GET = 1, METHOD_POST, METHOD_PUT, METHOD_DELETE, METHOD_PATCH };

enum right {
    RIGHT_NONE = 0,   /* anybody */
    RIGHT_START = 1,  /* start processes, send messages */
    RIGHT_WORK = 2,   /* do tasks */
    RIGHT_READ = 4,   /* see everything */
    RIGHT_AUTHOR = 8, /* deploy */
    RIGHT_ADMIN = 16, /* everything */
    RIGHT_ANY = 31,   /* whoever is known */
    RIGHT_OWN = 32,   /* the handler finds out itself who asks: a signature, a token */
    RIGHT_TOKEN = 64, /* the token of a callback is enough; credentials count if there are any */
};

/* What errors look like, and how strict it is. */
enum dialect {
    DIALECT_PAWL = 1, /* RFC 9457; unknown members and parameters are refused */
    DIALECT_CAMUNDA,  /* {"type","message","code"}; unknown ones are ignored */
    DIALECT_TEXT,     /* a line of text: what machines and people look at */
    DIALECT_OWN,      /* its handler writes its errors: see operation.problem */
};

enum body_kind {
    BODY_NONE = 0,  /* there must be none */
    BODY_JSON,      /* may be missing: null */
    BODY_MULTIPART, /* or JSON, or a zip file */
    BODY_RAW,       /* any bytes, of any type */
};

struct problem;

struct operation {
    enum method method;
    const char *path; /* "/v1/processes/{key}/start"; {id} is a UUID in Pawl's dialect */
    unsigned rights;  /* one of these is enough */
    enum dialect dialect;
    const char *summary; /* a sentence */
    const char *query;   /* the statement */
    bool writes;
    void (*handle)(struct request *request);
    /* What the statement gets, a text each, NULL where it is not there: "request" (the above),
     * "path.NAME", "query.NAME", "caller.name". NULL: "request". */
    const char *arguments;
    enum body_kind body_kind;
    const char *fields;     /* of the body; NULL: any JSON */
    const char *parameters; /* of the query; NULL: none */
    size_t most;            /* bytes of the body; 0: LIMIT_HTTP_BODY_BYTES */
    bool awaits;            /* ?await=DURATION waits for what the statement's subject becomes */
    bool gives_back;        /* an external task, perhaps: who waits for work can have it */
    bool fetches;           /* waits until the statement gives a body: server/fetch.h */
    void (*problem)(struct request *request, const struct problem *problem); /* DIALECT_OWN */
    const char *media;   /* of a good answer; NULL: the dialect's */
    const char *answers; /* for openapi.json: "201 The instance; 200 It was there before" */
};

struct operations {
    const struct operation *list;
    size_t n;
};

/* All tables. */
extern const struct operations operations_common, operations_pawl, operations_control,
    operations_services, operations_users, operations_camunda, operations_aws, operations_webhooks,
    operations_callbacks, operations_sedo, operations_events;

/* Each operation of each table, with its index: for (i = 0; (o = operation_at(i)) != NULL; i++) */
const struct operation *operation_at(size_t i);
const char *method_name(enum method method);
