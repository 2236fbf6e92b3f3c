/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* multipart/form-data (RFC 7578), of a body that has come whole. Pure. */
#include "base/arena.h"

struct part {
    const char *name;
    const char *filename; /* NULL: none */
    const char *data;     /* n bytes, NUL-terminated; not looked at */
    size_t n;
};

/* NULL: done; else what is wrong. content_type: the header, with the boundary. */
const char *multipart_read(struct arena *arena, const char *content_type, const char *body,
                           size_t n, struct part **ret_parts, size_t *ret_n);
const struct part *multipart_find(const struct part *parts, size_t n, const char *name);
