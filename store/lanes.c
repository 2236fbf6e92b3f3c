/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/lanes.h"

#define WANT_MIN 64u
#define IDLE_ROWS 16u

unsigned lane_want(unsigned found)
{
    return 2 * found + WANT_MIN;
}

static unsigned weight_of(bool weighted, size_t lane)
{
    return weighted ? lane_weight((unsigned)lane) : 1;
}

void lanes_divide(const unsigned *found, bool weighted, size_t n, unsigned total, unsigned *ret)
{
    unsigned left = total, sum = 0;

    for (size_t i = 0; i < n; i++) {
        ret[i] = found[i] == 0 ? IDLE_ROWS : 0;
        sum += found[i] == 0 ? 0 : weight_of(weighted, i);
    }
    /* Each round either gives all that is left, or satisfies somebody. */
    while (left > 0 && sum > 0) {
        unsigned round = left, unsatisfied = 0;
        for (size_t i = 0; i < n && left > 0; i++) {
            unsigned want = lane_want(found[i]), weight = weight_of(weighted, i);
            if (found[i] == 0 || ret[i] >= want)
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
