/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens whose job waits (ready, to be tried again, an incident, parked) have no place in the
 * document. For what people do by hand at an element it is looked up in the rows, behind the lock,
 * and the command told.
 */
#include "base/build.h"

#include "store/effects.h"

static bool is_modify(const struct item *item)
{
    return item->fam != NULL && item->fam->locked && item->state == ITEM_RUN &&
           (item->kind == COMMAND_SKIP || item->kind == COMMAND_MOVE ||
            item->kind == COMMAND_COMPLETE_ELEMENT);
}

/* The number of the token in the command's body; 0: the one that is there. */
static uint32_t token_wanted(struct batch *batch, const struct command *c)
{
    const struct value *token;
    struct value body;
    struct err err;

    if (c->body == NULL || value_read(batch->arena, c->body, c->body_n, &body, &err) < 0)
        return 0; /* the engine says what is wrong with it */
    token = value_member(&body, "token", strlen("token"));
    if (token == NULL || token->kind != VALUE_NUMBER || !token->u.number.is_integer ||
        token->u.number.integer < 0 || token->u.number.integer > UINT32_MAX)
        return 0;
    return (uint32_t)token->u.number.integer;
}

static const struct graph *graph_of(const struct batch *batch, const struct item *item)
{
    for (size_t i = 0; i < item->fam->n_rows; i++) {
        const struct instance_row *row = &item->fam->rows[i]->instance;
        if (uuid_equal(&row->id, &item->command.instance))
            return batch_graph(batch, row->definition_id);
    }
    return NULL;
}

static void take_place(struct batch *batch, struct item *item, const struct result *rows)
{
    const struct graph *graph = graph_of(batch, item);
    struct command *c = &item->command;
    uint32_t wanted = token_wanted(batch, c);
    size_t n = 0;

    c->node = -1;
    c->token = wanted;
    if (graph == NULL || c->name == NULL)
        return;
    int node = graph_find(graph, c->name);
    for (int i = 0; node >= 0 && i < result_rows(rows); i++) {
        struct uuid instance = result_uuid(rows, i, 0);
        uint32_t token = (uint32_t)result_int(rows, i, 1);
        if (!uuid_equal(&instance, &c->instance) || result_int(rows, i, 2) != node ||
            (wanted != 0 && token != wanted))
            continue;
        /* Whose items have jobs: the whole is older, if it has one. */
        if (n > 0 && graph->nodes[node].multi != NULL) {
            if (token > c->token)
                continue;
            n = 0;
        }
        c->node = node;
        c->token = token;
        c->phase = (enum command_phase)result_int(rows, i, 3);
        item->retry_due_us = result_null(rows, i, 4) ? 0 : result_time(rows, i, 4);
        n++;
    }
    if (n > 1)
        item_refuse(item, ERR_CONFLICT,
                    arena_printf(batch->arena,
                                 "%zu tokens are at '%s': say which, by the number in the view "
                                 "tokens",
                                 n, c->name));
}

/*
 * A job of the token that is in the same batch would be carried out first, and the place be
 * another. A row of it waits: it finds nobody then. What a caller asked for before goes first, and
 * this and what he asked for later waits for it.
 */
static void keep_place(struct item *item)
{
    const struct command *c = &item->command;
    struct fam *fam = item->fam;
    size_t at = 0;
    bool asked = false;

    for (size_t i = 0; i < fam->n_items && c->node >= 0; i++) {
        struct item *job = fam->items[i];
        at = job == item ? i : at;
        if (job->state != ITEM_RUN || job->kind != COMMAND_CONTINUE ||
            job->command.token != c->token || !uuid_equal(&job->command.instance, &c->instance))
            continue;
        if (job->source != FROM_INBOX)
            job->state = ITEM_PUT_OFF;
        else
            asked |= fam->items[at] != item;
    }
    for (size_t i = at; i < fam->n_items && asked; i++) {
        if (fam->items[i]->source == FROM_INBOX)
            fam->items[i]->state = ITEM_PUT_OFF;
    }
}

int modify_places(struct batch *batch, struct err *err)
{
    struct column instances;
    struct result *rows;

    column_init(&instances, batch->arena, COLUMN_UUID);
    for (size_t i = 0; i < batch->n_items; i++) {
        if (is_modify(batch->items[i]))
            column_uuid(&instances, &batch->items[i]->command.instance);
    }
    if (instances.rows == 0)
        return 0;
    if (conn_query(batch->conn, "job_places", PARAMS(p_column(&instances)), &rows, err) < 0)
        return err_trace(err);
    batch_keep(batch, rows);
    for (size_t i = 0; i < batch->n_items; i++) {
        if (!is_modify(batch->items[i]))
            continue;
        take_place(batch, batch->items[i], rows);
        if (batch->items[i]->state == ITEM_RUN)
            keep_place(batch->items[i]);
    }
    return 0;
}

/* The job that was to be tried again finds nobody: its row need not wait until then. */
void modify_effects(struct batch *batch, const struct item *item)
{
    struct effects *e = batch->effects;
    const struct command *c = &item->command;

    if (item->retry_due_us == 0 || item->state != ITEM_DONE)
        return;
    column_time(col(e, T_DELETE_TIMERS, 0), item->retry_due_us);
    column_uuid(col(e, T_DELETE_TIMERS, 1), &c->instance);
    column_int(col(e, T_DELETE_TIMERS, 2), c->token);
    column_int(col(e, T_DELETE_TIMERS, 3), c->node);
    column_int(col(e, T_DELETE_TIMERS, 4), COMMAND_CONTINUE);
    column_bool(col(e, T_DELETE_TIMERS, 5), true);
}
