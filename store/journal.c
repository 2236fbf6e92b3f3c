/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/journal.h"

#define MISSES 10

struct journal {
    struct arena arena; /* owns this */
    const char *path;
    int fd;
    bool empty; /* the file is */
    struct buf text;
};

/* ---- Files ---- */

static int trouble(const char *path, const char *what, struct err *err)
{
    return err_set(err, ERR_IO, "the journal %s can not be %s: %s", path, what, strerror(errno));
}

static void add_line(struct buf *text, const char *word, const struct item_key *key)
{
    buf_add_str(text, word);
    for (int i = 0; i < 4; i++) {
        buf_add_char(text, i == 0 ? ' ' : '.');
        buf_add_hex(text, key->word[i]);
    }
    buf_add_char(text, '\n');
}

static int open_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? trouble(path, "opened", err) : fd;
}

/* Makes the text the whole content of the file. */
static int write_file(int fd, const char *path, const struct buf *text, struct err *err)
{
    for (size_t at = 0; at < text->len;) {
        ssize_t wrote = pwrite(fd, buf_str(text) + at, text->len - at, (off_t)at);
        if (wrote < 0 && errno != EINTR)
            return trouble(path, "written", err);
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    return ftruncate(fd, (off_t)text->len) < 0 ? trouble(path, "written", err) : 0;
}

static int read_file(int fd, const char *path, struct buf *text, struct err *err)
{
    char bytes[4096];
    ssize_t n;

    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        buf_add(text, bytes, (size_t)n);
    return n < 0 ? trouble(path, "read", err) : 0;
}

/* ---- What a predecessor left ---- */

static void add_suspect(struct suspects *suspects, const struct item_key *key, bool guilty)
{
    for (size_t i = 0; i < suspects->n; i++) {
        if (item_key_equal(&suspects->items[i].key, key)) {
            suspects->items[i].guilty |= guilty;
            return;
        }
    }
    *arena_push(&suspects->arena, suspects->items, suspects->n, suspects->capacity) =
        (struct suspect){.key = *key, .guilty = guilty};
}

static void read_line(struct suspects *suspects, const char *line)
{
    struct item_key key;
    char word[16];

    /* A line that was cut off: the process died while it wrote, not while it carried out. */
    if (sscanf(line, "%15s %" SCNx64 ".%" SCNx64 ".%" SCNx64 ".%" SCNx64, word, &key.word[0],
               &key.word[1], &key.word[2], &key.word[3]) == 5)
        add_suspect(suspects, &key, strcmp(word, "alone") == 0 || strcmp(word, "guilty") == 0);
}

static int read_suspects(struct suspects *suspects, const char *path, struct err *err)
{
    struct buf text CLEANUP(buf_deinit);
    int fd = open_file(path, err);

    buf_init(&text, 0);
    if (fd < 0)
        return err_trace(err);
    int rc = read_file(fd, path, &text, err);
    close(fd);
    for (const char *line = buf_str(&text), *end; rc == 0 && (end = strchr(line, '\n')) != NULL;
         line = end + 1)
        read_line(suspects, line);
    return rc < 0 ? err_trace(err) : 0;
}

static int save_suspects(const struct suspects *suspects, struct err *err)
{
    struct buf text CLEANUP(buf_deinit);

    buf_init(&text, 0);
    for (size_t i = 0; i < suspects->n; i++)
        add_line(&text, suspects->items[i].guilty ? "guilty" : "suspect", &suspects->items[i].key);
    int fd = open_file(suspects->path, err);
    if (fd < 0)
        return err_trace(err);
    int rc = write_file(fd, suspects->path, &text, err);
    close(fd);
    return rc < 0 ? err_trace(err) : 0;
}

/* Calls each() with the path of every worker's file. */
static int each_file(struct suspects *suspects, const char *dir,
                     int (*each)(struct suspects *, const char *, struct err *), struct err *err)
{
    DIR *files = opendir(dir);
    int rc = 0;

    if (files == NULL)
        return trouble(dir, "read", err);
    for (const struct dirent *file; rc == 0 && (file = readdir(files)) != NULL;) {
        if (strncmp(file->d_name, "batch.", 6) == 0)
            rc = each(suspects, arena_printf(&suspects->arena, "%s/%s", dir, file->d_name), err);
    }
    closedir(files);
    return rc < 0 ? err_trace(err) : 0;
}

static int empty_file(struct suspects *suspects, const char *path, struct err *err)
{
    (void)suspects;
    return truncate(path, 0) < 0 ? trouble(path, "emptied", err) : 0;
}

int suspects_open(struct suspects *suspects, const char *dir, struct err *err)
{
    *suspects = (struct suspects){0};
    pthread_mutex_init(&suspects->lock, NULL);
    arena_init(&suspects->arena, 0);
    if (dir == NULL)
        return 0;
    suspects->path = arena_printf(&suspects->arena, "%s/suspects", dir);
    if (read_suspects(suspects, suspects->path, err) < 0 ||
        each_file(suspects, dir, read_suspects, err) < 0 || save_suspects(suspects, err) < 0 ||
        each_file(suspects, dir, empty_file, err) < 0)
        return err_trace(err);
    return 0;
}

void suspects_close(struct suspects *suspects)
{
    arena_deinit(&suspects->arena);
    pthread_mutex_destroy(&suspects->lock);
}

bool suspects_take(struct suspects *suspects, struct suspect *ret_suspect)
{
    bool found = false;

    pthread_mutex_lock(&suspects->lock);
    for (size_t i = 0; i < suspects->n && !found; i++) {
        if (suspects->items[i].in_hand)
            continue;
        suspects->items[i].in_hand = true;
        *ret_suspect = suspects->items[i];
        found = true;
    }
    pthread_mutex_unlock(&suspects->lock);
    return found;
}

int suspects_settle(struct suspects *suspects, const struct item_key *key,
                    enum suspect_result result, struct err *err)
{
    int rc = 0;

    pthread_mutex_lock(&suspects->lock);
    for (size_t i = 0; i < suspects->n; i++) {
        if (!item_key_equal(&suspects->items[i].key, key))
            continue;
        struct suspect last = suspects->items[i];
        last.in_hand = false;
        last.misses += result == SUSPECT_MISSED;
        memmove(&suspects->items[i], &suspects->items[i + 1],
                (suspects->n - i - 1) * sizeof(*suspects->items));
        bool again =
            result == SUSPECT_PUT_OFF || (result == SUSPECT_MISSED && last.misses < MISSES);
        if (again)
            suspects->items[suspects->n - 1] = last;
        else
            suspects->n--;
        if (!again)
            rc = save_suspects(suspects, err);
        break;
    }
    pthread_mutex_unlock(&suspects->lock);
    return rc < 0 ? err_trace(err) : 0;
}

struct item_key *suspects_keys(struct suspects *suspects, struct arena *arena, size_t *ret_n)
{
    pthread_mutex_lock(&suspects->lock);
    size_t n = suspects->n;
    struct item_key *keys = arena_array(arena, n, sizeof(*keys));
    for (size_t i = 0; i < n; i++)
        keys[i] = suspects->items[i].key;
    pthread_mutex_unlock(&suspects->lock);
    *ret_n = n;
    return keys;
}

/* ---- One worker ---- */

int journal_open(const char *dir, int slot, struct journal **ret_journal, struct err *err)
{
    struct arena arena;

    *ret_journal = NULL;
    if (dir == NULL)
        return 0;
    arena_init(&arena, 0);
    struct journal *journal = arena_alloc(&arena, sizeof(*journal));
    buf_init(&journal->text, 0);
    journal->path = arena_printf(&arena, "%s/batch.%d", dir, slot);
    journal->fd = open_file(journal->path, err);
    journal->arena = arena;
    if (journal->fd < 0) {
        journal_close(journal);
        return err_trace(err);
    }
    *ret_journal = journal;
    return 0;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    if (journal->fd >= 0)
        close(journal->fd);
    buf_deinit(&journal->text);
    struct arena arena = journal->arena;
    arena_deinit(&arena);
}

int journal_begin(struct journal *journal, bool alone, const struct item_key *keys, size_t n,
                  struct err *err)
{
    buf_reset(&journal->text);
    for (size_t i = 0; i < n; i++)
        add_line(&journal->text, alone ? "alone" : "batch", &keys[i]);
    journal->empty = false;
    return write_file(journal->fd, journal->path, &journal->text, err);
}

int journal_end(struct journal *journal, struct err *err)
{
    if (journal->empty)
        return 0;
    if (ftruncate(journal->fd, 0) < 0)
        return trouble(journal->path, "emptied", err);
    journal->empty = true;
    return 0;
}
