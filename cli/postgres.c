/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/datadir.h"
#include "cli/postgres.h"
#include "cli/postgres_find.h"

#define START_SECONDS "60"

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
}

/* The last lines of what a program said, for an error text. */
static const char *last_lines(struct cli *cli, const char *text, size_t most)
{
    size_t n = strlen(text);

    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        n--;
    size_t from = n > most ? n - most : 0;
    const char *newline = from > 0 ? memchr(text + from, '\n', n - from) : NULL;
    if (newline != NULL)
        from = (size_t)(newline - text) + 1;
    return arena_strndup(&cli->arena, text + from, n - from);
}

static int run(struct postgres *pg, const char *what, const char *const *argv, const char *input,
               struct err *err)
{
    struct buf output;
    int status = 0;

    buf_init(&output, 64 << 10);
    int result = process_run(&pg->user, pg->home, argv, input, &output, &status, err);
    if (result == 0 && status != 0)
        result = err_set(err, ERR_IO, "%s failed (exit code %d):\n%s", what, status,
                         last_lines(pg->cli, buf_str(&output), 600));
    buf_deinit(&output);
    return result;
}

/* ---- Where it lies, and who it belongs to ---- */

static int set_user(struct postgres *pg, const struct passwd *entry)
{
    pg->user.uid = entry->pw_uid;
    pg->user.gid = entry->pw_gid;
    pg->user.other = entry->pw_uid != geteuid();
    snprintf(pg->user.name, sizeof(pg->user.name), "%s", entry->pw_name);
    return 0;
}

/* Whoever owns an existing cluster; else ourselves, or for root the user `postgres` (or `nobody`).
 */
static int choose_user(struct postgres *pg, struct err *err)
{
    const struct passwd *entry = NULL;
    struct stat st;

    if (stat(pg->data, &st) == 0) {
        if (geteuid() != 0 && st.st_uid != geteuid())
            return err_set(err, ERR_IO,
                           "the private PostgreSQL in %s belongs to user id %u: run `pawl up` "
                           "as that user, or give another directory with --data",
                           pg->data, st.st_uid);
        entry = st.st_uid != 0 ? getpwuid(st.st_uid) : NULL;
        if (entry != NULL)
            return set_user(pg, entry);
    }
    if (geteuid() != 0) {
        pg->user = (struct user){.uid = geteuid(), .gid = getegid()};
        return 0;
    }
    if ((entry = getpwnam("postgres")) == NULL && (entry = getpwnam("nobody")) == NULL)
        return err_set(err, ERR_IO,
                       "PostgreSQL does not run as root, and there is no user `postgres`: "
                       "make one (useradd --system postgres), or run `pawl up` as another user");
    return set_user(pg, entry);
}

static int make_owned(const struct postgres *pg, const char *path, struct err *err)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_IO, "cannot make %s: %s", path, strerror(errno));
    if ((pg->user.other && lchown(path, pg->user.uid, pg->user.gid) < 0) || chmod(path, 0700) < 0)
        return err_set(err, ERR_IO, "cannot give %s to user %s: %s", path, pg->user.name,
                       strerror(errno));
    return 0;
}

static void set_home(struct postgres *pg, const char *home)
{
    pg->home = home;
    pg->data = arena_printf(&pg->cli->arena, "%s/data", home);
}

/*
 * Below the data directory, unless the server's user cannot get there (root's home is closed to
 * others): then under /var/lib/pawl, and the file `home` in the data directory says so.
 */
static int choose_home(struct postgres *pg, const char *node, struct err *err)
{
    struct arena *arena = &pg->cli->arena;
    const char *elsewhere;

    if (datadir_read(pg->cli, pg->directory, "home", &elsewhere, err) < 0)
        return err_trace(err);
    set_home(pg, elsewhere != NULL ? elsewhere : arena_printf(arena, "%s/postgres", pg->directory));
    if (choose_user(pg, err) < 0 || make_owned(pg, pg->home, err) < 0)
        return err_trace(err);
    if (process_may_enter(&pg->user, pg->home))
        return 0;
    if (elsewhere != NULL || !pg->user.other)
        return err_set(err, ERR_IO, "user %s cannot enter %s", pg->user.name, pg->home);
    rmdir(pg->home);
    if (mkdir("/var/lib/pawl", 0711) < 0 && errno != EEXIST)
        return err_set(err, ERR_IO,
                       "user %s, as whom PostgreSQL must run, cannot enter %s, and "
                       "/var/lib/pawl cannot be made (%s): give another directory with --data",
                       pg->user.name, pg->directory, strerror(errno));
    set_home(pg, arena_printf(arena, "/var/lib/pawl/%s", node));
    if (make_owned(pg, pg->home, err) < 0)
        return err_trace(err);
    if (!process_may_enter(&pg->user, pg->home))
        return err_set(err, ERR_IO,
                       "user %s can enter neither %s nor %s: give another directory with --data",
                       pg->user.name, pg->directory, pg->home);
    return datadir_write(pg->cli, pg->directory, "home", pg->home, err) < 0 ? err_trace(err) : 0;
}

/* ---- Making the cluster ---- */

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
                      struct FTW *ftw UNUSED)
{
    return remove(path);
}

static int write_owned(const struct postgres *pg, const char *path, const char *text, int flags,
                       struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

    if (fd < 0)
        return err_set(err, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    bool bad = dprintf(fd, "%s", text) < 0 ||
               (pg->user.other && fchown(fd, pg->user.uid, pg->user.gid) < 0);
    if (close(fd) < 0 || bad)
        return err_set(err, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

/* In a directory of its own that is renamed at the end: half a cluster is never taken for one. */
static int make_cluster(struct postgres *pg, struct err *err)
{
    struct arena *arena = &pg->cli->arena;
    const char *fresh = arena_printf(arena, "%s/data.new", pg->home);
    const char *initdb[] = {arena_printf(arena, "%s/initdb", pg->bin),
                            "-D",
                            fresh,
                            "-U",
                            "pawl",
                            "-A",
                            "trust",
                            "-E",
                            "UTF8",
                            "--locale=C.UTF-8",
                            "--data-checksums",
                            NULL};
    const char *single[] = {
        arena_printf(arena, "%s/postgres", pg->bin), "--single", "-D", fresh, "template1", NULL};

    log_line(LOG_LEVEL_INFO, "making a private PostgreSQL", "version=%d directory=\"%s\"",
             pg->version, pg->home);
    nftw(fresh, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (run(pg, "initdb", initdb, NULL, err) < 0 ||
        write_owned(pg, arena_printf(arena, "%s/postgresql.conf", fresh),
                    "\ninclude_if_exists 'pawl.conf'\n", O_APPEND, err) < 0 ||
        run(pg, "creating the database", single, "create database pawl\n", err) < 0)
        return err_trace(err);
    if (rename(fresh, pg->data) < 0)
        return err_set(err, ERR_IO, "cannot rename %s: %s", fresh, strerror(errno));
    return 0;
}

static int check_version(struct postgres *pg, struct err *err)
{
    const char *text, *file = arena_printf(&pg->cli->arena, "%s/PG_VERSION", pg->data);
    size_t n;

    if (cli_read_file(pg->cli, file, 64, &text, &n, err) < 0)
        return err_trace(err);
    int version = (int)strtol(text, NULL, 10);
    if (version == pg->version)
        return 0;
    if (postgres_find(pg->cli, version, &pg->bin, &pg->version, err) < 0)
        return err_set(err, ERR_IO,
                       "%s was made by PostgreSQL %d, which is not installed here "
                       "(apt-get install postgresql-%d)",
                       pg->data, version, version);
    return 0;
}

/* A socket's path has a short limit; where the directory's is too long it goes below /tmp. */
static int choose_socket(struct postgres *pg, struct err *err)
{
    const size_t most = 107 - (sizeof("/.s.PGSQL.5432") - 1);

    pg->socket = arena_printf(&pg->cli->arena, "%s/socket", pg->home);
    if (strlen(pg->socket) <= most)
        return make_owned(pg, pg->socket, err);
    char *path = arena_strdup(&pg->cli->arena, "/tmp/pawl-XXXXXX");
    if (mkdtemp(path) == NULL)
        return err_set(err, ERR_IO, "cannot make a directory for the socket below /tmp: %s",
                       strerror(errno));
    pg->socket = path;
    return make_owned(pg, path, err);
}

static int write_settings(struct postgres *pg, struct err *err)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    long mib = pages > 0 && page > 0 ? pages / ((1 << 20) / page) / 8 : 128;
    const char *text = arena_printf(&pg->cli->arena,
                                    "# Written by `pawl up` at each start. Put your own settings "
                                    "into postgresql.conf, below the\n"
                                    "# include of this file.\n"
                                    "listen_addresses = ''\n"
                                    "port = 5432\n"
                                    "unix_socket_directories = '%s'\n"
                                    "unix_socket_permissions = 0700\n"
                                    "max_connections = 100\n"
                                    "shared_buffers = %ldMB\n"
                                    "max_wal_size = 2GB\n"
                                    "checkpoint_timeout = 15min\n"
                                    "autovacuum_naptime = 10s\n"
                                    "jit = off\n"
                                    "timezone = 'UTC'\n"
                                    "log_timezone = 'UTC'\n"
                                    "logging_collector = on\n"
                                    "log_directory = '../log'\n"
                                    "log_filename = 'postgresql-%%a.log'\n"
                                    "log_rotation_age = 1d\n"
                                    "log_rotation_size = 0\n"
                                    "log_truncate_on_rotation = on\n",
                                    pg->socket,
                                    mib < 64     ? 64
                                    : mib > 1024 ? 1024
                                                 : mib);
    return write_owned(pg, arena_printf(&pg->cli->arena, "%s/pawl.conf", pg->data), text, O_TRUNC,
                       err);
}

/* ---- Starting and stopping ---- */

static int conninfo_of(struct postgres *pg, struct err *err)
{
    struct buf quoted;

    buf_init(&quoted, 0);
    for (const char *p = pg->socket; *p != '\0'; p++) {
        if (*p == '\'' || *p == '\\')
            buf_add_char(&quoted, '\\');
        buf_add_char(&quoted, *p);
    }
    pg->conninfo = arena_printf(&pg->cli->arena, "host='%s' port=5432 dbname=pawl user=pawl",
                                buf_str(&quoted));
    buf_deinit(&quoted);
    return datadir_write(pg->cli, pg->directory, "conninfo", pg->conninfo, err) < 0 ? err_trace(err)
                                                                                    : 0;
}

/* Where a server that runs already listens: the fifth line of its pid file. */
static bool running_socket(struct postgres *pg)
{
    const char *text, *file = arena_printf(&pg->cli->arena, "%s/postmaster.pid", pg->data);
    size_t n;

    if (cli_read_file(pg->cli, file, 4096, &text, &n, NULL) < 0)
        return false;
    for (int line = 1; line < 5; line++) {
        text = strchr(text, '\n');
        if (text == NULL)
            return false;
        text++;
    }
    pg->socket = arena_strndup(&pg->cli->arena, text, strcspn(text, "\n"));
    return *pg->socket == '/';
}

/* A pid file whose server is gone; its number may belong to another program by now. */
static void remove_stale_pid_file(const struct postgres *pg)
{
    const char *file = arena_printf(&pg->cli->arena, "%s/postmaster.pid", pg->data);

    /* Processes that a killed server left behind see it and go; PostgreSQL itself checks them
     * again. */
    for (int i = 0; i < 200 && postgres_any_process(pg->data); i++)
        nap();
    if (postgres_any_process(pg->data))
        return;
    /* Its socket's lock, too: a container without an init keeps the dead server's number in use. */
    unlink(arena_printf(&pg->cli->arena, "%s/socket/.s.PGSQL.5432.lock", pg->home));
    if (unlink(file) == 0)
        log_line(LOG_LEVEL_WARN, "the private PostgreSQL had not been stopped; it recovers",
                 "directory=\"%s\"", pg->data);
}

static int start_server(struct postgres *pg, struct err *err)
{
    struct arena *arena = &pg->cli->arena;
    const char *log = arena_printf(arena, "%s/start.log", pg->home), *said;
    const char *argv[] = {arena_printf(arena, "%s/pg_ctl", pg->bin),
                          "-D",
                          pg->data,
                          "-l",
                          log,
                          "-w",
                          "-t",
                          START_SECONDS,
                          "start",
                          NULL};
    size_t n;

    remove_stale_pid_file(pg);
    if (choose_socket(pg, err) < 0 || write_settings(pg, err) < 0)
        return err_trace(err);
    unlink(log);
    if (run(pg, "starting the private PostgreSQL", argv, NULL, err) == 0)
        return 0;
    struct err ignored = {0};
    if (cli_read_file(pg->cli, log, 1 << 20, &said, &n, &ignored) == 0 && n > 0)
        return err_set(err, ERR_LOST,
                       "the private PostgreSQL does not start:\n%s\nits log is in %s/log",
                       last_lines(pg->cli, said, 500), pg->home);
    err->code = ERR_LOST;
    return err_trace(err);
}

/* Takes the lock of a cluster that lies elsewhere: two copies of one data directory share it. */
static int lock_home(struct postgres *pg, struct err *err)
{
    int fd;

    if (strncmp(pg->home, pg->directory, strlen(pg->directory)) == 0)
        return 0;
    return datadir_lock(pg->cli, pg->home, &fd, err) < 0 ? err_trace(err) : 0;
}

int postgres_start(struct postgres *pg, struct cli *cli, const char *directory, const char *node,
                   struct err *err)
{
    struct stat st;

    *pg = (struct postgres){.cli = cli, .directory = directory};
    if (choose_home(pg, node, err) < 0 || lock_home(pg, err) < 0 ||
        postgres_find(cli, 0, &pg->bin, &pg->version, err) < 0)
        return err_trace(err);
    if (stat(pg->data, &st) < 0 && make_cluster(pg, err) < 0)
        return err_trace(err);
    if (check_version(pg, err) < 0)
        return err_trace(err);
    /* One that is on its way down is waited for. */
    for (int i = 0; i < 1200 && postgres_stopping(cli, pg->data); i++) {
        if (postgres_running(cli, pg->data) == 0)
            break;
        nap();
    }
    pg->found_running = postgres_running(cli, pg->data) != 0 && running_socket(pg);
    if (!pg->found_running && start_server(pg, err) < 0)
        return err_trace(err);
    return conninfo_of(pg, err) < 0 ? err_trace(err) : 0;
}

int postgres_stop(struct postgres *pg, struct err *err)
{
    const char *argv[] = {arena_printf(&pg->cli->arena, "%s/pg_ctl", pg->bin),
                          "-D",
                          pg->data,
                          "-m",
                          "fast",
                          "-w",
                          "-t",
                          "120",
                          "stop",
                          NULL};

    if (postgres_running(pg->cli, pg->data) == 0)
        return 0;
    if (run(pg, "stopping the private PostgreSQL", argv, NULL, err) < 0)
        return err_trace(err);
    if (strncmp(pg->socket, "/tmp/", 5) == 0)
        rmdir(pg->socket);
    return 0;
}

void postgres_stop_now(const struct postgres *pg)
{
    pid_t pid = postgres_running(pg->cli, pg->data);

    if (pid > 0)
        kill(pid, SIGINT);
}
