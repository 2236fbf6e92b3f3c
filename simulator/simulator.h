/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A store in memory for one family of instances: it keeps the rows that PostgreSQL would keep,
 * hands commands to the engine, and moves its clock. Pure: what happens outside is said by its
 * caller.
 *
 *   simulator.c   a batch: load, step, write
 *   rows.c        commands for what waits: jobs, timers, tasks, messages, answers
 *   scenario.c    a file of cases, read; scenario_run.c what its steps do; scenario_expect.c what
 *                 they expect; coverage.c what they passed
 */
#include "engine/engine.h"

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

struct sim {
    struct arena *arena;   /* texts and rows; never reset before the end */
    struct arena *batch;   /* one batch's */
    struct graph **graphs; /* of several with one key the last counts */
    size_t n_graphs, graphs_capacity;
    int64_t now_us;
    uint32_t n_batches;
    struct uuid root;
    struct sim_instance *instances;
    size_t n_instances, instances_capacity;
    struct sim_wait *waits; /* the rows of timer, subscription, task, by kind */
    size_t n_waits, waits_capacity;
    struct new_task *tasks;
    size_t n_tasks, tasks_capacity;
    struct new_external *externals; /* all that were ever offered */
    size_t n_externals, externals_capacity;
    struct new_callback *callbacks; /* all that were ever opened */
    size_t n_callbacks, callbacks_capacity;
    unsigned n_accepted; /* of them */
    int64_t heard_us;    /* the last heartbeat of all of them; 0: none */
    struct installation installation;
    unsigned n_offers;  /* again */
    const char *locals; /* what the last one that was offered sees inside; NULL: nothing */
    struct sim_call *calls;
    size_t n_calls, calls_capacity;
    struct job *jobs; /* ready, retry and incident rows */
    size_t n_jobs, jobs_capacity;
    struct message_out *messages;
    size_t n_messages, messages_capacity;
    struct history *history;
    const char **history_elements;
    size_t n_history, history_capacity, elements_capacity;
    const char **asked; /* what SQL delegates were: "name arguments" */
    size_t n_asked, asked_capacity;
    /* SQL delegates are answered by this; NULL: they give null. */
    void (*delegate)(struct sim *sim, struct need *need);
    /* Scripts: gives the reply that engine/script.c wants, as JSON; NULL: they fail. */
    const char *(*script)(void *context, struct arena *arena, const char *request);
    void *script_context;
    /* After each batch that was written; NULL: nothing. */
    void (*written)(struct sim *sim);
    void *context; /* for delegates */
    unsigned documents_written, rounds;
    int last_result;    /* of the last command */
    struct err err;     /* of the last STEP_FAILED */
    struct err trouble; /* why the simulation cannot go on */
};

/* Both arenas are the caller's, and outlive it. */
void simulator_init(struct sim *sim, struct arena *arena, struct arena *batch, int64_t now_us);
void simulator_add_graph(struct sim *sim, struct graph *graph);
/* Another world that begins as this one is; its rows lie in an arena of its own. */
void simulator_copy(struct sim *copy, const struct sim *sim, struct arena *arena);

/* -1: sim->trouble says why. */
int simulator_batch(struct sim *sim, const struct command *commands, size_t n) MUST_CHECK;
int simulator_run(struct sim *sim, const struct command *command) MUST_CHECK;
/* The command, and what is ready then; sim->last_result is the command's. */
int simulator_run_all(struct sim *sim, const struct command *command) MUST_CHECK;
/* What is ready, until nothing is. */
int simulator_drain(struct sim *sim) MUST_CHECK;

/* Loads all that runs into a family, in sim->batch, to look at. */
int simulator_load(struct sim *sim, struct family *ret) MUST_CHECK;
const struct graph *simulator_graph(const struct sim *sim, const char *key);
struct sim_instance *simulator_instance(const struct sim *sim, const struct uuid *id);
/* Element id; "-" where there is none. */
const char *simulator_element(const struct sim *sim, const struct uuid *instance, int node);

/* ---- rows.c: each is false where there is no such row, and takes it. ---- */

struct command simulator_start(struct sim *sim, const struct graph *graph, int node,
                               const char *business_key, const char *variables);
struct command simulator_take_job(struct sim *sim, size_t i);
bool simulator_take_ready(struct sim *sim, const char *element, struct command *ret);
/* By element or (messages) by name, each NULL for any. Timers and callbacks that stay keep a row.
 */
bool simulator_take_wait(struct sim *sim, enum wait_kind kind, enum command_kind command,
                         const char *element, const char *name, const char *body,
                         struct command *ret);
/* The same, and the row stays: only some answers end it. */
bool simulator_find_wait(struct sim *sim, enum wait_kind kind, enum command_kind command,
                         const char *element, const char *body, struct command *ret);
/* COMMAND_CALL_RESULT takes the row; COMMAND_CALL_SENT leaves it. */
bool simulator_take_call(struct sim *sim, enum command_kind kind, const char *element,
                         struct command *ret);
/* Like simulator_take_wait(); of one sent by another part of the process also by its key. */
bool simulator_take_message(struct sim *sim, const char *name, const char *key, const char *body,
                            struct command *ret);
/* When the next timer or retry is due; INT64_MAX: none. */
int64_t simulator_next_due(const struct sim *sim);
/* Timers and retries: the one that is due first, if it is by then; the clock moves to it. */
bool simulator_take_due(struct sim *sim, int64_t until_us, struct command *ret);
