/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <dirent.h>
#include <glob.h>
#include <limits.h>
#include <unistd.h>

#include "cli/postgres_find.h"
#include "cli/process.h"

#define OLDEST 15

static bool has_programs(const char *directory)
{
    static const char *const programs[] = {"initdb", "pg_ctl", "postgres"};

    for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
        char path[PATH_MAX];
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, programs[i]) >= sizeof(path) ||
            access(path, X_OK) < 0)
            return false;
    }
    return true;
}

/* What `postgres --version` says: "postgres (PostgreSQL) 15.6". */
static int version_of(const char *directory)
{
    char path[PATH_MAX];
    const char *argv[] = {path, "--version", NULL};
    const struct user self = {.uid = geteuid(), .gid = getegid()};
    struct buf said;
    int status = 0, version = 0;

    if ((size_t)snprintf(path, sizeof(path), "%s/postgres", directory) >= sizeof(path))
        return 0;
    buf_init(&said, 4096);
    if (process_run(&self, "/", argv, NULL, &said, &status, NULL) == 0 && status == 0) {
        const char *digits = strpbrk(buf_str(&said), "0123456789");
        version = digits != NULL ? (int)strtol(digits, NULL, 10) : 0;
    }
    buf_deinit(&said);
    return version;
}

struct search {
    struct cli *cli;
    int wanted, best, seen;
    const char *bin;
};

static void consider(struct search *search, const char *directory)
{
    int version = has_programs(directory) ? version_of(directory) : 0;

    if (version > search->seen)
        search->seen = version;
    if (version < OLDEST || version <= search->best ||
        (search->wanted != 0 && version != search->wanted))
        return;
    search->best = version;
    search->bin = arena_strdup(&search->cli->arena, directory);
}

int postgres_find(struct cli *cli, int version, const char **ret_bin, int *ret_version,
                  struct err *err)
{
    struct search search = {.cli = cli, .wanted = version};
    glob_t found = {0};

    glob("/usr/lib/postgresql/*/bin", 0, NULL, &found);
    glob("/usr/pgsql-*/bin", GLOB_APPEND, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++)
        consider(&search, found.gl_pathv[i]);
    globfree(&found);
    const char *path = getenv("PATH");
    while (search.bin == NULL && path != NULL && *path != '\0') {
        size_t n = strcspn(path, ":");
        consider(&search, arena_strndup(&cli->arena, path, n));
        path += n + (path[n] == ':' ? 1 : 0);
    }
    if (search.bin == NULL && search.seen != 0)
        return err_set(err, ERR_IO,
                       "PostgreSQL %d is installed, but Pawl needs %d or later: install one "
                       "(apt-get install postgresql), or give a database with --database",
                       search.seen, OLDEST);
    if (search.bin == NULL)
        return err_set(err, ERR_IO,
                       "no PostgreSQL is installed here: install it (apt-get install "
                       "postgresql), or give a database with --database");
    *ret_bin = search.bin;
    *ret_version = search.best;
    return 0;
}

/* PostgreSQL's processes all work in the cluster's directory. */
static bool works_in(const char *pid, const char *data)
{
    char link[64], target[PATH_MAX];

    snprintf(link, sizeof(link), "/proc/%s/cwd", pid);
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        return false;
    target[n] = '\0';
    return strcmp(target, data) == 0;
}

static bool is_postgres(const char *pid)
{
    char path[64], name[64] = "";

    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool found = fgets(name, sizeof(name), file) != NULL && strncmp(name, "postgres", 8) == 0;
    fclose(file);
    return found;
}

pid_t postgres_running(struct cli *cli, const char *data)
{
    const char *text, *file = arena_printf(&cli->arena, "%s/postmaster.pid", data);
    size_t n;
    char pid[24];

    if (access(file, F_OK) < 0 || cli_read_file(cli, file, 4096, &text, &n, NULL) < 0)
        return 0;
    snprintf(pid, sizeof(pid), "%ld", strtol(text, NULL, 10));
    if (strtol(pid, NULL, 10) <= 1 || !is_postgres(pid) || !works_in(pid, data))
        return 0;
    return (pid_t)strtol(pid, NULL, 10);
}

bool postgres_stopping(struct cli *cli, const char *data)
{
    const char *text, *file = arena_printf(&cli->arena, "%s/postmaster.pid", data);
    size_t n;

    return access(file, F_OK) == 0 && cli_read_file(cli, file, 4096, &text, &n, NULL) == 0 &&
           strstr(text, "\nstopping") != NULL;
}

bool postgres_any_process(const char *data)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    bool found = false;

    if (proc == NULL)
        return true;
    while (!found && (entry = readdir(proc)) != NULL)
        found = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && is_postgres(entry->d_name) &&
                works_in(entry->d_name, data);
    closedir(proc);
    return found;
}
