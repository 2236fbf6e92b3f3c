/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/log.h"
#include "base/clock.h"
#include "jobexec/internal.h"

#define FIRST_US 50000
#define LONGEST_US 1000000 /* a server that is back is to be found soon */

void backoff_init(struct backoff *backoff, uint32_t seed)
{
    *backoff = (struct backoff){.random = seed != 0 ? seed : 1};
}

int64_t backoff_next_us(struct backoff *backoff)
{
    int64_t wait_us = LONGEST_US;

    if (backoff->tries < 5 && (FIRST_US << backoff->tries) < LONGEST_US)
        wait_us = FIRST_US << backoff->tries;
    backoff->tries++;
    /* xorshift32: it only has to tell nodes apart. */
    backoff->random ^= backoff->random << 13;
    backoff->random ^= backoff->random >> 17;
    backoff->random ^= backoff->random << 5;
    return wait_us / 2 + backoff->random % (wait_us / 2);
}

/* All of ERR_LOST is tried again; a full disk or a deadlock is no lost connection. */
static const char *what_failed(const struct err *err)
{
    if (err->code != ERR_LOST)
        return "a batch failed; trying on";
    return err->sqlstate[0] == '\0' || sqlstate_in(err->sqlstate, "08") ||
                   sqlstate_in(err->sqlstate, "57P")
               ? "the database connection is lost; trying on"
               : "the database refuses; trying on";
}

void backoff_failed(struct backoff *backoff, const char *who, unsigned index, const struct err *err)
{
    char text[1200];

    uint32_t hash = 2166136261u; /* FNV-1a */

    for (const char *at = err->text; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    if (backoff->tries == 0)
        backoff->since_us = clock_mono_us();
    else if (err->code == ERR_LOST && hash == backoff->said)
        return; /* said already; the end of it is one more line */
    backoff->said = hash;
    const char *file = err->n_frames != 0 ? err->frames[0].file : "";
    int line = err->n_frames != 0 ? err->frames[0].line : 0;
    log_line(err->code == ERR_LOST ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, what_failed(err),
             "thread=%s index=%u error=%s sqlstate=%s at=%s:%d", who, index,
             log_quote(err->text, text, sizeof(text)),
             err->sqlstate[0] != '\0' ? err->sqlstate : "-", file, line);
}

void backoff_worked(struct backoff *backoff, const char *who, unsigned index)
{
    if (backoff->tries == 0)
        return;
    log_line(LOG_LEVEL_INFO, "the database is back", "thread=%s index=%u tries=%u after_ms=%lld",
             who, index, backoff->tries, (long long)((clock_mono_us() - backoff->since_us) / 1000));
    backoff->tries = 0;
}
