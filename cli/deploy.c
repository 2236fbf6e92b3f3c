/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "cli/commands.h"
#include "cli/find.h"
#include "cli/lint.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/variables.h"
#include "parser/xml.h"

struct deploy {
    struct cli *cli;
    const char **files;
    size_t n_files, capacity;
    struct parser_file *texts; /* one for each file */
    json_t *resources;
    size_t n_errors, n_warnings;
};

static void add_file(struct deploy *deploy, const char *path)
{
    *arena_push(&deploy->cli->arena, deploy->files, deploy->n_files, deploy->capacity) = path;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);

    return n > m && strcmp(name + n - m, ending) == 0;
}

/* Schemas, forms and values of parameters; everything else is a model. */
static bool is_beside(const char *name)
{
    return ends_with(name, ".json") || ends_with(name, ".form");
}

static int is_resource(const struct dirent *entry)
{
    static const char *const endings[] = {".bpmn", ".bpmn20.xml", ".bpmn2", ".json", ".form"};

    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (ends_with(entry->d_name, endings[i]))
            return 1;
    return 0;
}

/* A directory stands for the files in it that may be deployed. */
static enum exit_code collect(struct deploy *deploy)
{
    struct cli *cli = deploy->cli;

    for (size_t i = 0; i < cli->n_arguments; i++) {
        struct dirent **names = NULL;
        struct stat st;
        const char *path = cli->arguments[i];
        if (stat(path, &st) < 0)
            return cli_refuse(cli, NULL, "cannot open %s: %s", path, strerror(errno));
        if (!S_ISDIR(st.st_mode)) {
            add_file(deploy, path);
            continue;
        }
        int n = scandir(path, &names, is_resource, alphasort);
        if (n < 0)
            return cli_refuse(cli, NULL, "cannot read %s: %s", path, strerror(errno));
        bool models = false;
        for (int j = 0; j < n; j++) {
            models |= !is_beside(names[j]->d_name);
            add_file(deploy, arena_printf(&cli->arena, "%s/%s", path, names[j]->d_name));
            free(names[j]);
        }
        free(names);
        if (!models)
            return cli_refuse(cli, NULL, "there is no .bpmn file in %s", path);
    }
    return EXIT_DONE;
}

/* SQL takes text: a file in another encoding is decoded here. */
static enum exit_code add_resource(struct deploy *deploy, const char *file, const char *text,
                                   size_t n)
{
    struct cli *cli = deploy->cli;
    struct findings findings = {.arena = &cli->arena};
    const char *slash = strrchr(file, '/'), *utf8;
    size_t utf8_n;

    if (is_beside(file)) {
        utf8 = text;
        utf8_n = n;
    } else if (!xml_decode(&cli->arena, text, n, false, &utf8, &utf8_n, &findings)) {
        return cli_refuse(cli, NULL, "%s: %s", file, findings.items[0].message);
    }
    json_t *content = json_stringn(utf8, utf8_n);
    if (content == NULL)
        return cli_refuse(cli, NULL, "%s is not text", file);
    json_array_append_new(deploy->resources,
                          json_pack("{s:o, s:o}", "name",
                                    output_string(slash != NULL ? slash + 1 : file), "content",
                                    content));
    return EXIT_DONE;
}

static enum exit_code lint_one(struct deploy *deploy, size_t index)
{
    struct cli *cli = deploy->cli;
    const struct parser_file *file = &deploy->texts[index];
    struct parse_result result;
    enum exit_code code = EXIT_DONE;

    if (is_beside(file->name))
        return add_resource(deploy, file->name, file->text, file->n);
    parser_read_with(deploy->files[index], file->text, file->n, false, deploy->texts,
                     deploy->n_files, &result);
    deploy->n_errors += result.n_errors;
    deploy->n_warnings += result.n_findings - result.n_errors;
    if (result.n_errors > 0)
        lint_print(cli, cli->json ? stdout : stderr, deploy->files[index], &result);
    else
        code = add_resource(deploy, deploy->files[index], file->text, file->n);
    parse_result_deinit(&result);
    return code;
}

/* What the engine would refuse is said here, with the file's own name and without a database. */
static enum exit_code lint_all(struct deploy *deploy)
{
    struct cli *cli = deploy->cli;
    enum exit_code code = EXIT_DONE;
    struct err err = {0};

    deploy->texts = arena_array(&cli->arena, deploy->n_files, sizeof(*deploy->texts));
    for (size_t i = 0; i < deploy->n_files; i++) {
        struct parser_file *file = &deploy->texts[i];
        const char *slash = strrchr(deploy->files[i], '/');
        file->name = slash != NULL ? slash + 1 : deploy->files[i];
        if (cli_read_file(cli, deploy->files[i], LIMIT_XML_BYTES + 1, &file->text, &file->n, &err) <
            0)
            return cli_fail(cli, &err);
    }
    for (size_t i = 0; i < deploy->n_files && code == EXIT_DONE; i++)
        code = lint_one(deploy, i);
    if (code != EXIT_DONE)
        return code;
    if (deploy->n_errors > 0)
        return cli_refuse(cli, NULL, "not deployed: %zu error%s", deploy->n_errors,
                          deploy->n_errors == 1 ? "" : "s");
    return EXIT_DONE;
}

static void print_findings(struct cli *cli, const json_t *findings)
{
    const json_t *finding;
    size_t i;

    json_array_foreach(findings, i, finding)
    {
        cli_note(cli, "%s:%s: %s %s %s: %s", row_text(cli, finding, "file"),
                 row_text(cli, finding, "line"), row_text(cli, finding, "severity"),
                 row_text(cli, finding, "code"), row_text(cli, finding, "element"),
                 row_text(cli, finding, "message"));
    }
}

static const json_t *findings_of(const json_t *outcome)
{
    const json_t *detail = json_object_get(outcome, "detail");

    return json_is_array(detail) ? detail : json_object_get(detail, "findings");
}

/* The processes of the deployment, new versions or not. */
static void print_processes(struct cli *cli, const json_t *outcome, const char *id)
{
    const json_t *definitions = json_object_get(json_object_get(outcome, "detail"), "definitions");
    const json_t *definition;
    size_t i;

    json_array_foreach(definitions, i, definition)
    {
        bool unchanged = json_is_false(json_object_get(definition, "new"));
        printf("%s version %s%s\n", row_text(cli, definition, "process"),
               row_text(cli, definition, "version"), unchanged ? " (unchanged)" : "");
    }
    if (json_array_size(definitions) == 0)
        printf("deployment %s is active\n", id);
}

static enum exit_code report(struct deploy *deploy, const json_t *outcome, const char *id,
                             double seconds)
{
    struct cli *cli = deploy->cli;
    const char *state = row_text(cli, outcome, "state");

    if (cli->json) {
        json_t *line = json_pack("{s:s, s:s, s:O}", "deployment_id", id, "state", state, "detail",
                                 json_object_get(outcome, "detail"));
        output_json(line);
        json_decref(line);
    }
    if (strcmp(state, "pending") == 0)
        return cli_refuse(
            cli, "start one with `pawl up`; the deployment is then taken up by itself",
            "accepted as %s, but no engine took it up within %.3g s: it waits for an engine", id,
            seconds);
    if (strcmp(state, "active") != 0) {
        print_findings(cli, findings_of(outcome));
        return cli_refuse(cli, NULL, "the engine refused the deployment, nothing changed: %s",
                          outcome_reason(cli, outcome));
    }
    if (!cli->json)
        print_processes(cli, outcome, id);
    if (deploy->n_warnings > 0)
        cli_note(cli, "%zu warning%s; `pawl lint` shows them", deploy->n_warnings,
                 deploy->n_warnings == 1 ? "" : "s");
    return EXIT_DONE;
}

static enum exit_code send(struct deploy *deploy, struct client *client, double seconds)
{
    struct cli *cli = deploy->cli;
    json_auto_t *accepted = NULL, *outcome = NULL;
    struct err err = {0};
    struct uuid id;

    json_auto_t *given = json_object();
    enum exit_code code = variables_named(cli, "parameter", given);
    if (code != EXIT_DONE)
        return code;
    char *resources = json_dumps(deploy->resources, JSON_COMPACT);
    char *parameters = json_dumps(given, JSON_COMPACT);
    int result =
        client_deploy(client, resources, cli_option(cli, "name"), parameters, &accepted, &err);
    free(resources);
    free(parameters);
    if (result < 0)
        return cli_fail(cli, &err);
    const char *text = arena_strdup(&cli->arena, row_text(cli, accepted, "deployment_id"));
    bool known = row_uuid(accepted, "deployment_id", &id);
    if (!known || outcome_wait(client, &id, seconds, &outcome, &err) < 0)
        return cli_fail(cli, &err);
    return report(deploy, outcome, text, seconds);
}

static enum exit_code run_deploy(struct cli *cli)
{
    json_auto_t *resources = json_array();
    struct deploy deploy = {.cli = cli, .resources = resources};
    struct client *client CLEANUP(client_closep) = NULL;
    double seconds;

    if (cli_seconds(cli, "timeout", 15, &seconds) < 0)
        return EXIT_USAGE;
    enum exit_code code = collect(&deploy);
    if (code == EXIT_DONE) {
        parser_init();
        code = lint_all(&deploy);
        parser_deinit();
    }
    if (code == EXIT_DONE)
        code = session_open(cli, &client);
    if (code == EXIT_DONE)
        code = send(&deploy, client, seconds);
    return code;
}

static const struct option deploy_options[] = {
    {"name", 0, "NAME", "a name for the deployment"},
    {"parameter", 'p', "NAME=VALUE",
     "a value for a parameter of the processes; JSON where it is JSON, else text"},
    {"timeout", 0, "SECONDS", "how long to wait for the engine (default: 15)"},
};

const struct subcommand command_deploy = {
    .name = "deploy",
    .arguments = "FILE|DIR...",
    .summary = "give BPMN files to the engine",
    .about =
        "Judges the files as `pawl lint` does, then deploys them together: all or none. DIR stands "
        "for the "
        ".bpmn files in it, with the schemas (.json) and forms (.form) beside them; "
        "parameters.json "
        "holds values of parameters. Prints each process with its version; a file that did not "
        "change makes "
        "no new "
        "version.\n"
        "\n"
        "Running instances stay with the version that they were started with.\n"
        "\n"
        "Where no engine runs the deployment is accepted, waits for one, and the exit code is 1.",
    .options = deploy_options,
    .n_options = ARRAY_LEN(deploy_options),
    .examples = "  pawl deploy order.bpmn\n  pawl deploy order.bpmn order.json -p retries=5\n  "
                "pawl deploy processes/address-verification --name 'March'\n",
    .min_arguments = 1,
    .max_arguments = -1,
    .database = true,
    .run = run_deploy,
};
