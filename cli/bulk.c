/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>
#include <time.h>

#include "cli/bulk.h"
#include "cli/commands.h"
#include "cli/find.h"
#include "cli/listing.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "cli/session.h"
#include "store/json_text.h"

#define LOOK_MS 100

/* The options that are filters: their names here and in bulk(). */
static const char *const filters[][2] = {
    {"process", "process"},   {"key-prefix", "businessKeyPrefix"},
    {"since", "since"},       {"until", "until"},
    {"element", "element"},   {"cause", "cause"},
    {"endpoint", "endpoint"},
};

static const char *given(const struct cli *cli, const char *name)
{
    for (size_t i = cli->n_given; i-- > 0;) {
        if (strcmp(cli->given[i].option->name, name) == 0)
            return cli->given[i].value;
    }
    return NULL;
}

bool bulk_asked(const struct cli *cli)
{
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        if (given(cli, filters[i][0]) != NULL)
            return true;
    }
    return given(cli, "all") != NULL || given(cli, "version") != NULL;
}

static enum exit_code read_filter(const struct cli *cli, json_t *filter)
{
    long version;

    if (given(cli, "all") != NULL)
        json_object_set_new(filter, "all", json_true());
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        const char *value = given(cli, filters[i][0]);
        if (value != NULL)
            json_object_set_new(filter, filters[i][1], output_string(value));
    }
    if (given(cli, "version") == NULL)
        return EXIT_DONE;
    if (cli_number(cli, "version", 1, 999999999, 1, &version) < 0)
        return EXIT_USAGE;
    json_object_set_new(filter, "version", json_integer(version));
    return EXIT_DONE;
}

static enum exit_code read_pace(const struct cli *cli, json_t *options)
{
    const char *text = given(cli, "pace");

    if (given(cli, "reason") != NULL)
        json_object_set_new(options, "reason", output_string(given(cli, "reason")));
    if (text == NULL)
        return EXIT_DONE;
    json_t *pace = json_loads(text, JSON_DECODE_ANY, NULL);
    if (!json_is_number(pace)) {
        json_decref(pace);
        return cli_usage(cli, "0 is as fast as the engine takes them",
                         "--pace must be how many a second, not \"%s\"", text);
    }
    if (json_number_value(pace) == 0) {
        json_decref(pace);
        pace = json_null();
    }
    json_object_set_new(options, "pace", pace);
    return EXIT_DONE;
}

static const struct table_column incidents_meant[] = {
    {"N", TABLE_NUMBER, 0, 0, .member = "matching"},
    {"PROCESS", TABLE_TEXT, 8, 2, .member = "process"},
    {"VERSION", TABLE_NUMBER, 0, 4, .member = "version"},
    {"ELEMENT", TABLE_TEXT, 8, 1, .member = "element_id"},
    {"CAUSE", TABLE_TEXT, 0, 3, .member = "cause"},
    {"WHAT HAPPENED", TABLE_TEXT, 20, 0, .member = "pattern"},
    {"LEFT OUT", TABLE_TEXT, 0, 0, .member = "left_out"},
};

static const struct table_column instances_meant[] = {
    {"N", TABLE_NUMBER, 0, 0, .member = "matching"},
    {"PROCESS", TABLE_TEXT, 8, 0, .member = "process"},
    {"VERSION", TABLE_NUMBER, 0, 1, .member = "version"},
    {"LEFT OUT", TABLE_TEXT, 0, 0, .member = "left_out"},
};

static void print_preview(struct cli *cli, const json_t *rows, const char *action)
{
    json_int_t n = 0;
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        if (row_string(cli, row, "left_out") == NULL)
            n += row_int(row, "matching");
    }
    if (json_array_size(rows) > 0 && strcmp(action, "retry") == 0)
        table_print(cli, incidents_meant, ARRAY_LEN(incidents_meant), rows, MOMENT_NONE);
    else if (json_array_size(rows) > 0)
        table_print(cli, instances_meant, ARRAY_LEN(instances_meant), rows, MOMENT_NONE);
    printf("%lld would be taken; nothing was changed\n", (long long)n);
}

/* Its row in the view, when it has ended or the time is over. */
static int wait_for_end(struct client *client, const struct uuid *id, double seconds,
                        json_t **ret_row, struct err *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};

    for (long left = (long)(seconds * 1000 / LOOK_MS);; left--) {
        json_auto_t *rows = NULL;
        if (client_bulks(client, id, id, true, 1, &rows, err) < 0)
            return err_trace(err);
        json_t *row = json_array_get(rows, 0);
        const char *state = json_string_value(json_object_get(row, "state"));
        if (left <= 0 || state == NULL || strcmp(state, "running") != 0) {
            *ret_row = json_incref(row);
            return 0;
        }
        nanosleep(&pause, NULL);
    }
}

/* "5 retries" */
static const char *counted(struct cli *cli, const json_t *row, long long n)
{
    static const char *const words[][3] = {{"retry", "retry", "retries"},
                                           {"cancel", "cancellation", "cancellations"},
                                           {"suspend", "suspension", "suspensions"},
                                           {"resume", "resumption", "resumptions"}};
    const char *action = row_text(cli, row, "action");

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(action, words[i][0]) == 0)
            return arena_printf(&cli->arena, "%lld %s", n, words[i][n == 1 ? 1 : 2]);
    return arena_printf(&cli->arena, "%lld", n);
}

static void print_row(struct cli *cli, const json_t *row)
{
    const char *state = row_text(cli, row, "state");
    long long handed = row_int(row, "handed"), matching = row_int(row, "matching");
    const json_t *pace = json_object_get(row, "pace");

    if (strcmp(state, "running") != 0) {
        printf("%s asked for%s\n", counted(cli, row, handed),
               matching == 0 ? ": nothing matches" : "");
        return;
    }
    printf("%lld of %s asked for; it goes on", handed, counted(cli, row, matching));
    if (json_is_number(pace) && json_number_value(pace) > 0)
        printf(" at %g a second, for %s", json_number_value(pace),
               moment_span(&cli->arena,
                           (int64_t)((double)(matching - handed) * 1e6 / json_number_value(pace))));
    printf("\n");
    cli_note(cli, "`pawl bulk list` shows how far it is, `pawl bulk stop %.18s` ends it",
             row_text(cli, row, "bulk_id"));
}

static enum exit_code begin(struct cli *cli, struct client *client, const char *action,
                            const char *filter, const char *options, double seconds)
{
    json_auto_t *begun = NULL, *row = NULL;
    struct err err = {0};
    struct uuid id;

    if (client_bulk(client, action, filter, options, &begun, &err) < 0)
        return cli_fail(cli, &err);
    if (!row_uuid(begun, "bulk_id", &id))
        return cli_refuse(cli, NULL, "the database gave no id for what was asked");
    if (wait_for_end(client, &id, seconds, &row, &err) < 0)
        return cli_fail(cli, &err);
    if (cli->json)
        output_json(row);
    else
        print_row(cli, row);
    return EXIT_DONE;
}

static enum exit_code dry_run(struct cli *cli, struct client *client, const char *action,
                              const char *filter, const char *options)
{
    json_auto_t *rows = NULL;
    struct err err = {0};

    if (client_bulk_preview(client, action, filter, options, &rows, &err) < 0)
        return cli_fail(cli, &err);
    if (cli->json)
        output_json_lines(rows);
    else
        print_preview(cli, rows, action);
    return EXIT_DONE;
}

enum exit_code bulk_run(struct cli *cli, struct client *client, const char *action, json_t *options,
                        double seconds)
{
    json_auto_t *filter = json_object();
    enum exit_code code = read_filter(cli, filter);

    if (code == EXIT_DONE)
        code = read_pace(cli, options);
    if (code != EXIT_DONE)
        return code;
    const char *filter_text = json_text_in(&cli->arena, filter);
    const char *options_text = json_text_in(&cli->arena, options);
    return given(cli, "dry-run") != NULL
               ? dry_run(cli, client, action, filter_text, options_text)
               : begin(cli, client, action, filter_text, options_text, seconds);
}

/* ---- bulk list ---- */

static const struct table_column bulk_columns[] = {
    {"BULK", TABLE_ID, 18, 0, .member = "bulk_id"},
    {"ACTION", TABLE_TEXT, 0, 0, .member = "action"},
    {"STATE", TABLE_STATE, 0, 0, .member = "state"},
    {"DONE", TABLE_NUMBER, 0, 0, .member = "handed"},
    {"OF", TABLE_NUMBER, 0, 0, .member = "matching"},
    {"PACE", TABLE_NUMBER, 0, 3, .member = "pace"},
    {"SINCE", TABLE_AGO, 0, 2, .member = "at"},
    {"BY", TABLE_TEXT, 8, 4, .member = "actor"},
    {"FILTER", TABLE_TEXT, 12, 1, .member = "filter"},
};

static int fetch(struct cli *cli, struct client *client, const struct listing *listing,
                 json_t **ret_rows, struct err *err)
{
    return client_bulks(client, NULL, NULL, cli_has(cli, "all"), listing->most, ret_rows, err);
}

static enum exit_code run_list(struct cli *cli)
{
    const struct listing listing = {
        .nothing = cli_has(cli, "all") ? "nothing" : "nothing is under way; --all shows what was",
        .columns = bulk_columns,
        .n_columns = ARRAY_LEN(bulk_columns),
        .fetch = fetch};

    return listing_run(cli, &listing);
}

static const struct option list_options[] = {
    {"all", 'a', NULL, "what has ended, too"},
    {"limit", 'n', "N", "at most so many, the newest (default: 50)"},
};

const struct subcommand command_bulk_list = {
    .name = "bulk list",
    .arguments = "",
    .summary = "show what was asked for many at once",
    .about =
        "Lists what `pawl retry`, `cancel`, `suspend` and `resume` were asked to do to many at "
        "once, how far it is, and who asked.",
    .options = list_options,
    .n_options = ARRAY_LEN(list_options),
    .examples = "  pawl bulk list\n  pawl bulk list --all -o json\n",
    .database = true,
    .run = run_list,
};

/* ---- bulk stop ---- */

static enum exit_code find_bulk(struct cli *cli, struct client *client, const char *text,
                                struct uuid *ret_id)
{
    json_auto_t *rows = NULL;
    struct err err = {0};
    struct uuid low, high;

    if (uuid_parse(text, ret_id))
        return EXIT_DONE;
    if (find_prefix(text, &low, &high) &&
        client_bulks(client, &low, &high, true, 2, &rows, &err) < 0)
        return cli_fail(cli, &err);
    if (json_array_size(rows) == 1 && row_uuid(json_array_get(rows, 0), "bulk_id", ret_id))
        return EXIT_DONE;
    return cli_refuse(cli, "`pawl bulk list --all` lists them",
                      json_array_size(rows) > 1 ? "the ids of several begin with \"%s\""
                                                : "there is none with the id \"%s\"",
                      text);
}

static enum exit_code run_stop(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL;
    struct err err = {0};
    struct uuid id;

    enum exit_code code = session_open(cli, &client);
    if (code == EXIT_DONE)
        code = find_bulk(cli, client, cli->arguments[0], &id);
    if (code != EXIT_DONE)
        return code;
    if (client_bulk_stop(client, &id, &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "stopped after %s", row_text(cli, row, "handed"));
}

const struct subcommand command_bulk_stop = {
    .name = "bulk stop",
    .arguments = "ID",
    .summary = "end what was asked for many at once",
    .about = "Nothing more is handed to the engine. What was handed out is carried out.\n"
             "\n"
             "ID is its id, or the beginning of it (at least 8 characters).",
    .examples = "  pawl bulk stop 01998e3a-7c2e-7d\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_stop,
};
