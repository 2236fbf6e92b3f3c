/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which database is meant, and a connection to it. */
#include "cli/cli.h"
#include "store/client.h"

struct database {
    const char *conninfo;
    const char *schema;    /* "pawl" unless told */
    const char *directory; /* of `pawl up`, when it is its private database; else NULL */
    const char *data;      /* the directory as given, for messages */
    const char *named;     /* who names the database, for messages: "--database" */
};

/* --database, else PAWL_DATABASE; else conninfo is NULL: `pawl up`'s own. */
void database_named(const struct cli *cli, struct database *ret_database);

/* Connects as every subcommand but `up` does. Says what is wrong and returns the exit code else. */
enum exit_code session_open(struct cli *cli, struct client **ret_client);
/* The same without a look at the schema. */
enum exit_code session_database(struct cli *cli, struct database *ret_database);
/* What to say when this database cannot be reached. */
enum exit_code session_unreachable(const struct cli *cli, const struct database *database,
                                   const struct err *err);
/* The whole of a subcommand that removes what its one argument names. */
enum exit_code session_drop(struct cli *cli, int (*drop)(struct client *client, const char *name,
                                                         json_t **ret_row, struct err *err));
