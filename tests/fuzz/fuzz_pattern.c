/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "events/pattern.h"
#include "events/rules.h"
#include "tests/fuzz/fuzz.h"

/* An event pattern, a NUL, an event: alone and through the index the same comes out. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    size_t n = size != 0 ? strnlen(text, size) : 0, n_matches;
    const struct event_pattern *pattern;
    struct event_fields fields;
    struct err err = {.code = ERR_NONE};
    struct value event;
    struct arena arena;

    arena_init(&arena, 0);
    if (event_pattern_read(&arena, text, n, &pattern, &err) < 0) {
        assert(strncmp(err.text, PATTERN_ERROR, strlen(PATTERN_ERROR)) == 0);
    } else if (n < size && value_read(&arena, text + n + 1, size - n - 1, &event, &err) == 0) {
        event_fields_read(&arena, &event, &fields);
        enum event_match match = event_pattern_match(pattern, &fields, &arena);
        const struct rules_match *matches =
            rules_match(rules_index(&arena, &pattern, 1), &fields, &arena, &n_matches);
        assert(n_matches == (match == PATTERN_DIFFERS ? 0 : 1));
        assert(n_matches == 0 || match == PATTERN_TOO_MUCH || !matches[0].too_much ||
               match == PATTERN_MATCHES);
    }
    arena_deinit(&arena);
    return 0;
}
