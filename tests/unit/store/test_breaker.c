/* SPDX-License-Identifier: Apache-2.0 */
/* The circuit breaker as a state machine, at times that the test says. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/breaker.h"

#define SECOND INT64_C(1000000)
#define NOW (1000 * SECOND)

static const struct breaker ten = {.on = true,
                                   .window_calls = 10,
                                   .minimum = 4,
                                   .failures = 0.5,
                                   .slow_us = SECOND,
                                   .slow_rate = 0.8,
                                   .open_us = 10 * SECOND,
                                   .max_open_us = 35 * SECOND,
                                   .probes = 3};

static bool see(struct breaker_window *window, const struct breaker *breaker, int64_t now_us,
                const char *calls)
{
    for (const char *c = calls; *c != '\0'; c++)
        breaker_seen(window, breaker, now_us, *c == 'f', *c == 's');
    struct breaker_counts counts = breaker_counts(window, breaker, now_us);
    return breaker_trips(breaker, &counts);
}

static void test_breaker__last_calls(void **state)
{
    struct breaker_window window = {.size = 0};
    struct breaker_counts counts;
    (void)state;

    assert_false(see(&window, &ten, NOW, "fff")); /* fewer than the minimum */
    assert_true(see(&window, &ten, NOW, "f"));
    assert_false(see(&window, &ten, NOW, "....."));
    assert_true(see(&window, &ten, NOW, "f"));
    assert_false(see(&window, &ten, NOW, ".")); /* the oldest failure is out of sight */
    counts = breaker_counts(&window, &ten, NOW);
    assert_int_equal(counts.n, 10);
    assert_int_equal(counts.failed, 4);
    assert_false(see(&window, &ten, NOW, "sssssss")); /* 7 slow of 10 */
    assert_true(see(&window, &ten, NOW, "s"));
    struct breaker other = ten;
    other.window_calls = 3; /* changed while running: begins anew, and is full before the minimum */
    assert_false(see(&window, &other, NOW, "."));
    counts = breaker_counts(&window, &other, NOW);
    assert_int_equal(counts.n, 1);
    assert_true(see(&window, &other, NOW, ".ff"));
    other.on = false;
    assert_false(see(&window, &other, NOW, "fff"));
    other = ten;
    other.slow_us = 0;
    other.window_calls = LIMIT_BREAKER_WINDOW + 5; /* more than there is room for */
    for (unsigned i = 0; i < 3 * LIMIT_BREAKER_WINDOW; i++)
        assert_false(see(&window, &other, NOW, "s"));
    assert_int_equal(breaker_counts(&window, &other, NOW).n, LIMIT_BREAKER_WINDOW);
}

static void test_breaker__window_of_time(void **state)
{
    struct breaker_window window = {.size = 0};
    struct breaker breaker = ten;
    (void)state;

    breaker.window_calls = 0;
    breaker.window_us = 10 * SECOND;
    assert_false(see(&window, &breaker, NOW, "fff"));
    assert_true(see(&window, &breaker, NOW + 9 * SECOND, "f"));
    assert_false(see(&window, &breaker, NOW + 10 * SECOND, "f")); /* three are out of sight */
    assert_int_equal(breaker_counts(&window, &breaker, NOW + 10 * SECOND).failed, 2);
    assert_int_equal(breaker_counts(&window, &breaker, NOW + 3600 * SECOND).n, 0);
    assert_false(see(&window, &breaker, NOW + 3600 * SECOND, "...f"));
    assert_true(see(&window, &breaker, NOW + 3601 * SECOND, "ff"));
}

/* Open twice as long each time, up to the most; chance adds up to a fifth. */
static void test_breaker__opens_longer(void **state)
{
    static const int64_t open_s[] = {10, 20, 35, 35};
    struct circuit circuit = {.version = 7, .since_us = INT64_MIN, .until_us = INT64_MIN}, next;
    int64_t now = NOW;
    (void)state;

    circuit = circuit_trip(&circuit, &ten, now, 0);
    for (size_t i = 0; i < ARRAY_LEN(open_s); i++) {
        assert_int_equal(circuit.state, CIRCUIT_OPEN);
        assert_int_equal(circuit.until_us, now + open_s[i] * SECOND);
        assert_int_equal(circuit.broken_us, NOW);
        assert_int_equal(circuit.openings, i + 1);
        assert_int_equal(circuit_probe(&circuit, &ten, circuit.until_us - 1, 5, SECOND, &next), 0);
        now = circuit.until_us;
        assert_int_equal(circuit_probe(&circuit, &ten, now, 0, SECOND, &next), 0);
        assert_int_equal(circuit_probe(&circuit, &ten, now, 2, SECOND, &next), 2);
        assert_int_equal(next.state, CIRCUIT_HALF_OPEN);
        now += SECOND / 2;
        circuit =
            circuit_report(&next, &ten, &(struct circuit_probes){.good = 1, .failed = 1}, now, 0);
    }
    circuit = circuit_trip(&(struct circuit){.version = 1}, &ten, NOW, 1);
    assert_int_equal(circuit.until_us, NOW + 12 * SECOND);
}

/* However many wait, a phase has so many probes; those that never left may go again. */
static void test_breaker__probes(void **state)
{
    struct circuit circuit = {.version = 1}, next;
    (void)state;

    circuit = circuit_trip(&circuit, &ten, NOW, 0);
    int64_t now = circuit.until_us;
    assert_int_equal(circuit_probe(&circuit, &ten, now, 10000, 30 * SECOND, &next), 3);
    circuit = next;
    assert_int_equal(circuit_probe(&circuit, &ten, now + SECOND, 10000, SECOND, &next), 0);
    circuit = circuit_report(&circuit, &ten, &(struct circuit_probes){.back = 2}, now, 0);
    assert_int_equal(circuit.state, CIRCUIT_HALF_OPEN);
    assert_int_equal(circuit_probe(&circuit, &ten, now + SECOND, 1, 30 * SECOND, &next), 1);
    assert_int_equal(next.since_us, circuit.since_us); /* the same phase */
    circuit = circuit_report(&next, &ten, &(struct circuit_probes){.good = 2}, now, 0);
    assert_int_equal(circuit.state, CIRCUIT_HALF_OPEN);
    assert_int_equal(circuit_probe(&circuit, &ten, now + SECOND, 10000, 30 * SECOND, &next), 1);
    circuit = circuit_report(&next, &ten, &(struct circuit_probes){.good = 1}, now + 2 * SECOND, 0);
    assert_int_equal(circuit.state, CIRCUIT_CLOSED);
    assert_int_equal(circuit.openings, 0);
    assert_int_equal(circuit.since_us, now + 2 * SECOND);
    assert_int_equal(circuit_probe(&circuit, &ten, now, 5, SECOND, &next), 0);
}

/* The node that had the probes is gone: after their time others send new ones, of a new phase. */
static void test_breaker__probes_given_up(void **state)
{
    struct circuit circuit = {.version = 1}, next;
    (void)state;

    circuit = circuit_trip(&circuit, &ten, NOW, 0);
    assert_int_equal(circuit_probe(&circuit, &ten, circuit.until_us, 3, 30 * SECOND, &next), 3);
    circuit = next;
    assert_int_equal(circuit_probe(&circuit, &ten, circuit.until_us - 1, 3, SECOND, &next), 0);
    assert_int_equal(circuit_probe(&circuit, &ten, circuit.until_us, 1, SECOND, &next), 1);
    assert_int_equal(next.state, CIRCUIT_HALF_OPEN);
    assert_int_equal(next.probes, 1);
    assert_true(next.since_us > circuit.since_us);
}

static void test_breaker__by_hand(void **state)
{
    struct circuit open = {.state = CIRCUIT_OPEN, .forced = true, .until_us = INT64_MIN}, next;
    (void)state;

    assert_int_equal(circuit_probe(&open, &ten, NOW, 5, SECOND, &next), 0);
    next = circuit_close(&open, NOW);
    assert_int_equal(next.state, CIRCUIT_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_breaker__last_calls),
        cmocka_unit_test(test_breaker__window_of_time),
        cmocka_unit_test(test_breaker__opens_longer),
        cmocka_unit_test(test_breaker__probes),
        cmocka_unit_test(test_breaker__probes_given_up),
        cmocka_unit_test(test_breaker__by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
