/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/utf8.h"

size_t utf8_length(const char *text, const char *end)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t left = (size_t)(end - text);

    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf && left >= 2 && (s[1] & 0xc0) == 0x80)
        return 2;
    if ((s[0] & 0xf0) == 0xe0 && left >= 3 && (s[1] & 0xc0) == 0x80 && (s[2] & 0xc0) == 0x80 &&
        !(s[0] == 0xe0 && s[1] < 0xa0) && !(s[0] == 0xed && s[1] > 0x9f))
        return 3;
    if (s[0] >= 0xf0 && s[0] <= 0xf4 && left >= 4 && (s[1] & 0xc0) == 0x80 &&
        (s[2] & 0xc0) == 0x80 && (s[3] & 0xc0) == 0x80 && !(s[0] == 0xf0 && s[1] < 0x90) &&
        !(s[0] == 0xf4 && s[1] > 0x8f))
        return 4;
    return 0;
}

bool utf8_valid(const char *text, size_t n)
{
    for (const char *p = text, *end = text + n; p < end;) {
        size_t length = utf8_length(p, end);
        if (length == 0 || *p == '\0')
            return false;
        p += length;
    }
    return true;
}

void utf8_repair(char *text)
{
    for (char *p = text, *end = text + strlen(text); p < end;) {
        size_t length = utf8_length(p, end);
        if (length == 0) {
            *p = '?';
            length = 1;
        }
        p += length;
    }
}
