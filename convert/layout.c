/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A diagram to read from left to right: what comes later stands further to the right, the first way
 * out of a step stays in its row, each other one gets a row below. Flows run in right angles; those
 * that would cross a shape or lead back run in the lane below a row.
 */
#include "base/build.h"

#include "convert/internal.h"

enum { COLUMN = 160, ROW = 150, LEFT = 160, TOP = 80, MARGIN = 25 };

struct placer {
    struct steps *steps;
    bool *back;   /* edges that lead back */
    char *colour; /* shapes: 0 not seen, 1 on the way, 2 done */
};

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
}

/* ---- Rows ---- */

static bool is_free(const struct steps *steps, int column, int row)
{
    for (size_t i = 0; i < steps->n_shapes; i++)
        if (steps->shapes[i].kind != SHAPE_BOUNDARY && steps->shapes[i].row == row &&
            steps->shapes[i].column == column)
            return false;
    return true;
}

/* By columns: in the row of the first that leads there, or in the next one that is free. */
static void find_rows(struct placer *placer)
{
    struct steps *steps = placer->steps;
    int last = 0;

    for (size_t i = 1; i < steps->n_shapes; i++) {
        steps->shapes[i].row = -1;
        if (steps->shapes[i].column > last)
            last = steps->shapes[i].column;
    }
    for (int column = 1; column <= last; column++) {
        for (size_t i = 0; i < steps->n_edges; i++) {
            struct shape *shape = &steps->shapes[steps->edges[i].to];
            if (placer->back[i] || shape->column != column || shape->row >= 0)
                continue;
            int row = steps->shapes[source_of(steps, &steps->edges[i])].row;
            if (row < 0)
                continue; /* its source is placed by another edge first */
            row += steps->shapes[steps->edges[i].from].kind == SHAPE_BOUNDARY;
            while (!is_free(steps, column, row))
                row++;
            shape->row = row;
        }
    }
    for (size_t i = 0; i < steps->n_shapes; i++)
        if (steps->shapes[i].row >= steps->rows)
            steps->rows = steps->shapes[i].row + 1;
}

/* ---- Shapes ---- */

static void place_shape(struct shape *shape)
{
    bool task = shape->kind == SHAPE_SERVICE || shape->kind == SHAPE_TASK ||
                shape->kind == SHAPE_USER || shape->kind == SHAPE_CALL;

    shape->width = task ? 100 : shape->kind == SHAPE_GATEWAY ? 50 : 36;
    shape->height = task ? 80 : shape->width;
    if (shape->kind == SHAPE_BOUNDARY)
        return;
    shape->x = LEFT + shape->column * COLUMN + (100 - shape->width) / 2;
    shape->y = TOP + shape->row * ROW + (80 - shape->height) / 2;
}

static void place_boundary(const struct steps *steps, struct shape *shape)
{
    const struct shape *task = &steps->shapes[shape->on];

    /* From the right edge to the left, two of them side by side at most look well. */
    shape->x = task->x + task->width - 18 - 36 - (int)(shape->nth % 2) * 46 + 18;
    shape->y = task->y + task->height - 18;
    shape->row = task->row;
    shape->column = task->column;
}

/* ---- Flows ---- */

static void add_point(struct edge *edge, int x, int y)
{
    if (edge->n_points > 0 && edge->points[edge->n_points - 1].x == x &&
        edge->points[edge->n_points - 1].y == y)
        return;
    edge->points[edge->n_points++] = (struct point){x, y};
}

static bool row_is_free(const struct steps *steps, int row, int from, int to)
{
    for (int column = from + 1; column < to; column++)
        if (!is_free(steps, column, row))
            return false;
    return true;
}

static void route(const struct placer *placer, struct edge *edge)
{
    const struct steps *steps = placer->steps;
    const struct shape *from = &steps->shapes[edge->from], *to = &steps->shapes[edge->to];
    int to_y = to->y + to->height / 2, from_y = from->y + from->height / 2;
    int out = from->x + from->width, in = to->x;
    bool below = from->kind == SHAPE_BOUNDARY;
    bool forward = to->column > from->column;

    if (below) {
        out = from->x + from->width / 2;
        from_y = from->y + from->height;
    }
    if (forward && below && to->row > from->row &&
        row_is_free(steps, to->row, from->column, to->column)) {
        add_point(edge, out, from_y);
        add_point(edge, out, to_y);
        add_point(edge, in, to_y);
    } else if (forward && !below && to->row == from->row &&
               row_is_free(steps, to->row, from->column, to->column)) {
        add_point(edge, out, from_y);
        add_point(edge, in, to_y);
    } else if (forward && !below && row_is_free(steps, to->row, from->column, to->column)) {
        add_point(edge, out, from_y);
        add_point(edge, out + MARGIN, from_y);
        add_point(edge, out + MARGIN, to_y);
        add_point(edge, in, to_y);
    } else if (forward && !below && row_is_free(steps, from->row, from->column, to->column)) {
        add_point(edge, out, from_y);
        add_point(edge, in - MARGIN, from_y);
        add_point(edge, in - MARGIN, to_y);
        add_point(edge, in, to_y);
    } else if (forward && !below) {
        /* In the lane above both rows, and into the shape from above. */
        int lane = TOP + (to->row < from->row ? to->row : from->row) * ROW - MARGIN;
        int middle = from->x + from->width / 2;
        add_point(edge, middle, from->y);
        add_point(edge, middle, lane);
        add_point(edge, to->x + to->width / 2, lane);
        add_point(edge, to->x + to->width / 2, to->y);
    } else {
        /* In the lane below both rows, and into the shape from below, near its left edge. */
        int lane = TOP + (to->row > from->row ? to->row : from->row) * ROW + 80 + MARGIN + 12;
        int middle = to->x + (to->width > 50 ? 10 : to->width / 2);
        int start = below ? out : from->x + from->width / 2;
        add_point(edge, start, from->y + from->height);
        add_point(edge, start, lane);
        add_point(edge, middle, lane);
        add_point(edge, middle, to->y + to->height);
    }
}

void layout_place(struct steps *steps)
{
    struct placer placer = {.steps = steps,
                            .back = arena_array(steps->arena, steps->n_edges, sizeof(bool)),
                            .colour = arena_array(steps->arena, steps->n_shapes, 1)};

    find_back_edges(&placer);
    find_columns(&placer);
    find_rows(&placer);
    for (size_t i = 0; i < steps->n_shapes; i++)
        place_shape(&steps->shapes[i]);
    for (size_t i = 0; i < steps->n_shapes; i++)
        if (steps->shapes[i].kind == SHAPE_BOUNDARY)
            place_boundary(steps, &steps->shapes[i]);
    for (size_t i = 0; i < steps->n_edges; i++)
        route(&placer, &steps->edges[i]);
}
