/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters in PostgreSQL's binary format: single values, and arrays built value by value. */
#include "base/build.h"

#include "store/wire.h"

struct oids {
    unsigned element, array;
};

/* pg_type.dat; these never change. */
static const struct oids oids[] = {
    [COLUMN_BOOL] = {16, 1000},  [COLUMN_INT2] = {21, 1005},   [COLUMN_INT4] = {23, 1007},
    [COLUMN_INT8] = {20, 1016},  [COLUMN_UUID] = {2950, 2951}, [COLUMN_TEXT] = {25, 1009},
    [COLUMN_BYTEA] = {17, 1001}, [COLUMN_TIME] = {1184, 1185}, [COLUMN_TID] = {27, 1010},
    [COLUMN_XID8] = {5069, 271}, [COLUMN_XID] = {28, 1011},
};

/* ndim, flags, element type, length, lower bound. */
#define HEADER_BYTES 20

void wire_put(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i-- > 0; value >>= 8)
        at[i] = (uint8_t)value;
}

uint64_t wire_get(const void *at, size_t bytes)
{
    const uint8_t *b = at;
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | b[i];
    return value;
}

int64_t wire_time_to_pg(int64_t unix_us)
{
    if (unix_us == INT64_MAX || unix_us == INT64_MIN)
        return unix_us;
    return unix_us - WIRE_EPOCH_US;
}

int64_t wire_time_from_pg(int64_t pg_us)
{
    if (pg_us == INT64_MAX || pg_us == INT64_MIN)
        return pg_us;
    return pg_us + WIRE_EPOCH_US;
}

static struct param p_number(enum column_type type, uint64_t value, size_t bytes)
{
    struct param p = {.type = oids[type].element, .n = (int)bytes};
    wire_put(p.room, value, bytes);
    return p;
}

struct param p_bool(bool value)
{
    return p_number(COLUMN_BOOL, value, 1);
}

struct param p_int2(int16_t value)
{
    return p_number(COLUMN_INT2, (uint64_t)value, 2);
}

struct param p_int4(int32_t value)
{
    return p_number(COLUMN_INT4, (uint64_t)value, 4);
}

struct param p_int8(int64_t value)
{
    return p_number(COLUMN_INT8, (uint64_t)value, 8);
}

struct param p_xid8(uint64_t value)
{
    return p_number(COLUMN_XID8, value, 8);
}

struct param p_time(int64_t unix_us)
{
    return p_number(COLUMN_TIME, (uint64_t)wire_time_to_pg(unix_us), 8);
}

struct param p_uuid(const struct uuid *value)
{
    struct param p = {.type = oids[COLUMN_UUID].element, .n = value != NULL ? 16 : -1};
    if (value != NULL)
        memcpy(p.room, value->b, 16);
    return p;
}

/* An empty string must have an address: NULL bytes mean `room`. */
static struct param p_borrowed(enum column_type type, const void *value, size_t n)
{
    struct param p = {.type = oids[type].element, .n = -1};
    if (value == NULL)
        return p;
    assert(n <= INT32_MAX);
    p.n = (int)n;
    p.bytes = value;
    return p;
}

struct param p_text(const char *value)
{
    return p_borrowed(COLUMN_TEXT, value, value != NULL ? strlen(value) : 0);
}

struct param p_bytea(const void *value, size_t n)
{
    return p_borrowed(COLUMN_BYTEA, value, n);
}

/* ---- Arrays ---- */

void column_init(struct column *column, struct arena *arena, enum column_type type)
{
    *column = (struct column){.arena = arena, .type = type, .n = HEADER_BYTES};
}

static uint8_t *column_room(struct column *column, size_t n)
{
    if (column->capacity - column->n < n || column->data == NULL) {
        size_t grown = column->capacity == 0 ? 512 : column->capacity * 2;
        while (grown - column->n < n)
            grown *= 2;
        char *data = arena_alloc(column->arena, grown);
        if (column->data != NULL)
            memcpy(data, column->data, column->n);
        column->data = data;
        column->capacity = grown;
    }
    uint8_t *at = (uint8_t *)column->data + column->n;
    column->n += n;
    return at;
}

static uint8_t *column_value(struct column *column, size_t n)
{
    if (!column->values && column->rows > 0) {
        size_t before = (size_t)column->rows * 4;
        memset(column_room(column, before), 0xff, before);
    }
    column->values = true;
    uint8_t *at = column_room(column, 4 + n);
    wire_put(at, n, 4);
    column->rows++;
    return at + 4;
}

void column_null(struct column *column)
{
    if (column->values)
        wire_put(column_room(column, 4), UINT64_MAX, 4);
    column->rows++;
    column->nulls = true;
}

void column_time_or_null(struct column *column, int64_t us)
{
    if (us != 0)
        column_time(column, us);
    else
        column_null(column);
}

void column_counter(struct column *column, uint32_t item)
{
    if (item != 0)
        column_int(column, item - 1);
    else
        column_null(column);
}

void column_bool(struct column *column, bool value)
{
    assert(column->type == COLUMN_BOOL);
    *column_value(column, 1) = value;
}

void column_int(struct column *column, int64_t value)
{
    bool four = column->type == COLUMN_INT4 || column->type == COLUMN_XID;
    size_t bytes = column->type == COLUMN_INT2 ? 2 : four ? 4 : 8;

    assert(column->type == COLUMN_INT2 || column->type == COLUMN_INT4 ||
           column->type == COLUMN_INT8 || column->type == COLUMN_XID8 ||
           column->type == COLUMN_XID);
    wire_put(column_value(column, bytes), (uint64_t)value, bytes);
}

void column_uuid(struct column *column, const struct uuid *value)
{
    assert(column->type == COLUMN_UUID);
    if (value == NULL || uuid_is_nil(value))
        column_null(column);
    else
        memcpy(column_value(column, 16), value->b, 16);
}

void column_text(struct column *column, const char *value)
{
    assert(column->type == COLUMN_TEXT);
    column_bytes(column, value, value != NULL ? strlen(value) : 0);
}

void column_bytes(struct column *column, const void *value, size_t n)
{
    assert(column->type == COLUMN_TEXT || column->type == COLUMN_BYTEA);
    if (value == NULL) {
        column_null(column);
        return;
    }
    uint8_t *at = column_value(column, n);
    if (n != 0)
        memcpy(at, value, n);
}

void column_time(struct column *column, int64_t unix_us)
{
    assert(column->type == COLUMN_TIME);
    wire_put(column_value(column, 8), (uint64_t)wire_time_to_pg(unix_us), 8);
}

void column_tid(struct column *column, struct tid value)
{
    assert(column->type == COLUMN_TID);
    uint8_t *at = column_value(column, 6);
    wire_put(at, value.block, 4);
    wire_put(at + 4, value.offset, 2);
}

struct param p_column(struct column *column)
{
    if (column->rows > 0 && !column->values)
        return (struct param){.type = oids[column->type].array, .n = -1};
    if (column->data == NULL)
        column_room(column, 0);
    uint8_t *head = (uint8_t *)column->data;
    bool empty = column->rows == 0;
    wire_put(head, empty ? 0 : 1, 4);
    wire_put(head + 4, column->nulls, 4);
    wire_put(head + 8, oids[column->type].element, 4);
    wire_put(head + 12, (uint64_t)column->rows, 4);
    wire_put(head + 16, 1, 4);
    return (struct param){.type = oids[column->type].array,
                          .bytes = column->data,
                          .n = (int)(empty ? 12 : column->n)};
}
