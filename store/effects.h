/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a batch writes, as columns: one table of columns a statement, in the order in which the
 * statements run. Deletes come before inserts, because a loop comes back to the same (token, node).
 */
#include "store/batch.h"

enum table_id {
    T_DELETE_SUBSCRIPTIONS, /* sent by message.c where there are keys */
    T_TAKE_SUBSCRIPTIONS,
    T_DELETE_MESSAGES,
    T_MOVE_READY,
    T_DELETE_READY,
    T_DELETE_INBOX,
    T_DELETE_TIMERS,
    T_DELETE_TASKS,
    T_DELETE_EXTERNAL,
    T_DELETE_CALLBACKS,
    T_DELETE_INCIDENTS,
    T_DELETE_INCIDENTS_OF,
    T_DELETE_INCIDENTS_AT,
    T_DELETE_EXTERNAL_INCIDENTS,
    T_INSERT_INCIDENTS, /* before the calls that they tell of go */
    T_KEEP_ANSWERS,
    T_DELETE_CALL_QUEUE,
    T_DELETE_ATTEMPTS,
    T_DELETE_CALLS,
    T_DELETE_INSTANCES,
    T_UPDATE_INSTANCES,
    T_INSERT_INSTANCES,
    T_INSERT_PARKED,
    T_SUSPEND, /* behind the updates: it goes by id */
    T_UNPARK,  /* behind what is parked in the same batch */
    T_INSERT_READY,
    T_INSERT_TIMERS,
    T_INSERT_SUBSCRIPTIONS,
    T_INSERT_TASKS,
    T_INSERT_EXTERNAL,
    T_OFFER_EXTERNAL,
    T_PUT_EXTERNAL_VARIABLES,
    T_INSERT_CALLBACKS,
    T_ACCEPT_CALLBACKS,
    T_INSERT_CALLS,
    T_INSERT_CALL_QUEUE,
    T_INSERT_MESSAGES,
    T_INSERT_BUS_EVENTS,
    T_INSERT_HISTORY,
    T_INSERT_AUDIT,
    T_MOVE_START_TIMERS,
    T_DELETE_START_TIMERS,
    T_INSERT_OUTCOMES,
    T_COUNT,
};

#define TABLE_COLUMNS_MAX 17

struct table {
    struct column columns[TABLE_COLUMNS_MAX];
    size_t n_columns;
    bool sent; /* by message.c */
};

struct effects {
    struct arena *arena;
    struct table tables[T_COUNT];
    int n_history; /* order among equal times */
    /* What became of these is known when the batch has committed: commands and messages. */
    struct uuid *decided;
    size_t n_decided, decided_capacity;
};

/* Rows of a table so far. */
static inline int table_rows(const struct effects *effects, enum table_id id)
{
    return effects->tables[id].columns[0].rows;
}

void effects_init(struct effects *effects, struct arena *arena);
/* An event that a process puts on a bus. */
void event_effects(struct effects *effects, struct family *family, const struct event_out *event);
/* The column of a table; written side by side, one value each a row. */
static inline struct column *col(struct effects *effects, enum table_id id, size_t column)
{
    return &effects->tables[id].columns[column];
}

/* Sends a table's statement if it has rows. */
int table_send(struct batch *batch, enum table_id id, struct err *err) MUST_CHECK;
/* Reads its answer and compares the count, where every row must have been found. */
int table_done(struct batch *batch, enum table_id id, struct err *err) MUST_CHECK;

/* A command into ready; spare: the row of a command of the same family and lane that was carried
 * out, or NULL. */
void effect_ready(struct effects *effects, const struct command *command, int lane,
                  const struct tid *spare);
/* From `kind` on, as all tables have it that hold commands. */
void effect_command(struct effects *effects, enum table_id table, size_t at,
                    const struct command *command);
/* History of what somebody asked for: {"actor","reason"}. */
void effect_audit(struct batch *batch, const struct uuid *instance, int kind,
                  const struct item *item);
/* modify.c */
void modify_effects(struct batch *batch, const struct item *item);
/* park.c: parked commands, and whether the family is suspended from now on. */
void park_effects(struct batch *batch, struct fam *fam);
/* outside.c: user tasks, external tasks and callbacks. */
void outside_effects(struct effects *effects, struct family *family);
/* incident.c. definition_id 0: looked up by the instance. item: item_around(). */
void effect_incident(struct batch *batch, const struct command *command, int definition_id,
                     uint32_t item, const char *reason, const char *message);
/* definition_id: whose rights say who may know of it; 0: none. state: 'done', 'refused', 'failed',
 * 'expired'; detail: JSON or NULL. Nothing for a nil id. */
void effect_outcome(struct effects *effects, const struct uuid *id, const char *tenant,
                    int definition_id, const char *state, const char *detail);
/* {"reason": text} in the arena. */
const char *effect_reason(struct arena *arena, const char *text);
struct uuid batch_uuid(struct batch *batch); /* a new version 7 */
