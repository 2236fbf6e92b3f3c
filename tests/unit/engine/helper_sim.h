/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A store in memory for one family: it keeps the rows, hands commands to the engine, and after each
 * commit checks that the rows index the documents. A plain struct: a copy is a snapshot, and that
 * is how every order of events is tried.
 */
#include "engine/engine.h"

#define SIM_GRAPHS 8
#define SIM_ROWS 160

struct sim_instance {
    struct instance_row row;
    bool ended;
    const char *end_state; /* the data of its end; NULL: completed */
};

struct sim_wait {
    struct uuid instance;
    struct wait wait;
};

struct sim_call {
    struct new_call call;
    bool fired;
};

/* A batch of 1 needs at most this many rounds of loading. */
#define SIM_ROUNDS 200

struct sim {
    struct arena *arena; /* texts of rows; never reset before the end */
    struct arena *batch; /* one batch's */
    const struct graph *graphs[SIM_GRAPHS];
    int n_graphs;
    struct graph *owned[SIM_GRAPHS];
    int64_t now_us;
    uint32_t n_batches;
    struct uuid root;
    struct sim_instance instances[SIM_ROWS];
    size_t n_instances;
    struct sim_wait waits[SIM_ROWS]; /* the rows of timer, subscription, task, by kind */
    size_t n_waits;
    struct new_task tasks[SIM_ROWS];
    size_t n_tasks;
    struct new_external externals[SIM_ROWS]; /* all that were ever offered */
    size_t n_externals;
    struct new_callback callbacks[SIM_ROWS]; /* all that were ever opened */
    size_t n_callbacks;
    unsigned n_accepted; /* of them */
    int64_t heard_us;    /* the last heartbeat of all of them; 0: none */
    struct installation installation;
    unsigned n_offers;  /* again */
    const char *locals; /* what the last one that was offered sees inside; NULL: nothing */
    struct sim_call calls[SIM_ROWS];
    size_t n_calls;
    struct job jobs[SIM_ROWS]; /* ready, retry and incident rows */
    size_t n_jobs;
    struct message_out messages[SIM_ROWS];
    size_t n_messages;
    struct history *history; /* all of it, in the arena */
    const char **history_elements;
    size_t n_history, history_capacity, elements_capacity;
    /* What SQL delegates are asked and answer: in helper_sim.c a delegate `echo` gives its
     * arguments, `null` null, `raise` the BPMN error E1. */
    const char *asked[SIM_ROWS]; /* "name arguments" */
    size_t n_asked;
    unsigned documents_written, rounds;
    int last_result; /* of the last command */
    struct err err;  /* of the last STEP_FAILED */
};

void sim_init(struct sim *sim);
void sim_deinit(struct sim *sim);
/* One process: `body` goes into <process id="key">. The namespaces bpmn (default), camunda, pawl.
 */
const struct graph *sim_deploy(struct sim *sim, const char *key, const char *body);
/* The same with definitions (messages, errors) before the process. */
const struct graph *sim_deploy_with(struct sim *sim, const char *definitions, const char *key,
                                    const char *body);

/* Starts the process at its none start event and runs what is ready. */
struct uuid sim_start(struct sim *sim, const char *key, const char *variables);
/* Without running what is ready. */
struct uuid sim_start_only(struct sim *sim, const char *key, const char *variables);
/* Carries out one command in a batch of its own. */
int sim_run(struct sim *sim, const struct command *command);
/* Several commands of the family in one batch. */
void sim_batch(struct sim *sim, const struct command *commands, size_t n);
/* Runs ready jobs until there are none. */
void sim_drain(struct sim *sim);
/* Commands for rows, by the element id; each asserts that there is such a row and takes it. */
struct command sim_ready(struct sim *sim, const char *element);
struct command sim_task(struct sim *sim, const char *element, const char *variables);
/* The row stays: only some answers end the task. */
struct command sim_external(struct sim *sim, const char *element, enum command_kind kind,
                            const char *body);
/* The same of a callback. */
struct command sim_callback(struct sim *sim, const char *element, enum command_kind kind,
                            const char *body);
struct command sim_message(struct sim *sim, const char *name, const char *variables);
struct command sim_timer(struct sim *sim, const char *element);
struct command sim_result(struct sim *sim, const char *element, const char *response);
struct command sim_sent(struct sim *sim, const char *element);
/* The same, carried out, and what is ready then. */
void sim_complete(struct sim *sim, const char *element, const char *variables);
void sim_receive(struct sim *sim, const char *name, const char *variables);
void sim_succeed(struct sim *sim, const char *element, const char *output);
void sim_callback_fail(struct sim *sim, const char *element, const char *error, const char *cause);
void sim_answer(struct sim *sim, const char *element, const char *response);
void sim_report(struct sim *sim, const char *element);
/* The clock moves; timers and retries that are due run, in order. */
void sim_advance(struct sim *sim, int64_t seconds);
/* Retries the incident at the element by hand. */
void sim_retry(struct sim *sim, const char *element, const char *decision);
void sim_retry_with(struct sim *sim, const char *element, const char *decision,
                    const char *variables);

/* "userA userB": where each token is, "…" if an instance ended; see helper_sim.c. */
const char *sim_where(struct sim *sim);
/* History as short words; see helper_sim.c. */
const char *sim_trace(struct sim *sim);
/* A process variable of the root (or last instance of that process key) as JSON; "-" if none. */
const char *sim_variable(struct sim *sim, const char *name);
const char *sim_variable_of(struct sim *sim, const char *key, const char *name);
/* "timer:T1@+60 message:M1" … rows of the element's waits, for asserts. */
size_t sim_count(const struct sim *sim, enum wait_kind kind);
size_t sim_jobs(const struct sim *sim, enum job_place place);
bool sim_ended(const struct sim *sim, const char *key);
/* Like strstr over the history's data; for asserts. */
bool sim_history_has(const struct sim *sim, enum history_kind kind, const char *piece);

/*
 * Tries every order of everything that can happen next (jobs, messages in `names`, tasks, timers,
 * answers), calls end() whenever nothing can happen any more, and returns how many orders there
 * were.
 */
unsigned sim_explore(struct sim *sim, const char *const *names, const char *response,
                     void (*end)(struct sim *sim));
