/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which commands were under way when a process died. Each worker has a small file that names those of its
 * batch and is empty between batches. What a predecessor left in it runs alone, one by one; the file then
 * says so, and who is found there again has killed the process twice.
 *
 *   batch <key>     it ran with others          alone <key>     it ran alone: it is the one
 *   suspect <key>   still to be looked at
 *
 * Written without fsync: a command that takes the process down leaves the file in the page cache, and a
 * machine that goes down was not killed by a command.
 */
#include "base/build.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/batch.h"

struct journal {
    struct arena arena; /* owns this */
    char *path;
    int fd;
    struct item_key *suspects, *guilty;
    size_t n_suspects, n_guilty, suspects_capacity, guilty_capacity;
    struct buf text;
};

static int trouble(const struct journal *journal, const char *what, struct err *err)
{
    return err_set(err, ERR_IO, "the journal %s can not be %s: %s", journal->path, what, strerror(errno));
}

static void read_line(struct journal *journal, const char *line)
{
    struct item_key key;
    char word[16];

    if (sscanf(line, "%15s %" SCNx64 ".%" SCNx64 ".%" SCNx64 ".%" SCNx64, word, &key.word[0],
               &key.word[1], &key.word[2], &key.word[3]) != 5)
        return; /* cut off: the process died while it wrote, not while it carried out */
    if (strcmp(word, "alone") == 0)
        *arena_push(&journal->arena, journal->guilty, journal->n_guilty, journal->guilty_capacity) = key;
    /* The guilty one is looked at once more, to be parked. */
    *arena_push(&journal->arena, journal->suspects, journal->n_suspects, journal->suspects_capacity) = key;
}

static int read_all(struct journal *journal, struct err *err)
{
    char bytes[4096];
    ssize_t n;

    while ((n = read(journal->fd, bytes, sizeof(bytes))) > 0)
        buf_add(&journal->text, bytes, (size_t)n);
    if (n < 0)
        return trouble(journal, "read", err);
    for (const char *line = buf_str(&journal->text); *line != '\0';) {
        const char *end = strchr(line, '\n');
        if (end == NULL)
            break;
        read_line(journal, line);
        line = end + 1;
    }
    return 0;
}

int journal_open(const char *dir, int slot, struct journal **ret_journal, struct err *err)
{
    struct arena arena;

    *ret_journal = NULL;
    if (dir == NULL)
        return 0;
    arena_init(&arena, 0);
    struct journal *journal = arena_alloc(&arena, sizeof(*journal));
    journal->arena = arena;
    buf_init(&journal->text, 0);
    journal->path = arena_printf(&journal->arena, "%s/batch.%d", dir, slot);
    journal->fd = open(journal->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (journal->fd < 0 || read_all(journal, err) < 0) {
        int rc = journal->fd < 0 ? trouble(journal, "opened", err) : err_trace(err);
        journal_close(journal);
        return rc;
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

bool journal_suspect(const struct journal *journal, struct item_key *ret_key)
{
    if (journal->n_suspects == 0)
        return false;
    *ret_key = journal->suspects[journal->n_suspects - 1];
    return true;
}

bool journal_guilty(const struct journal *journal, const struct item_key *key)
{
    for (size_t i = 0; i < journal->n_guilty; i++) {
        if (item_key_equal(&journal->guilty[i], key))
            return true;
    }
    return false;
}

static void add_line(struct buf *text, const char *word, const struct item_key *key)
{
    buf_printf(text, "%s %" PRIx64 ".%" PRIx64 ".%" PRIx64 ".%" PRIx64 "\n", word, key->word[0],
               key->word[1], key->word[2], key->word[3]);
}

static int write_text(struct journal *journal, struct err *err)
{
    const char *bytes = buf_str(&journal->text);
    size_t n = journal->text.len;

    for (size_t at = 0; at < n;) {
        ssize_t wrote = pwrite(journal->fd, bytes + at, n - at, (off_t)at);
        if (wrote < 0 && errno != EINTR)
            return trouble(journal, "written", err);
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    return ftruncate(journal->fd, (off_t)n) < 0 ? trouble(journal, "written", err) : 0;
}

/* The one that runs now is not among the suspects that are still to be looked at. */
static void add_suspects(struct journal *journal)
{
    for (size_t i = 0; i + 1 < journal->n_suspects; i++)
        add_line(&journal->text, "suspect", &journal->suspects[i]);
}

void journal_clear(struct journal *journal)
{
    if (journal->n_suspects > 0)
        journal->n_suspects--;
    if (journal->n_suspects == 0)
        journal->n_guilty = 0;
}

int journal_begin(struct journal *journal, const struct batch *batch, struct err *err)
{
    const char *word = journal->n_suspects > 0 ? "alone" : "batch";

    buf_reset(&journal->text);
    add_suspects(journal);
    for (size_t i = 0; i < batch->n_items; i++) {
        if (batch->items[i]->state != ITEM_PUT_OFF)
            add_line(&journal->text, word, &batch->items[i]->key);
    }
    return write_text(journal, err);
}

int journal_end(struct journal *journal, struct err *err)
{
    buf_reset(&journal->text);
    add_suspects(journal);
    return write_text(journal, err);
}
