/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <archive.h>
#include <archive_entry.h>

#include "archive/archive.h"

#define FOLDER "deployment/"

/* A part of a path that is none, or that is hidden, gets an underscore in front. */
const char *archive_name(struct arena *arena, const char *name)
{
    char *plain = arena_alloc(arena, 2 * strlen(name) + 2), *to = plain;
    bool begins = true;

    for (const char *at = name; *at != '\0'; at++) {
        bool odd = (unsigned char)*at < 0x20 || *at == 0x7f || *at == '\\' || *at == ':';
        if (begins && (*at == '.' || *at == '/'))
            *to++ = '_';
        *to++ = odd ? '_' : *at;
        begins = *at == '/';
    }
    if (begins)
        *to++ = '_';
    *to = '\0';
    return archive_takes(plain) ? plain : arena_printf(arena, "%s.bpmn", plain);
}

static la_ssize_t take(struct archive *archive UNUSED, void *zip, const void *bytes, size_t n)
{
    buf_add(zip, bytes, n);
    return (la_ssize_t)n;
}

static int write_file(struct archive *archive, const char *path, const struct archive_file *file)
{
    struct archive_entry *entry = archive_entry_new();

    if (entry == NULL)
        return -1;
    archive_entry_set_pathname_utf8(entry, path);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)file->n);
    bool good = archive_write_header(archive, entry) == ARCHIVE_OK &&
                archive_write_data(archive, file->text, file->n) == (la_ssize_t)file->n;
    archive_entry_free(entry);
    return good ? 0 : -1;
}

static int write_all(struct arena *arena, struct archive *archive, const struct archive_file *files,
                     size_t n, struct err *err)
{
    const char **paths = arena_array(arena, n, sizeof(*paths));

    for (size_t i = 0; i < n; i++) {
        paths[i] = arena_printf(arena, FOLDER "%s", archive_name(arena, files[i].name));
        for (size_t k = 0; k < i; k++)
            if (strcmp(paths[k], paths[i]) == 0)
                return err_set(err, ERR_INVALID, "two files would be named \"%s\" in a folder",
                               paths[i] + strlen(FOLDER));
        if (write_file(archive, paths[i], &files[i]) < 0)
            return err_set(err, ERR_INTERNAL, "libarchive cannot write \"%s\": %s", files[i].name,
                           archive_error_string(archive));
    }
    return 0;
}

int archive_write_files(struct arena *arena, const struct archive_file *files, size_t n,
                        struct buf *zip, struct err *err)
{
    struct archive *archive = archive_write_new();
    int rc = -1;

    if (archive == NULL || archive_write_set_format_zip(archive) != ARCHIVE_OK ||
        archive_write_set_options(archive, "hdrcharset=UTF-8") != ARCHIVE_OK ||
        archive_write_open(archive, zip, NULL, take, NULL) != ARCHIVE_OK)
        err_set(err, ERR_INTERNAL, "libarchive cannot write zip files");
    else
        rc = write_all(arena, archive, files, n, err);
    if (archive != NULL && archive_write_close(archive) != ARCHIVE_OK && rc == 0)
        rc = err_set(err, ERR_INTERNAL, "libarchive cannot write zip files");
    archive_write_free(archive);
    return rc < 0 ? err_trace(err) : 0;
}
