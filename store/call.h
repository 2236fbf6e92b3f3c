/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The database's side of remote calls: what the dispatcher reads and writes between a call that a
 * batch queued and the answer that another batch carries out. Each function is one tiny transaction
 * or read. A `struct call_conn` owns one connection and belongs to one thread.
 *
 * An attempt row is committed before its request may leave, and goes with the answer. It names the
 * slot and epoch of the dispatcher that made it: attempts of an earlier epoch have lost their
 * dispatcher.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/uuid.h"

struct store;
struct call_conn;

#define CALL_SLOT (-1) /* the dispatcher's row in `worker` */
#define CALL_GRACE_US                                                                              \
    INT64_C(30000000)      /* after its timeout others leave an attempt alone that long */
#define CALL_TAKE_MAX 500u /* calls of one endpoint taken in one transaction */

/*
 * Takes the dispatcher's slot of this node; its epoch rises, so that what a predecessor left can be
 * told apart. To open a lost connection again, give the epoch (0: a new one): then the slot is only
 * looked at, after waiting for what the lost connection still had open.
 */
enum { CALL_FENCED = 1 }; /* another process runs with this node's id: end */
int call_conn_open(struct store *store, const struct uuid *node, int64_t epoch,
                   struct call_conn **ret_conn, struct err *err) MUST_CHECK;
void call_conn_close(struct call_conn *conn); /* NULL is a no-op */
int64_t call_conn_epoch(const struct call_conn *conn);

/* An endpoint with queued calls. Texts live in the caller's arena. */
struct call_endpoint {
    const char *name;
    bool configured;
    double rate; /* requests a second for all nodes together; 0: no limit */
    int burst, max_in_flight;
    int64_t next_us; /* see permit.h */
    bool hits;       /* the cache has an answer for one of the first in the queue */
    /* The caller's wish for call_take(). */
    unsigned want;
    /* What became of it. */
    unsigned taken;
    int64_t due_us; /* when the next permit is due; INT64_MIN: at once, or nothing is known */
};

/*
 * The endpoints that calls are queued for, by name after `after` (at most 200; fewer: that is all),
 * and the database's time. One read.
 */
#define CALL_WAITING_MAX 200
int call_waiting(struct call_conn *conn, struct arena *arena, const char *after,
                 struct call_endpoint **ret_endpoints, size_t *ret_n, int64_t *ret_now_us,
                 struct err *err) MUST_CHECK;

/* A request that may leave: its attempt is committed. Texts live in the caller's arena. */
struct call_request {
    struct uuid id, instance, root;
    uint32_t token; /* that asked */
    int node;
    uint32_t attempt;
    unsigned endpoint; /* index of what was given to call_take() */
    const char *base_url;
    const char *endpoint_headers; /* JSON object of strings, or of {"secret": where it is} */
    const char *transport;        /* JSON object, see jobexec/transport.h; NULL: as by default */
    const char *method, *path, *headers;
    const char *body; /* NULL: none */
    size_t body_n;
    int64_t connect_timeout_us, timeout_us;
    bool cacheable;           /* its answer may be kept */
    bool repeatable;          /* may leave twice */
    const char *business_key; /* for the log; may be NULL */
};

struct call_take {
    struct call_request *requests;
    size_t n;
    unsigned cached;  /* answered from the cache */
    unsigned refused; /* answered as offline: their endpoint is not configured */
    int64_t now_us;   /* when the attempts were made, by the database's clock */
};

/*
 * In one transaction: answers what the cache knows, refuses what has no endpoint, and takes up to
 * `want` queued calls of each endpoint within its rate. An endpoint whose row somebody else holds
 * locked is left for the next time. After ERR_LOST the commit may have happened: open again, then
 * call_undo().
 */
int call_take(struct call_conn *conn, struct arena *arena, struct call_endpoint *endpoints,
              size_t n, struct call_take *ret_take, struct err *err) MUST_CHECK;
/* The time of the last call_take() whose outcome is not known, for call_undo(); 0: none. */
int64_t call_conn_doubt(const struct call_conn *conn);
/* Queues again what a take in doubt did take: nothing of it has left. */
int call_undo(struct call_conn *conn, int64_t doubt_us, unsigned *ret_n,
              struct err *err) MUST_CHECK;
/* Queues attempts of ours again that did not leave: the same attempt, unless somebody else took it
 * over. */
int call_release(struct call_conn *conn, struct arena *arena, const struct uuid *calls, size_t n,
                 struct err *err) MUST_CHECK;

/* An attempt whose dispatcher is gone. */
struct call_lost {
    struct uuid id, instance;
    uint32_t attempt;
    const char *endpoint, *business_key; /* business_key may be NULL */
    bool repeated;                       /* queued again; else its outcome is reported as unknown */
};
/*
 * Finds attempts of earlier epochs of this slot, and of anybody whose time is long over (at most
 * 500), and queues them again where they may be repeated; else the process is told that the outcome
 * is unknown.
 */
#define CALL_LOST_MAX 500
int call_recover(struct call_conn *conn, struct arena *arena, struct call_lost **ret_lost,
                 size_t *ret_n, struct err *err) MUST_CHECK;
