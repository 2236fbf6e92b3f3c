/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Answers on their way from the connector to the workers: kept until a batch has committed them.
 * Any worker may take any answer; a batch that finds its family locked gives it back.
 */
#include "jobexec/flight.h"

#include <pthread.h>

struct answers {
    pthread_mutex_t lock; /* leaf */
    struct flight *first; /* guarded by lock; oldest first */
    struct flight **last; /* guarded by lock */
    size_t n_waiting;     /* guarded by lock: in the list */
    size_t n_open;        /* guarded by lock: in the list or with a worker */
};

void answers_init(struct answers *answers);
void answers_deinit(struct answers *answers); /* frees those that are left */
/* A new one. */
void answers_add(struct answers *answers, struct flight *flight);
/* The oldest that are not put off, at most max. ret_next_us: when the first that is put off may be
 * taken (INT64_MAX: none is). */
size_t answers_take(struct answers *answers, int64_t now_us, struct flight **ret_flights,
                    size_t max, int64_t *ret_next_us);
/* Not committed: to be taken again after a short time, longer each time. */
void answers_put_off(struct answers *answers, struct flight *flight, int64_t now_us);
/* Committed: frees it. */
void answers_done(struct answers *answers, struct flight *flight);
size_t answers_open(struct answers *answers);
