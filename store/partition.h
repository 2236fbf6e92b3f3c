/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The day partitions of history. */
#include "store/conn.h"

#define PARTITION_DAYS_AHEAD 14

/*
 * Makes the partitions of yesterday to PARTITION_DAYS_AHEAD days from now (by the engine's clock)
 * that are missing, each in a transaction of its own, by ATTACH: CREATE … PARTITION OF would stall
 * every insert behind one open reader. Not inside of a transaction.
 */
int partition_ahead(struct conn *conn, struct err *err) MUST_CHECK;
