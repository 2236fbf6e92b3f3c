/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * C delegates: functions of the program that embeds the engine. A call of method DELEGATE_METHOD
 * goes through the dispatcher like any other, and then to one of these threads instead of to the
 * connector. No transaction is open meanwhile.
 */
#include "jobexec/flight.h"
#include "jobexec/jobexec.h"

struct delegates;

/* The names are copied; with none of them there are no threads. */
int delegates_start(const struct jobexec_delegate *items, size_t n, unsigned threads,
                    struct delegates **ret_delegates, struct err *err) MUST_CHECK;
/*
 * Waits for the functions under way, however long they take, and ends the threads. What has not
 * begun comes back as HTTP_NOT_SENT. Nothing may be given any more. NULL is allowed.
 */
void delegates_stop(struct delegates *delegates);
void delegates_free(struct delegates *delegates); /* NULL is allowed */

/* Is the endpoint of that name one of a C delegate? */
bool delegates_endpoint(const char *endpoint);
/* "service"; "delegate"; "script": the one that runs scripts. As api_endpoint_kind() has it. */
const char *delegates_kind(const char *endpoint);
/* Is it the endpoint of one that is registered here? NULL: none is. */
bool delegates_has(const struct delegates *delegates, const char *endpoint);
/* Those endpoints. */
const char *const *delegates_endpoints(const struct delegates *delegates, size_t *ret_n);
/* Threads that have nothing to do. Any thread. */
unsigned delegates_free_threads(struct delegates *delegates);
/* The function is called on one of the threads, then exchange.done() there. */
void delegates_run(struct delegates *delegates, struct flight *flight);

/* Writes flight->delegate as the response object. */
void delegate_response(struct flight *flight, struct response *ret_response);
