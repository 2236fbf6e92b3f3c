/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How many commands a batch may have: as many as keep a transaction short. After one that was long
 * it is a quarter less, after a full one that was quick some more; when there is less to do it goes
 * back to the beginning, since what comes next may be heavier than what went before.
 */
#include "base/limits.h"

#define PACE_FLOOR 200u /* below, the fixed cost of a batch takes over: half the rate at 50 */
#define PACE_START 300u
#define PACE_STEP 50u
#define PACE_LONG_US 40000 /* so that the next ones stay under 50 ms */
#define PACE_QUICK_US 30000

/* full: there was more to do than the batch had room for. */
static inline unsigned pace_next(unsigned most, bool full, int64_t transaction_us)
{
    if (transaction_us > PACE_LONG_US)
        most = transaction_us > 2 * PACE_LONG_US ? most / 2 : most * 3 / 4;
    else if (full && transaction_us < PACE_QUICK_US)
        most += PACE_STEP;
    else if (!full && most > PACE_START)
        most -= PACE_STEP;
    most = most > PACE_FLOOR ? most : PACE_FLOOR;
    return most < LIMIT_BATCH_COMMANDS ? most : LIMIT_BATCH_COMMANDS;
}
