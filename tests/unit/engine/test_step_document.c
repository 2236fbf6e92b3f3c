/* SPDX-License-Identifier: Apache-2.0 */
/* Documents: round trips, and rows that are cut, flipped or made up. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "helper_bpmn.h"
#include "helper_sim.h"

#define HTTP(id, attributes, inside)                                                               \
    "<serviceTask id='" id "'>" EXTENDED("<pawl:http endpoint='api' method='GET' " attributes      \
                                         ">" inside "</pawl:http>") "</serviceTask>"

#define TWICE "<loopCardinality>2</loopCardinality>"
/* Items that are jobs, come in turn, and have scopes of their own. */
#define OF_ITEMS                                                                                   \
    "<task id='each'>" LOOP(                                                                       \
        "camunda:asyncBefore='true'",                                                              \
        TWICE) "</task>"                                                                           \
               "<userTask id='turn'>" LOOP(                                                        \
                   "isSequential='true' camunda:collection='${x.deep}' "                           \
                   "camunda:elementVariable='y'",                                                  \
                   "") "</userTask>"                                                               \
                       "<subProcess id='inner'>" LOOP("",                                          \
                                                      TWICE) "<startEvent id='i0'/>" USER("iu")    \
                           FLOW("i0", "iu") "</subProcess>" BOUNDARY("it", "inner", TIMER("PT1H"))

/* An instance in which everything that a document can hold is there. */
static void deploy_all(struct sim *sim)
{
    sim_deploy(sim, "child", START USER("cu") FLOW("start", "cu"));
    sim_deploy_with(
        sim, DEFINE_MESSAGE("M1") DEFINE_MESSAGE("ok") DEFINE_ERROR("E1"), "p",
        START AND("f") HTTP("fire", "path='/f' mode='fire'",
                            "<pawl:answer message='ok'><pawl:output name='o'>${response.body}"
                            "</pawl:output></pawl:answer>") USER("u") HTTP("wait", "path='/w'", "")
            BOUNDARY("wt", "wait", TIMER("PT1H")) CALL("call", "child")
                SUB("s",
                    "<startEvent id='s0'/><userTask id='su'>" EXTENDED(
                        "<camunda:inputOutput><camunda:inputParameter name='local'>${x}"
                        "</camunda:inputParameter></camunda:inputOutput>") "</userTask>" FLOW("s0",
                                                                                              "su"))
                    BESIDE("sm", "s", MESSAGE("M1")) BESIDE("st", "s", CYCLE("R3/PT1H"))
                        BOUNDARY("se", "s", ON_ERROR("E1")) EVENTS("g") CATCH("gm", MESSAGE("M1"))
                            CATCH("gt", TIMER("PT2H")) AND("j") TASK("j1") ASYNC("ready")
                                FLOW("start", "f") FLOW("f", "fire") FLOW("fire", "u")
                                    FLOW("f", "wait") FLOW("f", "call") FLOW("f", "s")
                                        FLOW("f", "g") FLOW("g", "gm") FLOW("g", "gt")
                                            FLOW("f", "j1") FLOW("j1", "j") FLOW("u", "j")
                                                FLOW("f", "ready") OF_ITEMS FLOW("f", "each")
                                                    FLOW("f", "turn") FLOW("f", "inner"));
    sim_start_only(sim, "p", "{\"x\":{\"deep\":[1,2,3]}}");
    assert_string_equal(sim_where(sim),
                        "u wait call s{ g j+ ready? each{ turn{ inner{ su each? each? turn "
                        "inner{ inner{ iu iu cu");
}

static int load(struct sim *sim, const char *doc, size_t n, struct family *family)
{
    struct instance_row row = sim->instances[0].row;
    uint8_t entropy[16] = {7};
    struct err err = {0};

    arena_reset(sim->batch);
    row.doc = doc;
    row.doc_n = n;
    family_init(family, sim->batch, &sim->root, sim->now_us, entropy);
    int result = family_load(family, &row, &err);
    if (result < 0) {
        assert_true(err.text[0] != '\0');
        assert_int_equal(family->n_instances, 0);
    }
    return result;
}

static void test_step_document__round_trip(void **state)
{
    struct sim sim;
    struct family family;
    const char *doc;
    size_t n;

    (void)state;
    sim_init(&sim);
    deploy_all(&sim);
    const struct instance_row *row = &sim.instances[0].row;
    assert_int_equal(load(&sim, row->doc, row->doc_n, &family), 0);
    instance_encode(&family, family.instances[0], &doc, &n);
    assert_int_equal(n, row->doc_n);
    assert_memory_equal(doc, row->doc, n);
    /* The answer that nobody waits for yet is kept in it. */
    sim_answer(&sim, "fire", "{\"outcome\":\"answered\",\"ok\":true,\"body\":[\"kept\"]}");
    assert_int_equal(load(&sim, row->doc, row->doc_n, &family), 0);
    assert_string_equal(family.instances[0]->calls[0].answer_body, "{\"o\":[\"kept\"]}");
    assert_string_equal(family.instances[0]->calls[0].answer_name, "ok");
    sim_deinit(&sim);
}

static void test_step_document__other_formats(void **state)
{
    struct sim sim;
    struct family family;

    (void)state;
    sim_init(&sim);
    deploy_all(&sim);
    assert_true(load(&sim, "", 0, &family) < 0);
    assert_true(load(&sim, "\x04", 1, &family) < 0);
    assert_true(load(&sim, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, &family) < 0);
    /* 2^32 tokens in six bytes */
    assert_true(load(&sim, "\x01\x00\x05\xff\xff\xff\xff\x0f", 8, &family) < 0);
    /* Format 1 is still read: tokens 1 and 3 wait at user tasks since 1 and 2 us after 1970. */
    int u = graph_find(sim.graphs[1], "u");
    char doc[] = {1, 0, 4, 2, 1, 2, 0, (char)u, 2, 0, 2, 2, 0, (char)u, 4, 0, 0, 0, 0};
    assert_int_equal(load(&sim, doc, sizeof(doc), &family), 0);
    assert_int_equal(family.instances[0]->n_tokens, 2);
    assert_int_equal(family.instances[0]->tokens[1].id, 3);
    assert_int_equal(family.instances[0]->tokens[1].since_us, 2);
    /* Format 2 has the second time as what it differs from the first. */
    doc[0] = 2;
    assert_int_equal(load(&sim, doc, sizeof(doc), &family), 0);
    assert_int_equal(family.instances[0]->tokens[1].since_us, 3);
    sim_deinit(&sim);
}

static void test_step_document__prefixes(void **state)
{
    struct sim sim;
    struct family family;

    (void)state;
    sim_init(&sim);
    deploy_all(&sim);
    const struct instance_row *row = &sim.instances[0].row;
    for (size_t n = 0; n < row->doc_n; n++) {
        char *exact = malloc(n + 1); /* so that a sanitizer sees a read past the end */
        assert_non_null(exact);
        memcpy(exact, row->doc, n);
        assert_true(load(&sim, exact, n, &family) < 0);
        free(exact);
    }
    char *longer = calloc(1, row->doc_n + 1);
    assert_non_null(longer);
    memcpy(longer, row->doc, row->doc_n);
    assert_true(load(&sim, longer, row->doc_n + 1, &family) < 0);
    free(longer);
    sim_deinit(&sim);
}

/* Every command that its waits and tokens could be asked for; none may crash. */
static void ask_everything(struct sim *sim, const char *doc, size_t n)
{
    static const char body[] = "{\"outcome\":\"answered\",\"ok\":true,\"body\":1,\"x\":2}";
    struct family family;
    struct err err;

    for (size_t i = 0;; i++) {
        if (load(sim, doc, n, &family) < 0)
            return;
        const struct instance *instance = family.instances[0];
        struct command command = {
            .instance = sim->root, .root = sim->root, .body = body, .body_n = strlen(body)};
        if (i < instance->n_waits) {
            const struct wait *wait = &instance->waits[i];
            static const enum command_kind kinds[] = {
                [WAIT_TIMER] = COMMAND_TIMER,        [WAIT_MESSAGE] = COMMAND_MESSAGE,
                [WAIT_TASK] = COMMAND_TASK_COMPLETE, [WAIT_CALL] = COMMAND_CALL_RESULT,
                [WAIT_CHILD] = COMMAND_CANCEL,       [WAIT_EXTERNAL] = COMMAND_EXTERNAL_FAILURE};
            command.kind = kinds[wait->kind];
            command.token = wait->token;
            command.node = wait->node;
            command.subject = wait->subject;
            family.now_us = INT64_MAX / 2;
        } else if (i < instance->n_waits + instance->n_tokens) {
            command.kind = COMMAND_CONTINUE;
            command.token = instance->tokens[i - instance->n_waits].id;
            command.node = (int)(i % instance->graph->n_nodes);
        } else if (i < instance->n_waits + instance->n_tokens + instance->n_calls) {
            command.kind = COMMAND_CALL_RESULT;
            command.subject = instance->calls[i - instance->n_waits - instance->n_tokens].id;
        } else {
            return;
        }
        int result = engine_step(&family, &command, &err);
        assert_true(result >= STEP_DONE && result <= STEP_DROPPED);
        if (load(sim, doc, n, &family) == 0)
            engine_fail(&family, &command, &(struct err){.text = "why"});
    }
}

static void test_step_document__flips(void **state)
{
    struct sim sim;
    struct family family;
    uint64_t random = 88172645463325252u;
    unsigned loaded = 0;

    (void)state;
    sim_init(&sim);
    deploy_all(&sim);
    const struct instance_row *row = &sim.instances[0].row;
    char *doc = malloc(row->doc_n);
    assert_non_null(doc);
    for (unsigned round = 0; round < 6000; round++) {
        memcpy(doc, row->doc, row->doc_n);
        for (unsigned flips = 1 + round % 3; flips > 0; flips--) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            doc[random % row->doc_n] = (char)(doc[random % row->doc_n] ^ (1 << (random >> 60)));
            if (round % 2 == 0)
                doc[(random >> 20) % row->doc_n] = (char)(random >> 32);
        }
        if (load(&sim, doc, row->doc_n, &family) < 0)
            continue;
        loaded++;
        const char *again;
        size_t n;
        instance_encode(&family, family.instances[0], &again, &n);
        char *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, again, n);
        assert_int_equal(load(&sim, copy, n, &family), 0);
        ask_everything(&sim, copy, n);
        free(copy);
    }
    assert_true(loaded > 100);
    free(doc);
    sim_deinit(&sim);
}

/* Rows that claim things about a token; a job is as little trusted as a document. */
static void test_step_document__jobs(void **state)
{
    struct sim sim;
    struct err err;

    (void)state;
    sim_init(&sim);
    deploy_all(&sim);
    const struct instance_row *row = &sim.instances[0].row;
    struct command ready = sim_ready(&sim, "ready");
    for (int node = -2; node < 40; node++) {
        for (int phase = 0; phase < 6; phase++) {
            struct family family;
            assert_int_equal(load(&sim, row->doc, row->doc_n, &family), 0);
            struct command command = ready;
            command.node = node;
            command.phase = (enum command_phase)phase;
            int result = engine_step(&family, &command, &err);
            assert_true(result >= STEP_DONE && result <= STEP_DROPPED);
            assert_int_equal(load(&sim, row->doc, row->doc_n, &family), 0);
            engine_fail(&family, &command, &(struct err){.text = "why"});
        }
    }
    sim_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_document__round_trip),
        cmocka_unit_test(test_step_document__other_formats),
        cmocka_unit_test(test_step_document__prefixes),
        cmocka_unit_test(test_step_document__flips),
        cmocka_unit_test(test_step_document__jobs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
