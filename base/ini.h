/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The syntax of configuration files, and nothing of what their keys mean:
 *
 *     # a comment, or ; one. A comment has its line to itself
 *     [section]              [section NAME]
 *     key = value to the end of the line, blanks at both ends left off
 *     key = "with \"quotes\" a value keeps its blanks; \\ \n \t are understood"
 *
 * Strict: a line that is none of these, a key before the first section, and a section or key that
 * is there twice are errors with their line and column.
 */
#include "base/arena.h"
#include "base/err.h"

struct ini_entry {
    const char *key, *value;
    bool quoted; /* the value stood in quotes: it is text, whatever it looks like */
    int line;
};

struct ini_section {
    const char *kind; /* the first word */
    const char *name; /* the rest; NULL: it has none */
    int line;
    struct ini_entry *entries;
    size_t n_entries, entries_capacity;
};

struct ini {
    struct ini_section *sections; /* in the order of the file */
    size_t n_sections, sections_capacity;
};

/* All of it lives in the arena. On failure err->line and err->column say where. */
int ini_read(struct arena *arena, const char *text, size_t n, struct ini *ret_ini,
             struct err *err) MUST_CHECK;
const struct ini_section *ini_section(const struct ini *ini, const char *kind, const char *name);
const struct ini_entry *ini_entry(const struct ini_section *section, const char *key);
