/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/zones.h"

/* rows: zone, begin, offset; by zone and begin. */
static void fill(struct graph *graph, struct zone *zone, const struct result *rows)
{
    int first = 0, end;

    while (first < result_rows(rows) && strcmp(result_text(rows, first, 0), zone->name) != 0)
        first++;
    for (end = first; end < result_rows(rows); end++)
        if (strcmp(result_text(rows, end, 0), zone->name) != 0)
            break;
    size_t n = (size_t)(end - first);
    int64_t *from_us = arena_array(&graph->arena, n, sizeof(*from_us));
    int32_t *offset_s = arena_array(&graph->arena, n, sizeof(*offset_s));
    for (size_t i = 0; i < n; i++) {
        from_us[i] = result_int(rows, first + (int)i, 1) * 1000000;
        offset_s[i] = (int32_t)result_int(rows, first + (int)i, 2);
    }
    zone->n = n;
    zone->from_us = from_us;
    zone->offset_s = offset_s;
}

int zones_fill(struct conn *conn, struct arena *arena, struct graph *const *graphs, size_t n,
               struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct column names;

    column_init(&names, arena, COLUMN_TEXT);
    for (size_t i = 0; i < n; i++)
        for (size_t z = 0; z < graphs[i]->n_zones; z++)
            column_text(&names, graphs[i]->zones[z]->name);
    if (names.rows == 0)
        return 0;
    if (conn_query(conn, "zone_rules", PARAMS(p_column(&names)), &rows, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < n; i++)
        for (size_t z = 0; z < graphs[i]->n_zones; z++)
            fill(graphs[i], graphs[i]->zones[z], rows);
    return 0;
}
