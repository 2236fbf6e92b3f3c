/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/map.h"

void map_init(struct map *map, struct arena *arena)
{
    *map = (struct map){.arena = arena};
}

/* Version 7 UUIDs of one batch share their first bytes: all 16 must count. */
static size_t hash(const struct uuid *key)
{
    uint64_t a, b;

    memcpy(&a, key->b, 8);
    memcpy(&b, key->b + 8, 8);
    uint64_t h = (a ^ (b * UINT64_C(0x9e3779b97f4a7c15))) * UINT64_C(0xbf58476d1ce4e5b9);
    return (size_t)(h ^ (h >> 29));
}

static struct map_slot *slot_of(const struct map *map, const struct uuid *key)
{
    size_t i = hash(key) & (map->capacity - 1);

    while (map->slots[i].value != NULL && !uuid_equal(&map->slots[i].key, key))
        i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

void *map_get(const struct map *map, const struct uuid *key)
{
    return map->capacity == 0 ? NULL : slot_of(map, key)->value;
}

static void grow(struct map *map)
{
    struct map old = *map;

    map->capacity = old.capacity == 0 ? 64 : old.capacity * 2;
    map->slots = arena_array(map->arena, map->capacity, sizeof(*map->slots));
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].value != NULL)
            *slot_of(map, &old.slots[i].key) = old.slots[i];
    }
}

void map_put(struct map *map, const struct uuid *key, void *value)
{
    assert(value != NULL);
    if (map->capacity == 0 || map->n * 2 >= map->capacity)
        grow(map);
    struct map_slot *slot = slot_of(map, key);
    map->n += slot->value == NULL;
    *slot = (struct map_slot){.key = *key, .value = value};
}
