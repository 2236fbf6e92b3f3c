/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A diagram to read from left to right: what comes later stands further to the right, the first way
 * out of a step stays in its row, each other one gets a row below. A flow that passes columns has
 * their cells in one row to itself, so none runs through a shape; those that lead back run in the
 * lane below their row. routes.c makes points of it, labels.c finds room for the names.
 */
#include "base/build.h"

#include "convert/internal.h"

struct placer {
    struct steps *steps;
    bool *back;    /* edges that lead back */
    char *colour;  /* shapes: 0 not seen, 1 on the way, 2 done */
    int *line_row; /* of edges that pass columns; -1: none */
    int *cells; /* by column, row: CELL_FREE, CELL_SHAPE, or for flows to this shape: index + 1 */
    int max_rows;
};

enum { CELL_FREE = 0, CELL_SHAPE = -1 };

static bool is_boundary(const struct placer *placer, const struct edge *edge)
{
    return placer->steps->shapes[edge->from].kind == SHAPE_BOUNDARY;
}

static size_t source_of(const struct steps *steps, const struct edge *edge)
{
    const struct shape *shape = &steps->shapes[edge->from];

    return shape->kind == SHAPE_BOUNDARY ? shape->on : edge->from;
}

/* ---- Columns ---- */

/* Marks the edges that close a cycle: depth first, with a stack of our own. */
static void find_back_edges(struct placer *placer)
{
    struct steps *steps = placer->steps;
    size_t *stack = arena_array(steps->arena, 2 * steps->n_shapes + 2, sizeof(*stack));
    size_t *at = arena_array(steps->arena, steps->n_shapes, sizeof(*at));
    size_t n = 0;

    stack[n++] = 0;
    placer->colour[0] = 1;
    while (n > 0) {
        size_t top = stack[n - 1];
        bool deeper = false;
        /* Its own edges, then those of its boundary events: all edges whose source it is. */
        for (; at[top] < steps->n_edges && !deeper; at[top]++) {
            const struct edge *edge = &steps->edges[at[top]];
            if (source_of(steps, edge) != top)
                continue;
            placer->back[at[top]] = placer->colour[edge->to] == 1;
            if (placer->colour[edge->to] != 0)
                continue;
            placer->colour[edge->to] = 1;
            stack[n++] = edge->to;
            deeper = true;
        }
        if (!deeper) {
            placer->colour[top] = 2;
            n--;
        }
    }
}

/* The longest way from the start, without those that lead back. */
static void find_columns(struct placer *placer)
{
    struct steps *steps = placer->steps;
    bool more = true;

    while (more) {
        more = false;
        for (size_t i = 0; i < steps->n_edges; i++) {
            const struct edge *edge = &steps->edges[i];
            int column = steps->shapes[source_of(steps, edge)].column + 1;
            if (placer->back[i] || steps->shapes[edge->to].column >= column)
                continue;
            steps->shapes[edge->to].column = column;
            more = true;
        }
    }
    for (size_t i = 0; i < steps->n_shapes; i++) {
        struct shape *shape = &steps->shapes[i];
        if (shape->kind == SHAPE_BOUNDARY)
            shape->column = steps->shapes[shape->on].column;
        if (shape->column >= steps->columns)
            steps->columns = shape->column + 1;
    }
}

/* ---- Rows ---- */

static int *cell(struct placer *placer, int column, int row)
{
    return &placer->cells[column * placer->max_rows + row];
}

static void put_shape(struct placer *placer, size_t index, int row)
{
    struct steps *steps = placer->steps;

    while (*cell(placer, steps->shapes[index].column, row) != CELL_FREE)
        row++;
    *cell(placer, steps->shapes[index].column, row) = CELL_SHAPE;
    for (size_t i = 0; i < steps->n_shapes; i++)
        if (i == index || (steps->shapes[i].kind == SHAPE_BOUNDARY && steps->shapes[i].on == index))
            steps->shapes[i].row = row;
}

/* Each in the row of the first flow that leads there, or in the next one that is free. */
static void place_column(struct placer *placer, int column)
{
    struct steps *steps = placer->steps;

    for (size_t i = 0; i < steps->n_edges; i++) {
        const struct edge *edge = &steps->edges[i];
        const struct shape *to = &steps->shapes[edge->to], *from = &steps->shapes[edge->from];
        if (placer->back[i] || to->column != column || to->row >= 0)
            continue;
        int row = placer->line_row[i];
        put_shape(placer, edge->to, row >= 0 ? row : from->row + is_boundary(placer, edge));
    }
}

static bool line_fits(struct placer *placer, const struct edge *edge, int row)
{
    const struct steps *steps = placer->steps;

    for (int c = steps->shapes[edge->from].column + 1; c < steps->shapes[edge->to].column; c++) {
        int owner = *cell(placer, c, row);
        if (owner != CELL_FREE && owner != (int)edge->to + 1)
            return false;
    }
    return true;
}

/* Where another flow to the same shape runs already, or the next row that is free. */
static int find_line(struct placer *placer, size_t index, int row)
{
    const struct steps *steps = placer->steps;
    const struct edge *edge = &steps->edges[index];

    for (size_t i = 0; i < steps->n_edges; i++)
        if (steps->edges[i].to == edge->to && placer->line_row[i] >= row &&
            line_fits(placer, edge, placer->line_row[i]))
            return placer->line_row[i];
    while (!line_fits(placer, edge, row))
        row++;
    return row;
}

/* The flows that go from the column before this one past it: a row for each, or for each target. */
static void place_lines(struct placer *placer, int column)
{
    struct steps *steps = placer->steps;

    for (size_t i = 0; i < steps->n_edges; i++) {
        const struct edge *edge = &steps->edges[i];
        int to = steps->shapes[edge->to].column;
        if (placer->back[i] || steps->shapes[edge->from].column != column - 1 || to <= column)
            continue;
        int row = find_line(placer, i, steps->shapes[edge->from].row + is_boundary(placer, edge));
        for (int c = column; c < to; c++)
            *cell(placer, c, row) = (int)edge->to + 1;
        placer->line_row[i] = row;
    }
}

static void find_rows(struct placer *placer)
{
    struct steps *steps = placer->steps;

    for (size_t i = 0; i < steps->n_shapes; i++)
        steps->shapes[i].row = -1;
    for (size_t i = 0; i < steps->n_edges; i++)
        placer->line_row[i] = -1;
    put_shape(placer, 0, 0);
    for (int column = 1; column < steps->columns; column++) {
        place_column(placer, column);
        place_lines(placer, column);
    }
    for (int column = 0; column < steps->columns; column++)
        for (int row = steps->rows; row < placer->max_rows; row++)
            if (*cell(placer, column, row) != CELL_FREE)
                steps->rows = row + 1;
}

/* ---- Ways ---- */

static void add_leg(struct edge *edge, enum leg_kind kind, int at)
{
    edge->legs[edge->n_legs++] = (struct leg){.kind = kind, .at = at};
}

static bool has_back_flow(const struct placer *placer, size_t shape)
{
    const struct steps *steps = placer->steps;

    for (size_t i = 0; i < steps->n_edges; i++)
        if (placer->back[i] && (steps->edges[i].from == shape || steps->edges[i].to == shape))
            return true;
    return false;
}

/* From below, a flow may drop to its row where no shape stands in between, and the row is its own.
 */
static bool can_drop(struct placer *placer, const struct edge *edge, int row)
{
    const struct shape *from = &placer->steps->shapes[edge->from];

    if (row <= from->row)
        return false;
    for (int r = from->row + 1; r < row; r++)
        if (*cell(placer, from->column, r) == CELL_SHAPE)
            return false;
    int *last = cell(placer, from->column, row);
    if (*last != CELL_FREE && *last != (int)edge->to + 1)
        return false;
    *last = (int)edge->to + 1;
    return true;
}

static void lead_forward(struct placer *placer, size_t index)
{
    struct edge *edge = &placer->steps->edges[index];
    const struct shape *from = &placer->steps->shapes[edge->from];
    const struct shape *to = &placer->steps->shapes[edge->to];
    int row = placer->line_row[index] >= 0 ? placer->line_row[index] : to->row;

    bool boundary = from->kind == SHAPE_BOUNDARY;
    bool gateway = from->kind == SHAPE_GATEWAY && !has_back_flow(placer, edge->from);
    bool drops = (boundary || gateway) && can_drop(placer, edge, row);

    edge->out_below = boundary || drops;
    if (boundary && !drops)
        add_leg(edge, LEG_LANE, from->row);
    if (!drops && (boundary || row != from->row))
        add_leg(edge, LEG_CHANNEL, from->column);
    add_leg(edge, LEG_ROW, row);
    if (row == to->row)
        return;
    add_leg(edge, LEG_CHANNEL, to->column - 1);
    add_leg(edge, LEG_ROW, to->row);
}

static bool is_entered_below(const struct placer *placer, size_t shape)
{
    for (size_t i = 0; i < placer->steps->n_edges; i++)
        if (placer->back[i] && placer->steps->edges[i].to == shape)
            return true;
    return false;
}

static void lead_back(const struct placer *placer, struct edge *edge)
{
    const struct shape *from = &placer->steps->shapes[edge->from];
    const struct shape *to = &placer->steps->shapes[edge->to];

    edge->out_below = from->kind == SHAPE_BOUNDARY ||
                      (from->kind == SHAPE_GATEWAY && !is_entered_below(placer, edge->from));
    edge->in_below = true;
    if (!edge->out_below)
        add_leg(edge, LEG_CHANNEL, from->column);
    add_leg(edge, LEG_LANE, from->row);
    if (from->row == to->row)
        return;
    add_leg(edge, LEG_CHANNEL, to->column);
    add_leg(edge, LEG_LANE, to->row);
}

void layout_place(struct steps *steps)
{
    struct placer placer = {.steps = steps,
                            .back = arena_array(steps->arena, steps->n_edges, sizeof(bool)),
                            .line_row = arena_array(steps->arena, steps->n_edges, sizeof(int)),
                            .colour = arena_array(steps->arena, steps->n_shapes, 1)};

    find_back_edges(&placer);
    find_columns(&placer);
    placer.max_rows = (int)(steps->n_shapes + steps->n_edges) + 1;
    placer.cells =
        arena_array(steps->arena, (size_t)steps->columns * (size_t)placer.max_rows, sizeof(int));
    find_rows(&placer);
    for (size_t i = 0; i < steps->n_edges; i++) {
        if (placer.back[i])
            lead_back(&placer, &steps->edges[i]);
        else
            lead_forward(&placer, i);
    }
    routes_draw(steps);
    labels_place(steps);
}
