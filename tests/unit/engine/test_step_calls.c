/* SPDX-License-Identifier: Apache-2.0 */
/* Call activities, and remote calls in both modes. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "helper_bpmn.h"
#include "helper_sim.h"

#define E1 DEFINE_ERROR("E1")

/* ---- Call activities ---- */

#define PARENT(mappings, rest)                                                                     \
    START "<callActivity id='c' calledElement='${which}'>" EXTENDED(                               \
        mappings) "</callActivity>" USER("after") FLOW("start", "c") FLOW("c", "after") rest

static void test_step_calls__data(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "child",
               START USER("u") SET("s", "z", "y + 5") FLOW("start", "u") FLOW("u", "s"));
    sim_deploy(&sim, "parent",
               PARENT("<camunda:in source='x' target='y0'/><camunda:in sourceExpression='${x + 5}' "
                      "target='y'/><camunda:in source='nothing' target='nil'/>"
                      "<camunda:in businessKey='${execution.processBusinessKey}/1'/>"
                      "<camunda:out source='z' target='result'/>"
                      "<camunda:out sourceExpression='${z * 2}' target='twice'/>",
                      ""));
    sim_start(&sim, "parent", "{\"which\":\"child\",\"x\":5}");
    assert_string_equal(sim_where(&sim), "c u");
    assert_string_equal(sim.instances[1].row.business_key, "order 1/1");
    assert_string_equal(sim_variable_of(&sim, "child", "y0"), "5");
    assert_string_equal(sim_variable_of(&sim, "child", "nil"), "null");
    assert_string_equal(sim_variable(&sim, "result"), "-");
    sim_complete(&sim, "u", NULL);
    assert_string_equal(sim_where(&sim), "after");
    assert_string_equal(sim_variable(&sim, "result"), "15");
    assert_string_equal(sim_variable(&sim, "twice"), "30");
    assert_string_equal(sim_variable(&sim, "y"), "-");
    assert_true(sim_history_has(&sim, HISTORY_INSTANCE_STARTED, "\"element\":\"c\""));
    sim_deinit(&sim);
}

static void test_step_calls__all(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "child", START SET("s", "x", "x + 1") FLOW("start", "s"));
    sim_deploy(&sim, "parent",
               PARENT("<camunda:in variables='all'/><camunda:out variables='all'/>", ""));
    sim_start(&sim, "parent", "{\"which\":\"child\",\"x\":5,\"n\":1.50}");
    assert_string_equal(sim_where(&sim), "after"); /* in one transaction */
    assert_string_equal(sim_variable(&sim, "x"), "6");
    assert_string_equal(sim_variable(&sim, "n"), "1.50");
    assert_int_equal(sim.n_instances, 1);
    sim_deinit(&sim);
}

static void test_step_calls__missing(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "parent", PARENT("", ""));
    sim_start(&sim, "parent", "{\"which\":\"nobody\"}");
    assert_int_equal(sim.last_result, STEP_FAILED);
    assert_non_null(strstr(sim.err.text, "'nobody'"));
    assert_string_equal(sim_where(&sim), "start~");
    sim_deinit(&sim);
}

static void test_step_calls__error(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, E1, "child",
                    START AND("f") USER("u") USER("v") END_ERROR("e", "E1") FLOW("start", "f")
                        FLOW("f", "u") FLOW("f", "v") FLOW("u", "e"));
    sim_deploy_with(
        &sim, E1, "parent",
        PARENT("", BOUNDARY("b", "c", ON_ERROR("E1")) USER("caught") FLOW("b", "caught")));
    sim_start(&sim, "parent", "{\"which\":\"child\"}");
    assert_string_equal(sim_where(&sim), "c u v");
    sim_complete(&sim, "u", NULL);
    assert_string_equal(sim_where(&sim), "caught");
    assert_true(sim_ended(&sim, "child"));
    assert_non_null(strstr(sim.instances[1].end_state, "terminated"));
    assert_int_equal(sim_count(&sim, WAIT_TASK), 1);
    assert_int_equal(sim.rounds, 2); /* the parent was loaded when it was needed */
    sim_deinit(&sim);
}

static void test_step_calls__error_through_two(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, E1, "leaf",
                    START USER("u") END_ERROR("e", "E1") FLOW("start", "u") FLOW("u", "e"));
    sim_deploy(&sim, "middle",
               START SUB("s", "<startEvent id='s0'/>" CALL("l", "leaf") FLOW("s0", "l"))
                   FLOW("start", "s"));
    sim_deploy_with(
        &sim, E1, "parent",
        PARENT("", BOUNDARY("b", "c", ON_ANY_ERROR) USER("caught") FLOW("b", "caught")));
    sim_start(&sim, "parent", "{\"which\":\"middle\"}");
    assert_string_equal(sim_where(&sim), "c s{ l u");
    sim_complete(&sim, "u", NULL);
    assert_string_equal(sim_where(&sim), "caught");
    assert_true(sim_ended(&sim, "leaf"));
    assert_true(sim_ended(&sim, "middle"));
    sim_deinit(&sim);
}

static void test_step_calls__interrupted(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "leaf", START USER("u") FLOW("start", "u"));
    sim_deploy(&sim, "middle", START CALL("l", "leaf") FLOW("start", "l"));
    sim_deploy(&sim, "parent",
               PARENT("", BOUNDARY("b", "c", TIMER("PT1H")) USER("late") FLOW("b", "late")));
    sim_start(&sim, "parent", "{\"which\":\"middle\"}");
    assert_string_equal(sim_where(&sim), "c l u");
    sim_advance(&sim, 3600);
    assert_string_equal(sim_where(&sim), "late");
    assert_int_equal(sim_count(&sim, WAIT_TASK), 1);
    assert_true(sim_ended(&sim, "leaf"));
    sim_deinit(&sim);
}

static void test_step_calls__cancelled(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "child", START USER("u") FLOW("start", "u"));
    sim_deploy(&sim, "parent",
               START AND("f") CALL("c1", "child") CALL("c2", "child") CALL("c3", "child")
                   FLOW("start", "f") FLOW("f", "c1") FLOW("f", "c2") FLOW("f", "c3"));
    struct uuid root = sim_start(&sim, "parent", NULL);
    assert_string_equal(sim_where(&sim), "c1 c2 c3 u u u");
    struct command cancel = {
        .kind = COMMAND_CANCEL, .instance = sim.instances[1].row.id, .root = root};
    assert_int_equal(sim_run(&sim, &cancel), STEP_FAILED); /* its parent waits for it */
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 0);
    cancel.instance = root;
    assert_int_equal(sim_run(&sim, &cancel), STEP_DONE);
    assert_string_equal(sim_where(&sim), ".");
    assert_int_equal(sim.n_waits, 0);
    assert_int_equal(sim.rounds, 2); /* all children in one round */
    sim_deinit(&sim);
}

static void test_step_calls__recursion(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p", START CALL("c", "p") END("end") FLOW("start", "c") FLOW("c", "end"));
    sim_start(&sim, "p", NULL);
    assert_int_equal(sim.last_result, STEP_FAILED);
    assert_int_equal(sim.err.code, ERR_LIMIT);
    assert_non_null(strstr(sim.err.text, "call itself"));
    sim_deinit(&sim);
}

/* Many sub-processes, one in the other, in each of many calls: the stack of C must not matter. */
static void test_step_calls__deep(void **state)
{
    enum { LEVELS = 60 };
    struct sim sim;
    struct buf body;

    (void)state;
    sim_init(&sim);
    buf_init(&body, 0);
    buf_printf(&body, START FLOW("start", "s0"));
    for (int i = 0; i < LEVELS; i++)
        buf_printf(&body,
                   "<subProcess id='s%d'><startEvent id='t%d'/>"
                   "<sequenceFlow id='f%d' sourceRef='t%d' targetRef='s%d'/>",
                   i, i, i, i, i + 1);
    buf_printf(&body,
               "<exclusiveGateway id='s%d' default='fu'/><callActivity id='c' calledElement='p'>"
               "<extensionElements><camunda:in sourceExpression='${n - 1}' target='n'/>"
               "</extensionElements></callActivity><userTask id='u'/>"
               "<sequenceFlow id='fc' sourceRef='s%d' targetRef='c'><conditionExpression "
               "xsi:type='tFormalExpression'>${n > 0}</conditionExpression></sequenceFlow>"
               "<sequenceFlow id='fu' sourceRef='s%d' targetRef='u'/>",
               LEVELS, LEVELS, LEVELS);
    for (int i = 0; i < LEVELS; i++)
        buf_add_str(&body, "</subProcess>");
    sim_deploy(&sim, "p", buf_str(&body));
    struct uuid root = sim_start(&sim, "p", "{\"n\":99}");
    assert_int_equal(sim_count(&sim, WAIT_TASK), 1);
    assert_int_equal(sim.n_instances, 100);
    struct command cancel = {.kind = COMMAND_CANCEL, .instance = root, .root = root};
    assert_int_equal(sim_run(&sim, &cancel), STEP_DONE);
    assert_string_equal(sim_where(&sim), ".");
    buf_deinit(&body);
    sim_deinit(&sim);
}

/* ---- Remote calls ---- */

#define HTTP(id, attributes, inside)                                                               \
    "<serviceTask id='" id "'>" EXTENDED(                                                          \
        "<camunda:failedJobRetryTimeCycle>R3/PT1M</camunda:failedJobRetryTimeCycle>"               \
        "<pawl:http endpoint='api' " attributes ">" inside "</pawl:http>") "</serviceTask>"
#define OK(body)                                                                                   \
    "{\"outcome\":\"answered\",\"ok\":true,\"status\":200,\"headers\":{},\"body\":" body           \
    ",\"error\":null,\"attempt\":1,\"ms\":5,\"fromCache\":false}"
#define FAILURE(outcome, status, attempt)                                                          \
    "{\"outcome\":\"" outcome "\",\"ok\":false,\"status\":" status                                 \
    ",\"headers\":{},\"body\":null,\"error\":\"it broke\",\"attempt\":" attempt                    \
    ",\"ms\":5,\"fromCache\":false}"

static void test_step_calls__request(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START HTTP("h",
                          "method='POST' path='/search/${city}' timeout='PT10S' "
                          "connectTimeout='PT2S'",
                          "<pawl:query name='q'>${address}</pawl:query>"
                          "<pawl:query name='none'>${nothing}</pawl:query>"
                          "<pawl:query name='api_key'>s3cret</pawl:query>"
                          "<pawl:query name='n'>1</pawl:query>"
                          "<pawl:header name='X-Id'>${execution.processInstanceId}</pawl:header>"
                          "<pawl:header name='X-Null'>${nothing}</pawl:header>"
                          "<pawl:body>${order}</pawl:body>") FLOW("start", "h"));
    sim_start(&sim, "p",
              "{\"city\":\"K\\u00f6ln?/x\",\"address\":\"1 Main St & 2=3\",\"nothing\":null,"
              "\"order\":{\"n\":1.50}}");
    const struct new_call *call = &sim.calls[0].call;
    assert_string_equal(call->endpoint, "api");
    assert_string_equal(call->method, "POST");
    assert_string_equal(call->path,
                        "/search/K%C3%B6ln%3F/x?q=1%20Main%20St%20%26%202%3D3&api_key=s3cret&n=1");
    assert_true(sim_history_has(&sim, HISTORY_CALL_REQUESTED, "%202%3D3&api_key=***&n=1\""));
    assert_string_equal(call->body, "{\"n\":1.50}");
    assert_non_null(strstr(call->headers, "\"Content-Type\":\"application/json\""));
    assert_non_null(strstr(call->headers, "\"X-Id\":\"01"));
    assert_null(strstr(call->headers, "X-Null"));
    assert_int_equal(call->timeout_us, 10000000);
    assert_int_equal(call->connect_timeout_us, 2000000);
    assert_int_equal(call->attempt, 1);
    assert_false(call->report_sent);
    sim_deinit(&sim);
}

static void test_step_calls__request_refused(void **state)
{
    static const char *const variables[] = {
        "{\"path\":\"a/../../admin\",\"header\":\"x\"}",
        "{\"path\":\"a\",\"header\":\"x\\r\\nHost: evil\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        struct sim sim;
        sim_init(&sim);
        sim_deploy(&sim, "p",
                   START HTTP("h", "method='GET' path='/x/${path}'",
                              "<pawl:header name='X'>${header}</pawl:header>") FLOW("start", "h"));
        sim_start(&sim, "p", variables[i]);
        assert_int_equal(sim.last_result, STEP_FAILED);
        assert_non_null(strstr(sim.err.text, "serviceTask 'h'"));
        sim_deinit(&sim);
    }
    struct sim sim;
    char *text = malloc(LIMIT_URL_BYTES + 100);
    assert_non_null(text);
    int n = snprintf(text, LIMIT_URL_BYTES + 100, "{\"path\":\"%0*d\",\"header\":\"x\"}",
                     (int)LIMIT_URL_BYTES, 1);
    assert_true(n > 0);
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START HTTP("h", "method='GET' path='/x/${path}'",
                          "<pawl:header name='X'>${header}</pawl:header>") FLOW("start", "h"));
    sim_start(&sim, "p", text);
    assert_int_equal(sim.err.code, ERR_LIMIT);
    sim_deinit(&sim);
    free(text);
}

static void deploy_wait(struct sim *sim)
{
    sim_deploy_with(
        sim, E1, "p",
        START HTTP("h", "method='GET' path='/x'",
                   "<pawl:answer when='${response.status == 404}' error='E1' "
                   "errorMessage='nothing there: ${response.status}'>"
                   "<pawl:output name='why'>${response.outcome}</pawl:output></pawl:answer>"
                   "<pawl:answer when='${response.status == 418}'>"
                   "<pawl:output name='tea'>${response.body}</pawl:output></pawl:answer>"
                   "<pawl:output name='x'>${response.body.x}</pawl:output>")
            BOUNDARY("b", "h", ON_ERROR("E1")) BOUNDARY("t", "h", TIMER("PT1H")) USER("after")
                USER("missing") USER("late") FLOW("start", "h") FLOW("h", "after")
                    FLOW("b", "missing") FLOW("t", "late"));
    sim_start(sim, "p", NULL);
    assert_string_equal(sim_where(sim), "h");
}

static void test_step_calls__wait_answered(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    deploy_wait(&sim);
    struct command result = sim_result(&sim, "h", OK("{\"x\":[1]}"));
    sim_run(&sim, &result);
    assert_string_equal(sim_where(&sim), "after");
    assert_string_equal(sim_variable(&sim, "x"), "[1]");
    assert_string_equal(sim_variable(&sim, "response"), "-");
    assert_int_equal(sim_run(&sim, &result), STEP_DROPPED); /* twice: late */
    assert_string_equal(sim_trace(&sim), "I+ -start request:h +h answer:h -h +after late:h");
    assert_true(sim_history_has(&sim, HISTORY_CALL_ANSWERED, "\"body\":\"{\\\"x\\\":[1]}\""));
    sim_deinit(&sim);
}

static void test_step_calls__wait_judged(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    deploy_wait(&sim);
    sim_answer(&sim, "h", FAILURE("status", "404", "1"));
    assert_string_equal(sim_where(&sim), "missing");
    assert_string_equal(sim_variable(&sim, "why"), "\"status\"");
    assert_true(sim_history_has(&sim, HISTORY_ERROR_THROWN, "nothing there: 404"));
    sim_deinit(&sim);
    sim_init(&sim);
    deploy_wait(&sim);
    sim_answer(&sim, "h", FAILURE("status", "418", "1"));
    assert_string_equal(sim_where(&sim), "after");
    assert_string_equal(sim_variable(&sim, "tea"), "null");
    sim_deinit(&sim);
}

/* The model says what a success looks like: anything else is a failed try. */
static void test_step_calls__wait_unmatched(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy(&sim, "p",
               START HTTP("h", "method='GET' path='/x'",
                          "<pawl:answer when='${!empty response.body}'><pawl:output name='x'>"
                          "${response.body[0]}</pawl:output></pawl:answer>") USER("after")
                   FLOW("start", "h") FLOW("h", "after"));
    sim_start(&sim, "p", NULL);
    sim_answer(&sim, "h", OK("[]"));
    assert_string_equal(sim_where(&sim), "h");
    assert_int_equal(sim_jobs(&sim, JOB_RETRY), 1);
    assert_non_null(strstr(sim.jobs[0].error, "none of its answer elements takes it as a success"));
    sim_advance(&sim, 60);
    sim_answer(&sim, "h", OK("[1]"));
    assert_string_equal(sim_where(&sim), "after");
    sim_deinit(&sim);
}

static void test_step_calls__wait_retried(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    deploy_wait(&sim);
    struct uuid id = sim.calls[0].call.id;
    sim_answer(&sim, "h", FAILURE("offline", "null", "1"));
    assert_string_equal(sim_where(&sim), "h"); /* waits on, its boundary timer too */
    assert_int_equal(sim_jobs(&sim, JOB_RETRY), 1);
    assert_int_equal(sim.jobs[0].command.phase, PHASE_CALL);
    assert_non_null(strstr(sim.jobs[0].error, "offline: it broke"));
    sim_advance(&sim, 60);
    assert_int_equal(sim.n_calls, 1);
    assert_int_equal(sim.calls[0].call.attempt, 2);
    assert_true(uuid_equal(&sim.calls[0].call.id, &id)); /* the same key */
    sim_answer(&sim, "h", FAILURE("timeout", "null", "2"));
    sim_advance(&sim, 60);
    sim_answer(&sim, "h", FAILURE("status", "500", "3"));
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_string_equal(sim.jobs[0].reason, "failedJob");
    sim_retry(&sim, "h", NULL);
    assert_int_equal(sim.calls[0].call.attempt, 4);
    sim_answer(&sim, "h", OK("{\"x\":1}"));
    assert_string_equal(sim_where(&sim), "after");
    sim_deinit(&sim);
}

static void test_step_calls__wait_interrupted(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    deploy_wait(&sim);
    struct sim_call call = sim.calls[0];
    sim_advance(&sim, 3600);
    assert_string_equal(sim_where(&sim), "late");
    assert_int_equal(sim.n_calls, 0);
    sim.calls[sim.n_calls++] = call; /* it was under way */
    struct command result = sim_result(&sim, "h", OK("{\"x\":1}"));
    assert_int_equal(sim_run(&sim, &result), STEP_DROPPED);
    assert_true(sim_history_has(&sim, HISTORY_CALL_LATE, "\"status\":200"));
    assert_string_equal(sim_variable(&sim, "x"), "-");
    sim_deinit(&sim);
}

static void test_step_calls__wait_unknown(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    deploy_wait(&sim);
    sim_answer(&sim, "h", FAILURE("unknown", "null", "1"));
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_string_equal(sim.jobs[0].reason, "unknownOutcome");
    sim_retry(&sim, "h", "repeat");
    assert_int_equal(sim.calls[0].call.attempt, 2);
    sim_answer(&sim, "h", FAILURE("unknown", "null", "2"));
    sim_retry(&sim, "h", "fail");
    assert_int_equal(sim_jobs(&sim, JOB_RETRY), 1);
    sim_advance(&sim, 60);
    sim_answer(&sim, "h", OK("{\"x\":1}"));
    assert_string_equal(sim_where(&sim), "after");
    sim_deinit(&sim);
}

/* ---- Fired calls ---- */

#define M DEFINE_MESSAGE("ok") DEFINE_MESSAGE("bad")
#define FIRE(id)                                                                                   \
    HTTP(id, "method='GET' path='/x' mode='fire'",                                                 \
         "<pawl:answer when='${response.ok}' message='ok'><pawl:output name='x'>${response.body}"  \
         "</pawl:output></pawl:answer><pawl:answer when='${response.outcome != \"odd\"}' "         \
         "message='bad'><pawl:output name='why'>${response.outcome}</pawl:output></pawl:answer>")

static void deploy_fire(struct sim *sim, const char *sent)
{
    const char *body = arena_printf(
        sim->arena,
        "%s<intermediateCatchEvent id='t'><timerEventDefinition "
        "%s><timeDuration>PT3S</timeDuration>"
        "</timerEventDefinition></intermediateCatchEvent>",
        START XOR("m") FIRE("h") "<task id='between' camunda:asyncBefore='true'/>" EVENTS("g")
            CATCH("ok_", MESSAGE("ok")) CATCH("bad_", MESSAGE("bad")) SET("count", "n", "n + 1")
                XOR("x") USER("yes") USER("no") USER("never") FLOW("start", "m") FLOW("m", "h")
                    FLOW("h", "between") FLOW("between", "g") FLOW("g", "ok_") FLOW("g", "bad_")
                        FLOW("g", "t") FLOW("t", "count") FLOW("count", "x")
                            FLOW_IF("x", "m", "n &lt; 3") FLOW_IF("x", "never", "n >= 3")
                                FLOW("ok_", "yes") FLOW("bad_", "no"),
        sent);
    sim_deploy_with(sim, M, "p", body);
    sim_start(sim, "p", "{\"n\":0}");
    assert_string_equal(sim_where(sim), "g");
}

static void test_step_calls__fire(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    deploy_fire(&sim, "");
    sim_answer(&sim, "h", OK("[7]"));
    assert_string_equal(sim_where(&sim), "yes");
    assert_string_equal(sim_variable(&sim, "x"), "[7]");
    assert_int_equal(sim.n_waits, 1);
    sim_deinit(&sim);
    sim_init(&sim);
    deploy_fire(&sim, "");
    sim_answer(&sim, "h", FAILURE("unknown", "null", "1"));
    assert_string_equal(sim_where(&sim), "no");
    assert_string_equal(sim_variable(&sim, "why"), "\"unknown\"");
    sim_deinit(&sim);
}

static void test_step_calls__fire_early(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    sim_deploy_with(&sim, M, "p",
                    START FIRE("h") USER("u") "<receiveTask id='r' messageRef='ok'/>" USER("yes")
                        FLOW("start", "h") FLOW("h", "u") FLOW("u", "r") FLOW("r", "yes"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "u");
    struct command result = sim_result(&sim, "h", OK("{\"y\":1}"));
    sim_run(&sim, &result);
    assert_string_equal(sim_where(&sim), "u");              /* kept */
    assert_int_equal(sim_run(&sim, &result), STEP_DROPPED); /* twice */
    sim_complete(&sim, "u", NULL);
    assert_string_equal(sim_where(&sim), "yes"); /* delivered when somebody waits */
    assert_string_equal(sim_variable(&sim, "x"), "{\"y\":1}");
    assert_int_equal(sim.n_waits, 1);
    sim_deinit(&sim);
}

static void test_step_calls__fire_late(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    deploy_fire(&sim, "");
    struct sim_call first = sim.calls[0];
    sim_advance(&sim, 3);
    assert_string_equal(sim_where(&sim), "g"); /* second attempt, by the model */
    assert_int_equal(sim.n_calls, 1);
    assert_false(uuid_equal(&sim.calls[0].call.id, &first.call.id));
    struct command late = {.kind = COMMAND_CALL_RESULT,
                           .instance = sim.root,
                           .root = sim.root,
                           .subject = first.call.id,
                           .node = first.call.node,
                           .body = OK("[1]"),
                           .body_n = strlen(OK("[1]"))};
    assert_int_equal(sim_run(&sim, &late), STEP_DROPPED); /* never reaches the second */
    assert_string_equal(sim_where(&sim), "g");
    assert_true(sim_history_has(&sim, HISTORY_CALL_LATE, "answered"));
    sim_advance(&sim, 3);
    sim_advance(&sim, 3);
    assert_string_equal(sim_where(&sim), "never");
    assert_int_equal(sim.n_calls, 0);
    sim_deinit(&sim);
}

static void test_step_calls__fire_unexpected(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    deploy_fire(&sim, "");
    sim_answer(&sim, "h", FAILURE("odd", "null", "1"));
    assert_string_equal(sim_where(&sim), "g");
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    assert_string_equal(sim.jobs[0].reason, "unexpectedAnswer");
    sim_retry(&sim, "h", NULL);
    assert_int_equal(sim_jobs(&sim, JOB_INCIDENT), 1);
    sim_advance(&sim, 9);
    assert_string_equal(sim_where(&sim), "never");
    sim_retry(&sim, "h", NULL);
    assert_int_equal(sim.last_result, STEP_DROPPED);
    sim_deinit(&sim);
}

static void test_step_calls__fire_clock_starts_when_sent(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    deploy_fire(&sim, "pawl:startsWhenSent='h'");
    assert_true(sim.calls[0].call.report_sent);
    assert_int_equal(sim_count(&sim, WAIT_TIMER), 0); /* waiting for its turn uses up no time */
    sim_advance(&sim, 100);
    assert_string_equal(sim_where(&sim), "g");
    sim_report(&sim, "h");
    assert_int_equal(sim_count(&sim, WAIT_TIMER), 1);
    sim_advance(&sim, 2);
    assert_int_equal(sim_variable(&sim, "n")[0], '0');
    sim_advance(&sim, 1);
    assert_int_equal(sim_variable(&sim, "n")[0], '1');
    assert_int_equal(sim_count(&sim, WAIT_TIMER), 0); /* the second call waits again */
    sim_answer(&sim, "h", OK("1"));
    assert_string_equal(sim_where(&sim), "yes");
    sim_deinit(&sim);
}

static void test_step_calls__fire_two_branches(void **state)
{
    struct sim sim;

    (void)state;
    sim_init(&sim);
    /* Two branches fire and wait for messages of the same name: each gets its own. */
    sim_deploy_with(&sim, M, "p",
                    START AND("f") FIRE("h1") CATCH("c1", MESSAGE("ok"))
                        BOUNDARY("b", "w", TIMER("PT1S")) FIRE("h2") USER("w")
                            CATCH("c2", MESSAGE("ok")) USER("u1") USER("u2") FLOW("start", "f")
                                FLOW("f", "h1") FLOW("f", "h2") FLOW("h1", "c1") FLOW("h2", "w")
                                    FLOW("w", "c2") FLOW("c1", "u1") FLOW("c2", "u2"));
    sim_start(&sim, "p", NULL);
    assert_string_equal(sim_where(&sim), "c1 w");
    sim_answer(&sim, "h1", OK("1"));
    assert_string_equal(sim_where(&sim), "u1 w");
    assert_int_equal(sim.n_calls, 1); /* the other's call stays open */
    sim_complete(&sim, "w", NULL);
    sim_answer(&sim, "h2", OK("2"));
    assert_string_equal(sim_where(&sim), "u1 u2");
    sim_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_calls__data),
        cmocka_unit_test(test_step_calls__all),
        cmocka_unit_test(test_step_calls__missing),
        cmocka_unit_test(test_step_calls__error),
        cmocka_unit_test(test_step_calls__error_through_two),
        cmocka_unit_test(test_step_calls__interrupted),
        cmocka_unit_test(test_step_calls__cancelled),
        cmocka_unit_test(test_step_calls__recursion),
        cmocka_unit_test(test_step_calls__deep),
        cmocka_unit_test(test_step_calls__request),
        cmocka_unit_test(test_step_calls__request_refused),
        cmocka_unit_test(test_step_calls__wait_answered),
        cmocka_unit_test(test_step_calls__wait_judged),
        cmocka_unit_test(test_step_calls__wait_unmatched),
        cmocka_unit_test(test_step_calls__wait_retried),
        cmocka_unit_test(test_step_calls__wait_interrupted),
        cmocka_unit_test(test_step_calls__wait_unknown),
        cmocka_unit_test(test_step_calls__fire),
        cmocka_unit_test(test_step_calls__fire_early),
        cmocka_unit_test(test_step_calls__fire_late),
        cmocka_unit_test(test_step_calls__fire_unexpected),
        cmocka_unit_test(test_step_calls__fire_clock_starts_when_sent),
        cmocka_unit_test(test_step_calls__fire_two_branches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
