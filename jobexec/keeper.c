/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper: a thread that lets history go when its time is over (store/retain.h). It has a
 * connection only while it is at it, and batches never wait for it.
 */
#include "base/build.h"

#include "base/log.h"
#include "base/clock.h"
#include "jobexec/internal.h"
#include "store/retain.h"

#define FIRST_US 60000000 /* a start has better things to do */
#define ROUND_US 600000000

struct keeper {
    struct jobexec *jobexec; /* immutable */
    struct arena arena;      /* immutable: holds this struct */
    pthread_t thread;
    struct wake wake;
    struct retain_stop stop; /* has its own lock */
};

static void one_round(struct keeper *keeper)
{
    struct retain_report report;
    struct err err = {0};
    char text[1200];

    if (store_keep(keeper->jobexec->store, &keeper->stop, &report, &err) < 0) {
        if (!wake_closed(&keeper->wake))
            log_line(err.code == ERR_LOST ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR,
                     "old history could not be dropped; trying again in ten minutes", "error=%s",
                     log_quote(err.text, text, sizeof(text)));
    } else if (report.days != 0 || report.moved != 0 || report.leftovers != 0) {
        log_line(LOG_LEVEL_INFO, "old history dropped",
                 "days=%u rows_kept=%llu rows_dropped=%llu leftovers=%llu", report.days,
                 (unsigned long long)report.moved, (unsigned long long)report.forgot,
                 (unsigned long long)report.leftovers);
    }
}

static void *run(void *context)
{
    struct keeper *keeper = context;

    wake_sleep(&keeper->wake, clock_mono_us() + FIRST_US);
    while (!wake_closed(&keeper->wake)) {
        one_round(keeper);
        wake_sleep(&keeper->wake, clock_mono_us() + ROUND_US);
    }
    return NULL;
}

int keeper_start(struct jobexec *jobexec, struct err *err)
{
    struct arena arena;

    arena_init(&arena, 0);
    struct keeper *keeper = arena_alloc(&arena, sizeof(*keeper));
    keeper->jobexec = jobexec;
    keeper->arena = arena;
    wake_init(&keeper->wake, 1);
    retain_stop_init(&keeper->stop);
    int failed = pthread_create(&keeper->thread, NULL, run, keeper);
    if (failed == 0) {
        jobexec->keeper = keeper;
        return 0;
    }
    wake_deinit(&keeper->wake);
    retain_stop_deinit(&keeper->stop);
    arena_deinit(&arena);
    return err_set(err, ERR_IO, "cannot start the keeper's thread: %s", strerror(failed));
}

void keeper_stop(struct keeper *keeper)
{
    if (keeper == NULL)
        return;
    wake_close(&keeper->wake);
    retain_stop_now(&keeper->stop);
    pthread_join(keeper->thread, NULL);
    wake_deinit(&keeper->wake);
    retain_stop_deinit(&keeper->stop);
    struct arena arena = keeper->arena;
    arena_deinit(&arena);
}
