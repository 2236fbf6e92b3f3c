/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/session.h"

static const struct table_column found_columns[] = {
    {"INSTANCE", TABLE_ID, 18, 0, .member = "instance_id"},
    {"KEY", TABLE_TEXT, 8, 1, .member = "business_key"},
    {"PROCESS", TABLE_TEXT, 8, 3, .member = "process"},
    {"STATE", TABLE_STATE, 0, 0, .member = "state"},
    {"STARTED", TABLE_AGO, 0, 4, .member = "started"},
    {"FOUND IN", TABLE_TEXT, 8, 2, .member = "found_in"},
};

/* The row that says that the search stopped early is none of those found. */
static void note_bound(struct cli *cli, json_t *rows)
{
    size_t n = json_array_size(rows);
    const json_t *last = n > 0 ? json_array_get(rows, n - 1) : NULL;

    if (last == NULL || !json_is_null(json_object_get(last, "instance_id")))
        return;
    cli_note(cli, "older instances were not looked at; --after %s goes on there",
             row_text(cli, last, "next"));
    json_array_remove(rows, n - 1);
}

static int fetch(struct cli *cli, struct client *client, const struct listing *listing,
                 json_t **ret_rows, struct err *err)
{
    const struct client_search filter = {.query = cli->arguments[0],
                                         .process = cli_option(cli, "process"),
                                         .after = cli_option(cli, "after"),
                                         .limit = listing->most};

    if (client_search(client, &filter, ret_rows, err) < 0)
        return err_trace(err);
    note_bound(cli, *ret_rows);
    return 0;
}

static enum exit_code run_find(struct cli *cli)
{
    static const struct listing listing = {.nothing = "nothing found",
                                           .columns = found_columns,
                                           .n_columns = ARRAY_LEN(found_columns),
                                           .limit_most = 999,
                                           .fetch = fetch};

    return listing_run(cli, &listing);
}

static const struct option find_options[] = {
    {"process", 'p', "PROCESS", "only instances of this process"},
    {"limit", 'n', "N", "at most so many, the newest (default: 50)"},
    {"after", 0, "ID", "go on where a search stopped: only instances older than this one"},
};

const struct subcommand command_find = {
    .name = "find",
    .arguments = "QUERY",
    .summary = "find instances by words and variables",
    .about =
        "Finds instances, running and ended, the newest first, and says where it was found. Words "
        "are looked for whole, in any case, in the business key, the process, the elements that "
        "were passed, errors, and the texts and numbers of variables; all must be there. \"two "
        "words\" stand beside each other, `or` takes either, -word must not be there.\n"
        "\n"
        "name=value looks for one variable; name=\"two words\" as well. Variables are those of "
        "running instances: history keeps none.\n"
        "\n"
        "No index serves this: it looks at 100,000 instances or for 5 seconds, then says from "
        "where --after goes on.",
    .options = find_options,
    .n_options = ARRAY_LEN(find_options),
    .examples = "  pawl find A-1001\n  pawl find 'lovelace or \"status 503\" -refund'\n"
                "  pawl find 'customer.name=Ada amount=12' -o json\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_find,
};
