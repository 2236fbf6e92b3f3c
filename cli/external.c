/* SPDX-License-Identifier: Apache-2.0 */
/* external list, external show, external unlock. */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/session.h"

static const struct table_column external_columns[] = {
    {"TASK", TABLE_ID, 18, 0, .member = "task_id"},
    {"TOPIC", TABLE_TEXT, 8, 0, .member = "topic"},
    {"KEY", TABLE_TEXT, 8, 2, .member = "business_key"},
    {"PROCESS", TABLE_TEXT, 8, 5, .member = "process"},
    {"STATE", TABLE_TEXT, 0, 0, .member = "state"},
    {"WORKER", TABLE_TEXT, 8, 1, .member = "worker_id"},
    {"UNTIL", TABLE_AGO, 0, 3, .member = "locked_until"},
    {"LEFT", TABLE_NUMBER, 0, 6, .member = "retries"},
    {"LAST ERROR", TABLE_TEXT, 10, 4, .member = "error_message"},
};

static int fetch(struct cli *cli, struct client *client, const struct listing *listing,
                 json_t **ret_rows, struct err *err)
{
    const struct client_external filter = {.topic = cli_option(cli, "topic"),
                                           .state = cli_option(cli, "state"),
                                           .instance = listing->instance,
                                           .limit = listing->most};

    return client_external_tasks(client, &filter, ret_rows, err);
}

static enum exit_code run_list(struct cli *cli)
{
    static const struct listing listing = {.nothing = "no external tasks",
                                           .columns = external_columns,
                                           .n_columns = ARRAY_LEN(external_columns),
                                           .fetch = fetch};

    return listing_run(cli, &listing);
}

static const struct option list_options[] = {
    {"topic", 't', "TOPIC", "only of this topic"},
    {"state", 's', "STATE", "only available, locked, paused, failed or answered ones"},
    {"instance", 0, "ID", "only of this instance (id, beginning of the id, or business key)"},
    {"limit", 'n', "N", "at most so many, the most urgent first (default: 50)"},
};

const struct subcommand command_external_list = {
    .name = "external list",
    .arguments = "",
    .summary = "list the work of external workers, and who has it",
    .about = "Lists the external tasks: work that programs fetch by topic and hold under a lease. "
             "LEFT is how many tries are left after a failure.",
    .options = list_options,
    .n_options = ARRAY_LEN(list_options),
    .examples =
        "  pawl external list --topic charge\n  pawl external list --state failed -o json\n",
    .database = true,
    .run = run_list,
};

/* By its id, or the beginning of it. */
static enum exit_code find_external(struct cli *cli, struct client *client, json_t **ret_row,
                                    struct uuid *ret_id)
{
    const char *text = cli->arguments[0];
    json_auto_t *rows = NULL;
    struct uuid low, high;
    struct err err = {0};

    if (!find_prefix(text, &low, &high))
        return cli_usage(cli, "`pawl external list` shows the ids",
                         "\"%s\" is not the id of an external task, nor the first 8 characters of "
                         "one",
                         text);
    if (client_external_between(client, &low, &high, &rows, &err) < 0)
        return cli_fail(cli, &err);
    if (json_array_size(rows) > 1)
        return cli_refuse(cli, "give more of the id", "\"%s\" begins several ids", text);
    if (!row_uuid(json_array_get(rows, 0), "task_id", ret_id))
        return cli_refuse(cli, "`pawl external list` shows what there is",
                          "there is no external task \"%s\"", text);
    *ret_row = json_incref(json_array_get(rows, 0));
    return EXIT_DONE;
}

/* ---- show ---- */

static enum exit_code run_show(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL;
    struct uuid id;

    enum exit_code code = session_open(cli, &client);
    if (code == EXIT_DONE)
        code = find_external(cli, client, &row, &id);
    if (code == EXIT_DONE)
        output_members(cli, row, 15);
    return code;
}

const struct subcommand command_external_show = {
    .name = "external show",
    .arguments = "ID",
    .summary = "show an external task, and what went wrong last",
    .about = "Shows all that is known of an external task: who has it until when, how many tries "
             "are left, the error and the details that its worker gave last, and the variables "
             "that the next worker gets. What does not apply is left out.\n"
             "\n"
             "ID is the task's id, or the beginning of it (at least 8 characters).",
    .examples = "  pawl external show 01998e3a-7c2e-7d\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_show,
};

/* ---- unlock ---- */

static enum exit_code run_unlock(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *task = NULL, *row = NULL;
    struct err err = {0};
    struct uuid id;

    enum exit_code code = session_open(cli, &client);
    if (code == EXIT_DONE)
        code = find_external(cli, client, &task, &id);
    if (code != EXIT_DONE)
        return code;
    if (client_external_unlock(client, &id, &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "unlocked");
}

const struct subcommand command_external_unlock = {
    .name = "external unlock",
    .arguments = "ID",
    .summary = "take an external task from its worker",
    .about = "Ends the lease of a worker (or the pause before the next try) now: others may fetch "
             "the task, and what the worker answers is refused.\n"
             "\n"
             "ID is the task's id, or the beginning of it (at least 8 characters).",
    .examples = "  pawl external unlock 01998e3a-7c2e-7d\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_unlock,
};
