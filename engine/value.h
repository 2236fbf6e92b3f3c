/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Values of process variables: JSON, read without loss. A number keeps its text, so that 1.10 stays
 * 1.10 and integers of any length pass through; arithmetic looks at it as an integer or a double.
 * Plain data in an arena; pure; a value is never changed after it was made.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum value_kind {
    VALUE_NULL = 0,
    VALUE_BOOL,
    VALUE_NUMBER,
    VALUE_STRING,
    VALUE_ARRAY,
    VALUE_OBJECT,
};

struct value_member;

struct value {
    enum value_kind kind;
    union {
        bool boolean;
        struct {
            const char *text; /* as it came, or as it was printed; not NUL-terminated */
            size_t n;
            double number;
            int64_t integer;
            bool is_integer; /* integer is exact */
        } number;
        struct {
            const char *text; /* UTF-8 without NUL bytes, NUL-terminated */
            size_t n;
        } string;
        struct {
            const struct value *items;
            size_t n;
        } array;
        struct {
            const struct value_member *members; /* as in the text; of equal names the last counts */
            size_t n;
        } object;
    } u;
};

struct value_member {
    const char *name; /* NUL-terminated */
    size_t name_n;
    struct value value;
};

struct value value_null(void);
struct value value_bool(bool boolean);
struct value value_integer(struct arena *arena, int64_t integer);
struct value value_double(struct arena *arena, double number);              /* finite */
struct value value_string(struct arena *arena, const char *text, size_t n); /* copies */

/*
 * Reads one JSON value (RFC 8259) that fills the text. Refuses what PostgreSQL's jsonb refuses too:
 * \u0000, invalid UTF-8, lone surrogates, names over LIMIT_NAME_BYTES, nesting over
 * LIMIT_JSON_DEPTH. `text` must outlive the value (strings without escapes still get a
 * NUL-terminated copy).
 */
int value_read(struct arena *arena, const char *text, size_t n, struct value *ret_value,
               struct err *err) MUST_CHECK;
/* Appends the value as compact JSON. */
void value_write(const struct value *value, struct buf *buf);
/* Compact JSON in the arena, NUL-terminated; ret_n may be NULL. */
const char *value_text(struct arena *arena, const struct value *value, size_t *ret_n);

/*
 * Splits the members of a JSON object without reading their values: calls each() with the name and
 * the raw text of each value, without spaces around it. This is how variables pass through
 * untouched. The whole text is judged before the first call; names live in the arena, raw texts in
 * `text`. Equal names are all told, in order: the last counts.
 */
int value_split(struct arena *arena, const char *text, size_t n,
                void (*each)(void *context, const char *name, const char *raw, size_t raw_n),
                void *context, struct err *err) MUST_CHECK;

/* The member's value, or NULL. */
const struct value *value_member(const struct value *object, const char *name, size_t name_n);
bool value_equal(const struct value *a, const struct value *b); /* 1 equals 1.0 */
/* < 0, 0 or > 0 as number a is less than, equal to or greater than number b; exact at any length */
int value_compare_numbers(const struct value *a, const struct value *b);
/* How deep it nests: a number 0, [] 1, [[1]] 2. What is to be read again stays under
 * LIMIT_JSON_DEPTH. */
unsigned value_depth(const struct value *value);
const char *value_kind_name(enum value_kind kind); /* "null", "boolean", "number", … */
