/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "base/arena.h"
#include "engine/value.h"
#include "tests/fuzz/fuzz.h"

/* JSON: ours and jansson's reading must agree, and what we write is what we read. */

struct count {
    size_t n;
    const char *text;
    size_t text_n;
};

static void each(void *context, const char *name, const char *raw, size_t raw_n)
{
    struct count *count = context;

    assert(strlen(name) <= 255);
    assert(raw_n > 0);
    assert(raw >= count->text);
    assert(raw + raw_n <= count->text + count->text_n);
    count->n++;
}

/* What one of the two refuses and the other takes, on purpose. */
static bool excused(const struct err *err, const json_error_t *error)
{
    return strstr(err->text, "nested deeper") != NULL || strstr(err->text, "longer than") != NULL ||
           strstr(err->text, "too precise") != NULL ||
           json_error_code(error) == json_error_numeric_overflow;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct value value, again;
    struct err err = {.code = ERR_NONE}, split_err;
    json_error_t error;
    const char *text = (const char *)data;
    struct count count = {.text = text, .text_n = size};

    arena_init(&arena, 0);
    int r = value_read(&arena, text, size, &value, &err);
    int split = value_split(&arena, text, size, each, &count, &split_err);
    assert((split == 0) == (r == 0 && value.kind == VALUE_OBJECT));
    json_t *theirs = json_loadb(text, size, JSON_DECODE_ANY, &error);
    if ((r == 0) != (theirs != NULL)) {
        /* jansson takes a NUL byte for the end of the text. */
        assert(excused(&err, &error) || (r < 0 && memchr(text, '\0', size) != NULL));
    } else if (r == 0) {
        size_t n;
        const char *written = value_text(&arena, &value, &n);
        assert(value_read(&arena, written, n, &again, NULL) == 0);
        /* Equality of large objects takes quadratic time. */
        assert(size > 10000 || value_equal(&value, &again));
        json_t *from_ours = json_loadb(written, n, JSON_DECODE_ANY, &error);
        assert(json_equal(theirs, from_ours));
        json_decref(from_ours);
        assert(split != 0 || count.n == value.u.object.n);
    } else {
        assert(err.line >= 1);
        assert(err.column >= 1);
    }
    json_decref(theirs);
    arena_deinit(&arena);
    return 0;
}
