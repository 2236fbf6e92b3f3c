/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/buf.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/text.h"

#define GAP 2

struct table {
    struct cli *cli;
    const struct table_column *columns;
    size_t n_columns;
    const char **cells; /* row by row */
    size_t n_cells, capacity;
};

static const char *cell_text(struct cli *cli, const struct table_column *column, const json_t *row,
                             int64_t now_us)
{
    if (column->cell != NULL)
        return column->cell(cli, row, now_us);
    bool time = column->kind == TABLE_AGO || column->kind == TABLE_TIME;
    if (time && row_string(cli, row, column->member) == NULL)
        return NULL;
    if (column->kind == TABLE_AGO)
        return moment_relative(&cli->arena, row_time(row, column->member), now_us);
    if (column->kind == TABLE_TIME)
        return moment_exact(&cli->arena, row_time(row, column->member));
    if (column->kind == TABLE_LIST)
        return row_joined(cli, row, column->member);
    return row_text(cli, row, column->member);
}

static void add_row(struct table *table, const json_t *row, int64_t now_us)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct table_column *column = &table->columns[i];
        const char *cell = cell_text(table->cli, column, row, now_us);
        if (cell == NULL || *cell == '\0')
            cell = column->otherwise != NULL ? column->otherwise : "-";
        *arena_push(&table->cli->arena, table->cells, table->n_cells, table->capacity) = cell;
    }
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

void table_print(struct cli *cli, const struct table_column *columns, size_t n_columns,
                 const json_t *rows, int64_t now_us)
{
    struct table table = {.cli = cli, .columns = columns, .n_columns = n_columns};
    int *natural = arena_array(&cli->arena, n_columns, sizeof(*natural));
    int *widths = arena_array(&cli->arena, n_columns, sizeof(*widths));
    const char **titles = arena_array(&cli->arena, n_columns, sizeof(*titles));
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        add_row(&table, row, now_us);
    }
    measure(&table, natural);
    fit(&table, natural, widths);
    for (i = 0; i < n_columns; i++)
        titles[i] = columns[i].title;
    print_row(&table, titles, widths, true);
    for (i = 0; i < table.n_cells; i += n_columns)
        print_row(&table, table.cells + i, widths, false);
}
