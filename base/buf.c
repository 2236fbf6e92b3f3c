/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <stdarg.h>

#include "base/buf.h"

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_deinit(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.max = buf->max};
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->overflow = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

static bool buf_reserve(struct buf *buf, size_t more)
{
    if (buf->overflow || (buf->max != 0 && more > buf->max - buf->len)) {
        buf->overflow = true;
        return false;
    }
    size_t need = buf->len + more + 1;
    if (need <= buf->capacity)
        return true;
    size_t grown = buf->capacity == 0 ? 256 : buf->capacity;
    while (grown < need)
        grown *= 2;
    char *data = realloc(buf->data, grown);
    if (data == NULL)
        abort();
    buf->data = data;
    buf->capacity = grown;
    return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t n)
{
    if (!buf_reserve(buf, n))
        return;
    if (n != 0)
        memcpy(buf->data + buf->len, bytes, n);
    buf->len += n;
    buf->data[buf->len] = '\0';
}

void buf_add_str(struct buf *buf, const char *s)
{
    buf_add(buf, s, strlen(s));
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;

    /* Most texts fit into what is there: formatted once. */
    size_t room = buf->overflow ? 0 : buf->capacity - buf->len;
    va_start(args, format);
    int n = vsnprintf(room > 0 ? buf->data + buf->len : NULL, room, format, args);
    va_end(args);
    assert(n >= 0);
    if (!buf_reserve(buf, (size_t)n)) {
        if (room > 0)
            buf->data[buf->len] = '\0';
        return;
    }
    if ((size_t)n >= room) {
        va_start(args, format);
        vsnprintf(buf->data + buf->len, (size_t)n + 1, format, args);
        va_end(args);
    }
    buf->len += (size_t)n;
}

void buf_add_int(struct buf *buf, int64_t n)
{
    char text[20];
    char *at = text + sizeof(text);
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (n < 0)
        *--at = '-';
    buf_add(buf, at, (size_t)(text + sizeof(text) - at));
}

void buf_add_hex(struct buf *buf, uint64_t n)
{
    char text[16];
    char *at = text + sizeof(text);

    do {
        *--at = "0123456789abcdef"[n % 16];
        n /= 16;
    } while (n != 0);
    buf_add(buf, at, (size_t)(text + sizeof(text) - at));
}
