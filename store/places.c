/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/clock.h"
#include "store/places.h"

#define READ_EVERY_US 2000000 /* a new limit counts after this, at the latest */

static int read_limits(struct batch *batch, struct err *err)
{
    struct store_worker *worker = batch->worker;
    struct result *rows;

    if (worker->limits_read_us != 0 && clock_mono_us() - worker->limits_read_us < READ_EVERY_US)
        return 0;
    if (conn_query(batch->conn, "place_limits", NO_PARAMS, &rows, err) < 0)
        return err_trace(err);
    batch_keep(batch, rows);
    arena_reset(&worker->limits_arena);
    worker->n_limits = (size_t)result_rows(rows);
    worker->limits = arena_array(&worker->limits_arena, worker->n_limits, sizeof(*worker->limits));
    for (int i = 0; i < result_rows(rows); i++)
        worker->limits[i] = (struct place_limit){.definition_id = (int)result_int(rows, i, 0),
                                                 .most = (int)result_int(rows, i, 1),
                                                 .key = result_int(rows, i, 2)};
    worker->limits_read_us = clock_mono_us();
    return 0;
}

/* Of the root; 0: not known. */
static int definition_of(const struct fam *fam)
{
    for (size_t i = 0; fam->fresh && i < fam->n_items; i++) {
        if (fam->items[i]->kind == COMMAND_START)
            return fam->items[i]->definition_id;
    }
    for (size_t i = 0; fam->locked && i < fam->n_rows; i++) {
        if (memcmp(&fam->rows[i]->instance.id, &fam->root, sizeof(fam->root)) == 0)
            return fam->rows[i]->instance.definition_id;
    }
    return 0;
}

static bool limited(const struct fam *fam, int definition_id)
{
    return (fam->locked || fam->fresh) && definition_of(fam) == definition_id;
}

static int64_t count_wanted(const struct batch *batch, int definition_id)
{
    int64_t n = 0;

    for (size_t i = 0; i < batch->n_fams; i++)
        n += limited(batch->fams[i], definition_id);
    return n;
}

/* The first `places` families of the definition stay. */
static void give_up(struct batch *batch, int definition_id, int64_t places)
{
    for (size_t i = 0; i < batch->n_fams; i++) {
        struct fam *fam = batch->fams[i];
        if (!limited(fam, definition_id) || places-- > 0)
            continue;
        fam->locked = fam->fresh = fam->missing = false;
    }
}

int places_take(struct batch *batch, struct err *err)
{
    const struct store_worker *worker = batch->worker;
    struct result *rows;

    if (read_limits(batch, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < worker->n_limits; i++) {
        const struct place_limit *limit = &worker->limits[i];
        int64_t wanted = count_wanted(batch, limit->definition_id);
        if (wanted == 0)
            continue;
        if (conn_query(batch->conn, "places_take",
                       PARAMS(p_int8(limit->key), p_int4(limit->most), p_int8(wanted)), &rows,
                       err) < 0)
            return err_trace(err);
        batch_keep(batch, rows);
        give_up(batch, limit->definition_id, result_int(rows, 0, 0));
    }
    return 0;
}
