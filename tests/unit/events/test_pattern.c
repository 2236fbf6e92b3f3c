/* SPDX-License-Identifier: Apache-2.0 */
/* The pattern language: patterns.txt, its limits, and many rules at once. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "events/pattern.h"
#include "events/rules.h"

#define CORPUS PAWL_SOURCE_DIR "/tests/unit/events/patterns.txt"

struct event_read {
    struct value value;
    struct event_fields fields;
};

static struct event_fields fields_of(struct arena *arena, const char *text)
{
    struct event_read *event = arena_alloc(arena, sizeof(*event));
    struct err err = {0};

    if (value_read(arena, text, strlen(text), &event->value, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    event_fields_read(arena, &event->value, &event->fields);
    return event->fields;
}

static const struct event_pattern *pattern_of(struct arena *arena, const char *text)
{
    const struct event_pattern *pattern = NULL;
    struct err err = {0};

    if (event_pattern_read(arena, text, strlen(text), &pattern, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return pattern;
}

static void refused(struct arena *arena, const char *text, const char *reason)
{
    const struct event_pattern *pattern;
    struct err err = {0};

    if (event_pattern_read(arena, text, strlen(text), &pattern, &err) == 0)
        fail_msg("%s was not refused", text);
    if (strncmp(err.text, PATTERN_ERROR, strlen(PATTERN_ERROR)) != 0 ||
        strcmp(err.text + strlen(PATTERN_ERROR), reason) != 0)
        fail_msg("%s: %s", text, err.text);
}

/* Alone, and found by the index: both must say the same. */
static void judged(struct arena *arena, const char *pattern_text, const char *event, bool wanted)
{
    const struct event_pattern *pattern = pattern_of(arena, pattern_text);
    struct event_fields fields = fields_of(arena, event);
    size_t n;

    if (event_pattern_match(pattern, &fields, arena) !=
        (wanted ? PATTERN_MATCHES : PATTERN_DIFFERS))
        fail_msg("%s %s %s", pattern_text, wanted ? "does not match" : "matches", event);
    rules_match(rules_index(arena, &pattern, 1), &fields, arena, &n);
    if (n != (wanted ? 1 : 0))
        fail_msg("%s: the index finds %zu for %s", pattern_text, n, event);
}

static void test_corpus(void **state)
{
    FILE *file = fopen(CORPUS, "r");
    char line[4096], pattern[4096] = "";
    unsigned n = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        struct arena arena;
        line[strcspn(line, "\n")] = '\0';
        char *rest = strchr(line, ' ');
        if (line[0] == '#' || rest == NULL)
            continue;
        *rest++ = '\0';
        arena_init(&arena, 0);
        if (strcmp(line, "pattern") == 0) {
            memcpy(pattern, rest, strlen(rest) + 1);
        } else if (strcmp(line, "refused") == 0) {
            char *arrow = strstr(rest, " -> ");
            assert_non_null(arrow);
            *arrow = '\0';
            refused(&arena, rest, arrow + 4);
        } else {
            judged(&arena, pattern, rest, strcmp(line, "yes") == 0);
        }
        arena_deinit(&arena);
        n++;
    }
    fclose(file);
    assert_true(n > 300);
}

static void test_broken_json(void **state)
{
    struct arena arena;
    const struct event_pattern *pattern;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 0);
    assert_int_equal(event_pattern_read(&arena, "{\"a\": [", 7, &pattern, &err), -1);
    assert_ptr_equal(strstr(err.text, PATTERN_ERROR), err.text);
    arena_deinit(&arena);
}

static void test_too_long(void **state)
{
    size_t n = LIMIT_PATTERN_BYTES + 1;
    struct arena arena;
    const struct event_pattern *pattern;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 0);
    char *text = arena_alloc(&arena, n + 1);
    memset(text, ' ', n);
    assert_int_equal(event_pattern_read(&arena, text, n, &pattern, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.text, "LIMIT_PATTERN_BYTES"));
    arena_deinit(&arena);
}

static void test_too_many_alternatives(void **state)
{
    struct arena arena;
    struct buf text;

    (void)state;
    arena_init(&arena, 0);
    buf_init(&text, 0);
    buf_add_char(&text, '{');
    for (unsigned i = 0; i < 10; i++) {
        buf_printf(&text, "%s\"f%u\": {\"$or\": [{\"a\": [1]}, {\"b\": [1]}]}", i == 0 ? "" : ", ",
                   i);
    }
    buf_add_char(&text, '}');
    refused(
        &arena, buf_str(&text),
        "$or makes more than 1000 alternatives of it (LIMIT_PATTERN_ALTERNATIVES); make several "
        "rules");
    buf_deinit(&text);
    arena_deinit(&arena);
}

/* Two fields in arrays of thousands of elements: it ends, and says that it gave up. */
static void test_too_much_work(void **state)
{
    struct arena arena;
    struct buf text;
    size_t n;

    (void)state;
    arena_init(&arena, 0);
    buf_init(&text, 0);
    buf_add_str(&text, "{\"i\": [");
    for (unsigned i = 0; i < 4000; i++)
        buf_printf(&text, "%s{\"%c\": 1}", i == 0 ? "" : ", ", i % 2 == 0 ? 'a' : 'b');
    buf_add_str(&text, "]}");
    struct event_fields fields = fields_of(&arena, buf_str(&text));
    const struct event_pattern *pattern = pattern_of(&arena, "{\"i\": {\"a\": [1], \"b\": [1]}}");
    assert_int_equal(event_pattern_match(pattern, &fields, &arena), PATTERN_TOO_MUCH);
    const struct rules_match *matches =
        rules_match(rules_index(&arena, &pattern, 1), &fields, &arena, &n);
    assert_int_equal(n, 1);
    assert_true(matches[0].too_much);
    buf_deinit(&text);
    arena_deinit(&arena);
}

/* The index gives what trying each rule gives, in the order of the rules. */
static void test_index(void **state)
{
    static const char *const texts[] = {
        "{\"source\": [\"s%u\"]}",
        "{\"source\": [\"s\"], \"detail\": {\"n\": [%u, \"x\"]}}",
        "{\"source\": [{\"prefix\": \"s%u\"}]}",
        "{\"detail\": {\"n\": [{\"numeric\": [\">\", %u]}]}}",
        "{\"none%u\": [{\"exists\": false}]}",
        "{\"$or\": [{\"source\": [\"s%u\"]}, {\"detail\": {\"n\": [7]}}]}"};
    static const char *const events[] = {
        "{\"source\": \"s1\"}", "{\"source\": \"s\", \"detail\": {\"n\": [1, 7]}}",
        "{\"source\": [\"s3\", \"s2\"], \"detail\": {\"n\": 2.0}}", "{}", "{\"none3\": 1}"};
    const struct event_pattern *patterns[300];
    struct arena arena;

    (void)state;
    arena_init(&arena, 0);
    for (unsigned i = 0; i < ARRAY_LEN(patterns); i++) {
        char text[200];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof(text), texts[i % ARRAY_LEN(texts)],
                 i / (unsigned)ARRAY_LEN(texts) % 10);
#pragma GCC diagnostic pop
        patterns[i] = pattern_of(&arena, text);
    }
    const struct rules *rules = rules_index(&arena, patterns, ARRAY_LEN(patterns));
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        struct event_fields fields = fields_of(&arena, events[i]);
        size_t n, at = 0;
        const struct rules_match *matches = rules_match(rules, &fields, &arena, &n);
        for (size_t j = 0; j < ARRAY_LEN(patterns); j++) {
            if (event_pattern_match(patterns[j], &fields, &arena) != PATTERN_MATCHES)
                continue;
            assert_true(at < n);
            assert_int_equal(matches[at++].rule, j);
        }
        assert_int_equal(at, n);
    }
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus),        cmocka_unit_test(test_broken_json),
        cmocka_unit_test(test_too_long),      cmocka_unit_test(test_too_many_alternatives),
        cmocka_unit_test(test_too_much_work), cmocka_unit_test(test_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
