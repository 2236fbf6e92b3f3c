/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The worker's connection, for batch.c. */
#include "store/batch.h"

/* After ERR_LOST: connects again and finds out whether batch worker->number was committed. */
int worker_recover(struct store_worker *worker, bool *ret_committed, struct err *err) MUST_CHECK;
