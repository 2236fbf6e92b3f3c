/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rows as a table that fits the terminal: columns give up width down to their minimum, the widest
 * first; then those that matter least are left out. Without a known width nothing is cut.
 */
#include <jansson.h>

#include "cli/cli.h"

enum table_kind {
    TABLE_TEXT,
    TABLE_ID,     /* cut without "…": what remains can be given to any subcommand */
    TABLE_NUMBER, /* to the right */
    TABLE_STATE,  /* coloured */
    TABLE_LIST,   /* of texts */
    TABLE_AGO,    /* a time: "3 s ago", "in 3 s" */
    TABLE_TIME,   /* a time, to the millisecond */
};

struct table_column {
    const char *title;
    enum table_kind kind;
    int minimum;   /* columns it keeps; 0: never cut */
    int leave_out; /* order of leaving out when all are at their minimum: highest first; 0: never */
    const char *member; /* of the row, shown as it is */
    /* What is shown in place of a member. */
    const char *(*cell)(struct cli *cli, const json_t *row, int64_t now_us);
    const char *otherwise; /* where there is nothing to show; NULL: "-" */
};

/* now_us: what times are told from. */
void table_print(struct cli *cli, const struct table_column *columns, size_t n_columns,
                 const json_t *rows, int64_t now_us);
