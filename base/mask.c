/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <strings.h>

#include "base/buf.h"
#include "base/mask.h"

bool mask_is_secret(const char *name, size_t n)
{
    static const char *const words[] = {"authorization", "cookie", "key",        "token",
                                        "secret",        "passw",  "credential", "signature"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t word_n = strlen(words[i]);
        for (size_t at = 0; at + word_n <= n; at++)
            if (strncasecmp(name + at, words[i], word_n) == 0)
                return true;
    }
    return n == 3 && strncasecmp(name, "sig", 3) == 0;
}

const char *mask_query(struct arena *arena, const char *text)
{
    const char *from = text, *name = strchr(text, '?');
    struct buf shown;

    buf_init(&shown, 0);
    while (name != NULL) {
        name++;
        size_t name_n = strcspn(name, "=&");
        if (name[name_n] == '=' && mask_is_secret(name, name_n)) {
            buf_add(&shown, from, (size_t)(name + name_n + 1 - from));
            buf_add_str(&shown, "***");
            from = name + strcspn(name, "&");
        }
        name = strchr(name, '&');
    }
    buf_add_str(&shown, from);
    const char *masked = arena_strdup(arena, buf_str(&shown));
    buf_deinit(&shown);
    return masked;
}
