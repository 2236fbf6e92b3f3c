/* SPDX-License-Identifier: Apache-2.0 */
/* External tasks: offered, answered in each way, interrupted, parked and offered again. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "helper_bpmn.h"
#include "helper_sim.h"

#define EXTERNAL(id) "<serviceTask id='" id "' camunda:type='external' camunda:topic='charge'/>"
#define E1 DEFINE_ERROR("E1")
#define FAILURE(retries)                                                                           \
    "{\"externalTask\":{\"retries\":" retries ",\"errorMessage\":\"no money\"}}"

static void answer(struct sim *sim, const char *element, enum command_kind kind, const char *body)
{
    struct command command = sim_external(sim, element, kind, body);

    if (kind == COMMAND_EXTERNAL_ERROR) {
        command.name = "E1";
        command.detail = "refused";
    }
    sim_run(sim, &command);
    sim_drain(sim);
}

static void test_step_external__complete(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p", START EXTERNAL("t") USER("a") FLOW("start", "t") FLOW("t", "a"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "t");
    assert_int_equal(sim_count(&sim, WAIT_EXTERNAL), 1);
    assert_int_equal(sim.n_externals, 1);
    assert_string_equal(sim.externals[0].topic, "charge");
    assert_false(sim.externals[0].topic_is_class);
    assert_int_equal(sim.externals[0].priority, 0);
    assert_null(sim.locals);
    struct command late = sim_external(&sim, "t", COMMAND_EXTERNAL_COMPLETE, NULL);
    answer(&sim, "t", COMMAND_EXTERNAL_COMPLETE, "{\"variables\":{\"paid\":true}}");
    assert_string_equal(sim_where(&sim), "a");
    assert_string_equal(sim_variable(&sim, "paid"), "true");
    assert_string_equal(sim_trace(&sim), "I+ -start +t done:t -t +a");
    assert_int_equal(sim_run(&sim, &late), STEP_DROPPED);
    sim_deinit(&sim);
}

/* The topic and the priority may be expressions, inputs are seen inside only, outputs see locals.
 */
static void test_step_external__mappings(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START
               "<serviceTask id='t' camunda:type='external' camunda:topic='${kind}-work' "
               "camunda:taskPriority='${1000000 * 5000}'>" EXTENDED(
                   "<camunda:inputOutput><camunda:inputParameter name='in'>${kind}"
                   "</camunda:inputParameter><camunda:outputParameter name='out'>${seen}"
                   "</camunda:outputParameter></camunda:inputOutput>") "</serviceTask>" USER("a")
                   FLOW("start", "t") FLOW("t", "a"));
    sim_start(&sim, "p", "{\"kind\":\"print\"}");
    assert_string_equal(sim.externals[0].topic, "print-work");
    assert_int_equal(sim.externals[0].priority, INT64_C(5000000000));
    assert_string_equal(sim.locals, "{\"in\":\"print\"}");
    answer(&sim, "t", COMMAND_EXTERNAL_COMPLETE,
           "{\"variables\":{\"in\":1,\"x\":2},\"localVariables\":{\"seen\":\"inside\"}}");
    assert_string_equal(sim_where(&sim), "a");
    assert_string_equal(sim_variable(&sim, "out"), "\"inside\"");
    assert_string_equal(sim_variable(&sim, "x"), "2");
    assert_string_equal(sim_variable(&sim, "seen"), "-");
    assert_string_equal(sim_variable(&sim, "in"), "-");
    sim_deinit(&sim);
}

static void test_step_external__bad_topic(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<serviceTask id='t' camunda:asyncBefore='true' camunda:type='external' "
                     "camunda:topic='${none}'/>" FLOW("start", "t"));
    sim_start(&sim, "p", "{\"none\":null}");
    sim_advance(&sim, 1);
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_non_null(strstr(sim.jobs[0].error, "its topic is empty"));
    sim_deinit(&sim);
}

static void test_step_external__bpmn_error(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, E1, "p",
                    START EXTERNAL("t") BOUNDARY("b", "t", ON_ERROR("E1")) USER("caught")
                        FLOW("start", "t") FLOW("b", "caught"));
    sim_start(&sim, "p", NULL);
    answer(&sim, "t", COMMAND_EXTERNAL_ERROR, "{\"why\":\"limit\"}");
    assert_string_equal(sim_where(&sim), "caught");
    assert_string_equal(sim_variable(&sim, "why"), "\"limit\"");
    assert_true(sim_history_has(&sim, HISTORY_ERROR_THROWN, "refused"));
    assert_int_equal(sim_count(&sim, WAIT_EXTERNAL), 0);
    sim_deinit(&sim);
}

static void test_step_external__failure(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p", START EXTERNAL("t") USER("a") FLOW("start", "t") FLOW("t", "a"));
    sim_start(&sim, "p", NULL);
    answer(&sim, "t", COMMAND_EXTERNAL_FAILURE,
           "{\"variables\":{\"tried\":1},\"externalTask\":{\"retries\":2,\"errorMessage\":\"e\"}}");
    assert_string_equal(sim_where(&sim), "t");
    assert_string_equal(sim_variable(&sim, "tried"), "1");
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 0);
    assert_true(sim_history_has(&sim, HISTORY_EXTERNAL_FAILED, "\"retries\":2"));
    answer(&sim, "t", COMMAND_EXTERNAL_FAILURE, FAILURE("0"));
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_string_equal(sim.jobs[0].reason, "failedExternalTask");
    assert_string_equal(sim.jobs[0].error, "no money");
    assert_int_equal(sim.n_offers, 0);
    sim_retry(&sim, "t", NULL);
    assert_int_equal(sim.n_offers, 1);
    assert_string_equal(sim_where(&sim), "t");
    /* Failed and offered again in one batch: no incident is left over. */
    struct command both[] = {sim_external(&sim, "t", COMMAND_EXTERNAL_FAILURE, FAILURE("0")),
                             sim_external(&sim, "t", COMMAND_EXTERNAL_OFFER, NULL)};
    sim_batch(&sim, both, ARRAY_LEN(both));
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 0);
    assert_int_equal(sim.n_offers, 2);
    answer(&sim, "t", COMMAND_EXTERNAL_COMPLETE, "{}");
    assert_string_equal(sim_where(&sim), "a");
    sim_deinit(&sim);
}

static void test_step_external__interrupted(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START EXTERNAL("t") BOUNDARY("b", "t", TIMER("PT5S")) USER("late") FLOW("start", "t")
                   FLOW("b", "late"));
    sim_start(&sim, "p", NULL);
    struct command complete = sim_external(&sim, "t", COMMAND_EXTERNAL_COMPLETE, "{}");
    struct command failure = sim_external(&sim, "t", COMMAND_EXTERNAL_FAILURE, FAILURE("0"));
    sim_advance(&sim, 5);
    assert_string_equal(sim_where(&sim), "late");
    assert_int_equal(sim_count(&sim, WAIT_EXTERNAL), 0);
    assert_int_equal(sim_run(&sim, &complete), STEP_DROPPED);
    assert_int_equal(sim_run(&sim, &failure), STEP_DROPPED);
    sim_deinit(&sim);
}

#define JUDGED                                                                                     \
    "<serviceTask id='t' camunda:type='external' camunda:topic='x'>" EXTENDED(                     \
        "<camunda:errorEventDefinition id='d' errorRef='E1' "                                      \
        "expression='${externalTask.errorMessage == \"no money\" || stop == true}'/>") "</"        \
                                                                                       "serviceTa" \
                                                                                       "sk>"

/* camunda:errorEventDefinition is judged at failures and at completions. */
static void test_step_external__error_definitions(void **state)
{
    static const struct {
        enum command_kind kind;
        const char *body;
        const char *where;
    } cases[] = {
        {COMMAND_EXTERNAL_FAILURE, FAILURE("0"), "caught"},
        {COMMAND_EXTERNAL_FAILURE, FAILURE("5"), "caught"},
        {COMMAND_EXTERNAL_FAILURE, "{\"externalTask\":{\"retries\":5,\"errorMessage\":\"other\"}}",
         "t"},
        {COMMAND_EXTERNAL_COMPLETE,
         "{\"variables\":{\"stop\":true},\"externalTask\":{\"errorMessage\":null}}", "caught"},
        {COMMAND_EXTERNAL_COMPLETE, "{\"externalTask\":{\"errorMessage\":null}}", "a"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sim sim;
        sim_init(&sim);
        sim_deploy_with(&sim, E1, "p",
                        START JUDGED BOUNDARY("b", "t", ON_ERROR("E1")) USER("caught") USER("a")
                            FLOW("start", "t") FLOW("b", "caught") FLOW("t", "a"));
        sim_start(&sim, "p", "{\"stop\":false}");
        answer(&sim, "t", cases[i].kind, cases[i].body);
        assert_string_equal(sim_where(&sim), cases[i].where);
        assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 0);
        sim_deinit(&sim);
    }
}

/* Send tasks, message events, Java classes: all are the same work. */
static void test_step_external__elsewhere(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<sendTask id='s' camunda:class='org.example.Send'/>"
                     "<intermediateThrowEvent id='m'><messageEventDefinition "
                     "camunda:type='external' camunda:topic='throw'/></intermediateThrowEvent>"
                     "<endEvent id='e'><messageEventDefinition camunda:type='external' "
                     "camunda:topic='end'/></endEvent>" FLOW("start", "s") FLOW("s", "m")
                         FLOW("m", "e"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim.externals[0].topic, "org.example.Send");
    assert_true(sim.externals[0].topic_is_class);
    answer(&sim, "s", COMMAND_EXTERNAL_COMPLETE, "{}");
    assert_string_equal(sim_where(&sim), "m");
    answer(&sim, "m", COMMAND_EXTERNAL_COMPLETE, "{}");
    assert_string_equal(sim_where(&sim), "e");
    answer(&sim, "e", COMMAND_EXTERNAL_COMPLETE, "{}");
    assert_true(sim_ended(&sim, "p"));
    assert_int_equal(sim.n_externals, 3);
    sim_deinit(&sim);
}

/* An end event has no boundary: the error goes to whoever encloses it. */
static void test_step_external__error_at_end(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, E1, "p",
                    START SUB("s", "<startEvent id='i'/><endEvent id='e'><messageEventDefinition "
                                   "camunda:type='external' camunda:topic='end'/></endEvent>" FLOW(
                                       "i", "e")) BOUNDARY("b", "s", ON_ERROR("E1")) USER("caught")
                        FLOW("start", "s") FLOW("b", "caught"));
    sim_start(&sim, "p", NULL);
    answer(&sim, "e", COMMAND_EXTERNAL_ERROR, NULL);
    assert_string_equal(sim_where(&sim), "caught");
    sim_deinit(&sim);
}

static unsigned ends;

static void ended(struct sim *sim)
{
    ends++;
    assert_int_equal(sim_count(sim, WAIT_EXTERNAL), 0);
}

static void test_step_external__every_order(void **state)
{
    static const char *const none[] = {NULL};
    struct sim sim;

    (void)state;
    ends = 0;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START AND("f") EXTERNAL("t") EXTERNAL("u") BOUNDARY("b", "t", TIMER("PT5S")) AND("j")
                   FLOW("start", "f") FLOW("f", "t") FLOW("f", "u") FLOW("t", "j") FLOW("u", "j")
                       FLOW("b", "j"));
    sim_start(&sim, "p", NULL);
    assert_true(sim_explore(&sim, none, NULL, ended) > 3);
    assert_true(ends > 0);
    sim_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_external__complete),
        cmocka_unit_test(test_step_external__mappings),
        cmocka_unit_test(test_step_external__bad_topic),
        cmocka_unit_test(test_step_external__bpmn_error),
        cmocka_unit_test(test_step_external__failure),
        cmocka_unit_test(test_step_external__interrupted),
        cmocka_unit_test(test_step_external__error_definitions),
        cmocka_unit_test(test_step_external__elsewhere),
        cmocka_unit_test(test_step_external__error_at_end),
        cmocka_unit_test(test_step_external__every_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
