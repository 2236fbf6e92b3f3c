/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/fault.h"
#include "store/conn.h"
#include "store/retain.h"
#include "store/store_internal.h"

#define STATEMENT_MS 600000
#define LOCK_MS 5000 /* a reader's open transaction holds up the detach: the next round ends it */
#define MOVE_INSTANCES 20000

/* name: of a partition, from the catalog: event_ and eight digits. */
static int detach(struct conn *conn, const char *name, const char *how, struct err *err)
{
    char sql[200];

    snprintf(sql, sizeof(sql), "alter table event detach partition %s %s", name, how);
    return conn_script(conn, sql, err) < 0 ? err_trace(err) : 0;
}

static int end_pending(struct conn *conn, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(conn, "retain_pending", NO_PARAMS, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++)
        if (detach(conn, result_text(rows, i, 0), "finalize", err) < 0)
            return err_trace(err);
    return 0;
}

static int move_needed(struct conn *conn, const char *day, struct retain_report *report,
                       struct err *err)
{
    int64_t moved;

    do {
        struct result *rows CLEANUP(result_freep) = NULL;
        if (conn_query(conn, "retain_move", PARAMS(p_text(day), p_int4(MOVE_INSTANCES)), &rows,
                       err) < 0)
            return err_trace(err);
        moved = result_affected(rows);
        report->moved += (uint64_t)moved;
        fault_point("retain.moved");
    } while (moved > 0);
    return 0;
}

static int forget_day(struct conn *conn, const char *day, struct retain_report *report,
                      struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    char name[32];

    if (move_needed(conn, day, report, err) < 0 ||
        conn_query(conn, "retain_attached", PARAMS(p_text(day)), &rows, err) < 0)
        return err_trace(err);
    snprintf(name, sizeof(name), "event_%s", day);
    if (result_bool(rows, 0, 0) && detach(conn, name, "concurrently", err) < 0)
        return err_trace(err);
    fault_point("retain.detached");
    return conn_query(conn, "retain_forget_day", PARAMS(p_text(day)), NULL, err) < 0
               ? err_trace(err)
               : 0;
}

/* Also those that an earlier round detached and did not get to drop. */
static int drop_detached(struct conn *conn, struct retain_report *report, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(conn, "retain_detached", NO_PARAMS, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++) {
        char sql[100];
        snprintf(sql, sizeof(sql), "drop table %s", result_text(rows, i, 0));
        if (conn_script(conn, sql, err) < 0)
            return err_trace(err);
        report->days++;
    }
    return 0;
}

static int forget_kept(struct conn *conn, struct retain_report *report, struct err *err)
{
    int64_t gone;

    do {
        struct result *rows CLEANUP(result_freep) = NULL;
        if (conn_query(conn, "retain_forget_kept", PARAMS(p_int4(MOVE_INSTANCES)), &rows, err) < 0)
            return err_trace(err);
        gone = result_affected(rows);
        report->forgot += (uint64_t)gone;
    } while (gone > 0);
    return 0;
}

static int carry_out(struct conn *conn, bool all, struct retain_report *report, struct err *err)
{
    struct result *days CLEANUP(result_freep) = NULL;
    struct result *left CLEANUP(result_freep) = NULL;

    if (end_pending(conn, err) < 0 ||
        conn_query(conn, "retain_days_new", NO_PARAMS, NULL, err) < 0 ||
        conn_query(conn, "retain_days_due", NO_PARAMS, &days, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(days); i++)
        if (forget_day(conn, result_text(days, i, 0), report, err) < 0)
            return err_trace(err);
    if (drop_detached(conn, report, err) < 0 ||
        ((all || report->days > 0) && forget_kept(conn, report, err) < 0) ||
        conn_query(conn, "retain_leftovers", NO_PARAMS, &left, err) < 0)
        return err_trace(err);
    report->leftovers = (uint64_t)result_int(left, 0, 0);
    return 0;
}

/* ---- Ending it from another thread ---- */

void retain_stop_init(struct retain_stop *stop)
{
    *stop = (struct retain_stop){.stopped = false};
    pthread_mutex_init(&stop->lock, NULL);
}

void retain_stop_deinit(struct retain_stop *stop)
{
    pthread_mutex_destroy(&stop->lock);
}

void retain_stop_now(struct retain_stop *stop)
{
    pthread_mutex_lock(&stop->lock);
    stop->stopped = true;
    conn_cancel_now(stop->cancel);
    pthread_mutex_unlock(&stop->lock);
}

/* From here on a stop ends the connection's statement. False: it has come already. */
static bool may_go_on(struct retain_stop *stop, struct conn *conn)
{
    pthread_mutex_lock(&stop->lock);
    bool go_on = !stop->stopped;
    if (go_on)
        stop->cancel = conn_cancel_new(conn);
    pthread_mutex_unlock(&stop->lock);
    return go_on;
}

static void no_stop_any_more(struct retain_stop *stop)
{
    pthread_mutex_lock(&stop->lock);
    conn_cancel_free(stop->cancel);
    stop->cancel = NULL;
    pthread_mutex_unlock(&stop->lock);
}

static int retain(const struct store_options *options, bool all, struct retain_stop *stop,
                  struct retain_report *ret_report, struct err *err)
{
    struct conn *conn CLEANUP(conn_closep) = NULL;
    struct result *lock CLEANUP(result_freep) = NULL;
    const struct conn_options how = {.conninfo = options->conninfo,
                                     .schema = options->schema,
                                     .application_name = "pawl retention",
                                     .statement_timeout_ms = STATEMENT_MS,
                                     .lock_timeout_ms = LOCK_MS};

    *ret_report = (struct retain_report){.days = 0};
    if (conn_open(&how, &conn, err) < 0 || conn_check_schema(conn, err) < 0 ||
        conn_query(conn, "retain_lock", NO_PARAMS, &lock, err) < 0)
        return err_trace(err);
    if (!result_bool(lock, 0, 0)) {
        ret_report->elsewhere = true;
        return 0;
    }
    if (!may_go_on(stop, conn))
        return 0;
    /* The lock goes with the connection. */
    int result = carry_out(conn, all, ret_report, err);
    no_stop_any_more(stop);
    return result < 0 ? err_trace(err) : 0;
}

int store_retain(const struct store_options *options, bool all, struct retain_report *ret_report,
                 struct err *err)
{
    struct retain_stop stop;

    retain_stop_init(&stop);
    int result = retain(options, all, &stop, ret_report, err);
    retain_stop_deinit(&stop);
    return result < 0 ? err_trace(err) : 0;
}

int store_keep(const struct store *store, struct retain_stop *stop,
               struct retain_report *ret_report, struct err *err)
{
    const struct store_options options = {.conninfo = store->conninfo, .schema = store->schema};

    return retain(&options, false, stop, ret_report, err) < 0 ? err_trace(err) : 0;
}
