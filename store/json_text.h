/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Numbers in and out of jansson, which writes a double with 17 digits, so that the 0.1 that
 * somebody gave comes out as 0.10000000000000001, and has no whole numbers beyond 64 bits.
 */
#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"

/* Reads a value with jansson's flags. Whole numbers beyond 64 bits become doubles, and only they.
 * NULL: *error says why not. */
json_t *json_read(const char *text, size_t n, size_t flags, json_error_t *error);
/* Any value that the text is; NULL: it is none. */
json_t *json_read_text(const char *text);

/* Adds it as compact text, doubles with as few digits as say the same; NULL is null. */
void json_text(struct buf *buf, const json_t *value);
/* The same in an arena. */
const char *json_text_in(struct arena *arena, const json_t *value);
