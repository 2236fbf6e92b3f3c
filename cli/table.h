/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A table that fits the terminal: columns give up width down to their minimum, the widest first;
 * then those that matter least are left out. Without a known width nothing is cut.
 */
#include "cli/cli.h"

enum table_kind {
    TABLE_TEXT,
    TABLE_ID,     /* cut without "…": what remains can be given to any subcommand */
    TABLE_NUMBER, /* to the right */
    TABLE_STATE,  /* coloured */
};

struct table_column {
    const char *title;
    enum table_kind kind;
    int minimum;   /* columns it keeps; 0: never cut */
    int leave_out; /* order of leaving out when all are at their minimum: highest first; 0: never */
};

struct table {
    struct cli *cli;
    const struct table_column *columns;
    size_t n_columns;
    const char **cells; /* row by row */
    size_t n_cells, capacity;
};

void table_init(struct table *table, struct cli *cli, const struct table_column *columns,
                size_t n_columns);
/* One cell of the next row, from left to right; NULL and "" are shown as "-". Borrowed. */
void table_add(struct table *table, const char *cell);
void table_print(struct table *table);
