/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"

/* "none" is 0; anything that is no number is -1, and the database says what is too much. */
static int number(const char *text)
{
    char *end;

    if (strcmp(text, "none") == 0)
        return 0;
    long most = strtol(text, &end, 10);
    return text[0] == '\0' || *end != '\0' || most < 1 || most > INT32_MAX ? -1 : (int)most;
}

static enum exit_code say_most(const struct cli *cli, const json_t *row, int most)
{
    if (most == 0)
        return output_done(cli, row, "%s: as many at the same time as there are",
                           cli->arguments[0]);
    return output_done(cli, row, "%s: %d at the same time", cli->arguments[0], most);
}

/* Without a number: what holds. */
static enum exit_code show(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *rows = NULL;
    struct err err = {0};
    json_t *row;
    size_t i;

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_definitions(client, false, &rows, &err) < 0)
        return cli_fail(cli, &err);
    json_array_foreach(rows, i, row)
    {
        if (strcmp(row_text(cli, row, "process"), cli->arguments[0]) != 0)
            continue;
        json_auto_t *found = json_pack("{s:O, s:O}", "process", json_object_get(row, "process"),
                                       "concurrency", json_object_get(row, "concurrency"));
        return say_most(cli, found, (int)row_int(row, "concurrency"));
    }
    return cli_refuse(cli, "`pawl definitions` lists the processes",
                      "the process \"%s\" is not deployed", cli->arguments[0]);
}

static enum exit_code run_concurrency(struct cli *cli)
{
    if (cli->n_arguments == 1)
        return show(cli);
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL;
    struct err err = {0};
    int most = number(cli->arguments[1]);

    if (most < 0)
        return cli_usage(cli, "pawl concurrency PROCESS 4, or: pawl concurrency PROCESS none",
                         "\"%s\" is neither a number nor \"none\"", cli->arguments[1]);
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_set_concurrency(client, cli->arguments[0], most, &row, &err) < 0)
        return cli_fail(cli, &err);
    return say_most(cli, row, most);
}

const struct subcommand command_concurrency = {
    .name = "concurrency",
    .arguments = "PROCESS [N|none]",
    .summary = "limit how many instances of a process are carried on at once",
    .about = "At most N instances of the process, of all its versions, are carried on at the same "
             "moment by all nodes together; the others stay in the queue, in their order. For "
             "steps that are heavy on something else, such as SQL delegates. Instances that wait "
             "for something are not counted. Remote calls are limited by their endpoint "
             "(`pawl endpoint set`). Counts within two seconds. Without N it says what holds.",
    .examples = "  pawl concurrency month-end 1\n"
                "  pawl concurrency month-end none\n",
    .min_arguments = 1,
    .max_arguments = 2,
    .database = true,
    .run = run_concurrency,
};
