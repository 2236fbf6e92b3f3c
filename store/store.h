/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * State in PostgreSQL: connections, migrations, definitions, and the batch transaction that carries
 * out commands (lock, load, step, write, commit). The only user of libpq; there is no general query
 * function: each query is a section of sql/queries/ and a function here.
 *
 * A `struct store` is immutable but for its graph cache (guarded by a leaf lock of its own) and
 * shared by all threads. A `struct store_worker` owns one connection and belongs to one thread.
 */
#include "base/metrics.h"
#include "base/uuid.h"
#include "engine/engine.h"

/* Inbox rows with kind >= 100 do not address an instance (sql/functions write them). */
enum inbox_kind {
    INBOX_DEPLOY = 100, /* body: [{"name":…,"content":…}], name: deployment name */
    INBOX_PUBLISH =
        101, /* name, key, ttl_us, body, command_id = message id; detail "all": to each waiter */
    INBOX_CORRELATE = 102, /* name, key or instance_id, body */
    INBOX_RETRY = 103,     /* subject: the incident; body: {"decision":…} for unknown outcomes */
    INBOX_AUDIT =
        104, /* an act that is already done (claim, release): name = history name, body = data */
    INBOX_WITHDRAW = 105, /* subject: the deployment; body; detail: why */
    INBOX_SUSPEND = 106,  /* the family; detail: why */
    INBOX_RESUME = 107,
};

/* History that the store writes, beside enum history_kind; stored. The view events names them. */
enum store_history {
    /* INBOX_AUDIT of that name; data: {"task","assignee","actor","token","node"} */
    HISTORY_TASK_CLAIMED = 100,       /* "taskClaimed" */
    HISTORY_TASK_RELEASED = 101,      /* "taskReleased"; no assignee */
    HISTORY_INSTANCE_SUSPENDED = 103, /* data: {"actor","reason"} */
    HISTORY_INSTANCE_RESUMED = 104,
    HISTORY_INCIDENT_RETRIED = 102, /* by hand; data: {"incident","actor"} and perhaps "decision" */
};

struct store;
struct store_worker;

struct store_options {
    const char *conninfo; /* libpq; NULL: its environment */
    const char *schema;   /* NULL: "pawl" */
    /*
     * Where each worker notes the commands of the batch under way, so that after a crash the next
     * start runs them one by one and finds the one that kills the process. NULL: none is kept.
     */
    const char *journal_dir;
    /*
     * store_migrate(): functions and views that are these very ones are left alone. Making them
     * again wants each view for itself: it waits for whoever reads one, and they for it.
     */
    bool keep_functions;
};

/* Checks the connection and that the schema is of a version this program accepts. */
int store_open(const struct store_options *options, struct store **ret_store,
               struct err *err) MUST_CHECK;
void store_close(struct store *store);

/*
 * Creates or upgrades the schema (one transaction, one node at a time), re-runs sql/functions (see
 * keep_functions), makes partitions of history ahead, and the four roles where it may.
 * ret_from/ret_to: schema versions.
 */
int store_migrate(const struct store_options *options, int *ret_from, int *ret_to,
                  struct err *err) MUST_CHECK;

/*
 * A worker's connection. node: this installation's id (kept in its data directory); slot: 0, 1, …
 * Taking a slot raises its epoch, which waits for what a predecessor still has open.
 */
int store_worker_open(struct store *store, const struct uuid *node, int slot,
                      struct store_worker **ret_worker, struct err *err) MUST_CHECK;
void store_worker_close(struct store_worker *worker);

/*
 * After each commit of this worker: of which commands, messages, deployments and instances it is
 * known now what became of them; none at all (n 0): there is work for who fetches external tasks.
 * On the worker's thread; it must not wait for anything.
 */
typedef void store_committed_fn(void *context, const struct uuid *ids, size_t n);
void store_worker_listen(struct store_worker *worker, store_committed_fn *committed, void *context);

/*
 * Runs JavaScript (engine/script.c says what is asked and answered) for at most that long, on the
 * worker's thread in the middle of a batch. The text of the reply lives in the arena.
 */
enum store_script_end { SCRIPT_REPLIED, SCRIPT_SLOW, SCRIPT_FAILED /* text: why, for people */ };
typedef enum store_script_end store_script_fn(void *context, const char *request, size_t n,
                                              int64_t limit_us, struct arena *arena,
                                              const char **ret_text);
/* Without one, models with scripts fail. */
void store_worker_scripts(struct store_worker *worker, store_script_fn *script, void *context);

/* Is there anything to do? One read, no transaction, no row written. */
struct store_peek {
    bool work;           /* run a batch now */
    bool events;         /* some may wait for store_events() */
    int64_t next_due_us; /* how long until the next timer is due; INT64_MAX: none is known */
};
int store_peek(struct store_worker *worker, struct store_peek *ret_peek,
               struct err *err) MUST_CHECK;

/* The outcome of a remote call, found by the connector; carried out by the next batch. */
struct call_result {
    struct uuid call, instance, root;
    uint32_t token; /* that asked */
    int node;
    uint32_t attempt;
    const char *response; /* JSON object: see jobexec/README.md */
    size_t response_n;
    bool cacheable; /* keep it in the endpoint's cache */
    void *owner;    /* the caller's own */
};

/* What somebody who reads the log wants to know of a batch. */
enum store_notice_kind {
    NOTICE_RETRY = 1,    /* a command failed and is tried again after wait_us */
    NOTICE_INCIDENT = 2, /* a command failed and waits for a person */
    NOTICE_LATE = 3,     /* an answer came after its wait was left */
    NOTICE_ENDED = 4,    /* a root instance ended; text: its state */
    NOTICE_CALLBACK = 5, /* a task that waited for its callback goes on; text: how it ended */
    NOTICE_REFUSED = 6,  /* what somebody asked for could not be done; its outcome says so */
};

struct store_notice {
    enum store_notice_kind kind;
    struct uuid instance;
    const char *business_key;      /* may be NULL, like the next three */
    const char *process, *element; /* ids of the model */
    const char *text;              /* what went wrong */
    unsigned tries;
    int64_t wait_us; /* NOTICE_RETRY */
};

struct store_batch_report {
    unsigned commands; /* carried out and committed */
    unsigned put_off;  /* left for later: family locked, task being answered */
    bool locked_out;   /* nothing but what another worker's families are for */
    unsigned failed;   /* commands that became retries or incidents */
    unsigned calls;    /* calls queued: the caller tells the dispatcher */
    unsigned retries, incidents;
    unsigned started, ended; /* instances */
    unsigned statements, round_trips;
    bool more;              /* the claim was full: go on at once */
    int64_t transaction_us; /* how long the transaction was open */
    int64_t late_us;        /* the largest now - due of the timers that were carried out; 0: none */
    struct histogram late;  /* all of them, in seconds; by histogram_seconds */
    const struct store_notice *notices; /* at most 100; live until the worker's next batch */
    size_t n_notices;
};

/*
 * Runs one batch: up to LIMIT_BATCH_COMMANDS commands of ready, timer and inbox, and the given call
 * results (those of locked families are put off: result_done[i] stays false and the caller gives
 * them again). On ERR_LOST the worker has found out what became of the batch and reconnected, or
 * the caller closes it and opens another.
 */
int store_batch(struct store_worker *worker, const struct call_result *results, size_t n_results,
                bool *result_done, struct store_batch_report *ret_report,
                struct err *err) MUST_CHECK;

/*
 * A slice of what administrators ask for many at once (sql/functions/bulk.sql). ret_wait_us: come
 * again then; INT64_MAX: nothing is under way.
 */
int store_bulk(struct store_worker *worker, int64_t *ret_wait_us, struct err *err) MUST_CHECK;

/*
 * A slice of the events that were put on the buses, unless another worker is at it. ret_done: how
 * many; 0: there was nothing, or others do it. What targets asked for is in the inbox then.
 */
int store_events(struct store_worker *worker, unsigned *ret_done, struct err *err) MUST_CHECK;

/* Housekeeping, every few seconds, by one worker of a node: partitions ahead, expired rows, late
 * commits. */
int store_sweep(struct store_worker *worker, struct err *err) MUST_CHECK;
