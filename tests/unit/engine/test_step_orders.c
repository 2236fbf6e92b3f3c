/* SPDX-License-Identifier: Apache-2.0 */
/* Small models under every order of what can happen to them. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "helper_bpmn.h"
#include "helper_sim.h"

#define OK "{\"outcome\":\"answered\",\"ok\":true,\"body\":1,\"attempt\":1}"
#define HTTP(id, attributes, inside)                                                               \
    "<serviceTask id='" id "'>" EXTENDED("<pawl:http endpoint='api' method='GET' " attributes      \
                                         ">" inside "</pawl:http>") "</serviceTask>"

static const char *const nothing[] = {NULL};

/* Everything over, and nothing left behind; each start of an activity has its end. */
static void all_over(struct sim *sim)
{
    assert_string_equal(sim_where(sim), ".");
    assert_int_equal(sim->n_waits, 0);
    assert_int_equal(sim->n_calls, 0);
    assert_int_equal(sim->n_jobs, 0);
    unsigned instances = 0;
    for (size_t i = 0; i < sim->n_history; i++) {
        instances += sim->history[i].kind == HISTORY_INSTANCE_STARTED;
        instances -= sim->history[i].kind == HISTORY_INSTANCE_ENDED;
        if (sim->history[i].kind != HISTORY_ACTIVITY_STARTED)
            continue;
        unsigned ends = 0;
        for (size_t n = i + 1; n < sim->n_history && ends == 0; n++)
            ends += (sim->history[n].kind == HISTORY_ACTIVITY_ENDED ||
                     sim->history[n].kind == HISTORY_ACTIVITY_CANCELLED) &&
                    sim->history[n].node == sim->history[i].node &&
                    sim->history[n].token == sim->history[i].token &&
                    uuid_equal(&sim->history[n].instance, &sim->history[i].instance);
        assert_int_equal(ends, 1);
    }
    assert_int_equal(instances, 0);
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word))
        n++;
    return n;
}

static void end_fork_join(struct sim *sim)
{
    all_over(sim);
    assert_int_equal(count(sim_trace(sim), "-last"), 1); /* the join fired once */
    assert_string_equal(sim_variable(sim, "n"), "3");
}

static void test_step_orders__fork_join(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START AND("f") USER("a") ASYNC("b") USER("c") SET("sa", "n", "n + 1")
                   SET("sb", "n", "n + 1") SET("sc", "n", "n + 1") AND("j") TASK("last")
                       FLOW("start", "f") FLOW("f", "a") FLOW("f", "b") FLOW("f", "c")
                           FLOW("a", "sa") FLOW("b", "sb") FLOW("c", "sc") FLOW("sa", "j")
                               FLOW("sb", "j") FLOW("sc", "j") FLOW("j", "last"));
    sim_start_only(&sim, "p", "{\"n\":0}");
    assert_int_equal(sim_explore(&sim, nothing, OK, end_fork_join), 6);
    sim_deinit(&sim);
}

static void end_interrupted(struct sim *sim)
{
    const char *trace = sim_trace(sim);

    all_over(sim);
    assert_int_equal(count(trace, "-bt") + count(trace, "-s "), 1); /* one of both ways */
}

static void test_step_orders__interrupted_sub_process(void **state)
{
    static const char *const names[] = {"M1", NULL};
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "child", START USER("cu") FLOW("start", "cu"));
    sim_deploy_with(&sim, DEFINE_MESSAGE("M1"), "p",
                    START SUB("s", "<startEvent id='s0'/>" AND("f") USER("a") CALL("c", "child")
                                       CATCH("m", MESSAGE("M1")) AND("j") FLOW("s0", "f")
                                           FLOW("f", "a") FLOW("f", "c") FLOW("f", "m")
                                               FLOW("a", "j") FLOW("c", "j") FLOW("m", "j"))
                        BOUNDARY("bt", "s", TIMER("PT1H")) TASK("after") FLOW("start", "s")
                            FLOW("s", "after"));
    sim_start_only(&sim, "p", NULL);
    assert_true(sim_explore(&sim, names, OK, end_interrupted) > 10);
    sim_deinit(&sim);
}

static void end_race(struct sim *sim)
{
    const char *trace = sim_trace(sim);

    all_over(sim);
    assert_int_equal(count(trace, "-good") + count(trace, "-late"), 1);
}

/* A call is fired, its answer races with a timer that starts another round. */
static void test_step_orders__fired_call(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(
        &sim, DEFINE_MESSAGE("ok"), "p",
        START XOR("m") HTTP("h", "path='/x' mode='fire'", "<pawl:answer message='ok'/>") ASYNC("b")
            EVENTS("g") CATCH("c", MESSAGE("ok")) CATCH("t", TIMER("PT3S"))
                SET("count", "n", "n + 1") XOR("x") TASK("good") TASK("late") FLOW("start", "m")
                    FLOW("m", "h") FLOW("h", "b") FLOW("b", "g") FLOW("g", "c") FLOW("g", "t")
                        FLOW("c", "good") FLOW("t", "count") FLOW("count", "x")
                            FLOW_IF("x", "m", "n &lt; 3") FLOW_IF("x", "late", "n >= 3"));
    sim_start_only(&sim, "p", "{\"n\":0}");
    assert_int_equal(sim_explore(&sim, nothing, OK, end_race), 7);
    sim_deinit(&sim);
}

static void end_error(struct sim *sim)
{
    const char *trace = sim_trace(sim);

    all_over(sim);
    assert_int_equal(count(trace, "-caught"), 1);
    assert_int_equal(count(trace, "-never"), 0);
}

/* One branch of a called process throws; what its siblings do before must not matter. */
static void test_step_orders__error_from_called(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, DEFINE_ERROR("E1"), "child",
                    START AND("f") USER("a") USER("b") HTTP("h", "path='/x'", "") AND("j")
                        END_ERROR("e", "E1") FLOW("start", "f") FLOW("f", "a") FLOW("f", "b")
                            FLOW("f", "h") FLOW("b", "j") FLOW("h", "j") FLOW("a", "e"));
    sim_deploy_with(&sim, DEFINE_ERROR("E1"), "p",
                    START CALL("c", "child") BOUNDARY("be", "c", ON_ERROR("E1")) ASYNC("caught")
                        TASK("never") FLOW("start", "c") FLOW("be", "caught") FLOW("c", "never"));
    sim_start_only(&sim, "p", NULL);
    assert_int_equal(sim_explore(&sim, nothing, OK, end_error), 5);
    sim_deinit(&sim);
}

static void end_beside(struct sim *sim)
{
    all_over(sim);
    assert_true(count(sim_trace(sim), "-n ") <= 2);
}

static void test_step_orders__non_interrupting(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START USER("a") BESIDE("bt", "a", CYCLE("R2/PT1H"))
                   BOUNDARY("bi", "a", TIMER("PT90M")) ASYNC("n") USER("o") AND("f")
                       FLOW("start", "f") FLOW("f", "a") FLOW("f", "o") FLOW("bt", "n"));
    sim_start_only(&sim, "p", NULL);
    assert_true(sim_explore(&sim, nothing, OK, end_beside) > 20);
    sim_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_orders__fork_join),
        cmocka_unit_test(test_step_orders__interrupted_sub_process),
        cmocka_unit_test(test_step_orders__fired_call),
        cmocka_unit_test(test_step_orders__error_from_called),
        cmocka_unit_test(test_step_orders__non_interrupting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
