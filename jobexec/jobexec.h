/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The job executor of one node: worker threads that run batches, one dispatcher thread that takes
 * queued remote calls under their endpoint's limits, one connector thread that carries the HTTP. It
 * logs what people need (base/log.h), reconnects by itself and never ends before it is told to.
 *
 * jobexec_start(), jobexec_drain() and jobexec_stop() are called by one thread (main); the others
 * by any. jobexec/README.md has the threads, the locks and the life of a call.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/metrics.h"
#include "base/uuid.h"

struct store;
struct jobexec;

/* ---- C delegates: functions of the program that embeds the engine ---- */

/* One piece of work. Its texts live until the function returns. */
struct delegate_job {
    struct uuid id; /* the same for each attempt: a second one finds what the first did */
    struct uuid instance;
    const char *business_key; /* may be NULL */
    const char *delegate;     /* its name */
    unsigned attempt;         /* 1, 2, … */
    const char *arguments;    /* JSON object */
};

enum delegate_outcome { DELEGATE_SUCCEEDED = 1, DELEGATE_BPMN_ERROR, DELEGATE_FAILED };

/* What the function says, by one of the next three; the last one counts. They copy the texts. */
struct delegate_reply {
    struct arena *arena;
    enum delegate_outcome outcome; /* 0: nothing, which is a failure */
    const char *result, *code, *message;
};
/* result: JSON; NULL: null. */
void delegate_succeed(struct delegate_reply *reply, const char *result);
void delegate_throw(struct delegate_reply *reply, const char *code, const char *message);
void delegate_fail(struct delegate_reply *reply, const char *message);

struct jobexec_delegate {
    const char *name;
    void (*run)(void *context, const struct delegate_job *job, struct delegate_reply *reply);
    void *context; /* of any number of threads at a time */
};

struct jobexec_options {
    struct uuid node;       /* this installation, kept in its data directory */
    unsigned workers;       /* 0: 2 */
    const char *user_agent; /* "pawl/0.1.0"; NULL: "pawl"; an endpoint's header goes before it */
    unsigned idle_poll_ms;  /* 0: 75 (one worker: 50), the longest that one sleeps */
    unsigned drain_ms;      /* 0: 10,000, how long jobexec_stop() waits for answers under way */
    /* Copied by jobexec_start(). What is under way when it stops is waited for. */
    const struct jobexec_delegate *delegates;
    size_t n_delegates;
    unsigned delegate_threads; /* 0: 4, if there are delegates */
    /* Path of pawl-script, which runs JavaScript; NULL: models with scripts fail. The process must
     * ignore SIGPIPE then. */
    const char *script_program;
    /*
     * May be NULL. After each commit of a worker: the commands, messages, deployments and instances
     * whose outcome is known now; n 0: external tasks can be fetched. On the worker's thread: it
     * must not wait for anything.
     */
    void (*committed)(void *context, const struct uuid *ids, size_t n);
    void *committed_context;
    /* May be NULL. Once, on a thread of the executor: another process runs with this node's id, and
     * nothing is sent from here any more. */
    void (*replaced)(void *context);
    void *replaced_context;
};

/* Opens the connections and starts the threads. The store outlives the executor. */
int jobexec_start(struct store *store, const struct jobexec_options *options,
                  struct jobexec **ret_jobexec, struct err *err) MUST_CHECK;

/*
 * No call is taken any more, running batches end, answers under way get drain_ms, all threads end.
 * What has no answer by then is found by the next start as a call with an unknown outcome. Then the
 * statistics are final. NULL is allowed.
 */
void jobexec_drain(struct jobexec *jobexec);
/* Drains, if that has not been done, and frees. NULL is allowed. */
void jobexec_stop(struct jobexec *jobexec);

/* There is something to do: one worker looks at once. Any thread, until jobexec_stop(). */
void jobexec_wake(struct jobexec *jobexec);

/* Since the start. */
struct jobexec_stats {
    uint64_t commands, batches, put_off, failed; /* failed: became retries or incidents */
    uint64_t retries, incidents;
    uint64_t instances_started, instances_ended;
    uint64_t statements, round_trips;
    uint64_t calls_sent, calls_answered; /* answered: with any outcome, of those sent */
    uint64_t calls_cached, calls_repeated, calls_unknown, calls_late;
    uint64_t reconnects;
    unsigned calls_in_flight; /* now */
    int64_t longest_transaction_us;
    int64_t latest_timer_us;                 /* how late the latest due timer was carried out */
    struct histogram batch_sizes;            /* by histogram_sizes */
    struct histogram transactions, lateness; /* by histogram_seconds: of batches; of timers */
};
void jobexec_stats(struct jobexec *jobexec, struct jobexec_stats *ret_stats);

/* The same, and calls by endpoint, in Prometheus' text format. Any thread, until jobexec_stop(). */
void jobexec_metrics(struct jobexec *jobexec, struct buf *text);
/* How long the thread that was longest without a sign of life has been so. */
int64_t jobexec_silent_us(struct jobexec *jobexec);
