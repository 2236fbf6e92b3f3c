/* SPDX-License-Identifier: Apache-2.0 */
/* `pawl event`: events on buses, the rules that pick them, what became of them. */
#include "base/build.h"

#include <jansson.h>

#include "base/limits.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"
#include "events/pattern.h"
#include "events/target.h"
#include "store/json_text.h"

#define BUS_OPTION                                                                                 \
    {                                                                                              \
        "bus", 0, "NAME", "of this bus (default: default)"                                         \
    }

static const char *bus_of(struct cli *cli)
{
    return cli_has(cli, "bus") ? cli_option(cli, "bus") : "default";
}

/* JSON from the command line: itself, @FILE, or - for stdin. */
static enum exit_code read_json(struct cli *cli, const char *given, const char **ret_text,
                                size_t *ret_n)
{
    bool file = given[0] == '@' || strcmp(given, "-") == 0;
    struct err err = {0};

    *ret_text = given;
    *ret_n = strlen(given);
    if (file && cli_read_file(cli, given[0] == '@' ? given + 1 : given, LIMIT_EVENTS_BYTES,
                              ret_text, ret_n, &err) < 0)
        return cli_fail(cli, &err);
    return EXIT_DONE;
}

static enum exit_code parse_json(struct cli *cli, const char *what, const char *given,
                                 json_t **ret_value)
{
    json_error_t error;
    const char *text;
    size_t n;

    enum exit_code code = read_json(cli, given, &text, &n);
    if (code != EXIT_DONE)
        return code;
    *ret_value = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (*ret_value == NULL)
        return cli_refuse(cli, NULL, "%s is no JSON: %s", what, error.text);
    return EXIT_DONE;
}

/* ---- put ---- */

static enum exit_code run_put(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    const char *key = cli_option(cli, "key");
    json_auto_t *entry = json_object(), *row = NULL;
    json_t *detail = NULL;
    struct err err = {0};

    enum exit_code code = parse_json(
        cli, "the detail", cli_has(cli, "detail") ? cli_option(cli, "detail") : "{}", &detail);
    if (code != EXIT_DONE)
        return code;
    json_object_set_new(entry, "detail", detail);
    json_object_set_new(entry, "source", output_string(cli->arguments[0]));
    json_object_set_new(entry, "detailType", output_string(cli->arguments[1]));
    json_object_set_new(entry, "bus", output_string(bus_of(cli)));
    if (key != NULL)
        json_object_set_new(entry, "dedupeKey", output_string(key));
    code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_put_event(client, json_text_in(&cli->arena, entry), &row, &err) < 0)
        return cli_fail(cli, &err);
    const char *wrong = row_string(cli, row, "error_message");
    if (wrong != NULL)
        return cli_refuse(cli, NULL, "%s: %s", row_text(cli, row, "error_code"), wrong);
    return output_done(cli, row, "%s", row_text(cli, row, "event_id"));
}

static const struct option put_options[] = {
    {"detail", 'd', "JSON", "what there is to say, an object; @FILE or - (stdin)"},
    BUS_OPTION,
    {"key", 'k', "KEY", "your own id of the event: another one with it is dropped"},
};

const struct subcommand command_event_put = {
    .name = "event put",
    .arguments = "SOURCE TYPE",
    .summary = "put an event on a bus",
    .about = "Puts an event on a bus and prints its id. Rules that match give it to their targets.",
    .options = put_options,
    .n_options = ARRAY_LEN(put_options),
    .examples = "  pawl event put shop order.paid -d '{\"order\": 4711}'\n",
    .min_arguments = 2,
    .max_arguments = 2,
    .database = true,
    .run = run_put,
};

/* ---- list, deliveries ---- */

static const struct table_column event_columns[] = {
    {"EVENT", TABLE_ID, 8, 0, .member = "event_id"},
    {"STATE", TABLE_STATE, 0, 0, .member = "state"},
    {"BUS", TABLE_TEXT, 0, 3, .member = "bus"},
    {"SOURCE", TABLE_TEXT, 10, 0, .member = "source"},
    {"TYPE", TABLE_TEXT, 10, 0, .member = "detail_type"},
    {"DETAIL", TABLE_TEXT, 16, 2, .member = "detail"},
};

static int fetch_events(struct cli *cli, struct client *client, const struct listing *listing,
                        json_t **ret_rows, struct err *err)
{
    return client_events_put(client, cli_option(cli, "state"), cli_option(cli, "bus"),
                             listing->most, ret_rows, err);
}

static int fetch_unmatched(struct cli *cli, struct client *client, const struct listing *listing,
                           json_t **ret_rows, struct err *err)
{
    return client_events_put(client, "unmatched", cli_option(cli, "bus"), listing->most, ret_rows,
                             err);
}

static enum exit_code run_list(struct cli *cli)
{
    static const struct listing listing = {.nothing = "no such events",
                                           .columns = event_columns,
                                           .n_columns = ARRAY_LEN(event_columns),
                                           .fetch = fetch_events};

    return listing_run(cli, &listing);
}

static enum exit_code run_unmatched(struct cli *cli)
{
    static const struct listing listing = {.nothing = "no such events",
                                           .columns = event_columns,
                                           .n_columns = ARRAY_LEN(event_columns),
                                           .fetch = fetch_unmatched};

    return listing_run(cli, &listing);
}

#define LIMIT_OPTION                                                                               \
    {                                                                                              \
        "limit", 'n', "N", "at most so many, the newest (default: 50)"                             \
    }

static const struct option list_options[] = {
    {"bus", 0, "NAME", "of this bus"},
    LIMIT_OPTION,
    {"state", 0, "STATE", "queued, unmatched, matched or failed"},
};

const struct subcommand command_event_list = {
    .name = "event list",
    .arguments = "",
    .summary = "list the events that were put",
    .about = "Lists the events that were put on a bus, the newest first, and what became of them.",
    .options = list_options,
    .n_options = ARRAY_LEN(list_options),
    .examples = "  pawl event list --state failed\n",
    .database = true,
    .run = run_list,
};

const struct subcommand command_event_unmatched = {
    .name = "event unmatched",
    .arguments = "",
    .summary = "list the events that no rule wanted",
    .about =
        "Lists the events that no rule wanted. Make a rule, then `pawl event replay unmatched`.",
    .options = list_options,
    .n_options = 2,
    .examples = "  pawl event unmatched --bus orders\n",
    .database = true,
    .run = run_unmatched,
};

static const struct table_column delivery_columns[] = {
    {"EVENT", TABLE_ID, 8, 0, .member = "event_id"},
    {"RULE", TABLE_TEXT, 8, 0, .member = "rule"},
    {"TARGET", TABLE_TEXT, 0, 0, .member = "target"},
    {"KIND", TABLE_TEXT, 0, 2, .member = "kind"},
    {"STATE", TABLE_STATE, 0, 0, .member = "state"},
    {"TRIES", TABLE_NUMBER, 0, 3, .member = "tries"},
    {"RESULT", TABLE_TEXT, 0, 4, .member = "result"},
    {"ERROR", TABLE_TEXT, 20, 0, .member = "error"},
};

static int fetch_deliveries(struct cli *cli, struct client *client, const struct listing *listing,
                            json_t **ret_rows, struct err *err)
{
    return client_event_deliveries(client, cli_has(cli, "failed"), listing->most, ret_rows, err);
}

static enum exit_code run_deliveries(struct cli *cli)
{
    static const struct listing listing = {.nothing = "no deliveries",
                                           .columns = delivery_columns,
                                           .n_columns = ARRAY_LEN(delivery_columns),
                                           .fetch = fetch_deliveries};

    return listing_run(cli, &listing);
}

static const struct option delivery_options[] = {
    {"failed", 0, NULL, "only dead letters"},
    LIMIT_OPTION,
};

const struct subcommand command_event_deliveries = {
    .name = "event deliveries",
    .arguments = "",
    .summary = "list what targets got of events, and dead letters",
    .about = "Lists the deliveries of events to the targets of rules, the newest first.",
    .options = delivery_options,
    .n_options = ARRAY_LEN(delivery_options),
    .examples = "  pawl event deliveries --failed\n",
    .database = true,
    .run = run_deliveries,
};

/* ---- rules ---- */

static const struct table_column rule_columns[] = {
    {"BUS", TABLE_TEXT, 0, 0, .member = "bus"},
    {"RULE", TABLE_TEXT, 8, 0, .member = "name"},
    {"ENABLED", TABLE_TEXT, 0, 3, .member = "enabled"},
    {"PATTERN", TABLE_TEXT, 20, 0, .member = "pattern"},
    {"TARGETS", TABLE_TEXT, 20, 2, .member = "targets"},
};

static int fetch_rules(struct cli *cli, struct client *client, const struct listing *listing,
                       json_t **ret_rows, struct err *err)
{
    (void)listing;
    return client_event_rules(client, cli_option(cli, "bus"), ret_rows, err);
}

static enum exit_code run_rules(struct cli *cli)
{
    static const struct listing listing = {.nothing = "no rules; `pawl event set-rule` makes one",
                                           .columns = rule_columns,
                                           .n_columns = ARRAY_LEN(rule_columns),
                                           .fetch = fetch_rules};

    return listing_run(cli, &listing);
}

static const struct option bus_options[] = {{"bus", 0, "NAME", "of this bus"}};

const struct subcommand command_event_rules = {
    .name = "event rules",
    .arguments = "",
    .summary = "list the rules of the event buses",
    .about = "Lists the rules: which events they want, and who gets them.",
    .options = bus_options,
    .n_options = ARRAY_LEN(bus_options),
    .examples = "  pawl event rules --bus orders\n",
    .database = true,
    .run = run_rules,
};

/* Judged here, too: nobody has to wait for an engine to learn of a slip. */
static enum exit_code check_rule(struct cli *cli, const char *pattern, size_t pattern_n,
                                 const char *targets, size_t targets_n)
{
    const struct event_pattern *read;
    struct target *list;
    struct err err = {0};
    size_t n;

    if (event_pattern_read(&cli->arena, pattern, pattern_n, &read, &err) < 0 ||
        targets_read(&cli->arena, targets, targets_n, &list, &n, &err) < 0)
        return cli_refuse(cli, "docs/events.md shows patterns and targets", "%s", err.text);
    return EXIT_DONE;
}

static enum exit_code run_set_rule(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    const char *pattern, *targets, *description = cli_option(cli, "description");
    size_t pattern_n, targets_n;
    json_auto_t *options = json_object(), *row = NULL;
    struct err err = {0};
    double seconds;

    if (cli_seconds(cli, "timeout", 10, &seconds) < 0)
        return EXIT_USAGE;
    enum exit_code code = read_json(cli, cli->arguments[1], &pattern, &pattern_n);
    if (code == EXIT_DONE)
        code = read_json(cli, cli->arguments[2], &targets, &targets_n);
    if (code == EXIT_DONE)
        code = check_rule(cli, pattern, pattern_n, targets, targets_n);
    if (code == EXIT_DONE)
        code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (description != NULL)
        json_object_set_new(options, "description", output_string(description));
    if (cli_has(cli, "disabled"))
        json_object_set_new(options, "enabled", json_false());
    if (client_set_event_rule(client, cli->arguments[0], pattern, targets, bus_of(cli),
                              json_text_in(&cli->arena, options), &row, &err) < 0)
        return cli_fail(cli, &err);
    return outcome_report(cli, client, row, cli->arguments[0], seconds, true);
}

static const struct option set_rule_options[] = {
    BUS_OPTION,
    {"description", 0, "TEXT", "for people"},
    {"disabled", 0, NULL, "it wants nothing yet"},
    OUTCOME_IN_FORCE_OPTION,
};

const struct subcommand command_event_set_rule = {
    .name = "event set-rule",
    .arguments = "NAME PATTERN TARGETS",
    .summary = "make or replace a rule",
    .about = "Makes a rule, or replaces it. PATTERN is an event pattern, TARGETS an array of "
             "targets: JSON, @FILE or - (stdin). docs/events.md shows both.",
    .options = set_rule_options,
    .n_options = ARRAY_LEN(set_rule_options),
    .examples = "  pawl event set-rule paid '{\"source\": [\"shop\"]}' \\\n"
                "      '[{\"startProcess\": {\"process\": \"order\", \"businessKey\": "
                "\"<$.detail.order>\"}}]'\n",
    .min_arguments = 3,
    .max_arguments = 3,
    .database = true,
    .run = run_set_rule,
};

static enum exit_code run_drop_rule(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL;
    struct err err = {0};
    double seconds;

    if (cli_seconds(cli, "timeout", 10, &seconds) < 0)
        return EXIT_USAGE;
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_drop_event_rule(client, cli->arguments[0], bus_of(cli), &row, &err) < 0)
        return cli_fail(cli, &err);
    return outcome_report(cli, client, row, "dropped", seconds, true);
}

static const struct option drop_rule_options[] = {BUS_OPTION, OUTCOME_IN_FORCE_OPTION};

const struct subcommand command_event_drop_rule = {
    .name = "event drop-rule",
    .arguments = "NAME",
    .summary = "remove a rule",
    .about = "Removes a rule. Events that were put before still meet it.",
    .options = drop_rule_options,
    .n_options = ARRAY_LEN(drop_rule_options),
    .examples = "  pawl event drop-rule paid --bus orders\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_drop_rule,
};

/* ---- test ---- */

static enum exit_code run_test(struct cli *cli)
{
    const struct event_pattern *pattern;
    struct event_fields fields;
    const char *text, *event;
    struct value value;
    struct err err = {0};
    size_t n, event_n;

    enum exit_code code = read_json(cli, cli->arguments[0], &text, &n);
    if (code == EXIT_DONE)
        code = read_json(cli, cli->arguments[1], &event, &event_n);
    if (code != EXIT_DONE)
        return code;
    if (event_pattern_read(&cli->arena, text, n, &pattern, &err) < 0)
        return cli_refuse(cli, NULL, "%s", err.text);
    if (value_read(&cli->arena, event, event_n, &value, &err) < 0)
        return cli_refuse(cli, NULL, "the event is no JSON: %s", err.text);
    event_fields_read(&cli->arena, &value, &fields);
    bool matches = event_pattern_match(pattern, &fields, &cli->arena) == PATTERN_MATCHES;
    if (cli->json)
        printf("{\"matches\":%s}\n", matches ? "true" : "false");
    else
        printf("%s\n", matches ? "matches" : "does not match");
    return matches ? EXIT_DONE : EXIT_REFUSED;
}

const struct subcommand command_event_test = {
    .name = "event test",
    .arguments = "PATTERN EVENT",
    .summary = "try a pattern on an event",
    .about = "Says whether an event matches a pattern (exit code 0) or not (1); needs no database. "
             "Both are JSON, @FILE or - (stdin). The event is what rules see: {\"source\": …, "
             "\"detail-type\": …, \"detail\": {…}}.",
    .examples =
        "  pawl event test '{\"source\": [{\"prefix\": \"sh\"}]}' '{\"source\": \"shop\"}'\n",
    .min_arguments = 2,
    .max_arguments = 2,
    .run = run_test,
};

/* ---- replay ---- */

static enum exit_code run_replay(struct cli *cli)
{
    static const char *const names[][2] = {{"bus", "bus"},         {"source", "source"},
                                           {"type", "detailType"}, {"rule", "rule"},
                                           {"from", "from"},       {"until", "until"}};
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *filter = json_object(), *options = json_object(), *row = NULL;
    struct err err = {0};
    long limit;

    if (cli_number(cli, "limit", 1, 100000, 10000, &limit) < 0)
        return EXIT_USAGE;
    json_object_set_new(filter, "state", output_string(cli->arguments[0]));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (cli_has(cli, names[i][0]))
            json_object_set_new(filter, names[i][1], output_string(cli_option(cli, names[i][0])));
    json_object_set_new(options, "limit", json_integer(limit));
    if (cli_has(cli, "dry-run"))
        json_object_set_new(options, "dryRun", json_true());
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_replay_events(client, json_text_in(&cli->arena, filter),
                             json_text_in(&cli->arena, options), &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "%s of %s replayed", row_text(cli, row, "replayed"),
                       row_text(cli, row, "matching"));
}

static const struct option replay_options[] = {
    {"bus", 0, "NAME", "of this bus"},
    {"source", 0, "SOURCE", "from this source"},
    {"type", 0, "TYPE", "of this detail-type"},
    {"rule", 0, "RULE", "of this rule, or for this rule alone"},
    {"from", 0, "TIME", "put at or after (2026-11-22T08:00:00Z)"},
    {"until", 0, "TIME", "put before"},
    {"limit", 'n', "N", "at most so many, the oldest (default: 10000)"},
    {"dry-run", 0, NULL, "only count"},
};

const struct subcommand command_event_replay = {
    .name = "event replay",
    .arguments = "unmatched|failed|all",
    .summary = "send events through the rules once more",
    .about = "Sends events through the rules once more: those that no rule wanted, deliveries that "
             "failed (each to its own target alone), or all.",
    .options = replay_options,
    .n_options = ARRAY_LEN(replay_options),
    .examples = "  pawl event replay failed --rule paid --dry-run\n"
                "  pawl event replay unmatched --source shop\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_replay,
};

/* ---- bus ---- */

static enum exit_code run_bus(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL;
    struct err err = {0};

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_set_event_bus(client, cli->arguments[0], &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "%s", cli->arguments[0]);
}

const struct subcommand command_event_bus = {
    .name = "event bus",
    .arguments = "NAME",
    .summary = "make an event bus",
    .about = "Makes an event bus. The bus `default` is always there.",
    .examples = "  pawl event bus orders\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_bus,
};
