/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/variables.h"

static enum exit_code publish(struct cli *cli, struct client *client, const char *variables)
{
    const char *key = cli_option(cli, "key");
    json_auto_t *row = NULL;
    struct err err = {0};

    if (client_publish(client, cli->arguments[0], key != NULL ? key : "", variables,
                       cli_option(cli, "ttl"), cli_has(cli, "all"), &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "%s", row_text(cli, row, "message_id"));
}

static enum exit_code correlate(struct cli *cli, struct client *client, const char *variables,
                                double seconds)
{
    const char *instance = cli_option(cli, "instance");
    json_t *row = NULL;
    struct err err = {0};
    struct uuid id;

    if (instance != NULL) {
        enum exit_code code = find_instance(cli, client, instance, &row, &id);
        json_decref(row);
        row = NULL;
        if (code != EXIT_DONE)
            return code;
    }
    if (client_correlate(client, cli->arguments[0], cli_option(cli, "key"), variables,
                         instance != NULL ? &id : NULL, &row, &err) < 0)
        return cli_fail(cli, &err);
    enum exit_code code = outcome_report(cli, client, row, "received", seconds, true);
    json_decref(row);
    return code;
}

static enum exit_code run_message(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    bool exact = cli_has(cli, "correlate") || cli_has(cli, "instance");
    const char *variables;
    double seconds;

    if (cli_seconds(cli, "timeout", 10, &seconds) < 0)
        return EXIT_USAGE;
    if (exact && (cli_has(cli, "ttl") || cli_has(cli, "all")))
        return cli_usage(cli, "--correlate reaches exactly one who waits now, and keeps nothing",
                         "--%s does not go together with --correlate or --instance",
                         cli_has(cli, "ttl") ? "ttl" : "all");
    if (exact && !cli_has(cli, "key") && !cli_has(cli, "instance"))
        return cli_usage(
            cli,
            "--key KEY (the receiver's business key, unless its model says otherwise) or "
            "--instance ID",
            "--correlate needs to know for whom the message is");
    enum exit_code code = variables_read(cli, &variables);
    if (code == EXIT_DONE)
        code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    return exact ? correlate(cli, client, variables, seconds) : publish(cli, client, variables);
}

static const struct option message_options[] = {
    {"key", 'k', "KEY",
     "correlation key: the receiver's business key, unless its model says otherwise"},
    VARIABLE_OPTIONS,
    {"ttl", 0, "DURATION",
     "how long it is kept until somebody waits for it: PT10M (the default), P1D, PT0S"},
    {"all", 0, NULL, "to each instance that waits, not only to the oldest"},
    {"correlate", 0, NULL,
     "to exactly one that waits now; none or several is a refusal (exit code 1)"},
    {"instance", 0, "ID",
     "to this instance only (id, beginning of the id, or business key); implies --correlate"},
    {"tenant", 0, "NAME", "whose message it is (default: PAWL_TENANT, else your first tenant)"},
    {"timeout", 0, "SECONDS", "how long to wait for the outcome of --correlate (default: 10)"},
};

const struct subcommand command_message = {
    .name = "message",
    .arguments = "NAME",
    .summary = "send a message to a process",
    .about = "Publishes a message by its name in the BPMN model. It goes to the oldest instance "
             "that waits for "
             "this name and key, else to a process that starts with it, else it is kept for its "
             "time to live, so "
             "that one which comes early is not lost. Prints the message's id.\n"
             "\n"
             "With --correlate or --instance it must reach exactly one receiver at once, and the "
             "command says "
             "whether it did.",
    .options = message_options,
    .n_options = ARRAY_LEN(message_options),
    .examples = "  pawl message 'Payment received' --key 4711 -v amount=12\n"
                "  pawl message 'Address answer' --instance 4711 --variables @answer.json\n"
                "  pawl message 'Price list changed' --all --ttl PT0S\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_message,
};
