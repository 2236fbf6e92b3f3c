/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/fault.h"
#include "store/delegate.h"

/* Deadlocks and the like: the whole transaction is tried so often before it counts as a failure. */
#define AGAIN_MAX 3u

bool delegate_enter(struct store_worker *worker)
{
    struct store *store = worker->store;
    unsigned workers = atomic_load(&store->n_workers);
    unsigned places = workers > 1 ? workers - 1 : 1;

    if (worker->delegating)
        return true;
    if (atomic_fetch_add(&store->n_delegating, 1) >= places) {
        atomic_fetch_sub(&store->n_delegating, 1);
        return false;
    }
    worker->delegating = true;
    return true;
}

void delegate_leave(struct store_worker *worker)
{
    if (worker->delegating)
        atomic_fetch_sub(&worker->store->n_delegating, 1);
    worker->delegating = false;
}

/* ---- What went wrong ---- */

/* The server asks for another try, and has not done so too often for this command. */
static bool try_again(struct store_worker *worker, const char *state)
{
    static const char *const classes[] = {"40", "53", "08", "57P", "58", "25006"};

    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (sqlstate_in(state, classes[i]))
            return ++worker->delegate_tries < AGAIN_MAX;
    return false;
}

static int failed(struct batch *batch, const struct need *need, const char *state, const char *text,
                  const char *detail, struct err *err)
{
    enum err_code code = try_again(batch->worker, state) ? ERR_LOST : ERR_DATA;

    err_set(err, code, "%s '%s': SQL delegate '%s' failed: %s (SQLSTATE %s)%s%s",
            node_kind_name(need->of->kind), need->of->id, need->delegate, text, state,
            detail != NULL && detail[0] != '\0' ? "; " : "", detail != NULL ? detail : "");
    if (err != NULL)
        snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", state);
    return -1;
}

/* The statement itself was ended by the server: its time was over, or somebody ended it. */
static int cancelled(struct batch *batch, const struct need *need, int64_t timeout_ms,
                     struct err *err)
{
    char text[sizeof(err->text)], state[sizeof(err->sqlstate)];

    if (!conn_alive(batch->conn) || err->sqlstate[0] == '\0')
        return err_trace(err);
    snprintf(text, sizeof(text), "%s", err->text);
    snprintf(state, sizeof(state), "%s", err->sqlstate);
    if (strcmp(state, "57014") == 0)
        return err_set(
            err, ERR_DATA,
            "%s '%s': SQL delegate '%s' was cancelled: it did not end within its timeout of %lld "
            "ms (SQLSTATE 57014)",
            node_kind_name(need->of->kind), need->of->id, need->delegate, (long long)timeout_ms);
    return failed(batch, need, state, text, NULL, err);
}

/* ---- Running ---- */

static void keep(struct batch *batch, const struct result *rows, int column, const char **ret)
{
    *ret = result_null(rows, 0, column) ? NULL
                                        : arena_strdup(batch->arena, result_text(rows, 0, column));
}

static int read_answer(struct batch *batch, struct need *need, const struct result *rows,
                       struct err *err)
{
    const char *state, *message, *detail, *context;

    keep(batch, rows, 0, &need->result);
    need->result_n = need->result != NULL ? strlen(need->result) : 0;
    keep(batch, rows, 1, &state);
    keep(batch, rows, 2, &message);
    keep(batch, rows, 3, &detail);
    keep(batch, rows, 4, &context);
    if (state == NULL)
        return 0;
    if (strcmp(state, "PB001") == 0) {
        need->error_code = message;
        need->error_message = detail != NULL && detail[0] != '\0' ? detail : NULL;
        return 0;
    }
    return failed(batch, need, state, message,
                  detail != NULL && detail[0] != '\0' ? detail : context, err);
}

/* Three statements, one trip: what the session is, the timeouts, and the delegate. */
static int ask(struct batch *batch, struct need *need, struct result **ret_before,
               struct result **ret_answer, struct err *err)
{
    struct result *timeouts CLEANUP(result_freep) = NULL;
    struct conn *conn = batch->conn;
    int64_t timeout_ms = 0;

    if (conn_send(conn, "delegate_session", NO_PARAMS, err) < 0 ||
        conn_send(conn, "delegate_timeouts", PARAMS(p_text(need->delegate)), err) < 0 ||
        conn_send(conn, "delegate_run", PARAMS(p_text(need->delegate), p_text(need->arguments)),
                  err) < 0 ||
        conn_sync(conn, err) < 0 || conn_next(conn, ret_before, err) < 0)
        return err_trace(err);
    batch_keep(batch, *ret_before);
    if (conn_next(conn, &timeouts, err) < 0)
        return err_trace(err);
    if (result_rows(timeouts) == 1)
        timeout_ms = result_int(timeouts, 0, 2);
    if (conn_next(conn, ret_answer, err) < 0)
        return cancelled(batch, need, timeout_ms, err);
    batch_keep(batch, *ret_answer);
    return 0;
}

/* It may do anything that its role may; what the rest of the transaction relies on is looked at. */
static int restore(struct batch *batch, const struct need *need, const struct result *before,
                   struct err *err)
{
    struct result *after CLEANUP(result_freep) = NULL;
    struct conn *conn = batch->conn;
    const char *was = result_text(before, 0, 0);

    if (conn_send(conn, "delegate_restore",
                  PARAMS(p_text(result_text(before, 0, 1)), p_text(result_text(before, 0, 2))),
                  err) < 0 ||
        conn_send(conn, "delegate_session", NO_PARAMS, err) < 0 || conn_sync(conn, err) < 0 ||
        conn_next(conn, NULL, err) < 0 || conn_next(conn, &after, err) < 0)
        return cancelled(batch, need, 0, err);
    const char *is = result_text(after, 0, 0);
    if (strcmp(was, is) == 0)
        return 0;
    size_t same = 0;
    while (was[same] == is[same])
        same++;
    while (same > 0 && was[same - 1] != ';')
        same--;
    return err_set(
        err, ERR_DATA,
        "%s '%s': SQL delegate '%s' changed the session of the engine, so all that it did was "
        "rolled back: it was%s%.*s and became%s%.*s",
        node_kind_name(need->of->kind), need->of->id, need->delegate, same == 0 ? " " : "",
        (int)strcspn(was + same, ";"), was + same, same == 0 ? " " : "",
        (int)strcspn(is + same, ";"), is + same);
}

int delegate_run(struct batch *batch, struct need *need, struct err *err)
{
    struct result *before, *answer;

    fault_point("delegate.before");
    if (ask(batch, need, &before, &answer, err) < 0 || restore(batch, need, before, err) < 0 ||
        read_answer(batch, need, answer, err) < 0)
        return err_trace(err);
    batch->worker->delegate_tries = 0;
    fault_point("delegate.after");
    return 0;
}
