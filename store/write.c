/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/fault.h"
#include "store/effects.h"

int write_all(struct batch *batch, struct err *err)
{
    struct conn *conn = batch->conn;
    struct result *done CLEANUP(result_freep) = NULL;

    for (int t = 0; t < T_COUNT; t++) {
        if (table_send(batch, (enum table_id)t, err) < 0)
            return err_trace(err);
    }
    if (conn_sync(conn, err) < 0)
        return err_trace(err);
    for (int t = 0; t < T_COUNT; t++) {
        if (table_done(batch, (enum table_id)t, err) < 0)
            return err_trace(err);
    }
    fault_point("batch.before_commit");
    return conn_commit(conn, err);
}
