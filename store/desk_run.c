/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/utf8.h"
#include "store/desk_internal.h"
#include "store/inputs.h"

/* Subtransactions of one transaction: the server keeps up to 64 of a backend in shared memory. */
#define SAVEPOINTS_MAX 50u

void desk_refuse(struct desk_request *request, const char *sqlstate, const char *message,
                 const char *hint)
{
    struct desk_answer answer = {.sqlstate = sqlstate, .message = message, .hint = hint};

    request->done(request->context, &answer);
}

static void answer_rows(struct desk_request *request, const struct result *rows)
{
    struct desk_answer answer = {.status = 0};

    if (result_rows(rows) == 0) {
        desk_refuse(
            request, "02000", "there is nothing under this name",
            "It may have ended, or been answered or settled meanwhile; or you may not see it.");
        return;
    }
    answer.status = (int)result_int(rows, 0, 0);
    answer.body = result_text(rows, 0, 1);
    answer.n = result_length(rows, 0, 1);
    if (result_columns(rows) > 2)
        answer.subject = result_uuid(rows, 0, 2);
    request->done(request->context, &answer);
}

/* Copies what the server said, since later statements of the pipeline may be refused, too. */
struct refused {
    char sqlstate[6], message[2048], hint[1024], detail[1024];
};

static void keep(char *room, size_t n, const char *text)
{
    snprintf(room, n, "%s", text != NULL ? text : "");
    utf8_repair(room); /* it may have been cut inside a character */
}

static void keep_refusal(const struct conn *conn, const struct err *err, struct refused *refused)
{
    const char *state = conn_refusal(conn, REFUSAL_SQLSTATE);

    *refused = (struct refused){.sqlstate = ""};
    if (err->sqlstate[0] == '\0' || state == NULL) { /* not the database: a bug of ours */
        keep(refused->sqlstate, sizeof(refused->sqlstate), "XX000");
        keep(refused->message, sizeof(refused->message), err->text);
        return;
    }
    keep(refused->sqlstate, sizeof(refused->sqlstate), state);
    keep(refused->message, sizeof(refused->message), conn_refusal(conn, REFUSAL_MESSAGE));
    keep(refused->hint, sizeof(refused->hint), conn_refusal(conn, REFUSAL_HINT));
    keep(refused->detail, sizeof(refused->detail), conn_refusal(conn, REFUSAL_DETAIL));
}

static void answer_refused(struct desk_request *request, const struct refused *refused)
{
    struct desk_answer answer = {
        .sqlstate = refused->sqlstate,
        .message = refused->message,
        .hint = refused->hint[0] != '\0' ? refused->hint : NULL,
        .detail = refused->detail[0] != '\0' ? refused->detail : NULL,
    };

    request->done(request->context, &answer);
}

static int send_request(struct conn *conn, const struct desk_request *request, struct err *err)
{
    struct param params[DESK_PARAMS];

    for (size_t i = 0; i < request->n_params; i++)
        params[i] = p_text(request->params[i]);
    return conn_send(conn, request->query, params, request->n_params, err);
}

static int prepare(struct conn *conn, const struct desk_request *request, struct err *err)
{
    return conn_prepare(conn, request->query, request->n_params, err);
}

/* ---- Reading ---- */

int desk_read(struct conn *conn, struct desk_request *request, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct refused refused;

    if (prepare(conn, request, err) == 0 &&
        conn_send(conn, "desk_caller", PARAMS(p_text(request->caller)), err) == 0 &&
        send_request(conn, request, err) == 0 && conn_sync(conn, err) == 0 &&
        conn_next(conn, NULL, err) == 0 && conn_next(conn, &rows, err) == 0) {
        answer_rows(request, rows);
        return 0;
    }
    if (!conn_alive(conn))
        return err_trace(err);
    keep_refusal(conn, err, &refused);
    conn_finish(conn);
    answer_refused(request, &refused);
    return 0;
}

/* ---- Writing: all of them, or none ---- */

static int send_all(struct conn *conn, const struct desk_part *part, struct err *err)
{
    const char *caller = NULL;

    if (conn_send(conn, "begin", NO_PARAMS, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < part->n; i++) {
        const struct desk_request *request = part->requests[i];
        if ((caller == NULL || strcmp(caller, request->caller) != 0) &&
            conn_send(conn, "desk_caller", PARAMS(p_text(request->caller)), err) < 0)
            return err_trace(err);
        caller = request->caller;
        if (send_request(conn, request, err) < 0)
            return err_trace(err);
    }
    return inputs_send(conn, err) < 0 || conn_sync(conn, err) < 0 ? err_trace(err) : 0;
}

static int receive_all(struct conn *conn, struct desk_part *part, struct result **ret_inputs,
                       struct err *err)
{
    const char *caller = NULL;

    if (conn_next(conn, NULL, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < part->n; i++) {
        const struct desk_request *request = part->requests[i];
        if ((caller == NULL || strcmp(caller, request->caller) != 0) &&
            conn_next(conn, NULL, err) < 0)
            return err_trace(err);
        caller = request->caller;
        if (conn_next(conn, &part->rows[i], err) < 0)
            return err_trace(err);
    }
    return inputs_receive(conn, ret_inputs, err);
}

static void free_rows(struct desk_part *part)
{
    for (size_t i = 0; i < part->n; i++) {
        result_free(part->rows[i]);
        part->rows[i] = NULL;
    }
}

/* Whatever was carried out is committed if all of it passes; else it is rolled back, and those that
 * do not pass are answered and gone. */
static int commit_judged(struct conn *conn, struct graphs *graphs, const struct result *inputs,
                         struct desk_part *part, bool *ret_committed, bool *ret_in_doubt,
                         struct err *err)
{
    bool refused;

    *ret_committed = false;
    if (desk_judge(conn, graphs, inputs, part, &refused, err) < 0)
        return err_trace(err);
    if (refused) {
        conn_rollback(conn);
        return conn_alive(conn) ? 0 : err_set(err, ERR_LOST, "the connection was lost");
    }
    if (conn_commit(conn, err) < 0) {
        *ret_in_doubt = !conn_alive(conn);
        return err_trace(err);
    }
    *ret_committed = true;
    return 0;
}

/* Until all that is left of it is committed together, or the database refuses something in it. */
static int write_all(struct conn *conn, struct graphs *graphs, struct desk_part *part,
                     bool *ret_in_doubt, struct err *err)
{
    bool committed = false;

    while (!committed && part->n > 0) {
        struct result *inputs CLEANUP(result_freep) = NULL;
        int rc =
            send_all(conn, part, err) < 0 || receive_all(conn, part, &inputs, err) < 0 ||
                    commit_judged(conn, graphs, inputs, part, &committed, ret_in_doubt, err) < 0
                ? -1
                : 0;
        for (size_t i = 0; committed && i < part->n; i++)
            answer_rows(part->requests[i], part->rows[i]);
        free_rows(part);
        if (rc < 0)
            return err_trace(err);
    }
    return 0;
}

/* ---- Writing: each behind a savepoint ---- */

/*
 * One pipeline of several parts. After a refused statement the server skips the rest of its part;
 * the next one goes back to the savepoint, which a good request has moved behind itself.
 */
static int send_each(struct conn *conn, const struct desk_part *part, struct err *err)
{
    if (conn_send(conn, "begin", NO_PARAMS, err) < 0 ||
        conn_send(conn, "desk_savepoint", NO_PARAMS, err) < 0 || conn_sync(conn, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < part->n; i++) {
        const struct desk_request *request = part->requests[i];
        if (conn_send(conn, "desk_caller", PARAMS(p_text(request->caller)), err) < 0 ||
            send_request(conn, request, err) < 0 ||
            conn_send(conn, "desk_release", NO_PARAMS, err) < 0 ||
            conn_send(conn, "desk_savepoint", NO_PARAMS, err) < 0 || conn_sync(conn, err) < 0 ||
            conn_send(conn, "desk_back", NO_PARAMS, err) < 0 || conn_sync(conn, err) < 0)
            return err_trace(err);
    }
    return inputs_send(conn, err) < 0 || conn_sync(conn, err) < 0 ? err_trace(err) : 0;
}

static int receive_one(struct conn *conn, struct result **ret_rows, struct refused *ret_refused,
                       struct err *err)
{
    struct err why = {0}, ignored;
    bool refused = conn_next(conn, NULL, &why) < 0;

    if (refused)
        keep_refusal(conn, &why, ret_refused);
    if (conn_next(conn, ret_rows, refused ? &ignored : &why) < 0 && !refused) {
        refused = true;
        keep_refusal(conn, &why, ret_refused);
    }
    for (int i = 0; i < 2; i++) /* the savepoint's two */
        if (conn_next(conn, NULL, refused ? &ignored : err) < 0 && !refused)
            return err_trace(err);
    return conn_next(conn, NULL, err);
}

static int receive_each(struct conn *conn, struct desk_part *part, struct refused *refused,
                        struct result **ret_inputs, struct err *err)
{
    if (conn_next(conn, NULL, err) < 0 || conn_next(conn, NULL, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < part->n; i++)
        if (receive_one(conn, &part->rows[i], &refused[i], err) < 0)
            return err_trace(err);
    return inputs_receive(conn, ret_inputs, err);
}

static void answer_each(const struct desk_part *part, const struct refused *refused)
{
    for (size_t i = 0; i < part->n; i++) {
        if (part->rows[i] != NULL)
            answer_rows(part->requests[i], part->rows[i]);
        else
            answer_refused(part->requests[i], &refused[i]);
    }
}

/* A transaction of its own for part of a batch. ERR_LOST: what was not answered is left in it. */
static int write_part(struct conn *conn, struct graphs *graphs, struct desk_part *part,
                      bool *ret_in_doubt, struct err *err)
{
    struct arena arena CLEANUP(arena_deinit);
    bool committed = false;

    arena_init(&arena, 0);
    while (!committed && part->n > 0) {
        struct result *inputs CLEANUP(result_freep) = NULL;
        struct refused *refused = arena_array(&arena, part->n, sizeof(*refused));
        int rc =
            send_each(conn, part, err) < 0 || receive_each(conn, part, refused, &inputs, err) < 0 ||
                    commit_judged(conn, graphs, inputs, part, &committed, ret_in_doubt, err) < 0
                ? -1
                : 0;
        if (committed)
            answer_each(part, refused);
        free_rows(part);
        if (rc < 0 && !conn_alive(conn))
            return err_trace(err);
        if (rc < 0) { /* nobody's own fault: the commit was refused, or took too long */
            struct refused why;
            keep_refusal(conn, err, &why);
            conn_rollback(conn);
            for (size_t i = 0; i < part->n; i++)
                answer_refused(part->requests[i], &why);
            return 0;
        }
    }
    return 0;
}

static int write_each(struct conn *conn, struct graphs *graphs, struct desk_batch *batch,
                      bool *ret_in_doubt, struct err *err)
{
    static const char *const own[] = {"desk_savepoint", "desk_release", "desk_back",
                                      "inputs_as_engine", "inputs_accepted"};
    size_t n;

    /* A part that is skipped prepares nothing, and the next ones would lack it. */
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (conn_prepare(conn, own[i], 0, err) < 0)
            return err_trace(err);
    if (conn_prepare(conn, "desk_caller", 1, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < batch->n; i += n) {
        n = batch->n - i < SAVEPOINTS_MAX ? batch->n - i : SAVEPOINTS_MAX;
        struct desk_part part = {batch->requests + i, batch->rows + i, n};
        if (write_part(conn, graphs, &part, ret_in_doubt, err) == 0)
            continue;
        /* What was answered is not the caller's any more. */
        size_t rest = batch->n - i - n;
        memmove(batch->requests, part.requests, part.n * sizeof(*part.requests));
        memmove(batch->requests + part.n, batch->requests + i + n, rest * sizeof(*batch->requests));
        batch->n = part.n + rest;
        return err_trace(err);
    }
    return 0;
}

/* Refused before it was asked: its query is not one. */
static int prepare_all(struct conn *conn, struct desk_batch *batch, struct err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < batch->n; i++) {
        struct refused refused;
        if (prepare(conn, batch->requests[i], err) == 0) {
            batch->requests[n++] = batch->requests[i];
            continue;
        }
        if (!conn_alive(conn)) {
            memmove(batch->requests + n, batch->requests + i,
                    (batch->n - i) * sizeof(*batch->requests));
            batch->n -= i - n;
            return err_trace(err);
        }
        keep_refusal(conn, err, &refused);
        err_reset(err);
        answer_refused(batch->requests[i], &refused);
    }
    batch->n = n;
    return 0;
}

int desk_write(struct conn *conn, struct graphs *graphs, struct desk_batch *batch,
               bool *ret_in_doubt, size_t *ret_alone, struct err *err)
{
    *ret_in_doubt = false;
    *ret_alone = 0;
    if (prepare_all(conn, batch, err) < 0)
        return err_trace(err);
    struct desk_part part = {batch->requests, batch->rows, batch->n};
    int rc = write_all(conn, graphs, &part, ret_in_doubt, err);
    batch->n = part.n;
    if (rc == 0)
        return 0;
    if (!conn_alive(conn))
        return err_trace(err);
    err_reset(err);
    conn_rollback(conn);
    *ret_alone = batch->n;
    return write_each(conn, graphs, batch, ret_in_doubt, err) < 0 ? err_trace(err) : 0;
}
