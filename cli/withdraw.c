/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"

/* Instances are cancelled in slices: some may run on for a moment. */
static void say_cancelled(struct cli *cli, const json_t *detail)
{
    long long n = row_int(detail, "instances");

    if (n > 0)
        cli_note(cli, "%lld instance%s %s cancelled: `pawl bulk list --all` shows how far it is", n,
                 n == 1 ? "" : "s", n == 1 ? "is" : "are");
}

/* Refused for what runs: how it goes all the same. */
static void say_how(struct cli *cli, const json_t *accepted)
{
    const char *reason = row_text(cli, json_object_get(accepted, "detail"), "reason");

    if (strncmp(reason, "instances run", strlen("instances run")) == 0)
        cli_note(cli, "`pawl ps` lists them; --cancel-instances cancels them");
}

static enum exit_code run(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *accepted = NULL;
    struct err err = {0};
    struct uuid id;
    double seconds;

    if (cli_seconds(cli, "timeout", 15, &seconds) < 0)
        return EXIT_USAGE;
    enum exit_code code = session_open(cli, &client);
    if (code == EXIT_DONE)
        code = find_deployment(cli, client, cli->arguments[0], &id);
    if (code != EXIT_DONE)
        return code;
    if (client_withdraw(client, &id, cli_has(cli, "cancel-instances"), cli_option(cli, "reason"),
                        &accepted, &err) < 0)
        return cli_fail(cli, &err);
    code = outcome_report(cli, client, accepted, "withdrawn", seconds, true);
    if (code == EXIT_REFUSED)
        say_how(cli, accepted);
    if (code == EXIT_DONE)
        say_cancelled(cli, json_object_get(accepted, "detail"));
    return code;
}

static const struct option options[] = {
    {"cancel-instances", 0, NULL, "cancel its running instances, and what called them"},
    {"reason", 'r', "TEXT", "kept in the history of what is cancelled"},
    {"timeout", 0, "SECONDS", "how long to wait for the engine (default: 15)"},
};

const struct subcommand command_withdraw = {
    .name = "withdraw",
    .arguments = "DEPLOYMENT | PROCESS[:VERSION]",
    .summary = "take a deployment back",
    .about =
        "All processes of the deployment are withdrawn: the versions before them become the "
        "latest again, with their message and timer start events. Refused while instances run, "
        "unless --cancel-instances is given. The history stays.\n"
        "\n"
        "DEPLOYMENT is its id, or the beginning of it (at least 8 characters); PROCESS stands "
        "for the deployment of its latest version.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .examples = "  pawl withdraw order-delivery\n"
                "  pawl withdraw order-delivery:3 --cancel-instances --reason 'wrong tax'\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run,
};
