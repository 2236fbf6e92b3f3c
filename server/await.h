/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Requests that wait until it is known what became of an instance, command, message or deployment.
 * Each is a row of a hash table and a connection that was put aside: no thread, no connection to
 * the database.
 *
 * Workers of this process say what they have committed; the ids that somebody waits for are asked
 * of the database together, one question at a time. What other nodes commit is found by asking for
 * all of them once a second.
 */
#include "server/request.h"

struct awaits;

/* outcome: {"state":…,"detail":…}, borrowed; NULL: nothing is known yet and the time is over. On
 * any thread. */
typedef void await_then_fn(struct request *request, const json_t *outcome);

struct awaits *awaits_new(struct desk *desk);
void awaits_free(struct awaits *awaits); /* NULL is allowed */
/* The request must be put aside already (request_suspend()); it is so after request_ask(). */
void awaits_add(struct awaits *awaits, struct request *request, const struct uuid *id,
                int64_t wait_us, await_then_fn *then);
/* What a worker has committed. Any thread; never waits for long. */
void awaits_committed(struct awaits *awaits, const struct uuid *ids, size_t n);
/* Ends the waits whose time is over, and asks for all once a second. Now and then, by one thread.
 */
void awaits_tick(struct awaits *awaits, int64_t now_us);
/* All waits end now, and those to come at once. */
void awaits_close(struct awaits *awaits);
unsigned awaits_open(struct awaits *awaits);

/* then of request_ask() for an operation that awaits: ?await=30s. */
void await_answer(struct request *request, const struct desk_answer *answer);
