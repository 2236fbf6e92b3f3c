/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "archive/archive.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

/* Zip files: refused with a reason, or files with plain paths, within the limits. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {.code = ERR_NONE};
    struct archive_file *files;
    struct arena arena;
    size_t n, bytes = 0;

    arena_init(&arena, 0);
    if (archive_read_files(&arena, "zip", (const char *)data, size, &files, &n, &err) < 0) {
        assert(err.text[0] != '\0');
        assert(utf8_valid(err.text, strlen(err.text)));
    } else {
        assert(n <= LIMIT_DEPLOYMENT_FILES);
        for (size_t i = 0; i < n; i++) {
            const char *name = files[i].name;
            bytes += files[i].n;
            assert(archive_takes(name));
            assert(utf8_valid(name, strlen(name)) && strlen(name) <= LIMIT_NAME_BYTES);
            assert(name[0] != '/' && strchr(name, '\\') == NULL);
            assert(strncmp(name, "../", 3) != 0 && strstr(name, "/../") == NULL);
        }
        assert(bytes <= LIMIT_ARCHIVE_BYTES);
    }
    arena_deinit(&arena);
    return 0;
}
