/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "engine/cycle.h"
#include "tests/fuzz/fuzz.h"

/* Cron expressions: the next time is later, and on the wall clock of a zone with gaps, too. */

static const int64_t from_us[] = {INT64_C(1767225600000000), INT64_C(1774746000000000),
                                  INT64_C(1792890000000000), INT64_C(1800000000000000)};
static const int32_t offset_s[] = {3600, 7200, 3600, 90000};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct zone zone = {
        .name = "test", .n = ARRAY_LEN(from_us), .from_us = from_us, .offset_s = offset_s};
    static const int64_t starts[] = {
        INT64_MIN, -1, 0, INT64_C(1774742400000000), INT64_C(1792886400000000), INT64_MAX};
    const char *text = (const char *)data;
    struct err err = {.code = ERR_NONE};
    struct cycle cycle;

    if (cycle_parse(text, size, &zone, CATCH_UP_ALL, &cycle, &err) < 0) {
        assert(err.column >= 1);
        return 0;
    }
    for (size_t i = 0; cycle.is_cron && i < ARRAY_LEN(starts); i++) {
        int64_t us = starts[i];
        for (unsigned k = 0; k < 20 && us != INT64_MAX; k++) {
            int64_t next = cron_next(&cycle.cron, k % 2 == 0 ? &zone : NULL, us);
            assert(next > us || next == INT64_MAX);
            us = next;
        }
    }
    const struct cycle_time last = {INT64_C(1774742400000000), -1};
    struct cycle_time next = cycle_next(&cycle, &last, last.due_us + 1000000);
    assert(next.due_us > last.due_us);
    return 0;
}
