/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "store/store.h"

static enum exit_code run_migrate(struct cli *cli)
{
    struct database database;
    struct err err = {0};
    int from = 0, to = 0;

    enum exit_code code = session_database(cli, &database);
    if (code != EXIT_DONE)
        return code;
    struct store_options options = {.conninfo = database.conninfo, .schema = database.schema};
    if (store_migrate(&options, &from, &to, &err) < 0)
        return err.code == ERR_LOST ? session_unreachable(cli, &database, &err)
                                    : cli_fail(cli, &err);
    if (cli->json) {
        json_t *line =
            json_pack("{s:s, s:i, s:i}", "schema", database.schema, "from", from, "to", to);
        output_json(line);
        json_decref(line);
    } else if (from == to) {
        printf("schema %s is at version %d already; its functions and views are those of this "
               "program\n",
               database.schema, to);
    } else if (from == 0) {
        printf("schema %s made, at version %d\n", database.schema, to);
    } else {
        printf("schema %s brought from version %d to %d\n", database.schema, from, to);
    }
    return EXIT_DONE;
}

const struct subcommand command_migrate = {
    .name = "migrate",
    .arguments = "",
    .summary = "make the engine's schema, or bring it up to date",
    .about =
        "Creates the schema with its tables, functions, views and roles, or upgrades it, in one "
        "transaction; then replaces the functions and views by those of this program. It may be "
        "run "
        "again at any time, also while engines work. Nothing is ever downgraded.\n"
        "\n"
        "`pawl up` does the same when it starts. Use this one where a role with more rights than "
        "the "
        "engine's makes the schema.\n"
        "\n"
        "The roles SCHEMA_start, SCHEMA_work, SCHEMA_read and SCHEMA_admin are made where the "
        "caller may "
        "make roles, else their rights go to those that exist.",
    .examples = "  pawl migrate --database 'host=db dbname=shop user=owner'\n"
                "  pawl migrate --schema pawl_test -o json\n",
    .database = true,
    .run = run_migrate,
};
