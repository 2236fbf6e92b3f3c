/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A growing byte buffer on the heap with a stated maximum. What does not fit is not written and
 * sets `overflow`; check it once at the end. The bytes are always NUL-terminated. Not thread safe.
 */
#include "base/build.h"

struct buf {
    char *data; /* NUL-terminated once anything was added; NULL before */
    size_t len, capacity;
    size_t max; /* 0: none */
    bool overflow;
};

void buf_init(struct buf *buf, size_t max);
void buf_deinit(struct buf *buf);
/* Forgets the bytes, keeps the memory. */
void buf_reset(struct buf *buf);
void buf_add(struct buf *buf, const void *bytes, size_t n);
void buf_add_str(struct buf *buf, const char *s);
void buf_add_char(struct buf *buf, char c);
/* In decimal, or in hexadecimal without leading zeros: as buf_printf() would, without a format. */
void buf_add_int(struct buf *buf, int64_t n);
void buf_add_hex(struct buf *buf, uint64_t n);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* The bytes as a C string; "" when empty. Valid until the next change. */
static inline const char *buf_str(const struct buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}
