/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/hex.h"
#include "base/uuid.h"

struct uuid uuid_v7(int64_t unix_ms, const uint8_t entropy[10])
{
    struct uuid uuid;

    for (int i = 0; i < 6; i++)
        uuid.b[i] = (uint8_t)((uint64_t)unix_ms >> (40 - 8 * i));
    memcpy(uuid.b + 6, entropy, 10);
    uuid.b[6] = (uint8_t)((uuid.b[6] & 0x0f) | 0x70);
    uuid.b[8] = (uint8_t)((uuid.b[8] & 0x3f) | 0x80);
    return uuid;
}

int64_t uuid_v7_ms(const struct uuid *uuid)
{
    uint64_t ms = 0;

    for (int i = 0; i < 6; i++)
        ms = ms << 8 | uuid->b[i];
    return (int64_t)ms;
}

void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    char *p = text;

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = digits[uuid->b[i] >> 4];
        *p++ = digits[uuid->b[i] & 15];
    }
    *p = '\0';
}

bool uuid_parse(const char *text, struct uuid *ret_uuid)
{
    struct uuid uuid;

    for (int i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
            return false;
        int byte = hex_byte(text, 2);
        if (byte < 0)
            return false;
        uuid.b[i] = (uint8_t)byte;
        text += 2;
    }
    if (*text != '\0')
        return false;
    *ret_uuid = uuid;
    return true;
}
