/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the threads of one executor share. jobexec/README.md has the tables of threads and locks. */
#include "jobexec/answers.h"
#include "jobexec/delegates.h"
#include "jobexec/http.h"
#include "jobexec/jobexec.h"
#include "jobexec/meter.h"
#include "jobexec/wake.h"

#include <stdatomic.h>

struct dispatcher;
struct keeper;
struct worker;

struct jobexec {
    struct arena arena;  /* immutable: holds this struct, the workers, the options' texts */
    struct store *store; /* immutable */
    struct jobexec_options options; /* immutable, defaults filled in */
    struct wake workers_wake;
    struct answers answers;
    struct http *http;             /* immutable; has its own lock */
    struct delegates *delegates;   /* immutable; has its own lock; NULL: none */
    struct dispatcher *dispatcher; /* immutable */
    struct keeper *keeper;         /* owner: main */
    struct worker **workers;       /* immutable */
    unsigned n_workers;
    unsigned max_flights;           /* immutable: requests under way at once, for want of sockets */
    atomic_bool draining;           /* set once: workers take no new work but answers */
    _Atomic int64_t drain_until_us; /* clock_mono_us(); set before workers_wake is closed */
    _Atomic int64_t next_sweep_us;  /* clock_mono_us(); who moves it ahead runs the sweep */
    _Atomic int64_t next_events_us; /* the same for a slice of events */
    _Atomic int64_t next_bulk_us;   /* the same for what is asked for many at once */
    pthread_mutex_t stats_lock;     /* leaf */
    struct jobexec_stats stats;     /* guarded by stats_lock */
    struct meter meter;             /* has its own lock */
    bool stopped;                   /* owner: main; the threads have ended */
};

/* ---- dispatcher.c ---- */

/* Sets jobexec->dispatcher. */
int dispatcher_start(struct jobexec *jobexec, struct err *err) MUST_CHECK;
/* Ends the thread: nothing is taken any more. The rest of it is still used by answers under way. */
void dispatcher_stop(struct dispatcher *dispatcher);
/* After the connector has ended. NULL is allowed. */
void dispatcher_free(struct dispatcher *dispatcher);
/* Calls were queued. Any thread. */
void dispatcher_wake(struct dispatcher *dispatcher);
/* An answer was read. Any thread. */
void dispatcher_saw(struct dispatcher *dispatcher, struct flight *flight);
/* Requests under way. Any thread. */
unsigned dispatcher_in_flight(struct dispatcher *dispatcher);

/* ---- keeper.c ---- */

/* Sets jobexec->keeper. */
int keeper_start(struct jobexec *jobexec, struct err *err) MUST_CHECK;
/* Ends a round under way. NULL is allowed. */
void keeper_stop(struct keeper *keeper);

/* ---- worker.c ---- */

int worker_start(struct jobexec *jobexec, unsigned index, struct worker **ret_worker,
                 struct err *err) MUST_CHECK;
/* When it last looked for work, clock_mono_us(). Any thread. */
int64_t worker_seen_us(const struct worker *worker);
/* Waits for its end, which jobexec->draining and the end of workers_wake bring about. */
void worker_join(struct worker *worker);
void worker_free(struct worker *worker); /* NULL is allowed */

/* ---- backoff.c: between two tries to reach the database ---- */

struct backoff {
    unsigned tries;   /* that failed since it last worked */
    uint32_t random;  /* state; not 0 */
    int64_t since_us; /* clock_mono_us() of the first failure */
    uint32_t said;    /* a hash of what was said last */
};
void backoff_init(struct backoff *backoff, uint32_t seed);
/* One more failure: how long to wait, half of it left to chance, 1 s at most. Pure but for the
 * state. */
int64_t backoff_next_us(struct backoff *backoff);
/*
 * Logs the first failure of a row of them, those for another reason than the one before, and the
 * end. who: "worker", "dispatcher"; index: which. A failure that is ours and not the connection's
 * is always logged.
 */
void backoff_failed(struct backoff *backoff, const char *who, unsigned index,
                    const struct err *err);
void backoff_worked(struct backoff *backoff, const char *who, unsigned index);
