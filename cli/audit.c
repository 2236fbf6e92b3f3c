/* SPDX-License-Identifier: Apache-2.0 */
/* `pawl audit`: who did what. */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/listing.h"

static const struct table_column audit_columns[] = {
    {"AT", TABLE_TIME, 0, 0, .member = "at"},
    {"WHO", TABLE_TEXT, 8, 0, .member = "actor"},
    {"DID", TABLE_TEXT, 0, 0, .member = "kind"},
    {"TO", TABLE_TEXT, 8, 0, .member = "subject"},
    {"TENANT", TABLE_TEXT, 6, 2, .member = "tenant"},
    {"FROM", TABLE_TEXT, 8, 1, .member = "address"},
    {"DETAIL", TABLE_TEXT, 16, 0, .member = "detail"},
};

static int fetch(struct cli *cli, struct client *client, const struct listing *listing,
                 json_t **ret_rows, struct err *err)
{
    const struct client_audit filter = {.since = cli_option(cli, "since"),
                                        .until = cli_option(cli, "until"),
                                        .kind = cli_option(cli, "kind"),
                                        .actor = cli_option(cli, "actor"),
                                        .subject = cli_option(cli, "subject"),
                                        .limit = listing->most};

    return client_audit(client, &filter, ret_rows, err);
}

static enum exit_code run_audit(struct cli *cli)
{
    static const struct listing listing = {
        .nothing = "nothing since then; --since TIME looks further back",
        .columns = audit_columns,
        .n_columns = ARRAY_LEN(audit_columns),
        .fetch = fetch};

    return listing_run(cli, &listing);
}

static const struct option audit_options[] = {
    {"since", 0, "TIME", "not before (default: a day ago), like 2026-03-01 or 2026-03-01T10:00Z"},
    {"until", 0, "TIME", "before"},
    {"kind", 0, "KIND", "only of this kind, like endpointSet, circuitSet, incidentRetried"},
    {"actor", 0, "NAME", "only what this user or role did"},
    {"subject", 0, "NAME",
     "only what was done to this: an endpoint, a user, the id of an instance"},
    {"limit", 'n', "N", "at most so many, the newest first (default: 50)"},
};

const struct subcommand command_audit = {
    .name = "audit",
    .arguments = "",
    .summary = "list who did what, and what was refused",
    .about =
        "Lists, the newest first, who did what: to instances, deployments, many at once, users, "
        "rights, endpoints and settings, with what a setting was before; and what was refused to "
        "users of the server. For administrators. docs/security.md tells what is kept for how "
        "long.",
    .options = audit_options,
    .n_options = ARRAY_LEN(audit_options),
    .examples = "  pawl audit --subject billing\n"
                "  pawl audit --kind circuitSet --since 2026-03-01 -o json\n",
    .database = true,
    .run = run_audit,
};
