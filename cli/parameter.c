/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/variables.h"

static const struct table_column parameter_columns[] = {
    {"PROCESS", TABLE_TEXT, 10, 0, .member = "process"},
    {"VERSION", TABLE_NUMBER, 0, 1, .member = "version"},
    {"PARAMETER", TABLE_TEXT, 10, 0, .member = "name"},
    {"VALUE", TABLE_TEXT, 16, 0, .member = "value"},
    {"SET BY", TABLE_TEXT, 8, 2, .member = "set_by", .otherwise = "the model"},
};

static int fetch(struct cli *cli, struct client *client, const struct listing *listing,
                 json_t **ret_rows, struct err *err)
{
    (void)listing;
    return client_parameters(client, cli->n_arguments > 0 ? cli->arguments[0] : NULL, ret_rows,
                             err);
}

static enum exit_code run_list(struct cli *cli)
{
    static const struct listing listing = {
        .nothing = "no parameters; a model declares them with pawl:parameter",
        .columns = parameter_columns,
        .n_columns = ARRAY_LEN(parameter_columns),
        .fetch = fetch};

    return listing_run(cli, &listing);
}

const struct subcommand command_parameter_list = {
    .name = "parameter list",
    .arguments = "[PROCESS]",
    .summary = "list the parameters of processes",
    .about = "Lists the parameters that models declare, with the value that counts: the one that a "
             "deployment or `pawl parameter set` gave, else the model's default. The latest "
             "version of each process.",
    .examples = "  pawl parameter list\n  pawl parameter list order -o json\n",
    .max_arguments = 1,
    .database = true,
    .run = run_list,
};

static const struct option set_options[] = {
    {"version", 0, "N", "only this version (default: all that are not withdrawn)"},
};

static enum exit_code run_set(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    const char *given = cli->arguments[1], *equals = strchr(given, '=');
    json_auto_t *row = NULL;
    struct err err = {0};
    long version;

    if (cli_number(cli, "version", 1, INT32_MAX, 0, &version) < 0)
        return EXIT_USAGE;
    if (equals == NULL || equals == given)
        return cli_usage(cli, "example: pawl parameter set order callbackUrl=https://example.com",
                         "NAME=VALUE is wanted, not \"%s\"", given);
    const char *text = variables_value(cli, equals + 1);
    if (text == NULL)
        return cli_usage(cli, NULL, "the value is not UTF-8");
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    const char *name = arena_strndup(&cli->arena, given, (size_t)(equals - given));
    if (client_set_parameter(client, cli->arguments[0], name, text, (int)version, &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "%s: %s is set, in %s version%s", cli->arguments[0], name,
                       row_text(cli, row, "versions"),
                       strcmp(row_text(cli, row, "versions"), "1") == 0 ? "" : "s");
}

const struct subcommand command_parameter_set = {
    .name = "parameter set",
    .arguments = "PROCESS NAME=VALUE",
    .summary = "give a parameter of a process another value",
    .about = "VALUE is taken as JSON where it is JSON, else as text. Running instances see it with "
             "their next step; the view parameter_changes keeps who changed what. Parameters are "
             "declared in the model, and given at first by `pawl deploy --parameter NAME=VALUE`.",
    .options = set_options,
    .n_options = ARRAY_LEN(set_options),
    .examples = "  pawl parameter set order callbackUrl=https://example.com/answers\n"
                "  pawl parameter set order retries=5 --version 3\n",
    .min_arguments = 2,
    .max_arguments = 2,
    .database = true,
    .run = run_set,
};
