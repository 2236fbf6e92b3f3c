/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <stdarg.h>

#include "base/arena.h"

#define CHUNK_BYTES (16u << 10)
#define KEPT_BYTES (8u << 20) /* by a reset: a batch of a thousand commands takes some 3 MiB */
#define ALIGNMENT 16u

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t cap)
{
    *arena = (struct arena){.cap = cap};
}

static void chunks_free(struct arena_chunk *chunk)
{
    for (struct arena_chunk *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
}

void arena_deinit(struct arena *arena)
{
    chunks_free(arena->chunk);
    chunks_free(arena->spare);
    *arena = (struct arena){.cap = arena->cap};
}

/*
 * What is given back would be asked for again, page by page; but one very large round must not pin
 * its memory for ever.
 */
static void chunks_keep(struct arena *arena, struct arena_chunk *chunk, size_t *kept)
{
    for (struct arena_chunk *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        if (*kept + chunk->size > KEPT_BYTES) {
            free(chunk);
            continue;
        }
        *kept += chunk->size;
        chunk->used = 0;
        chunk->next = arena->spare;
        arena->spare = chunk;
    }
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *used = arena->chunk, *unused = arena->spare;
    size_t kept = 0;

    *arena = (struct arena){.cap = arena->cap};
    chunks_keep(arena, used, &kept); /* first: their sizes are what is asked for today */
    chunks_keep(arena, unused, &kept);
}

static struct arena_chunk *chunk_new(struct arena *arena, size_t size)
{
    for (struct arena_chunk **spare = &arena->spare, *c; (c = *spare) != NULL; spare = &c->next) {
        if (c->size >= size) {
            *spare = c->next;
            c->next = arena->chunk;
            arena->chunk = c;
            return c;
        }
    }
    size_t want = arena->chunk != NULL ? arena->chunk->size * 2 : CHUNK_BYTES;
    if (want > (1u << 20))
        want = 1u << 20;
    if (want < size)
        want = size;
    struct arena_chunk *chunk = malloc(sizeof(*chunk) + want);
    if (chunk == NULL)
        abort();
    chunk->next = arena->chunk;
    chunk->size = want;
    chunk->used = 0;
    arena->chunk = chunk;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 4)
        abort();
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    arena->used += size;
    if (arena->cap != 0 && arena->used > arena->cap)
        arena->full = true;
    struct arena_chunk *chunk = arena->chunk;
    if (chunk == NULL || chunk->size - chunk->used < size)
        chunk = chunk_new(arena, size);
    void *piece = chunk->bytes + chunk->used;
    chunk->used += size;
    memset(piece, 0, size);
    return piece;
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / size)
        abort();
    return arena_alloc(arena, n * size);
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
    char *copy = arena_alloc(arena, n + 1);
    if (n != 0)
        memcpy(copy, s, n);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
    return arena_strndup(arena, s, strlen(s));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    char first[200]; /* most texts fit: formatted once */
    va_list args;

    va_start(args, format);
    int n = vsnprintf(first, sizeof(first), format, args);
    va_end(args);
    assert(n >= 0);
    if ((size_t)n < sizeof(first))
        return arena_strndup(arena, first, (size_t)n);
    char *text = arena_alloc(arena, (size_t)n + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

void *arena_grow(struct arena *arena, void *items, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return items;
    size_t grown = *capacity == 0 ? 8 : *capacity * 2;
    void *moved = arena_array(arena, grown, size);
    if (n != 0)
        memcpy(moved, items, n * size);
    *capacity = grown;
    return moved;
}
