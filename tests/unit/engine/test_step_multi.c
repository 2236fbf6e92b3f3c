/* SPDX-License-Identifier: Apache-2.0 */
/* Multi-instance activities: every kind of activity, both orders, every way out. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "helper_bpmn.h"
#include "helper_sim.h"

#define INPUT(name, value)                                                                         \
    EXTENDED("<camunda:inputOutput><camunda:inputParameter name='" name "'>" value                 \
             "</camunda:inputParameter></camunda:inputOutput>")
#define OK "{\"outcome\":\"answered\",\"ok\":true,\"body\":1,\"attempt\":1}"

static const char *const nothing[] = {NULL};

/* A row of history of that kind about this item. */
static unsigned items_told(const struct sim *sim, enum history_kind kind, unsigned counter)
{
    char text[40];
    unsigned n = 0;

    snprintf(text, sizeof(text), "{\"loopCounter\":%u", counter);
    for (size_t i = 0; i < sim->n_history; i++)
        n += sim->history[i].kind == kind && sim->history[i].data != NULL &&
             strncmp(sim->history[i].data, text, strlen(text)) == 0;
    return n;
}

static int by_hand(struct sim *sim, enum command_kind kind, const char *element, const char *body,
                   uint32_t token)
{
    struct command command = {.kind = kind,
                              .instance = sim->root,
                              .root = sim->root,
                              .node = -1,
                              .token = token,
                              .name = element,
                              .actor = "anna"};
    char text[200];

    snprintf(text, sizeof(text), "{%s%s\"token\":%u}", body != NULL ? body : "",
             body != NULL ? "," : "", token);
    if (token == 0)
        snprintf(text, sizeof(text), "{%s}", body != NULL ? body : "");
    command.body = text;
    command.body_n = strlen(command.body);
    int result = sim_run(sim, &command);
    if (result == STEP_DONE)
        sim_drain(sim);
    return result;
}

/* The token of the n-th wait of that kind. */
static uint32_t token_of(const struct sim *sim, enum wait_kind kind, size_t n)
{
    for (size_t i = 0; i < sim->n_waits; i++)
        if (sim->waits[i].wait.kind == kind && n-- == 0)
            return sim->waits[i].wait.token;
    fail_msg("there is no such wait");
    return 0;
}

/* ---- How many, and which ---- */

static void test_step_multi__parallel(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START ITEMS("u", LOOP(EACH("people", "person"), "")) TASK("after") FLOW("start", "u")
                   FLOW("u", "after"));
    sim_start(&sim, "p", "{\"people\":[\"anna\",\"bert\",\"cleo\"]}");
    assert_string_equal(sim_where(&sim), "u{ u u u");
    assert_true(sim_history_has(&sim, HISTORY_ACTIVITY_STARTED, "{\"nrOfInstances\":3,"));
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(items_told(&sim, HISTORY_ACTIVITY_STARTED, i), 1);
    sim_complete(&sim, "u", "{\"answer\":1}");
    sim_complete(&sim, "u", NULL);
    assert_string_equal(sim_where(&sim), "u{ u");
    sim_complete(&sim, "u", NULL);
    assert_string_equal(sim_where(&sim), ".");
    assert_string_equal(sim_trace(&sim), "I+ -start +u +u +u +u done:u -u done:u -u done:u -u -u "
                                         "-after I-");
    /* What belongs to the items and the loop ends with them. */
    assert_string_equal(sim_variable(&sim, "answer"), "1");
    assert_string_equal(sim_variable(&sim, "person"), "-");
    assert_string_equal(sim_variable(&sim, "loopCounter"), "-");
    assert_string_equal(sim_variable(&sim, "nrOfInstances"), "-");
    sim_deinit(&sim);
}

static void test_step_multi__sequential(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<userTask id='u' camunda:assignee='${person.name}${loopCounter}'>" LOOP(
                   IN_TURN EACH("${order.people}", "person"), "") "</userTask>" TASK("after")
                   FLOW("start", "u") FLOW("u", "after"));
    sim_start(&sim, "p", "{\"order\":{\"people\":[{\"name\":\"anna\"},{\"name\":\"bert\"}]}}");
    assert_string_equal(sim_where(&sim), "u{ u");
    assert_string_equal(sim.tasks[sim.n_tasks - 1].assignee, "anna0");
    /* The collection was taken at the beginning. */
    sim_complete(&sim, "u", "{\"order\":{\"people\":[]}}");
    assert_string_equal(sim_where(&sim), "u{ u");
    assert_string_equal(sim.tasks[sim.n_tasks - 1].assignee, "bert1");
    sim_complete(&sim, "u", NULL);
    assert_string_equal(sim_where(&sim), ".");
    assert_string_equal(sim_trace(&sim), "I+ -start +u +u done:u -u +u done:u -u -u -after I-");
    sim_deinit(&sim);
}

/* What a start with these variables comes to: where it is, or what is wrong. */
static const char *begins(const char *loop, const char *variables)
{
    static char text[1200];
    char *body;
    struct sim sim;

    sim_init(&sim);
    body = malloc(4096);
    assert_non_null(body);
    snprintf(body, 4096,
             START "<userTask id='u'>%s</userTask>" TASK("after") FLOW("start", "u")
                 FLOW("u", "after"),
             loop);
    sim_deploy(&sim, "p", body);
    sim_start_only(&sim, "p", variables);
    bool failed = sim.last_result == STEP_FAILED;
    snprintf(text, sizeof(text), "%s", failed ? sim.err.text : sim_where(&sim));
    free(body);
    sim_deinit(&sim);
    return text;
}

static void test_step_multi__how_many(void **state)
{
    static const char list[] = LOOP(EACH("list", "x"), "");
    static const char times[] = LOOP("", TIMES("${n}"));

    (void)state;
    assert_string_equal(begins(LOOP("", TIMES("2")), NULL), "u{ u u");
    assert_string_equal(begins(LOOP("", TIMES("0")), NULL), ".");
    assert_string_equal(begins(LOOP(IN_TURN, TIMES("0")), NULL), ".");
    assert_string_equal(begins(times, "{\"n\":\"3\"}"), "u{ u u u");
    assert_string_equal(begins(list, "{\"list\":[]}"), ".");
    assert_string_equal(begins(LOOP("", "<loopDataInputRef>list</loopDataInputRef>"
                                        "<inputDataItem name='x'/>"),
                               "{\"list\":[1,2]}"),
                        "u{ u u");
    assert_non_null(strstr(begins(times, "{\"n\":-1}"),
                           "userTask 'u': its loopCardinality is -1; a whole number from 0 to "));
    assert_non_null(strstr(begins(times, "{\"n\":1.5}"), "is 1.5; a whole number"));
    assert_non_null(strstr(begins(times, "{\"n\":null}"), "is null; a whole number"));
    assert_non_null(strstr(begins(times, "{\"n\":\"many\"}"), "is \"many\"; a whole number"));
    assert_non_null(
        strstr(begins(times, "{\"n\":1000000}"), "would have 1000000 items, and the limit is"));
    assert_non_null(
        strstr(begins(list, "{\"list\":{\"a\":1}}"), "its collection is of the kind object"));
    assert_non_null(strstr(begins(list, "{\"list\":\"a,b\"}"), "a list is wanted"));
    assert_non_null(strstr(begins(list, NULL), "the variable 'list', which is not there"));
}

/* Its number is one of the limits: one more is refused, with its name. */
static void test_step_multi__limit(void **state)
{
    char most[32], more[40];

    (void)state;
    snprintf(most, sizeof(most), "{\"n\":%u}", LIMIT_ITEMS);
    snprintf(more, sizeof(more), "{\"n\":%u}", LIMIT_ITEMS + 1);
    assert_string_equal(begins(LOOP(IN_TURN, TIMES("${n}")), most), "u{ u");
    assert_non_null(strstr(begins(LOOP(IN_TURN, TIMES("${n}")), more), "Split the collection"));
}

/* ---- Every kind of activity ---- */

static void end_three(struct sim *sim)
{
    assert_string_equal(sim_where(sim), ".");
    assert_int_equal(sim->n_waits, 0);
    assert_int_equal(sim->n_calls, 0);
    assert_int_equal(sim->n_jobs, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(items_told(sim, HISTORY_ACTIVITY_ENDED, i), 1);
    const char *after = strstr(sim_trace(sim), "-after");
    assert_non_null(after);
    assert_null(strstr(after + 1, "-after"));
}

/* All orders of three parallel items, then those of sequential ones: there is one. */
static void explore_both(const char *before, const char *after, unsigned orders)
{
    static const char *const names[] = {"M1", NULL};
    static const char *const loops[] = {LOOP(EACH("list", "x"), ""),
                                        LOOP(IN_TURN EACH("list", "x"), "")};

    for (size_t i = 0; i < ARRAY_LEN(loops); i++) {
        struct sim sim;
        char *body = malloc(8192);
        assert_non_null(body);
        sim_init(&sim);
        snprintf(body, 8192, START "%s%s%s" TASK("after") FLOW("start", "a") FLOW("a", "after"),
                 before, loops[i], after);
        sim_deploy(&sim, "child", START USER("cu") FLOW("start", "cu"));
        sim_deploy_with(&sim, DEFINE_MESSAGE("M1"), "p", body);
        sim_start_only(&sim, "p", "{\"list\":[\"A\",\"B\",\"C\"],\"n\":0}");
        unsigned n = sim_explore(&sim, names, OK, end_three);
        assert_int_equal(n, i == 0 ? orders : 1);
        free(body);
        sim_deinit(&sim);
    }
}

static void test_step_multi__every_activity(void **state)
{
    (void)state;
    explore_both("<userTask id='a'>", "</userTask>", 6);
    explore_both("<task id='a'>", "</task>", 1);
    explore_both("<manualTask id='a'>", "</manualTask>", 1);
    explore_both("<receiveTask id='a' messageRef='M1' pawl:correlationKey='${x}'>",
                 "</receiveTask>", 6);
    explore_both("<serviceTask id='a' camunda:type='external' camunda:topic='t-${x}'>",
                 "</serviceTask>", 6);
    explore_both("<serviceTask id='a' camunda:expression='${n + 1}' camunda:resultVariable='n'>",
                 "</serviceTask>", 1);
    explore_both(
        "<serviceTask id='a'>" EXTENDED("<pawl:http endpoint='api' method='GET' path='/${x}'/>"),
        "</serviceTask>", 6);
    explore_both("<serviceTask id='a' pawl:delegate='work'>", "</serviceTask>", 6);
    explore_both("<serviceTask id='a' pawl:sql='echo'>", "</serviceTask>", 1);
    explore_both("<sendTask id='a' messageRef='M1'>", "</sendTask>", 1);
    explore_both("<callActivity id='a' calledElement='child'>" EXTENDED(
                     "<camunda:in source='x' target='y'/>"),
                 "</callActivity>", 6);
    explore_both("<subProcess id='a'>",
                 "<startEvent id='s0'/>" USER("u1") USER("u2") FLOW("s0", "u1")
                     FLOW("u1", "u2") "</subProcess>",
                 90);
}

/* What each item sees, and that a called process gets its own. */
static void test_step_multi__scopes(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "child", START USER("cu") FLOW("start", "cu"));
    sim_deploy(
        &sim, "p",
        START AND("f") "<callActivity id='call' calledElement='child'>" EXTENDED(
            "<camunda:in source='x' target='y'/><camunda:in sourceExpression='${loopCounter}"
            "/${nrOfInstances}' target='which'/>")
            LOOP(EACH("list", "x"),
                 "") "</callActivity>"
                     "<subProcess id='sub'>" INPUT("twice", "${x}${x}${i}") LOOP(
                         EACH("list", "x") " camunda:elementIndexVariable='i'",
                         "") "<startEvent id='s0'/>"
                             "<userTask id='su' camunda:assignee='${twice}-${loopCounter}'/>" FLOW(
                                 "s0", "su") "</subProcess>"
                                             "<serviceTask id='ext' camunda:type='external' "
                                             "camunda:topic='t'>" INPUT("in", "${x}")
                                                 LOOP(EACH("list", "x"), "") "</serviceTask>" FLOW(
                                                     "start", "f") FLOW("f", "call")
                                                     FLOW("f", "sub") FLOW("f", "ext"));
    sim_start(&sim, "p", "{\"list\":[\"A\",\"B\"]}");
    assert_string_equal(sim_variable_of(&sim, "child", "y"), "\"B\"");
    assert_string_equal(sim_variable_of(&sim, "child", "which"), "\"1/2\"");
    assert_string_equal(sim.tasks[2].assignee, "AA0-0");
    assert_string_equal(sim.tasks[3].assignee, "BB1-1");
    /* An external worker is told of its item, not of how far the others are. */
    assert_string_equal(sim.locals, "{\"loopCounter\":1,\"x\":\"B\",\"in\":\"B\"}");
    sim_deinit(&sim);
}

/* Requests that are fired side by side do not close each other. */
static void test_step_multi__fired(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, DEFINE_MESSAGE("M1"), "p",
                    START "<serviceTask id='a'>" EXTENDED(
                        "<pawl:http endpoint='api' method='GET' path='/${x}' mode='fire'>"
                        "<pawl:answer message='M1'/></pawl:http>")
                        LOOP(EACH("list", "x"), "") "</serviceTask>" CATCH("m", MESSAGE("M1"))
                            FLOW("start", "a") FLOW("a", "m"));
    sim_start(&sim, "p", "{\"list\":[1,2,3]}");
    assert_string_equal(sim_where(&sim), "m");
    assert_int_equal(sim.n_calls, 3);
    sim_answer(&sim, "a", OK);
    assert_string_equal(sim_where(&sim), ".");
    sim_deinit(&sim);
}

/* ---- Ways out ---- */

static void test_step_multi__completion(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START ITEMS("u", LOOP("", TIMES("4") UNTIL("nrOfCompletedInstances == 2 &amp;&amp; "
                                                          "nrOfActiveInstances == 2 &amp;&amp; "
                                                          "nrOfInstances == 4"))) TASK("after")
                   FLOW("start", "u") FLOW("u", "after"));
    sim_start(&sim, "p", NULL);
    sim_complete(&sim, "u", NULL);
    assert_string_equal(sim_where(&sim), "u{ u u u");
    sim_complete(&sim, "u", NULL);
    assert_string_equal(sim_where(&sim), ".");
    assert_int_equal(sim.n_waits, 0);
    assert_true(
        sim_history_has(&sim, HISTORY_ACTIVITY_CANCELLED, "\"by\":\"completionCondition\""));
    sim_deinit(&sim);
}

static void test_step_multi__completion_in_turn(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START ITEMS("u", LOOP(IN_TURN, TIMES("4") UNTIL("!approved"))) TASK("after")
                   FLOW("start", "u") FLOW("u", "after"));
    sim_start(&sim, "p", "{\"approved\":true}");
    sim_complete(&sim, "u", NULL);
    assert_string_equal(sim_where(&sim), "u{ u");
    sim_complete(&sim, "u", "{\"approved\":false}");
    assert_string_equal(sim_where(&sim), ".");
    sim_deinit(&sim);
}

static void test_step_multi__boundary(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, DEFINE_MESSAGE("M1"), "p",
                    START ITEMS("u", LOOP("", TIMES("3"))) BOUNDARY("bt", "u", TIMER("PT1H"))
                        BESIDE("bm", "u", MESSAGE("M1")) TASK("told") TASK("late") TASK("after")
                            FLOW("start", "u") FLOW("u", "after") FLOW("bt", "late")
                                FLOW("bm", "told"));
    sim_start(&sim, "p", NULL);
    assert_int_equal(sim_count(&sim, WAIT_TIMER), 1); /* of the whole */
    sim_receive(&sim, "M1", NULL);
    assert_string_equal(sim_where(&sim), "u{ u u u");
    sim_complete(&sim, "u", NULL);
    sim_advance(&sim, 3600);
    assert_string_equal(sim_where(&sim), ".");
    assert_int_equal(sim.n_waits, 0);
    assert_non_null(strstr(sim_trace(&sim), "-told"));
    assert_non_null(strstr(sim_trace(&sim), "xu xu xu -bt -late"));
    sim_deinit(&sim);
}

static void end_error(struct sim *sim)
{
    assert_string_equal(sim_where(sim), ".");
    assert_int_equal(sim->n_waits, 0);
    assert_non_null(strstr(sim_trace(sim), "-caught"));
    assert_null(strstr(sim_trace(sim), "-after"));
}

/* The error of one item, also from inside of a sub-process, ends all. */
static void test_step_multi__error(void **state)
{
    static const char *const models[][2] = {
        {"<userTask id='a'>", "</userTask>"},
        {"<subProcess id='a'>",
         "<startEvent id='s0'/>" USER("u") XOR("x") END("good") END_ERROR("bad", "E1")
             FLOW("s0", "u") FLOW("u", "x") FLOW_IF("x", "good", "loopCounter != 1")
                 FLOW_IF("x", "bad", "loopCounter == 1") "</subProcess>"},
        {"<callActivity id='a' calledElement='child'>", "</callActivity>"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(models); i++) {
        struct sim sim;
        char *body = malloc(8192);
        assert_non_null(body);
        sim_init(&sim);
        snprintf(body, 8192,
                 START "%s%s%s" BOUNDARY("be", "a", ON_ERROR("E1")) TASK("caught") TASK("after")
                     FLOW("start", "a") FLOW("a", "after") FLOW("be", "caught"),
                 models[i][0], LOOP("", TIMES("3")), models[i][1]);
        sim_deploy_with(&sim, DEFINE_ERROR("E1"), "child",
                        START USER("cu") END_ERROR("ce", "E1") FLOW("start", "cu")
                            FLOW("cu", "ce"));
        sim_deploy_with(&sim, DEFINE_ERROR("E1"), "p", body);
        sim_start(&sim, "p", NULL);
        assert_int_equal(sim_count(&sim, WAIT_TASK), 3);
        if (i == 0) {
            struct command command = sim_task(&sim, "a", NULL);
            command.kind = COMMAND_TASK_ERROR;
            command.name = "E1";
            sim_run(&sim, &command);
            end_error(&sim);
        } else {
            sim_explore(&sim, nothing, OK, end_error);
        }
        free(body);
        sim_deinit(&sim);
    }
}

/* Nobody catches it: that item is over, and the others go on. */
static void test_step_multi__uncaught(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START ITEMS("u", LOOP("", TIMES("2"))) TASK("after") FLOW("start", "u")
                   FLOW("u", "after"));
    sim_start(&sim, "p", NULL);
    struct command command = sim_task(&sim, "u", NULL);
    command.kind = COMMAND_TASK_ERROR;
    command.name = "E1";
    sim_run(&sim, &command);
    assert_string_equal(sim_where(&sim), "u{ u");
    sim_complete(&sim, "u", NULL);
    assert_string_equal(sim_where(&sim), ".");
    assert_non_null(strstr(sim_trace(&sim), "-after"));
    sim_deinit(&sim);
}

/* ---- Jobs ---- */

static void test_step_multi__async(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START
               "<serviceTask id='a' camunda:asyncBefore='true' camunda:asyncAfter='true' "
               "camunda:expression='${x / y}' camunda:resultVariable='r'>" LOOP(
                   EACH("list", "x") " camunda:asyncBefore='true' camunda:asyncAfter='true'",
                   EXTENDED("<camunda:failedJobRetryTimeCycle>R5/PT1H"
                            "</camunda:failedJobRetryTimeCycle>")) "</serviceTask>" TASK("after")
                   FLOW("start", "a") FLOW("a", "after"));
    sim_start_only(&sim, "p", "{\"list\":[4,6,8],\"y\":0}");
    assert_string_equal(sim_where(&sim), "a?"); /* around the whole */
    struct command command = sim_ready(&sim, "a");
    sim_run(&sim, &command);
    assert_string_equal(sim_where(&sim), "a{ a? a? a?");
    command = sim_ready(&sim, "a");
    sim_run(&sim, &command); /* that item alone is tried again, by the loop's own cycle */
    assert_string_equal(sim_where(&sim), "a{ a~ a? a?");
    command = (struct command){.kind = COMMAND_SET_VARIABLES,
                               .instance = sim.root,
                               .root = sim.root,
                               .body = "{\"y\":2}",
                               .body_n = 7};
    sim_run(&sim, &command);
    command = sim_ready(&sim, "a");
    sim_run(&sim, &command);
    assert_string_equal(sim_where(&sim), "a{ a~ a? a?");
    assert_string_equal(sim_variable(&sim, "r"), "3.0");
    sim_drain(&sim);
    assert_string_equal(sim_where(&sim), "a{ a~");
    sim_advance(&sim, 3600);
    sim_drain(&sim);
    assert_string_equal(sim_where(&sim), ".");
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(items_told(&sim, HISTORY_ACTIVITY_ENDED, i), 1);
    sim_deinit(&sim);
}

static void test_step_multi__incident_of_one(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<serviceTask id='a' camunda:expression='${12 / x}'>" LOOP(
                   EACH("list", "x") " camunda:asyncBefore='true'",
                   "") "</serviceTask>" TASK("after") FLOW("start", "a") FLOW("a", "after"));
    sim_start(&sim, "p", "{\"list\":[1,0,2]}");
    sim_advance(&sim, 1);
    assert_string_equal(sim_where(&sim), "a{ a!");
    assert_int_equal(items_told(&sim, HISTORY_INCIDENT, 1), 1);
    sim_retry(&sim, "a", NULL); /* it fails again */
    assert_string_equal(sim_where(&sim), "a{ a!");
    struct command skip = {.kind = COMMAND_SKIP,
                           .instance = sim.root,
                           .root = sim.root,
                           .token = sim.jobs[0].command.token,
                           .node = sim.jobs[0].command.node,
                           .phase = sim.jobs[0].command.phase,
                           .body = "{\"token\":0}",
                           .body_n = 11,
                           .name = "a"};
    sim.n_jobs = 0;
    assert_int_equal(sim_run(&sim, &skip), STEP_DONE);
    assert_string_equal(sim_where(&sim), ".");
    sim_deinit(&sim);
}

/* More items than a step has moves: jobs carry them on, one after the other. */
static void test_step_multi__slices(void **state)
{
    static const char *const loops[] = {"", IN_TURN, "camunda:asyncBefore='true'"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(loops); i++) {
        struct sim sim;
        char *body = malloc(4096);
        assert_non_null(body);
        sim_init(&sim);
        snprintf(body, 4096,
                 START "<serviceTask id='a' camunda:expression='${n + 1}' "
                       "camunda:resultVariable='n'><multiInstanceLoopCharacteristics %s>" TIMES(
                           "2500") "</multiInstanceLoopCharacteristics></serviceTask>" TASK("after")
                           FLOW("start", "a") FLOW("a", "after"),
                 i == 2 ? "isSequential='true' camunda:asyncAfter='true'" : loops[i]);
        sim_deploy(&sim, "p", body);
        sim_start_only(&sim, "p", "{\"n\":0}");
        assert_string_equal(sim_where(&sim), "a{ a?");
        if (i < 2)
            assert_string_equal(sim_variable(&sim, "n"), "998");
        sim_drain(&sim);
        assert_string_equal(sim_where(&sim), ".");
        assert_string_equal(sim_variable(&sim, "n"), "2500");
        free(body);
        sim_deinit(&sim);
    }
}

/* ---- By hand ---- */

static void deploy_three(struct sim *sim, const char *loop)
{
    char *body = malloc(4096);

    assert_non_null(body);
    sim_init(sim);
    snprintf(body, 4096,
             START "<userTask id='u'>%s</userTask>" TASK("after") USER("other") FLOW("start", "u")
                 FLOW("u", "after"),
             loop);
    sim_deploy(sim, "p", body);
    sim_start(sim, "p", NULL);
    free(body);
}

static void test_step_multi__by_hand(void **state)
{
    struct sim sim;

    (void)state;
    deploy_three(&sim, LOOP("", TIMES("4")));
    /* Without a number the whole is meant; it has no result of its own. */
    assert_int_equal(by_hand(&sim, COMMAND_COMPLETE_ELEMENT, "u", NULL, 0), STEP_FAILED);
    assert_non_null(strstr(sim.err.text, "is carried out once for each item"));
    assert_int_equal(by_hand(&sim, COMMAND_COMPLETE_ELEMENT, "u", "\"variables\":{\"r\":1}",
                             token_of(&sim, WAIT_TASK, 0)),
                     STEP_DONE);
    assert_string_equal(sim_variable(&sim, "r"), "1");
    assert_int_equal(by_hand(&sim, COMMAND_SKIP, "u", NULL, token_of(&sim, WAIT_TASK, 0)),
                     STEP_DONE);
    assert_string_equal(sim_where(&sim), "u{ u u");
    assert_int_equal(by_hand(&sim, COMMAND_MOVE, "u", "\"to\":\"u\"", token_of(&sim, WAIT_TASK, 0)),
                     STEP_FAILED);
    assert_int_equal(
        by_hand(&sim, COMMAND_MOVE, "u", "\"to\":\"other\"", token_of(&sim, WAIT_TASK, 0)),
        STEP_DONE);
    assert_string_equal(sim_where(&sim), "u{ u other");
    sim_complete(&sim, "u", NULL);
    assert_non_null(strstr(sim_trace(&sim), "-after"));
    assert_string_equal(sim_where(&sim), "other");
    sim_deinit(&sim);

    deploy_three(&sim, LOOP("", TIMES("3")));
    assert_int_equal(by_hand(&sim, COMMAND_SKIP, "u", NULL, 0), STEP_DONE);
    assert_string_equal(sim_where(&sim), ".");
    assert_int_equal(sim.n_waits, 0);
    sim_deinit(&sim);

    deploy_three(&sim, LOOP("", TIMES("3")));
    assert_int_equal(by_hand(&sim, COMMAND_MOVE, "u", "\"to\":\"other\"", 0), STEP_DONE);
    assert_string_equal(sim_where(&sim), "other");
    sim_deinit(&sim);
}

/* The last item that is moved away takes the whole with it; in turn, the next one begins. */
static void test_step_multi__move_the_last(void **state)
{
    struct sim sim;

    (void)state;
    deploy_three(&sim, LOOP(IN_TURN, TIMES("2")));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(
            by_hand(&sim, COMMAND_MOVE, "u", "\"to\":\"other\"", token_of(&sim, WAIT_TASK, i)),
            STEP_DONE);
    assert_string_equal(sim_where(&sim), "other other");
    assert_null(strstr(sim_trace(&sim), "-after"));
    sim_deinit(&sim);
}

/* A fan-out that stands still (suspended) and is led on by hand loses no item. */
static void test_step_multi__skip_in_fan_out(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START
               "<serviceTask id='a' camunda:expression='${n + 1}' camunda:resultVariable='n'>" LOOP(
                   "", TIMES("1500")) "</serviceTask>" TASK("after") FLOW("start", "a")
                   FLOW("a", "after"));
    sim_start_only(&sim, "p", "{\"n\":0}");
    struct command job = sim_ready(&sim, "a");
    struct command skip = {.kind = COMMAND_SKIP,
                           .instance = sim.root,
                           .root = sim.root,
                           .token = job.token,
                           .node = job.node,
                           .phase = job.phase,
                           .body = "{\"token\":0}",
                           .body_n = 11,
                           .name = "a"};
    assert_int_equal(sim_run(&sim, &skip), STEP_DONE);
    sim_drain(&sim);
    assert_string_equal(sim_where(&sim), ".");
    assert_string_equal(sim_variable(&sim, "n"), "1499");
    sim_deinit(&sim);
}

/* Three sub-processes of three tasks with a timer on the whole, in all orders. */
static void end_nested(struct sim *sim)
{
    assert_string_equal(sim_where(sim), ".");
    assert_int_equal(sim->n_waits, 0);
    assert_int_equal(sim->n_jobs, 0);
}

static void test_step_multi__nested(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<subProcess id='s'>" LOOP("", TIMES("2")) "<startEvent id='s0'/>" ITEMS(
                   "u", LOOP(EACH("${list}", "x"), UNTIL("nrOfCompletedInstances == 1")))
                   FLOW("s0", "u") "</subProcess>" BOUNDARY("bt", "s", TIMER("PT1H")) TASK("after")
                       FLOW("start", "s") FLOW("s", "after"));
    sim_start_only(&sim, "p", "{\"list\":[1,2]}");
    assert_string_equal(sim_where(&sim), "s{ s{ s{ u{ u u u{ u u");
    assert_true(sim_explore(&sim, nothing, OK, end_nested) > 10);
    sim_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_multi__parallel),
        cmocka_unit_test(test_step_multi__sequential),
        cmocka_unit_test(test_step_multi__how_many),
        cmocka_unit_test(test_step_multi__limit),
        cmocka_unit_test(test_step_multi__every_activity),
        cmocka_unit_test(test_step_multi__scopes),
        cmocka_unit_test(test_step_multi__fired),
        cmocka_unit_test(test_step_multi__completion),
        cmocka_unit_test(test_step_multi__completion_in_turn),
        cmocka_unit_test(test_step_multi__boundary),
        cmocka_unit_test(test_step_multi__error),
        cmocka_unit_test(test_step_multi__uncaught),
        cmocka_unit_test(test_step_multi__async),
        cmocka_unit_test(test_step_multi__incident_of_one),
        cmocka_unit_test(test_step_multi__slices),
        cmocka_unit_test(test_step_multi__by_hand),
        cmocka_unit_test(test_step_multi__move_the_last),
        cmocka_unit_test(test_step_multi__skip_in_fan_out),
        cmocka_unit_test(test_step_multi__nested),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
