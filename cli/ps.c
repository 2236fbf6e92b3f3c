/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/table.h"

static const char *joined(struct cli *cli, const json_t *list)
{
    struct buf buf;
    const json_t *item;
    size_t i;

    buf_init(&buf, 0);
    json_array_foreach(list, i, item)
    {
        buf_printf(&buf, "%s%s", i == 0 ? "" : ", ", json_string_value(item));
    }
    const char *text = arena_strdup(&cli->arena, buf_str(&buf));
    buf_deinit(&buf);
    return text;
}

static void print_instances(struct cli *cli, const json_t *rows, int64_t now_us)
{
    static const struct table_column columns[] = {
        {"INSTANCE", TABLE_ID, 18, 0}, {"KEY", TABLE_TEXT, 8, 2},    {"PROCESS", TABLE_TEXT, 8, 3},
        {"V", TABLE_NUMBER, 0, 5},     {"STATE", TABLE_STATE, 0, 0}, {"STARTED", TABLE_TEXT, 0, 4},
        {"AT", TABLE_TEXT, 8, 1},
    };
    struct table table;
    const json_t *row;
    size_t i;

    table_init(&table, cli, columns, ARRAY_LEN(columns));
    json_array_foreach(rows, i, row)
    {
        int64_t ended = row_time(row, "ended");
        table_add(&table, row_text(cli, row, "instance_id"));
        table_add(&table, row_text(cli, row, "business_key"));
        table_add(&table, row_text(cli, row, "process"));
        table_add(&table, row_text(cli, row, "version"));
        table_add(&table, row_text(cli, row, "state"));
        table_add(&table, moment_relative(&cli->arena, row_time(row, "started"), now_us));
        table_add(&table, ended == MOMENT_NONE
                              ? joined(cli, json_object_get(row, "elements"))
                              : arena_printf(&cli->arena, "ended %s",
                                             moment_relative(&cli->arena, ended, now_us)));
    }
    table_print(&table);
}

static enum exit_code run_ps(struct cli *cli)
{
    static const char *const states[] = {"accepted",  "running",   "incident",  "suspended",
                                         "completed", "cancelled", "terminated"};
    struct client *client CLEANUP(client_closep) = NULL;
    struct client_instances filter = {.process = cli_option(cli, "process"),
                                      .state = cli_option(cli, "state"),
                                      .all = cli_has(cli, "all")};
    bool some = filter.all || filter.state != NULL;
    struct listing listing = {
        .nothing = some ? "no instances" : "no running instances (--all shows ended ones, too)",
        .print = print_instances};
    bool known = filter.state == NULL;
    struct err err = {0};
    json_auto_t *rows = NULL;

    enum exit_code code = listing_options(cli, &listing);
    if (code != EXIT_DONE)
        return code;
    for (size_t i = 0; !known && i < ARRAY_LEN(states); i++)
        known = strcmp(states[i], filter.state) == 0;
    if (!known)
        return cli_usage(
            cli, "accepted, running, incident, suspended, completed, cancelled or terminated",
            "there is no state \"%s\"", filter.state);
    filter.limit = (int)listing.limit + 1;
    code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_instances(client, &filter, &rows, &err) < 0)
        return cli_fail(cli, &err);
    return listing_show(cli, client, &listing, rows);
}

static const struct option ps_options[] = {
    {"process", 'p', "PROCESS", "only instances of this process"},
    {"state", 's', "STATE",
     "only those: accepted, running, incident, suspended, completed, cancelled, terminated"},
    {"all", 'a', NULL, "ended ones, too"},
    {"tenant", 0, "NAME",
     "only instances of this tenant (default: PAWL_TENANT, else all that you may see)"},
    {"limit", 'n', "N", "at most so many, the newest (default: 50)"},
};

const struct subcommand command_ps = {
    .name = "ps",
    .arguments = "",
    .summary = "list instances",
    .about = "Lists the instances that run, the newest first, with the elements where each is now. "
             "State "
             "`accepted`: started, and not taken up by an engine yet; `incident`: somebody must "
             "look at it "
             "(`pawl incidents`, `pawl why ID`).\n"
             "\n"
             "Where a column is cut, the beginning of an id that is left can be given to every "
             "subcommand.",
    .options = ps_options,
    .n_options = ARRAY_LEN(ps_options),
    .examples = "  pawl ps\n  pawl ps --all --process order-delivery -n 20\n"
                "  pawl ps --state incident -o json | jq -r .business_key\n",
    .database = true,
    .run = run_ps,
};

/* ---- definitions ---- */

static enum exit_code run_definitions(struct cli *cli)
{
    static const struct table_column columns[] = {
        {"PROCESS", TABLE_TEXT, 12, 0}, {"VERSION", TABLE_NUMBER, 0, 0},
        {"NAME", TABLE_TEXT, 8, 2},     {"STATE", TABLE_STATE, 0, 0},
        {"FILE", TABLE_TEXT, 8, 1},     {"DEPLOYED", TABLE_TEXT, 0, 3},
    };
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    json_auto_t *rows = NULL, *now = NULL;
    json_t *row;
    struct table table;
    size_t i;

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_definitions(client, cli_has(cli, "all"), &rows, &err) < 0 ||
        client_clock(client, &now, &err) < 0)
        return cli_fail(cli, &err);
    table_init(&table, cli, columns, ARRAY_LEN(columns));
    json_array_foreach(rows, i, row)
    {
        const char *state = json_is_true(json_object_get(row, "suspended")) ? "suspended"
                            : json_is_true(json_object_get(row, "latest"))  ? "active"
                                                                            : "older";
        table_add(&table, row_text(cli, row, "process"));
        table_add(&table, row_text(cli, row, "version"));
        table_add(&table, row_text(cli, row, "name"));
        table_add(&table, state);
        table_add(&table, row_text(cli, row, "resource"));
        table_add(&table,
                  moment_relative(&cli->arena, row_time(row, "deployed"), row_time(now, "now")));
    }
    if (cli->json)
        output_json_lines(rows);
    else if (json_array_size(rows) == 0)
        cli_note(cli, "nothing is deployed; `pawl deploy FILE.bpmn` does it");
    else
        table_print(&table);
    return EXIT_DONE;
}

static const struct option definitions_options[] = {
    {"all", 'a', NULL, "older versions, too"},
};

const struct subcommand command_definitions = {
    .name = "definitions",
    .arguments = "",
    .summary = "list the deployed processes",
    .about = "Lists the deployed processes: PROCESS is what `pawl start` wants.",
    .options = definitions_options,
    .n_options = ARRAY_LEN(definitions_options),
    .examples = "  pawl definitions\n  pawl definitions --all -o json\n",
    .database = true,
    .run = run_definitions,
};
