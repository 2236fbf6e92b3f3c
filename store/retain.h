/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Retention: history goes when nobody needs it any more, a day at a time. A day is due when the
 * first of its instances may go; what the others need is moved to the table event_kept; then the
 * day's partition is detached (CONCURRENTLY: no insert waits for a reader) and dropped. From
 * event_kept rows go by DELETE.
 */
#include <pthread.h>

#include "store/store.h"

struct retain_report {
    unsigned days;          /* dropped */
    uint64_t moved, forgot; /* rows into event_kept; rows out of it */
    uint64_t leftovers;     /* rows whose owner was gone */
    bool elsewhere;         /* another node is at it: nothing was done */
};

/* It may take a while: so another thread can end it, now or before it has begun. */
struct retain_stop {
    pthread_mutex_t lock; /* leaf */
    bool stopped;         /* guarded by lock */
    void *cancel;         /* guarded by lock; store/retain.c's */
};
void retain_stop_init(struct retain_stop *stop);
void retain_stop_deinit(struct retain_stop *stop);
void retain_stop_now(struct retain_stop *stop);

/* Opens a connection of its own. all: also what is looked at only when a day was dropped. */
int store_retain(const struct store_options *options, bool all, struct retain_report *ret_report,
                 struct err *err) MUST_CHECK;
/* The same for a store, as it goes by itself. A stop ends it with an error. */
int store_keep(const struct store *store, struct retain_stop *stop,
               struct retain_report *ret_report, struct err *err) MUST_CHECK;
