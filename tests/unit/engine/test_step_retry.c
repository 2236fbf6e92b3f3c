/* SPDX-License-Identifier: Apache-2.0 */
/* What failed and is tried again: by its policy, or by somebody who corrects variables first. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "helper_bpmn.h"
#include "helper_sim.h"

/* ---- Corrected variables ---- */

static void test_step_retry__corrected(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<serviceTask id='t' camunda:asyncBefore='true' "
                     "camunda:expression='${10 / divisor}' camunda:resultVariable='x'>" EXTENDED(
                         "<camunda:failedJobRetryTimeCycle>R1</"
                         "camunda:failedJobRetryTimeCycle>") "</serviceTask>" USER("after")
                         FLOW("start", "t") FLOW("t", "after"));
    sim_start(&sim, "p", "{\"divisor\":0,\"other\":1.50}");
    assert_string_equal(sim_where(&sim), "t!");
    sim_retry_with(&sim, "t", NULL, "{\"divisor\":\"four\",\"note\":\"by hand\"}");
    assert_string_equal(sim_where(&sim), "t!");
    /* It failed again, and what was set holds. */
    assert_string_equal(sim_variable(&sim, "divisor"), "\"four\"");
    assert_true(sim_history_has(&sim, HISTORY_VARIABLES_SET, "[\"divisor\",\"note\"]"));
    sim_retry_with(&sim, "t", NULL, "{\"divisor\":4}");
    assert_string_equal(sim_where(&sim), "after");
    assert_string_equal(sim_variable(&sim, "x"), "2.5");
    assert_string_equal(sim_variable(&sim, "other"), "1.50");
    sim_deinit(&sim);
}

static void test_step_retry__corrected_where_it_is_seen(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<subProcess id='sub'>" EXTENDED(
                   "<camunda:inputOutput><camunda:inputParameter "
                   "name='d'>0</camunda:inputParameter></"
                   "camunda:inputOutput>") "<startEvent "
                                           "id='in'/><serviceTask id='t' "
                                           "camunda:asyncBefore='true' "
                                           "camunda:expression='${10 / d}' "
                                           "camunda:resultVariable='x'/"
                                           ">" USER("u") FLOW("in", "t")
                                               FLOW("t", "u") "</"
                                                              "subProcess"
                                                              ">" FLOW("start", "sub"));
    sim_start(&sim, "p", "{\"d\":7}");
    sim_advance(&sim, 0);
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    sim_retry_with(&sim, "t", NULL, "{\"d\":5}");
    assert_int_equal(sim_count(&sim, WAIT_TASK), 1);
    assert_string_equal(sim_variable(&sim, "d"), "7"); /* the sub-process has its own */
    assert_string_equal(sim_variable(&sim, "x"), "2.0");
    sim_deinit(&sim);
}

static void test_step_retry__corrected_completion(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START USER("a") SET("s", "x", "y - 1") USER("b") FLOW("start", "a") FLOW("a", "s")
                   FLOW("s", "b"));
    sim_start(&sim, "p", NULL);
    sim_complete(&sim, "a", "{\"y\":\"text\",\"kept\":[1, 2]}");
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    sim_retry_with(&sim, "a", NULL, "{\"y\":\"still text\"}");
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_string_equal(sim.jobs[0].command.body, "{\"kept\":[1, 2],\"y\":\"still text\"}");
    sim_retry_with(&sim, "a", NULL, "{\"y\":1}");
    assert_string_equal(sim_where(&sim), "b");
    assert_string_equal(sim_variable(&sim, "x"), "0");
    assert_string_equal(sim_variable(&sim, "kept"), "[1,2]");
    sim_deinit(&sim);
}

static void test_step_retry__corrected_too_large(void **state)
{
    struct sim sim;
    static char large[LIMIT_VALUE_BYTES + 100];

    (void)state;
    memset(large, 'x', sizeof(large));
    memcpy(large, "{\"d\":\"", 6);
    memcpy(large + sizeof(large) - 3, "\"}", 3);
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START
               "<serviceTask id='t' camunda:asyncBefore='true' "
               "camunda:expression='${10 / d}' camunda:resultVariable='x'/>" FLOW("start", "t"));
    sim_start(&sim, "p", "{\"d\":0}");
    sim_advance(&sim, 0);
    sim_retry_with(&sim, "t", NULL, large);
    assert_string_equal(sim_where(&sim), "t!");
    assert_non_null(strstr(sim.jobs[0].error, "the limit is"));
    assert_string_equal(sim_variable(&sim, "d"), "0");
    sim_deinit(&sim);
}

/* ---- Back-off ---- */

static void test_step_retry__backoff_grows_to_its_cap(void **state)
{
    static const int64_t expected[] = {1000000, 2000000, 4000000, 8000000, 10000000, 10000000};
    struct retry_backoff backoff = {
        .attempts = 8, .base_us = 1000000, .cap_us = 10000000, .factor = 2, .jitter = JITTER_NONE};

    (void)state;
    for (uint32_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_int_equal(retry_backoff_us(&backoff, i + 1, 123456789), expected[i]);
    assert_int_equal(retry_backoff_us(&backoff, UINT32_MAX, 0), 10000000);
    backoff.factor = 1;
    assert_int_equal(retry_backoff_us(&backoff, UINT32_MAX, 0), 1000000);
    backoff.factor = 1000;
    backoff.base_us = backoff.cap_us = INT64_MAX;
    assert_true(retry_backoff_us(&backoff, 1000000, 0) < INT64_MAX / 2);
}

static void test_step_retry__backoff_is_spread(void **state)
{
    struct retry_backoff backoff = {
        .attempts = 8, .base_us = 1000, .cap_us = 1000, .factor = 1, .jitter = JITTER_EQUAL};
    int64_t least = INT64_MAX, most = 0;

    (void)state;
    for (int64_t random = 0; random < 5000; random++) {
        int64_t delay = retry_backoff_us(&backoff, 1, random);
        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
    }
    assert_int_equal(least, 500);
    assert_int_equal(most, 1000);
    backoff.jitter = JITTER_FULL;
    assert_int_equal(retry_backoff_us(&backoff, 1, 0), 0);
    assert_int_equal(retry_backoff_us(&backoff, 1, 1000), 1000);
    assert_int_equal(retry_backoff_us(&backoff, 1, 1001), 0);
}

#define FAILING(policy)                                                                            \
    START "<serviceTask id='t' camunda:asyncBefore='true' camunda:expression='${missing}' "        \
          "camunda:resultVariable='x'>" EXTENDED(policy) "</serviceTask>" FLOW("start", "t")
#define CYCLE_TEXT(text)                                                                           \
    "<camunda:failedJobRetryTimeCycle>" text "</camunda:failedJobRetryTimeCycle>"

static void test_step_retry__policy_of_a_task(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               FAILING(CYCLE_TEXT("R1") "<pawl:retry attempts='4' base='PT1S' factor='3' "
                                        "cap='PT5S' jitter='none'/>"));
    sim_start(&sim, "p", NULL);
    assert_int_equal(sim.jobs[0].command.due_us, sim.now_us + 1000000);
    sim_advance(&sim, 1);
    assert_int_equal(sim.jobs[0].command.due_us, sim.now_us + 3000000);
    sim_advance(&sim, 3);
    assert_int_equal(sim.jobs[0].command.due_us, sim.now_us + 5000000);
    sim_advance(&sim, 5);
    assert_string_equal(sim_where(&sim), "t!");
    sim_deinit(&sim);
}

/* The second half of the delay is spread by the family's entropy, and by nothing else. */
static void test_step_retry__jitter_is_of_the_family(void **state)
{
    int64_t due[2];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sim sim;
        sim_init(&sim);
        sim_deploy(&sim, "p", FAILING("<pawl:retry base='PT10S' jitter='equal'/>"));
        sim_start(&sim, "p", NULL);
        due[i] = sim.jobs[0].command.due_us - sim.now_us;
        assert_in_range(due[i], 5000000, 10000000);
        assert_int_not_equal(due[i], 10000000);
        sim_deinit(&sim);
    }
    assert_int_equal(due[0], due[1]);
}

static void test_step_retry__cycle_by_expression(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p", FAILING(CYCLE_TEXT("R${n}/${pause}")));
    sim_start(&sim, "p", "{\"n\":3,\"pause\":\"PT7S\"}");
    assert_int_equal(sim.jobs[0].command.due_us, sim.now_us + 7000000);
    struct command set = {.kind = COMMAND_SET_VARIABLES,
                          .instance = sim.root,
                          .root = sim.root,
                          .body = "{\"pause\":\"PT9S\"}",
                          .body_n = 16};
    sim_run(&sim, &set);
    sim_advance(&sim, 7);
    assert_int_equal(sim.jobs[0].command.due_us, sim.now_us + 9000000);
    sim_advance(&sim, 9);
    assert_string_equal(sim_where(&sim), "t!");
    sim_deinit(&sim);
}

static void test_step_retry__cycle_that_gives_none(void **state)
{
    static const char *const variables[] = {"{}", "{\"c\":\"soon\"}", "{\"c\":null}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        struct sim sim;
        sim_init(&sim);
        sim_deploy(&sim, "p", FAILING(CYCLE_TEXT("${c}")));
        sim_start(&sim, "p", variables[i]);
        assert_int_equal(sim.jobs[0].command.due_us, sim.now_us);
        assert_non_null(strstr(sim.jobs[0].error, "missing"));
        assert_non_null(strstr(sim.jobs[0].error, "failedJobRetryTimeCycle gives no cycle"));
        sim_advance(&sim, 0);
        assert_string_equal(sim_where(&sim), "t!");
        assert_int_equal(sim.jobs[0].command.tries, 3);
        sim_deinit(&sim);
    }
}

/* ---- Remote calls: classified, asked to wait, out of time, behind an open circuit ---- */

#define ANSWER(outcome, ok, status, attempt, more)                                                 \
    "{\"outcome\":\"" outcome "\",\"ok\":" ok ",\"status\":" status                                \
    ",\"headers\":{},\"body\":{\"state\":\"busy\"},\"error\":null,\"attempt\":" attempt            \
    ",\"ms\":5,\"fromCache\":false" more "}"
#define FAILED(status, attempt) ANSWER("status", "false", status, attempt, "")

static void deploy_call(struct sim *sim, const char *attributes, const char *inside)
{
    const char *body;

    sim_init(sim);
    body = arena_printf(
        sim->arena,
        START "<serviceTask id='h'><extensionElements>" CYCLE_TEXT(
            "R3/PT1M") "<pawl:http endpoint='api' path='/x' %s>%s</pawl:http></extensionElements>"
                       "</serviceTask>" BOUNDARY("b", "h", ON_ERROR("E1")) USER("after")
                           USER("caught") FLOW("start", "h") FLOW("h", "after") FLOW("b", "caught"),
        attributes, inside);

    sim_deploy_with(sim, DEFINE_ERROR("E1"), "p", body);
    sim_start(sim, "p", NULL);
}

static void test_step_retry__answer_classified(void **state)
{
    const char *answers =
        "<pawl:answer when='${response.body.state == \"busy\" &amp;&amp; response.attempt &lt; 2}' "
        "then='retry'/>"
        "<pawl:answer when='${response.status == 410}' then='ignore'/>"
        "<pawl:answer when='${response.status == 422}' error='E1'/>"
        "<pawl:output name='x'>${response.body.state}</pawl:output>";
    struct sim sim;

    (void)state;
    deploy_call(&sim, "", answers);
    sim_answer(&sim, "h", ANSWER("answered", "true", "200", "1", ""));
    assert_int_equal(sim_jobs(&sim, JOB_RETRY), 1);
    assert_int_equal(sim.jobs[0].command.due_us, sim.now_us + 60000000);
    sim_advance(&sim, 60);
    assert_int_equal(sim.calls[0].call.attempt, 2);
    sim_answer(&sim, "h", ANSWER("answered", "true", "200", "2", ""));
    assert_string_equal(sim_where(&sim), "after");
    assert_string_equal(sim_variable(&sim, "x"), "\"busy\"");
    sim_deinit(&sim);

    deploy_call(&sim, "", answers);
    sim_answer(&sim, "h", FAILED("410", "2"));
    assert_string_equal(sim_where(&sim), "after");
    assert_string_equal(sim_variable(&sim, "x"), "-");
    sim_deinit(&sim);

    deploy_call(&sim, "", answers);
    sim_answer(&sim, "h", FAILED("422", "2"));
    assert_string_equal(sim_where(&sim), "caught");
    sim_deinit(&sim);
}

static void test_step_retry__not_before_retry_after(void **state)
{
    struct sim sim;

    (void)state;
    deploy_call(&sim, "", "");
    sim_answer(&sim, "h", ANSWER("status", "false", "429", "1", ",\"retryAfterMs\":90000"));
    assert_int_equal(sim.jobs[0].command.due_us, sim.now_us + 90000000);
    sim_advance(&sim, 90);
    sim_answer(&sim, "h", ANSWER("status", "false", "503", "2", ",\"retryAfterMs\":5000"));
    assert_int_equal(sim.jobs[0].command.due_us, sim.now_us + 60000000);
    sim_deinit(&sim);
    deploy_call(&sim, "", "");
    sim_answer(&sim, "h",
               ANSWER("status", "false", "429", "1", ",\"retryAfterMs\":999999999999999"));
    assert_int_equal(sim.jobs[0].command.due_us,
                     sim.now_us + LIMIT_RETRY_AFTER_S * INT64_C(1000000));
    sim_deinit(&sim);
}

static void test_step_retry__deadline(void **state)
{
    struct sim sim;

    (void)state;
    deploy_call(&sim, "deadline='PT90S' deadlineError='E1'", "");
    assert_int_equal(sim.calls[0].call.deadline_us, sim.now_us + 90000000);
    sim_answer(&sim, "h", FAILED("500", "1"));
    sim_advance(&sim, 60); /* the second try may begin at 60 s, a third at 120 s may not */
    assert_int_equal(sim.calls[0].call.deadline_us, sim.now_us + 30000000);
    sim_answer(&sim, "h", FAILED("500", "2"));
    assert_string_equal(sim_where(&sim), "caught");
    assert_int_equal(sim.n_jobs, 0);
    sim_deinit(&sim);

    deploy_call(&sim, "deadline='PT90S' deadlineError='E1'", "<pawl:answer error='OTHER'/>");
    sim_answer(&sim, "h", ANSWER("expired", "false", "null", "1", ""));
    assert_string_equal(sim_where(&sim), "caught");
    sim_deinit(&sim);

    /* Without an error it is an incident; tried by hand, it has as much time again. */
    deploy_call(&sim, "deadline='PT90S'", "");
    sim_answer(&sim, "h", ANSWER("expired", "false", "null", "1", ""));
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    sim_advance(&sim, 1000);
    sim.jobs[0].command.actor = "ada";
    sim_retry(&sim, "h", NULL);
    assert_int_equal(sim.calls[0].call.deadline_us, sim.now_us + 90000000);
    sim_deinit(&sim);
}

static void test_step_retry__deadline_without_error(void **state)
{
    struct sim sim;

    (void)state;
    deploy_call(&sim, "deadline='PT30S'", "");
    sim_answer(&sim, "h", FAILED("500", "1"));
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_non_null(strstr(sim.jobs[0].error, "Its deadline leaves no time"));
    sim_deinit(&sim);
}

static void test_step_retry__open_circuit(void **state)
{
    struct sim sim;

    (void)state;
    deploy_call(&sim, "", "");
    assert_int_equal(sim.calls[0].call.open_after_us, -1);
    sim_deinit(&sim);
    deploy_call(&sim, "whenOpen='PT5S' openError='E1'", "<pawl:answer error='OTHER'/>");
    assert_int_equal(sim.calls[0].call.open_after_us, 5000000);
    sim_answer(&sim, "h", ANSWER("open", "false", "null", "1", ""));
    assert_string_equal(sim_where(&sim), "caught");
    sim_deinit(&sim);
    deploy_call(&sim, "whenOpen='PT0S'", "");
    assert_int_equal(sim.calls[0].call.open_after_us, 0);
    sim_answer(&sim, "h", ANSWER("open", "false", "null", "1", ""));
    assert_true(sim_history_has(&sim, HISTORY_ERROR_THROWN, "CIRCUIT_OPEN"));
    sim_deinit(&sim);
}

static void test_step_retry__refused_is_not_tried_again(void **state)
{
    struct sim sim;

    (void)state;
    deploy_call(&sim, "", "");
    sim_answer(&sim, "h", ANSWER("refused", "false", "null", "1", ""));
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    sim_retry(&sim, "h", NULL);
    assert_int_equal(sim.calls[0].call.attempt, 2);
    sim_deinit(&sim);
}

static void deploy_fired(struct sim *sim)
{
    sim_init(sim);
    sim_deploy_with(
        sim, DEFINE_MESSAGE("ok"), "p",
        START "<serviceTask id='h'>" EXTENDED(
            "<pawl:retry attempts='2' base='PT10S' jitter='none'/>"
            "<pawl:http endpoint='api' path='/x' mode='fire' deadline='PT1M'>"
            "<pawl:answer when='${response.status == 500}' then='retry'/>"
            "<pawl:answer when='${response.status == 410}' then='ignore'/>"
            "<pawl:answer message='ok'/></pawl:http>") "</serviceTask>" CATCH("c", MESSAGE("ok"))
            USER("after") FLOW("start", "h") FLOW("h", "c") FLOW("c", "after"));
    sim_start(sim, "p", NULL);
    assert_string_equal(sim_where(sim), "c");
}

static void test_step_retry__fired(void **state)
{
    struct sim sim;

    (void)state;
    deploy_fired(&sim);
    assert_int_equal(sim.calls[0].call.deadline_us, sim.now_us + 60000000);
    sim_answer(&sim, "h", FAILED("500", "1"));
    assert_string_equal(sim_where(&sim), "c");
    assert_int_equal(sim.n_calls, 0);
    sim_advance(&sim, 10);
    assert_int_equal(sim.calls[0].call.attempt, 2);
    sim_answer(&sim, "h", FAILED("500", "2"));
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    sim_retry(&sim, "h", NULL);
    assert_int_equal(sim.calls[0].call.attempt, 3);
    sim_answer(&sim, "h", FAILED("200", "3"));
    assert_string_equal(sim_where(&sim), "after");
    sim_deinit(&sim);

    deploy_fired(&sim);
    sim_answer(&sim, "h", FAILED("410", "1"));
    assert_string_equal(sim_where(&sim), "c");
    assert_int_equal(sim.n_calls + sim.n_jobs, 0);
    sim_receive(&sim, "ok", NULL);
    assert_string_equal(sim_where(&sim), "after");
    sim_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_retry__corrected),
        cmocka_unit_test(test_step_retry__corrected_where_it_is_seen),
        cmocka_unit_test(test_step_retry__corrected_completion),
        cmocka_unit_test(test_step_retry__corrected_too_large),
        cmocka_unit_test(test_step_retry__backoff_grows_to_its_cap),
        cmocka_unit_test(test_step_retry__backoff_is_spread),
        cmocka_unit_test(test_step_retry__policy_of_a_task),
        cmocka_unit_test(test_step_retry__jitter_is_of_the_family),
        cmocka_unit_test(test_step_retry__cycle_by_expression),
        cmocka_unit_test(test_step_retry__cycle_that_gives_none),
        cmocka_unit_test(test_step_retry__answer_classified),
        cmocka_unit_test(test_step_retry__not_before_retry_after),
        cmocka_unit_test(test_step_retry__deadline),
        cmocka_unit_test(test_step_retry__deadline_without_error),
        cmocka_unit_test(test_step_retry__open_circuit),
        cmocka_unit_test(test_step_retry__refused_is_not_tried_again),
        cmocka_unit_test(test_step_retry__fired),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
