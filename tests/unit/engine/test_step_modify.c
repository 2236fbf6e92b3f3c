/* SPDX-License-Identifier: Apache-2.0 */
/* Skipped, moved and completed by hand. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "helper_bpmn.h"
#include "helper_sim.h"

static int by_hand(struct sim *sim, enum command_kind kind, const char *element, const char *body)
{
    struct command command = {.kind = kind,
                              .instance = sim->root,
                              .root = sim->root,
                              .node = -1,
                              .name = element,
                              .detail = "because",
                              .body = body,
                              .body_n = body != NULL ? strlen(body) : 0,
                              .actor = "anna"};

    int result = sim_run(sim, &command);
    if (result == STEP_DONE)
        sim_drain(sim);
    return result;
}

/* Of a token whose job waits as an incident at the element. */
static int by_hand_at_incident(struct sim *sim, enum command_kind kind, const char *element,
                               const char *body)
{
    struct command command = {.kind = kind,
                              .instance = sim->root,
                              .root = sim->root,
                              .name = element,
                              .body = body,
                              .body_n = body != NULL ? strlen(body) : 0,
                              .actor = "anna"};

    for (size_t i = 0; i < sim->n_jobs; i++) {
        if (sim->jobs[i].place != JOB_INCIDENT)
            continue;
        command.token = sim->jobs[i].command.token;
        command.node = sim->jobs[i].command.node;
        command.phase = sim->jobs[i].command.phase;
        sim->jobs[i] = sim->jobs[--sim->n_jobs]; /* the store's part */
        int result = sim_run(sim, &command);
        if (result == STEP_DONE)
            sim_drain(sim);
        return result;
    }
    fail_msg("there is no incident");
    return -1;
}

static void refused(struct sim *sim, enum command_kind kind, const char *element, const char *body,
                    const char *text)
{
    const char *where = sim_where(sim);

    assert_int_equal(by_hand(sim, kind, element, body), STEP_FAILED);
    if (strstr(sim->err.text, text) == NULL)
        fail_msg("%s does not say: %s", sim->err.text, text);
    assert_string_equal(sim_where(sim), where);
}

#define TWO_USERS                                                                                  \
    START USER("a") USER("b") END("end") FLOW("start", "a") FLOW("a", "b") FLOW("b", "end")

static void test_step_modify__skip(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               TWO_USERS BOUNDARY("late", "a", TIMER("PT1H")) END("over") FLOW("late", "over"));
    sim_start(&sim, "p", NULL);
    assert_int_equal(by_hand(&sim, COMMAND_SKIP, "a", "{\"variables\":{\"x\":1}}"), STEP_DONE);
    assert_string_equal(sim_where(&sim), "b");
    assert_string_equal(sim_variable(&sim, "x"), "1");
    assert_int_equal(sim_count(&sim, WAIT_TIMER), 0);
    assert_int_equal(sim_count(&sim, WAIT_TASK), 1);
    assert_true(
        sim_history_has(&sim, HISTORY_SKIPPED, "\"actor\":\"anna\",\"reason\":\"because\""));
    assert_true(sim_history_has(&sim, HISTORY_ACTIVITY_CANCELLED, "skipped by hand"));
    refused(&sim, COMMAND_SKIP, "a", NULL, "No token is at 'a'");
    refused(&sim, COMMAND_SKIP, "nothing", NULL, "no element 'nothing'");
    assert_int_equal(by_hand(&sim, COMMAND_SKIP, "b", NULL), STEP_DONE);
    assert_true(sim_ended(&sim, "p"));
    sim_deinit(&sim);
}

static void test_step_modify__incident(void **state)
{
    static const enum command_kind kinds[] = {COMMAND_SKIP, COMMAND_MOVE, COMMAND_COMPLETE_ELEMENT};
    static const char *const bodies[] = {NULL, "{\"to\":\"after\"}", "{\"variables\":{\"x\":7}}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct sim sim;
        sim_init(&sim);
        sim_deploy(&sim, "p",
                   START "<serviceTask id='t' camunda:asyncBefore='true' "
                         "camunda:expression='${10 / 0}'>" EXTENDED(
                             "<camunda:inputOutput><camunda:outputParameter "
                             "name='y'>${x}</camunda:outputParameter></camunda:inputOutput>"
                             "<camunda:failedJobRetryTimeCycle>R1</"
                             "camunda:failedJobRetryTimeCycle>") "</serviceTask>" USER("after")
                             FLOW("start", "t") FLOW("t", "after"));
        sim_start(&sim, "p", NULL);
        assert_string_equal(sim_where(&sim), "t!");
        struct command old = sim.jobs[0].command;
        assert_int_equal(by_hand_at_incident(&sim, kinds[i], "t", bodies[i]), STEP_DONE);
        assert_string_equal(sim_where(&sim), "after");
        assert_string_equal(sim_variable(&sim, "y"), i == 2 ? "7" : "-");
        /* Its old job finds nobody. */
        assert_int_equal(sim_run(&sim, &old), STEP_DROPPED);
        assert_string_equal(sim_where(&sim), "after");
        sim_deinit(&sim);
    }
}

static void test_step_modify__gateways(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, DEFINE_MESSAGE("M"), "p",
                    START AND("fork") USER("a") EVENTS("which") CATCH("m", MESSAGE("M"))
                        CATCH("t", TIMER("PT1H")) XOR("either") AND("join") END("end")
                            FLOW("start", "fork") FLOW("fork", "a") FLOW("fork", "which")
                                FLOW("which", "m") FLOW("which", "t") FLOW("m", "either")
                                    FLOW("t", "either") FLOW("either", "join") FLOW("a", "join")
                                        FLOW("join", "end"));
    sim_start(&sim, "p", NULL);
    refused(&sim, COMMAND_SKIP, "which", NULL, "skip the one");
    refused(&sim, COMMAND_COMPLETE_ELEMENT, "which", NULL, "has no result");
    assert_int_equal(by_hand(&sim, COMMAND_COMPLETE_ELEMENT, "m", "{\"variables\":{\"x\":1}}"),
                     STEP_DONE);
    assert_string_equal(sim_variable(&sim, "x"), "1");
    assert_int_equal(sim_count(&sim, WAIT_TIMER), 0);
    refused(&sim, COMMAND_SKIP, "join", NULL, "waits for others");
    assert_int_equal(by_hand(&sim, COMMAND_MOVE, "join", "{\"to\":\"which\"}"), STEP_DONE);
    assert_int_equal(sim_count(&sim, WAIT_MESSAGE), 1);
    assert_int_equal(by_hand(&sim, COMMAND_SKIP, "t", NULL), STEP_DONE);
    assert_int_equal(by_hand(&sim, COMMAND_MOVE, "a", "{\"to\":\"a\",\"after\":true}"), STEP_DONE);
    assert_true(sim_ended(&sim, "p"));
    sim_deinit(&sim);
}

static void test_step_modify__scopes(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START USER("before") SUB("sub", "<startEvent id='in'/>" USER("inner") USER("other")
                                                   FLOW("in", "inner") FLOW("inner", "other"))
                   USER("after") FLOW("start", "before") FLOW("before", "sub")
                       FLOW("sub", "after"));
    sim_start(&sim, "p", NULL);
    refused(&sim, COMMAND_MOVE, "before", "{\"to\":\"inner\"}", "move it to the subProcess");
    refused(&sim, COMMAND_MOVE, "before", NULL, "where the token shall go");
    assert_int_equal(by_hand(&sim, COMMAND_MOVE, "before", "{\"to\":\"sub\"}"), STEP_DONE);
    refused(&sim, COMMAND_COMPLETE_ELEMENT, "sub", NULL, "inside of it");
    assert_int_equal(by_hand(&sim, COMMAND_MOVE, "inner", "{\"to\":\"other\"}"), STEP_DONE);
    /* The last one leaves: the sub-process is cancelled. */
    assert_int_equal(by_hand(&sim, COMMAND_MOVE, "other", "{\"to\":\"before\"}"), STEP_DONE);
    assert_string_equal(sim_where(&sim), "before");
    assert_int_equal(by_hand(&sim, COMMAND_SKIP, "before", NULL), STEP_DONE);
    assert_int_equal(by_hand(&sim, COMMAND_SKIP, "sub", NULL), STEP_DONE);
    assert_string_equal(sim_where(&sim), "after");
    assert_int_equal(sim_count(&sim, WAIT_TASK), 1);
    sim_deinit(&sim);
}

static void test_step_modify__called(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "child", TWO_USERS);
    sim_deploy(&sim, "p",
               START CALL("call", "child") USER("after") FLOW("start", "call")
                   FLOW("call", "after"));
    sim_start(&sim, "p", NULL);
    assert_int_equal(by_hand(&sim, COMMAND_SKIP, "call", NULL), STEP_DONE);
    assert_true(sim_ended(&sim, "child"));
    assert_string_equal(sim_where(&sim), "after");
    sim_deinit(&sim);
}

static void test_step_modify__several(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START AND("fork") USER("a")
                   FLOW("start", "fork") "<sequenceFlow id='f1' sourceRef='fork' targetRef='a'/>"
                                         "<sequenceFlow id='f2' sourceRef='fork' targetRef='a'/>");
    sim_start(&sim, "p", NULL);
    refused(&sim, COMMAND_SKIP, "a", NULL, "2 tokens are at 'a'");
    struct command one = {.kind = COMMAND_SKIP,
                          .instance = sim.root,
                          .root = sim.root,
                          .node = -1,
                          .name = "a",
                          .token = sim.waits[0].wait.token};
    assert_int_equal(sim_run(&sim, &one), STEP_DONE);
    assert_int_equal(sim_count(&sim, WAIT_TASK), 1);
    assert_int_equal(sim_run(&sim, &one), STEP_FAILED);
    sim_deinit(&sim);
}

static void test_step_modify__call(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<serviceTask id='ask'>" EXTENDED("<pawl:http endpoint='bank' method='GET' "
                                                       "path='/x' mode='wait'>"
                                                       "<pawl:output "
                                                       "name='r'>${response.body.n}</pawl:output></"
                                                       "pawl:http>") "</serviceTask>" USER("after")
                   FLOW("start", "ask") FLOW("ask", "after"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "ask");
    assert_int_equal(by_hand(&sim, COMMAND_COMPLETE_ELEMENT, "ask",
                             "{\"response\":{\"outcome\":\"answered\",\"ok\":true,\"status\":200,"
                             "\"body\":{\"n\":5}}}"),
                     STEP_DONE);
    assert_string_equal(sim_where(&sim), "after");
    assert_string_equal(sim_variable(&sim, "r"), "5");
    refused(&sim, COMMAND_COMPLETE_ELEMENT, "after", "{\"response\":{}}",
            "does not wait for the answer");
    sim_deinit(&sim);
}

/* In a suspended family the token stops before the next element. */
static void test_step_modify__suspended(void **state)
{
    struct arena arena;
    struct sim sim;
    struct err err = {0};

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p", TWO_USERS);
    sim_start(&sim, "p", NULL);
    arena_init(&arena, 0);
    struct family family;
    family_init(&family, &arena, &sim.root, sim.now_us, (const uint8_t[16]){1});
    family.suspended = true;
    assert_int_equal(family_load(&family, &sim.instances[0].row, &err), 0);
    struct command skip = {
        .kind = COMMAND_SKIP, .instance = sim.root, .root = sim.root, .node = -1, .name = "a"};
    assert_int_equal(engine_step(&family, &skip, &err), STEP_DONE);
    assert_int_equal(family.n_tasks, 0);
    assert_int_equal(family.n_jobs, 1);
    assert_int_equal(family.jobs[0].place, JOB_READY);
    arena_deinit(&arena);
    sim_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_modify__skip),     cmocka_unit_test(test_step_modify__incident),
        cmocka_unit_test(test_step_modify__gateways), cmocka_unit_test(test_step_modify__scopes),
        cmocka_unit_test(test_step_modify__called),   cmocka_unit_test(test_step_modify__several),
        cmocka_unit_test(test_step_modify__call),     cmocka_unit_test(test_step_modify__suspended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
