/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/find.h"
#include "cli/lint.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/variables.h"
#include "parser/xml.h"
#include "store/json_text.h"

struct deploy {
    struct cli *cli;
    struct parser_file *files; /* their names are those in the deployment */
    const char **paths;        /* where each was found, for messages */
    size_t n_files, files_capacity, n_paths, paths_capacity;
    json_t *resources;
    size_t n_errors, n_warnings;
};

/* ---- What is deployed: files, the files of folders, the files of zip files ---- */

static void add_file(struct deploy *deploy, const char *path, const char *name, const char *text,
                     size_t n)
{
    struct arena *arena = &deploy->cli->arena;

    *arena_push(arena, deploy->paths, deploy->n_paths, deploy->paths_capacity) = path;
    *arena_push(arena, deploy->files, deploy->n_files, deploy->files_capacity) =
        (struct parser_file){.name = name, .text = text, .n = n};
}

/* Schemas, forms and values of parameters; everything else is a model. */
static bool is_beside(const char *name)
{
    size_t n = strlen(name);

    return (n > 5 && strcmp(name + n - 5, ".json") == 0) ||
           (n > 5 && strcmp(name + n - 5, ".form") == 0);
}

static enum exit_code add_path(struct deploy *deploy, const char *path, const char *name)
{
    struct cli *cli = deploy->cli;
    struct err err = {0};
    const char *text;
    size_t n;

    if (deploy->n_files == LIMIT_DEPLOYMENT_FILES)
        return cli_refuse(cli, "deploy them in several parts",
                          "these are more than %u files (LIMIT_DEPLOYMENT_FILES)",
                          LIMIT_DEPLOYMENT_FILES);
    if (cli_read_file(cli, path, LIMIT_XML_BYTES + 1, &text, &n, &err) < 0)
        return cli_fail(cli, &err);
    add_file(deploy, path, name, text, n);
    return EXIT_DONE;
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* below: of `top`; the names of its files are their paths below that. */
static enum exit_code add_folder(struct deploy *deploy, const char *top, const char *below,
                                 unsigned depth)
{
    struct cli *cli = deploy->cli;
    const char *folder = *below == '\0' ? top : arena_printf(&cli->arena, "%s/%s", top, below);
    struct dirent **entries = NULL;
    enum exit_code code = EXIT_DONE;
    struct stat st, link;

    if (depth > LIMIT_FOLDER_DEPTH)
        return cli_refuse(cli, NULL, "%s is more than %u folders deep (LIMIT_FOLDER_DEPTH)", folder,
                          LIMIT_FOLDER_DEPTH);
    int n = scandir(folder, &entries, not_hidden, alphasort);
    if (n < 0)
        return cli_refuse(cli, NULL, "cannot read %s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *name = arena_printf(&cli->arena, "%s%s%s", below, *below == '\0' ? "" : "/",
                                        entries[i]->d_name);
        const char *path = arena_printf(&cli->arena, "%s/%s", top, name);
        free(entries[i]);
        /* A link may stand for a file. One to a folder could lead around in a circle. */
        if (code != EXIT_DONE || stat(path, &st) < 0 || lstat(path, &link) < 0)
            continue;
        if (S_ISDIR(link.st_mode))
            code = add_folder(deploy, top, name, depth + 1);
        else if (S_ISREG(st.st_mode) && archive_takes(name))
            code = add_path(deploy, path, name);
    }
    free(entries);
    return code;
}

static enum exit_code add_zip(struct deploy *deploy, const char *path)
{
    struct cli *cli = deploy->cli;
    struct archive_file *files;
    struct err err = {0};
    const char *data;
    size_t n, n_files;

    if (cli_read_file(cli, path, LIMIT_ARCHIVE_BYTES, &data, &n, &err) < 0 ||
        archive_read_files(&cli->arena, path, data, n, &files, &n_files, &err) < 0)
        return cli_fail(cli, &err);
    for (size_t i = 0; i < n_files; i++)
        add_file(deploy, arena_printf(&cli->arena, "%s/%s", path, files[i].name), files[i].name,
                 files[i].text, files[i].n);
    return EXIT_DONE;
}

static bool has_model(const struct deploy *deploy, size_t from)
{
    for (size_t i = from; i < deploy->n_files; i++)
        if (!is_beside(deploy->files[i].name))
            return true;
    return false;
}

static enum exit_code collect(struct deploy *deploy)
{
    struct cli *cli = deploy->cli;

    for (size_t i = 0; i < cli->n_arguments; i++) {
        const char *path = cli->arguments[i], *slash = strrchr(path, '/');
        size_t before = deploy->n_files;
        enum exit_code code;
        struct stat st;
        if (stat(path, &st) < 0)
            return cli_refuse(cli, NULL, "cannot open %s: %s", path, strerror(errno));
        bool zip = !S_ISDIR(st.st_mode) && archive_is_zip(path);
        if (S_ISDIR(st.st_mode))
            code = add_folder(deploy, path, "", 0);
        else if (zip)
            code = add_zip(deploy, path);
        else
            code = add_path(deploy, path, slash != NULL ? slash + 1 : path);
        if (code != EXIT_DONE)
            return code;
        if ((zip || S_ISDIR(st.st_mode)) && !has_model(deploy, before))
            return cli_refuse(cli, NULL, "there is no .bpmn file in %s", path);
    }
    return EXIT_DONE;
}

/* SQL takes text: a file in another encoding is decoded here. */
static enum exit_code add_resource(struct deploy *deploy, const struct parser_file *file,
                                   const char *path)
{
    struct cli *cli = deploy->cli;
    struct findings findings = {.arena = &cli->arena};
    const char *utf8 = file->text;
    size_t utf8_n = file->n;

    if (!is_beside(file->name) &&
        !xml_decode(&cli->arena, file->text, file->n, false, &utf8, &utf8_n, &findings))
        return cli_refuse(cli, NULL, "%s: %s", path, findings.items[0].message);
    json_t *content = json_stringn(utf8, utf8_n);
    if (content == NULL)
        return cli_refuse(cli, NULL, "%s is not text", path);
    json_array_append_new(
        deploy->resources,
        json_pack("{s:o, s:o}", "name", output_string(file->name), "content", content));
    return EXIT_DONE;
}

static enum exit_code lint_one(struct deploy *deploy, size_t index)
{
    struct cli *cli = deploy->cli;
    const struct parser_file *file = &deploy->files[index];
    const char *path = deploy->paths[index];
    struct parse_result result;
    enum exit_code code = EXIT_DONE;

    if (is_beside(file->name))
        return add_resource(deploy, file, path);
    parser_read_with(path, file->text, file->n, false, deploy->files, deploy->n_files, &result);
    deploy->n_errors += result.n_errors;
    deploy->n_warnings += result.n_findings - result.n_errors;
    if (result.n_errors > 0)
        lint_print(cli, cli->json ? stdout : stderr, path, &result);
    else
        code = add_resource(deploy, file, path);
    parse_result_deinit(&result);
    return code;
}

/* What the engine would refuse is said here, with the file's own name and without a database. */
static enum exit_code lint_all(struct deploy *deploy)
{
    enum exit_code code = EXIT_DONE;

    for (size_t i = 0; i < deploy->n_files && code == EXIT_DONE; i++)
        code = lint_one(deploy, i);
    if (code == EXIT_DONE && deploy->n_errors > 0)
        code = cli_refuse(deploy->cli, NULL, "not deployed: %zu error%s", deploy->n_errors,
                          deploy->n_errors == 1 ? "" : "s");
    return code;
}

/* As `pawl lint` writes them. Not every finding is of a file, or of an element. */
static void print_findings(struct cli *cli, const json_t *findings)
{
    const json_t *finding;
    size_t i;

    json_array_foreach(findings, i, finding)
    {
        const char *file = row_text(cli, finding, "file");
        const char *element = row_text(cli, finding, "element");
        const char *where = *file == '\0' ? ""
                                          : arena_printf(&cli->arena, "%s:%s: ", file,
                                                         row_text(cli, finding, "line"));
        cli_note(cli, "%s%s %s%s%s: %s", where, row_text(cli, finding, "severity"),
                 row_text(cli, finding, "code"), *element == '\0' ? "" : " ", element,
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

    const char *parameters;
    enum exit_code code = variables_named(cli, "parameter", &parameters);
    if (code != EXIT_DONE)
        return code;
    if (client_deploy(client, json_text_in(&cli->arena, deploy->resources), cli_option(cli, "name"),
                      parameters, &accepted, &err) < 0)
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
    {"tenant", 0, "NAME", "for whom (default: PAWL_TENANT, else your first tenant)"},
    {"timeout", 0, "SECONDS", "how long to wait for the engine (default: 15)"},
};

const struct subcommand command_deploy = {
    .name = "deploy",
    .arguments = "FILE|DIR|ZIP...",
    .summary = "give BPMN files to the engine",
    .about =
        "Judges the files as `pawl lint` does, then deploys them together: all or none. DIR and "
        "ZIP (a file whose name ends with .zip) stand for the .bpmn files in them and in the "
        "folders below, with the schemas (.json) and forms (.form) beside them; parameters.json "
        "holds values of parameters. What begins with a dot is left out. A file in a folder below "
        "is known by its path, such as forms/claim.json. Prints each process with its version; a "
        "file that did not change makes no new version.\n"
        "\n"
        "Running instances stay with the version that they were started with.\n"
        "\n"
        "Where no engine runs the deployment is accepted, waits for one, and the exit code is 1.",
    .options = deploy_options,
    .n_options = ARRAY_LEN(deploy_options),
    .examples = "  pawl deploy order.bpmn\n  pawl deploy order.bpmn order.json -p retries=5\n  "
                "pawl deploy processes/address-verification --name 'March'\n"
                "  pawl deploy claims.zip\n",
    .min_arguments = 1,
    .max_arguments = -1,
    .database = true,
    .run = run_deploy,
};
