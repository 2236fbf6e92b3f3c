/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/secret.h"

#define BLOT_BYTES 6 /* shorter ones would be found in innocent texts */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static int open_plain(const char *what, const char *reference, const char *path, int *ret_fd,
                      size_t *ret_size, struct err *err)
{
    struct stat stat;
    /* O_NONBLOCK: a pipe in its place must not stop everybody. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %.200s cannot be read: %s", what, reference,
                       strerror(errno));
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        close(fd);
        return err_set(err, ERR_IO, "%s: %.200s is not a plain file", what, reference);
    }
    if (stat.st_size > (off_t)LIMIT_SECRET_BYTES) {
        close(fd);
        return err_set(err, ERR_LIMIT, "%s: %.200s has more than %u bytes (LIMIT_SECRET_BYTES)",
                       what, reference, LIMIT_SECRET_BYTES);
    }
    *ret_fd = fd;
    *ret_size = (size_t)stat.st_size;
    return 0;
}

static int read_file(struct arena *arena, const char *what, const char *reference, const char *path,
                     struct secret *ret_secret, struct err *err)
{
    int fd;
    size_t size, n = 0;
    ssize_t got;

    if (open_plain(what, reference, path, &fd, &size, err) < 0)
        return err_trace(err);
    char *text = arena_alloc(arena, size + 1);
    while ((got = read(fd, text + n, size - n)) > 0)
        n += (size_t)got;
    int failed = got < 0 ? errno : 0;
    close(fd);
    if (failed != 0)
        return err_set(err, ERR_IO, "%s: %.200s cannot be read: %s", what, reference,
                       strerror(failed));
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    text[n] = '\0';
    *ret_secret = (struct secret){.text = text, .n = n};
    return 0;
}

static int read_reference(struct arena *arena, const char *what, const char *reference,
                          struct secret *ret_secret, struct err *err)
{
    if (begins(reference, "file:/"))
        return read_file(arena, what, reference, reference + strlen("file:"), ret_secret, err);
    if (begins(reference, "credential:") && strchr(reference, '/') == NULL) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        if (directory == NULL)
            return err_set(err, ERR_IO,
                           "%s: %.200s cannot be read: CREDENTIALS_DIRECTORY is not set, which "
                           "systemd does for a service with LoadCredential=",
                           what, reference);
        const char *path =
            arena_printf(arena, "%s/%s", directory, reference + strlen("credential:"));
        return read_file(arena, what, reference, path, ret_secret, err);
    }
    if (begins(reference, "env:")) {
        const char *text = getenv(reference + strlen("env:"));
        if (text == NULL)
            return err_set(err, ERR_IO, "%s: %.200s is not set in the engine's environment", what,
                           reference);
        ret_secret->text = arena_strdup(arena, text);
        ret_secret->n = strlen(text);
        return 0;
    }
    return err_set(err, ERR_INVALID, "%s must be file:/path, env:NAME or credential:NAME", what);
}

int secret_read(struct arena *arena, const char *what, const char *reference,
                struct secret *ret_secret, struct err *err)
{
    struct secret secret = {0};

    if (read_reference(arena, what, reference, &secret, err) < 0)
        return err_trace(err);
    if (secret.n == 0)
        return err_set(err, ERR_INVALID, "%s: %.200s is empty", what, reference);
    if (strlen(secret.text) != secret.n)
        return err_set(err, ERR_INVALID, "%s: %.200s has NUL bytes", what, reference);
    *ret_secret = secret;
    return 0;
}

void secrets_blot(char *bytes, size_t n, const struct secret *secrets, size_t n_secrets)
{
    for (size_t i = 0; i < n_secrets; i++) {
        const struct secret *secret = &secrets[i];
        if (secret->n < BLOT_BYTES || secret->n > n)
            continue;
        char *from = bytes, *found;
        while ((found = memmem(from, n - (size_t)(from - bytes), secret->text, secret->n)) !=
               NULL) {
            memset(found, '*', secret->n);
            from = found + secret->n;
        }
    }
}

const char *secret_percent(struct arena *arena, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char *coded = arena_alloc(arena, strlen(text) * 3 + 1), *to = coded;

    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            *to++ = *text;
        else
            to += snprintf(to, 4, "%%%02X", (unsigned char)*text);
    }
    return coded;
}
