/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The lane of events: what callers put on the buses meets the rules, and its targets' commands are
 * written, in one transaction. Beside the batches, not in them: a worker does a slice of events,
 * then a batch, so that neither starves the other.
 *
 * One worker of all nodes is at it at a time (the row of event_lane is its right to be), so events
 * and changes of rules are carried out in the order of their transactions.
 */
#include <pthread.h>

#include "store/store.h"

/* event_todo.kind; stored. */
enum event_todo_kind {
    TODO_EVENT = 1,     /* event_id; name, target: only this rule's, only this target */
    TODO_SET_RULE = 2,  /* bus, name; body: {"pattern","targets","enabled","description"} */
    TODO_DROP_RULE = 3, /* bus, name */
    TODO_TEST = 4,      /* body: {"pattern","event"} */
};

/* What each event says of where it came from; there are no accounts and regions here. */
#define EVENT_ACCOUNT "000000000000"
#define EVENT_REGION "local"
/* Events of our own: nobody else may put such. */
#define EVENT_OWN_SOURCE "urn:pawl"
#define EVENT_DELIVERY_FAILED "Event Delivery Failed"

struct event_rules;

/* Of all workers of a store. */
struct events {
    pthread_mutex_t lock; /* who does events holds it, and nobody waits for it */
    /* Below this transaction all is done, but for what was open when it was set. Guarded by lock,
     * like the rest. */
    uint64_t mark;
    const int64_t *flying;
    size_t n_flying;
    struct arena marks;        /* flying */
    struct event_rules *rules; /* as they were at `version`; NULL: not read yet */
    int64_t version;
    unsigned most; /* of the next slice */
    struct arena arena;
};

struct column;
/* Where a look for events begins, and what was open then; nowhere, while a worker of ours does
 * them. */
uint64_t events_marks(struct events *events, struct arena *arena, struct column *ret_flying);

void events_init(struct events *events);
void events_deinit(struct events *events);
