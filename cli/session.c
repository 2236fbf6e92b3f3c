/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "cli/datadir.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"

static const char *option_or_environment(const struct cli *cli, const char *option,
                                         const char *variable)
{
    const char *value = cli_option(cli, option);

    if (value == NULL)
        value = getenv(variable);
    return value != NULL && *value != '\0' ? value : NULL;
}

void database_named(const struct cli *cli, struct database *ret_database)
{
    const char *schema = option_or_environment(cli, "schema", "PAWL_SCHEMA");
    const char *data = option_or_environment(cli, "data", "PAWL_DATA");

    *ret_database = (struct database){
        .conninfo = option_or_environment(cli, "database", "PAWL_DATABASE"),
        .schema = schema != NULL ? schema : "pawl",
        .data = data != NULL ? data : DATADIR_DEFAULT,
        .named = cli_option(cli, "database") != NULL ? "--database" : "PAWL_DATABASE",
    };
}

enum exit_code session_database(struct cli *cli, struct database *ret_database)
{
    struct err err = {0};
    char hint[512];

    database_named(cli, ret_database);
    if (ret_database->conninfo != NULL)
        return EXIT_DONE;
    ret_database->directory = ret_database->data;
    if (datadir_read(cli, ret_database->data, "conninfo", &ret_database->conninfo, &err) < 0) {
        cli_fail(cli, &err);
        return EXIT_UNREACHABLE;
    }
    if (ret_database->conninfo != NULL)
        return EXIT_DONE;
    snprintf(hint, sizeof(hint),
             "start one with `pawl up%s%s`, or name one with --database or PAWL_DATABASE",
             cli_has(cli, "data") ? " --data " : "",
             cli_has(cli, "data") ? ret_database->data : "");
    cli_usage(cli, hint, "which database? There is no private one under %s", ret_database->data);
    return EXIT_UNREACHABLE;
}

enum exit_code session_unreachable(const struct cli *cli, const struct database *database,
                                   const struct err *err)
{
    char hint[512];

    if (database->directory == NULL) {
        snprintf(hint, sizeof(hint), "is the server up, and is %s right?", database->named);
        cli_usage(cli, hint, "%s", err->text);
        return EXIT_UNREACHABLE;
    }
    bool down = strstr(err->text, "No such file") != NULL || strstr(err->text, "refused") != NULL;
    snprintf(hint, sizeof(hint), "start it with `pawl up%s%s`",
             cli_has(cli, "data") ? " --data " : "", cli_has(cli, "data") ? database->data : "");
    cli_usage(cli, hint,
              down ? "the private PostgreSQL under %s is not running"
                   : "the private PostgreSQL under %s is not reachable: %s",
              database->data, err->text);
    return EXIT_UNREACHABLE;
}

enum exit_code session_open(struct cli *cli, struct client **ret_client)
{
    struct database database;
    struct err err = {0};
    char hint[512];

    enum exit_code code = session_database(cli, &database);
    if (code != EXIT_DONE)
        return code;
    struct client_options options = {.conninfo = database.conninfo, .schema = database.schema};
    if (options_has(cli->command, "tenant"))
        options.tenant = option_or_environment(cli, "tenant", "PAWL_TENANT");
    if (client_open(&options, ret_client, &err) == 0)
        return EXIT_DONE;
    if (err.code == ERR_LOST || err.code == ERR_DENIED)
        return session_unreachable(cli, &database, &err);
    if (err.code == ERR_NOT_FOUND) {
        snprintf(hint, sizeof(hint),
                 "make it with `pawl migrate`, or name another one with --schema or "
                 "PAWL_SCHEMA");
        return cli_refuse(cli, hint, "%s", err.text);
    }
    return cli_fail(cli, &err);
}

enum exit_code session_drop(struct cli *cli, int (*drop)(struct client *client, const char *name,
                                                         json_t **ret_row, struct err *err))
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    json_auto_t *row = NULL;

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (drop(client, cli->arguments[0], &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "%s dropped", cli->arguments[0]);
}
