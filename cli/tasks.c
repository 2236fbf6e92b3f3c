/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>
#include <pwd.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/listing.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/variables.h"

static const char *for_whom(struct cli *cli, const json_t *row, int64_t now_us)
{
    const char *assignee = row_string(cli, row, "assignee");
    struct buf buf;
    const json_t *item;
    size_t i;

    (void)now_us;
    if (assignee != NULL)
        return assignee;
    buf_init(&buf, 0);
    json_array_foreach(json_object_get(row, "candidate_users"), i, item)
    {
        buf_printf(&buf, "%s%s", buf.len == 0 ? "" : ", ", json_string_value(item));
    }
    json_array_foreach(json_object_get(row, "candidate_groups"), i, item)
    {
        buf_printf(&buf, "%sgroup %s", buf.len == 0 ? "" : ", ", json_string_value(item));
    }
    const char *text = arena_printf(&cli->arena, "(%s)", buf.len == 0 ? "anybody" : buf_str(&buf));
    buf_deinit(&buf);
    return text;
}

static const char *task_name(struct cli *cli, const json_t *row, int64_t now_us)
{
    const char *name = row_string(cli, row, "name");

    (void)now_us;
    return name != NULL ? name : row_text(cli, row, "element_id");
}

static const struct table_column task_columns[] = {
    {"TASK", TABLE_ID, 18, 0, .member = "task_id"},
    {"NAME", TABLE_TEXT, 10, 0, .cell = task_name},
    {"KEY", TABLE_TEXT, 8, 2, .member = "business_key"},
    {"PROCESS", TABLE_TEXT, 8, 4, .member = "process"},
    {"FOR", TABLE_TEXT, 8, 1, .cell = for_whom},
    {"PRIO", TABLE_NUMBER, 0, 6, .member = "priority"},
    {"DUE", TABLE_AGO, 0, 3, .member = "due"},
    {"CREATED", TABLE_AGO, 0, 5, .member = "created"},
};

static int fetch(struct cli *cli, struct client *client, const struct listing *listing,
                 json_t **ret_rows, struct err *err)
{
    const struct client_tasks filter = {.assignee = cli_option(cli, "assignee"),
                                        .group = cli_option(cli, "group"),
                                        .process = cli_option(cli, "process"),
                                        .instance = listing->instance,
                                        .limit = listing->most};

    return client_tasks(client, &filter, ret_rows, err);
}

static enum exit_code run_tasks(struct cli *cli)
{
    static const struct listing listing = {.nothing = "no open tasks",
                                           .columns = task_columns,
                                           .n_columns = ARRAY_LEN(task_columns),
                                           .fetch = fetch};

    return listing_run(cli, &listing);
}

static const struct option tasks_options[] = {
    {"assignee", 0, "USER", "only tasks of this person"},
    {"group", 'g', "GROUP", "only tasks for this group"},
    {"process", 'p', "PROCESS", "only tasks of this process"},
    {"instance", 0, "ID", "only tasks of this instance (id, beginning of the id, or business key)"},
    {"tenant", 0, "NAME",
     "only tasks of this tenant (default: PAWL_TENANT, else all that you may see)"},
    {"limit", 'n', "N", "at most so many, the most urgent first (default: 50)"},
};

const struct subcommand command_tasks = {
    .name = "tasks",
    .arguments = "",
    .summary = "list what people have to do",
    .about = "Lists the open user tasks, by priority, then the oldest first. A name in parentheses "
             "may claim "
             "the task; one without is its assignee. With -o json each has the variables of its "
             "process.",
    .options = tasks_options,
    .n_options = ARRAY_LEN(tasks_options),
    .examples =
        "  pawl tasks\n  pawl tasks --group dispatch\n  pawl tasks --instance 4711 -o json\n",
    .database = true,
    .run = run_tasks,
};

/* ---- task complete, fail, claim, release ---- */

#define TASK_ARGUMENT                                                                              \
    "ID is the task's id, the beginning of it (at least 8 characters), or the business key of an " \
    "instance "                                                                                    \
    "with one open task."

static enum exit_code open_task(struct cli *cli, struct client **ret_client, struct uuid *ret_id,
                                double *ret_seconds)
{
    if (ret_seconds != NULL && outcome_timeout(cli, ret_seconds) < 0)
        return EXIT_USAGE;
    enum exit_code code = session_open(cli, ret_client);
    return code == EXIT_DONE ? find_task(cli, *ret_client, cli->arguments[0], ret_id) : code;
}

static enum exit_code run_complete(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL;
    const char *variables;
    struct err err = {0};
    struct uuid id;
    double seconds;

    enum exit_code code = variables_read(cli, &variables);
    if (code == EXIT_DONE)
        code = open_task(cli, &client, &id, &seconds);
    if (code != EXIT_DONE)
        return code;
    if (client_complete(client, &id, variables, &row, &err) < 0)
        return cli_fail(cli, &err);
    return outcome_report(cli, client, row, "completed", seconds, false);
}

static const struct option complete_options[] = {VARIABLE_OPTIONS, OUTCOME_TIMEOUT_OPTION};

const struct subcommand command_task_complete = {
    .name = "task complete",
    .arguments = "ID",
    .summary = "complete a task: its process goes on",
    .about =
        "Completes a user task; what is given becomes variables of the process. A completion that "
        "was "
        "accepted is never too late: nothing can interrupt the task any more.\n\n" TASK_ARGUMENT,
    .options = complete_options,
    .n_options = ARRAY_LEN(complete_options),
    .examples = "  pawl task complete 4711 -v lat=52.517 -v lon=13.389\n"
                "  pawl task complete 01998e3a-7c2e-7d --variables @answer.json\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_complete,
};

static enum exit_code run_fail(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL;
    const char *variables;
    struct err err = {0};
    struct uuid id;
    double seconds;

    enum exit_code code = variables_read(cli, &variables);
    if (code == EXIT_DONE)
        code = open_task(cli, &client, &id, &seconds);
    if (code != EXIT_DONE)
        return code;
    if (client_fail(client, &id, cli->arguments[1], cli_option(cli, "message"), variables, &row,
                    &err) < 0)
        return cli_fail(cli, &err);
    return outcome_report(cli, client, row, "failed with this error", seconds, false);
}

static const struct option fail_options[] = {
    {"message", 'm', "TEXT", "a text for people"}, VARIABLE_OPTIONS, OUTCOME_TIMEOUT_OPTION};

const struct subcommand command_task_fail = {
    .name = "task fail",
    .arguments = "ID CODE",
    .summary = "end a task with a BPMN error",
    .about = "Ends a user task with the BPMN error CODE, which a boundary error event of the task "
             "or of a "
             "process around it may catch.\n\n" TASK_ARGUMENT,
    .options = fail_options,
    .n_options = ARRAY_LEN(fail_options),
    .examples = "  pawl task fail 4711 FAKE_ADDRESS -m 'there is no such street'\n",
    .min_arguments = 2,
    .max_arguments = 2,
    .database = true,
    .run = run_fail,
};

static enum exit_code run_claim(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    const char *who = cli_option(cli, "as");
    const struct passwd *entry = who == NULL ? getpwuid(geteuid()) : NULL;
    json_auto_t *row = NULL;
    struct err err = {0};
    struct uuid id;

    if (who == NULL)
        who = entry != NULL ? entry->pw_name : NULL;
    if (who == NULL || *who == '\0')
        return cli_usage(cli, NULL, "who claims it? Say so with --as USER");
    enum exit_code code = open_task(cli, &client, &id, NULL);
    if (code != EXIT_DONE)
        return code;
    if (client_claim(client, &id, who, &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "claimed for %s", who);
}

static const struct option claim_options[] = {
    {"as", 0, "USER", "for whom (default: the name of your login here)"}};

const struct subcommand command_task_claim = {
    .name = "task claim",
    .arguments = "ID",
    .summary = "make somebody the one who does a task",
    .about = "Makes somebody the assignee of a task. Refused if it belongs to somebody "
             "else.\n\n" TASK_ARGUMENT,
    .options = claim_options,
    .n_options = ARRAY_LEN(claim_options),
    .examples = "  pawl task claim 4711 --as anna\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_claim,
};

static enum exit_code run_release(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL;
    struct err err = {0};
    struct uuid id;

    enum exit_code code = open_task(cli, &client, &id, NULL);
    if (code != EXIT_DONE)
        return code;
    if (client_release(client, &id, &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "released");
}

const struct subcommand command_task_release = {
    .name = "task release",
    .arguments = "ID",
    .summary = "give a task back",
    .about = "Takes the assignee from a task, so that others may claim it.\n\n" TASK_ARGUMENT,
    .examples = "  pawl task release 4711\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_release,
};
