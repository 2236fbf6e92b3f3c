/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/buf.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/text.h"

#define GAP 2

void table_init(struct table *table, struct cli *cli, const struct table_column *columns,
                size_t n_columns)
{
    *table = (struct table){.cli = cli, .columns = columns, .n_columns = n_columns};
}

void table_add(struct table *table, const char *cell)
{
    *arena_push(&table->cli->arena, table->cells, table->n_cells, table->capacity) =
        cell != NULL && *cell != '\0' ? cell : "-";
}

static int total_width(const struct table *table, const int *widths)
{
    int total = -GAP;

    for (size_t i = 0; i < table->n_columns; i++)
        if (widths[i] > 0)
            total += widths[i] + GAP;
    return total;
}

/* The column to narrow by one, or -1. */
static int widest_cuttable(const struct table *table, const int *widths)
{
    int found = -1;

    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].minimum > 0 && widths[i] > table->columns[i].minimum &&
            (found < 0 || widths[i] > widths[found]))
            found = (int)i;
    return found;
}

static int next_to_leave_out(const struct table *table, const int *widths)
{
    int found = -1;

    for (size_t i = 0; i < table->n_columns; i++)
        if (widths[i] > 0 && table->columns[i].leave_out > 0 &&
            (found < 0 || table->columns[i].leave_out > table->columns[found].leave_out))
            found = (int)i;
    return found;
}

static void measure(const struct table *table, int *natural)
{
    for (size_t i = 0; i < table->n_columns; i++)
        natural[i] = text_width(table->columns[i].title);
    for (size_t i = 0; i < table->n_cells; i++) {
        int width = text_width(table->cells[i]);
        if (width > natural[i % table->n_columns])
            natural[i % table->n_columns] = width;
    }
}

static void fit(const struct table *table, const int *natural, int *widths)
{
    int limit = table->cli->width, column;

    memcpy(widths, natural, table->n_columns * sizeof(*widths));
    if (limit == 0)
        return;
    for (;;) {
        while (total_width(table, widths) > limit && (column = widest_cuttable(table, widths)) >= 0)
            widths[column]--;
        if (total_width(table, widths) <= limit || (column = next_to_leave_out(table, widths)) < 0)
            return;
        /* What was narrowed in vain gets its room back. */
        for (size_t i = 0; i < table->n_columns; i++)
            if (widths[i] > 0)
                widths[i] = natural[i];
        widths[column] = 0;
    }
}

static void add_cell(const struct table *table, struct buf *line, size_t column, const char *cell,
                     const int *widths, bool head, bool last)
{
    enum table_kind kind = table->columns[column].kind;
    enum colour colour = head                  ? COLOUR_BOLD
                         : kind == TABLE_STATE ? colour_of_state(cell)
                                               : COLOUR_NONE;
    int width = text_width(cell);
    int spare = widths[column] > width ? widths[column] - width : 0;

    if (kind == TABLE_NUMBER)
        text_pad(line, spare);
    colour_begin(table->cli, line, colour);
    if (kind == TABLE_ID)
        text_add_prefix(line, cell, widths[column]);
    else
        text_add(line, cell, widths[column]);
    colour_end(table->cli, line, colour);
    if (!last)
        text_pad(line, (kind == TABLE_NUMBER ? 0 : spare) + GAP);
}

static void print_row(const struct table *table, const char *const *cells, const int *widths,
                      bool head)
{
    struct buf line;
    size_t last = 0;

    for (size_t i = 0; i < table->n_columns; i++)
        if (widths[i] > 0)
            last = i;
    buf_init(&line, 0);
    for (size_t i = 0; i < table->n_columns; i++)
        if (widths[i] > 0)
            add_cell(table, &line, i, cells[i], widths, head, i == last);
    buf_add_char(&line, '\n');
    output_buf(&line);
    buf_deinit(&line);
}

void table_print(struct table *table)
{
    size_t n = table->n_columns;
    int *natural = arena_array(&table->cli->arena, n, sizeof(*natural));
    int *widths = arena_array(&table->cli->arena, n, sizeof(*widths));
    const char **titles = arena_array(&table->cli->arena, n, sizeof(*titles));

    assert(table->n_cells % n == 0);
    measure(table, natural);
    fit(table, natural, widths);
    for (size_t i = 0; i < n; i++)
        titles[i] = table->columns[i].title;
    print_row(table, titles, widths, true);
    for (size_t i = 0; i < table->n_cells; i += n)
        print_row(table, table->cells + i, widths, false);
}
