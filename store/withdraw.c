/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A deployment is withdrawn: its definitions are no longer the latest of their keys, and the start
 * events of the versions before them take the place of theirs. A transaction of its own, like a
 * deployment. Rows of definitions stay: history and what still runs need them.
 */
#include "base/build.h"

#include "store/deploy.h"

struct withdrawal {
    struct uuid command, deployment;
    const char *actor, *tenant, *reason;
    bool cancel; /* what runs */
    int64_t now_us;
};

static int tell(struct conn *conn, const struct withdrawal *w, const char *state,
                const char *detail, struct err *err)
{
    return conn_query(conn, "outcome_put",
                      PARAMS(p_uuid(&w->command), p_text(state), p_text(detail), p_text(w->tenant),
                             p_time(w->now_us)),
                      NULL, err);
}

/* The versions that are the latest now: their start events, out of their files. */
static int former_starts(struct conn *conn, struct arena *arena, const struct withdrawal *w,
                         struct err *err)
{
    struct result *files CLEANUP(result_freep) = NULL;
    struct result *definitions CLEANUP(result_freep) = NULL;
    struct deployment d = {.arena = arena, .tenant = w->tenant};

    if (conn_query(conn, "withdraw_former", PARAMS(p_uuid(&w->deployment)), &definitions, err) <
            0 ||
        conn_query(conn, "withdraw_files", PARAMS(p_uuid(&w->deployment)), &files, err) < 0)
        return err_trace(err);
    if (result_rows(definitions) == 0)
        return 0;
    deploy_judge(&d, result_text(files, 0, 0), result_length(files, 0, 0));
    for (size_t i = 0; i < d.n_processes; i++) {
        struct deploy_process *p = &d.processes[i];
        for (int r = 0; r < result_rows(definitions); r++) {
            if (strcmp(result_text(definitions, r, 1), p->graph->key) != 0 ||
                strcmp(result_text(definitions, r, 2), p->file->name) != 0)
                continue;
            p->definition_id = (int)result_int(definitions, r, 0);
            p->is_new = true;
        }
    }
    int rc = deploy_zones(conn, &d, err);
    if (rc == 0)
        rc = deploy_replace_starts(conn, &d, w->now_us, err);
    deploy_forget(&d);
    return rc < 0 ? err_trace(err) : 0;
}

static int carry_out(struct conn *conn, struct arena *arena, const struct withdrawal *w,
                     struct err *err)
{
    struct result *running CLEANUP(result_freep) = NULL;
    struct result *done CLEANUP(result_freep) = NULL;

    if (conn_query(conn, "withdraw_running", PARAMS(p_uuid(&w->deployment)), &running, err) < 0)
        return err_trace(err);
    if (!w->cancel && !result_null(running, 0, 0))
        return tell(conn, w, "refused", result_text(running, 0, 0), err);
    if (conn_query(conn, "withdraw_mark",
                   PARAMS(p_uuid(&w->deployment), p_time(w->now_us), p_text(w->actor)), NULL,
                   err) < 0 ||
        former_starts(conn, arena, w, err) < 0 ||
        conn_query(conn, "withdraw_cancel",
                   PARAMS(p_uuid(&w->deployment), p_text(w->reason), p_text(w->actor),
                          p_bool(!result_null(running, 0, 0))),
                   &done, err) < 0)
        return err_trace(err);
    return tell(conn, w, "done", result_text(done, 0, 0), err);
}

static int transaction(struct conn *conn, struct arena *arena, struct withdrawal *w,
                       const struct worker_fence *fence, uint64_t xid, int64_t id, struct err *err)
{
    struct result *is_free CLEANUP(result_freep) = NULL;
    struct result *now CLEANUP(result_freep) = NULL;

    int taken = deploy_begin(conn, fence, xid, id, err);
    if (taken <= 0)
        return taken < 0 ? err_trace(err) : 0;
    if (conn_query(conn, "withdraw_free", PARAMS(p_uuid(&w->deployment)), &is_free, err) < 0)
        return err_trace(err);
    if (!result_bool(is_free, 0, 0)) {
        conn_rollback(conn);
        return 1;
    }
    if (conn_query(conn, "deploy_lock", NO_PARAMS, NULL, err) < 0 ||
        conn_query(conn, "clock", NO_PARAMS, &now, err) < 0)
        return err_trace(err);
    w->now_us = result_time(now, 0, 0);
    if (carry_out(conn, arena, w, err) < 0)
        return err_trace(err);
    return conn_commit(conn, err);
}

int withdraw_run(struct conn *conn, struct arena *arena, const struct worker_fence *fence,
                 uint64_t xid, int64_t id, struct uuid *ret_id, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct withdrawal w = {0};

    if (conn_query(conn, "withdraw_read", PARAMS(p_xid8(xid), p_int8(id)), &rows, err) < 0)
        return err_trace(err);
    if (result_rows(rows) == 0)
        return 0;
    *ret_id = w.command = result_uuid(rows, 0, 0);
    w.deployment = result_uuid(rows, 0, 1);
    w.actor = result_text(rows, 0, 2);
    w.tenant = result_text(rows, 0, 3);
    w.reason = result_null(rows, 0, 4) ? NULL : result_text(rows, 0, 4);
    w.cancel = result_bool(rows, 0, 5);
    int rc = transaction(conn, arena, &w, fence, xid, id, err);
    if (rc < 0) {
        conn_rollback(conn);
        return err_trace(err);
    }
    return rc;
}
