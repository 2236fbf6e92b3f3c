/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <math.h>

#include "cli/json_text.h"

/* jansson always writes 17 digits: 52.5 would be fine, 0.1 would be 0.10000000000000001. */
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
