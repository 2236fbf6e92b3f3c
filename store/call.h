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
#include "store/breaker.h"

struct store;
struct call_conn;

#define CALL_SLOT (-1) /* the dispatcher's row in `worker` */
#define CALL_GRACE_US                                                                              \
    INT64_C(30000000)      /* after its timeout others leave an attempt alone that long */
#define CALL_TAKE_MAX 500u /* calls of one endpoint taken in one transaction */
/*
 * A node whose dispatcher has shown no sign of life for so long has lost what it has under way:
 * another node deals with it. Its heart beats more often than that: call_beat().
 */
#define CALL_LIFE_US INT64_C(15000000)

/*
 * Takes the dispatcher's slot of this node; its epoch rises, so that what a predecessor left can be
 * told apart. To open a lost connection again, give the epoch (0: a new one): then the slot is only
 * looked at, after waiting for what the lost connection still had open.
 */
enum { CALL_FENCED = 1 }; /* the slot is not ours any more: see call_fenced_by_node() */
int call_conn_open(struct store *store, const struct uuid *node, int64_t epoch,
                   struct call_conn **ret_conn, struct err *err) MUST_CHECK;
void call_conn_close(struct call_conn *conn); /* NULL is a no-op */
int64_t call_conn_epoch(const struct call_conn *conn);
/* C delegates have an endpoint each, for their limits; makes those that are missing. */
int call_delegates(struct call_conn *conn, struct arena *arena, const char *const *endpoints,
                   size_t n, struct err *err) MUST_CHECK;
/* A sign of life; each call_take() is one, too. May return CALL_FENCED. */
int call_beat(struct call_conn *conn, struct err *err) MUST_CHECK;
/*
 * After CALL_FENCED: was it another node that took this one for dead? Then what was under way is
 * lost, and a new epoch may be taken. Else another process runs with this node's id: end.
 */
int call_fenced_by_node(struct store *store, const struct uuid *node, bool *ret_by_node,
                        struct err *err) MUST_CHECK;

/* An endpoint with queued calls, and what the nodes agree on. Texts live in the caller's arena. */
struct call_endpoint {
    const char *name;
    bool configured;
    unsigned queued; /* 500 is many */
    double rate;     /* requests a second for all nodes together; 0: no limit */
    int burst, max_in_flight;
    bool counted;        /* there is a limit for all nodes together */
    double retry_budget; /* share of requests that may be retries; below 0: no limit */
    int64_t timeout_us;  /* of a call that has none of its own */
    bool hits;           /* the cache has an answer for one of the first in the queue */
    bool impatient;      /* one in the queue waits no longer */
    bool stated;         /* it has a row of endpoint_state */
    bool held;           /* nothing leaves of any endpoint: hold_calls() */
    int64_t held_us;     /* nothing leaves before */
    int64_t next_us;     /* permits before are given away: see permit.h */
    struct breaker breaker;
    struct circuit circuit;
    /* The caller's wishes for call_agree(). */
    bool change; /* circuit becomes next_circuit */
    struct circuit next_circuit;
    const char *why;                     /* NULL: as before */
    int64_t lease_from_us, lease_end_us; /* a stretch of permits; end INT64_MIN: none wanted. It is
                                            ours if next_us is as it was read */
    int64_t hold_us;                     /* INT64_MIN: none wanted */
    bool changed, leased;                /* what became of it: nobody was faster */
    bool kept;                           /* hold_us is known to all, or a later one is */
    /* The caller's wishes for call_take(). */
    unsigned want;
    int retries;     /* of them, at most; -1: all may be */
    bool probing;    /* they are probes of this phase */
    unsigned probes; /* how many next_circuit grants to this node */
    /* What became of it. */
    unsigned taken, retried;
};

/*
 * The endpoints that calls are queued for, by name after `after` (at most 200; fewer: that is all),
 * and the database's time. One read.
 */
#define CALL_WAITING_MAX 200
int call_waiting(struct call_conn *conn, struct arena *arena, const char *after,
                 struct call_endpoint **ret_endpoints, size_t *ret_n, int64_t *ret_now_us,
                 struct err *err) MUST_CHECK;
/* The same of certain endpoints, whether calls are queued or not. */
int call_endpoints(struct call_conn *conn, struct arena *arena, const char *const *names, size_t n,
                   struct call_endpoint **ret_endpoints, size_t *ret_n, int64_t *ret_now_us,
                   struct err *err) MUST_CHECK;

/* Compares and sets what is wished for, in one tiny transaction that holds no other lock. */
int call_agree(struct call_conn *conn, struct call_endpoint *endpoints, size_t n,
               struct err *err) MUST_CHECK;

/* What this node saw of an endpoint since it last told. For people; nothing depends on it. */
struct call_seen {
    const char *name, *outcomes; /* JSON object of numbers, to be added */
    struct breaker_counts recent;
    int64_t answer_age_us, failure_age_us; /* of the last ones; -1: none */
    const char *last_error;                /* NULL: none */
};
int call_tell(struct call_conn *conn, struct arena *arena, const struct call_seen *seen, size_t n,
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
    bool cacheable;   /* its answer may be kept */
    bool repeatable;  /* may leave twice */
    int64_t phase_us; /* of the circuit, when it was taken */
    bool probe;
    const char *business_key, *element; /* for the log; may be NULL */
};

struct call_take {
    struct call_request *requests;
    size_t n;
    unsigned cached;  /* answered from the cache */
    unsigned refused; /* answered as offline: their endpoint is not configured */
    unsigned waited;  /* answered as open or expired */
    int64_t now_us;   /* when the attempts were made, by the database's clock */
};

/*
 * In one transaction: answers what the cache knows, what has no endpoint and what waits no longer,
 * and takes up to `want` queued calls of each endpoint. An endpoint whose circuit has just been
 * opened gives none, nor one whose limit over all nodes is being counted by somebody else. After
 * ERR_LOST the commit may have happened: open again, then call_undo().
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
    const char *endpoint, *business_key, *element; /* the last two may be NULL */
    bool repeated; /* queued again; else its outcome is reported as unknown */
};
/*
 * Fences nodes that show no sign of life, if asked to (whoever has not looked at them for
 * CALL_LIFE_US must not: it may have been the database that was away). Then finds attempts of
 * earlier epochs, and those whose time is long over (at most 500), and queues them again where they
 * may be repeated; else the process is told that the outcome is unknown.
 */
#define CALL_LOST_MAX 500
int call_recover(struct call_conn *conn, struct arena *arena, bool fence_others,
                 struct call_lost **ret_lost, size_t *ret_n, struct err *err) MUST_CHECK;
