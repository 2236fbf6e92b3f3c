/* SPDX-License-Identifier: Apache-2.0 */
/* callbacks, callback succeed, callback fail, callback heartbeat. */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/listing.h"
#include "cli/members.h"
#include "cli/output.h"
#include "cli/session.h"
#include "store/json_text.h"

static const struct table_column callback_columns[] = {
    {"CALLBACK", TABLE_ID, 18, 0, .member = "callback_id"},
    {"PROCESS", TABLE_TEXT, 8, 3, .member = "process"},
    {"KEY", TABLE_TEXT, 8, 2, .member = "business_key"},
    {"ELEMENT", TABLE_TEXT, 8, 0, .member = "element_id"},
    {"STATE", TABLE_TEXT, 0, 0, .member = "state"},
    {"SINCE", TABLE_AGO, 0, 5, .member = "made"},
    {"DUE", TABLE_AGO, 0, 0, .member = "due"},
    {"ONLY", TABLE_TEXT, 8, 4, .member = "allowed_caller"},
};

static int fetch(struct cli *cli, struct client *client, const struct listing *listing,
                 json_t **ret_rows, struct err *err)
{
    return client_callbacks(client, cli_option(cli, "process"), listing->instance, listing->most,
                            ret_rows, err);
}

static enum exit_code run_list(struct cli *cli)
{
    static const struct listing listing = {.nothing = "no callbacks are waited for",
                                           .columns = callback_columns,
                                           .n_columns = ARRAY_LEN(callback_columns),
                                           .fetch = fetch};

    return listing_run(cli, &listing);
}

static const struct option list_options[] = {
    {"process", 'p', "KEY", "only of this process"},
    {"instance", 0, "ID", "only of this instance (id, beginning of the id, or business key)"},
    {"limit", 'n', "N", "at most so many, the most urgent first (default: 50)"},
};

const struct subcommand command_callbacks = {
    .name = "callbacks",
    .arguments = "",
    .summary = "list the tasks that wait for a callback",
    .about = "Lists the tasks that wait until somebody who has their token answers. STATE is "
             "requested until what the task does itself is done (a service has taken its request, "
             "say), then accepted. The tokens themselves are nowhere to be seen.",
    .options = list_options,
    .n_options = ARRAY_LEN(list_options),
    .examples = "  pawl callbacks\n  pawl callbacks --process print -o json\n",
    .database = true,
    .run = run_list,
};

/* {"logs":[…]} of --log. */
static const char *logs_option(struct cli *cli)
{
    const char *log = cli_option(cli, "log");

    if (log == NULL)
        return "{}";
    json_auto_t *options = json_pack("{s:[o]}", "logs", output_string(log));
    return json_text_in(&cli->arena, options);
}

static enum exit_code told(struct cli *cli, const json_t *row, const char *word)
{
    if (cli->json)
        output_json(row);
    else if (json_is_false(json_object_get(row, "created")))
        printf("%s already\n", word);
    else
        printf("%s\n", word);
    return EXIT_DONE;
}

static enum exit_code run_succeed(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    const char *output = cli_option(cli, "result");
    json_auto_t *row = NULL;
    struct err err = {0};

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_callback_succeed(client, cli->arguments[0], output != NULL ? output : "{}",
                                logs_option(cli), &row, &err) < 0)
        return cli_fail(cli, &err);
    return told(cli, row, "succeeded");
}

static enum exit_code run_fail(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL;
    struct err err = {0};

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_callback_fail(client, cli->arguments[0], cli_option(cli, "error"),
                             cli_option(cli, "cause"), logs_option(cli), &row, &err) < 0)
        return cli_fail(cli, &err);
    return told(cli, row, "failed");
}

static enum exit_code run_heartbeat(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL;
    struct err err = {0};

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_callback_heartbeat(client, cli->arguments[0], &row, &err) < 0)
        return cli_fail(cli, &err);
    return told(cli, row, "heard");
}

static const struct option succeed_options[] = {
    {"result", 0, "JSON", "the result (default: {})"},
    {"log", 0, "TEXT", "a line that is kept with the task"},
};

const struct subcommand command_callback_succeed = {
    .name = "callback succeed",
    .arguments = "TOKEN",
    .summary = "end a task that waits for a callback",
    .about = "Ends the task whose token this is; its process goes on with the output. The same "
             "answer again is fine, another one is refused.",
    .options = succeed_options,
    .n_options = ARRAY_LEN(succeed_options),
    .examples = "  pawl callback succeed \"$TOKEN\" --result '{\"pages\": 3}'\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_succeed,
};

static const struct option fail_options[] = {
    {"error", 'e', "CODE", "the BPMN error (default: what the model says)"},
    {"cause", 0, "TEXT", "why, for people"},
    {"log", 0, "TEXT", "a line that is kept with the task"},
};

const struct subcommand command_callback_fail = {
    .name = "callback fail",
    .arguments = "TOKEN",
    .summary = "fail a task that waits for a callback",
    .about = "Fails the task whose token this is: with a BPMN error where the process catches it, "
             "else it is tried again with another token, or becomes an incident.",
    .options = fail_options,
    .n_options = ARRAY_LEN(fail_options),
    .examples = "  pawl callback fail \"$TOKEN\" --error NO_PAPER --cause 'tray 2 is empty'\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_fail,
};

const struct subcommand command_callback_heartbeat = {
    .name = "callback heartbeat",
    .arguments = "TOKEN",
    .summary = "say that the work of a task that waits for a callback goes on",
    .about = "The heartbeat timeout of the task whose token this is begins anew.",
    .examples = "  pawl callback heartbeat \"$TOKEN\"\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_heartbeat,
};

/* ---- The key that signs tokens ---- */

static const struct table_column key_columns[] = {
    {"KEY", TABLE_NUMBER, 0, 0, .member = "key_id"},
    {"MADE", TABLE_TIME, 0, 0, .member = "made"},
    {"RETIRED", TABLE_TIME, 0, 0, .member = "retired", .otherwise = "it signs"},
    {"KEPT UNTIL", TABLE_TIME, 0, 0, .member = "keep_until", .otherwise = "needed no more"},
    {"CALLBACKS", TABLE_NUMBER, 0, 0, .member = "callbacks"},
};

static enum exit_code run_keys(struct cli *cli)
{
    static const struct listing listing = {.nothing = "no keys",
                                           .columns = key_columns,
                                           .n_columns = ARRAY_LEN(key_columns),
                                           .fetch_all = client_callback_keys};

    return listing_run(cli, &listing);
}

const struct subcommand command_callback_keys = {
    .name = "callback keys",
    .arguments = "",
    .summary = "list the keys whose tokens hold",
    .about = "Lists the keys that sign the tokens of callbacks: the one that does, and retired "
             "ones whose tokens still hold. CALLBACKS: open ones that began while it signed. The "
             "keys themselves are nowhere to be seen.",
    .examples = "  pawl callback keys\n",
    .database = true,
    .run = run_keys,
};

static enum exit_code run_rotate_key(struct cli *cli)
{
    static const char *const names[] = {"keep", "reason"};
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *options = json_object(), *row = NULL;
    struct err err = {0};

    members_given(cli, names, ARRAY_LEN(names), options);
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_rotate_callback_key(client, json_text_in(&cli->arena, options), &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "key %s signs now", row_text(cli, row, "key_id"));
}

static const struct option rotate_options[] = {
    {"keep", 0, "DURATION",
     "tokens of retired keys hold no longer than this: 'PT0S' for a key that somebody has seen "
     "(default: as long as a callback needs them)"},
    {"reason", 0, "TEXT", "for the audit trail"},
};

const struct subcommand command_callback_rotate_key = {
    .name = "callback rotate-key",
    .arguments = "",
    .summary = "sign tokens with a new key",
    .about = "Makes a new key for the tokens of callbacks: tasks that begin some seconds later get "
             "tokens of it. Tokens that are out hold as long as a callback needs them; then their "
             "key is dropped by itself.",
    .options = rotate_options,
    .n_options = ARRAY_LEN(rotate_options),
    .examples = "  pawl callback rotate-key --reason yearly\n"
                "  pawl callback rotate-key --keep PT0S --reason 'the old one leaked'\n",
    .database = true,
    .run = run_rotate_key,
};
