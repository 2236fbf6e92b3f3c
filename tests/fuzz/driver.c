/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <dirent.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

/* Replays files, and all files of folders, so that a corpus is a test under any compiler. */

static unsigned replay(const char *path)
{
    struct stat info;
    unsigned n = 0;

    if (stat(path, &info) != 0) {
        perror(path);
        exit(1);
    }
    if (S_ISDIR(info.st_mode)) {
        struct dirent **entries;
        int n_entries = scandir(path, &entries, NULL, alphasort);
        for (int i = 0; i < n_entries; i++) {
            char child[4096];
            snprintf(child, sizeof(child), "%s/%s", path, entries[i]->d_name);
            if (entries[i]->d_name[0] != '.')
                n += replay(child);
            free(entries[i]);
        }
        if (n_entries >= 0)
            free(entries);
        return n;
    }
    FILE *file = fopen(path, "rb");
    size_t size = (size_t)info.st_size;
    /* Exactly as long as the file: a sanitizer sees a read beyond it. */
    uint8_t *bytes = malloc(size);
    if (file == NULL || (bytes == NULL && size != 0) || fread(bytes, 1, size, file) != size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    fprintf(stderr, "%s\n", path); /* the last one before a crash is the one */
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return 1;
}

int main(int argc, char **argv)
{
    unsigned n = 0;

    for (int i = 1; i < argc; i++)
        n += replay(argv[i]);
    printf("%u inputs\n", n);
    return n > 0 ? 0 : 1;
}
