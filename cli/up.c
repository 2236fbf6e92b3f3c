/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/datadir.h"
#include "cli/output.h"
#include "cli/postgres.h"
#include "cli/session.h"
#include "jobexec/jobexec.h"
#include "parser/parser.h"
#include "store/store.h"

struct up {
    struct cli *cli;
    const char *directory;
    struct uuid node;
    char node_text[UUID_TEXT_BYTES];
    struct database database;
    struct postgres postgres; /* only where the database is private */
    bool private;
    struct store *store;
    struct jobexec *jobexec;
    long workers;
};

static void ending_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

/* ---- Starting ---- */

static enum exit_code check_options(struct up *up)
{
    struct cli *cli = up->cli;

    if (cli_has(cli, "listen"))
        return cli_refuse(cli, "leave --listen out: SQL clients and this program need no server",
                          "this version has no HTTP server yet, so it cannot listen on %s",
                          cli_option(cli, "listen"));
    if (cli_number(cli, "workers", 1, 64, 2, &up->workers) < 0)
        return EXIT_USAGE;
    return EXIT_DONE;
}

static int prepare_directory(struct up *up, struct err *err)
{
    int lock;

    if (datadir_make(up->cli, up->database.data, &up->directory, err) < 0 ||
        datadir_lock(up->cli, up->directory, &lock, err) < 0 ||
        datadir_node(up->cli, up->directory, &up->node, err) < 0)
        return err_trace(err);
    uuid_format(&up->node, up->node_text);
    return 0;
}

static int find_database(struct up *up, struct err *err)
{
    if (up->database.conninfo != NULL)
        return 0;
    up->private = true;
    if (postgres_start(&up->postgres, up->cli, up->directory, up->node_text, err) < 0)
        return err_trace(err);
    up->database.conninfo = up->postgres.conninfo;
    up->database.directory = up->directory;
    return 0;
}

/* A server that still recovers after a crash refuses sessions for a while: only ours is waited for.
 */
static int migrate(struct up *up, struct err *err)
{
    struct store_options options = {.conninfo = up->database.conninfo,
                                    .schema = up->database.schema,
                                    .journal_dir = up->directory,
                                    .keep_functions = true};
    int from = 0, to = 0, tries = up->private ? 240 : 1;

    for (;;) {
        if (store_migrate(&options, &from, &to, err) == 0)
            break;
        if (err->code != ERR_LOST || --tries == 0)
            return err_trace(err);
        nanosleep(&(struct timespec){.tv_nsec = 250 * 1000 * 1000}, NULL);
    }
    if (from != to)
        log_line(LOG_LEVEL_INFO, from == 0 ? "schema made" : "schema upgraded",
                 "schema=%s from=%d to=%d", up->database.schema, from, to);
    return store_open(&options, &up->store, err) < 0 ? err_trace(err) : 0;
}

static int start(struct up *up, struct err *err)
{
    struct jobexec_options options = {
        .node = up->node, .workers = (unsigned)up->workers, .user_agent = "pawl/" PAWL_VERSION};

    return jobexec_start(up->store, &options, &up->jobexec, err) < 0 ? err_trace(err) : 0;
}

static void say_ready(const struct up *up)
{
    char where[512] = "given";

    if (up->private)
        snprintf(where, sizeof(where), "private PostgreSQL %d under %s%s", up->postgres.version,
                 up->directory, up->postgres.found_running ? " (found running)" : "");
    if (up->cli->json) {
        json_t *line = json_pack("{s:b, s:s, s:s, s:s, s:i, s:i}", "ready", 1, "schema",
                                 up->database.schema, "database", where, "node", up->node_text,
                                 "workers", (int)up->workers, "pid", (int)getpid());
        char *text = json_dumps(line, JSON_COMPACT);
        /* Whoever waits for this line looks for its first word. */
        printf("ready %s\n", text);
        free(text);
        json_decref(line);
    } else {
        printf("ready: schema %s, database %s, %ld worker%s\n", up->database.schema, where,
               up->workers, up->workers == 1 ? "" : "s");
    }
    fflush(stdout);
}

/* ---- Stopping ---- */

/* A second signal: whoever sends it does not want to wait. What is under way is found by the next
 * start. */
static void *watch_second_signal(void *context)
{
    const struct up *up = context;
    sigset_t set;
    int signal_number;

    ending_signals(&set);
    if (sigwait(&set, &signal_number) == 0) {
        log_line(LOG_LEVEL_WARN, "told twice: not waiting for what is under way", NULL);
        if (up->private)
            postgres_stop_now(&up->postgres);
        _exit(EXIT_REFUSED);
    }
    return NULL;
}

static enum exit_code stop(struct up *up)
{
    struct jobexec_stats stats = {0};
    struct err err = {0};
    pthread_t watcher;
    enum exit_code code = EXIT_DONE;

    if (pthread_create(&watcher, NULL, watch_second_signal, up) == 0)
        pthread_detach(watcher);
    if (up->jobexec != NULL)
        jobexec_stats(up->jobexec, &stats);
    jobexec_stop(up->jobexec);
    store_close(up->store);
    if (up->private && up->postgres.data != NULL && postgres_stop(&up->postgres, &err) < 0)
        code = cli_fail(up->cli, &err);
    log_line(LOG_LEVEL_INFO, "stopped", "commands=%llu batches=%llu failed=%llu calls_sent=%llu",
             (unsigned long long)stats.commands, (unsigned long long)stats.batches,
             (unsigned long long)stats.failed, (unsigned long long)stats.calls_sent);
    return code;
}

static enum exit_code fail_to_start(struct up *up, const struct err *err)
{
    enum exit_code code = !up->private && err->code == ERR_LOST
                              ? session_unreachable(up->cli, &up->database, err)
                              : cli_fail(up->cli, err);

    /* A server that was there before is not ours to stop: its other users go on. */
    if (up->private && up->postgres.found_running)
        up->private = false;
    store_close(up->store);
    struct err ignored = {0};
    if (up->private && up->postgres.conninfo != NULL && postgres_stop(&up->postgres, &ignored) < 0)
        cli_fail(up->cli, &ignored);
    return code;
}

static enum exit_code run_up(struct cli *cli)
{
    struct up up = {.cli = cli};
    struct err err = {0};
    sigset_t set;
    int signal_number = 0;

    database_named(cli, &up.database);
    enum exit_code code = check_options(&up);
    if (code != EXIT_DONE)
        return code;
    /* Before any thread: all of them inherit the mask, and only sigwait() sees these signals. */
    ending_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    parser_init();
    if (prepare_directory(&up, &err) < 0)
        return cli_fail(cli, &err);
    if (find_database(&up, &err) < 0 || migrate(&up, &err) < 0 || start(&up, &err) < 0)
        return fail_to_start(&up, &err);
    say_ready(&up);
    log_line(LOG_LEVEL_INFO, "ready", "schema=%s node=%s workers=%ld pid=%ld", up.database.schema,
             up.node_text, up.workers, (long)getpid());
    while (sigwait(&set, &signal_number) != 0)
        continue;
    log_line(LOG_LEVEL_INFO, "stopping", "signal=%s",
             signal_number == SIGINT   ? "INT"
             : signal_number == SIGHUP ? "HUP"
                                       : "TERM");
    code = stop(&up);
    parser_deinit();
    return code;
}

static const struct option up_options[] = {
    {"listen", 0, "ADDR:PORT", "serve HTTP there (not in this version: refused)"},
    {"dev", 0, NULL,
     "no authentication, on loopback only; this version has no server, so it changes nothing"},
    {"workers", 0, "N", "threads that run processes, each with a connection (default: 2)"},
};

const struct subcommand command_up = {
    .name = "up",
    .arguments = "[--database CONNINFO | --data DIR]",
    .summary = "run the engine, with a private PostgreSQL where none is given",
    .about = "Brings the schema up to date and runs processes until it is told to stop. When it "
             "serves it "
             "prints one line on stdout that begins with `ready`; its log goes to stderr.\n"
             "\n"
             "Without --database it keeps a private PostgreSQL (15 or later, from the system's "
             "packages) under "
             "the data directory: reachable only through a Unix socket, by its owner. It is made "
             "at the first "
             "start, outlives a killed `pawl`, is found again by the next one and by all other "
             "subcommands, and "
             "is stopped with the engine. PostgreSQL refuses to run as root: then it runs as user "
             "`postgres`, "
             "and lies under /var/lib/pawl where that user cannot enter the data directory.\n"
             "\n"
             "With --database the data directory keeps only this installation's id. Several "
             "installations may "
             "work on one database, each with a data directory of its own.\n"
             "\n"
             "SIGTERM or SIGINT: takes no more work, ends what is under way, exits 0. A second "
             "one: does not "
             "wait. Nothing is lost either way; what was under way goes on at the next start.",
    .options = up_options,
    .n_options = ARRAY_LEN(up_options),
    .examples = "  pawl up                                  # private database under ./.pawl\n"
                "  pawl up --data /srv/pawl --workers 4\n"
                "  pawl up --database 'host=db dbname=shop' --schema pawl\n",
    .database = true,
    .run = run_up,
};
