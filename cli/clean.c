/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "store/retain.h"

static enum exit_code run_clean(struct cli *cli)
{
    struct retain_report report;
    struct database database;
    struct err err = {0};

    enum exit_code code = session_database(cli, &database);
    if (code != EXIT_DONE)
        return code;
    struct store_options options = {.conninfo = database.conninfo, .schema = database.schema};
    if (store_retain(&options, true, &report, &err) < 0)
        return err.code == ERR_LOST && err.sqlstate[0] == '\0'
                   ? session_unreachable(cli, &database, &err)
                   : cli_fail(cli, &err);
    if (report.elsewhere)
        return cli_refuse(cli, "wait until it is done, and look again",
                          "another session is at it already");
    if (cli->json) {
        json_t *line =
            json_pack("{s:i, s:I, s:I, s:I}", "days_dropped", (int)report.days, "rows_kept",
                      (json_int_t)report.moved, "rows_dropped", (json_int_t)report.forgot,
                      "leftovers", (json_int_t)report.leftovers);
        output_json(line);
        json_decref(line);
    } else {
        printf("%u day%s of history dropped; %llu rows that are still needed were kept, %llu that "
               "were kept before are gone\n",
               report.days, report.days == 1 ? "" : "s", (unsigned long long)report.moved,
               (unsigned long long)report.forgot);
    }
    return EXIT_DONE;
}

const struct subcommand command_clean = {
    .name = "clean",
    .arguments = "",
    .summary = "drop history that is past its time",
    .about =
        "Drops the history that nobody needs any more: of instances that ended longer ago than "
        "camunda:historyTimeToLive of their definition says, or else the setting "
        "(set_retention() in SQL, [retention] in the configuration file), and that nobody holds "
        "(hold_history()). It goes day by day, so it stays up to two days longer.\n"
        "\n"
        "`pawl up` does the same every ten minutes. Use this one to see it happen.",
    .examples = "  pawl clean\n  pawl clean -o json\n",
    .database = true,
    .run = run_clean,
};
