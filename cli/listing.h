/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What all lists have in common: --limit, --instance, and what is said when there is nothing or
 * more. */
#include <jansson.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "store/client.h"

struct listing {
    long limit; /* ask for one more: so it is known whether there are more; 0: all of them */
    struct uuid id;
    const struct uuid *instance; /* NULL: any */
    const char *nothing;         /* "no open tasks" */
    const struct table_column *columns;
    size_t n_columns;
};

/* Reads --limit (50 unless told). */
enum exit_code listing_options(struct cli *cli, struct listing *listing);
/* Finds --instance. */
enum exit_code listing_instance(struct cli *cli, struct client *client, struct listing *listing);
/* Shows what was found; cuts off the one row that is too many. */
enum exit_code listing_show(struct cli *cli, struct client *client, const struct listing *listing,
                            json_t *rows);
/* The whole of a subcommand that lists all there is of something. */
enum exit_code listing_all(struct cli *cli, const struct listing *listing,
                           int (*fetch)(struct client *client, json_t **ret_rows, struct err *err));
