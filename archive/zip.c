/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdlib.h>

#include "archive/archive.h"
#include "base/limits.h"
#include "base/utf8.h"

struct reading {
    struct arena *arena;
    const char *file;
    struct archive *archive;
    struct archive_file *files;
    size_t n_files, capacity;
    size_t n_entries, bytes; /* of all of them */
    struct err *err;
};

static bool ends_with(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);

    return n > m && name[n - m - 1] != '/' && strcmp(name + n - m, ending) == 0;
}

bool archive_is_zip(const char *name)
{
    return ends_with(name, ".zip");
}

bool archive_takes(const char *name)
{
    static const char *const endings[] = {".bpmn", ".bpmn20.xml", ".bpmn2", ".json", ".form"};

    /* What systems put beside files, and folders such as .git. */
    if (name[0] == '.' || strstr(name, "/.") != NULL || strncmp(name, "__MACOSX/", 9) == 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (ends_with(name, endings[i]))
            return true;
    return false;
}

/* Plain parts between single slashes: nothing that a file system would read in another way. */
static bool path_is_plain(const char *path)
{
    size_t n;

    for (const char *part = path;; part += n + 1) {
        n = strcspn(part, "/");
        if (n == 0 && part[0] == '\0' && part != path)
            return true; /* a folder ends with a slash */
        if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && memcmp(part, "..", 2) == 0))
            return false;
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)part[i] < 0x20 || part[i] == 0x7f || part[i] == '\\' ||
                part[i] == ':')
                return false;
        if (part[n] == '\0')
            return true;
    }
}

static int judge_path(struct reading *r, const char *path)
{
    if (path == NULL || !utf8_valid(path, strlen(path)))
        return err_set(r->err, ERR_INVALID, "%s: the name of an entry is not UTF-8", r->file);
    if (strlen(path) > LIMIT_NAME_BYTES)
        return err_set(r->err, ERR_LIMIT,
                       "%s: a path in it is longer than %u bytes "
                       "(LIMIT_NAME_BYTES): %.60s…",
                       r->file, LIMIT_NAME_BYTES, path);
    if (!path_is_plain(path))
        return err_set(r->err, ERR_INVALID,
                       "%s: \"%s\" is no path inside of the archive; such paths have no .., no "
                       "leading slash, no backslash and no colon",
                       r->file, path);
    return 0;
}

static int judge_entry(struct reading *r, struct archive_entry *entry, const char *path)
{
    if (++r->n_entries > LIMIT_ARCHIVE_ENTRIES)
        return err_set(r->err, ERR_LIMIT, "%s has more than %u entries (LIMIT_ARCHIVE_ENTRIES)",
                       r->file, LIMIT_ARCHIVE_ENTRIES);
    if (judge_path(r, path) < 0)
        return err_trace(r->err);
    if (archive_entry_is_encrypted(entry) != 0)
        return err_set(r->err, ERR_INVALID, "%s: \"%s\" is encrypted; pack it without a password",
                       r->file, path);
    if (archive_entry_filetype(entry) == AE_IFDIR)
        return 0;
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != NULL)
        return err_set(r->err, ERR_INVALID,
                       "%s: \"%s\" is neither a file nor a folder but a link; pack what "
                       "it leads to",
                       r->file, path);
    return 0;
}

/* Other methods may ask for much memory before they give the first byte. */
static int judge_method(struct reading *r, const char *path)
{
    const char *format = archive_format_name(r->archive);

    if (format != NULL &&
        (strstr(format, "(uncompressed)") != NULL || strstr(format, "(deflation)") != NULL))
        return 0;
    return err_set(r->err, ERR_INVALID,
                   "%s: \"%s\" is packed by another method than deflate; pack it as most programs "
                   "do unless told otherwise",
                   r->file, path);
}

static int broken(const struct reading *r, const char *path)
{
    const char *why = archive_error_string(r->archive);

    return err_set(r->err, ERR_INVALID, "%s: %s%s%sis broken: %.200s", r->file,
                   path != NULL ? "\"" : "the archive ", path != NULL ? path : "",
                   path != NULL ? "\" " : "", why != NULL ? why : "it ends too early");
}

/* What it unpacks to is counted, not what its header promises. */
static int unpack(struct reading *r, const char *path)
{
    struct buf text CLEANUP(buf_deinit);
    char piece[16384];
    la_ssize_t got;

    buf_init(&text, 0);
    if (r->n_files == LIMIT_DEPLOYMENT_FILES)
        return err_set(r->err, ERR_LIMIT,
                       "%s has more than %u files to deploy (LIMIT_DEPLOYMENT_FILES)", r->file,
                       LIMIT_DEPLOYMENT_FILES);
    while ((got = archive_read_data(r->archive, piece, sizeof(piece))) > 0) {
        r->bytes += (size_t)got;
        if (text.len + (size_t)got > LIMIT_XML_BYTES)
            return err_set(r->err, ERR_LIMIT,
                           "%s: \"%s\" has more than %u bytes when it is unpacked "
                           "(LIMIT_XML_BYTES)",
                           r->file, path, LIMIT_XML_BYTES);
        if (r->bytes > LIMIT_ARCHIVE_BYTES)
            return err_set(r->err, ERR_LIMIT,
                           "%s has more than %u bytes when it is unpacked (LIMIT_ARCHIVE_BYTES)",
                           r->file, LIMIT_ARCHIVE_BYTES);
        buf_add(&text, piece, (size_t)got);
    }
    if (got < 0)
        return broken(r, path);
    *arena_push(r->arena, r->files, r->n_files, r->capacity) = (struct archive_file){
        .name = arena_strdup(r->arena, path),
        .text = arena_strndup(r->arena, buf_str(&text), text.len),
        .n = text.len,
    };
    return 0;
}

static int read_entries(struct reading *r)
{
    struct archive_entry *entry;
    int rc;

    while ((rc = archive_read_next_header(r->archive, &entry)) == ARCHIVE_OK ||
           rc == ARCHIVE_WARN) {
        const char *path = archive_entry_pathname(entry);
        while (path != NULL && strncmp(path, "./", 2) == 0)
            path += 2;
        if (path != NULL && *path == '\0')
            continue;
        if (judge_entry(r, entry, path) < 0)
            return err_trace(r->err);
        if (archive_entry_filetype(entry) != AE_IFREG || !archive_takes(path))
            continue;
        path = arena_strdup(r->arena, path);
        if (judge_method(r, path) < 0 || unpack(r, path) < 0)
            return err_trace(r->err);
    }
    return rc == ARCHIVE_EOF ? 0 : broken(r, NULL);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct archive_file *)a)->name, ((const struct archive_file *)b)->name);
}

/* Who packs a folder has it in front of all names. Folders in it belong to the names. */
static void drop_common_folder(struct archive_file *files, size_t n)
{
    const char *slash = n > 0 ? strchr(files[0].name, '/') : NULL;

    if (slash == NULL)
        return;
    size_t length = (size_t)(slash + 1 - files[0].name);
    for (size_t i = 1; i < n; i++)
        if (strncmp(files[i].name, files[0].name, length) != 0)
            return;
    for (size_t i = 0; i < n; i++)
        files[i].name += length;
}

int archive_read_files(struct arena *arena, const char *file, const char *data, size_t n,
                       struct archive_file **ret_files, size_t *ret_n, struct err *err)
{
    struct reading r = {.arena = arena, .file = file, .err = err};
    /* Names become those of the thread's locale, which need not be UTF-8. */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 != (locale_t)0 ? uselocale(utf8) : (locale_t)0;
    int rc = -1;

    r.archive = archive_read_new();
    /* By its directory at the end, which alone says what each entry is. */
    if (r.archive == NULL || archive_read_support_format_zip_seekable(r.archive) != ARCHIVE_OK)
        err_set(err, ERR_INTERNAL, "libarchive cannot read zip files");
    else if (archive_read_open_memory(r.archive, data, n) != ARCHIVE_OK)
        err_set(err, ERR_INVALID, "%s is no zip file, or only the beginning of one", file);
    else
        rc = read_entries(&r);
    archive_read_free(r.archive);
    if (utf8 != (locale_t)0) {
        uselocale(before);
        freelocale(utf8);
    }
    if (rc < 0)
        return err_trace(err);
    if (r.n_files > 0)
        qsort(r.files, r.n_files, sizeof(*r.files), by_name);
    drop_common_folder(r.files, r.n_files);
    *ret_files = r.files;
    *ret_n = r.n_files;
    return 0;
}
