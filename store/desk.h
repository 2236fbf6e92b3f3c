/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Where requests from outside ask the database. Whoever serves them gives a desk_request and goes
 * on; a thread of the desk runs its statement and calls done(). One thread and connection writes,
 * some read, and one is kept for short reads that others wait for, so that long ones do not hold up
 * everybody: no thread and no connection belongs to a request.
 *
 * Writes that wait together become one transaction: one pipeline, one commit, up to
 * LIMIT_BATCH_COMMANDS. If the database refuses one of them, all is rolled back and run again, each
 * behind a savepoint, so that only that one is refused. done() is called after the commit.
 *
 * Before the commit, whatever starts, answers and messages the transaction has accepted are judged
 * by the inputSchema of what they are for. A request that made one that does not pass is refused
 * with DESK_INPUT, and the others run again without it.
 *
 * A statement is a section of sql/queries/. Its parameters are texts; its columns are
 *   status int, body text          the answer; the body may be NULL
 *   [subject uuid]                 what came of it: an instance, a command, to be waited for. One
 *                                  that makes a start, an answer or a message must say which
 */
#include "base/err.h"
#include "base/uuid.h"

#define DESK_PARAMS 8u

struct desk;

struct desk_answer {
    const char *sqlstate;                /* NULL: done; else the three texts say why not */
    const char *message, *hint, *detail; /* hint and detail may be NULL */
    int status;
    const char *body; /* n bytes, NUL-terminated; NULL: none */
    size_t n;
    struct uuid subject; /* nil: none */
};

struct desk_request {
    const char *query;               /* its name in sql/queries */
    const char *params[DESK_PARAMS]; /* NULL: SQL NULL */
    size_t n_params;
    bool writes;
    bool urgent; /* reads, and others wait for it: who asks, what became of what they wait for */
    const char *caller; /* JSON: who asks, as set_config('pawl.caller', …) gets it; never NULL */
    /* Once, on a thread of the desk, or on the caller's when nothing can be asked. The answer lives
     * until it returns; the request may be used again in it. */
    void (*done)(void *context, const struct desk_answer *answer);
    void *context;
    struct desk_request *next; /* the desk's, until done() */
};

/* What the desk says of itself, SQLSTATEs of PostgreSQL: */
#define DESK_AWAY "57P03"     /* the database cannot be reached, or the desk is closed */
#define DESK_IN_DOUBT "08007" /* the connection was lost in the commit: it may have happened */

#define DESK_INPUT "PW022" /* what it brings does not pass the inputSchema */

struct desk_options {
    const char *conninfo, *schema; /* as of store_options */
    unsigned readers;              /* 0: 2 */
    void *context;
    void (*committed)(void *context); /* something was written and committed */
    /* The desk's connections cannot be made, or can again; why: NULL when they can. */
    void (*reachable)(void *context, const char *why);
};

/* Starts the threads; they connect by themselves, so a database that is away is no failure. */
int desk_start(const struct desk_options *options, struct desk **ret_desk,
               struct err *err) MUST_CHECK;
/* Owned by the desk until done(). Any thread. */
void desk_submit(struct desk *desk, struct desk_request *request);
/* What waits is still carried out; what comes later is refused. Ends the threads. */
void desk_close(struct desk *desk);
void desk_free(struct desk *desk); /* closes; NULL is allowed */

struct desk_stats {
    uint64_t writes, reads, commits, alone; /* alone: run again behind savepoints */
    unsigned waiting;                       /* now */
};
void desk_stats(struct desk *desk, struct desk_stats *ret_stats);
