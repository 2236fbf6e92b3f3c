/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "cli/session.h"

static const char *where(struct cli *cli, const json_t *row, int64_t now_us)
{
    int64_t ended = row_time(row, "ended");

    if (ended == MOMENT_NONE)
        return row_joined(cli, row, "elements");
    return arena_printf(&cli->arena, "ended %s", moment_relative(&cli->arena, ended, now_us));
}

static const struct table_column instance_columns[] = {
    {"INSTANCE", TABLE_ID, 18, 0, .member = "instance_id"},
    {"KEY", TABLE_TEXT, 8, 2, .member = "business_key"},
    {"PROCESS", TABLE_TEXT, 8, 3, .member = "process"},
    {"V", TABLE_NUMBER, 0, 5, .member = "version"},
    {"STATE", TABLE_STATE, 0, 0, .member = "state"},
    {"STARTED", TABLE_AGO, 0, 4, .member = "started"},
    {"AT", TABLE_TEXT, 8, 1, .cell = where},
};

static int fetch_instances(struct cli *cli, struct client *client, const struct listing *listing,
                           json_t **ret_rows, struct err *err)
{
    const struct client_instances filter = {.process = cli_option(cli, "process"),
                                            .state = cli_option(cli, "state"),
                                            .all = cli_has(cli, "all"),
                                            .limit = listing->most};

    return client_instances(client, &filter, ret_rows, err);
}

static enum exit_code run_ps(struct cli *cli)
{
    static const char *const states[] = {"accepted",  "running",   "incident",  "suspended",
                                         "completed", "cancelled", "terminated"};
    const char *state = cli_option(cli, "state");
    const struct listing listing = {.nothing =
                                        cli_has(cli, "all") || state != NULL
                                            ? "no instances"
                                            : "no running instances (--all shows ended ones, too)",
                                    .columns = instance_columns,
                                    .n_columns = ARRAY_LEN(instance_columns),
                                    .fetch = fetch_instances};
    bool known = state == NULL;

    for (size_t i = 0; !known && i < ARRAY_LEN(states); i++)
        known = strcmp(states[i], state) == 0;
    if (!known)
        return cli_usage(
            cli, "accepted, running, incident, suspended, completed, cancelled or terminated",
            "there is no state \"%s\"", state);
    return listing_run(cli, &listing);
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

static const char *definition_state(struct cli *cli, const json_t *row, int64_t now_us)
{
    (void)cli, (void)now_us;
    return json_is_true(json_object_get(row, "suspended")) ? "suspended"
           : json_is_true(json_object_get(row, "latest"))  ? "active"
                                                           : "older";
}

static const struct table_column definition_columns[] = {
    {"PROCESS", TABLE_TEXT, 12, 0, .member = "process"},
    {"VERSION", TABLE_NUMBER, 0, 0, .member = "version"},
    {"NAME", TABLE_TEXT, 8, 2, .member = "name"},
    {"STATE", TABLE_STATE, 0, 0, .cell = definition_state},
    {"FILE", TABLE_TEXT, 8, 1, .member = "resource"},
    {"DEPLOYED", TABLE_AGO, 0, 3, .member = "deployed"},
};

static int fetch_definitions(struct cli *cli, struct client *client, const struct listing *listing,
                             json_t **ret_rows, struct err *err)
{
    (void)listing;
    return client_definitions(client, cli_has(cli, "all"), ret_rows, err);
}

static enum exit_code run_definitions(struct cli *cli)
{
    static const struct listing listing = {
        .nothing = "nothing is deployed; `pawl deploy FILE.bpmn` does it",
        .columns = definition_columns,
        .n_columns = ARRAY_LEN(definition_columns),
        .fetch = fetch_definitions};

    return listing_run(cli, &listing);
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
