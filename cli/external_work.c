/* SPDX-License-Identifier: Apache-2.0 */
/* external work: any program as the worker of a topic. */
#include "base/build.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/commands.h"
#include "cli/find.h"
#include "cli/output.h"
#include "cli/session.h"
#include "store/json_text.h"

#define DETAILS_BYTES 16000u /* of what the program said, in a failure */

struct work {
    struct cli *cli; /* a copy, whose arena is reset after each task */
    struct client *client;
    const char *worker, *topics;
    int64_t lock_ms, pause_ms;
    int tries;
    bool once, stopping;
    unsigned done;
};

/* One task under way. */
struct job {
    struct client_lease lease;
    const json_t *row;
    pid_t pid;
    int in, out, said; /* the program's stdin, stdout and stderr, in memory */
    bool lost;         /* somebody else has the task now, or nobody */
    int status;
};

/* ---- The program ---- */

static int memory_file(const char *text)
{
    int fd = memfd_create("pawl", MFD_CLOEXEC);

    if (fd >= 0 && text != NULL &&
        (write(fd, text, strlen(text)) != (ssize_t)strlen(text) || lseek(fd, 0, SEEK_SET) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* What came out, at most `most` bytes of its end; NULL: it cannot be read. */
static const char *memory_text(struct cli *cli, int fd, size_t most)
{
    off_t n = lseek(fd, 0, SEEK_END);

    if (n < 0)
        return NULL;
    size_t take = (size_t)n < most ? (size_t)n : most;
    char *text = arena_alloc(&cli->arena, take + 1);
    if (pread(fd, text, take, n - (off_t)take) != (ssize_t)take)
        return NULL;
    text[take] = '\0';
    return text;
}

static void become_program(const struct work *work, const struct job *job)
{
    static const char *const names[][2] = {
        {"PAWL_TASK", "task_id"},       {"PAWL_TOPIC", "topic"},
        {"PAWL_ELEMENT", "element_id"}, {"PAWL_INSTANCE", "instance_id"},
        {"PAWL_PROCESS", "process"},    {"PAWL_KEY", "business_key"},
        {"PAWL_RETRIES", "retries"},
    };
    struct cli *cli = work->cli;
    sigset_t none;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        setenv(names[i][0], row_text(cli, job->row, names[i][1]), 1);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0); /* ^C is for us: it finishes what it has begun */
    dup2(job->in, STDIN_FILENO);
    dup2(job->out, STDOUT_FILENO);
    dup2(job->said, STDERR_FILENO);
    const char **argv = arena_array(&cli->arena, cli->n_arguments, sizeof(*argv));
    memcpy(argv, cli->arguments + 1, (cli->n_arguments - 1) * sizeof(*argv));
    execvp(argv[0], (char **)(uintptr_t)argv);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static enum exit_code start_program(struct work *work, struct job *job)
{
    const json_t *variables = json_object_get(job->row, "variables");
    job->in = memory_file(variables != NULL ? json_text_in(&work->cli->arena, variables) : "{}");
    job->out = memory_file(NULL);
    job->said = memory_file(NULL);
    fflush(stdout);
    job->pid = job->in < 0 || job->out < 0 || job->said < 0 ? -1 : fork();
    if (job->pid < 0)
        return cli_refuse(work->cli, NULL, "cannot start a program: %s", strerror(errno));
    if (job->pid == 0)
        become_program(work, job);
    return EXIT_DONE;
}

static void stop_program(const struct job *job)
{
    if (kill(-job->pid, SIGTERM) < 0)
        kill(job->pid, SIGTERM);
}

/* Extends the lease, or learns that it is lost. A database that is away for a moment is no loss. */
static void extend(struct work *work, struct job *job)
{
    struct err err = {0};

    if (client_external_extend(work->client, &job->lease, work->lock_ms, &err) == 0)
        return;
    cli_fail(work->cli, &err);
    if (err.code != ERR_NOT_FOUND && err.code != ERR_CONFLICT)
        return;
    job->lost = true;
    stop_program(job);
}

/* Until it ends. The first signal lets it end, the second one stops it. */
static void await_program(struct work *work, struct job *job)
{
    sigset_t set;
    int64_t ms = work->lock_ms / 3 + 1;
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    while (waitpid(job->pid, &job->status, WNOHANG) == 0) {
        int got = sigtimedwait(&set, NULL, &pause);
        if (got < 0 && errno == EAGAIN && !job->lost)
            extend(work, job);
        if (got != SIGTERM && got != SIGINT)
            continue;
        if (work->stopping) {
            job->lost = true;
            stop_program(job);
        } else {
            cli_note(work->cli, "ends after this task; another signal stops it at once");
        }
        work->stopping = true;
    }
}

/* ---- The answer ---- */

static int report_failure(struct work *work, struct job *job, const char *why, const char *details,
                          struct err *err)
{
    bool first = json_is_null(json_object_get(job->row, "retries"));
    int64_t left = first ? work->tries - 1 : row_int(job->row, "retries") - 1;

    cli_note(work->cli, "%s: %s", row_text(work->cli, job->row, "task_id"), why);
    return client_external_failure(work->client, &job->lease, why, details,
                                   left > 0 ? (int)left : 0, work->pause_ms, err);
}

static const char *how_it_ended(struct work *work, const struct job *job)
{
    if (WIFSIGNALED(job->status))
        return arena_printf(&work->cli->arena, "%s was killed by signal %d",
                            work->cli->arguments[1], WTERMSIG(job->status));
    return arena_printf(&work->cli->arena, "%s ended with status %d", work->cli->arguments[1],
                        WEXITSTATUS(job->status));
}

/* The end of what it said on stderr; NULL: nothing. */
static const char *said_last(struct work *work, const struct job *job)
{
    const char *said = memory_text(work->cli, job->said, DETAILS_BYTES);
    size_t n = said != NULL ? strlen(said) : 0;

    while (n > 0 && isspace((unsigned char)said[n - 1]))
        n--;
    if (n == 0)
        return NULL;
    json_auto_t *text = output_string(arena_strndup(&work->cli->arena, said, n));
    return arena_strdup(&work->cli->arena, json_string_value(text));
}

/* The program has failed: its last line says why, as a rule, and all that it said is the details.
 */
static int report_said(struct work *work, struct job *job, struct err *err)
{
    const char *details = said_last(work, job);
    const char *line = details != NULL ? strrchr(details, '\n') : NULL;

    if (details == NULL)
        return report_failure(work, job, how_it_ended(work, job), NULL, err);
    if (line == NULL)
        return report_failure(work, job, details, NULL, err);
    return report_failure(work, job, line + 1 + strspn(line + 1, " \t"), details, err);
}

static int report(struct work *work, struct job *job, struct err *err)
{
    const char *text = memory_text(work->cli, job->out, LIMIT_VARIABLES_BYTES + 1);
    bool good = WIFEXITED(job->status) && WEXITSTATUS(job->status) == 0;

    if (text == NULL || strlen(text) > LIMIT_VARIABLES_BYTES)
        return report_failure(work, job, "its output is larger than variables may be", NULL, err);
    bool empty = text[strspn(text, " \t\r\n")] == '\0';
    json_auto_t *answer = empty ? json_object() : json_read_text(text);
    const char *code = json_string_value(json_object_get(answer, "bpmnError"));
    if (!good && code != NULL) {
        const json_t *variables = json_object_get(answer, "variables");
        const char *message = json_string_value(json_object_get(answer, "message"));
        return client_external_error(
            work->client, &job->lease, code, message,
            variables != NULL ? json_text_in(&work->cli->arena, variables) : "{}", err);
    }
    if (!good)
        return report_said(work, job, err);
    if (!json_is_object(answer))
        return report_failure(work, job, "its output is not a JSON object", said_last(work, job),
                              err);
    return client_external_complete(work->client, &job->lease, empty ? "{}" : text, err);
}

static void show_said(struct work *work, const struct job *job)
{
    const char *said = memory_text(work->cli, job->said, 65536);

    if (said != NULL && *said != '\0')
        fputs(said, stderr);
}

static enum exit_code run_task(struct work *work, const json_t *row)
{
    struct job job = {.row = row, .in = -1, .out = -1, .said = -1};
    struct err err = {0};

    job.lease.worker = work->worker;
    job.lease.fence = row_int(row, "fence");
    if (!row_uuid(row, "task_id", &job.lease.task))
        return cli_refuse(work->cli, NULL, "the database gave a task without an id");
    enum exit_code code = start_program(work, &job);
    if (code == EXIT_DONE) {
        await_program(work, &job);
        show_said(work, &job);
        json_auto_t *unused = NULL;
        int result = !job.lost ? report(work, &job, &err)
                     : work->stopping
                         ? client_external_unlock(work->client, &job.lease.task, &unused, &err)
                         : 0;
        /* Too late: the work is another one's, and that is said. */
        if (result < 0 && (err.code == ERR_NOT_FOUND || err.code == ERR_CONFLICT))
            cli_fail(work->cli, &err);
        else if (result < 0)
            code = cli_fail(work->cli, &err);
        work->done += result == 0 && !job.lost;
    }
    if (job.in >= 0)
        close(job.in);
    if (job.out >= 0)
        close(job.out);
    if (job.said >= 0)
        close(job.said);
    return code;
}

/* ---- The loop ---- */

static bool signalled(void)
{
    const struct timespec now = {0};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return sigtimedwait(&set, NULL, &now) > 0;
}

static enum exit_code work_on(struct work *work)
{
    enum exit_code code = EXIT_DONE;
    struct err err = {0};

    while (code == EXIT_DONE && !work->stopping) {
        arena_reset(&work->cli->arena);
        json_auto_t *rows = NULL;
        if (client_external_fetch(work->client, work->worker, work->topics,
                                  work->once ? "{}" : "{\"wait\": 1000}", &rows, &err) < 0)
            return cli_fail(work->cli, &err);
        if (json_array_size(rows) > 0)
            code = run_task(work, json_array_get(rows, 0));
        else if (work->once)
            break;
        work->stopping |= signalled();
    }
    return code;
}

/* The topic as fetch_and_lock() wants it. */
static const char *topics_text(struct cli *cli, int64_t lock_ms)
{
    json_auto_t *topics = json_array();
    json_t *topic = json_object();

    json_object_set_new(topic, "topicName", output_string(cli->arguments[0]));
    json_object_set_new(topic, "lockDuration", json_integer(lock_ms));
    json_array_append_new(topics, topic);
    return json_text_in(&cli->arena, topics);
}

static enum exit_code run_work(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct work work = {.cli = cli, .worker = cli_option(cli, "as"), .once = cli_has(cli, "once")};
    double lock, pause;
    char host[64] = "";
    sigset_t set;
    long tries;

    if (cli_seconds(cli, "lock", 60, &lock) < 0 || cli_seconds(cli, "pause", 10, &pause) < 0 ||
        cli_number(cli, "tries", 1, 1000000, 3, &tries) < 0)
        return EXIT_USAGE;
    if (lock < 0.1)
        return cli_usage(cli, NULL, "--lock must be at least 0.1 s");
    gethostname(host, sizeof(host) - 1);
    if (work.worker == NULL)
        work.worker = arena_printf(&cli->arena, "%s-%d", host, (int)getpid());
    work.lock_ms = (int64_t)(lock * 1000);
    work.pause_ms = (int64_t)(pause * 1000);
    work.tries = (int)tries;
    work.topics = topics_text(cli, work.lock_ms);
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    work.client = client;
    struct cli scratch = *cli;
    arena_init(&scratch.arena, 0);
    work.cli = &scratch;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    code = work_on(&work);
    arena_deinit(&scratch.arena);
    if (code == EXIT_DONE && work.once)
        cli_note(cli, "%u task%s done, no more are there", work.done, work.done == 1 ? "" : "s");
    return code;
}

static const struct option work_options[] = {
    {"as", 0, "WORKER", "the worker's name (default: this host and process)"},
    {"lock", 0, "SECONDS",
     "length of the lease, which is extended while the program runs "
     "(default: 60)"},
    {"tries", 0, "N", "how often a task is tried before it is an incident (default: 3)"},
    {"pause", 0, "SECONDS", "between a failure and the next try (default: 10)"},
    {"once", 0, NULL, "end when no task is there"},
};

const struct subcommand command_external_work = {
    .name = "external work",
    .arguments = "TOPIC -- COMMAND [ARGUMENT…]",
    .summary = "let a program do the work of a topic",
    .about =
        "Fetches the external tasks of TOPIC, one after the other, and runs COMMAND for each. Its "
        "stdin is the variables as a JSON object; what it prints on stdout, a JSON object or "
        "nothing, "
        "becomes variables of the process. PAWL_TASK, PAWL_KEY (the business key), PAWL_ELEMENT, "
        "PAWL_INSTANCE, PAWL_PROCESS, PAWL_TOPIC and PAWL_RETRIES are in its environment.\n"
        "\n"
        "Status 0 completes the task. Any other is a failed try: the last line "
        "on stderr is its error, all of it the details; it "
        "throws a BPMN error if it prints {\"bpmnError\": \"CODE\", \"message\": …, "
        "\"variables\": …}.\n"
        "\n"
        "The lease is extended while COMMAND runs. If this program dies, others get the task when "
        "the lease ends. SIGTERM or ^C lets COMMAND finish; a second one stops it and gives the "
        "task back. Run as many as you like.",
    .options = work_options,
    .n_options = ARRAY_LEN(work_options),
    .examples = "  pawl external work charge -- ./charge.py\n"
                "  pawl external work greet --once -- jq '{greeting: (\"Hello \" + .name)}'\n",
    .min_arguments = 2,
    .max_arguments = -1,
    .database = true,
    .run = run_work,
};
