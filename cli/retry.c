/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/bulk.h"
#include "cli/commands.h"
#include "cli/find.h"
#include "cli/outcome.h"
#include "cli/session.h"
#include "cli/variables.h"
#include "store/json_text.h"

/* What retry() and bulk() take: the decision, and variables to set first. */
static enum exit_code read_options(struct cli *cli, json_t *options)
{
    const char *decision = cli_option(cli, "unknown"), *variables;

    if (decision != NULL && strcmp(decision, "repeat") != 0 && strcmp(decision, "fail") != 0)
        return cli_usage(cli, "repeat: send the request again; fail: take it as failed",
                         "there is no decision \"%s\"", decision);
    if (decision != NULL)
        json_object_set_new(options, "decision", json_string(decision));
    enum exit_code code = variables_read(cli, &variables);
    if (code != EXIT_DONE)
        return code;
    json_auto_t *object = json_read_text(variables);
    if (json_object_size(object) > 0)
        json_object_set(options, "variables", object);
    return EXIT_DONE;
}

static enum exit_code retry_one(struct cli *cli, struct client *client, const json_t *options,
                                double seconds)
{
    json_auto_t *row = NULL, *accepted = NULL;
    struct err err = {0};
    struct uuid id;

    enum exit_code code = find_incident(cli, client, cli->arguments[0], &row, &id);
    if (code != EXIT_DONE)
        return code;
    if (client_retry(client, &id, json_text_in(&cli->arena, options), &accepted, &err) < 0)
        return cli_fail(cli, &err);
    return outcome_report(cli, client, accepted, "tried again", seconds, false);
}

static enum exit_code run(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *options = json_object();
    bool many = bulk_asked(cli);
    double seconds;

    if (outcome_timeout(cli, &seconds) < 0)
        return EXIT_USAGE;
    if (many == (cli->n_arguments == 1))
        return cli_usage(cli, "pawl retry ID, or pawl retry with --all, --process, --cause …",
                         many ? "an ID and a filter do not go together" : "which incident?");
    if (!many && (cli_has(cli, "dry-run") || cli_has(cli, "pace")))
        return cli_usage(cli, NULL, "--dry-run and --pace are for many");
    enum exit_code code = read_options(cli, options);
    if (code == EXIT_DONE)
        code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    return many ? bulk_run(cli, client, "retry", options, seconds)
                : retry_one(cli, client, options, seconds);
}

static const struct option retry_options[] = {
    BULK_OPTIONS,
    {"element", 0, "ID", "only of this element of the model"},
    {"cause", 0, "CAUSE", "only of this group of `pawl incidents --groups`"},
    {"endpoint", 0, "NAME", "only calls of this endpoint"},
    {"unknown", 0, "WHAT",
     "for requests whose outcome is unknown: repeat (send them again) or fail (take them as "
     "failed)"},
    VARIABLE_OPTIONS,
    OUTCOME_TIMEOUT_OPTION,
};

const struct subcommand command_retry = {
    .name = "retry",
    .arguments = "ID | --all | --process …",
    .summary = "try again what became an incident, one or many",
    .about = "Carries out again what failed, once its cause is mended. If it fails again, there is "
             "a new incident. Variables are set before.\n"
             "\n"
             "ID is the incident's id, the beginning of it (at least 8 characters), or the id or "
             "business key of an instance with one incident.\n"
             "\n"
             "Without an ID, filters say which; all that are given must hold. Many are tried again "
             "at a pace (50 a second unless told) that holds for all engines of the database "
             "together, and by the engine itself: it goes on when this command has ended, and "
             "after a crash. Those that need a decision are left out, unless --unknown says which; "
             "then only they are taken.",
    .options = retry_options,
    .n_options = ARRAY_LEN(retry_options),
    .examples = "  pawl retry 4711 -v amount=12\n"
                "  pawl retry --process order-delivery --dry-run\n"
                "  pawl retry --cause 3f9a0c52d1e7 --pace 200\n"
                "  pawl retry --endpoint geocoder --unknown repeat\n",
    .min_arguments = 0,
    .max_arguments = 1,
    .database = true,
    .run = run,
};
