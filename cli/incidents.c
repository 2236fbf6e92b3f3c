/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/listing.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "cli/session.h"

static const struct table_column incident_columns[] = {
    {"INCIDENT", TABLE_ID, 18, 0, .member = "incident_id"},
    {"KEY", TABLE_TEXT, 8, 2, .member = "business_key"},
    {"PROCESS", TABLE_TEXT, 8, 4, .member = "process"},
    {"ELEMENT", TABLE_TEXT, 8, 1, .member = "element_id"},
    {"SINCE", TABLE_AGO, 0, 3, .member = "at"},
    {"REASON", TABLE_TEXT, 0, 5, .member = "reason"},
    {"WHAT HAPPENED", TABLE_TEXT, 20, 0, .member = "message"},
};

static const struct table_column group_columns[] = {
    {"N", TABLE_NUMBER, 0, 0, .member = "incidents"},
    {"CAUSE", TABLE_TEXT, 0, 0, .member = "cause"},
    {"PROCESS", TABLE_TEXT, 8, 3, .member = "process"},
    {"ELEMENT", TABLE_TEXT, 8, 1, .member = "element_id"},
    {"FIRST", TABLE_AGO, 0, 4, .member = "first"},
    {"LAST", TABLE_AGO, 0, 2, .member = "last"},
    {"REASON", TABLE_TEXT, 0, 5, .member = "reason"},
    {"WHAT HAPPENED", TABLE_TEXT, 20, 0, .member = "pattern"},
};

/* ---- One, with everything that is known ---- */

static void print_line(struct cli *cli, const json_t *row, const char *title, const char *key)
{
    const char *text = row_string(cli, row, key);

    if (text != NULL)
        output_field(cli, title, 10, text);
}

static void print_exchange(struct cli *cli, const json_t *request, const json_t *answer)
{
    if (json_is_object(request)) {
        int64_t sent = row_time(request, "sent");
        output_field(cli, "request", 10,
                     arena_printf(&cli->arena, "%s %s (endpoint %s%s%s)",
                                  row_text(cli, request, "method"), row_text(cli, request, "path"),
                                  row_text(cli, request, "endpoint"),
                                  sent != MOMENT_NONE ? ", sent " : "",
                                  sent != MOMENT_NONE ? moment_exact(&cli->arena, sent) : ""));
        print_line(cli, request, "  headers", "headers");
        print_line(cli, request, "  body", "body");
    }
    if (json_is_object(answer)) {
        printf("%-9s %s %s\n", "answer", row_text(cli, answer, "outcome"),
               row_text(cli, answer, "status"));
        print_line(cli, answer, "  error", "error");
        print_line(cli, answer, "  headers", "headers");
        print_line(cli, answer, "  body", "body");
    }
}

static enum exit_code show_incident(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL, *now = NULL;
    struct err err = {0};
    struct uuid id;

    enum exit_code code = session_open(cli, &client);
    if (code == EXIT_DONE)
        code = find_incident(cli, client, cli->arguments[0], &row, &id);
    if (code != EXIT_DONE)
        return code;
    if (client_clock(client, &now, &err) < 0)
        return cli_fail(cli, &err);
    if (cli->json) {
        output_json(row);
        return EXIT_DONE;
    }
    print_line(cli, row, "incident", "incident_id");
    print_line(cli, row, "instance", "instance_id");
    print_line(cli, row, "key", "business_key");
    printf("%-9s %s, version %s\n", "process", row_text(cli, row, "process"),
           row_text(cli, row, "version"));
    print_line(cli, row, "element", "element_id");
    printf("%-9s %s, %s\n", "since", moment_exact(&cli->arena, row_time(row, "at")),
           moment_relative(&cli->arena, row_time(row, "at"), row_time(now, "now")));
    if (row_int(row, "tries") > 0) /* of an external task its worker counts */
        print_line(cli, row, "failed", "tries");
    print_line(cli, row, "reason", "reason");
    print_line(cli, row, "cause", "cause");
    print_line(cli, row, "error", "message");
    print_line(cli, row, "details", "error_details");
    print_exchange(cli, json_object_get(row, "request"), json_object_get(row, "answer"));
    return EXIT_DONE;
}

/* ---- The list ---- */

static int fetch(struct cli *cli, struct client *client, const struct listing *listing,
                 json_t **ret_rows, struct err *err)
{
    const struct client_incidents filter = {.process = cli_option(cli, "process"),
                                            .element = cli_option(cli, "element"),
                                            .cause = cli_option(cli, "cause"),
                                            .instance = listing->instance,
                                            .limit = listing->most};

    return cli_has(cli, "groups") ? client_incident_groups(client, &filter, ret_rows, err)
                                  : client_incidents(client, &filter, ret_rows, err);
}

static enum exit_code run_incidents(struct cli *cli)
{
    bool groups = cli_has(cli, "groups");
    const struct listing listing = {.nothing = "no incidents",
                                    .columns = groups ? group_columns : incident_columns,
                                    .n_columns = groups ? ARRAY_LEN(group_columns)
                                                        : ARRAY_LEN(incident_columns),
                                    .fetch = fetch};

    if (cli->n_arguments == 1 && groups)
        return cli_usage(cli, NULL, "--groups and an ID do not go together");
    if (groups && cli_has(cli, "instance"))
        return cli_usage(cli, NULL, "--groups and --instance do not go together");
    return cli->n_arguments == 1 ? show_incident(cli) : listing_run(cli, &listing);
}

static const struct option incidents_options[] = {
    {"process", 'p', "PROCESS", "only of this process"},
    {"instance", 0, "ID", "only of this instance (id, beginning of the id, or business key)"},
    {"element", 0, "ID", "only of this element of the model"},
    {"cause", 0, "CAUSE", "only of this group"},
    {"groups", 'g', NULL, "by cause: process, element, and what happened without ids and numbers"},
    {"limit", 'n', "N", "at most so many, the oldest (default: 50)"},
};

const struct subcommand command_incidents = {
    .name = "incidents",
    .arguments = "[ID]",
    .summary = "list what went wrong and waits for somebody",
    .about =
        "Lists the incidents: commands that failed and wait until somebody has mended the "
        "cause. The "
        "instance stays where it was, nothing is lost.\n"
        "\n"
        "failedJob: all tries are used up. unknownOutcome: the engine died while a request "
        "was under way "
        "that may not simply be repeated; `pawl retry` then wants a decision.\n"
        "\n"
        "With an ID (of an incident, or an instance with one) everything that is known of it: the "
        "last request of a remote call, and what came back; of an external task, the details that "
        "its "
        "worker gave. Headers that look secret are masked.",
    .options = incidents_options,
    .n_options = ARRAY_LEN(incidents_options),
    .examples = "  pawl incidents --groups\n  pawl incidents --process order-delivery -o json\n"
                "  pawl incidents 4711\n",
    .max_arguments = 1,
    .database = true,
    .run = run_incidents,
};
