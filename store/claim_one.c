/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The claim of one command that is known by its key. It locks nothing (but a start timer's row):
 * the family's lock says who carries it out, and whether it is still there is looked at behind it.
 */
#include "base/build.h"

#include "store/batch.h"

typedef void item_reader(struct batch *batch, const struct result *rows, int row);

static struct uuid key_id(const struct item_key *key, unsigned word)
{
    struct uuid id;

    memcpy(id.b, &key->word[word], 8);
    memcpy(id.b + 8, &key->word[word + 1], 8);
    return id;
}

/* The row of the key; the rest of a timer's key is compared afterwards. */
static int send_one(struct batch *batch, const struct item_key *key, item_reader **ret_reader,
                    struct err *err)
{
    struct conn *conn = batch->conn;

    *ret_reader = NULL;
    switch (key->word[0] & 15) {
    case FROM_READY:
        *ret_reader = ready_item;
        return conn_send(conn, "claim_ready_one", PARAMS(p_int8((int64_t)key->word[1])), err);
    case FROM_INBOX:
        *ret_reader = inbox_item;
        return conn_send(conn, "claim_inbox_one",
                         PARAMS(p_xid8(key->word[1]), p_int8((int64_t)key->word[2])), err);
    case FROM_START_TIMER:
        *ret_reader = start_item;
        return conn_send(conn, "claim_start_one",
                         PARAMS(p_int4((int)key->word[1]), p_int4((int)key->word[2])), err);
    case FROM_TIMER: {
        struct uuid instance = key_id(key, 2);
        *ret_reader = timer_item;
        return conn_send(conn, "claim_timer_one",
                         PARAMS(p_time((int64_t)key->word[1]), p_uuid(&instance)), err);
    }
    default:
        return 0; /* FROM_RESULT: it is given */
    }
}

int claim_one(struct batch *batch, const struct item_key *key, const struct call_result *results,
              size_t n_results, struct err *err)
{
    struct store_worker *worker = batch->worker;
    struct conn *conn = batch->conn;
    item_reader *reader;
    struct result *rows;

    if (conn_send(conn, "begin", NO_PARAMS, err) < 0 ||
        conn_send(conn, "batch_fence",
                  PARAMS(p_int4(worker->fence.worker), p_int8(worker->fence.epoch)), err) < 0 ||
        send_one(batch, key, &reader, err) < 0 || conn_sync(conn, err) < 0 ||
        claim_fence(batch, err) < 0)
        return err_trace(err);
    if (reader != NULL && claim_rows(batch, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; reader != NULL && i < result_rows(rows); i++)
        reader(batch, rows, i);
    for (size_t i = 0; reader == NULL && i < n_results; i++)
        result_item(batch, &results[i], i);
    for (size_t i = 0; i < batch->n_items; i++) {
        struct item *item = batch->items[i];
        if (item_key_equal(&item->key, key))
            claim_judge(worker, item);
        else
            item->state = ITEM_PUT_OFF;
    }
    return 0;
}
