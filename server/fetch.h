/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Requests that wait until there is work for a worker. Each is a place in a line and a connection
 * that was put aside: no thread, no connection to the database.
 *
 * When a worker of this process has offered work or somebody has given his back, and once a second
 * for other nodes' commits and for leases that end, one question asks how much work there is of all
 * topics that are waited for. As many as it is enough for fetch again, in the order in which they
 * came; who finds nothing, as its conditions want another task or somebody was faster, lets the
 * others go first for a while.
 */
#include "server/request.h"

struct fetches;

struct fetches *fetches_new(struct desk *desk);
void fetches_free(struct fetches *fetches); /* NULL is allowed */
/* There may be new work. Any thread; never waits for long. */
void fetches_committed(struct fetches *fetches);
/* Ends the waits whose time is over or whose client has gone. Now and then, by one thread. */
void fetches_tick(struct fetches *fetches, int64_t now_us);
/* All waits end now, and those to come at once. */
void fetches_close(struct fetches *fetches);
unsigned fetches_open(struct fetches *fetches);

/*
 * Carries out an operation that fetches. Its statement gives no body when there is no work: then
 * the request waits as long as it says, by ?wait=30s, in Camunda's dialect by the member
 * asyncResponseTimeout; LIMIT_AWAIT_S at most.
 */
void fetch_work(struct request *request);
