/* SPDX-License-Identifier: Apache-2.0 */
/* suspend and resume: an instance, many, or a definition. */
#include "base/build.h"

#include <jansson.h>

#include "cli/bulk.h"
#include "cli/commands.h"
#include "cli/find.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"

static enum exit_code one(struct cli *cli, struct client *client, bool suspend, double seconds)
{
    json_auto_t *row = NULL, *accepted = NULL;
    struct err err = {0};
    struct uuid id;

    enum exit_code code = find_instance(cli, client, cli->arguments[0], &row, &id);
    if (code != EXIT_DONE)
        return code;
    if (client_suspend(client, suspend, &id, cli_option(cli, "reason"), &accepted, &err) < 0)
        return cli_fail(cli, &err);
    return outcome_report(cli, client, accepted, suspend ? "suspended" : "resumed", seconds, false);
}

static enum exit_code definition(struct cli *cli, struct client *client, bool suspend)
{
    struct client_suspend_definition what = {.suspend = suspend,
                                             .process = cli_option(cli, "definition"),
                                             .instances = cli_has(cli, "with-instances"),
                                             .reason = cli_option(cli, "reason")};
    json_auto_t *row = NULL;
    struct err err = {0};
    long version;

    if (cli_number(cli, "version", 1, 999999999, 0, &version) < 0)
        return EXIT_USAGE;
    what.version = (int)version;
    if (client_suspend_definition(client, &what, &row, &err) < 0)
        return cli_fail(cli, &err);
    if (cli->json) {
        output_json(row);
        return EXIT_DONE;
    }
    json_int_t versions = row_int(row, "definitions");
    printf("%s %s (%lld version%s)\n", what.process, suspend ? "suspended" : "resumed",
           (long long)versions, versions == 1 ? "" : "s");
    if (what.instances)
        cli_note(cli, "%lld instances follow; `pawl bulk list` shows how far it is",
                 (long long)row_int(row, "matching"));
    return EXIT_DONE;
}

static enum exit_code run(struct cli *cli, bool suspend)
{
    struct client *client CLEANUP(client_closep) = NULL;
    const char *action = suspend ? "suspend" : "resume";
    bool of_definition = cli_has(cli, "definition");
    bool many = !of_definition && bulk_asked(cli);
    double seconds;

    if (outcome_timeout(cli, &seconds) < 0)
        return EXIT_USAGE;
    if (of_definition + many + (cli->n_arguments == 1) != 1)
        return cli_usage(cli, "pawl suspend ID, pawl suspend --definition PROCESS, or filters",
                         "say either an ID, or a definition, or which instances");
    if (!of_definition && cli_has(cli, "with-instances"))
        return cli_usage(cli, NULL, "--with-instances is for --definition");
    if (!many && (cli_has(cli, "dry-run") || cli_has(cli, "pace")))
        return cli_usage(cli, NULL, "--dry-run and --pace are for many");
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (of_definition)
        return definition(cli, client, suspend);
    if (!many)
        return one(cli, client, suspend, seconds);
    json_auto_t *options = json_object();
    return bulk_run(cli, client, action, options, seconds);
}

static enum exit_code run_suspend(struct cli *cli)
{
    return run(cli, true);
}

static enum exit_code run_resume(struct cli *cli)
{
    return run(cli, false);
}

static const struct option options[] = {
    BULK_OPTIONS,
    {"definition", 'd', "PROCESS",
     "the definition: whether it may be started (all versions, or --version)"},
    {"with-instances", 0, NULL, "with --definition: its running instances, too"},
    OUTCOME_TIMEOUT_OPTION,
};

const struct subcommand command_suspend = {
    .name = "suspend",
    .arguments = "ID | --definition PROCESS | --process …",
    .summary = "stop instances where they are, or starts of a process",
    .about =
        "A suspended instance stands still, with everything that it called: its jobs, timers "
        "and messages wait, its tasks can not be answered, until it is resumed. It can be "
        "cancelled, moved, and its variables set.\n"
        "\n"
        "A suspended definition can not be started, by whatever way. Its instances go on, "
        "unless --with-instances is given.\n"
        "\n"
        "ID is the instance's id, the beginning of it (at least 8 characters), or its business "
        "key while that is unique. With filters in place of it, all instances that they mean.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .examples = "  pawl suspend 4711 --reason 'asked the bank'\n"
                "  pawl suspend --definition order-delivery --with-instances\n"
                "  pawl suspend --process order-delivery --since 2026-01-31 --dry-run\n",
    .max_arguments = 1,
    .database = true,
    .run = run_suspend,
};

const struct subcommand command_resume = {
    .name = "resume",
    .arguments = "ID | --definition PROCESS | --process …",
    .summary = "let what was suspended go on",
    .about = "Takes back `pawl suspend`. What became due meanwhile happens now.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .examples = "  pawl resume 4711\n  pawl resume --definition order-delivery --with-instances\n"
                "  pawl resume --process order-delivery --pace 100\n",
    .max_arguments = 1,
    .database = true,
    .run = run_resume,
};
