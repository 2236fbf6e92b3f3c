/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <stdarg.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "engine/value.h"
#include "engine/value_internal.h"

/*
 * Reading JSON. One scanner judges the text; value_read() builds values on the way, value_split()
 * builds none. Recursion is bounded by LIMIT_JSON_DEPTH. Both are on the hot path: strings go by
 * eight bytes at a time until something needs a look.
 */
struct reader {
    const char *text, *p, *end;
    unsigned depth;
    struct arena *arena;
    struct err *err;
};

/* A string of the text, between its quotes. */
struct span {
    const char *from;
    size_t n;
    bool escaped; /* holds a backslash */
};

static int PRINTF_LIKE(3, 4) refuse(struct reader *r, const char *at, const char *format, ...)
{
    char what[256];
    va_list args;
    int line = 1;
    const char *start = r->text;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    for (const char *p = r->text; p < at; p++) {
        if (*p == '\n') {
            line++;
            start = p + 1;
        }
    }
    err_set(r->err, ERR_INVALID, "not valid JSON at line %d, column %d: %s", line,
            (int)(at - start) + 1, what);
    if (r->err != NULL) {
        r->err->line = line;
        r->err->column = (int)(at - start) + 1;
    }
    return -1;
}

/* What stands at r->p, for a message. */
static int expected(struct reader *r, const char *what)
{
    if (r->p >= r->end)
        return refuse(r, r->p, "expected %s, but the text ends here", what);
    unsigned char c = (unsigned char)*r->p;
    if (c < 0x20 || c >= 0x7f)
        return refuse(r, r->p, "expected %s, found the byte 0x%02x", what, c);
    if (c == '\'')
        return refuse(r, r->p, "expected %s, found ' (JSON quotes with \")", what);
    return refuse(r, r->p, "expected %s, found '%c'", what, c);
}

static inline void skip_space(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
        r->p++;
}

static int hex4(const char *p, const char *end)
{
    int value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* r->p is at a backslash; moves behind the escape sequence. */
static int scan_escape(struct reader *r)
{
    const char *at = r->p;

    if (r->end - at < 2)
        return refuse(r, r->end, "the text ends inside a string");
    if (memchr("\"\\/bfnrt", at[1], 8) != NULL) {
        r->p += 2;
        return 0;
    }
    if (at[1] != 'u')
        return refuse(r, at,
                      "a backslash starts no escape that JSON knows; write \\\\ for a "
                      "backslash");
    int unit = hex4(at + 2, r->end);
    if (unit < 0)
        return refuse(r, at, "\\u needs four hexadecimal digits");
    if (unit == 0)
        return refuse(r, at, "\\u0000 cannot be kept in PostgreSQL's text; leave it out");
    r->p += 6;
    if (unit < 0xd800 || unit > 0xdfff)
        return 0;
    if (unit > 0xdbff || r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u')
        return refuse(r, at, "half of a surrogate pair stands alone");
    int low = hex4(r->p + 2, r->end);
    if (low < 0xdc00 || low > 0xdfff)
        return refuse(r, at, "half of a surrogate pair stands alone");
    r->p += 6;
    return 0;
}

/* How many of the next bytes are plain: printable ASCII but no quote and no backslash. By eights.
 */
static inline const char *skip_plain(const char *p, const char *end)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;

    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');
        uint64_t odd = (w - ones * 0x20) | (quote - ones) | (slash - ones) | w;
        /* May stop early at a plain byte behind a borrow; the byte loop below goes on from there.
         */
        if ((odd & high) != 0)
            break;
        p += 8;
    }
    return p;
}

/* r->p is behind the opening quote; moves behind the closing one. */
static int scan_string(struct reader *r, struct span *ret)
{
    const char *from = r->p;
    bool escaped = false;

    for (;;) {
        r->p = skip_plain(r->p, r->end);
        if (r->p >= r->end)
            return refuse(r, from - 1, "this string is never closed with \"");
        unsigned char c = (unsigned char)*r->p;
        if (c == '"')
            break;
        if (c == '\\') {
            escaped = true;
            if (scan_escape(r) < 0)
                return -1;
        } else if (c < 0x20) {
            return refuse(r, r->p, "the byte 0x%02x must be escaped inside a string", c);
        } else if (c < 0x80) {
            r->p++;
        } else {
            size_t n = utf8_length(r->p, r->end);
            if (n == 0)
                return refuse(r, r->p, "the byte 0x%02x is not valid UTF-8", c);
            r->p += n;
        }
    }
    *ret = (struct span){.from = from, .n = (size_t)(r->p - from), .escaped = escaped};
    r->p++;
    return 0;
}

static char *put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | (c >> 6));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | (c >> 12));
        *to++ = (char)(0x80 | ((c >> 6) & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | (c >> 18));
        *to++ = (char)(0x80 | ((c >> 12) & 0x3f));
        *to++ = (char)(0x80 | ((c >> 6) & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* Copies a judged string, its escapes resolved; the result is never longer than the text. */
static char *unescape(struct arena *arena, const struct span *s, size_t *ret_n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char *copy, *out;

    if (!s->escaped) {
        *ret_n = s->n;
        return arena_strndup(arena, s->from, s->n);
    }
    copy = out = arena_alloc(arena, s->n + 1);
    for (const char *p = s->from, *end = s->from + s->n; p < end;) {
        if (*p != '\\') {
            *out++ = *p++;
        } else if (p[1] != 'u') {
            *out++ = to[strchr(from, p[1]) - from];
            p += 2;
        } else {
            unsigned c = (unsigned)hex4(p + 2, end);
            p += 6;
            if (c >= 0xd800 && c <= 0xdbff) {
                c = 0x10000 + ((c - 0xd800) << 10) + ((unsigned)hex4(p + 2, end) - 0xdc00);
                p += 6;
            }
            out = put_utf8(out, c);
        }
    }
    *ret_n = (size_t)(out - copy);
    return copy;
}

static inline bool at_digit(const struct reader *r)
{
    return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

/* The digits from r->p on; how many. */
static int64_t scan_digits(struct reader *r)
{
    const char *from = r->p;

    while (at_digit(r))
        r->p++;
    return r->p - from;
}

/*
 * Judges a number. PostgreSQL's numeric holds 131072 digits before the point and 16383 after it;
 * what it cannot hold, a view over jsonb could not show.
 */
static int scan_number(struct reader *r, bool *ret_integer)
{
    const char *from = r->p;
    int64_t whole, fraction = 0, exponent = 0;
    bool integer = true, negative = false;

    if (*r->p == '-')
        r->p++;
    if (!at_digit(r))
        return expected(r, "a digit");
    if (*r->p == '0' && r->end - r->p > 1 && r->p[1] >= '0' && r->p[1] <= '9')
        return refuse(r, r->p, "a number may not start with 0; quote it if it is a code");
    whole = scan_digits(r);
    if (r->p < r->end && *r->p == '.') {
        integer = false;
        r->p++;
        if ((fraction = scan_digits(r)) == 0)
            return expected(r, "a digit after the decimal point");
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        integer = false;
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
            negative = *r->p++ == '-';
        if (!at_digit(r))
            return expected(r, "a digit of the exponent");
        for (; at_digit(r); r->p++) {
            if (exponent < 1000000)
                exponent = exponent * 10 + (*r->p - '0');
        }
    }
    if (negative)
        exponent = -exponent;
    if (whole + exponent > 131072 || fraction - exponent > 16383)
        return refuse(r, from, "the number is too large or too precise for PostgreSQL's numeric");
    *ret_integer = integer;
    return 0;
}

static int scan_word(struct reader *r, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return expected(r, "a JSON value");
    r->p += n;
    return 0;
}

static int enter(struct reader *r)
{
    if (++r->depth > LIMIT_JSON_DEPTH)
        return refuse(r, r->p, "nested deeper than %u levels", LIMIT_JSON_DEPTH);
    r->p++;
    skip_space(r);
    return 0;
}

/* r->p is at the opening quote of a member's name; moves to the member's value. */
static int scan_name(struct reader *r, struct span *ret)
{
    const char *at = r->p;

    if (at >= r->end || *at != '"')
        return expected(r, "a member's name in \"");
    r->p++;
    if (scan_string(r, ret) < 0)
        return -1;
    if (ret->n > LIMIT_NAME_BYTES)
        return refuse(r, at, "a member's name is longer than %u bytes", LIMIT_NAME_BYTES);
    skip_space(r);
    if (r->p >= r->end || *r->p != ':')
        return expected(r, "':' after a member's name");
    r->p++;
    skip_space(r);
    return 0;
}

/* After an item: 1 if another follows (r->p is at it), 0 if `close` did. */
static int scan_next(struct reader *r, char close)
{
    skip_space(r);
    if (r->p < r->end && *r->p == close) {
        r->p++;
        r->depth--;
        return 0;
    }
    if (r->p >= r->end || *r->p != ',')
        return expected(r, close == '}' ? "',' or '}' after a member" : "',' or ']' after an item");
    r->p++;
    skip_space(r);
    if (r->p < r->end && *r->p == close)
        return refuse(r, r->p, "a comma before '%c' is one too many", close);
    return 1;
}

/* Judges a value without building it. */
static int skip_value(struct reader *r)
{
    struct span span;
    bool integer;
    int more;

    if (r->p >= r->end)
        return expected(r, "a JSON value");
    switch (*r->p) {
    case '"':
        r->p++;
        return scan_string(r, &span);
    case '{':
    case '[':
        break;
    case 't':
        return scan_word(r, "true");
    case 'f':
        return scan_word(r, "false");
    case 'n':
        return scan_word(r, "null");
    default:
        if (*r->p == '-' || at_digit(r))
            return scan_number(r, &integer);
        return expected(r, "a JSON value");
    }
    char close = *r->p == '{' ? '}' : ']';
    if (enter(r) < 0)
        return -1;
    if (r->p < r->end && *r->p == close) {
        r->p++;
        r->depth--;
        return 0;
    }
    do {
        if (close == '}' && scan_name(r, &span) < 0)
            return -1;
        if (skip_value(r) < 0)
            return -1;
        more = scan_next(r, close);
    } while (more > 0);
    return more;
}

static int read_value(struct reader *r, struct value *ret);

static int read_array(struct reader *r, struct value *ret)
{
    struct value *items = NULL, item;
    size_t n = 0, capacity = 0;
    int more = 1;

    if (enter(r) < 0)
        return -1;
    if (r->p < r->end && *r->p == ']') {
        r->p++;
        r->depth--;
        more = 0;
    }
    while (more > 0) {
        if (read_value(r, &item) < 0)
            return -1;
        *arena_push(r->arena, items, n, capacity) = item;
        more = scan_next(r, ']');
    }
    *ret = (struct value){.kind = VALUE_ARRAY, .u.array = {.items = items, .n = n}};
    return more;
}

static int read_object(struct reader *r, struct value *ret)
{
    struct value_member *members = NULL, member;
    size_t n = 0, capacity = 0;
    struct span span;
    int more = 1;

    if (enter(r) < 0)
        return -1;
    if (r->p < r->end && *r->p == '}') {
        r->p++;
        r->depth--;
        more = 0;
    }
    while (more > 0) {
        if (scan_name(r, &span) < 0)
            return -1;
        member.name = unescape(r->arena, &span, &member.name_n);
        if (read_value(r, &member.value) < 0)
            return -1;
        *arena_push(r->arena, members, n, capacity) = member;
        more = scan_next(r, '}');
    }
    *ret = (struct value){.kind = VALUE_OBJECT, .u.object = {.members = members, .n = n}};
    return more;
}

static int read_value(struct reader *r, struct value *ret)
{
    const char *from = r->p;
    struct span span;
    bool integer;

    if (r->p < r->end && *r->p == '{')
        return read_object(r, ret);
    if (r->p < r->end && *r->p == '[')
        return read_array(r, ret);
    if (r->p < r->end && *r->p == '"') {
        r->p++;
        if (scan_string(r, &span) < 0)
            return -1;
        *ret = (struct value){.kind = VALUE_STRING};
        ret->u.string.text = unescape(r->arena, &span, &ret->u.string.n);
        return 0;
    }
    if (r->p < r->end && (*r->p == '-' || at_digit(r))) {
        if (scan_number(r, &integer) < 0)
            return -1;
        *ret = value_number(r->arena, from, (size_t)(r->p - from), integer);
        return 0;
    }
    if (skip_value(r) < 0)
        return -1;
    *ret = *from == 'n' ? value_null() : value_bool(*from == 't');
    return 0;
}

static int read_end(struct reader *r)
{
    skip_space(r);
    if (r->p < r->end)
        return expected(r, "the end of the text");
    return 0;
}

int value_read(struct arena *arena, const char *text, size_t n, struct value *ret_value,
               struct err *err)
{
    struct reader r = {.text = text, .p = text, .end = text + n, .arena = arena, .err = err};
    struct value value;

    skip_space(&r);
    if (read_value(&r, &value) < 0 || read_end(&r) < 0)
        return err_trace(err);
    *ret_value = value;
    return 0;
}

int value_split(struct arena *arena, const char *text, size_t n,
                void (*each)(void *context, const char *name, const char *raw, size_t raw_n),
                void *context, struct err *err)
{
    struct reader r = {.text = text, .p = text, .end = text + n, .arena = arena, .err = err};
    struct part {
        struct span name, raw;
    } *parts = NULL;
    size_t n_parts = 0, capacity = 0, name_n;
    int more = 1;

    skip_space(&r);
    if (r.p >= r.end || *r.p != '{')
        return expected(&r, "'{' (variables are a JSON object)");
    if (enter(&r) < 0)
        return err_trace(err);
    if (r.p < r.end && *r.p == '}') {
        r.p++;
        more = 0;
    }
    while (more > 0) {
        struct part part;
        if (scan_name(&r, &part.name) < 0)
            return err_trace(err);
        part.raw.from = r.p;
        if (skip_value(&r) < 0)
            return err_trace(err);
        part.raw.n = (size_t)(r.p - part.raw.from);
        *arena_push(arena, parts, n_parts, capacity) = part;
        more = scan_next(&r, '}');
    }
    if (more < 0 || read_end(&r) < 0)
        return err_trace(err);
    /* Told only now: each() never sees a part of a text that is refused. */
    for (size_t i = 0; i < n_parts; i++)
        each(context, unescape(arena, &parts[i].name, &name_n), parts[i].raw.from, parts[i].raw.n);
    return 0;
}
