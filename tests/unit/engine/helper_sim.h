/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The store in memory of simulator/, as tests drive it: what is missing fails the test, and after
 * each commit it is checked that the rows index the documents. */
#include "simulator/simulator.h"

/* SQL delegates: `echo` gives its arguments, `raise` the BPMN error E1, others null. */
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
