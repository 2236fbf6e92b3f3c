/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/outcome.h"
#include "cli/session.h"

static enum exit_code run_cancel(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    json_auto_t *row = NULL, *accepted = NULL;
    struct uuid id;
    double seconds;

    if (cli_seconds(cli, "timeout", 5, &seconds) < 0)
        return EXIT_USAGE;
    enum exit_code code = session_open(cli, &client);
    if (code == EXIT_DONE)
        code = find_instance(cli, client, cli->arguments[0], &row, &id);
    if (code != EXIT_DONE)
        return code;
    if (client_cancel(client, &id, cli_option(cli, "reason"), &accepted, &err) < 0)
        return cli_fail(cli, &err);
    code = outcome_report(cli, client, accepted, "cancelled", seconds, false);
    return code;
}

static const struct option cancel_options[] = {
    {"reason", 'r', "TEXT", "kept in the history"},
    {"timeout", 0, "SECONDS",
     "how long to wait for the engine to carry it out (default: 5; 0: not at all)"},
};

const struct subcommand command_cancel = {
    .name = "cancel",
    .arguments = "ID",
    .summary = "end an instance, and what it called",
    .about = "Ends an instance wherever it is, with everything that its call activities started. "
             "Its history "
             "stays. This cannot be taken back.\n"
             "\n"
             "ID is the instance's id, the beginning of it (at least 8 characters), or its "
             "business key while "
             "that is unique.",
    .options = cancel_options,
    .n_options = ARRAY_LEN(cancel_options),
    .examples = "  pawl cancel 4711 --reason 'ordered twice'\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_cancel,
};
