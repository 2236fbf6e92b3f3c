/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "engine/schema_internal.h"

/*
 * Values as errors show them: the way Python writes them, since that is what people who know
 * jsonschema expect. A long one is cut, so that an error stays readable and small.
 */

struct words {
    char *to;
    size_t n;
    bool cut;
};

static void put(struct words *w, const char *text, size_t n)
{
    if (w->cut || w->n + n > LIMIT_SCHEMA_WORDS) {
        w->cut = true;
        return;
    }
    memcpy(w->to + w->n, text, n);
    w->n += n;
}

static void put_text(struct words *w, const char *text)
{
    put(w, text, strlen(text));
}

static void put_string(struct words *w, const char *text, size_t n)
{
    char quote = memchr(text, '\'', n) != NULL && memchr(text, '"', n) == NULL ? '"' : '\'';
    const char *end = text + n;
    char escape[8];

    put(w, &quote, 1);
    for (const char *p = text; p < end && !w->cut;) {
        unsigned char c = (unsigned char)*p;
        size_t length = utf8_length(p, end);
        if (c == '\\' || c == (unsigned char)quote)
            snprintf(escape, sizeof(escape), "\\%c", c);
        else if (c == '\n' || c == '\t' || c == '\r')
            snprintf(escape, sizeof(escape), "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        else if (c < 0x20 || c == 0x7f || length == 0)
            snprintf(escape, sizeof(escape), "\\x%02x", c);
        else
            escape[0] = '\0';
        if (escape[0] != '\0')
            put_text(w, escape);
        else
            put(w, p, length);
        p += length > 0 ? length : 1;
    }
    put(w, &quote, 1);
}

static void put_value(struct words *w, const struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        put_text(w, "None");
        break;
    case VALUE_BOOL:
        put_text(w, value->u.boolean ? "True" : "False");
        break;
    case VALUE_NUMBER:
        put(w, value->u.number.text, value->u.number.n);
        break;
    case VALUE_STRING:
        put_string(w, value->u.string.text, value->u.string.n);
        break;
    case VALUE_ARRAY:
        put_text(w, "[");
        for (size_t i = 0; i < value->u.array.n && !w->cut; i++) {
            put_text(w, i > 0 ? ", " : "");
            put_value(w, &value->u.array.items[i]);
        }
        put_text(w, "]");
        break;
    case VALUE_OBJECT:
        put_text(w, "{");
        for (size_t i = 0; i < value->u.object.n && !w->cut; i++) {
            const struct value_member *member = &value->u.object.members[i];
            put_text(w, i > 0 ? ", " : "");
            put_string(w, member->name, member->name_n);
            put_text(w, ": ");
            put_value(w, &member->value);
        }
        put_text(w, "}");
        break;
    }
}

const char *words_of(struct arena *arena, const struct value *value)
{
    static const char dots[] = "…";
    struct words w = {.to = arena_alloc(arena, LIMIT_SCHEMA_WORDS + sizeof(dots))};

    put_value(&w, value);
    if (w.cut)
        memcpy(w.to + w.n, dots, sizeof(dots));
    return w.to;
}

const char *words_of_name(struct arena *arena, const char *name, size_t n)
{
    struct value value = {.kind = VALUE_STRING, .u.string = {.text = name, .n = n}};

    return words_of(arena, &value);
}
