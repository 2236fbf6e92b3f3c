/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/partition.h"

/* Somebody's lock is waited for 200 ms at a time, so that nobody queues behind us for longer. */
#define ATTEMPTS 20

static int make_one(struct conn *conn, const char *name, const char *from, const char *to,
                    struct err *err)
{
    char sql[640];

    /*
     * Of two nodes that make the same one, the second finds it there: by a query, since what
     * to_regclass() says may be older than the wait for the lock.
     */
    snprintf(
        sql, sizeof(sql),
        "begin; set local lock_timeout = '200ms'; select pg_advisory_xact_lock("
        "hashtextextended('pawl partition ' || current_schema(), 0)); "
        "do $do$ begin if not exists (select from pg_catalog.pg_class c where c.relname = '%s' "
        "and c.relnamespace = quote_ident(current_schema())::regnamespace) then "
        "create table %s (like event including defaults including constraints); "
        "alter table event attach partition %s for values from ('%s') to ('%s'); "
        "end if; end $do$; commit",
        name, name, name, from, to);
    int rc = -1;
    for (int i = 0; rc < 0 && i < ATTEMPTS; i++) {
        rc = conn_script(conn, sql, err);
        if (rc < 0)
            conn_rollback(conn);
        if (rc < 0 && (err->code != ERR_LOST || !conn_alive(conn)))
            break;
    }
    return rc < 0 ? err_trace(err) : 0;
}

int partition_ahead(struct conn *conn, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct err why;

    if (conn_query(conn, "partitions_missing", PARAMS(p_int4(PARTITION_DAYS_AHEAD)), &rows, err) <
        0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++) {
        if (make_one(conn, result_text(rows, i, 0), result_text(rows, i, 1),
                     result_text(rows, i, 2), &why) < 0)
            return err_set(err, why.code, "the history's partition %s could not be made: %s",
                           result_text(rows, i, 0), why.text);
    }
    return 0;
}
