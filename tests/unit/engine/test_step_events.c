/* SPDX-License-Identifier: Apache-2.0 */
/* Events: timers, messages, boundary events, event-based gateways, errors; user and receive tasks.
 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "helper_bpmn.h"
#include "helper_sim.h"

#define M1 DEFINE_MESSAGE("M1")
#define M2 DEFINE_MESSAGE("M2")

static void test_step_events__catch_timer(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START CATCH("t", TIMER("PT50M")) USER("a") FLOW("start", "t") FLOW("t", "a"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "t");
    sim_advance(&sim, 50 * 60 - 1);
    assert_string_equal(sim_where(&sim), "t");
    struct command early = {.kind = COMMAND_TIMER,
                            .instance = sim.root,
                            .root = sim.root,
                            .token = sim.waits[0].wait.token,
                            .node = sim.waits[0].wait.node};
    assert_int_equal(sim_run(&sim, &early), STEP_DROPPED); /* never early */
    sim_advance(&sim, 1);
    assert_string_equal(sim_where(&sim), "a");
    assert_string_equal(sim_trace(&sim), "I+ -start +t -t +a");
    assert_int_equal(sim.history[3].started_us, sim.now_us - INT64_C(3000000000));
    sim_deinit(&sim);
}

static void test_step_events__catch_timer_date(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START CATCH("t", "<timerEventDefinition><timeDate>${at}</timeDate>"
                                "</timerEventDefinition>") FLOW("start", "t"));
    sim_start(&sim, "p", "{\"at\":\"2020-01-01T00:00:00Z\"}");
    sim_advance(&sim, 0); /* long past: due at once */
    assert_true(sim_ended(&sim, "p"));
    sim_deinit(&sim);
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START CATCH("t", "<timerEventDefinition><timeDate>${at}</timeDate>"
                                "</timerEventDefinition>") FLOW("start", "t"));
    sim_start(&sim, "p", "{\"at\":\"next week\"}");
    assert_int_equal(sim.last_result, STEP_FAILED);
    assert_non_null(strstr(sim.err.text, "'t'"));
    sim_deinit(&sim);
}

static void test_step_events__timer_out_of_range(void **state)
{
    static const char *const times[] = {"P9000Y", "P99999Y", "P300000000D", "-PT1S", "PT", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct sim sim;
        sim_init(&sim);
        sim_deploy(&sim, "p", START CATCH("t", TIMER("${d}")) FLOW("start", "t"));
        sim_start(&sim, "p", arena_printf(sim.arena, "{\"d\":\"%s\"}", times[i]));
        assert_int_equal(sim.last_result, STEP_FAILED);
        assert_non_null(strstr(sim.err.text, "'t'"));
        sim_deinit(&sim);
    }
}

static void test_step_events__catch_message(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, M1, "p",
                    START "<intermediateCatchEvent id='c'><messageEventDefinition messageRef='M1' "
                          "pawl:correlationKey='${order}'/></intermediateCatchEvent>" USER("a")
                              FLOW("start", "c") FLOW("c", "a"));
    sim_start(&sim, "p", "{\"order\":4711}");
    assert_string_equal(sim.waits[0].wait.key, "4711");
    struct command message = sim_message(&sim, "M1", "{\"answer\":[1,2]}");
    assert_int_equal(sim_run(&sim, &message), STEP_DONE);
    assert_string_equal(sim_where(&sim), "a");
    assert_string_equal(sim_variable(&sim, "answer"), "[1,2]");
    assert_int_equal(sim_run(&sim, &message), STEP_DROPPED); /* twice */
    assert_string_equal(sim_trace(&sim), "I+ -start +c got:c -c +a");
    sim_deinit(&sim);
}

static void test_step_events__receive_task(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, M1, "p",
                    START "<receiveTask id='r' messageRef='M1'/>" FLOW("start", "r"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim.waits[0].wait.key, "order 1"); /* the business key */
    sim_receive(&sim, "M1", "{\"x\":1}");
    assert_true(sim_ended(&sim, "p"));
    assert_string_equal(sim_variable(&sim, "x"), "1");
    sim_deinit(&sim);
}

static void deploy_race(struct sim *sim)
{
    sim_deploy_with(sim, M1 M2, "p",
                    START EVENTS("g") CATCH("m", MESSAGE("M1")) CATCH("t", TIMER("PT1H"))
                        CATCH("r", MESSAGE("M2")) USER("am") USER("at") USER("ar")
                            FLOW("start", "g") FLOW("g", "m") FLOW("g", "t") FLOW("g", "r")
                                FLOW("m", "am") FLOW("t", "at") FLOW("r", "ar"));
    sim_start(sim, "p", NULL);
    assert_string_equal(sim_where(sim), "g");
    assert_int_equal(sim->n_waits, 3);
}

static void test_step_events__event_gateway(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    deploy_race(&sim);
    sim_receive(&sim, "M1", "{\"x\":1}");
    assert_string_equal(sim_where(&sim), "am");
    assert_int_equal(sim.n_waits, 1);
    assert_string_equal(sim_trace(&sim), "I+ -start +g got:m -g -m +am");
    assert_true(sim_history_has(&sim, HISTORY_ACTIVITY_ENDED, "{\"won\":\"m\"}"));
    sim_deinit(&sim);

    sim_init(&sim);
    deploy_race(&sim);
    sim_advance(&sim, 3600);
    assert_string_equal(sim_where(&sim), "at");
    sim_deinit(&sim);

    sim_init(&sim);
    deploy_race(&sim);
    struct command timer = sim_timer(&sim, "t");
    sim.now_us += INT64_C(3600000000);
    sim_receive(&sim, "M2", NULL);
    assert_string_equal(sim_where(&sim), "ar");
    assert_int_equal(sim_run(&sim, &timer), STEP_DROPPED); /* the loser */
    sim_deinit(&sim);
}

static void test_step_events__boundary_timer(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START USER("a") BOUNDARY("b1", "a", TIMER("PT1H")) BOUNDARY("b2", "a", TIMER("PT2H"))
                   USER("late") FLOW("start", "a") FLOW("b1", "late"));
    sim_start(&sim, "p", NULL);
    assert_int_equal(sim_count(&sim, WAIT_TIMER), 2);
    struct command done = sim_task(&sim, "a", NULL);
    sim_advance(&sim, 3600);
    assert_string_equal(sim_where(&sim), "late");
    assert_int_equal(sim.n_waits, 1);
    assert_int_equal(sim_run(&sim, &done), STEP_DROPPED);
    assert_string_equal(sim_trace(&sim), "I+ -start +a xa -b1 +late");
    assert_true(sim_history_has(&sim, HISTORY_ACTIVITY_CANCELLED, "{\"by\":\"b1\"}"));
    sim_deinit(&sim);
}

static void test_step_events__boundary_cycle(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START USER("a") BESIDE("b", "a", CYCLE("R3/PT1H")) TASK("remind") USER("after")
                   FLOW("start", "a") FLOW("b", "remind") FLOW("a", "after"));
    sim_start(&sim, "p", NULL);
    sim_advance(&sim, 3600);
    assert_string_equal(sim_where(&sim), "a");
    assert_int_equal(sim_count(&sim, WAIT_TIMER), 1);
    sim_advance(&sim, 3600);
    assert_int_equal(sim_count(&sim, WAIT_TIMER), 1);
    sim_advance(&sim, 3600);
    assert_int_equal(sim_count(&sim, WAIT_TIMER), 0);
    assert_string_equal(sim_trace(&sim), "I+ -start +a -b -remind -b -remind -b -remind");
    sim_complete(&sim, "a", NULL);
    assert_string_equal(sim_where(&sim), "after");
    sim_deinit(&sim);
}

static void test_step_events__boundary_cycle_for_ever(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p", START USER("a") BESIDE("b", "a", CYCLE("R/PT1H")) FLOW("start", "a"));
    sim_start(&sim, "p", NULL);
    int64_t began_us = sim.now_us;
    struct command timer = sim_timer(&sim, "b");
    sim.now_us += INT64_C(3600000000) * 5 + 1; /* nobody was there for five hours */
    sim_run(&sim, &timer);
    assert_int_equal(sim_count(&sim, WAIT_TIMER), 1);
    timer = sim_timer(&sim, "b");
    assert_int_equal(timer.due_us, began_us + INT64_C(3600000000) * 6);
    sim.waits[sim.n_waits++] = (struct sim_wait){
        .instance = timer.instance,
        .wait = {
            .kind = WAIT_TIMER, .token = timer.token, .node = timer.node, .due_us = timer.due_us}};
    sim_complete(&sim, "a", NULL);
    assert_true(sim_ended(&sim, "p"));
    assert_int_equal(sim.n_waits, 0);
    sim_deinit(&sim);
}

static void test_step_events__boundary_message(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(
        &sim, M1 M2, "p",
        START SUB("s", "<startEvent id='s0'/>" USER("a") BOUNDARY("in", "a", MESSAGE("M1"))
                           USER("inner") FLOW("s0", "a") FLOW("in", "inner"))
            BOUNDARY("out", "s", MESSAGE("M2")) BESIDE("beside", "s", MESSAGE("M1")) USER("outer")
                USER("extra") FLOW("start", "s") FLOW("out", "outer") FLOW("beside", "extra"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "s{ a");
    assert_int_equal(sim_count(&sim, WAIT_MESSAGE), 3);
    sim_receive(&sim, "M1", "{\"n\":1}"); /* the oldest: beside */
    assert_string_equal(sim_where(&sim), "s{ a extra");
    assert_int_equal(sim_count(&sim, WAIT_MESSAGE), 3); /* it goes on listening */
    sim_receive(&sim, "M1", NULL);
    assert_string_equal(sim_where(&sim), "s{ inner extra");
    sim_receive(&sim, "M2", NULL);
    assert_string_equal(sim_where(&sim), "outer extra");
    assert_int_equal(sim_count(&sim, WAIT_MESSAGE), 0);
    sim_deinit(&sim);
}

/* ---- Errors ---- */

#define E1 DEFINE_ERROR("E1")
#define E2 DEFINE_ERROR("E2")

static void test_step_events__error_nested(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(
        &sim, E1 E2, "p",
        START SUB("s",
                  "<startEvent id='s0'/>" SUB(
                      "i", "<startEvent id='i0'/>" AND("f") USER("k") XOR("x") END_ERROR("e1", "E1")
                               END_ERROR("e2", "E2") FLOW("i0", "f") FLOW("f", "k") FLOW("f", "x")
                                   FLOW_IF("x", "e1", "n == 1") FLOW_IF("x", "e2", "n == 2"))
                      BOUNDARY("bi", "i", ON_ERROR("E1")) USER("one") FLOW("s0", "i")
                          FLOW("bi", "one"))
            BOUNDARY("all", "s",
                     ON_ANY_ERROR) "<boundaryEvent id='bs' attachedToRef='s'><errorEventDefinition "
                                   "errorRef='E2' "
                                   "camunda:errorCodeVariable='code' "
                                   "camunda:errorMessageVariable='text'/></boundaryEvent>" USER(
                                       "two") USER("any") FLOW("start", "s") FLOW("bs", "two")
                                       FLOW("all", "any"));
    sim_start(&sim, "p", "{\"n\":1}");
    assert_string_equal(sim_where(&sim), "s{ one"); /* the innermost */
    sim_start(&sim, "p", "{\"n\":2}");
    assert_string_equal(sim_where(&sim) + strlen("s{ one "), "two"); /* a code beats catch-all */
    assert_true(sim_history_has(&sim, HISTORY_ERROR_THROWN, "\"caught\":\"bs\""));
    assert_string_equal(sim_variable_of(&sim, "p", "code"), "\"E2\"");
    assert_int_equal(sim_count(&sim, WAIT_TASK), 2);
    sim_deinit(&sim);
}

static void test_step_events__error_uncaught(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, E1 E2, "p",
                    START SUB("s", "<startEvent id='s0'/>" END_ERROR("e", "E1") FLOW("s0", "e"))
                        BOUNDARY("b", "s", ON_ERROR("E2")) USER("after") FLOW("start", "s")
                            FLOW("s", "after"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "after"); /* as if at an end event */
    assert_true(sim_history_has(&sim, HISTORY_ERROR_THROWN, "\"caught\":null"));
    sim_deinit(&sim);
}

static void test_step_events__task_error(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, E1, "p",
                    START USER("a") BOUNDARY("b", "a", ON_ERROR("E1")) USER("caught")
                        FLOW("start", "a") FLOW("b", "caught"));
    sim_start(&sim, "p", NULL);
    struct command error = sim_task(&sim, "a", "{\"why\":\"no stock\"}");
    error.kind = COMMAND_TASK_ERROR;
    error.name = "E1";
    error.detail = "sold out";
    assert_int_equal(sim_run(&sim, &error), STEP_DONE);
    assert_string_equal(sim_where(&sim), "caught");
    assert_string_equal(sim_variable(&sim, "why"), "\"no stock\"");
    assert_true(sim_history_has(&sim, HISTORY_ERROR_THROWN, "sold out"));
    error = sim_task(&sim, "caught", NULL);
    error.kind = COMMAND_TASK_ERROR;
    error.name = "E9";
    assert_int_equal(sim_run(&sim, &error), STEP_DONE);
    assert_true(sim_ended(&sim, "p")); /* uncaught */
    sim_deinit(&sim);
}

/* ---- Tasks of people, and messages out ---- */

static void test_step_events__user_task(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START
               "<userTask id='u' name='Check' camunda:assignee='${who}' "
               "camunda:candidateUsers='ann, bob ,' camunda:candidateGroups='${groups}' "
               "camunda:priority='${40 + 2}' camunda:dueDate='P1D' "
               "camunda:followUpDate='2026-11-21T10:00:00Z' camunda:formKey='form'>" EXTENDED(
                   "<camunda:inputOutput><camunda:inputParameter name='l'><camunda:list>"
                   "<camunda:value>a</camunda:value><camunda:value>${who}</camunda:value>"
                   "</camunda:list></camunda:inputParameter><camunda:inputParameter name='m'>"
                   "<camunda:map><camunda:entry key='k'>${l == null}</camunda:entry>"
                   "</camunda:map></camunda:inputParameter>"
                   "<camunda:outputParameter name='result'>${l[1]}${m.k}</camunda:outputParameter>"
                   "</camunda:inputOutput>") "</userTask>" FLOW("start", "u"));
    sim_start(&sim, "p", "{\"who\":\"eve\",\"groups\":[\"x\",\"y\"],\"l\":null}");
    const struct new_task *task = &sim.tasks[0];
    assert_string_equal(task->name, "Check");
    assert_string_equal(task->assignee, "eve");
    assert_int_equal(task->n_candidate_users, 2);
    assert_string_equal(task->candidate_users[1], "bob");
    assert_int_equal(task->n_candidate_groups, 2);
    assert_string_equal(task->candidate_groups[1], "y");
    assert_int_equal(task->priority, 42);
    assert_int_equal(task->due_us, sim.now_us + INT64_C(86400000000));
    assert_int_equal(task->follow_up_us, INT64_C(1795255200000000));
    assert_string_equal(task->form_key, "form");
    sim_complete(&sim, "u", "{\"done\":true}");
    assert_true(sim_ended(&sim, "p"));
    assert_string_equal(sim_variable(&sim, "result"), "\"evetrue\"");
    assert_string_equal(sim_variable(&sim, "m"), "-");
    assert_true(sim_history_has(&sim, HISTORY_TASK_COMPLETED, "\"actor\":\"tester\""));
    sim_deinit(&sim);
}

static void test_step_events__task_failure_is_an_incident(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START USER("a") SET("s", "x", "y - 1") USER("b") FLOW("start", "a") FLOW("a", "s")
                   FLOW("s", "b"));
    sim_start(&sim, "p", NULL);
    sim_complete(&sim, "a", "{\"y\":\"text\"}");
    assert_int_equal(sim.last_result, STEP_FAILED);
    assert_string_equal(sim_where(&sim), "a"); /* it stays, and what was given is kept in the job */
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_string_equal(sim.jobs[0].command.body, "{\"y\":\"text\"}");
    sim.jobs[0].command.body = "{\"y\":1}";
    sim.jobs[0].command.body_n = 7;
    sim_retry(&sim, "a", NULL);
    assert_string_equal(sim_where(&sim), "b");
    sim_deinit(&sim);
}

static void test_step_events__publish(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(
        &sim, M1 M2, "p",
        START
        "<intermediateThrowEvent id='n'/>"
        "<intermediateThrowEvent id='t'>" EXTENDED(
            "<camunda:inputOutput><camunda:inputParameter name='a'>${x + 1}"
            "</camunda:inputParameter></camunda:inputOutput>") "<messageEventDefinition "
                                                               "messageRef='M1' "
                                                               "pawl:correlationKey='${key}' "
                                                               "pawl:timeToLive='PT1H'/></"
                                                               "intermediateThrowEvent>"
                                                               "<endEvent "
                                                               "id='e'><messageEventDefinition "
                                                               "messageRef='M2'/></endEvent>" FLOW(
                                                                   "start", "n") FLOW("n", "t")
                                                                   FLOW("t", "e"));
    sim_start(&sim, "p", "{\"x\":1,\"key\":\"k\"}");
    assert_true(sim_ended(&sim, "p"));
    assert_int_equal(sim.n_messages, 2);
    assert_string_equal(sim.messages[0].name, "M1");
    assert_string_equal(sim.messages[0].key, "k");
    assert_string_equal(sim.messages[0].body, "{\"a\":2}");
    assert_int_equal(sim.messages[0].ttl_us, INT64_C(3600000000));
    assert_string_equal(sim.messages[1].key, "order 1");
    assert_string_equal(sim.messages[1].body, "{}");
    assert_int_equal(sim.messages[1].ttl_us, INT64_C(600000000));
    assert_string_equal(sim_variable(&sim, "a"), "-");
    sim_deinit(&sim);
}

static void test_step_events__netting(void **state)
{
    struct sim sim;
    struct command both[2];

    (void)state;
    /* Two commands in one batch: what the first made, the second removes; nothing of it is written.
     */
    sim_init(&sim);
    sim_deploy_with(&sim, M1, "p",
                    START AND("f") USER("a") USER("b") USER("c") END_TERMINATE("t")
                        FLOW("start", "f") FLOW("f", "a") FLOW("f", "b") FLOW("a", "c")
                            FLOW("b", "t"));
    sim_start(&sim, "p", NULL);
    both[0] = sim_task(&sim, "a", NULL);
    both[1] = sim_task(&sim, "b", NULL);
    size_t tasks = sim.n_tasks;
    sim_batch(&sim, both, 2);
    assert_true(sim_ended(&sim, "p"));
    assert_int_equal(sim.n_tasks, tasks); /* c came and went */
    assert_int_equal(sim.n_waits, 0);
    sim_deinit(&sim);
    /* A loop comes back to the same event with the same token. */
    sim_init(&sim);
    sim_deploy_with(&sim, M1, "p",
                    START XOR("m") CATCH("c", MESSAGE("M1")) FLOW("start", "m") FLOW("m", "c")
                        FLOW("c", "m"));
    sim_start(&sim, "p", NULL);
    sim_receive(&sim, "M1", NULL);
    sim_receive(&sim, "M1", NULL);
    assert_int_equal(sim_count(&sim, WAIT_MESSAGE), 1);
    assert_string_equal(sim_where(&sim), "c");
    sim_deinit(&sim);
}

static void test_step_events__stale_timer_in_a_loop(void **state)
{
    struct sim sim;
    struct command both[2];

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, M1, "p",
                    START XOR("m") EVENTS("g") CATCH("c", MESSAGE("M1")) CATCH("t", TIMER("PT1M"))
                        USER("late") FLOW("start", "m") FLOW("m", "g") FLOW("g", "c") FLOW("g", "t")
                            FLOW("c", "m") FLOW("t", "late"));
    sim_start(&sim, "p", NULL);
    both[0] = sim_message(&sim, "M1", NULL);
    both[1] = sim_timer(&sim, "t");
    sim.now_us += 60000000;
    sim_batch(&sim, both, 2); /* the timer rang for the round before */
    assert_string_equal(sim_where(&sim), "g");
    assert_int_equal(sim.last_result, STEP_DROPPED);
    sim_advance(&sim, 60);
    assert_string_equal(sim_where(&sim), "late");
    sim_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_events__catch_timer),
        cmocka_unit_test(test_step_events__catch_timer_date),
        cmocka_unit_test(test_step_events__timer_out_of_range),
        cmocka_unit_test(test_step_events__catch_message),
        cmocka_unit_test(test_step_events__receive_task),
        cmocka_unit_test(test_step_events__event_gateway),
        cmocka_unit_test(test_step_events__boundary_timer),
        cmocka_unit_test(test_step_events__boundary_cycle),
        cmocka_unit_test(test_step_events__boundary_cycle_for_ever),
        cmocka_unit_test(test_step_events__boundary_message),
        cmocka_unit_test(test_step_events__error_nested),
        cmocka_unit_test(test_step_events__error_uncaught),
        cmocka_unit_test(test_step_events__task_error),
        cmocka_unit_test(test_step_events__user_task),
        cmocka_unit_test(test_step_events__task_failure_is_an_incident),
        cmocka_unit_test(test_step_events__publish),
        cmocka_unit_test(test_step_events__netting),
        cmocka_unit_test(test_step_events__stale_timer_in_a_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
