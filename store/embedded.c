/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <inttypes.h>

#include "store/embedded.h"

static uint64_t add(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

void embedded_digest(const char *prefix, char ret_digest[EMBEDDED_DIGEST_BYTES])
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < n_embedded_files; i++) {
        const struct embedded_file *file = &embedded_files[i];
        if (strncmp(file->name, prefix, strlen(prefix)) == 0)
            hash = add(add(hash, file->name), file->text);
    }
    snprintf(ret_digest, EMBEDDED_DIGEST_BYTES, "%016" PRIx64, hash);
}
