/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Text for a terminal. What comes from the database or a file may hold anything: control characters
 * and what is not UTF-8 are shown as a replacement, never passed on. Widths are terminal columns.
 */
#include "base/buf.h"

/* Once, in main: the character widths need a UTF-8 locale. */
void text_init(void);
/* Columns that the text takes, cleaned. */
int text_width(const char *text);
/* Adds the cleaned text, cut with "…" where it is wider than `width` (0: no limit); returns its
 * width. */
int text_add(struct buf *buf, const char *text, int width);
/* The same without "…": what remains can be copied. */
int text_add_prefix(struct buf *buf, const char *text, int width);
void text_pad(struct buf *buf, int columns);
/* Adds words in lines of at most `width` columns; lines after the first begin with `indent` spaces.
 */
void text_wrap(struct buf *buf, const char *text, int column, int indent, int width);
