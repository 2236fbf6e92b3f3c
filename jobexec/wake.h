/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Where threads sleep until a time or until somebody has work for one of them. A signal given while
 * nobody sleeps is kept for the next who would. Any thread may call.
 */
#include "base/build.h"

#include <pthread.h>

struct wake {
    pthread_mutex_t lock; /* leaf */
    pthread_cond_t cond;  /* of CLOCK_MONOTONIC, like the next */
    pthread_cond_t end;   /* who pauses hears only of the end */
    unsigned signals;     /* guarded by lock; at most `max` */
    unsigned max;         /* immutable: how many sleepers there may be */
    bool closed;          /* guarded by lock; nobody sleeps any more */
};

void wake_init(struct wake *wake, unsigned max);
void wake_deinit(struct wake *wake);
/* Wakes one, or keeps the next one awake. */
void wake_signal(struct wake *wake);
/* Wakes all for good. */
void wake_close(struct wake *wake);
/* Until until_us (clock_mono_us()), a signal, or the end. True: by a signal. */
bool wake_sleep(struct wake *wake, int64_t until_us);
/* Until until_us or the end, whatever is signalled: between two tries of something that failed. */
void wake_pause(struct wake *wake, int64_t until_us);
bool wake_closed(struct wake *wake);
