/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of this folder share. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "convert/item.h"

/* ---- steps.c ---- */

enum shape_kind {
    SHAPE_START,
    SHAPE_END,
    SHAPE_ERROR_END,
    SHAPE_CATCH,   /* a timer or message that is waited for */
    SHAPE_RECEIVE, /* a message that is not waited for longer than its boundary event says */
    SHAPE_SERVICE,
    SHAPE_TASK, /* one that only maps variables */
    SHAPE_USER,
    SHAPE_CALL,
    SHAPE_GATEWAY,
    SHAPE_BOUNDARY,
};

struct box {
    int x, y, width, height;
};

struct shape {
    enum shape_kind kind;
    const char *id, *name;   /* name may be NULL */
    const struct item *step; /* what it was made of, be it a timeout; NULL: start and end */
    const char *code;        /* SHAPE_ERROR_END, SHAPE_BOUNDARY: of the error; NULL: a timer */
    size_t on;               /* SHAPE_BOUNDARY: index of its task */
    size_t nth;              /* SHAPE_BOUNDARY: which of that task's */
    size_t *out;             /* edges, in order */
    size_t n_out, out_capacity;
    int column, row; /* of the layout */
    struct box box;
    struct box label; /* no width: none, or inside of the box */
};

struct point {
    int x, y;
};

/* Flows run along the rows of shapes, in lanes below a row, and up and down behind a column. */
enum leg_kind { LEG_ROW, LEG_LANE, LEG_CHANNEL };

struct leg {
    enum leg_kind kind;
    int at;    /* its row or column */
    int track; /* LEG_LANE, LEG_CHANNEL: which of those that run beside each other */
};

struct edge {
    const char *id;
    size_t from, to;
    const char *when, *name; /* may be NULL */
    bool is_default;
    bool out_below, in_below; /* it leaves or enters at the lower side, else on the right or left */
    struct leg legs[5];
    size_t n_legs;
    struct point points[8];
    size_t n_points;
    struct box label;
};

struct steps {
    struct arena *arena;
    const char *file;
    struct err *err;
    const char *id, *name;       /* name may be NULL */
    const struct item *document; /* the whole */
    struct shape *shapes;
    size_t n_shapes, shapes_capacity;
    struct edge *edges;
    size_t n_edges, edges_capacity;
    int columns, rows; /* set by the layout */
};

int steps_read(struct steps *steps, const struct item *document) MUST_CHECK;

/* ---- layout.c ---- */

void layout_place(struct steps *steps);

/* ---- routes.c: tracks, sizes, points ---- */

void routes_draw(struct steps *steps);

/* ---- labels.c ---- */

/* How much room the editors take for a name that stands outside of its shape. */
void label_size(const char *name, struct box *ret);
void labels_place(struct steps *steps);
