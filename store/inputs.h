/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Before a transaction is committed that has asked something of the engine: do the starts, answers
 * and messages that it has accepted pass the inputSchema of what they are for? What counts is what
 * has reached the inbox, by whatever face it came, so that none can forget to ask.
 *
 * Whoever finds a refusal must not commit. Callers of the SQL API are not asked before their own
 * commit: the worker judges what they have said.
 */
#include "store/conn.h"
#include "store/graphs.h"

struct input_refusal {
    struct uuid command; /* as its SQL function has returned it: an instance, a task, a message … */
    const char *words;
};

struct input_refusals {
    struct input_refusal *list;
    size_t n, capacity;
};

/* At the end of a pipeline; two statements. Later ones of the transaction are the engine's own. */
int inputs_send(struct conn *conn, struct err *err) MUST_CHECK;
int inputs_receive(struct conn *conn, struct result **ret_inputs, struct err *err) MUST_CHECK;
/* What does not pass; each command once. Arena memory. */
int inputs_judge(struct conn *conn, struct graphs *graphs, const struct result *inputs,
                 struct arena *arena, struct input_refusals *ret, struct err *err) MUST_CHECK;
/* The words for this command; NULL: it passes. */
const char *inputs_refused(const struct input_refusals *refusals, const struct uuid *command);
