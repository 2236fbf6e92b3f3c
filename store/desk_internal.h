/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* desk.c: the queue and its threads. desk_run.c: one transaction. */
#include "base/limits.h"
#include "store/conn.h"
#include "store/desk.h"
#include "store/graphs.h"

/* Requests that share a transaction, in the order in which they came. */
struct desk_batch {
    struct desk_request *requests[LIMIT_BATCH_COMMANDS];
    struct result *rows[LIMIT_BATCH_COMMANDS]; /* owned; NULL: refused */
    size_t n;
};

/* Those of them that a transaction carries out. */
struct desk_part {
    struct desk_request **requests;
    struct result **rows;
    size_t n;
};

/*
 * Runs a batch of writes and answers it. ERR_LOST: nothing was answered that is still in the batch,
 * and nothing of it has happened, or, with *ret_in_doubt, it may have. *ret_alone: how many ran
 * behind savepoints.
 */
int desk_write(struct conn *conn, struct graphs *graphs, struct desk_batch *batch,
               bool *ret_in_doubt, size_t *ret_alone, struct err *err) MUST_CHECK;
/* Answers those whose input does not pass, and takes them out. `inputs`: of inputs_receive(). */
int desk_judge(struct conn *conn, struct graphs *graphs, const struct result *inputs,
               struct desk_part *part, bool *ret_refused, struct err *err) MUST_CHECK;
/* Runs one request that only reads, and answers it. ERR_LOST: nothing was answered. */
int desk_read(struct conn *conn, struct desk_request *request, struct err *err) MUST_CHECK;
/* Answers without having asked. */
void desk_refuse(struct desk_request *request, const char *sqlstate, const char *message,
                 const char *hint);
