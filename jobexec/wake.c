/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <time.h>

#include "jobexec/wake.h"

void wake_init(struct wake *wake, unsigned max)
{
    pthread_condattr_t attributes;

    *wake = (struct wake){.max = max};
    pthread_mutex_init(&wake->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&wake->cond, &attributes);
    pthread_cond_init(&wake->end, &attributes);
    pthread_condattr_destroy(&attributes);
}

void wake_deinit(struct wake *wake)
{
    pthread_cond_destroy(&wake->cond);
    pthread_cond_destroy(&wake->end);
    pthread_mutex_destroy(&wake->lock);
}

void wake_signal(struct wake *wake)
{
    pthread_mutex_lock(&wake->lock);
    if (wake->signals < wake->max)
        wake->signals++;
    pthread_cond_signal(&wake->cond);
    pthread_mutex_unlock(&wake->lock);
}

void wake_close(struct wake *wake)
{
    pthread_mutex_lock(&wake->lock);
    wake->closed = true;
    pthread_cond_broadcast(&wake->cond);
    pthread_cond_broadcast(&wake->end);
    pthread_mutex_unlock(&wake->lock);
}

static struct timespec timespec_of(int64_t us)
{
    return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = (us % 1000000) * 1000};
}

bool wake_sleep(struct wake *wake, int64_t until_us)
{
    struct timespec until = timespec_of(until_us);
    bool signalled = false;

    pthread_mutex_lock(&wake->lock);
    while (wake->signals == 0 && !wake->closed)
        if (pthread_cond_timedwait(&wake->cond, &wake->lock, &until) != 0)
            break;
    if (wake->signals != 0) {
        wake->signals--;
        signalled = true;
    }
    pthread_mutex_unlock(&wake->lock);
    return signalled;
}

void wake_pause(struct wake *wake, int64_t until_us)
{
    struct timespec until = timespec_of(until_us);

    pthread_mutex_lock(&wake->lock);
    while (!wake->closed)
        if (pthread_cond_timedwait(&wake->end, &wake->lock, &until) != 0)
            break;
    pthread_mutex_unlock(&wake->lock);
}

bool wake_closed(struct wake *wake)
{
    pthread_mutex_lock(&wake->lock);
    bool closed = wake->closed;
    pthread_mutex_unlock(&wake->lock);
    return closed;
}
