/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "cli/datadir.h"

static int make_all(char *path, struct err *err)
{
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        /* Another user's server must get through to its own directory below; the rest is not
         * secret. */
        mode_t mode = slash != NULL ? 0755 : geteuid() == 0 ? 0711 : 0700;
        if (mkdir(path, mode) < 0 && errno != EEXIST)
            return err_set(err, ERR_IO, "cannot make the directory %s: %s", path, strerror(errno));
        if (slash == NULL)
            return 0;
        *slash = '/';
    }
}

int datadir_make(struct cli *cli, const char *directory, const char **ret_path, struct err *err)
{
    char *copy = arena_strdup(&cli->arena, directory);
    struct stat st;

    if (*directory == '\0')
        return err_set(err, ERR_INVALID, "the name of the data directory is empty");
    for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
        copy[n - 1] = '\0';
    if (stat(copy, &st) < 0 && make_all(copy, err) < 0)
        return err_trace(err);
    char *path = realpath(copy, NULL);
    if (path == NULL)
        return err_set(err, ERR_IO, "cannot use %s as data directory: %s", directory,
                       strerror(errno));
    *ret_path = arena_strdup(&cli->arena, path);
    free(path);
    if (stat(*ret_path, &st) < 0 || !S_ISDIR(st.st_mode))
        return err_set(err, ERR_IO, "%s is not a directory", *ret_path);
    if (access(*ret_path, W_OK | X_OK) < 0)
        return err_set(
            err, ERR_IO,
            "cannot write into the data directory %s (it belongs to user id %u): give another "
            "one with --data",
            *ret_path, st.st_uid);
    return 0;
}

int datadir_lock(struct cli *cli, const char *path, int *ret_fd, struct err *err)
{
    const char *file = arena_printf(&cli->arena, "%s/lock", path);
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_set(err, ERR_IO, "cannot open %s: %s", file, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        char pid[24] = "";
        ssize_t n = errno == EWOULDBLOCK ? read(fd, pid, sizeof(pid) - 1) : -1;
        pid[n > 0 ? n : 0] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        close(fd);
        return err_set(
            err, ERR_CONFLICT,
            "another `pawl up` (process %s) uses the data directory %s: stop it (kill %s), or "
            "give this one another directory with --data",
            *pid != '\0' ? pid : "unknown", path, *pid != '\0' ? pid : "PID");
    }
    if (ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        close(fd);
        return err_set(err, ERR_IO, "cannot write %s: %s", file, strerror(errno));
    }
    *ret_fd = fd;
    return 0;
}

int datadir_read(struct cli *cli, const char *path, const char *name, const char **ret_text,
                 struct err *err)
{
    const char *file = arena_printf(&cli->arena, "%s/%s", path, name), *text;
    size_t n;

    *ret_text = NULL;
    if (access(file, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (cli_read_file(cli, file, 1 << 20, &text, &n, err) < 0)
        return err_trace(err);
    *ret_text = arena_strndup(&cli->arena, text, strcspn(text, "\n"));
    return 0;
}

static int write_and_sync(int fd, const char *text)
{
    return dprintf(fd, "%s\n", text) < 0 || fsync(fd) < 0 ? -1 : 0;
}

int datadir_write(struct cli *cli, const char *path, const char *name, const char *text,
                  struct err *err)
{
    const char *file = arena_printf(&cli->arena, "%s/%s", path, name);
    const char *fresh = arena_printf(&cli->arena, "%s.new", file);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_set(err, ERR_IO, "cannot write %s: %s", fresh, strerror(errno));
    int result = write_and_sync(fd, text);
    if (close(fd) < 0 || result < 0 || rename(fresh, file) < 0)
        return err_set(err, ERR_IO, "cannot write %s: %s", file, strerror(errno));
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        fsync(directory);
        close(directory);
    }
    return 0;
}

int datadir_node(struct cli *cli, const char *path, struct uuid *ret_node, struct err *err)
{
    const char *text;
    char fresh[UUID_TEXT_BYTES];
    uint8_t entropy[10];

    if (datadir_read(cli, path, "node", &text, err) < 0)
        return err_trace(err);
    if (text != NULL) {
        if (!uuid_parse(text, ret_node))
            return err_set(err, ERR_INVALID,
                           "%s/node does not hold an id: remove the file to get a new one", path);
        return 0;
    }
    digest_random(entropy, sizeof(entropy));
    *ret_node = uuid_v7(clock_unix_ms(), entropy);
    uuid_format(ret_node, fresh);
    return datadir_write(cli, path, "node", fresh, err) < 0 ? err_trace(err) : 0;
}
