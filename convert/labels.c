/* SPDX-License-Identifier: Apache-2.0 */
/* Names that stand outside of their shapes: each where it touches nothing, as far as there is room.
 */
#include "base/build.h"

#include "convert/internal.h"

/* Editors break such a name at the width of its bounds, or after so much. */
enum { WIDEST = 90, LINE = 14, AIR = 4 };

static bool is_outside(const struct shape *shape)
{
    return shape->kind == SHAPE_CATCH || shape->kind == SHAPE_GATEWAY ||
           shape->kind == SHAPE_ERROR_END || shape->kind == SHAPE_BOUNDARY;
}

static int width_of(const char *word, size_t n)
{
    int width = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)word[i];
        bool wide = (c >= 'A' && c <= 'Z') || c == '_' || c == 'm' || c == 'w' || c >= 0xe0;
        if ((c & 0xc0) != 0x80) /* the rest of a character has no width of its own */
            width += wide ? 8 : 6;
    }
    return width;
}

/* Its lines as they will be broken. */
void label_size(const char *name, struct box *ret)
{
    int line = 0, lines = 1;

    *ret = (struct box){0};
    for (const char *word = name; word != NULL && *word != '\0';) {
        size_t n = strcspn(word, " \n");
        int width = width_of(word, n);
        if (line > 0 && line + 3 + width > WIDEST) {
            lines++;
            line = 0;
        }
        line += (line > 0 ? 3 : 0) + width;
        for (; line > WIDEST; line -= WIDEST) { /* a word that is longer than a line */
            lines++;
            ret->width = WIDEST;
        }
        if (line > ret->width)
            ret->width = line;
        word += n + strspn(word + n, " \n");
    }
    if (ret->width == 0)
        return;
    ret->width += 6; /* fonts differ */
    ret->height = LINE * lines;
}

/* ---- What is in the way ---- */

static bool meet(const struct box *a, const struct box *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
           b->y < a->y + a->height;
}

static int line_hits(const struct edge *edge, const struct box *label)
{
    int hits = 0;

    for (size_t i = 1; i < edge->n_points; i++) {
        const struct point *a = &edge->points[i - 1], *b = &edge->points[i];
        int x = a->x < b->x ? a->x : b->x, y = a->y < b->y ? a->y : b->y;
        struct box line = {x - 1, y - 1, a->x + b->x - 2 * x + 2, a->y + b->y - 2 * y + 2};
        hits += meet(&line, label);
    }
    return hits;
}

static int hits_of(const struct steps *steps, const struct box *label)
{
    int hits = 0;

    for (size_t i = 0; i < steps->n_shapes; i++)
        hits += 4 * meet(&steps->shapes[i].box, label) + 2 * meet(&steps->shapes[i].label, label);
    for (size_t i = 0; i < steps->n_edges; i++)
        hits += line_hits(&steps->edges[i], label) + 2 * meet(&steps->edges[i].label, label);
    return hits;
}

/* ---- Where it may stand ---- */

struct choice {
    const struct steps *steps;
    struct box size, best;
    int hits; /* of the best; -1: there is none yet */
};

/* The first that touches nothing is taken, else the one that touches least. */
static void consider(struct choice *choice, int x, int y)
{
    struct box box = {x, y, choice->size.width, choice->size.height};

    if (choice->hits == 0)
        return;
    int hits = hits_of(choice->steps, &box);
    if (choice->hits >= 0 && hits >= choice->hits)
        return;
    choice->hits = hits;
    choice->best = box;
}

/* Beside its flow, on the side where no other boundary event stands. */
static void place_at_boundary(struct choice *choice, const struct shape *shape)
{
    const struct steps *steps = choice->steps;
    int middle = shape->box.x + shape->box.width / 2;
    int below = shape->box.y + shape->box.height;
    bool first = shape->nth == 0, last = true;

    for (size_t i = 0; i < steps->n_shapes; i++)
        last = last && !(steps->shapes[i].kind == SHAPE_BOUNDARY &&
                         steps->shapes[i].on == shape->on && steps->shapes[i].nth > shape->nth);
    int right = middle + 2 * AIR, left = middle - 2 * AIR - choice->size.width;
    int outside = steps->shapes[shape->on].box.x + AIR - choice->size.width;
    int sides[] = {first || !last ? right : left, first || !last ? left : right, outside};
    for (size_t i = 0; i < ARRAY_LEN(sides); i++)
        for (int down = 0; down <= 2 * LINE; down += LINE)
            consider(choice, sides[i], below + down);
}

static void place_at_shape(struct choice *choice, const struct shape *shape)
{
    const struct box *box = &shape->box;
    int middle = box->x + box->width / 2, width = choice->size.width;
    int above = box->y - AIR - choice->size.height, below = box->y + box->height + AIR;

    int sides[] = {shape->kind == SHAPE_GATEWAY ? above : below,
                   shape->kind == SHAPE_GATEWAY ? below : above};
    for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
        consider(choice, middle - width / 2, sides[i]);
        consider(choice, middle + AIR, sides[i]);
        consider(choice, middle - AIR - width, sides[i]);
    }
}

static void place_at_piece(struct choice *choice, const struct point *a, const struct point *b)
{
    int width = choice->size.width, height = choice->size.height;

    if (a->y == b->y) {
        int first = a->x < b->x ? a->x + AIR : a->x - AIR - width;
        int last = a->x < b->x ? b->x - 2 * AIR - width : b->x + 2 * AIR;
        int xs[] = {first, (a->x + b->x - width) / 2, last};
        for (size_t i = 0; i < ARRAY_LEN(xs); i++) {
            consider(choice, xs[i], a->y - AIR - height);
            consider(choice, xs[i], a->y + AIR);
        }
        return;
    }
    int ys[] = {a->y < b->y ? a->y + AIR : a->y - AIR - height, (a->y + b->y - height) / 2};
    for (size_t i = 0; i < ARRAY_LEN(ys); i++) {
        consider(choice, a->x + AIR, ys[i]);
        consider(choice, a->x - AIR - width, ys[i]);
    }
}

/* Where the flow is alone, behind its first corner or two; then anywhere along it. */
static void place_at_edge(struct choice *choice, const struct edge *edge)
{
    size_t alone = edge->n_points > 3 ? 2 : edge->n_points - 2;

    for (size_t i = alone; i + 1 < edge->n_points; i++)
        place_at_piece(choice, &edge->points[i], &edge->points[i + 1]);
    for (size_t i = 0; i < alone; i++)
        place_at_piece(choice, &edge->points[i], &edge->points[i + 1]);
}

void labels_place(struct steps *steps)
{
    for (size_t i = 0; i < steps->n_shapes; i++) {
        struct shape *shape = &steps->shapes[i];
        struct choice choice = {.steps = steps, .hits = -1};
        if (is_outside(shape))
            label_size(shape->name, &choice.size);
        if (choice.size.width > 0 && shape->kind == SHAPE_BOUNDARY)
            place_at_boundary(&choice, shape);
        else if (choice.size.width > 0)
            place_at_shape(&choice, shape);
        shape->label = choice.best;
    }
    for (size_t i = 0; i < steps->n_edges; i++) {
        struct edge *edge = &steps->edges[i];
        struct choice choice = {.steps = steps, .hits = -1};
        label_size(edge->name, &choice.size);
        if (choice.size.width > 0)
            place_at_edge(&choice, edge);
        edge->label = choice.best;
    }
}
