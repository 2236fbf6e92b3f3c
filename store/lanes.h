/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Lanes: what is ready, and what callers ask for, is read in lanes that each get a share of a
 * batch, so that nobody waits behind somebody else's burst. A lane's number is a priority and a
 * share: of definition.lane, which deployments hand out in turn, or LANE_OTHERS for what names
 * none.
 */
#include "base/build.h"

#define LANE_SHARES 16u    /* 0: what names none; 1: messages */
#define LANE_PROCESSES 2u  /* and from here on processes, in turn: of the inbox their starts */
#define LANE_PRIORITIES 3u /* normal, high, low: see lane_weight() */
#define LANES (LANE_SHARES * LANE_PRIORITIES)

enum lane_priority { LANE_NORMAL = 0, LANE_HIGH = 1, LANE_LOW = 2 };

/* priority: above 0 high, below 0 low. */
static inline int lane_number(int share, int priority)
{
    unsigned level = priority > 0 ? LANE_HIGH : priority < 0 ? LANE_LOW : LANE_NORMAL;
    return (int)(level * LANE_SHARES) + share;
}

/* What its commands get of a full batch, by those of others: the low ones are never starved. */
static inline unsigned lane_weight(unsigned lane)
{
    static const unsigned weights[LANE_PRIORITIES] = {
        [LANE_NORMAL] = 4, [LANE_HIGH] = 16, [LANE_LOW] = 1};
    return weights[lane / LANE_SHARES];
}

/* How many rows to ask a lane for that gave `found` the last time. */
unsigned lane_want(unsigned found);

struct lanes {
    const unsigned *found; /* by the last claim, a lane each */
    size_t n;
    uint64_t asked; /* a bit a lane: those that are to be read */
    bool weighted;  /* by priority; else all have the same weight */
};

/*
 * Divides `total` rows between the lanes that are asked: each gets what it wants and, where that is
 * too much, by weight; what one does not want goes to the others. A lane that had nothing the last
 * time is asked for a few rows, which nobody takes from it.
 */
void lanes_divide(const struct lanes *lanes, unsigned total, unsigned *ret);
