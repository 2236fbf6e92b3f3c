/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What all lists have in common: --limit, --instance, and what is said when there is nothing or
 * more. */
#include <jansson.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "store/client.h"

struct listing {
    const char *nothing; /* "no open tasks" */
    const struct table_column *columns;
    size_t n_columns;
    long limit_most; /* that --limit takes; 0: 100000 */
    /* Asks for the rows, `most` at the most; or, where there is nothing to say, all of them. */
    int (*fetch)(struct cli *cli, struct client *client, const struct listing *listing,
                 json_t **ret_rows, struct err *err);
    int (*fetch_all)(struct client *client, json_t **ret_rows, struct err *err);

    /* Filled in from the options that the subcommand has. */
    long limit; /* --limit, 50 unless told; 0: none */
    int most;   /* one more: so it is known whether there are more */
    struct uuid id;
    const struct uuid *instance; /* --instance; NULL: any */
};

/* The whole of a subcommand that lists: reads --limit and --instance, connects, asks, shows. */
enum exit_code listing_run(struct cli *cli, const struct listing *listing);
/* Shows rows that were found otherwise; cuts off the one that is too many. */
enum exit_code listing_show(struct cli *cli, struct client *client, const struct listing *listing,
                            json_t *rows);
