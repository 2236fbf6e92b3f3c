/* SPDX-License-Identifier: Apache-2.0 */
/* SQL delegates, asked for in the middle of a step, and C delegates, which are calls. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "helper_bpmn.h"
#include "helper_sim.h"

#define E1 DEFINE_ERROR("E1")
#define SQL(id, name, inside)                                                                      \
    "<serviceTask id='" id                                                                         \
    "'>" EXTENDED("<pawl:sql delegate='" name "'>" inside "</pawl:sql>") "</serviceTask>"
#define C_TASK(id, attributes, inside)                                                             \
    "<serviceTask id='" id "' " attributes ">" EXTENDED(                                           \
        "<pawl:delegate name='charge' timeout='PT9S'>" inside "</pawl:delegate>") "</serviceTask>"
#define ANSWER(outcome, rest)                                                                      \
    "{\"outcome\":\"" outcome "\",\"ok\":false,\"status\":null,\"headers\":{}," rest               \
    ",\"attempt\":1,\"ms\":3,\"fromCache\":false}"

/* ---- SQL ---- */

#define OWN_INPUTS                                                                                 \
    SQL("a", "echo",                                                                               \
        "<pawl:input name='n'>${x + 1}</pawl:input>"                                               \
        "<pawl:output name='y'>${result.n * 2}</pawl:output>")
#define ALL_VARIABLES "<serviceTask id='b' pawl:sql='echo' camunda:resultVariable='all'/>"
#define PARAMETERS                                                                                 \
    "<serviceTask id='c' pawl:sql='echo'>" EXTENDED(                                               \
        "<camunda:inputOutput>"                                                                    \
        "<camunda:inputParameter name='only'>${y}</camunda:inputParameter>"                        \
        "<camunda:outputParameter name='z'>${result.only}</camunda:outputParameter>"               \
        "</camunda:inputOutput>") "</serviceTask>"

static void test_delegates__sql(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START OWN_INPUTS ALL_VARIABLES PARAMETERS USER("u") FLOW("start", "a") FLOW("a", "b")
                   FLOW("b", "c") FLOW("c", "u"));
    sim_start(&sim, "p", "{\"x\":1.50}");
    assert_string_equal(sim_where(&sim), "u"); /* in one transaction */
    assert_string_equal(sim_variable(&sim, "y"), "5.0");
    assert_string_equal(sim_variable(&sim, "all"), "{\"x\":1.50,\"y\":5.0}");
    assert_string_equal(sim_variable(&sim, "z"), "5.0");
    assert_string_equal(sim_variable(&sim, "result"), "-");
    assert_string_equal(sim_variable(&sim, "only"), "-");
    /* Each was asked once, though the step was run again for each. */
    assert_int_equal(sim.n_asked, 3);
    assert_string_equal(sim.asked[0], "echo {\"n\":2.5}");
    assert_string_equal(sim.asked[1], "echo {\"x\":1.50,\"y\":5.0}");
    assert_string_equal(sim.asked[2], "echo {\"only\":5.0}");
    assert_true(sim_history_has(&sim, HISTORY_DELEGATE_RAN, "\"delegate\":\"echo\""));
    sim_deinit(&sim);
}

static void test_delegates__sql_error(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, E1, "p",
                    START SQL("a", "raise", "") BOUNDARY("t", "a", TIMER("PT1M"))
                        BOUNDARY("e", "a", ON_ERROR("E1")) USER("u") USER("v") FLOW("start", "a")
                            FLOW("a", "v") FLOW("t", "v") FLOW("e", "u"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "u");
    assert_int_equal(sim_count(&sim, WAIT_TIMER), 0);
    assert_true(sim_history_has(&sim, HISTORY_ERROR_THROWN, "\"message\":\"why\""));
    assert_true(sim_history_has(&sim, HISTORY_DELEGATE_RAN, "\"error\":\"E1\""));
    sim_deinit(&sim);
    /* Nobody catches it: the path ends there. */
    sim_init(&sim);
    sim_deploy(&sim, "q", START SQL("a", "raise", "") USER("u") FLOW("start", "a") FLOW("a", "u"));
    sim_start(&sim, "q", NULL);
    assert_true(sim_ended(&sim, "q"));
    sim_deinit(&sim);
}

static void test_delegates__output_fails(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<serviceTask id='a' camunda:asyncBefore='true'>" EXTENDED(
                   "<pawl:sql delegate='null'><pawl:output name='y'>${nobody.left}</pawl:output>"
                   "</pawl:sql>") "</serviceTask>" FLOW("start", "a"));
    sim_start(&sim, "p", NULL);
    assert_int_equal(sim.last_result, STEP_FAILED);
    assert_string_equal(sim_where(&sim), "a~");
    sim_deinit(&sim);
}

static void test_delegates__too_much(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START SQL("a", "echo",
                         "<pawl:input name='a'>${x}</pawl:input><pawl:input name='b'>${x}</"
                         "pawl:input>") FLOW("start", "a"));
    struct buf text;
    buf_init(&text, 0);
    buf_add_str(&text, "{\"x\":\"");
    for (unsigned i = 0; i < LIMIT_REQUEST_BYTES / 2; i++)
        buf_add_char(&text, 'x');
    buf_add_str(&text, "\"}");
    sim_start(&sim, "p", buf_str(&text));
    assert_int_equal(sim.last_result, STEP_FAILED);
    assert_non_null(strstr(sim.err.text, "arguments of delegate 'echo'"));
    assert_int_equal(sim.n_asked, 0);
    buf_deinit(&text);
    sim_deinit(&sim);
}

/* ---- C ---- */

static void deploy_charge(struct sim *sim)
{
    sim_init(sim);
    sim_deploy_with(sim, E1, "p",
                    START C_TASK("a", "camunda:resultVariable='receipt'",
                                 "<pawl:input name='cents'>${cents}</pawl:input>"
                                 "<pawl:output name='no'>${result.no}</pawl:output>")
                        BOUNDARY("e", "a", ON_ERROR("E1")) USER("u") USER("v") FLOW("start", "a")
                            FLOW("a", "u") FLOW("e", "v"));
    sim_start(sim, "p", "{\"cents\":120}");
    assert_string_equal(sim_where(sim), "a");
    assert_int_equal(sim->n_calls, 1);
}

static void test_delegates__c(void **state)
{
    struct sim sim;

    (void)state;
    deploy_charge(&sim);
    const struct new_call *call = &sim.calls[0].call;
    assert_string_equal(call->method, "C");
    assert_string_equal(call->endpoint, "delegate:charge");
    assert_string_equal(call->path, "charge");
    assert_string_equal(call->body, "{\"cents\":120}");
    assert_int_equal(call->timeout_us, 9000000);
    sim_answer(&sim, "a", ANSWER("answered", "\"body\":{\"no\":7},\"error\":null"));
    assert_string_equal(sim_where(&sim), "u");
    assert_string_equal(sim_variable(&sim, "no"), "7");
    assert_string_equal(sim_variable(&sim, "receipt"), "{\"no\":7}");
    sim_deinit(&sim);
}

static void test_delegates__c_error(void **state)
{
    struct sim sim;

    (void)state;
    deploy_charge(&sim);
    sim_answer(&sim, "a",
               ANSWER("bpmnError", "\"body\":null,\"error\":\"no money\",\"errorCode\":\"E1\""));
    assert_string_equal(sim_where(&sim), "v");
    assert_true(sim_history_has(&sim, HISTORY_ERROR_THROWN, "no money"));
    sim_deinit(&sim);
}

static void test_delegates__c_failure(void **state)
{
    struct sim sim;

    (void)state;
    deploy_charge(&sim);
    struct uuid id = sim.calls[0].call.id;
    sim_answer(&sim, "a", ANSWER("failed", "\"body\":null,\"error\":\"the bank is closed\""));
    assert_true(sim_history_has(&sim, HISTORY_JOB_FAILED,
                                "The C delegate of serviceTask 'a' failed: failed: the bank is "
                                "closed"));
    sim_advance(&sim, 0);
    assert_int_equal(sim.n_calls, 1);
    assert_true(uuid_equal(&sim.calls[0].call.id, &id)); /* the same key, the next attempt */
    assert_int_equal(sim.calls[0].call.attempt, 2);
    sim_answer(&sim, "a", ANSWER("unknown", "\"body\":null,\"error\":\"who knows\""));
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_true(sim_history_has(&sim, HISTORY_INCIDENT, "unknownOutcome"));
    sim_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delegates__sql),
        cmocka_unit_test(test_delegates__sql_error),
        cmocka_unit_test(test_delegates__output_fails),
        cmocka_unit_test(test_delegates__too_much),
        cmocka_unit_test(test_delegates__c),
        cmocka_unit_test(test_delegates__c_error),
        cmocka_unit_test(test_delegates__c_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
