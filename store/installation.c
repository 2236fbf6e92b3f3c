/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/clock.h"
#include "store/installation.h"

#define READ_EVERY_US 5000000 /* a new address counts after this, at the latest */

int installation_read(struct batch *batch, struct err *err)
{
    struct store_worker *worker = batch->worker;
    struct installation *installation = &worker->installation;
    struct result *rows;

    if (worker->installation_read_us != 0 &&
        clock_mono_us() - worker->installation_read_us < READ_EVERY_US)
        return 0;
    if (conn_query(batch->conn, "installation", NO_PARAMS, &rows, err) < 0)
        return err_trace(err);
    batch_keep(batch, rows);
    if (result_rows(rows) != 1 || result_length(rows, 0, 0) != CALLBACK_KEY_BYTES)
        return err_set(err, ERR_INTERNAL,
                       "the table callback_key has no key of %u bytes: nobody could trust the "
                       "tokens of callbacks",
                       CALLBACK_KEY_BYTES);
    arena_reset(&worker->installation_arena);
    memcpy(installation->key, result_text(rows, 0, 0), CALLBACK_KEY_BYTES);
    installation->public_url = result_null(rows, 0, 1) ? NULL
                                                       : arena_strdup(&worker->installation_arena,
                                                                      result_text(rows, 0, 1));
    installation->callback_life_us = result_int(rows, 0, 2);
    worker->installation_read_us = clock_mono_us();
    return 0;
}
