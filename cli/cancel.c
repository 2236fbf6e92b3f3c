/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/bulk.h"
#include "cli/commands.h"
#include "cli/find.h"
#include "cli/outcome.h"
#include "cli/session.h"

static enum exit_code one(struct cli *cli, struct client *client, double seconds)
{
    json_auto_t *row = NULL, *accepted = NULL;
    struct err err = {0};
    struct uuid id;

    enum exit_code code = find_instance(cli, client, cli->arguments[0], &row, &id);
    if (code != EXIT_DONE)
        return code;
    if (client_cancel(client, &id, cli_option(cli, "reason"), &accepted, &err) < 0)
        return cli_fail(cli, &err);
    return outcome_report(cli, client, accepted, "cancelled", seconds, false);
}

static enum exit_code run_cancel(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    bool many = bulk_asked(cli);
    double seconds;

    if (outcome_timeout(cli, &seconds) < 0)
        return EXIT_USAGE;
    if (many + (cli->n_arguments == 1) != 1)
        return cli_usage(cli, "pawl cancel ID, or pawl cancel --process PROCESS",
                         "say either an ID or which instances");
    if (!many && (cli_has(cli, "dry-run") || cli_has(cli, "pace")))
        return cli_usage(cli, NULL, "--dry-run and --pace are for many");
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (!many)
        return one(cli, client, seconds);
    json_auto_t *options = json_object();
    return bulk_run(cli, client, "cancel", options, seconds);
}

static const struct option cancel_options[] = {
    BULK_OPTIONS,
    OUTCOME_TIMEOUT_OPTION,
};

const struct subcommand command_cancel = {
    .name = "cancel",
    .arguments = "ID | --all | --process …",
    .summary = "end an instance, and what it called, one or many",
    .about = "Ends an instance wherever it is, with everything that its call activities started. "
             "Its history "
             "stays. This cannot be taken back.\n"
             "\n"
             "ID is the instance's id, the beginning of it (at least 8 characters), or its "
             "business key while "
             "that is unique. With filters in place of it, all instances that they mean.",
    .options = cancel_options,
    .n_options = ARRAY_LEN(cancel_options),
    .examples = "  pawl cancel 4711 --reason 'ordered twice'\n"
                "  pawl cancel --process order-delivery --version 3 --dry-run\n",
    .max_arguments = 1,
    .database = true,
    .run = run_cancel,
};
