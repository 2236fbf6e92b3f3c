/* SPDX-License-Identifier: Apache-2.0 */
/* `pawl delegate`: the statements that service tasks run in the engine's own transaction. */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/members.h"
#include "cli/output.h"
#include "cli/session.h"
#include "store/json_text.h"

/* ---- list ---- */

static const struct table_column delegate_columns[] = {
    {"DELEGATE", TABLE_TEXT, 10, 0, .member = "name"},
    {"STATEMENT", TABLE_TEXT, 24, 0, .member = "statement"},
    {"ROLE", TABLE_TEXT, 0, 2, .member = "role", .otherwise = "the engine's"},
    {"TIMEOUT", TABLE_TEXT, 0, 3, .member = "timeout"},
    {"SET BY", TABLE_TEXT, 0, 4, .member = "actor"},
};

static enum exit_code run_list(struct cli *cli)
{
    static const struct listing listing = {
        .nothing = "no SQL delegates; `pawl delegate set NAME STATEMENT` makes one",
        .columns = delegate_columns,
        .n_columns = ARRAY_LEN(delegate_columns),
        .fetch_all = client_sql_delegates};

    return listing_run(cli, &listing);
}

const struct subcommand command_delegate_list = {
    .name = "delegate list",
    .arguments = "",
    .summary = "list the SQL statements that tasks run",
    .about = "Lists the SQL delegates: statements that service tasks run in the engine's own "
             "transaction, by the name that the model uses.",
    .examples = "  pawl delegate list\n  pawl delegate list -o json\n",
    .database = true,
    .run = run_list,
};

/* ---- set ---- */

static enum exit_code run_set(struct cli *cli)
{
    static const char *const names[][2] = {{"role", "role"},
                                           {"search-path", "searchPath"},
                                           {"timeout", "timeout"},
                                           {"lock-timeout", "lockTimeout"}};
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *options = json_object(), *row = NULL;
    struct err err = {0};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (cli_has(cli, names[i][0]))
            json_object_set_new(options, names[i][1], output_string(cli_option(cli, names[i][0])));
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_set_sql_delegate(client, cli->arguments[0], cli->arguments[1],
                                json_text_in(&cli->arena, options), &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "%s", cli->arguments[0]);
}

static const struct option set_options[] = {
    {"role", 0, "ROLE", "whom it runs as (default: the engine's own role)"},
    {"search-path", 0, "SCHEMAS",
     "where names without a schema are looked up (default: pg_catalog, pg_temp)"},
    {"timeout", 0, "DURATION", "of the statement, at most 30 s (default: PT5S)"},
    {"lock-timeout", 0, "DURATION", "of each lock that it waits for (default: PT1S)"},
};

const struct subcommand command_delegate_set = {
    .name = "delegate set",
    .arguments = "NAME STATEMENT",
    .summary = "register a SQL statement that tasks may run",
    .about = "Registers a SQL delegate, or replaces its whole definition. NAME is what the model "
             "says in `pawl:sql`. STATEMENT is one SELECT, INSERT, UPDATE or DELETE that gives at "
             "most one row; $1 is the task's arguments, a jsonb object. It runs in the engine's "
             "own transaction: exactly once. It is judged now, without running: names that are not "
             "there, "
             "a role that may not. DURATION is ISO 8601 (PT2S) or like '250 ms'.",
    .options = set_options,
    .n_options = ARRAY_LEN(set_options),
    .examples =
        "  pawl delegate set reserve_stock 'select shop.reserve($1)' --role shop_engine\n"
        "  pawl delegate set note 'insert into shop.note (data) values ($1) returning id'\n",
    .min_arguments = 2,
    .max_arguments = 2,
    .database = true,
    .run = run_set,
};

/* ---- drop ---- */

static enum exit_code run_drop(struct cli *cli)
{
    return session_drop(cli, client_drop_sql_delegate);
}

const struct subcommand command_delegate_drop = {
    .name = "delegate drop",
    .arguments = "NAME",
    .summary = "remove a SQL delegate",
    .about = "Removes a SQL delegate. A task that names it later gets an incident.",
    .examples = "  pawl delegate drop reserve_stock\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_drop,
};
