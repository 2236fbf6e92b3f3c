/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/lanes.h"

#define WANT_MIN 64u
#define IDLE_ROWS 16u

unsigned lane_want(unsigned found)
{
    return 2 * found + WANT_MIN;
}

static unsigned weight_of(const struct lanes *lanes, size_t lane)
{
    return lanes->weighted ? lane_weight((unsigned)lane) : 1;
}

void lanes_divide(const struct lanes *lanes, unsigned total, unsigned *ret)
{
    unsigned sum = 0, idle = 0;

    for (size_t i = 0; i < lanes->n; i++) {
        bool asked = lanes->asked >> i & 1, found = asked && lanes->found[i] > 0;
        idle += asked && !found;
        sum += found ? weight_of(lanes, i) : 0;
    }
    /* Kept for who comes: a quarter at most, and a row each at least. */
    unsigned each = idle > 0 ? total / 4 / idle : 0;
    each = each > IDLE_ROWS ? IDLE_ROWS : each > 0 ? each : 1;
    unsigned left = total > each * idle ? total - each * idle : 1;
    for (size_t i = 0; i < lanes->n; i++)
        ret[i] = (lanes->asked >> i & 1) != 0 && lanes->found[i] == 0 ? each : 0;
    /* Each round either gives all that is left, or satisfies somebody. */
    while (left > 0 && sum > 0) {
        unsigned round = left, unsatisfied = 0;
        for (size_t i = 0; i < lanes->n && left > 0; i++) {
            unsigned want = lane_want(lanes->found[i]), weight = weight_of(lanes, i);
            if ((lanes->asked >> i & 1) == 0 || lanes->found[i] == 0 || ret[i] >= want)
                continue;
            unsigned part = (unsigned)((uint64_t)round * weight / sum);
            part = part == 0 ? 1 : part;
            part = part < want - ret[i] ? part : want - ret[i];
            part = part < left ? part : left;
            ret[i] += part;
            left -= part;
            unsatisfied += ret[i] < want ? weight : 0;
        }
        sum = unsatisfied;
    }
}
