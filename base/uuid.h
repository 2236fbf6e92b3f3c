/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* UUIDs (RFC 9562). Version 7 orders by time, which keeps B-tree inserts together. */
#include "base/build.h"

struct uuid {
    uint8_t b[16];
};

#define UUID_TEXT_BYTES 37 /* with the NUL */

/* A version 7 UUID of a time (milliseconds since 1970) and 10 bytes of entropy. Pure. */
struct uuid uuid_v7(int64_t unix_ms, const uint8_t entropy[10]);
/* The time that it was made of. */
int64_t uuid_v7_ms(const struct uuid *uuid);
void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_BYTES]);
/* Takes the 36 characters of the standard form, any case; nothing may follow. */
bool uuid_parse(const char *text, struct uuid *ret_uuid);

static inline bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}
static inline int uuid_compare(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->b, b->b, sizeof(a->b));
}
static inline bool uuid_is_nil(const struct uuid *uuid)
{
    static const struct uuid nil;
    return uuid_equal(uuid, &nil);
}
