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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_retry__corrected),
        cmocka_unit_test(test_step_retry__corrected_where_it_is_seen),
        cmocka_unit_test(test_step_retry__corrected_completion),
        cmocka_unit_test(test_step_retry__corrected_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
