/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <math.h>

#include "store/json_text.h"

/* ---- In ---- */

/* Whether it is a whole number that jansson's 64 bits do not hold. */
static bool is_too_long(const char *number, size_t n)
{
    const char *digits = number + (*number == '-');
    char text[24];

    n -= (size_t)(digits - number);
    if (n < 19 || strspn(digits, "0123456789") < n)
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)(n < 20 ? n : 20), digits);
    errno = 0;
    (void)strtoll(text, NULL, 10);
    return errno == ERANGE;
}

/* The same text, where such numbers say that they are doubles: 12345678901234567890e0. */
static void add_widened(struct buf *to, const char *text, size_t n)
{
    for (size_t i = 0, length; i < n; i += length) {
        length = 1;
        if (text[i] == '"') {
            while (i + length < n && text[i + length] != '"')
                length += text[i + length] == '\\' ? 2 : 1;
            length = i + length < n ? length + 1 : n - i;
        } else if (strchr("-0123456789", text[i]) != NULL) {
            while (i + length < n && strchr("+-.0123456789eE", text[i + length]) != NULL)
                length++;
        }
        buf_add(to, text + i, length);
        if (is_too_long(text + i, length))
            buf_add_str(to, "e0");
    }
}

json_t *json_read(const char *text, size_t n, size_t flags, json_error_t *error)
{
    json_t *read = json_loadb(text, n, flags, error);

    if (read != NULL || json_error_code(error) != json_error_numeric_overflow)
        return read;
    struct buf widened CLEANUP(buf_deinit);
    buf_init(&widened, 0);
    add_widened(&widened, text, n);
    return json_loadb(buf_str(&widened), widened.len, flags, error);
}

json_t *json_read_text(const char *text)
{
    json_error_t error;

    return json_read(text, strlen(text), JSON_DECODE_ANY, &error);
}

/* ---- Out ---- */

static void add_real(struct buf *buf, double number)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    buf_add_str(buf, isfinite(number) ? text : "null");
}

static void add_plain(struct buf *buf, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    buf_add_str(buf, text != NULL ? text : "null");
    free(text);
}

static void add_array(struct buf *buf, const json_t *value)
{
    size_t i;
    json_t *item;

    buf_add_char(buf, '[');
    json_array_foreach(value, i, item)
    {
        if (i != 0)
            buf_add_char(buf, ',');
        json_text(buf, item);
    }
    buf_add_char(buf, ']');
}

static void add_object(struct buf *buf, const json_t *value)
{
    bool first = true;

    buf_add_char(buf, '{');
    for (void *i = json_object_iter((json_t *)(uintptr_t)value); i != NULL;
         i = json_object_iter_next((json_t *)(uintptr_t)value, i)) {
        json_t *key = json_string(json_object_iter_key(i));
        if (!first)
            buf_add_char(buf, ',');
        first = false;
        add_plain(buf, key);
        json_decref(key);
        buf_add_char(buf, ':');
        json_text(buf, json_object_iter_value(i));
    }
    buf_add_char(buf, '}');
}

void json_text(struct buf *buf, const json_t *value)
{
    if (value == NULL) {
        buf_add_str(buf, "null");
        return;
    }
    switch (json_typeof(value)) {
    case JSON_REAL:
        add_real(buf, json_real_value(value));
        break;
    case JSON_ARRAY:
        add_array(buf, value);
        break;
    case JSON_OBJECT:
        add_object(buf, value);
        break;
    default:
        add_plain(buf, value);
    }
}

const char *json_text_in(struct arena *arena, const json_t *value)
{
    struct buf text CLEANUP(buf_deinit);

    buf_init(&text, 0);
    json_text(&text, value);
    return arena_strndup(arena, buf_str(&text), text.len);
}
