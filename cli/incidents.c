/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/moment.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/table.h"

#define RETRY_ALL_MOST 10000

static void print_incidents(struct cli *cli, const json_t *rows, int64_t now_us)
{
    static const struct table_column columns[] = {
        {"INCIDENT", TABLE_ID, 18, 0},        {"KEY", TABLE_TEXT, 8, 2},
        {"PROCESS", TABLE_TEXT, 8, 4},        {"ELEMENT", TABLE_TEXT, 8, 1},
        {"SINCE", TABLE_TEXT, 0, 3},          {"REASON", TABLE_TEXT, 0, 5},
        {"WHAT HAPPENED", TABLE_TEXT, 20, 0},
    };
    struct table table;
    const json_t *row;
    size_t i;

    table_init(&table, cli, columns, ARRAY_LEN(columns));
    json_array_foreach(rows, i, row)
    {
        table_add(&table, row_text(cli, row, "incident_id"));
        table_add(&table, row_text(cli, row, "business_key"));
        table_add(&table, row_text(cli, row, "process"));
        table_add(&table, row_text(cli, row, "element_id"));
        table_add(&table, moment_relative(&cli->arena, row_time(row, "at"), now_us));
        table_add(&table, row_text(cli, row, "reason"));
        table_add(&table, row_text(cli, row, "message"));
    }
    table_print(&table);
}

static enum exit_code run_incidents(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct client_incidents filter = {.process = cli_option(cli, "process")};
    const char *instance = cli_option(cli, "instance");
    json_auto_t *rows = NULL, *now = NULL, *row = NULL;
    struct err err = {0};
    struct uuid id;
    long limit;

    if (cli_number(cli, "limit", 1, 100000, 50, &limit) < 0)
        return EXIT_USAGE;
    filter.limit = (int)limit + 1;
    enum exit_code code = session_open(cli, &client);
    if (code == EXIT_DONE && instance != NULL) {
        code = find_instance(cli, client, instance, &row, &id);
        filter.instance = &id;
    }
    if (code != EXIT_DONE)
        return code;
    if (client_incidents(client, &filter, &rows, &err) < 0 || client_clock(client, &now, &err) < 0)
        return cli_fail(cli, &err);
    bool more = json_array_size(rows) > (size_t)limit;
    if (more)
        json_array_remove(rows, (size_t)limit);
    if (cli->json)
        output_json_lines(rows);
    else if (json_array_size(rows) == 0)
        cli_note(cli, "no incidents");
    else
        print_incidents(cli, rows, row_time(now, "now"));
    if (more)
        cli_note(cli, "there are more than %ld; --limit N shows more", limit);
    return EXIT_DONE;
}

static const struct option incidents_options[] = {
    {"process", 'p', "PROCESS", "only of this process"},
    {"instance", 0, "ID", "only of this instance (id, beginning of the id, or business key)"},
    {"limit", 'n', "N", "at most so many, the oldest (default: 50)"},
};

const struct subcommand command_incidents = {
    .name = "incidents",
    .arguments = "",
    .summary = "list what went wrong and waits for somebody",
    .about = "Lists the incidents: commands that failed and wait until somebody has mended the "
             "cause. The "
             "instance stays where it was, nothing is lost.\n"
             "\n"
             "failedJob: all tries are used up. unknownOutcome: the engine died while a request "
             "was under way "
             "that may not simply be repeated; `pawl retry` then wants a decision.",
    .options = incidents_options,
    .n_options = ARRAY_LEN(incidents_options),
    .examples = "  pawl incidents\n  pawl incidents --process order-delivery -o json\n",
    .database = true,
    .run = run_incidents,
};

/* ---- retry ---- */

static enum exit_code retry_all(struct cli *cli, struct client *client, const char *decision)
{
    struct client_incidents filter = {.process = cli_option(cli, "process"),
                                      .limit = RETRY_ALL_MOST};
    json_auto_t *rows = NULL;
    json_t *row;
    struct err err = {0};
    size_t i, n_done = 0, n_left = 0;

    if (client_incidents(client, &filter, &rows, &err) < 0)
        return cli_fail(cli, &err);
    json_array_foreach(rows, i, row)
    {
        bool unknown = json_is_true(json_object_get(row, "needs_decision"));
        json_t *accepted = NULL;
        struct uuid id;
        /* A decision is only for those that need one. */
        if (!row_uuid(row, "incident_id", &id) || unknown != (decision != NULL)) {
            n_left++;
            continue;
        }
        if (client_retry(client, &id, decision, &accepted, &err) < 0) {
            if (err.code == ERR_LOST)
                break;
            cli_note(cli, "%s: %s", row_text(cli, row, "incident_id"), err.text);
            n_left++;
            err_reset(&err);
            continue;
        }
        json_object_set(accepted, "incident_id", json_object_get(row, "incident_id"));
        if (cli->json)
            output_json(accepted);
        json_decref(accepted);
        n_done++;
    }
    if (err.code != ERR_NONE)
        return cli_fail(cli, &err);
    if (!cli->json)
        printf("%zu asked for again\n", n_done);
    if (n_left > 0)
        return cli_refuse(cli,
                          decision == NULL
                              ? "those with an unknown outcome need --decision repeat or fail"
                              : "those that failed are tried again without --decision",
                          "%zu incident%s left as %s", n_left, n_left == 1 ? " was" : "s were",
                          n_left == 1 ? "it was" : "they were");
    return EXIT_DONE;
}

static enum exit_code run_retry(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    const char *decision = cli_option(cli, "decision");
    bool all = cli_has(cli, "all");
    struct err err = {0};
    json_auto_t *row = NULL, *accepted = NULL;
    struct uuid id;
    double seconds;

    if (cli_seconds(cli, "timeout", 5, &seconds) < 0)
        return EXIT_USAGE;
    if (decision != NULL && strcmp(decision, "repeat") != 0 && strcmp(decision, "fail") != 0)
        return cli_usage(cli, "repeat: send the request again; fail: take it as failed",
                         "there is no decision \"%s\"", decision);
    if (all != (cli->n_arguments == 0))
        return cli_usage(cli, "pawl retry ID, or pawl retry --all",
                         all ? "--all and an ID do not go together" : "which incident?");
    if (!all && cli_has(cli, "process"))
        return cli_usage(cli, NULL, "--process is for --all");
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (all)
        return retry_all(cli, client, decision);
    code = find_incident(cli, client, cli->arguments[0], &row, &id);
    if (code != EXIT_DONE)
        return code;
    if (client_retry(client, &id, decision, &accepted, &err) < 0)
        return cli_fail(cli, &err);
    code = outcome_report(cli, client, accepted, "tried again", seconds, false);
    return code;
}

static const struct option retry_options[] = {
    {"all", 'a', NULL, "all incidents (those that need a decision only with --decision)"},
    {"process", 'p', "PROCESS", "with --all: only of this process"},
    {"decision", 0, "WHAT",
     "for a request whose outcome is unknown: repeat (send it again) or fail (take it "
     "as failed)"},
    {"timeout", 0, "SECONDS",
     "how long to wait for the engine to carry it out (default: 5; 0: not at all)"},
};

const struct subcommand command_retry = {
    .name = "retry",
    .arguments = "ID | --all",
    .summary = "try again what became an incident",
    .about = "Carries out again what failed, once its cause is mended. If it fails again, there is "
             "a new "
             "incident.\n"
             "\n"
             "ID is the incident's id, the beginning of it (at least 8 characters), or the id or "
             "business key of "
             "an instance with one incident.",
    .options = retry_options,
    .n_options = ARRAY_LEN(retry_options),
    .examples = "  pawl retry 4711\n  pawl retry --all --process order-delivery\n"
                "  pawl retry 01998e3a-7c2e-7d --decision repeat\n",
    .min_arguments = 0,
    .max_arguments = 1,
    .database = true,
    .run = run_retry,
};
