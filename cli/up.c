/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/datadir.h"
#include "cli/output.h"
#include "cli/postgres.h"
#include "cli/script.h"
#include "cli/serve.h"
#include "cli/session.h"
#include "cli/systemd.h"
#include "jobexec/jobexec.h"
#include "parser/parser.h"
#include "store/client.h"
#include "store/store.h"

#define SILENT_US 120000000 /* a worker that is stuck for as long is not fed to the watchdog */
#define STOP_S 60           /* what a stop may take besides the drain: last commits, PostgreSQL */

struct up {
    struct cli *cli;
    struct config config; /* as it was at the start */
    const char *directory;
    struct uuid node;
    char node_text[UUID_TEXT_BYTES];
    struct database database;
    struct postgres postgres; /* only where the database is private */
    bool private;
    struct store *store;
    struct jobexec *jobexec;
    struct serve serve; /* only with --listen */
    _Atomic bool stopping, replaced;
};

static void ending_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

/* ---- Starting ---- */

static struct store_options store_options(const struct up *up)
{
    return (struct store_options){.conninfo = up->database.conninfo,
                                  .schema = up->database.schema,
                                  .journal_dir = up->directory,
                                  .keep_functions = true};
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
    struct store_options options = store_options(up);
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

/* Tells the database what the file says of endpoints. */
static int set_up(const struct up *up, const struct config *config, struct setup_result *ret_result,
                  struct err *err)
{
    struct store_options options = store_options(up);
    struct err why = {0};
    int line;

    *ret_result = (struct setup_result){.set = 0};
    if (config->path == NULL && config->setup.public_url == NULL)
        return 0;
    if (store_setup(&options, &up->node, &config->setup, false, ret_result, &line, &why) == 0)
        return 0;
    if (line == 0)
        err_set(err, why.code, "%s", why.text);
    else
        err_set(err, why.code, "%s:%d: %s", config->path, line, why.text);
    err_hint(err, why.hint);
    return -1;
}

static void log_set_up(const char *message, const struct setup_result *result)
{
    log_line(LOG_LEVEL_INFO, message,
             "endpoints_set=%u endpoints_unchanged=%u endpoints_dropped=%u", result->set,
             result->unchanged, result->dropped);
    if (result->in_use != 0)
        log_line(LOG_LEVEL_WARN,
                 "endpoints have left the file, but calls to them are unfinished: they stay until "
                 "a later reload",
                 "endpoints=%u", result->in_use);
}

/* Before anything can leave. */
static int hold(const struct up *up, struct err *err)
{
    struct client_options options = {.conninfo = up->database.conninfo,
                                     .schema = up->database.schema};
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *row = NULL;

    if (client_open(&options, &client, err) < 0 ||
        client_hold(client, "{\"reason\": \"pawl up --hold\"}", &row, err) < 0)
        return err_trace(err);
    log_line(LOG_LEVEL_WARN, "no request leaves until `pawl release`", NULL);
    return 0;
}

/* Another process runs in our place: as if told to stop, but in vain. */
static void replaced(void *context)
{
    struct up *up = context;

    atomic_store(&up->replaced, true);
    if (!atomic_load(&up->stopping))
        kill(getpid(), SIGTERM);
}

static int start(struct up *up, struct err *err)
{
    struct jobexec_options options = {
        .node = up->node,
        .workers = (unsigned)up->config.workers,
        .user_agent = "pawl/" PAWL_VERSION,
        /* 0 would be the default. */
        .committed = serve_committed,
        .committed_context = &up->serve,
        .replaced = replaced,
        .replaced_context = up,
        .script_program = script_program(up->cli),
        .drain_ms = 1 + (unsigned)(up->config.drain_seconds * 1000),
    };
    struct store_options store = store_options(up);
    struct setup_result result;

    const struct serve_where where = {.listen = up->config.listen,
                                      .tls_cert = up->config.tls_cert,
                                      .tls_key = up->config.tls_key,
                                      .trusted_proxies = up->config.trusted_proxies,
                                      .forwarded_header = up->config.forwarded_header,
                                      .request_s = up->config.request_seconds,
                                      .open = cli_has(up->cli, "dev")};
    if ((cli_has(up->cli, "hold") && hold(up, err) < 0) ||
        set_up(up, &up->config, &result, err) < 0 ||
        jobexec_start(up->store, &options, &up->jobexec, err) < 0)
        return err_trace(err);
    if (up->config.path != NULL)
        log_set_up("configuration taken over", &result);
    return up->config.listen != NULL &&
                   serve_start(&up->serve, &where, up->jobexec, &store, err) < 0
               ? err_trace(err)
               : 0;
}

static void say_ready(const struct up *up)
{
    char where[512] = "given";

    if (up->private)
        snprintf(where, sizeof(where), "private PostgreSQL %d under %s%s", up->postgres.version,
                 up->directory, up->postgres.found_running ? " (found running)" : "");
    const char *http = up->serve.server != NULL ? server_address(up->serve.server) : NULL;
    if (up->cli->json) {
        json_t *line =
            json_pack("{s:b, s:s, s:s, s:s, s:i, s:i, s:s*}", "ready", 1, "schema",
                      up->database.schema, "database", where, "node", up->node_text, "workers",
                      (int)up->config.workers, "pid", (int)getpid(), "http", http);
        char *text = json_dumps(line, JSON_COMPACT);
        /* Whoever waits for this line looks for its first word. */
        printf("ready %s\n", text);
        free(text);
        json_decref(line);
    } else {
        printf("ready: schema %s, database %s, %ld worker%s%s%s\n", up->database.schema, where,
               up->config.workers, up->config.workers == 1 ? "" : "s",
               http != NULL ? ", http " : "", http != NULL ? http : "");
    }
    fflush(stdout);
    log_line(LOG_LEVEL_INFO, "ready", "schema=%s node=%s workers=%ld pid=%ld http=%s",
             up->database.schema, up->node_text, up->config.workers, (long)getpid(),
             http != NULL ? http : "-");
    systemd_notify("READY=1\nSTATUS=Running processes of schema %s", up->database.schema);
}

/* ---- Running ---- */

static void apply_log(const struct config *config)
{
    log_set_level(config->log_level);
    log_set_format(config->log_format);
}

/* Reads all of the configuration again. What is wrong changes nothing. */
static void reload(struct up *up)
{
    struct config next;
    struct setup_result result;
    struct err err = {0};
    char line[1600], text[1700];

    systemd_reloading();
    if (config_read(up->cli, &next, &err) < 0 || set_up(up, &next, &result, &err) < 0) {
        log_line(LOG_LEVEL_ERROR, "not reloaded: the configuration stays as it was", "error=%s",
                 log_quote(err_line(&err, line, sizeof(line)), text, sizeof(text)));
    } else {
        apply_log(&next);
        log_set_up("reloaded", &result);
        const char *later = config_needs_restart(&up->config, &next, &next.arena);
        if (*later != '\0')
            log_line(LOG_LEVEL_WARN, "some settings that have changed count at the next start",
                     "settings=%s", later);
    }
    config_free(&next);
    serve_reload(&up->serve);
    systemd_notify("READY=1");
}

/* Until it is told to stop; returns the signal. */
static int serve_signals(struct up *up, const sigset_t *set)
{
    int64_t watchdog_us = systemd_watchdog_us();
    struct timespec period = {.tv_sec = watchdog_us / 1000000,
                              .tv_nsec = watchdog_us % 1000000 * 1000};

    for (;;) {
        int number = sigtimedwait(set, NULL, watchdog_us > 0 ? &period : NULL);
        if (number == SIGHUP)
            reload(up);
        else if (number > 0)
            return number;
        if (watchdog_us > 0 && jobexec_silent_us(up->jobexec) < SILENT_US)
            systemd_notify("WATCHDOG=1");
    }
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
    sigdelset(&set, SIGHUP);
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
    serve_draining(&up->serve);
    jobexec_drain(up->jobexec);
    jobexec_stats(up->jobexec, &stats);
    serve_stop(&up->serve);
    jobexec_stop(up->jobexec);
    store_close(up->store);
    if (up->private && up->postgres.data != NULL && postgres_stop(&up->postgres, &err) < 0)
        code = cli_fail(up->cli, &err);
    log_flush();
    log_line(LOG_LEVEL_INFO, "stopped",
             "commands=%llu batches=%llu instances_started=%llu instances_ended=%llu failed=%llu "
             "calls_sent=%llu",
             (unsigned long long)stats.commands, (unsigned long long)stats.batches,
             (unsigned long long)stats.instances_started, (unsigned long long)stats.instances_ended,
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
    serve_stop(&up->serve);
    jobexec_stop(up->jobexec);
    store_close(up->store);
    struct err ignored = {0};
    if (up->private && up->postgres.conninfo != NULL && postgres_stop(&up->postgres, &ignored) < 0)
        cli_fail(up->cli, &ignored);
    return code;
}

/* ---- The command ---- */

/* Looks at all of it and starts nothing. Options of endpoints are judged by the database, where it
 * is to be found. */
static enum exit_code check_config(struct cli *cli, const struct config *config)
{
    struct store_options options = {.conninfo = config->database, .schema = config->schema};
    struct uuid nobody = {{0}};
    struct setup_result result;
    struct err err = {0};
    int line;

    if (config->listen != NULL &&
        server_check_address(config->listen, cli_has(cli, "dev"), &err) < 0)
        return cli_usage(cli, NULL, "%s", err.text);
    if (config->setup.n_endpoints == 0 && config->setup.retention == NULL &&
        config->setup.public_url == NULL) {
        printf("the configuration is good\n");
        return EXIT_DONE;
    }
    if (options.conninfo == NULL &&
        datadir_read(cli, config->data, "conninfo", &options.conninfo, &err) < 0)
        return cli_fail(cli, &err);
    if (options.conninfo == NULL)
        err_set(&err, ERR_LOST, "there is no private database under %s", config->data);
    else if (store_setup(&options, &nobody, &config->setup, true, &result, &line, &err) == 0) {
        printf("the configuration is good, endpoints included\n");
        return EXIT_DONE;
    } else if (line != 0) {
        return cli_refuse(cli, err.hint[0] != '\0' ? err.hint : NULL, "%s:%d: %s", config->path,
                          line, err.text);
    }
    printf("the configuration is good, but [retention] and endpoints were not looked at\n");
    cli_note(cli, "only the database can judge them: %s", err.text);
    return EXIT_DONE;
}

static enum exit_code run_engine(struct up *up)
{
    struct cli *cli = up->cli;
    struct err err = {0};
    sigset_t set;

    up->database = (struct database){
        .conninfo = up->config.database,
        .schema = up->config.schema,
        .data = up->config.data,
        .named = config_origin(&up->config, SETTING_DATABASE, &cli->arena),
    };
    if (up->config.listen != NULL &&
        server_check_address(up->config.listen, cli_has(cli, "dev"), &err) < 0)
        return cli_usage(cli, NULL, "%s", err.text);
    log_find_journal();
    apply_log(&up->config);
    /* Before any thread: all of them inherit the mask, and only sigwait() sees these signals. */
    ending_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    parser_init();
    if (prepare_directory(up, &err) < 0)
        return cli_fail(cli, &err);
    if (find_database(up, &err) < 0 || migrate(up, &err) < 0 || start(up, &err) < 0)
        return fail_to_start(up, &err);
    say_ready(up);
    int number = serve_signals(up, &set);
    atomic_store(&up->stopping, true);
    log_line(LOG_LEVEL_INFO, "stopping", "signal=%s drain_s=%g", number == SIGINT ? "INT" : "TERM",
             up->config.drain_seconds);
    systemd_notify("STOPPING=1\nSTATUS=Ending what is under way\nEXTEND_TIMEOUT_USEC=%lld",
                   (long long)((up->config.drain_seconds + STOP_S) * 1e6));
    enum exit_code code = stop(up);
    parser_deinit();
    return code == EXIT_DONE && atomic_load(&up->replaced) ? EXIT_REFUSED : code;
}

static enum exit_code run_up(struct cli *cli)
{
    struct up up = {.cli = cli};
    struct err err = {0};
    enum exit_code code = EXIT_DONE;

    if (config_read(cli, &up.config, &err) < 0)
        code = cli_usage(cli, NULL, "%s", err.text);
    else if (cli_has(cli, "print-config"))
        config_print(cli, &up.config);
    else if (cli_has(cli, "check-config"))
        code = check_config(cli, &up.config);
    else
        code = run_engine(&up);
    config_free(&up.config);
    return code;
}

static const struct option up_options[] = {
    {"config", 0, "FILE", "more settings, and endpoints (default: PAWL_CONFIG, else none)"},
    {"check-config", 0, NULL, "say whether the configuration is good, and start nothing"},
    {"print-config", 0, NULL, "print what it comes to and where it comes from; start nothing"},
    {"listen", 0, "ADDRESS",
     "serve HTTP there: 127.0.0.1:8080, unix:/PATH, or systemd's socket (default: nowhere)"},
    {"public-url", 0, "URL",
     "where callers reach it, for callback.url in models (default: as it was said before)"},
    {"tls-cert", 0, "FILE", "serve HTTPS with this certificate (PEM, the chain behind it)"},
    {"tls-key", 0, "FILE", "and its key (PEM)"},
    {"trusted-proxies", 0, "NETWORKS",
     "believe these when they say for whom they ask: 10.0.0.0/8,::1,unix (default: nobody)"},
    {"forwarded-header", 0, "NAME",
     "in which header they say it: X-Forwarded-For (the default) or Forwarded"},
    {"request-timeout", 0, "SECONDS",
     "how long a client may take to send a request, or to take an answer (default: 30)"},
    {"dev", 0, NULL,
     "no authentication: whoever reaches the port may do everything; on loopback only"},
    {"workers", 0, "N", "threads that run processes, each with a connection (default: 2)"},
    {"hold", 0, NULL, "send no request to outside services until `pawl release` (see `pawl hold`)"},
    {"drain", 0, "SECONDS", "how long a stop waits for answers under way (default: 10)"},
    {"log-format", 0, "FORMAT", "logfmt (the default) or json"},
    {"log-level", 0, "LEVEL", "debug, info (the default), warn or error"},
};

const struct subcommand command_up = {
    .name = "up",
    .arguments = "[--database CONNINFO | --data DIR]",
    .summary = "run the engine, with a private PostgreSQL where none is given",
    .about =
        "Brings the schema up to date and runs processes until it is told to stop. When it "
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
        "Each setting is taken from its flag, else from the environment (PAWL_WORKERS for "
        "--workers), else "
        "from the file of --config, else it is the default. docs/operations.md and "
        "docs/pawl.conf tell more.\n"
        "\n"
        "SIGTERM or SIGINT: takes no more work, ends what is under way within --drain "
        "seconds, exits 0. A "
        "second one: does not wait. Nothing is lost either way; what was under way goes on "
        "at the next start. "
        "SIGHUP: reads the configuration and TLS's files again; what is wrong changes nothing.",
    .options = up_options,
    .n_options = ARRAY_LEN(up_options),
    .examples = "  pawl up                                  # private database under ./.pawl\n"
                "  pawl up --config /etc/pawl.conf --listen 127.0.0.1:9464\n"
                "  pawl up --config /etc/pawl.conf --check-config\n"
                "  pawl up --data /srv/pawl --workers 4\n"
                "  pawl up --database 'host=db dbname=shop' --schema pawl\n",
    .database = true,
    .run = run_up,
};
