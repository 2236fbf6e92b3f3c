/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * SQL delegates: statements that an administrator registered, run in the transaction of a batch
 * that has one command only. While one runs, other workers of the process stay free of them.
 */
#include "store/batch.h"

/* Takes one of the places in which delegates may run at the same time; false: all are taken. */
bool delegate_enter(struct store_worker *worker);
/* Gives it back; harmless without one. */
void delegate_leave(struct store_worker *worker);

/*
 * Runs what need->delegate names, and fills in the answer. ERR_DATA: it failed, and the command
 * with it; ERR_LOST: all of it must be tried again. After both the transaction must be rolled back.
 */
int delegate_run(struct batch *batch, struct need *need, struct err *err) MUST_CHECK;
