/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <stdarg.h>

#include "base/arena.h"

#define CHUNK_BYTES (16u << 10)
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

void arena_deinit(struct arena *arena)
{
    for (struct arena_chunk *c = arena->chunk, *next; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    *arena = (struct arena){.cap = arena->cap};
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *keep = arena->chunk;

    if (keep != NULL) {
        for (struct arena_chunk *c = keep->next, *next; c != NULL; c = next) {
            next = c->next;
            free(c);
        }
        keep->next = NULL;
        /* One very large batch must not pin its memory for ever. */
        if (keep->size > (1u << 20)) {
            free(keep);
            keep = NULL;
        } else {
            keep->used = 0;
        }
    }
    arena->chunk = keep;
    arena->used = 0;
    arena->full = false;
}

static struct arena_chunk *chunk_new(struct arena *arena, size_t size)
{
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
    va_list args;

    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(n >= 0);
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
