/* SPDX-License-Identifier: Apache-2.0 */
/* `pawl test`: cases that run processes in memory, with a clock of their own. */
#include "base/build.h"

#include "base/clock.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/lint.h"
#include "cli/output.h"
#include "cli/script.h"
#include "cli/text.h"
#include "engine/value.h"
#include "jobexec/scripts.h"
#include "simulator/scenario.h"

#define SCRIPT_US INT64_C(2000000) /* as long as nobody minds */
#define PATH_SHOWN 40              /* elements of a path on the screen; JSON has them all */

struct test_run {
    struct cli *cli;
    struct sandbox sandbox;
    size_t n_ok, n_failed;
    int64_t began_us;
};

/* A path that the file says is relative to the file. */
static const char *beside(struct cli *cli, const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');

    if (path[0] == '/' || slash == NULL)
        return path;
    return arena_printf(&cli->arena, "%.*s/%s", (int)(slash - file), file, path);
}

/* ---- What is said of a case ---- */

static void print_case_json(const char *file, const struct scenario_result *result)
{
    json_t *notes = json_array(), *path = json_array();

    for (size_t i = 0; i < result->n_path; i++)
        json_array_append_new(path, output_string(result->path[i]));
    for (size_t i = 0; i < result->n_notes; i++)
        json_array_append_new(
            notes, json_pack("{s:i, s:o}", "line",
                             result->notes[i].line > 0 ? result->notes[i].line : result->line,
                             "text", output_string(result->notes[i].text)));
    json_t *row = json_pack("{s:o, s:i, s:o, s:b, s:o, s:o}", "file", output_string(file), "line",
                            result->line, "case", output_string(result->name), "ok", result->ok,
                            "path", path, "failures", notes);
    output_json(row);
    json_decref(row);
}

/* A path ends where it is of most use, at its end. */
static void add_path(struct buf *line, const struct scenario_result *result)
{
    size_t from = result->n_path > PATH_SHOWN ? result->n_path - PATH_SHOWN : 0;

    buf_add_str(line, from > 0 ? "        path: ... > " : "        path: ");
    for (size_t i = from; i < result->n_path; i++) {
        buf_add_str(line, i > from ? " > " : "");
        text_add(line, result->path[i], 0);
    }
    buf_add_char(line, '\n');
}

static void print_case(struct cli *cli, const char *file, const struct scenario_result *result)
{
    struct buf line CLEANUP(buf_deinit);

    buf_init(&line, 0);
    colour_begin(cli, &line, result->ok ? COLOUR_GREEN : COLOUR_RED);
    buf_add_str(&line, result->ok ? "ok    " : "FAILED");
    colour_end(cli, &line, result->ok ? COLOUR_GREEN : COLOUR_RED);
    buf_add_str(&line, "  ");
    text_add(&line, file, 0);
    buf_printf(&line, ":%d: ", result->line);
    text_add(&line, result->name, 0);
    buf_add_char(&line, '\n');
    for (size_t i = 0; i < result->n_notes; i++) {
        buf_add_str(&line, "        ");
        text_add(&line, file, 0);
        buf_printf(&line,
                   ":%d: ", result->notes[i].line > 0 ? result->notes[i].line : result->line);
        text_add(&line, result->notes[i].text, 0);
        buf_add_char(&line, '\n');
    }
    if (result->n_path > 0 && (!result->ok || cli_has(cli, "path")))
        add_path(&line, result);
    output_buf(&line);
}

/* ---- What the cases of a file passed ---- */

static void print_process(struct cli *cli, const struct scenario_process *process)
{
    const struct graph *graph = process->graph;
    struct buf line CLEANUP(buf_deinit);
    json_t *never = json_array();
    size_t n_passed = 0;

    buf_init(&line, 0);
    for (size_t i = 0; i < graph->n_nodes; i++) {
        n_passed += process->passed[i];
        if (!process->passed[i])
            json_array_append_new(never, output_string(graph->nodes[i].id));
    }
    if (cli->json) {
        json_t *row = json_pack("{s:o, s:s, s:i, s:i, s:O}", "file", output_string(process->file),
                                "process", graph->key, "elements", (int)graph->n_nodes, "passed",
                                (int)n_passed, "never", never);
        output_json(row);
        json_decref(row);
    } else {
        buf_printf(&line, "        %s: %zu of %zu elements passed", graph->key, n_passed,
                   graph->n_nodes);
        for (size_t i = 0; i < json_array_size(never); i++) {
            buf_add_str(&line, i == 0 ? "; never " : ", ");
            text_add(&line, json_string_value(json_array_get(never, i)), 0);
        }
        buf_add_char(&line, '\n');
        output_buf(&line);
    }
    json_decref(never);
}

/* ---- A file ---- */

/* Scripts run as they do in the engine. */
static const char *run_script(void *context, struct arena *arena, const char *request)
{
    const char *text = "";
    enum store_script_end end =
        sandbox_run(context, request, strlen(request), SCRIPT_US, arena, &text);

    if (end == SCRIPT_REPLIED)
        return text;
    if (end == SCRIPT_SLOW)
        text = "the script takes too long to be tested";
    struct value why = {.kind = VALUE_STRING, .u.string = {.text = text, .n = strlen(text)}};
    return arena_printf(arena, "{\"error\":%s}", value_text(arena, &why, NULL));
}

static int load_process(struct cli *cli, struct scenario *scenario, const char *path,
                        struct err *err)
{
    struct parse_result result;
    const char *text;
    size_t n;

    if (cli_read_file(cli, path, LIMIT_XML_BYTES + 1, &text, &n, err) < 0)
        return err_trace(err);
    parser_read(path, text, n, false, &result);
    if (result.n_errors > 0)
        lint_print(cli, stderr, path, &result);
    size_t n_errors = result.n_errors;
    for (size_t i = 0; n_errors == 0 && i < result.n_graphs; i++) {
        scenario_add_process(scenario, path, result.graphs[i]);
        for (size_t z = 0; z < result.graphs[i]->n_zones; z++)
            cli_note(cli, "%s: the time zone %s is taken as UTC here", path,
                     result.graphs[i]->zones[z]->name);
        result.graphs[i] = NULL;
    }
    parse_result_deinit(&result);
    if (n_errors > 0)
        return err_set(err, ERR_INVALID, "%s cannot be deployed, so it cannot be tested", path);
    return 0;
}

static void run_cases(struct test_run *run, struct scenario *scenario)
{
    struct scenario_result result;
    struct arena batch;

    arena_init(&batch, 0);
    for (size_t i = 0; i < scenario->cases->n; i++) {
        scenario_run(scenario, i, &batch, &result);
        if (run->cli->json)
            print_case_json(scenario->file, &result);
        else
            print_case(run->cli, scenario->file, &result);
        run->n_ok += result.ok;
        run->n_failed += !result.ok;
    }
    arena_deinit(&batch);
    for (size_t i = 0; i < scenario->n_processes; i++)
        print_process(run->cli, &scenario->processes[i]);
}

static int run_file(struct test_run *run, const char *file, struct err *err)
{
    struct scenario scenario = {0};
    struct arena arena;
    const char *text;
    int result = 0;
    size_t n;

    if (cli_read_file(run->cli, file, LIMIT_STEPS_BYTES + 1, &text, &n, err) < 0)
        return err_trace(err);
    arena_init(&arena, 0);
    if (n > LIMIT_STEPS_BYTES)
        result = err_set(err, ERR_LIMIT, "%s is longer than %u bytes (LIMIT_STEPS_BYTES)", file,
                         LIMIT_STEPS_BYTES);
    else
        result = scenario_read(&arena, file, text, n, &scenario, err);
    scenario.script = run_script;
    scenario.script_context = &run->sandbox;
    for (size_t i = 0; result == 0 && i < scenario.n_bpmn; i++)
        result = load_process(run->cli, &scenario, beside(run->cli, file, scenario.bpmn[i]), err);
    if (result == 0)
        run_cases(run, &scenario);
    for (size_t i = 0; i < scenario.n_processes; i++)
        graph_free(scenario.processes[i].graph);
    arena_deinit(&arena);
    return result;
}

static enum exit_code run_test(struct cli *cli)
{
    struct test_run run = {.cli = cli, .began_us = clock_mono_us()};
    enum exit_code code = EXIT_DONE;

    parser_init();
    sandbox_init(&run.sandbox, script_program(cli));
    for (size_t i = 0; i < cli->n_arguments; i++) {
        struct err err = {0};
        if (run_file(&run, cli->arguments[i], &err) < 0)
            code = cli_fail(cli, &err);
    }
    sandbox_end(&run.sandbox);
    parser_deinit();
    if (!cli->json)
        fprintf(stderr, "%zu ok, %zu failed, in %lld ms\n", run.n_ok, run.n_failed,
                (long long)((clock_mono_us() - run.began_us + 999) / 1000));
    if (code == EXIT_DONE && run.n_failed > 0)
        code = EXIT_REFUSED;
    return code;
}

static const struct option test_options[] = {
    {"path", 0, NULL, "show the path of the cases that are ok, too"},
};

const struct subcommand command_test = {
    .name = "test",
    .arguments = "FILE...",
    .summary = "run the cases of scenario files: processes in memory, without a database",
    .about =
        "Each FILE (YAML or JSON, docs/testing.md) names .bpmn files and has cases: a process is "
        "started, services answer as the case says, people and programs do their part, the clock "
        "moves as far as it is told, and what is then is held against what is expected. All of it "
        "happens in memory, in milliseconds.\n"
        "\n"
        "Prints a line for each case, ok or FAILED, with the line of what was expected and was not "
        "found and the path that it took through the diagram; and for each process how many of its "
        "elements the cases of the file passed, and which they never did. With -o json each is one "
        "object.\n"
        "\n"
        "Exit code 0: all cases are ok; 1: one is not, or a file cannot be used.",
    .examples = "  pawl test order.test.yaml\n  pawl test -o json tests/*.yaml | jq -r "
                "'select(.never).never[]'\n",
    .options = test_options,
    .n_options = ARRAY_LEN(test_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .run = run_test,
};
