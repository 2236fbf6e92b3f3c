/* SPDX-License-Identifier: Apache-2.0 */
/* The statements that write, and their columns. */
#include "base/build.h"

#include "store/effects.h"

/* One letter a column, then what the statement needs to know. */
static const struct {
    const char *query, *types;
    bool exact; /* every row must be found (or inserted), else something else was changed meanwhile
                 */
    bool now;   /* the batch's time is the last parameter */
} statements[T_COUNT] = {
    [T_DELETE_SUBSCRIPTIONS] = {"delete_subscriptions", "uii", false, false},
    [T_TAKE_SUBSCRIPTIONS] = {"take_subscriptions", "c", true, false},
    [T_DELETE_MESSAGES] = {"delete_messages", "l", true, false},
    [T_MOVE_READY] = {"move_ready", "cusiissuxxx", true, false},
    [T_DELETE_READY] = {"delete_ready", "c", true, false},
    [T_DELETE_INBOX] = {"delete_inbox", "c", true, false},
    [T_DELETE_TIMERS] = {"delete_timers", "duiiso", false, false},
    [T_DELETE_TASKS] = {"delete_tasks", "u", false, false},
    [T_DELETE_EXTERNAL] = {"delete_external", "u", false, false},
    [T_DELETE_CALLBACKS] = {"delete_callbacks", "u", false, false},
    [T_DELETE_INCIDENTS] = {"delete_incidents", "u", true, false},
    [T_DELETE_INCIDENTS_OF] = {"delete_incidents_of", "u", false, false},
    [T_DELETE_INCIDENTS_AT] = {"delete_incidents_at", "uiu", false, false},
    [T_DELETE_EXTERNAL_INCIDENTS] = {"delete_external_incidents", "uu", false, false},
    [T_INSERT_INCIDENTS] = {"insert_incidents", "uuuxxsiissuxxxixi", true, true},
    [T_KEEP_ANSWERS] = {"keep_answers", "ux", false, true},
    [T_DELETE_CALL_QUEUE] = {"delete_call_queue", "u", false, false},
    [T_DELETE_ATTEMPTS] = {"delete_attempts", "u", false, false},
    [T_DELETE_CALLS] = {"delete_calls", "u", false, false},
    [T_DELETE_INSTANCES] = {"delete_instances", "c", true, false},
    [T_UPDATE_INSTANCES] = {"update_instances", "cbox", true, false},
    [T_INSERT_INSTANCES] = {"insert_instances", "uuuiixxdbxi", true, false},
    [T_INSERT_PARKED] = {"insert_parked", "uusiissuxxxuxx", true, true},
    [T_SUSPEND] = {"suspend", "uo", true, false},
    [T_UNPARK] = {"unpark", "u", false, false},
    [T_INSERT_READY] = {"insert_ready", "suusiissuxxx", true, false},
    [T_INSERT_TIMERS] = {"insert_timers", "duiisussouxxxx", true, false},
    [T_INSERT_SUBSCRIPTIONS] = {"insert_subscriptions", "uiiuxxxi", true, true},
    [T_INSERT_TASKS] = {"insert_tasks", "uuuiiixixxxxiddx", true, true},
    [T_INSERT_EXTERNAL] = {"insert_external", "uuuiiixixol", true, true},
    [T_OFFER_EXTERNAL] = {"offer_external", "u", false, false},
    [T_PUT_EXTERNAL_VARIABLES] = {"put_external_variables", "ux", true, false},
    [T_INSERT_CALLBACKS] = {"insert_callbacks", "uuuiiixiidlxu", true, true},
    [T_ACCEPT_CALLBACKS] = {"accept_callbacks", "u", false, true},
    [T_INSERT_CALLS] = {"insert_calls", "uuuiixxxxblloldi", true, true},
    [T_INSERT_CALL_QUEUE] = {"insert_call_queue", "xui", true, true},
    [T_INSERT_MESSAGES] = {"insert_messages", "uxxxsdx", true, false},
    [T_INSERT_BUS_EVENTS] = {"insert_bus_events", "uxxxxx", true, true},
    [T_INSERT_HISTORY] = {"insert_history", "iuioxx", true, true},
    [T_INSERT_AUDIT] = {"insert_audit", "iux", true, true},
    [T_MOVE_START_TIMERS] = {"move_start_timers", "cdi", true, false},
    [T_DELETE_START_TIMERS] = {"delete_start_timers", "c", true, false},
    [T_INSERT_OUTCOMES] = {"insert_outcomes", "uxxxi", false, true},
};

static enum column_type type_of(char letter)
{
    switch (letter) {
    case 'c':
        return COLUMN_TID;
    case 'u':
        return COLUMN_UUID;
    case 's':
        return COLUMN_INT2;
    case 'i':
        return COLUMN_INT4;
    case 'l':
        return COLUMN_INT8;
    case 'o':
        return COLUMN_BOOL;
    case 'd':
        return COLUMN_TIME;
    case 'b':
        return COLUMN_BYTEA;
    default:
        return COLUMN_TEXT;
    }
}

void effects_init(struct effects *effects, struct arena *arena)
{
    effects->arena = arena;
    for (size_t t = 0; t < T_COUNT; t++) {
        struct table *table = &effects->tables[t];
        table->n_columns = strlen(statements[t].types);
        assert(table->n_columns <= TABLE_COLUMNS_MAX);
        for (size_t i = 0; i < table->n_columns; i++)
            column_init(&table->columns[i], arena, type_of(statements[t].types[i]));
    }
}

int table_send(struct batch *batch, enum table_id id, struct err *err)
{
    struct table *table = &batch->effects->tables[id];
    struct param params[TABLE_COLUMNS_MAX + 1];
    size_t n = 0;

    if (table->columns[0].rows == 0 || table->sent)
        return 0;
    for (; n < table->n_columns; n++) {
        assert(table->columns[n].rows == table->columns[0].rows);
        params[n] = p_column(&table->columns[n]);
    }
    if (statements[id].now)
        params[n++] = p_time(batch->now_us);
    return conn_send(batch->conn, statements[id].query, params, n, err);
}

int table_done(struct batch *batch, enum table_id id, struct err *err)
{
    struct table *table = &batch->effects->tables[id];
    struct result *done CLEANUP(result_freep) = NULL;

    if (table->columns[0].rows == 0 || table->sent)
        return 0;
    if (conn_next(batch->conn, &done, err) < 0)
        return err_trace(err);
    if (statements[id].exact && result_affected(done) != table->columns[0].rows)
        return err_set(
            err, ERR_INTERNAL, "%s reached %lld rows in place of %d: the batch is rolled back",
            statements[id].query, (long long)result_affected(done), table->columns[0].rows);
    return 0;
}
