/* SPDX-License-Identifier: Apache-2.0 */
/* Flow: tasks, gateways, forks and joins, sub-processes, ends, asynchronous boundaries, budgets. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "helper_bpmn.h"
#include "helper_sim.h"

static void test_step__straight(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START TASK("a") "<manualTask id='m'/>" END("end") FLOW("start", "a") FLOW("a", "m")
                   FLOW("m", "end"));
    sim_start(&sim, "p", "{\"x\":1.10}");
    assert_true(sim_ended(&sim, "p"));
    assert_string_equal(sim_trace(&sim), "I+ -start -a -m -end I-");
    assert_string_equal(sim_variable(&sim, "x"), "1.10");
    assert_null(sim.instances[0].end_state); /* completed */
    sim_deinit(&sim);
}

static void test_step__async_chain_keeps_document(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START ASYNC("a") ASYNC("b") ASYNC("c") END("end") FLOW("start", "a") FLOW("a", "b")
                   FLOW("b", "c") FLOW("c", "end"));
    sim_start_only(&sim, "p", "{\"x\":1}");
    assert_string_equal(sim_where(&sim), "a?");
    assert_int_equal(sim.documents_written, 1);
    size_t n = sim.instances[0].row.doc_n;
    assert_true(n < 16);
    struct command command = sim_ready(&sim, "a");
    sim.now_us += 5000000;
    sim_run(&sim, &command);
    assert_string_equal(sim_where(&sim), "b?");
    command = sim_ready(&sim, "b");
    sim_run(&sim, &command);
    assert_string_equal(sim_where(&sim), "c?");
    assert_int_equal(sim.documents_written, 1);
    sim_drain(&sim);
    assert_true(sim_ended(&sim, "p"));
    sim_deinit(&sim);
}

static void test_step__async_after(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<task id='a' camunda:asyncAfter='true'/>"
                     "<parallelGateway id='g' camunda:asyncAfter='true'/>" USER("u1") USER("u2")
                         FLOW("start", "a") FLOW("a", "g") FLOW("g", "u1") FLOW("g", "u2"));
    sim_start_only(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "a?");
    assert_string_equal(sim_trace(&sim), "I+ -start -a");
    struct command command = sim_ready(&sim, "a");
    sim_run(&sim, &command);
    /* A job for each flow of the fork. */
    assert_string_equal(sim_where(&sim), "u1? u2?");
    sim_drain(&sim);
    assert_string_equal(sim_where(&sim), "u1 u2");
    sim_deinit(&sim);
}

static void deploy_choice(struct sim *sim)
{
    sim_deploy(sim, "p",
               START "<exclusiveGateway id='x' default='x_c'/>" USER("a") USER("b") USER("c")
                   FLOW("start", "x") FLOW_IF("x", "a", "input == 1") FLOW("x", "c")
                       FLOW_IF("x", "b", "input &lt;= 2"));
}

static void test_step__exclusive(void **state)
{
    static const char *const cases[][2] = {
        {"{\"input\":1}", "a"}, {"{\"input\":2}", "b"}, {"{\"input\":3}", "c"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sim sim;
        sim_init(&sim);
        deploy_choice(&sim);
        sim_start(&sim, "p", cases[i][0]);
        assert_string_equal(sim_where(&sim), cases[i][1]);
        sim_deinit(&sim);
    }
}

static void test_step__exclusive_none(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START XOR("x") USER("a") USER("b") FLOW("start", "x") FLOW_IF("x", "a", "input == 1")
                   FLOW_IF("x", "b", "input == 2"));
    sim_start(&sim, "p", "{\"input\":4}");
    assert_int_equal(sim.last_result, STEP_FAILED);
    assert_non_null(strstr(sim.err.text, "ENGINE-02004"));
    assert_non_null(strstr(sim.err.text, "'x'"));
    /* Three tries without delay, then an incident; the instance is kept before its start. */
    assert_string_equal(sim_where(&sim), "start~");
    sim_advance(&sim, 0);
    assert_string_equal(sim_where(&sim), "start!");
    assert_string_equal(sim.jobs[0].reason, "failedJob");
    assert_int_equal(sim.jobs[0].command.tries, 3);
    assert_string_equal(sim_variable(&sim, "input"), "4");
    /* Somebody corrects the data, and the retry goes through. */
    struct command set = {.kind = COMMAND_SET_VARIABLES,
                          .instance = sim.root,
                          .root = sim.root,
                          .body = "{\"input\":2}",
                          .body_n = 11,
                          .actor = "ann"};
    assert_int_equal(sim_run(&sim, &set), STEP_DONE);
    assert_true(sim_history_has(&sim, HISTORY_VARIABLES_SET, "[\"input\"]"));
    sim_retry(&sim, "start", NULL);
    assert_string_equal(sim_where(&sim), "b");
    sim_deinit(&sim);
}

/* Whoever may start may start with many small variables: each is found at once. */
static void test_step__many_variables(void **state)
{
    enum { MANY = 100000 };
    struct buf variables;
    struct sim sim;

    (void)state;
    buf_init(&variables, 0);
    for (int i = 0; i < MANY; i++)
        buf_printf(&variables, "%s\"v%d\":%d", i == 0 ? "{" : ",", i, i);
    buf_add_str(&variables, "}");
    sim_init(&sim);
    sim_deploy(&sim, "p", START USER("a") USER("b") FLOW("start", "a") FLOW("a", "b"));
    sim_start(&sim, "p", buf_str(&variables));
    struct command set = {.kind = COMMAND_SET_VARIABLES,
                          .instance = sim.root,
                          .root = sim.root,
                          .body = "{\"v77777\":\"x\",\"w\":1}",
                          .body_n = strlen("{\"v77777\":\"x\",\"w\":1}"),
                          .actor = "ann"};
    assert_int_equal(sim_run(&sim, &set), STEP_DONE);
    assert_string_equal(sim_variable(&sim, "v77777"), "\"x\"");
    assert_string_equal(sim_variable(&sim, "v99999"), "99999");
    assert_string_equal(sim_variable(&sim, "w"), "1");
    sim_complete(&sim, "a", buf_str(&variables));
    assert_string_equal(sim_where(&sim), "b");
    assert_string_equal(sim_variable(&sim, "v77777"), "77777");
    assert_string_equal(sim_variable(&sim, "w"), "1");
    sim_deinit(&sim);
    buf_deinit(&variables);
}

static void test_step__conditions_on_activities(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<task id='t' default='t_d'/>" USER("a") USER("b") USER("d") FLOW("start", "t")
                   FLOW_IF("t", "a", "n &gt; 1") FLOW_IF("t", "b", "n &gt; 2") FLOW("t", "d"));
    sim_start(&sim, "p", "{\"n\":3}");
    assert_string_equal(sim_where(&sim), "a b");
    sim_deinit(&sim);
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<task id='t' default='t_d'/>" USER("a") USER("d") FLOW("start", "t")
                   FLOW_IF("t", "a", "n &gt; 1") FLOW("t", "d"));
    sim_start(&sim, "p", "{\"n\":0}");
    assert_string_equal(sim_where(&sim), "d");
    sim_deinit(&sim);
}

static void test_step__nested_fork_join(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START AND("f1") USER("a") USER("b") AND("f2") USER("b1") USER("b2") AND("j2")
                   AND("j1") USER("c") FLOW("start", "f1") FLOW("f1", "a") FLOW("f1", "b")
                       FLOW("b", "f2") FLOW("f2", "b1") FLOW("f2", "b2") FLOW("b1", "j2")
                           FLOW("b2", "j2") FLOW("j2", "j1") FLOW("a", "j1") FLOW("j1", "c"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "a b");
    sim_complete(&sim, "a", NULL);
    assert_string_equal(sim_where(&sim), "j1+ b");
    sim_complete(&sim, "b", NULL);
    assert_string_equal(sim_where(&sim), "j1+ b1 b2");
    sim_complete(&sim, "b2", NULL);
    sim_complete(&sim, "b1", NULL);
    assert_string_equal(sim_where(&sim), "c");
    sim_complete(&sim, "c", NULL);
    assert_true(sim_ended(&sim, "p"));
    sim_deinit(&sim);
}

static void test_step__join_counts_arrivals(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    /* Two tokens come over one flow, none over the other: as many as it has flows, so it fires. */
    sim_deploy(&sim, "p",
               START AND("f") TASK("a") TASK("b") TASK("m") USER("never") AND("j") USER("after")
                   FLOW("start", "f") FLOW("f", "a") FLOW("f", "b") FLOW("f", "never")
                       FLOW("a", "m") FLOW("b", "m") FLOW("m", "j") FLOW("never", "j")
                           FLOW("j", "after"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "after never");
    sim_deinit(&sim);
}

static void test_step__async_join(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START AND("f") TASK("a") TASK(
                   "b") "<parallelGateway id='j' camunda:asyncBefore='true'/>" FLOW("start", "f")
                   FLOW("f", "a") FLOW("f", "b") FLOW("a", "j") FLOW("b", "j"));
    sim_start_only(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "j? j?");
    sim_drain(&sim);
    assert_true(sim_ended(&sim, "p"));
    sim_deinit(&sim);
}

static void test_step__sub_process(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(
        &sim, "p",
        START "<subProcess id='s'>" EXTENDED(
            "<camunda:inputOutput><camunda:inputParameter name='inner'>${outer + 1}"
            "</camunda:inputParameter><camunda:outputParameter name='result'>${inner * 10}"
            "</camunda:outputParameter></camunda:inputOutput>") "<startEvent id='s0'/>" USER("a")
            USER("b") END("s1") FLOW("s0", "a") FLOW("s0", "b") FLOW("a", "s1")
                FLOW("b", "s1") "</subProcess>" USER("after") FLOW("start", "s")
                    FLOW("s", "after"));
    sim_start(&sim, "p", "{\"outer\":1}");
    assert_string_equal(sim_where(&sim), "s{ a b");
    assert_string_equal(sim_variable(&sim, "inner"), "-");
    sim_complete(&sim, "a", "{\"inner\":5,\"fresh\":true}");
    assert_string_equal(sim_where(&sim), "s{ b");
    assert_string_equal(sim_variable(&sim, "inner"), "-");
    assert_string_equal(sim_variable(&sim, "fresh"), "true");
    sim_complete(&sim, "b", NULL);
    assert_string_equal(sim_where(&sim), "after");
    assert_string_equal(sim_variable(&sim, "result"), "50");
    sim_deinit(&sim);
}

static void test_step__terminate(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START AND("f") SUB("s", "<startEvent id='s0'/>" USER("a") USER("b") END_TERMINATE(
                                           "t") FLOW("s0", "a") FLOW("s0", "b") FLOW("a", "t"))
                   USER("c") END_TERMINATE("t2") FLOW("start", "f") FLOW("f", "s") FLOW("f", "c")
                       FLOW("c", "t2") USER("after") FLOW("s", "after"));
    sim_start(&sim, "p", NULL);
    sim_complete(&sim, "a", NULL);
    assert_string_equal(sim_where(&sim), "after c"); /* only its own scope */
    sim_complete(&sim, "c", NULL);
    assert_true(sim_ended(&sim, "p"));
    assert_non_null(strstr(sim.instances[0].end_state, "\"terminated\""));
    assert_int_equal(sim_count(&sim, WAIT_TASK), 0);
    sim_deinit(&sim);
}

static void test_step__loop_meets_budget(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START XOR("m") SET("t", "n", "n + 1") XOR("x") USER("u") FLOW("start", "m")
                   FLOW("m", "t") FLOW("t", "x") FLOW_IF("x", "m", "n &lt; 2000")
                       FLOW_IF("x", "u", "n >= 2000"));
    sim_start_only(&sim, "p", "{\"n\":0}");
    assert_int_equal(sim_jobs(&sim, JOB_READY), 1); /* goes on in another batch */
    assert_int_equal(sim.jobs[0].command.phase, PHASE_ENTER);
    sim_drain(&sim);
    assert_string_equal(sim_where(&sim), "u");
    assert_string_equal(sim_variable(&sim, "n"), "2000");
    assert_true(sim.n_batches >= 6000 / LIMIT_STEP_MOVES);
    sim_deinit(&sim);
}

static void test_step__token_limit(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    /* Each round doubles the tokens: the budget parks them, so drain by hand until it is too many.
     */
    sim_deploy(&sim, "p",
               START TASK("t") AND("f") FLOW("start", "t") FLOW("t", "f")
                   FLOW("f", "t") "<sequenceFlow id='again' sourceRef='f' targetRef='t'/>");
    /* More rows than the simulated store has: look at the engine's own result. */
    struct family family;
    struct err err;
    uint8_t entropy[16] = {0};
    struct uuid id = {{1}};
    struct command command = {
        .kind = COMMAND_START, .instance = id, .root = id, .graph = sim.graphs[0]};
    family_init(&family, sim.batch, &id, sim.now_us, entropy);
    assert_int_equal(engine_step(&family, &command, &err), STEP_DONE);
    int result = STEP_DONE;
    for (size_t done = 0; result == STEP_DONE && done < family.n_jobs; done++) {
        struct command next = family.jobs[done].command;
        result = engine_step(&family, &next, &err);
    }
    assert_int_equal(result, STEP_FAILED);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.text, "tokens"));
    sim_deinit(&sim);
}

static void test_step__cancel(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START AND("f") USER("a") ASYNC("b") FLOW("start", "f") FLOW("f", "a")
                   FLOW("f", "b"));
    struct uuid id = sim_start_only(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "a b?");
    struct command stale = sim_ready(&sim, "b");
    struct command cancel = {
        .kind = COMMAND_CANCEL, .instance = id, .root = id, .detail = "wrong order"};
    assert_int_equal(sim_run(&sim, &cancel), STEP_DONE);
    assert_true(sim_ended(&sim, "p"));
    assert_string_equal(sim.instances[0].end_state,
                        "{\"state\":\"cancelled\",\"reason\":\"wrong order\"}");
    assert_int_equal(sim.n_waits, 0);
    assert_int_equal(sim_run(&sim, &stale), STEP_DROPPED);
    assert_int_equal(sim_run(&sim, &cancel), STEP_DROPPED);
    sim_deinit(&sim);
}

static void test_step__retry_cycle(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<serviceTask id='t' camunda:asyncBefore='true' "
                     "camunda:expression='${missing}' "
                     "camunda:resultVariable='x'>" EXTENDED(
                         "<camunda:failedJobRetryTimeCycle>PT1S,PT10S</"
                         "camunda:failedJobRetryTimeCycle>") "</serviceTask>" FLOW("start", "t"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "t~");
    assert_int_equal(sim.jobs[0].command.due_us, sim.now_us + 1000000);
    assert_non_null(strstr(sim.jobs[0].error, "serviceTask 't'"));
    sim_advance(&sim, 1);
    assert_int_equal(sim.jobs[0].command.due_us, sim.now_us + 10000000);
    sim_advance(&sim, 10);
    assert_string_equal(sim_where(&sim), "t!");
    assert_int_equal(sim.documents_written, 1); /* it stays where it was */
    assert_true(sim_history_has(&sim, HISTORY_INCIDENT, "failedJob"));
    struct command set = {.kind = COMMAND_SET_VARIABLES,
                          .instance = sim.root,
                          .root = sim.root,
                          .body = "{\"missing\":7}",
                          .body_n = 13};
    sim_run(&sim, &set);
    sim_retry(&sim, "t", NULL);
    assert_true(sim_ended(&sim, "p"));
    sim_deinit(&sim);
}

static void test_step__limits_of_variables(void **state)
{
    struct sim sim;
    size_t n = LIMIT_VALUE_BYTES + 20;
    char *text = malloc(n);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', n);
    memcpy(text, "{\"big\":\"", 8);
    memcpy(text + n - 3, "\"}", 3);
    sim_init(&sim);
    sim_deploy(&sim, "p", START USER("a") FLOW("start", "a"));
    sim_start(&sim, "p", NULL);
    struct command set = {.kind = COMMAND_SET_VARIABLES,
                          .instance = sim.root,
                          .root = sim.root,
                          .body = text,
                          .body_n = n - 1};
    assert_int_equal(sim_run(&sim, &set), STEP_FAILED);
    assert_int_equal(sim.err.code, ERR_LIMIT);
    assert_non_null(strstr(sim.err.text, "'big'"));
    assert_string_equal(sim_where(&sim), "a");
    /* Each alone is small enough, all together are not. */
    int result = STEP_DONE;
    for (int i = 0; i < 6 && result == STEP_DONE; i++) {
        memset(text, 'x', n);
        snprintf(text, n, "{\"v%d\":\"", i);
        text[7] = 'x';
        size_t length = LIMIT_VALUE_BYTES - 100;
        memcpy(text + length - 2, "\"}", 2);
        set.body_n = length;
        result = sim_run(&sim, &set);
    }
    assert_int_equal(result, STEP_FAILED);
    assert_non_null(strstr(sim.err.text, "in all"));
    free(text);
    sim_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step__straight),
        cmocka_unit_test(test_step__many_variables),
        cmocka_unit_test(test_step__async_chain_keeps_document),
        cmocka_unit_test(test_step__async_after),
        cmocka_unit_test(test_step__exclusive),
        cmocka_unit_test(test_step__exclusive_none),
        cmocka_unit_test(test_step__conditions_on_activities),
        cmocka_unit_test(test_step__nested_fork_join),
        cmocka_unit_test(test_step__join_counts_arrivals),
        cmocka_unit_test(test_step__async_join),
        cmocka_unit_test(test_step__sub_process),
        cmocka_unit_test(test_step__terminate),
        cmocka_unit_test(test_step__loop_meets_budget),
        cmocka_unit_test(test_step__token_limit),
        cmocka_unit_test(test_step__cancel),
        cmocka_unit_test(test_step__retry_cycle),
        cmocka_unit_test(test_step__limits_of_variables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
