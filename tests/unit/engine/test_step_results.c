/* SPDX-License-Identifier: Apache-2.0 */
/* What items of multi-instance activities come to, and what is known of them when they have gone.
 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "helper_bpmn.h"
#include "helper_sim.h"

#define OK "{\"outcome\":\"answered\",\"ok\":true,\"body\":1,\"attempt\":1}"
#define INTO(list, element) " pawl:outputCollection='" list "' pawl:outputElement='" element "'"

static const char *const nothing[] = {NULL};

static void end_gathered(struct sim *sim)
{
    assert_string_equal(sim_where(sim), ".");
    assert_string_equal(sim_variable(sim, "all"), "[10,20,30]");
    assert_string_equal(sim_variable(sim, "each"), "-");
    assert_int_equal(sim->n_jobs, 0);
}

/* Whatever the activity, and whoever is first: in the order of the items. */
static void test_step_results__order(void **state)
{
    static const char *const activities[][2] = {
        {"<userTask id='a'>", "</userTask>"},
        {"<task id='a'>", "</task>"},
        {"<serviceTask id='a' camunda:type='external' camunda:topic='t'>", "</serviceTask>"},
        {"<serviceTask id='a' camunda:expression='${x}' camunda:resultVariable='y'>",
         "</serviceTask>"},
        {"<serviceTask id='a'>" EXTENDED("<pawl:http endpoint='api' method='GET' path='/'/>"),
         "</serviceTask>"},
        {"<callActivity id='a' calledElement='child'>", "</callActivity>"},
        {"<subProcess id='a'>",
         "<startEvent id='s0'/>" USER("u1") FLOW("s0", "u1") "</subProcess>"},
    };
    static const char *const loops[] = {EACH("list", "x") INTO("all", "${x * 10}"),
                                        IN_TURN EACH("list", "x") INTO("all", "${x * 10}"),
                                        EACH("list", "x")
                                            INTO("all", "${x * 10}") " camunda:asyncAfter='true'"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(activities) * ARRAY_LEN(loops); i++) {
        const char *const *activity = activities[i / ARRAY_LEN(loops)];
        struct sim sim;
        sim_init(&sim);
        sim_deploy(&sim, "child", START USER("cu") FLOW("start", "cu"));
        sim_deploy(&sim, "p",
                   arena_printf(sim.arena,
                                START
                                "%s<multiInstanceLoopCharacteristics %s/>%s" FLOW("start", "a"),
                                activity[0], loops[i % ARRAY_LEN(loops)], activity[1]));
        sim_start_only(&sim, "p", "{\"list\":[1,2,3]}");
        assert_true(sim_explore(&sim, nothing, OK, end_gathered) > 0);
        sim_deinit(&sim);
    }
}

/* A variable of its own, null until the item sets it: what one gives is not what the next gave. */
static void test_step_results__by_name(void **state)
{
    static const char *const elements[] = {"each", "${each}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(elements) * 2; i++) {
        struct sim sim;
        sim_init(&sim);
        sim_deploy(&sim, "p",
                   arena_printf(
                       sim.arena,
                       START
                       "<userTask id='u'><multiInstanceLoopCharacteristics %s%s "
                       "pawl:outputCollection='all' pawl:outputElement='%s'>" TIMES("4") UNTIL(
                           "nrOfCompletedInstances == 3") "</multiInstanceLoopCharacteristics></"
                                                          "userTask>" USER("after")
                                                              FLOW("start", "u") FLOW("u", "after"),
                       i < 2 ? IN_TURN : "", "", elements[i % 2]));
        sim_start(&sim, "p", "{\"each\":7}");
        sim_complete(&sim, "u", "{\"each\":{\"n\":[1.50]},\"other\":1}");
        sim_complete(&sim, "u", "{\"other\":2}");
        sim_complete(&sim, "u", "{\"each\":\"last\"}");
        assert_string_equal(sim_where(&sim), "after");
        assert_string_equal(sim_variable(&sim, "all"), "[{\"n\":[1.50]},null,\"last\",null]");
        assert_string_equal(sim_variable(&sim, "each"), "7");
        assert_string_equal(sim_variable(&sim, "other"), "2");
        sim_deinit(&sim);
    }
}

/* None at all; one that fails is an incident of its item; too much of it is one, too. */
static void test_step_results__odd(void **state)
{
    struct sim sim;
    char *text;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<subProcess id='s'><startEvent id='s0'/>" ITEMS(
                   "u", LOOP(EACH("list", "x") INTO("all", "${10 / y}"), "")) USER("after")
                   FLOW("s0", "u") FLOW("u", "after") "</subProcess>" FLOW("start", "s"));
    sim_start(&sim, "p", "{\"list\":[]}");
    assert_string_equal(sim_variable(&sim, "all"), "[]");
    sim_deinit(&sim);
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START ITEMS("u", LOOP(EACH("list", "x") INTO("all", "${y.z}"), "")) USER("after")
                   FLOW("start", "u") FLOW("u", "after"));
    sim_start(&sim, "p", "{\"list\":[1,2]}");
    sim_complete(&sim, "u", NULL);
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_string_equal(sim_where(&sim), "u{ u u");
    const size_t n = LIMIT_VALUE_BYTES / 4 * 3;
    text = malloc(n + 40);
    assert_non_null(text);
    snprintf(text, n + 40, "{\"y\":{\"z\":\"%0*d\"}}", (int)n, 0);
    sim_retry_with(&sim, "u", NULL, text);
    assert_string_equal(sim_where(&sim), "u{ u");
    sim_complete(&sim, "u", NULL);
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_non_null(strstr(sim.jobs[0].error, "Variable 'all' would be "));
    free(text);
    sim_deinit(&sim);
}

/* The request is made anew, and its answer judged, when the item has gone long ago. */
static void test_step_results__fired_sees_its_item(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(
        &sim, DEFINE_MESSAGE("M1"), "p",
        START "<serviceTask id='a'>" EXTENDED(
            "<camunda:inputOutput><camunda:inputParameter name='twice'>${x}${x}"
            "</camunda:inputParameter></camunda:inputOutput>"
            "<pawl:http endpoint='api' method='GET' path='/${twice}/${loopCounter}' mode='fire'>"
            "<pawl:answer when='${response.ok and loopCounter == 1}' message='M1'>"
            "<pawl:output name='got'>${x} ${twice}</pawl:output></pawl:answer>"
            "<pawl:answer when='${loopCounter == 0}' then='retry'/></pawl:http><pawl:retry "
            "attempts='3' base='PT1S'/>")
            LOOP(EACH("list", "x"), "") "</serviceTask>" CATCH("m", MESSAGE("M1"))
                FLOW("start", "a") FLOW("a", "m"));
    sim_start(&sim, "p", "{\"list\":[\"A\",\"B\"]}");
    assert_string_equal(sim_where(&sim), "m");
    assert_string_equal(sim.calls[1].call.path, "/BB/1");
    sim_answer(&sim, "a", OK); /* of the first: it is tried again */
    assert_int_equal(sim.n_calls, 1);
    sim_advance(&sim, 60);
    assert_int_equal(sim.n_calls, 2);
    assert_string_equal(sim.calls[1].call.path, "/AA/0");
    sim_answer(&sim, "a", OK); /* of the second */
    assert_string_equal(sim_where(&sim), ".");
    assert_string_equal(sim_variable(&sim, "got"), "\"B BB\"");
    assert_string_equal(sim_variable(&sim, "twice"), "-");
    sim_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_results__order),
        cmocka_unit_test(test_step_results__by_name),
        cmocka_unit_test(test_step_results__odd),
        cmocka_unit_test(test_step_results__fired_sees_its_item),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
