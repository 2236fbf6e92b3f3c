/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <math.h>

#include "engine/value.h"
#include "engine/value_internal.h"

struct value value_null(void)
{
    return (struct value){.kind = VALUE_NULL};
}

struct value value_bool(bool boolean)
{
    return (struct value){.kind = VALUE_BOOL, .u.boolean = boolean};
}

struct value value_string(struct arena *arena, const char *text, size_t n)
{
    struct value value = {.kind = VALUE_STRING};

    value.u.string.text = arena_strndup(arena, text, n);
    value.u.string.n = n;
    return value;
}

/* Digits of an unsigned integer, written backwards so that they end before `end`. */
static char *put_digits(char *end, uint64_t n)
{
    do {
        *--end = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    return end;
}

struct value value_integer(struct arena *arena, int64_t integer)
{
    char room[24], *end = room + sizeof(room), *from;

    from = put_digits(end, integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer);
    if (integer < 0)
        *--from = '-';
    struct value value = {.kind = VALUE_NUMBER};
    value.u.number.n = (size_t)(end - from);
    value.u.number.text = arena_strndup(arena, from, value.u.number.n);
    value.u.number.number = (double)integer;
    value.u.number.integer = integer;
    value.u.number.is_integer = true;
    return value;
}

/*
 * A number's text taken apart: sign, digits without leading and trailing zeros, and the power of
 * ten of the point before the first digit, as in 0.DIGITS * 10^scale. Zero has no digits.
 */
struct decimal {
    const char *from, *end; /* first to last digit that counts; may hold the point */
    int64_t scale;
    bool negative, zero;
};

static struct decimal decimal_of(const char *text, size_t n)
{
    const char *p = text, *end = text + n;
    struct decimal d = {.zero = true};
    int64_t exponent = 0, before = 0;
    bool point = false;

    if (p < end && *p == '-') {
        d.negative = true;
        p++;
    }
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        if (*p != '0') {
            if (d.zero)
                d.from = p;
            d.zero = false;
            d.end = p + 1;
        }
        if (!d.zero && !point)
            before++;
        if (d.zero && point)
            before--;
    }
    if (p < end && ++p < end) {
        bool negative = *p == '-';
        if (*p == '-' || *p == '+')
            p++;
        for (; p < end && exponent < 1000000000; p++)
            exponent = exponent * 10 + (*p - '0');
        if (negative)
            exponent = -exponent;
    }
    d.scale = before + exponent;
    return d;
}

/* Compares the digits of two numbers of one scale. */
static int compare_digits(const struct decimal *a, const struct decimal *b)
{
    const char *p = a->from, *q = b->from;

    for (;;) {
        if (p < a->end && *p == '.')
            p++;
        if (q < b->end && *q == '.')
            q++;
        if (p == a->end || q == b->end)
            return (p < a->end) - (q < b->end);
        if (*p != *q)
            return *p < *q ? -1 : 1;
        p++;
        q++;
    }
}

int value_compare_numbers(const struct value *a, const struct value *b)
{
    int order;

    assert(a->kind == VALUE_NUMBER);
    assert(b->kind == VALUE_NUMBER);
    if (a->u.number.is_integer && b->u.number.is_integer)
        return (a->u.number.integer > b->u.number.integer) -
               (a->u.number.integer < b->u.number.integer);
    struct decimal x = decimal_of(a->u.number.text, a->u.number.n);
    struct decimal y = decimal_of(b->u.number.text, b->u.number.n);
    int sign_x = x.zero ? 0 : x.negative ? -1 : 1;
    int sign_y = y.zero ? 0 : y.negative ? -1 : 1;
    if (sign_x != sign_y)
        return sign_x < sign_y ? -1 : 1;
    if (sign_x == 0)
        return 0;
    if (x.scale != y.scale)
        order = x.scale < y.scale ? -1 : 1;
    else
        order = compare_digits(&x, &y);
    return sign_x < 0 ? -order : order;
}

/* Products of two numbers of 18 digits. */
__extension__ typedef unsigned __int128 wide;

/* How many digits count; the power of ten of the last one is scale - that. */
static int64_t digits_of(const struct decimal *d)
{
    if (d->zero)
        return 0;
    return d->end - d->from - (memchr(d->from, '.', (size_t)(d->end - d->from)) != NULL);
}

bool value_is_whole(const struct value *number)
{
    struct decimal d = decimal_of(number->u.number.text, number->u.number.n);

    return d.zero || d.scale >= digits_of(&d);
}

bool value_is_divisor(const struct value *number)
{
    struct decimal d = decimal_of(number->u.number.text, number->u.number.n);

    return !d.zero && !d.negative && digits_of(&d) <= 18;
}

/* The digits, as a number of `modulus`; 0: as they are. */
static uint64_t digits_modulo(const struct decimal *d, uint64_t modulus)
{
    uint64_t rest = 0;

    for (const char *p = d->from; p < d->end; p++) {
        if (*p == '.')
            continue;
        unsigned digit = (unsigned)(*p - '0');
        if (modulus == 0)
            rest = rest * 10 + digit;
        else
            rest = (uint64_t)(((wide)rest * 10 + digit) % modulus);
    }
    return rest;
}

bool value_is_multiple(const struct value *number, const struct value *divisor)
{
    struct decimal a = decimal_of(number->u.number.text, number->u.number.n);
    struct decimal b = decimal_of(divisor->u.number.text, divisor->u.number.n);

    if (a.zero)
        return true;
    /* a = A * 10^x, b = B * 10^y, where neither A nor B ends with a zero. */
    int64_t tens = (a.scale - digits_of(&a)) - (b.scale - digits_of(&b));
    uint64_t modulus = digits_modulo(&b, 0);
    if (tens < 0)
        return false; /* then 10 would have to divide A */
    wide rest = digits_modulo(&a, modulus), power = 10 % modulus;
    for (; tens > 0; tens /= 2) {
        if (tens % 2 == 1)
            rest = rest * power % modulus;
        power = power * power % modulus;
    }
    return rest == 0;
}

/* Up to 15 digits and a small power of ten: one exact operation gives the nearest double. */
static bool double_fast(const char *text, size_t n, double *ret)
{
    static const double tens[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    uint64_t digits = 0;
    size_t i = 0, fraction = 0;
    bool negative = false, point = false;

    if (n != 0 && text[0] == '-') {
        negative = true;
        i = 1;
    }
    if (n - i > 16)
        return false;
    for (; i < n; i++) {
        if (text[i] == '.') {
            point = true;
        } else if (text[i] >= '0' && text[i] <= '9') {
            digits = digits * 10 + (uint64_t)(text[i] - '0');
            fraction += point;
        } else {
            return false;
        }
    }
    if (digits > (UINT64_C(1) << 53))
        return false;
    double number = (double)digits / tens[fraction];
    *ret = negative ? -number : number;
    return true;
}

/* strtod() reads the point of the locale; a text without one means the same everywhere. */
static double double_slow(struct arena *arena, const char *text, size_t n)
{
    char *copy = arena_alloc(arena, n + 32), *to = copy;
    int64_t exponent = 0;
    size_t i = 0;
    bool point = false;

    for (; i < n && text[i] != 'e' && text[i] != 'E'; i++) {
        if (text[i] == '.') {
            point = true;
            continue;
        }
        *to++ = text[i];
        exponent -= point;
    }
    if (i < n) {
        int64_t more = 0;
        bool negative = text[++i] == '-';
        if (text[i] == '-' || text[i] == '+')
            i++;
        for (; i < n && more < 1000000000; i++)
            more = more * 10 + (text[i] - '0');
        exponent += negative ? -more : more;
    }
    snprintf(to, 32, "e%lld", (long long)exponent);
    return strtod(copy, NULL);
}

static bool integer_of(const char *text, size_t n, int64_t *ret)
{
    bool negative = n != 0 && text[0] == '-';
    int64_t integer = 0;

    for (size_t i = negative; i < n; i++) {
        int digit = text[i] - '0';
        if (__builtin_mul_overflow(integer, 10, &integer) ||
            __builtin_add_overflow(integer, negative ? -digit : digit, &integer))
            return false;
    }
    *ret = integer;
    return true;
}

struct value value_number(struct arena *arena, const char *text, size_t n, bool integer)
{
    struct value value = {.kind = VALUE_NUMBER};

    value.u.number.text = text;
    value.u.number.n = n;
    if (integer && integer_of(text, n, &value.u.number.integer)) {
        value.u.number.is_integer = true;
        value.u.number.number = (double)value.u.number.integer;
    } else if (!double_fast(text, n, &value.u.number.number)) {
        value.u.number.number = double_slow(arena, text, n);
    }
    return value;
}

/* The shortest text that reads back as the same double; a decimal stays one: 2 is written 2.0. */
struct value value_double(struct arena *arena, double number)
{
    char room[40];
    bool decimal = false;
    size_t n = 0;

    assert(isfinite(number));
    for (int digits = 15; digits <= 17; digits++) {
        n = (size_t)snprintf(room, sizeof(room), "%.*g", digits, number);
        decimal = false;
        for (char *p = room; *p != '\0'; p++) {
            if (*p == 'e') {
                decimal = true;
            } else if ((*p < '0' || *p > '9') && *p != '-' && *p != '+') {
                *p = '.'; /* whatever the locale has for it */
                decimal = true;
            }
        }
        double again = double_slow(arena, room, n);
        if (again >= number && again <= number)
            break;
    }
    if (!decimal) {
        memcpy(room + n, ".0", 3);
        n += 2;
    }
    struct value value = {.kind = VALUE_NUMBER};
    value.u.number.text = arena_strndup(arena, room, n);
    value.u.number.n = n;
    value.u.number.number = number;
    return value;
}

/* Where JSON is written to: a buffer, a place in memory, or nowhere, to count. */
struct sink {
    struct buf *buf;
    char *to;
    size_t n;
};

static void put(struct sink *sink, const char *bytes, size_t n)
{
    if (sink->buf != NULL)
        buf_add(sink->buf, bytes, n);
    else if (sink->to != NULL && n != 0)
        memcpy(sink->to + sink->n, bytes, n);
    sink->n += n;
}

static void put_string(struct sink *sink, const char *text, size_t n)
{
    static const char hex[] = "0123456789abcdef", short_of[] = "btn\0fr";
    size_t from = 0;

    put(sink, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        char escape[6] = {'\\', (char)c, '0', '0', hex[c >> 4], hex[c & 15]};
        size_t length = 2;
        put(sink, text + from, i - from);
        from = i + 1;
        if (c >= '\b' && c <= '\r' && short_of[c - '\b'] != '\0') {
            escape[1] = short_of[c - '\b'];
        } else if (c < 0x20) {
            escape[1] = 'u';
            length = 6;
        }
        put(sink, escape, length);
    }
    put(sink, text + from, n - from);
    put(sink, "\"", 1);
}

static void put_value(struct sink *sink, const struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        put(sink, "null", 4);
        break;
    case VALUE_BOOL:
        put(sink, value->u.boolean ? "true" : "false", value->u.boolean ? 4 : 5);
        break;
    case VALUE_NUMBER:
        put(sink, value->u.number.text, value->u.number.n);
        break;
    case VALUE_STRING:
        put_string(sink, value->u.string.text, value->u.string.n);
        break;
    case VALUE_ARRAY:
        put(sink, "[", 1);
        for (size_t i = 0; i < value->u.array.n; i++) {
            put(sink, ",", i != 0);
            put_value(sink, &value->u.array.items[i]);
        }
        put(sink, "]", 1);
        break;
    case VALUE_OBJECT:
        put(sink, "{", 1);
        for (size_t i = 0; i < value->u.object.n; i++) {
            const struct value_member *member = &value->u.object.members[i];
            put(sink, ",", i != 0);
            put_string(sink, member->name, member->name_n);
            put(sink, ":", 1);
            put_value(sink, &member->value);
        }
        put(sink, "}", 1);
        break;
    }
}

void value_write(const struct value *value, struct buf *buf)
{
    struct sink sink = {.buf = buf};

    put_value(&sink, value);
}

const char *value_text(struct arena *arena, const struct value *value, size_t *ret_n)
{
    struct sink count = {.to = NULL}, sink = {.to = NULL};

    put_value(&count, value);
    sink.to = arena_alloc(arena, count.n + 1);
    put_value(&sink, value);
    assert(sink.n == count.n);
    if (ret_n != NULL)
        *ret_n = sink.n;
    return sink.to;
}

const struct value *value_member(const struct value *object, const char *name, size_t name_n)
{
    if (object->kind != VALUE_OBJECT)
        return NULL;
    for (size_t i = object->u.object.n; i > 0; i--) {
        const struct value_member *member = &object->u.object.members[i - 1];
        if (member->name_n == name_n && memcmp(member->name, name, name_n) == 0)
            return &member->value;
    }
    return NULL;
}

/* Whether each member of `a` has an equal one in `b`; of equal names the last counts. */
static bool members_in(const struct value *a, const struct value *b)
{
    for (size_t i = 0; i < a->u.object.n; i++) {
        const struct value_member *member = &a->u.object.members[i];
        const struct value *mine = value_member(a, member->name, member->name_n);
        const struct value *other = value_member(b, member->name, member->name_n);
        if (other == NULL || (mine == &member->value && !value_equal(mine, other)))
            return false;
    }
    return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a->u.boolean == b->u.boolean;
    case VALUE_NUMBER:
        return value_compare_numbers(a, b) == 0;
    case VALUE_STRING:
        return a->u.string.n == b->u.string.n &&
               memcmp(a->u.string.text, b->u.string.text, a->u.string.n) == 0;
    case VALUE_ARRAY:
        if (a->u.array.n != b->u.array.n)
            return false;
        for (size_t i = 0; i < a->u.array.n; i++) {
            if (!value_equal(&a->u.array.items[i], &b->u.array.items[i]))
                return false;
        }
        return true;
    case VALUE_OBJECT:
        return members_in(a, b) && members_in(b, a);
    }
    return false;
}

unsigned value_depth(const struct value *value)
{
    unsigned deepest = 0;

    if (value->kind == VALUE_ARRAY) {
        for (size_t i = 0; i < value->u.array.n; i++) {
            unsigned depth = value_depth(&value->u.array.items[i]);
            deepest = depth > deepest ? depth : deepest;
        }
        return deepest + 1;
    }
    if (value->kind == VALUE_OBJECT) {
        for (size_t i = 0; i < value->u.object.n; i++) {
            unsigned depth = value_depth(&value->u.object.members[i].value);
            deepest = depth > deepest ? depth : deepest;
        }
        return deepest + 1;
    }
    return 0;
}

const char *value_kind_name(enum value_kind kind)
{
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object"};

    assert((size_t)kind < ARRAY_LEN(names));
    return names[kind];
}
