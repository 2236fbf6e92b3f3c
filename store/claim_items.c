/* SPDX-License-Identifier: Apache-2.0 */
/* The rows that a claim found, as items: the same columns in each of its queries. */
#include "base/build.h"

#include <sys/random.h>

#include "store/batch.h"

static struct item_key key_of(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return (struct item_key){{a, b, c, d}};
}

static void key_uuid(const struct uuid *uuid, uint64_t *ret_a, uint64_t *ret_b)
{
    memcpy(ret_a, uuid->b, 8);
    memcpy(ret_b, uuid->b + 8, 8);
}

static const char *text_or_null(const struct result *rows, int row, int column)
{
    return result_null(rows, row, column) ? NULL : result_text(rows, row, column);
}

/* kind, token, node, phase, tries stand side by side wherever a command is stored. */
static void read_body(struct item *item, const struct result *rows, int row, int subject)
{
    struct command *c = &item->command;

    c->subject = result_uuid(rows, row, subject);
    c->name = text_or_null(rows, row, subject + 1);
    c->detail = text_or_null(rows, row, subject + 2);
    c->body = text_or_null(rows, row, subject + 3);
    c->body_n = c->body != NULL ? result_length(rows, row, subject + 3) : 0;
}

static bool all_digits(const char *text)
{
    return text != NULL && text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

void ready_item(struct batch *batch, const struct result *rows, int row)
{
    struct item *item = batch_item(batch, FROM_READY);
    struct command *c = &item->command;

    item->tid = result_tid(rows, row, 0);
    item->id = result_int(rows, row, 1);
    item->key = key_of(FROM_READY, (uint64_t)item->id, 0, 0);
    item->kind = (int)result_int(rows, row, 4);
    item->lane = (int)result_int(rows, row, 13);
    item->made = (uint32_t)result_int(rows, row, 14);
    *c = (struct command){
        .kind = (enum command_kind)item->kind,
        .root = result_uuid(rows, row, 2),
        .instance = result_uuid(rows, row, 3),
        .token = (uint32_t)result_int(rows, row, 5),
        .node = (int)result_int(rows, row, 6),
        .phase = (enum command_phase)result_int(rows, row, 7),
        .tries = (uint32_t)result_int(rows, row, 8),
        .origin = item,
    };
    read_body(item, rows, row, 9);
    if (c->kind == COMMAND_START) {
        /* A message starts a process: see message.c for where its columns come from. */
        item->definition_id = (int)c->token;
        item->tenant = c->detail;
        c->token = 0;
        c->business_key = c->name;
        c->name = c->detail = NULL;
    } else if ((c->kind == COMMAND_CALL_SENT || c->kind == COMMAND_TIMER) &&
               all_digits(c->detail)) {
        c->due_us = strtoll(c->detail, NULL, 10);
    }
}

void timer_item(struct batch *batch, const struct result *rows, int row)
{
    struct item *item = batch_item(batch, FROM_TIMER);
    struct command *c = &item->command;
    uint64_t a, b;

    item->kind = (int)result_int(rows, row, 4);
    item->retry = result_bool(rows, row, 8);
    *c = (struct command){
        .kind = (enum command_kind)item->kind,
        .due_us = result_time(rows, row, 0),
        .instance = result_uuid(rows, row, 1),
        .token = (uint32_t)result_int(rows, row, 2),
        .node = (int)result_int(rows, row, 3),
        .root = result_uuid(rows, row, 5),
        .phase = (enum command_phase)result_int(rows, row, 6),
        .tries = (uint32_t)result_int(rows, row, 7),
        .origin = item,
    };
    read_body(item, rows, row, 9);
    item->id = c->due_us; /* the row's key, whatever becomes of the command's */
    if (item->retry && c->kind == COMMAND_CALL_SENT && all_digits(c->detail))
        c->due_us = strtoll(c->detail, NULL, 10);
    key_uuid(&c->instance, &a, &b);
    item->key =
        key_of((uint64_t)FROM_TIMER | (uint64_t)item->kind << 4 | (uint64_t)item->retry << 12 |
                   (uint64_t)(uint32_t)c->node << 13 | (uint64_t)c->token << 32,
               (uint64_t)item->id, a, b);
}

void inbox_item(struct batch *batch, const struct result *rows, int row)
{
    struct item *item = batch_item(batch, FROM_INBOX);
    struct command *c = &item->command;

    item->tid = result_tid(rows, row, 0);
    item->xid = (uint64_t)result_int(rows, row, 1);
    item->id = result_int(rows, row, 2);
    item->key = key_of(FROM_INBOX, item->xid, (uint64_t)item->id, 0);
    item->kind = (int)result_int(rows, row, 3);
    item->command_id = result_uuid(rows, row, 4);
    item->definition_id = (int)result_int(rows, row, 8);
    item->ttl_us = result_int(rows, row, 13);
    item->tenant = result_text(rows, row, 15);
    item->asked_us = result_time(rows, row, 16);
    item->lane = (int)result_int(rows, row, 17);
    item->made = (uint32_t)result_int(rows, row, 18);
    *c = (struct command){
        .kind = (enum command_kind)item->kind,
        .root = result_uuid(rows, row, 5),
        .instance = result_uuid(rows, row, 6),
        .subject = result_uuid(rows, row, 7),
        .name = text_or_null(rows, row, 9),
        .business_key = text_or_null(rows, row, 10),
        .detail = text_or_null(rows, row, 11),
        .body = text_or_null(rows, row, 12),
        .body_n = result_null(rows, row, 12) ? 0 : result_length(rows, row, 12),
        .actor = result_text(rows, row, 14),
        .origin = item,
    };
    if (item->kind == INBOX_RETRY)
        item->reason = item->command.detail;
}

void start_item(struct batch *batch, const struct result *rows, int row)
{
    struct item *item = batch_item(batch, FROM_START_TIMER);
    uint8_t entropy[10];

    item->kind = COMMAND_START;
    item->tid = result_tid(rows, row, 0);
    item->definition_id = (int)result_int(rows, row, 1);
    item->remaining = (int32_t)result_int(rows, row, 4);
    item->tenant = result_text(rows, row, 5);
    item->present = true;
    int64_t due_us = result_time(rows, row, 3);
    int node = (int)result_int(rows, row, 2);
    item->key =
        key_of(FROM_START_TIMER, (uint64_t)item->definition_id, (uint64_t)node, (uint64_t)due_us);
    ssize_t got = getrandom(entropy, sizeof(entropy), 0);
    assert(got == (ssize_t)sizeof(entropy)); /* up to 256 bytes never come short */
    struct uuid id = uuid_v7(batch->worker->now_us / 1000, entropy);
    item->command = (struct command){.kind = COMMAND_START,
                                     .instance = id,
                                     .root = id,
                                     .node = node,
                                     .due_us = due_us,
                                     .origin = item};
}

void result_item(struct batch *batch, const struct call_result *result, size_t index)
{
    struct item *item = batch_item(batch, FROM_RESULT);
    uint64_t a, b;

    item->kind = COMMAND_CALL_RESULT;
    item->result = result;
    item->result_index = index;
    key_uuid(&result->call, &a, &b);
    item->key = key_of((uint64_t)FROM_RESULT | (uint64_t)result->attempt << 32, a, b, 0);
    item->command = (struct command){
        .kind = COMMAND_CALL_RESULT,
        .instance = result->instance,
        .root = result->root,
        .token = result->token,
        .node = result->node,
        .subject = result->call,
        .body = result->response,
        .body_n = result->response_n,
        .origin = item,
    };
}

/* ---- Reading them ---- */

int claim_rows(struct batch *batch, struct result **ret_rows, struct err *err)
{
    if (conn_next(batch->conn, ret_rows, err) < 0)
        return err_trace(err);
    batch_keep(batch, *ret_rows);
    return 0;
}

int claim_fence(struct batch *batch, struct err *err)
{
    struct result *rows;

    if (conn_next(batch->conn, NULL, err) < 0 || claim_rows(batch, &rows, err) < 0)
        return err_trace(err);
    if (result_rows(rows) != 1)
        return err_set(err, ERR_CONFLICT,
                       "another process runs with this node's id: end one of them, or "
                       "give it a data directory of its own");
    batch->number = result_int(rows, 0, 0);
    return 0;
}
