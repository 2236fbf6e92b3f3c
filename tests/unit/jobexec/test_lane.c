/* SPDX-License-Identifier: Apache-2.0 */
/* What a node sees of an endpoint, what it tells the others of it, and what is counted for people.
 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "jobexec/lane.h"
#include "jobexec/meter.h"

#define SECOND INT64_C(1000000)

static struct call_endpoint an_endpoint(void)
{
    return (struct call_endpoint){.name = "service",
                                  .configured = true,
                                  .queued = 10,
                                  .burst = 1,
                                  .held_us = INT64_MIN,
                                  .next_us = INT64_MIN,
                                  .breaker = {.on = true,
                                              .window_calls = 10,
                                              .minimum = 5,
                                              .failures = 0.5,
                                              .slow_rate = 1,
                                              .open_us = SECOND,
                                              .max_open_us = SECOND,
                                              .probes = 3},
                                  .lease_end_us = INT64_MIN,
                                  .hold_us = INT64_MIN,
                                  .retries = -1};
}

/* A circuit grants three probes and the rate lets one leave: two stay for later. */
static void test_lane__probes_within_the_rate(void **state)
{
    struct lane lane = {.name = "service"};
    struct call_endpoint endpoint = an_endpoint();
    int64_t due_us = INT64_MAX;
    (void)state;

    endpoint.rate = 50;
    endpoint.circuit = (struct circuit){.state = CIRCUIT_OPEN, .until_us = SECOND};
    unsigned admitted = lane_admit(&endpoint, 10, 2 * SECOND, &due_us);
    assert_int_equal(admitted, 3);
    unsigned want = lane_permits(&lane, &endpoint, admitted, 2 * SECOND, &due_us);
    assert_int_equal(want, 1);
    lane_narrow(&endpoint, want);
    assert_true(endpoint.change && endpoint.probing);
    assert_int_equal(endpoint.probes, 1);
    assert_int_equal(endpoint.next_circuit.probes, 1);
    assert_int_equal(endpoint.next_circuit.state, CIRCUIT_HALF_OPEN);
    /* None may leave: nothing is wished for. */
    lane_narrow(&endpoint, 0);
    assert_false(endpoint.change || endpoint.probing);
    assert_int_equal(endpoint.probes, 0);
    assert_true(endpoint.lease_end_us == INT64_MIN);
}

/* Who answers a webhook with 410 gets no more, breaker or not, until somebody says otherwise. */
static void test_lane__gone(void **state)
{
    struct lane lane = {.name = "service"};
    struct call_endpoint endpoint = an_endpoint();
    struct lane_saw saw = {.outcome = OUTCOME_STATUS, .status = 410, .error = ""};
    (void)state;

    endpoint.breaker.on = false;
    lane_saw(&lane, &saw, SECOND);
    assert_false(lane.news);
    saw.gone = true;
    lane_saw(&lane, &saw, SECOND);
    assert_true(lane.news);
    lane_adopt(&lane, &endpoint);
    lane_wish(&lane, &endpoint, 2 * SECOND, SECOND, 0);
    assert_true(endpoint.change && endpoint.next_circuit.forced);
    assert_int_equal(endpoint.next_circuit.state, CIRCUIT_OPEN);
    assert_non_null(strstr(endpoint.why, "410"));
    lane_agreed(&lane, &endpoint, 2 * SECOND, SECOND); /* another node was first */
    assert_true(lane.news);
    endpoint.circuit = endpoint.next_circuit;
    endpoint.changed = true;
    lane_agreed(&lane, &endpoint, 2 * SECOND, SECOND);
    assert_false(lane.news);
    /* Somebody has said that all is to leave: it does. */
    lane_saw(&lane,
             &(struct lane_saw){
                 .outcome = OUTCOME_STATUS, .gone = true, .error = "", .phase_us = 2 * SECOND},
             SECOND);
    endpoint.circuit.state = CIRCUIT_CLOSED;
    lane_wish(&lane, &endpoint, 3 * SECOND, SECOND, 0);
    assert_false(endpoint.change || lane.gone);
}

/* What was granted while the connection was lost comes back, and no more than that. */
static void test_lane__probes_in_doubt(void **state)
{
    struct lane lane = {.name = "service"};
    struct call_endpoint endpoint = an_endpoint();
    int64_t due_us = INT64_MAX;
    (void)state;

    endpoint.circuit = (struct circuit){.state = CIRCUIT_OPEN, .until_us = SECOND};
    lane_narrow(&endpoint, lane_admit(&endpoint, 2, 2 * SECOND, &due_us));
    endpoint.want = 0; /* another node counts the endpoint's requests */
    lane_doubt(&lane, &endpoint);
    endpoint.circuit = endpoint.next_circuit;
    lane_adopt(&lane, &endpoint);
    assert_int_equal(lane.probes.back, 2);
}

/* A process may allow its requests more time than the endpoint does: a probe of an earlier phase
 * that was answered after all closes the circuit, one that failed says nothing of this phase. */
static void test_lane__late_probe(void **state)
{
    struct lane lane = {.name = "service"};
    struct call_endpoint endpoint = an_endpoint();
    struct lane_saw saw = {
        .outcome = OUTCOME_TIMEOUT, .phase_us = SECOND, .probe = true, .error = "late"};
    (void)state;

    endpoint.breaker.probes = 1;
    endpoint.circuit = (struct circuit){.state = CIRCUIT_HALF_OPEN, .since_us = 40 * SECOND};
    lane_adopt(&lane, &endpoint);
    lane_saw(&lane, &saw, SECOND);
    assert_false(lane.news);
    saw.outcome = OUTCOME_ANSWERED;
    lane_saw(&lane, &saw, SECOND);
    assert_true(lane.news);
    lane_wish(&lane, &endpoint, 50 * SECOND, SECOND, 0);
    assert_true(endpoint.change);
    assert_int_equal(endpoint.next_circuit.state, CIRCUIT_CLOSED);
    /* While it is open again, it is the next probe's turn. */
    endpoint.circuit = (struct circuit){.state = CIRCUIT_OPEN, .since_us = 60 * SECOND};
    lane_adopt(&lane, &endpoint);
    lane_saw(&lane, &saw, SECOND);
    assert_false(lane.news);
}

/* Somebody has the row locked: the wait counts here at once, and is said again. */
static void test_lane__hold(void **state)
{
    struct lane lane = {.name = "service"};
    struct call_endpoint endpoint = an_endpoint();
    int64_t due_us = INT64_MAX;
    (void)state;

    lane_adopt(&lane, &endpoint);
    lane_hold(&lane, 100, 10 * 365 * 86400 * INT64_C(1000)); /* ten years */
    assert_true(lane.hold_until_us == 100 + 3600 * SECOND);
    for (int i = 0; i < 2; i++) {
        endpoint = an_endpoint();
        lane_wish(&lane, &endpoint, 1000, 200, 0);
        assert_true(endpoint.hold_us == 1000 - 200 + lane.hold_until_us);
        lane_agreed(&lane, &endpoint, 1000, 200);
        assert_true(lane.news);
        lane_keep_back(&lane, &endpoint, 1000, 200);
        assert_int_equal(lane_admit(&endpoint, 5, 1000, &due_us), 0);
    }
    endpoint.kept = true;
    lane_agreed(&lane, &endpoint, 1000, 200);
    assert_false(lane.news);
    /* One that is over, or of an endpoint that is no more, is not news for ever. */
    lane_hold(&lane, 100, 1);
    endpoint = an_endpoint();
    lane_wish(&lane, &endpoint, 5000, 2000, 0);
    assert_true(endpoint.hold_us == INT64_MIN && lane.hold_until_us == 0);
    lane_hold(&lane, 100, 1000);
    endpoint.configured = false;
    lane_wish(&lane, &endpoint, 1000, 200, 0);
    assert_true(lane.hold_until_us == 0);
}

/* A service's certificate, say, is quoted in an error, and cut: the database would refuse that. */
static void test_lane__last_error(void **state)
{
    struct lane lane = {.name = "service"};
    struct call_endpoint endpoint = an_endpoint();
    struct call_seen seen;
    struct arena arena;
    char error[302];
    (void)state;

    error[0] = '\xff';
    for (size_t i = 1; i < sizeof(error) - 1; i += 2)
        memcpy(error + i, "ü", 2);
    error[sizeof(error) - 1] = '\0';
    arena_init(&arena, 0);
    for (size_t from = 0; from < 4; from++) {
        struct lane_saw saw = {.outcome = OUTCOME_OFFLINE, .error = error + from};
        lane_adopt(&lane, &endpoint);
        lane_saw(&lane, &saw, SECOND);
        assert_true(lane_tell(&lane, &arena, SECOND, &seen));
        assert_true(utf8_valid(seen.last_error, strlen(seen.last_error)));
    }
    arena_deinit(&arena);
}

/* However many endpoints there have been, the page of metrics has an end. */
static void test_meter__endpoints(void **state)
{
    struct meter meter;
    struct buf text;
    char name[32];
    (void)state;

    meter_init(&meter);
    for (unsigned i = 0; i < METER_ENDPOINTS_MAX + 500; i++) {
        snprintf(name, sizeof(name), "endpoint-%u", i);
        meter_call(&meter, name, OUTCOME_ANSWERED, 0.3);
    }
    assert_int_equal(meter.n, METER_ENDPOINTS_MAX + 1);
    buf_init(&text, 0);
    meter_metrics(&meter, &text);
    assert_non_null(
        strstr(buf_str(&text), "{endpoint=\"other\",kind=\"service\",outcome=\"answered\"} 500\n"));
    assert_non_null(
        strstr(buf_str(&text), "_bucket{endpoint=\"other\",kind=\"service\",le=\"0.25\"} 0\n"));
    assert_non_null(
        strstr(buf_str(&text), "_bucket{endpoint=\"other\",kind=\"service\",le=\"0.5\"} 500\n"));
    assert_null(strstr(buf_str(&text), "endpoint-1000"));
    buf_deinit(&text);
    meter_deinit(&meter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lane__probes_within_the_rate),
        cmocka_unit_test(test_lane__gone),
        cmocka_unit_test(test_lane__probes_in_doubt),
        cmocka_unit_test(test_lane__late_probe),
        cmocka_unit_test(test_lane__hold),
        cmocka_unit_test(test_lane__last_error),
        cmocka_unit_test(test_meter__endpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
