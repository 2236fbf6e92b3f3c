/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a YAML (or JSON) text says, as a tree whose parts know their lines. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum item_kind { ITEM_NULL, ITEM_BOOL, ITEM_NUMBER, ITEM_STRING, ITEM_LIST, ITEM_MAP };

struct item {
    enum item_kind kind;
    int line;
    const char *text;   /* of a scalar; a number as in JSON */
    struct item **list; /* members, or the values of a map */
    const char **keys;  /* of a map */
    size_t n, capacity, keys_capacity;
};

int yaml_read(struct arena *arena, const char *file, const char *text, size_t n,
              struct item **ret_item, struct err *err) MUST_CHECK;
/* NULL if there is none; a null counts as none. */
const struct item *item_member(const struct item *map, const char *key);
void item_json(const struct item *item, struct buf *json);
/* The same for people: what is wider than ITEM_JSON_WIDTH is broken into lines. */
#define ITEM_JSON_WIDTH 80
void item_json_lines(const struct item *item, int indent, struct buf *json);
