/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <math.h>

#include "engine/expr_internal.h"
#include "engine/value_internal.h"

/*
 * The methods that values have, under the names that Java gives them, and the properties of
 * `execution`. Positions in strings count code points, not bytes and not UTF-16 units.
 */
enum {
    OF_NULL = 1u << VALUE_NULL,
    OF_BOOL = 1u << VALUE_BOOL,
    OF_NUMBER = 1u << VALUE_NUMBER,
    OF_STRING = 1u << VALUE_STRING,
    OF_ARRAY = 1u << VALUE_ARRAY,
    OF_OBJECT = 1u << VALUE_OBJECT,
    OF_ANY = OF_BOOL | OF_NUMBER | OF_STRING | OF_ARRAY | OF_OBJECT,
};

enum method {
    METHOD_LENGTH,
    METHOD_SIZE,
    METHOD_IS_EMPTY,
    METHOD_UPPER,
    METHOD_LOWER,
    METHOD_TRIM,
    METHOD_CONTAINS,
    METHOD_STARTS_WITH,
    METHOD_ENDS_WITH,
    METHOD_EQUALS,
    METHOD_EQUALS_IGNORE_CASE,
    METHOD_INDEX_OF,
    METHOD_SUBSTRING,
    METHOD_REPLACE,
    METHOD_CONCAT,
    METHOD_GET,
    METHOD_CONTAINS_KEY,
    METHOD_TO_STRING,
    METHOD_LONG,
    METHOD_DOUBLE,
};

struct expr_method {
    const char *name;
    enum method method;
    unsigned kinds; /* that have it */
    unsigned min, max;
};

static const struct expr_method methods[] = {
    {"length", METHOD_LENGTH, OF_STRING, 0, 0},
    {"size", METHOD_SIZE, OF_ARRAY | OF_OBJECT, 0, 0},
    {"isEmpty", METHOD_IS_EMPTY, OF_STRING | OF_ARRAY | OF_OBJECT, 0, 0},
    {"toUpperCase", METHOD_UPPER, OF_STRING, 0, 0},
    {"toLowerCase", METHOD_LOWER, OF_STRING, 0, 0},
    {"trim", METHOD_TRIM, OF_STRING, 0, 0},
    {"contains", METHOD_CONTAINS, OF_STRING | OF_ARRAY, 1, 1},
    {"startsWith", METHOD_STARTS_WITH, OF_STRING, 1, 1},
    {"endsWith", METHOD_ENDS_WITH, OF_STRING, 1, 1},
    {"equals", METHOD_EQUALS, OF_ANY, 1, 1},
    {"equalsIgnoreCase", METHOD_EQUALS_IGNORE_CASE, OF_STRING, 1, 1},
    {"indexOf", METHOD_INDEX_OF, OF_STRING | OF_ARRAY, 1, 1},
    {"substring", METHOD_SUBSTRING, OF_STRING, 1, 2},
    {"replace", METHOD_REPLACE, OF_STRING, 2, 2},
    {"concat", METHOD_CONCAT, OF_STRING, 1, 1},
    {"get", METHOD_GET, OF_ARRAY | OF_OBJECT, 1, 1},
    {"containsKey", METHOD_CONTAINS_KEY, OF_OBJECT, 1, 1},
    {"toString", METHOD_TO_STRING, OF_ANY, 0, 0},
    {"intValue", METHOD_LONG, OF_NUMBER, 0, 0},
    {"longValue", METHOD_LONG, OF_NUMBER, 0, 0},
    {"doubleValue", METHOD_DOUBLE, OF_NUMBER, 0, 0},
};

const struct expr_method *expr_method_find(const char *name, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (strlen(methods[i].name) == n && memcmp(methods[i].name, name, n) == 0)
            return &methods[i];
    }
    return NULL;
}

const char *expr_method_wants(const struct expr_method *method, unsigned n_args)
{
    if (n_args >= method->min && n_args <= method->max)
        return NULL;
    if (method->min != method->max)
        return "one or two arguments";
    return method->min == 0 ? "no arguments" : method->min == 1 ? "one argument" : "two arguments";
}

bool expr_property_find(const char *name, size_t n, enum expr_property *ret)
{
    static const struct {
        const char *name;
        enum expr_property property;
    } properties[] = {
        {"processInstanceId", EXPR_PROPERTY_INSTANCE_ID},
        {"id", EXPR_PROPERTY_INSTANCE_ID},
        {"businessKey", EXPR_PROPERTY_BUSINESS_KEY},
        {"processBusinessKey", EXPR_PROPERTY_BUSINESS_KEY},
        {"processDefinitionId", EXPR_PROPERTY_DEFINITION_ID},
        {"processDefinitionKey", EXPR_PROPERTY_DEFINITION_KEY},
        {"currentActivityId", EXPR_PROPERTY_ACTIVITY_ID},
        {"currentActivityName", EXPR_PROPERTY_ACTIVITY_NAME},
        {"tenantId", EXPR_PROPERTY_TENANT_ID},
        {"startTime", EXPR_PROPERTY_START_TIME},
        {"enteredTime", EXPR_PROPERTY_ENTERED_TIME},
        {"retryCount", EXPR_PROPERTY_RETRY_COUNT},
    };

    for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
        if (strlen(properties[i].name) == n && memcmp(properties[i].name, name, n) == 0) {
            *ret = properties[i].property;
            return true;
        }
    }
    return false;
}

/* One call. */
struct call {
    struct expr_run *run;
    const struct expr_step *step;
    const struct value *self, *args;
};

static int64_t count_points(const char *text, size_t n)
{
    int64_t points = 0;

    for (size_t i = 0; i < n; i++)
        points += ((unsigned char)text[i] & 0xc0) != 0x80;
    return points;
}

/* The byte at which code point number `point` starts; n if there are not so many. */
static size_t byte_of_point(const char *text, size_t n, int64_t point)
{
    size_t i = 0;

    for (; i < n; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80 && point-- == 0)
            break;
    }
    return i;
}

/*
 * The other case of a letter of two bytes or fewer, by blocks: ASCII, Latin-1, Latin Extended-A,
 * Greek and Cyrillic. Both cases take as many bytes. Independent of any locale.
 */
static unsigned other_case(unsigned c, bool upper)
{
    static const struct {
        uint16_t from, to; /* of the capitals */
        uint8_t distance;  /* of the small letters; 1: pairs */
    } blocks[] = {
        {'A', 'Z', 32},     {0xc0, 0xd6, 32},   {0xd8, 0xde, 32},   {0x100, 0x12f, 1},
        {0x132, 0x137, 1},  {0x139, 0x148, 1},  {0x14a, 0x177, 1},  {0x179, 0x17e, 1},
        {0x386, 0x386, 38}, {0x388, 0x38a, 37}, {0x38c, 0x38c, 64}, {0x38e, 0x38f, 63},
        {0x391, 0x3a1, 32}, {0x3a3, 0x3ab, 32}, {0x400, 0x40f, 80}, {0x410, 0x42f, 32},
    };

    if (c == 0x3c2 && upper) /* the sigma at the end of a word */
        return 0x3a3;
    if (c == 0xff && upper)
        return 0x178;
    if (c == 0x178 && !upper)
        return 0xff;
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        unsigned from = blocks[i].from, to = blocks[i].to, distance = blocks[i].distance;
        if (distance == 1) {
            if (c < from || c > to)
                continue;
            bool small = ((c - from) & 1) != 0;
            return small == upper ? (upper ? c - 1 : c + 1) : c;
        }
        if (!upper && c >= from && c <= to)
            return c + distance;
        if (upper && c >= from + distance && c <= to + distance)
            return c - distance;
    }
    return c;
}

static struct value string_value(const char *text, size_t n)
{
    struct value value = {.kind = VALUE_STRING};

    value.u.string.text = text;
    value.u.string.n = n;
    return value;
}

static int change_case(const struct call *c, bool upper, struct value *ret)
{
    const char *text = c->self->u.string.text;
    size_t n = c->self->u.string.n;
    char *room = expr_room(c->run, c->step->column, n);

    if (room == NULL)
        return -1;
    for (size_t i = 0; i < n; i++) {
        unsigned char lead = (unsigned char)text[i];
        if (lead < 0x80) {
            room[i] = (char)other_case(lead, upper);
        } else if (lead >= 0xc2 && lead <= 0xdf && i + 1 < n) {
            unsigned other =
                other_case(((lead & 0x1fu) << 6) | ((unsigned char)text[i + 1] & 0x3fu), upper);
            room[i] = (char)(0xc0 | (other >> 6));
            room[++i] = (char)(0x80 | (other & 0x3f));
        } else {
            room[i] = text[i];
        }
    }
    *ret = string_value(room, n);
    return 0;
}

static int trim(const struct call *c, struct value *ret)
{
    const char *text = c->self->u.string.text;
    size_t n = c->self->u.string.n;

    while (n > 0 && (unsigned char)*text <= ' ') {
        text++;
        n--;
    }
    while (n > 0 && (unsigned char)text[n - 1] <= ' ')
        n--;
    char *room = expr_room(c->run, c->step->column, n);
    if (room == NULL)
        return -1;
    memcpy(room, text, n);
    *ret = string_value(room, n);
    return 0;
}

/* The text of an argument. */
static int arg_text(const struct call *c, unsigned i, const char **ret_text, size_t *ret_n)
{
    if (c->args[i].kind == VALUE_NULL)
        return expr_fail(c->run, c->step->column, "%s() got null", c->step->name);
    return expr_text_of(c->run, c->step->column, &c->args[i], ret_text, ret_n);
}

/* A position in a string or array. */
static int arg_position(const struct call *c, unsigned i, int64_t *ret)
{
    const struct value *arg = &c->args[i];

    if (arg->kind != VALUE_NUMBER || !arg->u.number.is_integer)
        return expr_fail(c->run, c->step->column, "%s() needs a whole number", c->step->name);
    *ret = arg->u.number.integer;
    return 0;
}

/* Where an item is in the array; -1: nowhere. */
static int64_t find_item(const struct value *array, const struct value *item)
{
    for (size_t i = 0; i < array->u.array.n; i++) {
        if (value_equal(&array->u.array.items[i], item))
            return (int64_t)i;
    }
    return -1;
}

/* contains, startsWith, endsWith and indexOf. */
static int search(const struct call *c, struct value *ret)
{
    enum method method = c->step->method->method;
    const char *text = c->self->u.string.text, *part;
    size_t n = c->self->u.string.n, m;

    if (c->self->kind == VALUE_ARRAY) {
        int64_t at = find_item(c->self, &c->args[0]);
        *ret = method == METHOD_CONTAINS ? value_bool(at >= 0) : value_integer(c->run->arena, at);
        return 0;
    }
    if (arg_text(c, 0, &part, &m) < 0)
        return -1;
    if (method == METHOD_STARTS_WITH) {
        *ret = value_bool(m <= n && memcmp(text, part, m) == 0);
    } else if (method == METHOD_ENDS_WITH) {
        *ret = value_bool(m <= n && memcmp(text + n - m, part, m) == 0);
    } else {
        const char *found = m == 0 ? text : memmem(text, n, part, m);
        if (method == METHOD_CONTAINS)
            *ret = value_bool(found != NULL);
        else
            *ret = value_integer(c->run->arena,
                                 found == NULL ? -1 : count_points(text, (size_t)(found - text)));
    }
    return 0;
}

static int substring(const struct call *c, struct value *ret)
{
    const char *text = c->self->u.string.text;
    size_t n = c->self->u.string.n;
    int64_t points = count_points(text, n), from, to = points;

    if (arg_position(c, 0, &from) < 0 || (c->step->n_args == 2 && arg_position(c, 1, &to) < 0))
        return -1;
    if (from < 0 || to > points || from > to)
        return expr_fail(c->run, c->step->column,
                         "substring(%lld, %lld) does not fit a string of %lld characters",
                         (long long)from, (long long)to, (long long)points);
    size_t start = byte_of_point(text, n, from), end = byte_of_point(text, n, to);
    char *room = expr_room(c->run, c->step->column, end - start);
    if (room == NULL)
        return -1;
    memcpy(room, text + start, end - start);
    *ret = string_value(room, end - start);
    return 0;
}

/* All places of a text by another; as in Java, an empty one matches nothing here. */
static int replace(const struct call *c, struct value *ret)
{
    const char *p = c->self->u.string.text, *end = p + c->self->u.string.n, *old, *new, *found;
    size_t old_n, new_n, n = 0, count = 0;

    if (arg_text(c, 0, &old, &old_n) < 0 || arg_text(c, 1, &new, &new_n) < 0)
        return -1;
    if (old_n == 0)
        return expr_fail(c->run, c->step->column, "replace() cannot look for an empty text");
    for (const char *s = p; (found = memmem(s, (size_t)(end - s), old, old_n)) != NULL; count++)
        s = found + old_n;
    char *room =
        expr_room(c->run, c->step->column, c->self->u.string.n - count * old_n + count * new_n);
    if (room == NULL)
        return -1;
    while ((found = memmem(p, (size_t)(end - p), old, old_n)) != NULL) {
        memcpy(room + n, p, (size_t)(found - p));
        n += (size_t)(found - p);
        memcpy(room + n, new, new_n);
        n += new_n;
        p = found + old_n;
    }
    memcpy(room + n, p, (size_t)(end - p));
    *ret = string_value(room, n + (size_t)(end - p));
    return 0;
}

static int concat(const struct call *c, struct value *ret)
{
    const char *more;
    size_t n = c->self->u.string.n, m;

    if (arg_text(c, 0, &more, &m) < 0)
        return -1;
    char *room = expr_room(c->run, c->step->column, n + m);
    if (room == NULL)
        return -1;
    memcpy(room, c->self->u.string.text, n);
    memcpy(room + n, more, m);
    *ret = string_value(room, n + m);
    return 0;
}

static int equals_ignore_case(const struct call *c, struct value *ret)
{
    struct call other = *c;
    struct value a, b;

    if (c->args[0].kind != VALUE_STRING) {
        *ret = value_bool(false);
        return 0;
    }
    other.self = &c->args[0];
    if (change_case(c, true, &a) < 0 || change_case(&other, true, &b) < 0)
        return -1;
    *ret = value_bool(value_equal(&a, &b));
    return 0;
}

/* get(i) of an array, get(key) and containsKey(key) of an object. */
static int get(const struct call *c, struct value *ret)
{
    const char *name;
    size_t n;
    int64_t i = 0;

    if (c->self->kind == VALUE_ARRAY) {
        if (arg_position(c, 0, &i) < 0)
            return -1;
        if (i < 0 || (uint64_t)i >= c->self->u.array.n)
            return expr_fail(c->run, c->step->column,
                             "get(%lld): the array has %zu items; a[%lld] "
                             "would be null",
                             (long long)i, c->self->u.array.n, (long long)i);
        *ret = c->self->u.array.items[i];
        return 0;
    }
    if (arg_text(c, 0, &name, &n) < 0)
        return -1;
    const struct value *member = value_member(c->self, name, n);
    if (c->step->method->method == METHOD_CONTAINS_KEY)
        *ret = value_bool(member != NULL);
    else
        *ret = member != NULL ? *member : value_null();
    return 0;
}

static int to_string(const struct call *c, struct value *ret)
{
    const char *text;
    size_t n;

    if (expr_text_of(c->run, c->step->column, c->self, &text, &n) < 0)
        return -1;
    *ret = value_string(c->run->arena, text, n);
    return 0;
}

/* intValue() and longValue() cut the fraction off. */
static int to_long(const struct call *c, struct value *ret)
{
    double d = c->self->u.number.number;

    if (c->self->u.number.is_integer) {
        *ret = *c->self;
        return 0;
    }
    if (!(d > -9.2e18 && d < 9.2e18))
        return expr_fail(c->run, c->step->column, "%s(): the number does not fit a 64-bit integer",
                         c->step->name);
    *ret = value_integer(c->run->arena, (int64_t)d);
    return 0;
}

static int to_double(const struct call *c, struct value *ret)
{
    if (!isfinite(c->self->u.number.number))
        return expr_fail(c->run, c->step->column, "doubleValue(): the number is too large");
    *ret = value_double(c->run->arena, c->self->u.number.number);
    return 0;
}

static bool is_empty(const struct value *self)
{
    return self->kind == VALUE_STRING  ? self->u.string.n == 0
           : self->kind == VALUE_ARRAY ? self->u.array.n == 0
                                       : self->u.object.n == 0;
}

/* Members of different names: of equal ones the last counts. */
static int64_t count_members(const struct value *object)
{
    int64_t count = 0;

    for (size_t i = 0; i < object->u.object.n; i++) {
        const struct value_member *member = &object->u.object.members[i];
        count += value_member(object, member->name, member->name_n) == &member->value;
    }
    return count;
}

static int dispatch(const struct call *c, struct value *ret)
{
    const struct value *self = c->self;

    switch (c->step->method->method) {
    case METHOD_LENGTH:
        *ret = value_integer(c->run->arena, count_points(self->u.string.text, self->u.string.n));
        return 0;
    case METHOD_SIZE:
        *ret = value_integer(c->run->arena, self->kind == VALUE_ARRAY ? (int64_t)self->u.array.n
                                                                      : count_members(self));
        return 0;
    case METHOD_IS_EMPTY:
        *ret = value_bool(is_empty(self));
        return 0;
    case METHOD_UPPER:
    case METHOD_LOWER:
        return change_case(c, c->step->method->method == METHOD_UPPER, ret);
    case METHOD_TRIM:
        return trim(c, ret);
    case METHOD_CONTAINS:
    case METHOD_STARTS_WITH:
    case METHOD_ENDS_WITH:
    case METHOD_INDEX_OF:
        return search(c, ret);
    case METHOD_EQUALS:
        *ret = value_bool(value_equal(self, &c->args[0]));
        return 0;
    case METHOD_EQUALS_IGNORE_CASE:
        return equals_ignore_case(c, ret);
    case METHOD_SUBSTRING:
        return substring(c, ret);
    case METHOD_REPLACE:
        return replace(c, ret);
    case METHOD_CONCAT:
        return concat(c, ret);
    case METHOD_GET:
    case METHOD_CONTAINS_KEY:
        return get(c, ret);
    case METHOD_TO_STRING:
        return to_string(c, ret);
    case METHOD_LONG:
        return to_long(c, ret);
    case METHOD_DOUBLE:
        return to_double(c, ret);
    }
    return -1;
}

int expr_method_call(struct expr_run *run, const struct expr_step *step, const struct value *self,
                     const struct value *args, struct value *ret)
{
    const struct call call = {.run = run, .step = step, .self = self, .args = args};

    if (self->kind == VALUE_NULL)
        return expr_fail(run, step->column, "%s() is asked of null; ask first with empty",
                         step->name);
    if ((step->method->kinds & (1u << self->kind)) == 0)
        return expr_fail(
            run, step->column, "a value of type %s has no method %s()%s",
            value_kind_name(self->kind), step->name,
            self->kind == VALUE_STRING && step->method->method == METHOD_SIZE ? "; write length()"
            : self->kind == VALUE_ARRAY && step->method->method == METHOD_LENGTH ? "; write size()"
                                                                                 : "");
    return dispatch(&call, ret);
}
