/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The server, for the files of this folder. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/metrics.h"
#include "server/proxies.h"
#include "server/request.h"
#include "server/tls.h"

/* A connection, from accept to close. */
struct peer {
    struct peer *previous, *next; /* guarded by server.lock */
    struct server *server;
    int fd;
    _Atomic int64_t deadline_us; /* the client's turn ends then; 0: it is ours */
};

/* Of one operation, or of what no operation has. */
struct operation_counts {
    _Atomic uint64_t classes[6]; /* by the first digit of the status */
};

/* What became of answers to callbacks. */
enum callback_result {
    CALLBACK_TAKEN,
    CALLBACK_FORGED,
    CALLBACK_FORBIDDEN,
    CALLBACK_DIFFERENT,
    CALLBACK_LATE,
    CALLBACK_FAILED,
    CALLBACK_RESULTS
};

/* listen.c */
struct listening {
    int fd;
    bool here;   /* nobody elsewhere reaches it */
    bool unlink; /* a socket's file of ours */
    char address[120];
};

struct server {
    struct arena arena;            /* holds this struct and the options' texts */
    struct server_options options; /* immutable */
    struct MHD_Daemon *daemon;
    struct listening listening;
    struct tls *tls;        /* NULL: none */
    struct proxies proxies; /* immutable */
    struct desk *desk;      /* NULL: it serves health and metrics alone */
    struct awaits *awaits;
    struct fetches *fetches;
    struct auth *auth;
    atomic_bool draining;
    _Atomic size_t body_bytes;       /* of all requests' bodies */
    atomic_uint open;                /* requests that have begun to come and are not answered */
    struct operation_counts *counts; /* by operation; the last: none */
    size_t n_operations;
    _Atomic uint64_t callbacks[CALLBACK_RESULTS];
    pthread_mutex_t lock; /* leaf */
    struct peer *peers;   /* guarded by lock, like the rest */
    unsigned n_peers;
    struct histogram seconds;
    bool ending;
    pthread_cond_t ended;
    pthread_t ticker;
    bool ticker_started;
};

int listen_there(const char *where, bool open, struct listening *ret_listening,
                 struct err *err) MUST_CHECK;
/* An answer to a callback or a heartbeat, by the status that it got; AWS's clients get another. */
void server_count_callback(struct server *server, unsigned status);
/* Where a request comes from: an address, by the word of proxies that are believed, or "local" for
 * a Unix socket. */
const char *request_address(struct request *request);
/* Whether it comes from this very machine, and no proxy has asked for somebody else. */
bool request_is_local(struct request *request);
