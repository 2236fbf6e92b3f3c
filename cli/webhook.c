/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/members.h"
#include "cli/output.h"
#include "cli/session.h"
#include "store/json_text.h"

static const char *state(struct cli *cli, const json_t *row, int64_t now_us)
{
    (void)cli, (void)now_us;
    return json_is_true(json_object_get(row, "enabled")) ? "enabled" : "disabled";
}

static const struct table_column webhook_columns[] = {
    {"WEBHOOK", TABLE_TEXT, 10, 0, .member = "name"},
    {"SIGNED", TABLE_TEXT, 0, 0, .member = "scheme"},
    {"BECOMES", TABLE_TEXT, 0, 0, .member = "kind"},
    {"STATE", TABLE_STATE, 0, 1, .cell = state},
    {"TODAY", TABLE_NUMBER, 0, 2, .member = "today"},
    {"SET BY", TABLE_TEXT, 8, 3, .member = "actor"},
};

static enum exit_code run_list(struct cli *cli)
{
    static const struct listing listing = {
        .nothing = "no webhooks; `pawl webhook set NAME --option …` makes one",
        .columns = webhook_columns,
        .n_columns = ARRAY_LEN(webhook_columns),
        .fetch_all = client_webhooks};

    return listing_run(cli, &listing);
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
    if (code == EXIT_DONE)
        code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_set_webhook(client, cli->arguments[0], json_text_in(&cli->arena, options), &row,
                           &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "%s", cli->arguments[0]);
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
