/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How many instances of a process may be carried on at the same time, by all nodes together
 * (set_concurrency()). A place is an advisory lock until the end of the transaction: nobody waits
 * for one, and a node that dies leaves none behind.
 */
#include "store/batch.h"

/* What is set, as this worker knows it. */
struct place_limit {
    int definition_id;
    int most;
    int64_t key; /* of the first place's lock */
};

/* Families that get no place are given up for this batch: neither locked nor fresh any more. */
int places_take(struct batch *batch, struct err *err) MUST_CHECK;
