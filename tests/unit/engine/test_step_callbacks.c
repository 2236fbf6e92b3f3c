/* SPDX-License-Identifier: Apache-2.0 */
/* Task tokens: answered early, late, twice, failed, silent, in parallel, with every kind of task.
 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "helper_bpmn.h"
#include "helper_sim.h"

#define TOKEN "<pawl:taskToken/>"
#define SERVICE(id, extensions) "<serviceTask id='" id "'>" EXTENDED(extensions) "</serviceTask>"
#define POST(extensions)                                                                           \
    "<pawl:http endpoint='e' method='POST' path='/w/${callback.token}'>"                           \
    "<pawl:header name='X-Token'>${callback.token}</pawl:header>"                                  \
    "<pawl:body>${callback.token} ${callback.url} ${callback.id}</pawl:body>" extensions           \
    "</pawl:http>"
#define ACCEPTED                                                                                   \
    "{\"outcome\":\"answered\",\"ok\":true,\"status\":202,\"body\":{\"job\":7},\"attempt\":1}"
#define BROKEN                                                                                     \
    "{\"outcome\":\"status\",\"ok\":false,\"status\":500,\"body\":null,\"error\":\"e\","           \
    "\"attempt\":1}"
#define WAITING(extensions)                                                                        \
    START SERVICE("t", extensions) USER("a") FLOW("start", "t") FLOW("t", "a")
#define CODE(code) DEFINE_ERROR(code)
#define TOKENED(tag, id, attributes, extensions)                                                   \
    "<" tag " id='" id "' " attributes ">" EXTENDED(TOKEN extensions) "</" tag ">"
#define INPUT(name, value)                                                                         \
    "<camunda:inputOutput><camunda:inputParameter name='" name "'>" value                          \
    "</camunda:inputParameter></camunda:inputOutput>"
/* 48 bytes in base64url behind the prefix. */
#define TOKEN_CHARS 69

static const char *header_of(struct sim *sim)
{
    const char *headers = sim->calls[sim->n_calls - 1].call.headers;
    const char *at = strstr(headers, "pawl_");

    assert_non_null(at);
    return arena_strndup(sim->arena, at, TOKEN_CHARS);
}

/* The token is in several attributes of the request, and its row comes with the call's. */
static void test_step_callbacks__request(void **state)
{
    struct sim sim;
    char id[UUID_TEXT_BYTES];

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               WAITING(TOKEN POST("<pawl:output name='job'>${response.body.job}"
                                  "</pawl:output>")));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "t");
    assert_int_equal(sim_count(&sim, WAIT_CALLBACK), 1);
    assert_int_equal(sim.n_callbacks, 1);
    assert_int_equal(sim.n_calls, 1);
    uuid_format(&sim.callbacks[0].id, id);
    const char *token = header_of(&sim);
    assert_string_equal(
        arena_strndup(sim.arena, sim.calls[0].call.body, sim.calls[0].call.body_n),
        arena_printf(sim.arena, "%s https://pawl.test/callbacks/%s %s", token, token, id));
    /* Nothing of it in what people look at. */
    assert_true(sim_history_has(&sim, HISTORY_CALL_REQUESTED, "POST /w/pawl_***\""));
    sim_answer(&sim, "t", ACCEPTED);
    assert_string_equal(sim_where(&sim), "t");
    assert_int_equal(sim.n_accepted, 1);
    assert_int_equal(sim.n_calls, 0);
    assert_string_equal(sim_variable(&sim, "job"), "7");
    sim_succeed(&sim, "t", "{\"x\":1,\"y\":[2]}");
    assert_string_equal(sim_where(&sim), "a");
    assert_string_equal(sim_variable(&sim, "x"), "1");
    assert_string_equal(sim_variable(&sim, "y"), "[2]");
    assert_int_equal(sim_count(&sim, WAIT_CALLBACK), 0);
    assert_true(sim_history_has(&sim, HISTORY_CALLBACK_ACCEPTED, id));
    assert_true(sim_history_has(&sim, HISTORY_CALLBACK_SUCCEEDED, "tester"));
    sim_deinit(&sim);
}

/* Answered before the request was: the call is closed, and its answer is late. */
static void test_step_callbacks__early(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p", WAITING(TOKEN POST("")));
    sim_start(&sim, "p", NULL);
    struct sim before = sim;
    struct command accepted = sim_result(&before, "t", ACCEPTED);
    struct command again = sim_callback(&sim, "t", COMMAND_CALLBACK_SUCCEED, "{\"output\":{}}");
    sim_succeed(&sim, "t", "{\"x\":1}");
    assert_string_equal(sim_where(&sim), "a");
    assert_int_equal(sim.n_calls, 0);
    assert_int_equal(sim_run(&sim, &accepted), STEP_DROPPED);
    assert_true(sim_history_has(&sim, HISTORY_CALL_LATE, "202"));
    assert_int_equal(sim_run(&sim, &again), STEP_DROPPED);
    assert_string_equal(sim_variable(&sim, "x"), "1");
    sim_deinit(&sim);
}

/* The request follows its own retry policy, with the same token, and may be answered meanwhile. */
static void test_step_callbacks__request_fails(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               WAITING("<camunda:failedJobRetryTimeCycle>R3/PT10S"
                       "</camunda:failedJobRetryTimeCycle>" TOKEN POST("")));
    sim_start(&sim, "p", NULL);
    const char *token = header_of(&sim);
    sim_answer(&sim, "t", BROKEN);
    assert_int_equal(sim_jobs(&sim, JOB_RETRY), 1);
    sim_advance(&sim, 11);
    assert_int_equal(sim.n_calls, 1);
    assert_string_equal(header_of(&sim), token);
    sim_answer(&sim, "t", BROKEN);
    sim_succeed(&sim, "t", "{}");
    assert_string_equal(sim_where(&sim), "a");
    sim_advance(&sim, 100);
    assert_int_equal(sim.n_calls, 0);
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 0);
    sim_deinit(&sim);
}

static void test_step_callbacks__output(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               WAITING("<pawl:taskToken><pawl:output name='whole'>${callback.output}</pawl:output>"
                       "<pawl:output name='part'>${callback.output.metadata.status}</pawl:output>"
                       "</pawl:taskToken>" POST("")));
    sim_start(&sim, "p", NULL);
    sim_succeed(&sim, "t", "{\"metadata\":{\"status\":\"submitted\"}}");
    assert_string_equal(sim_variable(&sim, "whole"), "{\"metadata\":{\"status\":\"submitted\"}}");
    assert_string_equal(sim_variable(&sim, "part"), "\"submitted\"");
    assert_string_equal(sim_variable(&sim, "metadata"), "-");
    sim_deinit(&sim);
}

/* An output that does not fit is an incident; nothing of the answer is lost. */
static void test_step_callbacks__output_fails(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               WAITING("<pawl:taskToken><pawl:output name='n'>${callback.output.n + divisor}"
                       "</pawl:output></pawl:taskToken>"));
    sim_start(&sim, "p", NULL);
    sim_succeed(&sim, "t", "{\"n\":41}");
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    sim_retry_with(&sim, "t", NULL, "{\"divisor\":1}");
    assert_string_equal(sim_where(&sim), "a");
    assert_string_equal(sim_variable(&sim, "n"), "42");
    sim_deinit(&sim);
}

static void test_step_callbacks__timeout_caught(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, CODE("CALLBACK_TIMEOUT"), "p",
                    START SERVICE("t", "<pawl:taskToken timeout='${wait}'/>" POST(""))
                        BOUNDARY("b", "t", ON_ERROR("CALLBACK_TIMEOUT")) USER("late")
                            FLOW("start", "t") FLOW("b", "late"));
    sim_start(&sim, "p", "{\"wait\":\"PT1M\"}");
    struct command late = sim_callback(&sim, "t", COMMAND_CALLBACK_SUCCEED, "{}");
    sim_answer(&sim, "t", ACCEPTED);
    sim_advance(&sim, 59);
    assert_string_equal(sim_where(&sim), "t");
    sim_advance(&sim, 1);
    assert_string_equal(sim_where(&sim), "late");
    assert_int_equal(sim_count(&sim, WAIT_CALLBACK), 0);
    assert_true(sim_history_has(&sim, HISTORY_CALLBACK_TIMED_OUT, "CALLBACK_TIMEOUT"));
    assert_int_equal(sim_run(&sim, &late), STEP_DROPPED);
    sim_deinit(&sim);
}

/* Nobody catches it: an incident, and tried again by hand a new token, which is another one. */
static void test_step_callbacks__timeout_incident(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p", WAITING("<pawl:taskToken timeout='PT1M'/>" POST("")));
    sim_start(&sim, "p", NULL);
    const char *first = header_of(&sim);
    struct command old = sim_callback(&sim, "t", COMMAND_CALLBACK_SUCCEED, "{}");
    sim_advance(&sim, 60);
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_string_equal(sim.jobs[0].reason, "callbackTimeout");
    assert_int_equal(sim_count(&sim, WAIT_CALLBACK), 0);
    assert_int_equal(sim.n_calls, 0);
    assert_int_equal(sim_run(&sim, &old), STEP_DROPPED);
    sim_retry(&sim, "t", NULL);
    assert_int_equal(sim.n_callbacks, 2);
    assert_int_equal(sim.callbacks[1].attempt, 2);
    assert_string_not_equal(header_of(&sim), first);
    assert_int_equal(sim_run(&sim, &old), STEP_DROPPED);
    sim_succeed(&sim, "t", NULL);
    assert_string_equal(sim_where(&sim), "a");
    sim_deinit(&sim);
}

/* Without a timeout the installation's longest life counts. */
static void test_step_callbacks__longest_life(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p", WAITING(TOKEN));
    sim_start(&sim, "p", NULL);
    assert_int_equal(sim.callbacks[0].until_us, sim.now_us + INT64_C(31536000000000));
    sim_advance(&sim, 31536000 - 1);
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 0);
    sim_advance(&sim, 1);
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    sim_deinit(&sim);
}

static void test_step_callbacks__heartbeat(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, CODE("HEARTBEAT_TIMEOUT") CODE("CALLBACK_TIMEOUT"), "p",
                    START SERVICE("t", "<pawl:taskToken heartbeat='PT10S' timeout='PT1M'/>")
                        BOUNDARY("b", "t", ON_ERROR("HEARTBEAT_TIMEOUT"))
                            BOUNDARY("c", "t", ON_ERROR("CALLBACK_TIMEOUT")) USER("silent")
                                USER("long") FLOW("start", "t") FLOW("b", "silent")
                                    FLOW("c", "long"));
    sim_start(&sim, "p", NULL);
    struct sim silent;
    simulator_copy(&silent, &sim, sim.arena);
    sim_advance(&sim, 9);
    for (int i = 0; i < 10; i++) { /* it is heard of until 54 s */
        sim.heard_us = sim.now_us;
        sim_advance(&sim, 5);
        assert_string_equal(sim_where(&sim), "t");
    }
    sim_advance(&sim, 1); /* 60 s: it was heard of 6 s ago */
    assert_string_equal(sim_where(&sim), "long");
    sim_advance(&silent, 10);
    assert_string_equal(sim_where(&silent), "silent");
    sim_deinit(&sim);
}

/* With a code, without one, caught and not; the causes are there to see. */
static void test_step_callbacks__failure(void **state)
{
    static const char *const codes[][2] = {
        {"NO_PAPER", "caught"}, {NULL, "default"}, {"", "default"}, {"ELSE", NULL}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct sim sim;
        sim_init(&sim);
        sim_deploy_with(&sim, CODE("NO_PAPER") CODE("CALLBACK_FAILED"), "p",
                        START SERVICE("t", TOKEN POST("")) BOUNDARY("b", "t", ON_ERROR("NO_PAPER"))
                            BOUNDARY("c", "t", ON_ERROR("CALLBACK_FAILED")) USER("caught")
                                USER("default") FLOW("start", "t") FLOW("b", "caught")
                                    FLOW("c", "default"));
        sim_start(&sim, "p", NULL);
        sim_callback_fail(&sim, "t", codes[i][0], "the tray is empty");
        assert_true(sim_history_has(&sim, HISTORY_CALLBACK_FAILED, "the tray is empty"));
        if (codes[i][1] != NULL) {
            assert_string_equal(sim_where(&sim), codes[i][1]);
            assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 0);
        } else {
            assert_string_equal(sim_where(&sim), "t");
            assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
            assert_string_equal(sim.jobs[0].reason, "failedCallback");
            assert_non_null(strstr(sim.jobs[0].error, "ELSE: the tray is empty"));
        }
        assert_int_equal(sim.n_calls, 0);
        sim_deinit(&sim);
    }
}

/* A failure that nobody catches is tried again by the retry policy; boundary timers go on. */
static void test_step_callbacks__failure_retried(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START SERVICE("t", "<camunda:failedJobRetryTimeCycle>R3/PT10S"
                                  "</camunda:failedJobRetryTimeCycle>" TOKEN
                                  "<pawl:http endpoint='e' method='POST'><pawl:body>"
                                  "${callback.attempt} ${execution.retryCount}"
                                  "</pawl:body></pawl:http>") BOUNDARY("b", "t", TIMER("PT1M"))
                   USER("a") USER("late") FLOW("start", "t") FLOW("t", "a") FLOW("b", "late"));
    sim_start(&sim, "p", NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sim.n_calls, 1);
        assert_string_equal(
            arena_strndup(sim.arena, sim.calls[0].call.body, sim.calls[0].call.body_n),
            arena_printf(sim.arena, "%d %d", i + 1, i));
        sim_callback_fail(&sim, "t", NULL, NULL);
        assert_int_equal(sim_jobs(&sim, JOB_RETRY), i < 2 ? 1 : 0);
        sim_advance(&sim, 10);
    }
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_int_equal(sim.n_callbacks, 3);
    sim_advance(&sim, 29);
    assert_string_equal(sim_where(&sim), "t");
    sim_advance(&sim, 1);
    assert_string_equal(sim_where(&sim), "late");
    sim_deinit(&sim);
}

/* What a request may tell of its context: when the instance began, and when the element was
 * entered: once, however often it is tried. */
static void test_step_callbacks__context(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START CATCH("wait", TIMER("PT90S"))
                   SERVICE("t", "<camunda:failedJobRetryTimeCycle>R3/PT10S"
                                "</camunda:failedJobRetryTimeCycle>" TOKEN
                                "<pawl:http endpoint='e' method='POST'><pawl:body>"
                                "${execution.startTime} ${execution.enteredTime} "
                                "${execution.retryCount}</pawl:body></pawl:http>") USER("a")
                       FLOW("start", "wait") FLOW("wait", "t") FLOW("t", "a"));
    sim.now_us = 1772582400000000; /* 2026-03-04T00:00:00Z */
    sim_start(&sim, "p", NULL);
    sim_advance(&sim, 90);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sim.n_calls, 1);
        assert_string_equal(
            arena_strndup(sim.arena, sim.calls[0].call.body, sim.calls[0].call.body_n),
            arena_printf(sim.arena, "2026-03-04T00:00:00.000000Z 2026-03-04T00:01:30.000000Z %d",
                         i));
        sim_callback_fail(&sim, "t", NULL, NULL);
        sim_advance(&sim, 10);
    }
    sim_deinit(&sim);
}

/* Branches wait for their own tokens. */
static void test_step_callbacks__parallel(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START AND("fork") SERVICE("t", TOKEN POST("")) SERVICE("u", TOKEN POST(""))
                   AND("join") END("end") FLOW("start", "fork") FLOW("fork", "t") FLOW("fork", "u")
                       FLOW("t", "join") FLOW("u", "join") FLOW("join", "end"));
    sim_start(&sim, "p", NULL);
    assert_int_equal(sim.n_callbacks, 2);
    assert_false(uuid_equal(&sim.callbacks[0].id, &sim.callbacks[1].id));
    sim_succeed(&sim, "u", "{\"u\":1}");
    assert_string_equal(sim_where(&sim), "t join+");
    sim_succeed(&sim, "t", "{\"t\":1}");
    assert_true(sim_ended(&sim, "p"));
    sim_deinit(&sim);
}

/* Items have a token each; one that failed is tried again, and knows its element still. */
static void test_step_callbacks__items(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START "<serviceTask id='t'>" EXTENDED(
                   TOKEN
                   "<pawl:http endpoint='e' method='POST'><pawl:body>"
                   "${x} ${callback.id}</pawl:body></pawl:http>") "<multiInstanceLoopCharacteristic"
                                                                  "s camunda:collection='xs' "
                                                                  "camunda:elementVariable='x'/></"
                                                                  "serviceTask>" USER("a")
                                                                      FLOW("start", "t")
                                                                          FLOW("t", "a"));
    sim_start(&sim, "p", "{\"xs\":[\"one\",\"two\",\"three\"]}");
    assert_int_equal(sim_count(&sim, WAIT_CALLBACK), 3);
    assert_int_equal(sim.n_calls, 3);
    sim_callback_fail(&sim, "t", NULL, NULL);
    assert_int_equal(sim_count(&sim, WAIT_CALLBACK), 2);
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    sim_succeed(&sim, "t", NULL);
    sim_succeed(&sim, "t", NULL);
    assert_int_equal(sim.n_calls, 0);
    sim_retry(&sim, "t", NULL);
    assert_int_equal(sim.n_calls, 1);
    const char *body = arena_strndup(sim.arena, sim.calls[0].call.body, sim.calls[0].call.body_n);
    assert_int_equal(strncmp(body, "one ", 4), 0);
    sim_succeed(&sim, "t", NULL);
    assert_string_equal(sim_where(&sim), "a");
    sim_deinit(&sim);
}

/* A user task ends with its callback, or the callback with it. */
static void test_step_callbacks__user_task(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START TOKENED("userTask", "t", "", INPUT("where", "${callback.url}")) USER("a")
                   FLOW("start", "t") FLOW("t", "a"));
    for (int i = 0; i < 2; i++) {
        sim.n_waits = sim.n_instances = sim.n_callbacks = sim.n_tasks = 0;
        sim_start(&sim, "p", NULL);
        assert_true(uuid_equal(&sim.callbacks[0].task, &sim.tasks[0].id));
        if (i == 0)
            sim_succeed(&sim, "t", "{\"done\":true}");
        else
            sim_complete(&sim, "t", "{\"done\":true}");
        assert_string_equal(sim_where(&sim), "a");
        assert_string_equal(sim_variable(&sim, "done"), "true");
        assert_string_equal(sim_variable(&sim, "where"), "-");
        assert_int_equal(sim_count(&sim, WAIT_CALLBACK), 0);
        assert_int_equal(sim_count(&sim, WAIT_TASK), 1); /* a's */
    }
    sim_deinit(&sim);
}

/* With a message and without, and a message that is sent with the token in it. */
static void test_step_callbacks__messages(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(
        &sim, DEFINE_MESSAGE("m"), "p",
        START TOKENED("sendTask", "s", "messageRef='m'", INPUT("answer", "${callback.token}"))
            TOKENED("receiveTask", "r", "", "") TOKENED("receiveTask", "q", "messageRef='m'", "")
                USER("a") FLOW("start", "s") FLOW("s", "r") FLOW("r", "q") FLOW("q", "a"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "s");
    assert_int_equal(sim.n_messages, 1);
    assert_non_null(strstr(sim.messages[0].body, "{\"answer\":\"pawl_"));
    assert_int_equal(sim.n_accepted, 1);
    sim_succeed(&sim, "s", NULL);
    assert_string_equal(sim_where(&sim), "r");
    sim_succeed(&sim, "r", NULL);
    assert_string_equal(sim_where(&sim), "q");
    sim_receive(&sim, "m", NULL);
    assert_string_equal(sim_where(&sim), "a");
    assert_int_equal(sim_count(&sim, WAIT_CALLBACK), 0);
    sim_deinit(&sim);
}

/* Its worker is done: accepted. SQL delegates and expressions are done at once. */
static void test_step_callbacks__other_work(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START TOKENED("serviceTask", "x", "camunda:type='external' camunda:topic='w'", "")
                   TOKENED("serviceTask", "s", "pawl:sql='echo'", INPUT("token", "${callback.id}"))
                       TOKENED("serviceTask", "e", "camunda:expression='${1}'", "") USER("a")
                           FLOW("start", "x") FLOW("x", "s") FLOW("s", "e") FLOW("e", "a"));
    sim_start(&sim, "p", NULL);
    struct command done = sim_external(&sim, "x", COMMAND_EXTERNAL_COMPLETE, "{}");
    sim_run(&sim, &done);
    assert_string_equal(sim_where(&sim), "x");
    assert_int_equal(sim.n_accepted, 1);
    assert_int_equal(sim_count(&sim, WAIT_EXTERNAL), 0);
    sim_succeed(&sim, "x", NULL);
    assert_string_equal(sim_where(&sim), "s");
    char id[UUID_TEXT_BYTES];
    uuid_format(&sim.callbacks[1].id, id);
    assert_non_null(strstr(sim.asked[sim.n_asked - 1], id));
    sim_succeed(&sim, "s", NULL);
    assert_string_equal(sim_where(&sim), "e");
    sim_succeed(&sim, "e", NULL);
    assert_string_equal(sim_where(&sim), "a");
    sim_deinit(&sim);
}

/* Fired: its answer is nobody's business, but a failed request is sent again. */
static void test_step_callbacks__fired(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               WAITING("<camunda:failedJobRetryTimeCycle>R3/PT10S"
                       "</camunda:failedJobRetryTimeCycle>" TOKEN
                       "<pawl:http endpoint='e' mode='fire' method='POST'>"
                       "<pawl:body>${callback.token}</pawl:body></pawl:http>"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "t");
    sim_answer(&sim, "t", BROKEN);
    sim_advance(&sim, 10);
    assert_int_equal(sim.n_calls, 1);
    sim_answer(&sim, "t", ACCEPTED);
    assert_int_equal(sim.n_calls, 0);
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 0);
    sim_succeed(&sim, "t", NULL);
    assert_string_equal(sim_where(&sim), "a");
    sim_deinit(&sim);
}

/* Left another way: the callback's rows go. */
static void test_step_callbacks__interrupted(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START SUB("sub", "<startEvent id='in'/>" SERVICE("t", TOKEN POST(""))
                                    FLOW("in", "t")) BOUNDARY("b", "sub", TIMER("PT1M"))
                   USER("late") FLOW("start", "sub") FLOW("b", "late"));
    sim_start(&sim, "p", NULL);
    assert_int_equal(sim_count(&sim, WAIT_CALLBACK), 1);
    sim_advance(&sim, 60);
    assert_string_equal(sim_where(&sim), "late");
    assert_int_equal(sim_count(&sim, WAIT_CALLBACK), 0);
    assert_int_equal(sim.n_calls, 0);
    sim_deinit(&sim);
}

/* Chained: each task its own token; one of them names none in its request at all. */
static void test_step_callbacks__chained(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START SERVICE("t", TOKEN POST(""))
                   SERVICE("u", TOKEN "<pawl:http endpoint='e' path='/u'/>") USER("a")
                       FLOW("start", "t") FLOW("t", "u") FLOW("u", "a"));
    sim_start(&sim, "p", NULL);
    sim_succeed(&sim, "t", NULL);
    assert_string_equal(sim_where(&sim), "u");
    assert_int_equal(sim.n_callbacks, 2);
    sim_answer(&sim, "u", ACCEPTED);
    assert_string_equal(sim_where(&sim), "u");
    sim_succeed(&sim, "u", "17"); /* no object: nothing to set */
    assert_string_equal(sim_where(&sim), "a");
    sim_deinit(&sim);
}

/* Inside of a called process; its failure is the caller's error. */
static void test_step_callbacks__called(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "child",
               START SERVICE("t", TOKEN POST("")) END("end") FLOW("start", "t") FLOW("t", "end"));
    sim_deploy_with(&sim, CODE("E"), "p",
                    START CALL("call", "child") BOUNDARY("b", "call", ON_ERROR("E")) USER("a")
                        USER("caught") FLOW("start", "call") FLOW("call", "a") FLOW("b", "caught"));
    sim_start(&sim, "p", NULL);
    sim_callback_fail(&sim, "t", "E", "why");
    assert_string_equal(sim_where(&sim), "caught");
    sim_deinit(&sim);
}

static void test_step_callbacks__by_hand(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p", WAITING(TOKEN POST("")));
    sim_start(&sim, "p", NULL);
    struct command command = sim_callback(&sim, "t", COMMAND_COMPLETE_ELEMENT, NULL);
    command.name = "t";
    command.token = 0;
    command.node = -1;
    sim_run(&sim, &command);
    sim_drain(&sim);
    assert_string_equal(sim_where(&sim), "a");
    assert_int_equal(sim_count(&sim, WAIT_CALLBACK), 0);
    sim_deinit(&sim);
}

/* What the model gets wrong only when it runs, and an address that nobody has set. */
static void test_step_callbacks__refused(void **state)
{
    static const struct {
        const char *attributes, *why;
    } cases[] = {
        {"timeout='${x}'", "timeout"},
        {"heartbeat='${x}'", "ISO 8601 duration"},
        {"heartbeat='${zero}'", "no duration above zero"},
        {"allowedCaller='${none}'", "nobody could answer"},
        {"", "--public-url"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sim sim;
        sim_init(&sim);
        sim.installation.public_url = NULL;
        sim_deploy(&sim, "p",
                   arena_printf(sim.arena,
                                START "<serviceTask id='t' camunda:asyncBefore='true'>"
                                      "<extensionElements><pawl:taskToken %s/>"
                                      "<pawl:http endpoint='e' path='${callback.url}'/>"
                                      "</extensionElements></serviceTask>" FLOW("start", "t"),
                                cases[i].attributes));
        sim_start(&sim, "p", "{\"x\":\"soon\",\"zero\":\"PT0S\",\"none\":null}");
        sim_advance(&sim, 1);
        assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
        if (strstr(sim.jobs[0].error, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].attributes, sim.jobs[0].error);
        assert_int_equal(sim_count(&sim, WAIT_CALLBACK), 0);
        sim_deinit(&sim);
    }
}

/* The output is judged as it came, before anything is made of it; a retry by hand may mend it. */
static void test_step_callbacks__judged(void **state)
{
    static const char model[] =
        START SERVICE("t", "<pawl:taskToken><pawl:output name='n'>${callback.output.pages}"
                           "</pawl:output></pawl:taskToken>"
                           "<pawl:inputSchema>{\"required\": [\"pages\"], \"properties\": "
                           "{\"pages\": {\"minimum\": 1}}}</pawl:inputSchema>") USER("a")
            FLOW("start", "t") FLOW("t", "a");
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p", model);
    sim_start(&sim, "p", NULL);
    sim_succeed(&sim, "t", "{\"pages\":0,\"by\":\"x\"}");
    assert_string_equal(sim_where(&sim), "t");
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_non_null(strstr(sim.jobs[0].error, "input does not pass inputSchema: 0 is less than"));
    assert_false(sim_history_has(&sim, HISTORY_CALLBACK_SUCCEEDED, "output"));
    sim_retry_with(&sim, "t", NULL, "{\"pages\":4}");
    assert_string_equal(sim_where(&sim), "a");
    assert_string_equal(sim_variable(&sim, "n"), "4");
    assert_true(sim_history_has(&sim, HISTORY_CALLBACK_SUCCEEDED, "by"));
    sim_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_callbacks__request),
        cmocka_unit_test(test_step_callbacks__early),
        cmocka_unit_test(test_step_callbacks__request_fails),
        cmocka_unit_test(test_step_callbacks__output),
        cmocka_unit_test(test_step_callbacks__output_fails),
        cmocka_unit_test(test_step_callbacks__judged),
        cmocka_unit_test(test_step_callbacks__timeout_caught),
        cmocka_unit_test(test_step_callbacks__timeout_incident),
        cmocka_unit_test(test_step_callbacks__longest_life),
        cmocka_unit_test(test_step_callbacks__heartbeat),
        cmocka_unit_test(test_step_callbacks__failure),
        cmocka_unit_test(test_step_callbacks__failure_retried),
        cmocka_unit_test(test_step_callbacks__context),
        cmocka_unit_test(test_step_callbacks__parallel),
        cmocka_unit_test(test_step_callbacks__items),
        cmocka_unit_test(test_step_callbacks__user_task),
        cmocka_unit_test(test_step_callbacks__messages),
        cmocka_unit_test(test_step_callbacks__other_work),
        cmocka_unit_test(test_step_callbacks__fired),
        cmocka_unit_test(test_step_callbacks__interrupted),
        cmocka_unit_test(test_step_callbacks__chained),
        cmocka_unit_test(test_step_callbacks__called),
        cmocka_unit_test(test_step_callbacks__by_hand),
        cmocka_unit_test(test_step_callbacks__refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
