/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Memory with one lifetime. An arena hands out pieces and frees them all at once: a graph lives in
 * one, and so does everything that one batch touches. Not thread safe: an arena has one owner.
 *
 * An arena may have a cap, because what fills it comes from outside. Past the cap it remembers
 * `full` and goes on handing out memory, so that no caller needs a path for "no memory"; the owner
 * checks arena_full() at its next safe point and refuses the input. A heap that is really exhausted
 * aborts: the transaction rolls back and another node goes on.
 */
#include "base/build.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* newest first */
    struct arena_chunk *spare; /* kept by a reset */
    size_t used;               /* bytes handed out since the last reset */
    size_t cap;                /* 0: none */
    bool full;                 /* the cap was passed */
};

void arena_init(struct arena *arena, size_t cap);
void arena_deinit(struct arena *arena);
/* Frees all pieces; keeps up to 8 MiB for the next round. */
void arena_reset(struct arena *arena);
static inline bool arena_full(const struct arena *arena)
{
    return arena->full;
}

/* Zeroed, aligned for any type; never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
/* n zeroed items; aborts on overflow of n * size. */
void *arena_array(struct arena *arena, size_t n, size_t size);
/* A NUL-terminated copy. */
char *arena_strndup(struct arena *arena, const char *s, size_t n);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Room for one more item in a growing array that lives in an arena: returns `items`, moved if it
 * had to grow; *capacity follows. Use through arena_push().
 */
void *arena_grow(struct arena *arena, void *items, size_t n, size_t *capacity, size_t size);
#define arena_push(arena, items, n, capacity)                                                      \
    ((items) = arena_grow((arena), (items), (n), &(capacity), sizeof(*(items))), &(items)[(n)++])
