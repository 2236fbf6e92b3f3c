/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <glob.h>

#include "base/arena.h"
#include "base/buf.h"
#include "engine/engine.h"
#include "parser/parser.h"
#include "tests/fuzz/fuzz.h"

/*
 * The state machine: byte 0 chooses a model, then each three bytes carry out a command on one
 * instance of the family (what waits, a pending job, or something that nobody waits for), or flip a
 * bit of its document, which must then be refused or be a state that can run. After each step the
 * documents are written, read and written again, and must be the same.
 */
#define JOBS_MAX 64u
#define INSTANCES_MAX 16u
#define STEPS_MAX 200u

/* A row of the store. */
struct saved {
    struct uuid id, parent;
    uint32_t parent_token;
    const struct graph *graph;
    const char *doc, *variables;
    size_t doc_n, variables_n;
};

struct play {
    struct arena arena;
    const struct graph *graph; /* of the root */
    struct uuid root;
    struct saved instances[INSTANCES_MAX]; /* parents before what they called; [0] is the root */
    size_t n_instances;
    struct command jobs[JOBS_MAX];
    unsigned n_jobs;
    int64_t now_us;
};

static struct graph *graphs[128];
static size_t n_graphs;

static void load_file(const char *path)
{
    struct parse_result result;
    struct buf buf;
    char piece[4096];
    size_t n;
    FILE *file = fopen(path, "rb");

    assert(file != NULL);
    buf_init(&buf, 0);
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_add(&buf, piece, n);
    fclose(file);
    parser_read(path, buf.data, buf.len, false, &result);
    for (size_t i = 0; i < result.n_graphs && n_graphs < ARRAY_LEN(graphs); i++) {
        graphs[n_graphs] = result.graphs[i];
        result.graphs[i] = NULL;
        graphs[n_graphs]->definition_id = (int)n_graphs + 1;
        n_graphs++;
    }
    parse_result_deinit(&result);
    buf_deinit(&buf);
}

static void load_graphs(void)
{
    static const char *const patterns[] = {
        PAWL_SOURCE_DIR "/processes/*/*.bpmn",
        PAWL_SOURCE_DIR "/tests/parser/valid/*.bpmn",
        PAWL_SOURCE_DIR "/tests/fuzz/models/*.bpmn",
    };

    parser_init();
    for (size_t k = 0; k < ARRAY_LEN(patterns); k++) {
        glob_t found;
        assert(glob(patterns[k], 0, NULL, &found) == 0);
        for (size_t i = 0; i < found.gl_pathc; i++)
            load_file(found.gl_pathv[i]);
        globfree(&found);
    }
    assert(n_graphs > 0);
}

static int load(struct play *play, struct family *family, struct err *err)
{
    static const uint8_t entropy[16] = {1, 2, 3};
    uint8_t fresh[16];

    memcpy(fresh, entropy, sizeof(fresh));
    memcpy(fresh + 8, &play->now_us, sizeof(play->now_us)); /* ids differ from batch to batch */
    static const struct installation installation = {.callback_life_us = INT64_C(1000000000)};
    family_init(family, &play->arena, &play->root, play->now_us, fresh);
    family->installation = &installation;
    for (size_t i = 0; i < play->n_instances; i++) {
        const struct saved *saved = &play->instances[i];
        struct instance_row row = {.id = saved->id, .root = play->root, .parent = saved->parent};
        row.parent_token = saved->parent_token;
        row.definition_id = saved->graph->definition_id;
        row.graph = saved->graph;
        row.business_key = "key";
        row.started_us = 1;
        row.doc = saved->doc;
        row.doc_n = saved->doc_n;
        row.variables = saved->variables;
        row.variables_n = saved->variables_n;
        if (family_load(family, &row, err) < 0)
            return -1;
    }
    return 0;
}

static void load_again(struct play *play, struct family *family)
{
    struct err err;

    if (load(play, family, &err) < 0) {
        fprintf(stderr, "what was written cannot be read: %s\n", err.text);
        abort();
    }
}

/* What the store would write. */
static void save(struct play *play, struct family *family)
{
    struct family again;

    for (size_t i = 0; i < family->n_jobs && play->n_jobs < JOBS_MAX; i++)
        play->jobs[play->n_jobs++] = family->jobs[i].command;
    play->n_instances = 0;
    for (size_t i = 0; i < family->n_instances; i++) {
        const struct instance *instance = family->instances[i];
        if (instance->fate == INSTANCE_ENDED)
            continue;
        /* A family larger than this is not played on. */
        if (play->n_instances == INSTANCES_MAX) {
            play->n_instances = 0;
            return;
        }
        struct saved *saved = &play->instances[play->n_instances++];
        *saved = (struct saved){.id = instance->id, .parent = instance->parent};
        saved->parent_token = instance->parent_token;
        saved->graph = instance->graph;
        instance_encode(family, instance, &saved->doc, &saved->doc_n);
        instance_variables(family, instance, &saved->variables, &saved->variables_n);
    }
    load_again(play, &again);
    for (size_t i = 0; i < play->n_instances; i++) {
        const struct saved *saved = &play->instances[i];
        const char *doc;
        size_t n;
        instance_encode(&again, family_instance(&again, &saved->id), &doc, &n);
        assert(n == saved->doc_n);
        assert(memcmp(doc, saved->doc, n) == 0);
    }
}

/* Definitions are found by their key; an instance that is not loaded does not exist. */
static void answer(struct need *need)
{
    need->result = "null";
    need->result_n = strlen("null");
    for (size_t i = 0; i < n_graphs && need->kind == NEED_DEFINITION; i++) {
        if (need->key != NULL && strcmp(graphs[i]->key, need->key) == 0) {
            need->definition_id = graphs[i]->definition_id;
            need->graph = graphs[i];
        }
    }
}

static void run(struct play *play, const struct command *command)
{
    struct need *answers = NULL;
    size_t n = 0, capacity = 0;
    struct family family;
    struct err err = {.code = ERR_NONE};
    int r = STEP_NEED;

    for (int round = 0; r == STEP_NEED; round++) {
        assert(round < 100);
        load_again(play, &family);
        family.answers = answers;
        family.n_answers = n;
        family.answers_capacity = capacity;
        r = engine_step(&family, command, &err);
        if (r != STEP_NEED)
            break;
        assert(family.n_needs > 0);
        for (size_t i = 0; i < family.n_needs; i++) {
            struct need need = family.needs[i];
            answer(&need);
            if (need.kind == NEED_INSTANCE)
                return; /* the store would fail the command: the row is gone */
            *arena_push(&play->arena, answers, n, capacity) = need;
        }
    }
    assert(r >= 0);
    if (r == STEP_FAILED) {
        assert(err.text[0] != '\0');
        load_again(play, &family);
        engine_fail(&family, command, &err);
    }
    save(play, &family);
}

/* Variables that let the models go one way or another. */
static const char *variables_of(unsigned choice)
{
    static const char *const variables[] = {
        "{\"orderNo\":\"7\",\"address\":\"Main Street "
        "1\",\"geocoder\":\"geo\",\"who\":\"ada\",\"stop\":true,"
        "\"quotient\":1,\"second\":1,\"pause\":\"PT1S\",\"moment\":\"2026-11-22T00:00:00Z\","
        "\"amount\":5,"
        "\"department\":\"d\",\"damaged\":true,\"divisor\":2,\"approved\":true,\"a\":1,\"b\":"
        "\"x\"}",
        "{\"orderNo\":\"7\",\"address\":\"\",\"geocoder\":\"geo\",\"stop\":false,\"divisor\":0,"
        "\"pause\":7,"
        "\"amount\":5000,\"damaged\":false,\"approved\":false,\"failures\":3,\"department\":\"e\"}",
        "{\"address\":\"x\",\"geocoder\":\"geo\",\"amount\":500,\"approved\":\"true\",\"a\":[1,2]}",
        "{}",
    };

    return variables[choice % ARRAY_LEN(variables)];
}

static const char *response_of(unsigned choice)
{
    static const char *const responses[] = {
        "{\"outcome\":\"answered\",\"ok\":true,\"status\":200,\"headers\":{},\"body\":[{\"lat\":"
        "\"1\","
        "\"lon\":\"2\",\"display_name\":\"n\"}],\"error\":null,\"attempt\":1,\"ms\":3,"
        "\"fromCache\":false}",
        "{\"outcome\":\"answered\",\"ok\":true,\"status\":200,\"headers\":{},\"body\":[],\"error\":"
        "null,"
        "\"attempt\":1,\"ms\":3,\"fromCache\":true}",
        "{\"outcome\":\"timeout\",\"ok\":false,\"status\":null,\"headers\":{},\"body\":null,"
        "\"error\":\"late\",\"attempt\":1,\"ms\":3,\"fromCache\":false}",
        "{\"outcome\":\"status\",\"ok\":false,\"status\":503,\"headers\":{},\"body\":\"x\","
        "\"error\":\"e\","
        "\"attempt\":1,\"ms\":3,\"fromCache\":false}",
        "{\"outcome\":\"unknown\",\"ok\":false}",
        "{}",
    };

    return responses[choice % ARRAY_LEN(responses)];
}

static void set_body(struct command *command, const char *body)
{
    command->body = body;
    command->body_n = strlen(body);
}

static void on_wait(const struct wait *wait, unsigned choice, struct command *command)
{
    command->token = wait->token;
    command->node = wait->node;
    command->subject = wait->subject;
    command->name = wait->name;
    switch (wait->kind) {
    case WAIT_TIMER:
        command->kind = COMMAND_TIMER;
        command->due_us = wait->due_us;
        break;
    case WAIT_MESSAGE:
        command->kind = COMMAND_MESSAGE;
        break;
    case WAIT_TASK:
        command->kind = choice % 8 == 0 ? COMMAND_TASK_ERROR : COMMAND_TASK_COMPLETE;
        command->name = choice % 16 == 0 ? "damaged" : "error";
        break;
    case WAIT_EXTERNAL:
        command->kind = (enum command_kind)(choice % 4 == 0 ? COMMAND_EXTERNAL_COMPLETE
                                                            : COMMAND_EXTERNAL_ERROR + choice % 3);
        command->name = "error";
        set_body(command, "{\"variables\":{\"x\":1},\"localVariables\":{\"y\":2},"
                          "\"externalTask\":{\"retries\":0,\"errorMessage\":\"e\"}}");
        break;
    case WAIT_CALLBACK:
        command->kind = (enum command_kind)(COMMAND_CALLBACK_SUCCEED + choice % 4);
        set_body(command, "{\"output\":{\"x\":1},\"logs\":[\"l\"]}");
        break;
    case WAIT_LEVEL:
        command->kind = COMMAND_LEVEL;
        break;
    case WAIT_CALL:
    case WAIT_CHILD:
        command->kind = COMMAND_CALL_RESULT;
        set_body(command, response_of(choice));
        break;
    }
}

static bool start(const struct play *play, const uint8_t *bytes, struct command *command)
{
    size_t n_events = play->graph->n_event_starts;

    command->kind = COMMAND_START;
    command->graph = play->graph;
    command->node = play->graph->none_start;
    command->business_key = "key";
    if (n_events > 0 && (command->node < 0 || bytes[1] % 4 == 0))
        command->node = play->graph->event_starts[bytes[1] / 4 % n_events];
    return command->node >= 0;
}

/* A command of three bytes; false if there is none. */
static bool choose(struct play *play, const uint8_t *bytes, struct command *command)
{
    unsigned what = bytes[0] % 4, which = bytes[0] / 4;
    struct family family;

    *command = (struct command){.instance = play->root, .root = play->root, .node = -1};
    set_body(command, variables_of(bytes[2]));
    if (play->n_instances == 0) {
        play->n_jobs = 0;
        return start(play, bytes, command);
    }
    if (what == 0 && play->n_jobs > 0) {
        unsigned i = bytes[1] % play->n_jobs;
        *command = play->jobs[i];
        play->jobs[i] = play->jobs[--play->n_jobs];
        return true;
    }
    load_again(play, &family);
    const struct saved *saved = &play->instances[which % play->n_instances];
    const struct instance *instance = family_instance(&family, &saved->id);
    command->instance = saved->id;
    if (what == 1 && instance->n_calls > 0) {
        const struct fired_call *call = &instance->calls[bytes[1] % instance->n_calls];
        struct wait wait = {.kind = WAIT_CALL, .token = call->token, .node = call->node};
        wait.subject = call->id;
        on_wait(&wait, bytes[2], command);
        command->tries = 1;
        if (bytes[1] % 5 == 0) {
            command->kind = COMMAND_CALL_SENT;
            command->due_us = play->now_us;
        }
    } else if (what == 2 || instance->n_waits == 0) {
        command->kind = (enum command_kind)(2 + bytes[1] % 9);
        command->token = bytes[2];
        command->node = (int)(bytes[2] % (saved->graph->n_nodes + 1)) - 1;
        command->phase = bytes[2] % 4;
        command->name = "x";
    } else {
        on_wait(&instance->waits[bytes[1] % instance->n_waits], bytes[2], command);
    }
    return true;
}

/* Flips a bit of a document; what is refused is taken back. */
static void spoil(struct play *play, const uint8_t *bytes)
{
    struct family family;
    struct err err;

    if (play->n_instances == 0)
        return;
    struct saved *saved = &play->instances[bytes[0] % play->n_instances];
    if (saved->doc_n == 0)
        return;
    const char *old = saved->doc;
    char *doc = arena_strndup(&play->arena, saved->doc, saved->doc_n);
    doc[bytes[1] % saved->doc_n] ^= (char)(1 << bytes[2] % 8);
    saved->doc = doc;
    if (load(play, &family, &err) < 0) {
        assert(err.text[0] != '\0');
        saved->doc = old;
        return;
    }
    /* Several encodings may mean the same; from here on it is ours. */
    instance_encode(&family, family_instance(&family, &saved->id), &saved->doc, &saved->doc_n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct play play = {.now_us = INT64_C(1795255200000000)};

    if (n_graphs == 0)
        load_graphs();
    if (size < 1)
        return 0;
    arena_init(&play.arena, 0);
    play.graph = graphs[data[0] % n_graphs];
    play.root.b[15] = 1;
    for (size_t i = 1, steps = 0; i + 3 <= size && steps < STEPS_MAX; i += 3, steps++) {
        struct command command;
        if (data[i] >= 0xf0)
            spoil(&play, data + i);
        else if (choose(&play, data + i, &command))
            run(&play, &command);
        play.now_us += 1000000;
    }
    arena_deinit(&play.arena);
    return 0;
}
