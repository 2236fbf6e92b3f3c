/* SPDX-License-Identifier: Apache-2.0 */
/* `pawl alert`: what somebody should hear of, who does, and who is at it already. */
#include "base/build.h"

#include <jansson.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/listing.h"
#include "cli/members.h"
#include "cli/moment.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"
#include "store/json_text.h"

#define LOOK_MS 200
#define ALERT_BUS "alerts"

/* ---- list ---- */

/* "open", "muted until …", "over". */
static const char *state_of(struct cli *cli, const json_t *row, int64_t now_us)
{
    if (!json_is_true(json_object_get(row, "open")))
        return "over";
    if (row_string(cli, row, "muted_until") == NULL)
        return "open";
    int64_t until_us = row_time(row, "muted_until");
    return until_us == MOMENT_NONE ? "muted"
                                   : arena_printf(&cli->arena, "muted until %s",
                                                  moment_clock(&cli->arena, until_us, now_us));
}

static const struct table_column alert_columns[] = {
    {"ALERT", TABLE_ID, 8, 7, .member = "alert_id"},
    {"KIND", TABLE_TEXT, 0, 0, .member = "kind"},
    {"STATE", TABLE_STATE, 0, 0, .cell = state_of},
    {"SINCE", TABLE_AGO, 0, 3, .member = "at"},
    {"PROCESS", TABLE_TEXT, 8, 4, .member = "process"},
    {"KEY", TABLE_TEXT, 8, 5, .member = "business_key"},
    {"ELEMENT", TABLE_TEXT, 8, 1, .member = "element_id"},
    {"CAUSE", TABLE_TEXT, 0, 2, .member = "cause"},
    {"DELIVERY", TABLE_STATE, 0, 6, .member = "delivery"},
    {"WHAT HAPPENED", TABLE_TEXT, 20, 0, .member = "message"},
};

static int fetch(struct cli *cli, struct client *client, const struct listing *listing,
                 json_t **ret_rows, struct err *err)
{
    return client_alerts(client, cli_has(cli, "all"), listing->most, ret_rows, err);
}

static enum exit_code run_list(struct cli *cli)
{
    const struct listing listing = {
        .nothing =
            cli_has(cli, "all") ? "no alerts" : "no alert is open; --all shows those that are over",
        .columns = alert_columns,
        .n_columns = ARRAY_LEN(alert_columns),
        .fetch = fetch};

    return listing_run(cli, &listing);
}

static const struct option list_options[] = {
    {"all", 'a', NULL, "those that are over, and tests, too"},
    {"limit", 'n', "N", "at most so many, the newest (default: 50)"},
};

const struct subcommand command_alert_list = {
    .name = "alert list",
    .arguments = "",
    .summary = "list what somebody should hear of",
    .about = "Lists the alerts, the newest first: incidents (the first of a cause, then how many "
             "more there are), missed service levels, circuits that opened. STATE: `open`, it is "
             "still so; `muted`, somebody is at it; `over`. DELIVERY: what became of it at the "
             "targets (`pawl alert targets`).",
    .options = list_options,
    .n_options = ARRAY_LEN(list_options),
    .examples = "  pawl alert list\n  pawl alert list --all -o json\n",
    .database = true,
    .run = run_list,
};

/* ---- mute, unmute ---- */

static enum exit_code run_mute(struct cli *cli)
{
    static const char *const names[] = {"for", "reason"};
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *options = json_object(), *row = NULL;
    struct err err = {0};

    members_given(cli, names, ARRAY_LEN(names), options);
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_mute_alerts(client, cli->arguments[0], json_text_in(&cli->arena, options), &row,
                           &err) < 0)
        return cli_fail(cli, &err);
    int64_t until_us = row_time(row, "muted_until");
    return output_done(cli, row, "muted until %s",
                       until_us == INT64_MAX ? "its incidents are over"
                                             : moment_exact(&cli->arena, until_us));
}

static const struct option mute_options[] = {
    {"for", 0, "DURATION", "for so long only: PT2H, '2 hours'"},
    {"reason", 0, "TEXT", "why, and who is at it"},
};

const struct subcommand command_alert_mute = {
    .name = "alert mute",
    .arguments = "CAUSE",
    .summary = "somebody is at it: no more alerts of a cause",
    .about = "Nobody is told of more incidents of a cause (`pawl alert list` names it) until they "
             "are over, which is told. What comes after that is told of as ever.",
    .options = mute_options,
    .n_options = ARRAY_LEN(mute_options),
    .examples = "  pawl alert mute 3f2a9c01b7de --reason 'ticket 17, anna'\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_mute,
};

static enum exit_code run_unmute(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL;
    struct err err = {0};

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_unmute_alerts(client, cli->arguments[0], &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "heard again");
}

const struct subcommand command_alert_unmute = {
    .name = "alert unmute",
    .arguments = "CAUSE",
    .summary = "hear of a cause again",
    .about = "Ends what `pawl alert mute` began.",
    .examples = "  pawl alert unmute 3f2a9c01b7de\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_unmute,
};

/* ---- Targets ---- */

static const struct table_column target_columns[] = {
    {"TARGET", TABLE_TEXT, 8, 0, .member = "name"},
    {"ENDPOINT", TABLE_TEXT, 8, 0, .member = "endpoint"},
    {"PATH", TABLE_TEXT, 0, 4, .member = "path"},
    {"ENABLED", TABLE_TEXT, 0, 2, .member = "enabled"},
    {"PENDING", TABLE_NUMBER, 0, 1, .member = "pending"},
    {"FAILED", TABLE_NUMBER, 0, 1, .member = "failed"},
    {"KINDS", TABLE_LIST, 16, 3, .member = "kinds"},
};

static enum exit_code run_targets(struct cli *cli)
{
    static const struct listing listing = {
        .nothing = "nobody hears of alerts; `pawl alert set NAME ENDPOINT`",
        .columns = target_columns,
        .n_columns = ARRAY_LEN(target_columns),
        .fetch_all = client_alert_targets};

    return listing_run(cli, &listing);
}

const struct subcommand command_alert_targets = {
    .name = "alert targets",
    .arguments = "",
    .summary = "list who hears of alerts",
    .about = "Lists the targets of alerts. PENDING: alerts that the endpoint has not got yet. "
             "FAILED: given up; `pawl event replay failed --bus alerts` sends them again.",
    .examples = "  pawl alert targets\n",
    .database = true,
    .run = run_targets,
};

static enum exit_code read_target(struct cli *cli, json_t *options)
{
    static const char *const texts[] = {"path", "retries", "description"};
    json_auto_t *kinds = json_array();
    long attempts;

    if (cli_number(cli, "attempts", 1, 1000, 0, &attempts) < 0)
        return EXIT_USAGE;
    if (attempts != 0)
        json_object_set_new(options, "attempts", json_integer(attempts));
    members_given(cli, texts, ARRAY_LEN(texts), options);
    for (size_t i = 0; i < cli->n_given; i++)
        if (strcmp(cli->given[i].option->name, "kind") == 0)
            json_array_append_new(kinds, output_string(cli->given[i].value));
    if (json_array_size(kinds) > 0)
        json_object_set(options, "kinds", kinds);
    if (cli_has(cli, "disabled"))
        json_object_set_new(options, "enabled", json_false());
    return EXIT_DONE;
}

static enum exit_code run_set(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *options = json_object(), *row = NULL;
    struct err err = {0};
    double seconds;

    if (cli_seconds(cli, "timeout", 10, &seconds) < 0)
        return EXIT_USAGE;
    enum exit_code code = read_target(cli, options);
    if (code == EXIT_DONE)
        code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_set_alert_target(client, cli->arguments[0], cli->arguments[1],
                                json_text_in(&cli->arena, options), &row, &err) < 0)
        return cli_fail(cli, &err);
    return outcome_report(cli, client, row, cli->arguments[0], seconds, true);
}

static const struct option set_options[] = {
    {"kind", 0, "KIND",
     "only such alerts: incidentCreated, incidentsRepeated, incidentsResolved, "
     "serviceLevelMissed, circuitOpened; several are possible (default: all)"},
    {"path", 0, "PATH", "of the endpoint (default: none)"},
    {"retries", 0, "PAUSES",
     "between attempts: PT1S,PT1M,PT1H, or R5/PT1M (default: those of Standard Webhooks, ten "
     "attempts within some three days)"},
    {"attempts", 0, "N", "at most so many (default: as many as the pauses allow)"},
    {"description", 0, "TEXT", "for people"},
    {"disabled", 0, NULL, "it hears of nothing yet"},
    OUTCOME_IN_FORCE_OPTION,
};

const struct subcommand command_alert_set = {
    .name = "alert set",
    .arguments = "NAME ENDPOINT",
    .summary = "send alerts to an endpoint",
    .about = "Sends alerts to an endpoint, each as a POST with a JSON body, under the endpoint's "
             "limits and signed where it says so (`pawl endpoint set … --option sign.secret=…`). "
             "Setting NAME again replaces it.",
    .options = set_options,
    .n_options = ARRAY_LEN(set_options),
    .examples = "  pawl alert set on-call pager\n"
                "  pawl alert set desk chat --kind serviceLevelMissed --path /desk\n",
    .min_arguments = 2,
    .max_arguments = 2,
    .database = true,
    .run = run_set,
};

static enum exit_code run_drop(struct cli *cli)
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
    if (client_drop_event_rule(client, cli->arguments[0], ALERT_BUS, &row, &err) < 0)
        return cli_fail(cli, &err);
    return outcome_report(cli, client, row, "dropped", seconds, true);
}

static const struct option drop_options[] = {
    OUTCOME_IN_FORCE_OPTION,
};

const struct subcommand command_alert_drop = {
    .name = "alert drop",
    .arguments = "NAME",
    .summary = "send no more alerts there",
    .about = "Removes a target. What is on its way is still delivered.",
    .options = drop_options,
    .n_options = ARRAY_LEN(drop_options),
    .examples = "  pawl alert drop on-call\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_drop,
};

/* ---- try ---- */

/* Looks until it is delivered or given up; ret_row: as client_alert_tried() has it. */
static int await_delivery(struct client *client, const struct uuid *alert, double seconds,
                          json_t **ret_row, struct err *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};

    for (long left = (long)(seconds * 1000 / LOOK_MS);; left--) {
        if (client_alert_tried(client, alert, ret_row, err) < 0)
            return err_trace(err);
        const char *delivery = json_string_value(json_object_get(*ret_row, "delivery"));
        if (left <= 0 || delivery == NULL || strcmp(delivery, "delivered") == 0 ||
            strcmp(delivery, "failed") == 0)
            return 0;
        json_decref(*ret_row);
        *ret_row = NULL;
        nanosleep(&pause, NULL);
    }
}

static enum exit_code report_delivery(struct cli *cli, const json_t *row)
{
    const char *delivery = row_text(cli, row, "delivery"), *error = row_string(cli, row, "error");

    if (cli->json)
        output_json(row);
    if (strcmp(delivery, "delivered") == 0) {
        if (!cli->json)
            printf("delivered\n");
        return EXIT_DONE;
    }
    if (strcmp(delivery, "queued") == 0)
        return cli_refuse(cli, "is an engine running? `pawl up` starts one",
                          "no engine has taken the test alert up yet");
    return cli_refuse(cli,
                      strcmp(delivery, "failed") == 0
                          ? NULL
                          : "it is tried again by itself; `pawl endpoint show` tells how it is",
                      "not delivered%s: %s", strcmp(delivery, "failed") == 0 ? "" : " yet",
                      error != NULL ? error : "the endpoint has not answered");
}

static enum exit_code run_try(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *alert = NULL, *row = NULL;
    struct err err = {0};
    struct uuid id;
    double seconds;

    if (cli_seconds(cli, "timeout", 10, &seconds) < 0)
        return EXIT_USAGE;
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_try_alert_target(client, cli->arguments[0], &alert, &err) < 0)
        return cli_fail(cli, &err);
    if (!row_uuid(alert, "alert_id", &id))
        return cli_refuse(cli, NULL, "the database gave no id for the alert");
    if (await_delivery(client, &id, seconds, &row, &err) < 0)
        return cli_fail(cli, &err);
    return report_delivery(cli, row);
}

static const struct option try_options[] = {
    {"timeout", 0, "SECONDS", "how long to wait for the endpoint (default: 10)"},
};

const struct subcommand command_alert_try = {
    .name = "alert try",
    .arguments = "NAME",
    .summary = "send a test alert to a target",
    .about = "Sends a test alert to one target, by the way of all alerts, and says whether it got "
             "there, or what went wrong.",
    .options = try_options,
    .n_options = ARRAY_LEN(try_options),
    .examples = "  pawl alert try on-call\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_try,
};
