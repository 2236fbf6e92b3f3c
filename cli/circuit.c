/* SPDX-License-Identifier: Apache-2.0 */
/* How an endpoint is, its circuit by hand, and hold, release and held: all of them at once. */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/members.h"
#include "cli/output.h"
#include "cli/session.h"
#include "store/json_text.h"

static const char *reason_options(struct cli *cli)
{
    static const char *const names[] = {"reason"};
    json_auto_t *options = json_object();

    members_given(cli, names, ARRAY_LEN(names), options);
    return json_text_in(&cli->arena, options);
}

static const struct option reason_option[] = {
    {"reason", 'r', "TEXT", "shown to others who look"},
};

/* ---- endpoint show ---- */

static enum exit_code run_show(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    json_auto_t *rows = NULL;

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_endpoints(client, cli->arguments[0], &rows, &err) < 0)
        return cli_fail(cli, &err);
    if (json_array_size(rows) == 0)
        return cli_refuse(cli, "`pawl endpoint list` shows them", "there is no endpoint \"%s\"",
                          cli->arguments[0]);
    output_members(cli, json_array_get(rows, 0), 18);
    return EXIT_DONE;
}

const struct subcommand command_endpoint_show = {
    .name = "endpoint show",
    .arguments = "NAME",
    .summary = "show an endpoint's settings and how it is",
    .about =
        "Shows all settings of an endpoint and how it is: its circuit and since when, the next "
        "probe, what waits and is under way, the last calls, the last error. What does not "
        "apply is left out. docs/endpoints.md explains each.",
    .examples = "  pawl endpoint show geocoder\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_show,
};

/* ---- endpoint open, close, reset ---- */

static enum exit_code set_circuit(struct cli *cli, const char *circuit, const char *said)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    json_auto_t *row = NULL;

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_set_circuit(client, cli->arguments[0], circuit, reason_options(cli), &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "%s: %s", cli->arguments[0], said);
}

static enum exit_code run_open(struct cli *cli)
{
    return set_circuit(cli, "open", "open by hand, requests wait");
}

const struct subcommand command_endpoint_open = {
    .name = "endpoint open",
    .arguments = "NAME",
    .summary = "open an endpoint's circuit by hand: requests wait",
    .about = "Opens the circuit of an endpoint on all nodes. Requests wait, and not even probes "
             "leave, until `pawl endpoint reset` or `close`. What is under way gets its answer.",
    .options = reason_option,
    .n_options = ARRAY_LEN(reason_option),
    .examples = "  pawl endpoint open billing --reason 'maintenance until 6 pm'\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_open,
};

static enum exit_code run_close(struct cli *cli)
{
    return set_circuit(cli, "closed", "closed by hand, requests leave whatever happens");
}

const struct subcommand command_endpoint_close = {
    .name = "endpoint close",
    .arguments = "NAME",
    .summary = "close an endpoint's circuit by hand: requests leave",
    .about = "Closes the circuit of an endpoint on all nodes and keeps it closed, however many "
             "calls fail, until `pawl endpoint reset` or `open`.",
    .options = reason_option,
    .n_options = ARRAY_LEN(reason_option),
    .examples = "  pawl endpoint close billing\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_close,
};

static enum exit_code run_reset(struct cli *cli)
{
    return set_circuit(cli, "auto", "closed, and goes by what happens from now on");
}

const struct subcommand command_endpoint_reset = {
    .name = "endpoint reset",
    .arguments = "NAME",
    .summary = "close an endpoint's circuit, and let it go by what happens",
    .about = "Ends what `pawl endpoint open` or `close` began, closes a circuit that opened by "
             "itself, and ends a wait that the service asked for (Retry-After).",
    .options = reason_option,
    .n_options = ARRAY_LEN(reason_option),
    .examples = "  pawl endpoint reset billing\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_reset,
};

/* ---- hold, release, held ---- */

static enum exit_code run_hold(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    json_auto_t *row = NULL;

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_hold(client, reason_options(cli), &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(
        cli, row, "held: no request leaves until `pawl release`; `pawl held` lists what waits");
}

const struct subcommand command_hold = {
    .name = "hold",
    .arguments = "",
    .summary = "keep all requests to outside services back",
    .about = "No request of any node leaves any more, until `pawl release`. Processes go on; what "
             "they want from outside waits. What is under way gets its answer. `pawl up --hold` "
             "starts an engine so: after a restore to an earlier moment, when what it would send "
             "may have been sent before.",
    .options = reason_option,
    .n_options = ARRAY_LEN(reason_option),
    .examples = "  pawl hold --reason 'restored to 14:05'\n",
    .database = true,
    .run = run_hold,
};

static enum exit_code run_release(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    json_auto_t *row = NULL;

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_release_calls(client, &row, &err) < 0)
        return cli_fail(cli, &err);
    if (cli->json)
        output_json(row);
    else if (json_is_true(json_object_get(row, "released")))
        printf("released: requests leave again\n");
    else
        printf("nothing was held\n");
    return EXIT_DONE;
}

const struct subcommand command_release = {
    .name = "release",
    .arguments = "",
    .summary = "let requests leave again that `pawl hold` keeps back",
    .about =
        "Ends what `pawl hold` or `pawl up --hold` began. Requests that were under way when an "
        "engine ended are now dealt with as their endpoints' option `unknown` says.",
    .examples = "  pawl release\n",
    .database = true,
    .run = run_release,
};

static const char *request(struct cli *cli, const json_t *row, int64_t now_us)
{
    (void)now_us;
    return arena_printf(&cli->arena, "%s %s", row_text(cli, row, "method"),
                        row_text(cli, row, "path"));
}

static const struct table_column held_columns[] = {
    {"CALL", TABLE_ID, 8, 0, .member = "call_id"},
    {"ENDPOINT", TABLE_TEXT, 10, 0, .member = "endpoint"},
    {"REQUEST", TABLE_TEXT, 16, 0, .cell = request},
    {"SENDS", TABLE_TEXT, 0, 0, .member = "sends"},
    {"ATTEMPT", TABLE_NUMBER, 0, 2, .member = "attempt"},
    {"KEY", TABLE_TEXT, 8, 0, .member = "business_key"},
    {"ASKED", TABLE_TIME, 0, 1, .member = "asked"},
};

static enum exit_code run_held(struct cli *cli)
{
    static const struct listing listing = {.nothing = "no request waits or is under way",
                                           .columns = held_columns,
                                           .n_columns = ARRAY_LEN(held_columns)};

    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *rows = NULL, *endpoints = NULL;
    struct err err = {0};

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_held_calls(client, &rows, &err) < 0 ||
        client_endpoints(client, NULL, &endpoints, &err) < 0)
        return cli_fail(cli, &err);
    const char *why = row_string(cli, json_array_get(endpoints, 0), "hold_why");
    if (why != NULL)
        cli_note(cli, "held back %s; `pawl release` lets them leave", why);
    else if (json_array_size(rows) > 0)
        cli_note(cli, "nothing is held back: these leave by themselves");
    return listing_show(cli, client, &listing, rows);
}

const struct subcommand command_held = {
    .name = "held",
    .arguments = "",
    .summary = "list the requests that wait or whose outcome is open",
    .about = "Lists what would be sent when a hold ends: SENDS is `first` for a first attempt, "
             "`again` after one that failed, `unknown` where a request was under way and has no "
             "outcome. After a restore to an earlier moment each of them may have been sent "
             "already: CALL is its Idempotency-Key, by which the other side knows it. A request "
             "that must not leave is taken back by cancelling its instance.",
    .examples = "  pawl held\n  pawl held -o json\n",
    .database = true,
    .run = run_held,
};
