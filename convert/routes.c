/* SPDX-License-Identifier: Apache-2.0 */
/* Flows get tracks, so that none lies on another; then columns, rows and points their places. */
#include "base/build.h"

#include "convert/internal.h"

enum {
    LEFT = 160,
    TOP = 80,
    TASK_WIDTH = 100,
    TASK_HEIGHT = 80,
    EVENT = 36,
    GATEWAY = 50,
    CHANNEL = 60, /* between two columns, at least */
    GAP = 75,     /* between two rows, at least */
    FIRST = 24,   /* from a column to its first track */
    LANE = 50,    /* from a row to its first lane: below names of boundary events */
    TRACK = 12,
    BOUNDARY = 46, /* from one boundary event to the next, at least */
};

/* A leg of an edge, for those that it may meet. Places are counted in halves: 2 * 3 is row or
 * column 3, 2 * 3 + 1 is what lies behind it. */
struct piece {
    const struct edge *edge;
    struct leg *leg;
    int low, high;           /* from where to where it runs */
    int left_row, right_row; /* where a channel is entered and left by a row; -1: by a lane */
    enum { NEW, WAITS, PLACED } state;
    size_t looked_at; /* pieces that may have to be left of it */
};

struct router {
    struct steps *steps;
    struct piece *pieces; /* of channels and lanes */
    size_t n_pieces;
    int *channel_tracks, *lane_tracks; /* how many, by column and row */
    int *column_x, *column_width, *row_y;
    int *boundary_offset; /* by shape */
};

/* ---- Tracks ---- */

static void collect(struct router *router, struct edge *edge)
{
    const struct shape *from = &router->steps->shapes[edge->from];
    const struct shape *to = &router->steps->shapes[edge->to];
    int x = 2 * from->column, y = 2 * from->row;

    for (size_t i = 0; i < edge->n_legs; i++) {
        struct leg *leg = &edge->legs[i];
        const struct leg *next = i + 1 < edge->n_legs ? &edge->legs[i + 1] : NULL;
        int end = leg->kind == LEG_CHANNEL ? 2 * next->at + (next->kind == LEG_LANE)
                  : next != NULL           ? 2 * next->at + 1
                                           : 2 * to->column;
        int begin = leg->kind == LEG_CHANNEL ? y : x;
        if (leg->kind != LEG_ROW)
            router->pieces[router->n_pieces++] =
                (struct piece){.edge = edge,
                               .leg = leg,
                               .low = begin < end ? begin : end,
                               .high = begin < end ? end : begin,
                               .left_row = y % 2 == 0 ? y / 2 : -1,
                               .right_row = next != NULL && next->kind == LEG_ROW ? next->at : -1};
        if (leg->kind == LEG_CHANNEL)
            x = 2 * leg->at + 1;
        else
            y = 2 * leg->at + (leg->kind == LEG_LANE);
    }
}

/* Flows of one source or to one target may lie on each other: they part or join. */
static bool are_apart(const struct piece *a, const struct piece *b)
{
    return a->edge->from == b->edge->from || a->edge->to == b->edge->to || a->high < b->low ||
           b->high < a->low;
}

/* One that comes from the left in a row turns before another goes on to the right in it. */
static bool turns_before(const struct piece *a, const struct piece *b)
{
    return a->leg->kind == LEG_CHANNEL && a->left_row >= 0 && a->left_row == b->right_row &&
           a->edge->from != b->edge->from && a->edge->to != b->edge->to;
}

static bool is_beside(const struct piece *a, const struct piece *b)
{
    return a != b && a->leg->kind == b->leg->kind && a->leg->at == b->leg->at;
}

/* The first track right of all that must be left of it, on which nothing else is. */
static void give_track(struct router *router, struct piece *piece, bool *taken)
{
    int *tracks = piece->leg->kind == LEG_CHANNEL ? router->channel_tracks : router->lane_tracks;
    int track = 0;

    memset(taken, 0, router->n_pieces + 1);
    for (size_t i = 0; i < router->n_pieces; i++) {
        const struct piece *other = &router->pieces[i];
        if (!is_beside(piece, other) || other->state != PLACED)
            continue;
        if (!are_apart(piece, other))
            taken[other->leg->track] = true;
        if (turns_before(other, piece) && other->leg->track >= track)
            track = other->leg->track + 1;
    }
    while (taken[track])
        track++;
    piece->leg->track = track;
    piece->state = PLACED;
    if (track >= tracks[piece->leg->at])
        tracks[piece->leg->at] = track + 1;
}

/* Depth first, what must be left of it before a piece itself. Where each waits for another, two lie
 * on each other. */
static void give_tracks(struct router *router)
{
    size_t n_stack = 0, n = router->n_pieces;
    struct piece **stack = arena_array(router->steps->arena, n + 1, sizeof(*stack));
    bool *taken = arena_array(router->steps->arena, n + 1, sizeof(*taken));

    for (size_t first = 0; first < n; first++) {
        if (router->pieces[first].state == NEW)
            stack[n_stack++] = &router->pieces[first];
        while (n_stack > 0) {
            struct piece *piece = stack[n_stack - 1], *before = NULL;
            piece->state = WAITS;
            for (; piece->looked_at < n && before == NULL; piece->looked_at++) {
                struct piece *other = &router->pieces[piece->looked_at];
                if (other->state == NEW && is_beside(piece, other) && turns_before(other, piece))
                    before = other;
            }
            if (before != NULL) {
                stack[n_stack++] = before;
                continue;
            }
            give_track(router, piece, taken);
            n_stack--;
        }
    }
}

/* ---- Sizes ---- */

static bool is_task(const struct shape *shape)
{
    return shape->kind == SHAPE_RECEIVE || shape->kind == SHAPE_SERVICE ||
           shape->kind == SHAPE_TASK || shape->kind == SHAPE_USER || shape->kind == SHAPE_CALL;
}

static size_t boundaries_of(const struct steps *steps, size_t task)
{
    size_t n = 0;

    for (size_t i = 0; i < steps->n_shapes; i++)
        n += steps->shapes[i].kind == SHAPE_BOUNDARY && steps->shapes[i].on == task;
    return n;
}

/* From the right edge of a task to the middle of each of its boundary events, which stand from the
 * right to the left, in the order of the shapes. The name of the last stands to its left, those of
 * others to their right. */
static int offset_boundaries(struct router *router, size_t task, size_t n)
{
    const struct steps *steps = router->steps;
    int offset = EVENT / 2;
    size_t nth = 0;

    for (size_t i = 0; i < steps->n_shapes && nth < n; i++) {
        const struct shape *shape = &steps->shapes[i];
        struct box label;
        if (shape->kind != SHAPE_BOUNDARY || shape->on != task)
            continue;
        label_size(shape->name, &label);
        if (nth > 0)
            offset += nth + 1 < n && label.width + 14 > BOUNDARY ? label.width + 14 : BOUNDARY;
        router->boundary_offset[i] = offset;
        nth++;
    }
    return offset;
}

static void size_shapes(struct router *router)
{
    struct steps *steps = router->steps;

    for (size_t i = 0; i < steps->n_shapes; i++) {
        struct shape *shape = &steps->shapes[i];
        size_t n = is_task(shape) ? boundaries_of(steps, i) : 0;
        int width = shape->kind == SHAPE_GATEWAY ? GATEWAY : EVENT;
        shape->box.height = is_task(shape) ? TASK_HEIGHT : width;
        if (is_task(shape))
            width = TASK_WIDTH;
        int needed = n > 0 ? offset_boundaries(router, i, n) + EVENT : 0;
        if (n > 2)
            width = needed;
        shape->box.width = width > TASK_WIDTH || !is_task(shape) ? width : TASK_WIDTH;
        if (shape->box.width > router->column_width[shape->column])
            router->column_width[shape->column] = shape->box.width;
    }
}

static void place_columns(struct router *router)
{
    struct steps *steps = router->steps;
    int x = LEFT;

    for (int c = 0; c < steps->columns; c++) {
        int channel = CHANNEL, tracks = router->channel_tracks[c];
        if (FIRST + TRACK * tracks + FIRST > channel)
            channel = FIRST + TRACK * tracks + FIRST;
        for (size_t i = 0; i < steps->n_edges; i++) {
            const struct edge *edge = &steps->edges[i];
            struct box label;
            label_size(edge->name, &label);
            if (steps->shapes[edge->from].column == c && label.width > 0 &&
                label.width + FIRST + TRACK * tracks > channel)
                channel = label.width + FIRST + TRACK * tracks;
        }
        if (router->column_width[c] < TASK_WIDTH)
            router->column_width[c] = TASK_WIDTH;
        router->column_x[c] = x;
        x += router->column_width[c] + channel;
    }
}

static void place_rows(struct router *router)
{
    int y = TOP;

    for (int r = 0; r < router->steps->rows; r++) {
        int lanes = router->lane_tracks[r];
        router->row_y[r] = y;
        y += TASK_HEIGHT + GAP + (lanes > 1 ? TRACK * (lanes - 1) : 0);
    }
}

static void place_shapes(struct router *router)
{
    struct steps *steps = router->steps;

    for (size_t i = 0; i < steps->n_shapes; i++) {
        struct shape *shape = &steps->shapes[i];
        int width = router->column_width[shape->column];
        shape->box.x = router->column_x[shape->column] + (width - shape->box.width) / 2;
        shape->box.y = router->row_y[shape->row] + (TASK_HEIGHT - shape->box.height) / 2;
    }
    for (size_t i = 0; i < steps->n_shapes; i++) {
        struct shape *shape = &steps->shapes[i];
        const struct box *task = &steps->shapes[shape->on].box;
        if (shape->kind != SHAPE_BOUNDARY)
            continue;
        shape->box.x = task->x + task->width - router->boundary_offset[i] - EVENT / 2;
        shape->box.y = task->y + task->height - EVENT / 2;
    }
}

/* ---- Points ---- */

static void add_point(struct edge *edge, int x, int y)
{
    if (edge->n_points > 0 && edge->points[edge->n_points - 1].x == x &&
        edge->points[edge->n_points - 1].y == y)
        return;
    edge->points[edge->n_points++] = (struct point){x, y};
}

static void draw(const struct router *router, struct edge *edge)
{
    const struct shape *from_shape = &router->steps->shapes[edge->from];
    const struct shape *to_shape = &router->steps->shapes[edge->to];
    const struct box *from = &from_shape->box, *to = &to_shape->box;
    int x = from->x + (edge->out_below ? from->width / 2 : from->width);
    int y = from->y + (edge->out_below ? from->height : from->height / 2);

    add_point(edge, x, y);
    for (size_t i = 0; i < edge->n_legs; i++) {
        const struct leg *leg = &edge->legs[i];
        if (leg->kind == LEG_CHANNEL)
            x = router->column_x[leg->at] + router->column_width[leg->at] + FIRST +
                TRACK * leg->track;
        else if (leg->kind == LEG_ROW)
            y = router->row_y[leg->at] + TASK_HEIGHT / 2;
        else
            y = router->row_y[leg->at] + TASK_HEIGHT + LANE + TRACK * leg->track;
        add_point(edge, x, y);
    }
    if (!edge->in_below) {
        add_point(edge, to->x, y);
        return;
    }
    /* Boundary events stand to the right of it. */
    x = to->x + (is_task(to_shape) ? 9 : to->width / 2);
    add_point(edge, x, y);
    add_point(edge, x, to->y + to->height);
}

void routes_draw(struct steps *steps)
{
    struct arena *arena = steps->arena;
    size_t columns = (size_t)steps->columns, rows = (size_t)steps->rows;
    struct router router = {
        .steps = steps,
        .pieces = arena_array(arena, steps->n_edges * ARRAY_LEN(steps->edges->legs) + 1,
                              sizeof(*router.pieces)),
        .channel_tracks = arena_array(arena, columns, sizeof(int)),
        .lane_tracks = arena_array(arena, rows, sizeof(int)),
        .column_x = arena_array(arena, columns, sizeof(int)),
        .column_width = arena_array(arena, columns, sizeof(int)),
        .row_y = arena_array(arena, rows, sizeof(int)),
        .boundary_offset = arena_array(arena, steps->n_shapes, sizeof(int)),
    };

    for (size_t i = 0; i < steps->n_edges; i++)
        collect(&router, &steps->edges[i]);
    give_tracks(&router);
    size_shapes(&router);
    place_columns(&router);
    place_rows(&router);
    place_shapes(&router);
    for (size_t i = 0; i < steps->n_edges; i++)
        draw(&router, &steps->edges[i]);
}
