/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A hash map from 128-bit keys (ids, numbers) to pointers, in an arena. Nothing is ever removed. */
#include "base/arena.h"
#include "base/uuid.h"

struct map_slot {
    struct uuid key;
    void *value; /* NULL: free */
};

struct map {
    struct arena *arena;
    struct map_slot *slots;
    size_t n, capacity; /* a power of two, or 0 */
};

void map_init(struct map *map, struct arena *arena);
void *map_get(const struct map *map, const struct uuid *key); /* NULL: none */
/* value is not NULL; an earlier one of the key is replaced. */
void map_put(struct map *map, const struct uuid *key, void *value);
static inline struct uuid map_number(uint64_t number)
{
    struct uuid key = {{0}};
    memcpy(key.b, &number, sizeof(number));
    return key;
}
