/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Which commands were under way when a process died. Each worker has a small file DIR/batch.N that
 * names those of its batch and is empty between batches. The next start of the node reads all of
 * them: who is named runs alone before he runs with others again, and who kills the process then,
 * too, is guilty and becomes an incident. DIR/suspects keeps those who are still to be looked at.
 *
 *   batch <key>   ran with others      alone <key>   ran alone, and killed the process
 *   suspect <key>   to be run alone    guilty <key>  to be parked
 *
 * Written without fsync: a command that takes the process down leaves the file in the page cache,
 * and a machine that goes down was not killed by a command.
 */
#include <pthread.h>

#include "base/arena.h"
#include "base/err.h"

/* Which command it is, also for another process after a crash. */
struct item_key {
    uint64_t word[4];
};

static inline bool item_key_equal(const struct item_key *a, const struct item_key *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

struct suspect {
    struct item_key key;
    bool guilty;
    bool in_hand; /* a worker looks at it */
    int misses;   /* how often it was not found: another worker's claim may have had it locked */
};

/* Of a store, shared by its workers; the lock is a leaf. */
struct suspects {
    pthread_mutex_t lock;
    struct arena arena; /* guarded by lock, like all below */
    const char *path;   /* NULL: nothing is kept */
    struct suspect *items;
    size_t n, capacity;
};

/* Reads what a predecessor left in dir and empties its files. NULL dir: nothing is kept. */
int suspects_open(struct suspects *suspects, const char *dir, struct err *err) MUST_CHECK;
void suspects_close(struct suspects *suspects);
/* One that nobody looks at yet; false: there is none. */
bool suspects_take(struct suspects *suspects, struct suspect *ret_suspect);
/* SUSPECT_MISSED some ten times: it is not there any more. */
enum suspect_result { SUSPECT_RAN, SUSPECT_MISSED, SUSPECT_PUT_OFF };
int suspects_settle(struct suspects *suspects, const struct item_key *key,
                    enum suspect_result result, struct err *err) MUST_CHECK;
/* A copy of the keys, in the arena. */
struct item_key *suspects_keys(struct suspects *suspects, struct arena *arena, size_t *ret_n);

/* Of one worker. */
struct journal;
int journal_open(const char *dir, int slot, struct journal **ret_journal,
                 struct err *err) MUST_CHECK;
void journal_close(struct journal *journal); /* NULL is a no-op */
int journal_begin(struct journal *journal, bool alone, const struct item_key *keys, size_t n,
                  struct err *err) MUST_CHECK;
int journal_end(struct journal *journal, struct err *err) MUST_CHECK;
