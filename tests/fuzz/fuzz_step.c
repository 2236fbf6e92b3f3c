/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <glob.h>

#include "base/arena.h"
#include "base/buf.h"
#include "engine/engine.h"
#include "parser/parser.h"
#include "tests/fuzz/fuzz.h"

/*
 * The state machine: byte 0 chooses a model of processes/, then each three bytes carry out a
 * command on one instance (what waits, a pending job, or something that nobody waits for), or flip
 * a bit of its document, which must then be refused or be a state that can run. After each step the
 * document is written, read and written again, and must be the same.
 */
#define JOBS_MAX 64u
#define STEPS_MAX 200u

struct play {
    struct arena arena;
    const struct graph *graph;
    struct uuid id;
    const char *doc, *variables;
    size_t doc_n, variables_n;
    struct command jobs[JOBS_MAX];
    unsigned n_jobs;
    int64_t now_us;
    bool running;
    bool spoiled; /* a bit was flipped: jobs need not fit any more */
};

static struct graph *graphs[64];
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
        graphs[n_graphs++] = result.graphs[i];
        result.graphs[i] = NULL;
    }
    parse_result_deinit(&result);
    buf_deinit(&buf);
}

static void load_graphs(void)
{
    glob_t found;

    parser_init();
    assert(glob(PAWL_SOURCE_DIR "/processes/*/*.bpmn", 0, NULL, &found) == 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        load_file(found.gl_pathv[i]);
    globfree(&found);
    assert(n_graphs > 0);
}

static void begin(struct play *play, struct family *family)
{
    static const uint8_t entropy[16] = {1, 2, 3};

    family_init(family, &play->arena, &play->id, play->now_us, entropy);
}

static int load(struct play *play, struct family *family, struct err *err)
{
    struct instance_row row = {.id = play->id, .root = play->id, .definition_id = 1};

    begin(play, family);
    if (!play->running)
        return 0;
    row.graph = play->graph;
    row.business_key = "key";
    row.started_us = 1;
    row.doc = play->doc;
    row.doc_n = play->doc_n;
    row.variables = play->variables;
    row.variables_n = play->variables_n;
    return family_load(family, &row, err);
}

/* What the store would write. */
static void save(struct play *play, struct family *family)
{
    struct instance *instance = family_instance(family, &play->id);
    struct family again;
    struct err err;
    const char *doc;
    size_t n;

    for (size_t i = 0; i < family->n_jobs && play->n_jobs < JOBS_MAX; i++) {
        if (uuid_equal(&family->jobs[i].command.instance, &play->id))
            play->jobs[play->n_jobs++] = family->jobs[i].command;
    }
    play->running = instance != NULL && instance->fate != INSTANCE_ENDED;
    if (!play->running)
        return;
    instance_encode(family, instance, &play->doc, &play->doc_n);
    instance_variables(family, instance, &play->variables, &play->variables_n);
    if (load(play, &again, &err) < 0) {
        fprintf(stderr, "what was written cannot be read: %s\n", err.text);
        abort();
    }
    instance_encode(&again, family_instance(&again, &play->id), &doc, &n);
    assert(n == play->doc_n);
    assert(memcmp(doc, play->doc, n) == 0);
}

static void answer_needs(struct family *family, struct need **answers, size_t *n, size_t *capacity)
{
    for (size_t i = 0; i < family->n_needs; i++)
        *arena_push(family->arena, *answers, *n, *capacity) = family->needs[i];
    family->answers = *answers;
    family->n_answers = *n;
    family->answers_capacity = *capacity;
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
        int loaded = load(play, &family, &err);
        assert(loaded == 0);
        family.answers = answers;
        family.n_answers = n;
        family.answers_capacity = capacity;
        r = engine_step(&family, command, &err);
        if (r == STEP_NEED) {
            assert(family.n_needs > 0);
            answer_needs(&family, &answers, &n, &capacity);
        }
    }
    assert(r >= 0);
    if (r == STEP_FAILED) {
        assert(err.text[0] != '\0');
        int loaded = load(play, &family, &err);
        assert(loaded == 0);
        engine_fail(&family, command, &err);
    }
    save(play, &family);
}

static void on_wait(const struct wait *wait, unsigned choice, struct command *command)
{
    static const char *const bodies[] = {
        "{\"outcome\":\"answered\",\"ok\":true,\"status\":200,\"headers\":{},\"body\":[{\"lat\":1}]"
        ","
        "\"error\":null,\"attempt\":1,\"ms\":3,\"fromCache\":false}",
        "{\"outcome\":\"timeout\",\"ok\":false,\"status\":null,\"headers\":{},\"body\":null,"
        "\"error\":\"late\",\"attempt\":1,\"ms\":3,\"fromCache\":false}",
        "{\"outcome\":\"unknown\",\"ok\":false}",
        "{}",
    };

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
        command->name = "error";
        break;
    case WAIT_CALL:
    case WAIT_CHILD:
        command->kind = COMMAND_CALL_RESULT;
        command->body = bodies[choice % ARRAY_LEN(bodies)];
        command->body_n = strlen(command->body);
        break;
    }
}

/* A command of three bytes; false if there is none. */
static bool choose(struct play *play, const uint8_t *bytes, struct command *command)
{
    static const char variables[] =
        "{\"approved\":true,\"order\":\"7\",\"total\":3,\"name\":\"x\"}";
    struct family family;
    struct err err;

    *command = (struct command){.instance = play->id, .root = play->id, .node = -1};
    command->body = variables;
    command->body_n = strlen(variables);
    if (!play->running) {
        command->kind = COMMAND_START;
        command->graph = play->graph;
        command->node = play->graph->none_start;
        command->business_key = "key";
        play->n_jobs = 0;
        return command->node >= 0;
    }
    if (bytes[0] % 4 == 0 && play->n_jobs > 0) {
        unsigned i = bytes[1] % play->n_jobs;
        *command = play->jobs[i];
        play->jobs[i] = play->jobs[--play->n_jobs];
        return true;
    }
    int loaded = load(play, &family, &err);
    assert(loaded == 0);
    const struct instance *instance = family_instance(&family, &play->id);
    if (bytes[0] % 4 == 1 && instance->n_calls > 0) {
        const struct fired_call *call = &instance->calls[bytes[1] % instance->n_calls];
        struct wait wait = {.kind = WAIT_CALL, .token = call->token, .node = call->node};
        wait.subject = call->id;
        on_wait(&wait, bytes[2], command);
        if (bytes[2] % 5 == 0)
            command->kind = COMMAND_CALL_SENT;
    } else if (bytes[0] % 4 == 2 || instance->n_waits == 0) {
        command->kind = (enum command_kind)(2 + bytes[1] % 9);
        command->token = bytes[2];
        command->node = (int)(bytes[2] % (play->graph->n_nodes + 1)) - 1;
        command->name = "x";
    } else {
        on_wait(&instance->waits[bytes[1] % instance->n_waits], bytes[2], command);
    }
    return true;
}

/* Flips a bit of the document; what is refused is taken back. */
static void spoil(struct play *play, const uint8_t *bytes)
{
    struct play old = *play;
    struct family family;
    struct err err;

    if (!play->running || play->doc_n == 0)
        return;
    char *doc = arena_strndup(&play->arena, play->doc, play->doc_n);
    doc[(bytes[1] | bytes[0] << 8) % play->doc_n] ^= (char)(1 << bytes[2] % 8);
    play->doc = doc;
    if (load(play, &family, &err) < 0) {
        assert(err.text[0] != '\0');
        play->doc = old.doc;
        return;
    }
    play->spoiled = true;
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
    play.id.b[15] = 1;
    for (size_t i = 1, steps = 0; i + 3 <= size && steps < STEPS_MAX; i += 3, steps++) {
        struct command command;
        if (data[i] >= 0xe0)
            spoil(&play, data + i);
        else if (choose(&play, data + i, &command))
            run(&play, &command);
        play.now_us += 1000000;
    }
    arena_deinit(&play.arena);
    return 0;
}
