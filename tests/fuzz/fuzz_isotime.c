/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/arena.h"
#include "engine/isotime.h"
#include "tests/fuzz/fuzz.h"

/* Times: whatever is read can be added, written and read again. */

static void check_duration(const struct iso_duration *duration)
{
    char date[28];
    static const int64_t from[] = {0, INT64_MAX, INT64_MIN, INT64_C(1795255200000000)};
    static const int64_t times[] = {0, 1, 3, INT64_MAX};

    for (size_t i = 0; i < ARRAY_LEN(from); i++) {
        for (size_t k = 0; k < ARRAY_LEN(times); k++) {
            int64_t at = iso_add(from[i], duration, times[k]);
            iso_date_format(at, date);
            assert(strlen(date) <= 27);
            if (!duration->negative)
                assert(at >= from[i]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct err err = {.code = ERR_NONE};
    struct iso_duration duration;
    struct iso_cycle cycle;
    struct retry_cycle retry;
    int64_t us, again;
    const char *text = (const char *)data;

    arena_init(&arena, 0);
    if (iso_duration_parse(text, size, &duration, &err) == 0)
        check_duration(&duration);
    if (iso_date_parse(text, size, &us, &err) == 0) {
        char date[28];
        iso_date_format(us, date);
        if (iso_date_parse(date, strlen(date), &again, NULL) == 0)
            assert(us == again);
    }
    if (iso_cycle_parse(text, size, &cycle, &err) == 0) {
        assert(cycle.times == -1 || cycle.times > 0);
        assert(iso_duration_us(&cycle.period) > 0);
        check_duration(&cycle.period);
    }
    if (retry_cycle_parse(&arena, arena_strndup(&arena, text, size), &retry, &err) == 0) {
        assert(retry.tries >= 1);
        for (uint32_t i = 0; i < retry.n_delays; i++) {
            assert(!retry.delays[i].negative);
            check_duration(&retry.delays[i]);
        }
    } else {
        assert(err.column >= 1);
    }
    arena_deinit(&arena);
    return 0;
}
