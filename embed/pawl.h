/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * libpawl: the engine inside of your program. It runs processes, timers and remote calls on threads
 * of its own, beside any number of other engines (`pawl up` too) on the same schema, and calls your
 * C functions for service tasks that say pawl:delegate="NAME".
 *
 *     struct pawl *pawl;
 *     struct pawl_error error;
 *     pawl_open(&(struct pawl_options){.conninfo = "dbname=shop"}, &pawl, &error);
 *     pawl_register(pawl, "charge", charge, bank, &error);
 *     pawl_start(pawl, &error);  …  pawl_stop(pawl);  pawl_close(pawl);
 *
 * - Functions that can fail return 0, or -1 with `error` filled (NULL is allowed: then it is not
 *   said why). What they give is set only after 0.
 * - Texts that you pass are UTF-8, NUL-terminated, and copied: they are yours again after the call.
 *   NULL stands for what is left out where the comment says so. JSON comes and goes as text.
 * - Ids are UUIDs as text: PAWL_ID_BYTES with the NUL.
 * - A `struct pawl` is opened, registered with, started, stopped and closed by one thread at a
 * time. A `struct pawl_session` is one connection, used by one thread at a time; open one for each.
 *   Different sessions are independent. The functions of jobs belong to the delegate's thread.
 * - The library keeps no global state but the level and format of its log on stderr; it installs no
 *   signal handlers. Link with `pkg-config --static --libs pawl`.
 */
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PAWL_ID_BYTES 37

struct pawl;
struct pawl_session;
struct pawl_job;

enum pawl_code {
    PAWL_INVALID = 1, /* what you passed, or what the process holds, is wrong */
    PAWL_LIMIT,       /* a limit was reached */
    PAWL_NOT_FOUND,   /* what you named does not exist */
    PAWL_CONFLICT,    /* its state does not allow it: answered already, for example */
    PAWL_DENIED,      /* the database refused for lack of rights */
    PAWL_LOST,        /* the database is away, or asks to try again */
    PAWL_INTERNAL,    /* files, threads, or a bug of ours */
};

struct pawl_error {
    enum pawl_code code;
    char sqlstate[6]; /* "" when it did not come from the database */
    char text[1024];  /* a sentence for people */
};

/* ---- The engine ---- */

struct pawl_options {
    const char *conninfo; /* as libpq takes it; NULL: PGHOST and the like */
    const char *schema;   /* NULL: "pawl" */
    /*
     * The UUID of this installation: no other process that runs may have it, and the same one
     * after a restart finds at once what was under way before (others do after some 15 seconds).
     * NULL: a new one.
     */
    const char *node;
    /* A directory where the commands under way are noted, so that one that ends the process
     * becomes an incident. It belongs to this `node`. NULL: none. */
    const char *journal;
    const char *log_level; /* "debug", "info", "warn", "error"; of the process; NULL: as it is */
    unsigned workers;      /* threads with a connection each; 0: 2 */
    unsigned delegate_threads; /* your functions run on them; 0: 4 */
    unsigned drain_ms;         /* how long pawl_stop() waits for remote calls; 0: 10,000 */
};

/* Makes the schema, or upgrades it, as its owner. Harmless when it is current. */
int pawl_migrate(const struct pawl_options *options, struct pawl_error *error);

/* Checks that the database is there and its schema fits. Nothing runs yet. */
int pawl_open(const struct pawl_options *options, struct pawl **ret_pawl, struct pawl_error *error);
/* Stops it if need be. Close its sessions first. NULL is allowed. */
void pawl_close(struct pawl *pawl);

/*
 * A delegate. It is called on a thread of the engine, several at a time, with no transaction open,
 * and takes as long as it needs (say so in the model: timeout). It answers by pawl_job_succeed(),
 * _throw() or _fail(); what it said last counts, and saying nothing is a failure. It may be called
 * again for the same job (see pawl_job_id()), and must return before pawl_stop() can.
 */
typedef void pawl_delegate(struct pawl_job *job, void *context);

/* Before pawl_start(). The context is yours and must live until pawl_stop() has returned. */
int pawl_register(struct pawl *pawl, const char *name, pawl_delegate *function, void *context,
                  struct pawl_error *error);

/* Starts the threads. From now on processes run, also those that others started. */
int pawl_start(struct pawl *pawl, struct pawl_error *error);
/* Waits for the batches, remote calls and delegates under way, and ends the threads. */
void pawl_stop(struct pawl *pawl);

/* ---- Inside of a delegate. Texts live until it returns ---- */

/*
 * The same for every attempt of this job, and never given to another one: pass it on as an
 * idempotency key, or look whether you have done it already. After a crash in the middle of a job
 * its outcome is unknown: an incident asks what to do, unless the endpoint "delegate:NAME" says
 * {"unknown": "repeat"}.
 */
const char *pawl_job_id(const struct pawl_job *job);
const char *pawl_job_instance(const struct pawl_job *job);
const char *pawl_job_business_key(const struct pawl_job *job); /* NULL: it has none */
unsigned pawl_job_attempt(const struct pawl_job *job);         /* 1, 2, … */
const char *pawl_job_arguments(const struct pawl_job *job);    /* JSON object */

/* The task is done; result: JSON, which its outputs see as `result`; NULL: null. */
void pawl_job_succeed(struct pawl_job *job, const char *result);
/* A BPMN error, which a boundary event may catch; message may be NULL. */
void pawl_job_throw(struct pawl_job *job, const char *code, const char *message);
/* It did not work: tried again by the task's retries, then an incident that shows the message. */
void pawl_job_fail(struct pawl_job *job, const char *message);

/* ---- Sessions: what programs ask of the engine. Each call is a transaction of its own ---- */

int pawl_session_open(struct pawl *pawl, struct pawl_session **ret_session,
                      struct pawl_error *error);
void pawl_session_close(struct pawl_session *session); /* NULL is allowed */

/*
 * Deploys BPMN files together: all of them or none. Needs an engine that runs (this one, or another
 * on the schema), and waits up to timeout_ms for it. error: the first thing that is wrong, with its
 * file and line.
 */
int pawl_deploy(struct pawl_session *session, const char *const *files, size_t n, int timeout_ms,
                struct pawl_error *error);

/* variables: a JSON object; NULL: none. business_key may be NULL. */
int pawl_start_instance(struct pawl_session *session, const char *process, const char *business_key,
                        const char *variables, char ret_instance[PAWL_ID_BYTES],
                        struct pawl_error *error);
/* To exactly one waiter with this key, now; pawl_await() the id for whether it was. */
int pawl_correlate(struct pawl_session *session, const char *message, const char *key,
                   const char *variables, char ret_command[PAWL_ID_BYTES],
                   struct pawl_error *error);
/* Kept for ten minutes until somebody waits for it. */
int pawl_publish(struct pawl_session *session, const char *message, const char *key,
                 const char *variables, struct pawl_error *error);
/* A user task. PAWL_CONFLICT: somebody was faster. */
int pawl_complete(struct pawl_session *session, const char *task, const char *variables,
                  char ret_command[PAWL_ID_BYTES], struct pawl_error *error);
/*
 * Waits until the instance has ended, or the command was carried out. *ret_json: an object with
 * `state` ("pending" when nothing was known after timeout_ms) and `detail`; free it with
 * pawl_free().
 */
int pawl_await(struct pawl_session *session, const char *id, int timeout_ms, char **ret_json,
               struct pawl_error *error);
/* The open user tasks of an instance (NULL: of all, the first 1000) as a JSON array; pawl_free().
 */
int pawl_tasks(struct pawl_session *session, const char *instance, char **ret_json,
               struct pawl_error *error);
/* Variables of a running instance as a JSON object; pawl_free(). */
int pawl_variables(struct pawl_session *session, const char *instance, char **ret_json,
                   struct pawl_error *error);
void pawl_free(char *json);

#ifdef __cplusplus
}
#endif
