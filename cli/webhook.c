/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/members.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/table.h"

static enum exit_code run_list(struct cli *cli)
{
    static const struct table_column columns[] = {
        {"WEBHOOK", TABLE_TEXT, 10, 0}, {"SIGNED", TABLE_TEXT, 0, 0},
        {"BECOMES", TABLE_TEXT, 0, 0},  {"STATE", TABLE_STATE, 0, 1},
        {"TODAY", TABLE_NUMBER, 0, 2},  {"SET BY", TABLE_TEXT, 8, 3},
    };
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    json_auto_t *rows = NULL;
    json_t *row;
    struct table table;
    size_t i;

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_webhooks(client, &rows, &err) < 0)
        return cli_fail(cli, &err);
    table_init(&table, cli, columns, ARRAY_LEN(columns));
    json_array_foreach(rows, i, row)
    {
        table_add(&table, row_text(cli, row, "name"));
        table_add(&table, row_text(cli, row, "scheme"));
        table_add(&table, row_text(cli, row, "kind"));
        table_add(&table, json_is_true(json_object_get(row, "enabled")) ? "enabled" : "disabled");
        table_add(&table, row_text(cli, row, "today"));
        table_add(&table, row_text(cli, row, "actor"));
    }
    if (cli->json)
        output_json_lines(rows);
    else if (json_array_size(rows) == 0)
        cli_note(cli, "no webhooks; `pawl webhook set NAME --option …` makes one");
    else
        table_print(&table);
    return EXIT_DONE;
}

const struct subcommand command_webhook_list = {
    .name = "webhook list",
    .arguments = "",
    .summary = "list the webhooks that come in",
    .about = "Lists the webhooks: where others may send to. BECOMES: what becomes of a message. "
             "TODAY: messages with an id that came in within a day.",
    .examples = "  pawl webhook list\n  pawl webhook list -o json\n",
    .database = true,
    .run = run_list,
};

static enum exit_code run_set(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *options = json_object(), *row = NULL;
    struct err err = {0};

    enum exit_code code = members_read(cli, options);
    char *text = json_dumps(options, JSON_COMPACT);
    if (code == EXIT_DONE)
        code = session_open(cli, &client);
    if (code == EXIT_DONE && client_set_webhook(client, cli->arguments[0], text, &row, &err) < 0)
        code = cli_fail(cli, &err);
    free(text);
    return code == EXIT_DONE ? output_done(cli, row, "%s", cli->arguments[0]) : code;
}

static const struct option set_options[] = {
    {"option", 0, "NAME=VALUE",
     "scheme, secret, signature.header, event.type and others (docs/webhooks.md); several are "
     "possible"},
};

const struct subcommand command_webhook_set = {
    .name = "webhook set",
    .arguments = "NAME",
    .summary = "take what others send to /webhooks/NAME",
    .about = "Says what becomes of messages that others send to /webhooks/NAME, or replaces all "
             "that was said: an event, a message, an answer to a callback, or an instance. They "
             "are signed by Standard Webhooks unless `scheme` says otherwise. VALUE is JSON, or a "
             "text.",
    .options = set_options,
    .n_options = ARRAY_LEN(set_options),
    .examples = "  pawl webhook set shop --option secret=file:/etc/pawl/shop --option "
                "'event.type=$.body.type'\n"
                "  pawl webhook set pay --option scheme=none --option message.name=paid --option "
                "'message.key=$.body.order'\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_set,
};

static enum exit_code run_drop(struct cli *cli)
{
    return session_drop(cli, client_drop_webhook);
}

const struct subcommand command_webhook_drop = {
    .name = "webhook drop",
    .arguments = "NAME",
    .summary = "remove a webhook",
    .about = "Removes a webhook: its address answers 404.",
    .examples = "  pawl webhook drop shop\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_drop,
};
