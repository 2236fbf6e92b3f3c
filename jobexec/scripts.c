/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "engine/value.h"
#include "base/clock.h"
#include "jobexec/scripts.h"

#define FRAME_BYTES (8u << 20) /* a reply; as script/script.h has it */
#define SCRIPTS_MAX 1000u      /* of one process: what one of them spoilt does not last */
#define START_US 2000000       /* until it says that it is ready */

void sandbox_init(struct sandbox *sandbox, const char *program)
{
    *sandbox = (struct sandbox){.program = program, .to = -1, .from = -1};
}

void sandbox_end(struct sandbox *sandbox)
{
    if (sandbox->pid == 0)
        return;
    close(sandbox->to);
    close(sandbox->from);
    kill(sandbox->pid, SIGKILL);
    while (waitpid(sandbox->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    sandbox_init(sandbox, sandbox->program);
}

/* ---- Frames: a length of four bytes, and as many bytes ---- */

/* Waits until the pipe can be used. false: the time is over. */
static bool await_pipe(int fd, short events, int64_t until_us)
{
    for (;;) {
        struct pollfd pollfd = {.fd = fd, .events = events};
        int64_t left_us = until_us - clock_mono_us();
        if (left_us <= 0)
            return false;
        int n = poll(&pollfd, 1, (int)((left_us + 999) / 1000));
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
    }
}

enum transfer { TRANSFER_DONE, TRANSFER_LATE, TRANSFER_BROKEN };

static enum transfer send_bytes(struct sandbox *sandbox, const char *bytes, size_t n,
                                int64_t until_us)
{
    while (n > 0) {
        ssize_t put = write(sandbox->to, bytes, n);
        if (put > 0) {
            bytes += put;
            n -= (size_t)put;
        } else if (put < 0 && errno == EAGAIN) {
            if (!await_pipe(sandbox->to, POLLOUT, until_us))
                return TRANSFER_LATE;
        } else if (put == 0 || errno != EINTR) {
            return TRANSFER_BROKEN;
        }
    }
    return TRANSFER_DONE;
}

static enum transfer take_bytes(struct sandbox *sandbox, char *bytes, size_t n, int64_t until_us)
{
    while (n > 0) {
        ssize_t got = read(sandbox->from, bytes, n);
        if (got > 0) {
            bytes += got;
            n -= (size_t)got;
        } else if (got < 0 && errno == EAGAIN) {
            if (!await_pipe(sandbox->from, POLLIN, until_us))
                return TRANSFER_LATE;
        } else if (got == 0 || errno != EINTR) {
            return TRANSFER_BROKEN;
        }
    }
    return TRANSFER_DONE;
}

static enum transfer take_frame(struct sandbox *sandbox, int64_t until_us, struct arena *arena,
                                const char **ret_text, size_t *ret_n)
{
    uint32_t n;
    enum transfer end = take_bytes(sandbox, (char *)&n, sizeof(n), until_us);

    if (end == TRANSFER_DONE && n > FRAME_BYTES)
        end = TRANSFER_BROKEN;
    if (end != TRANSFER_DONE)
        return end;
    char *text = arena_alloc(arena, (size_t)n + 1);
    *ret_text = text;
    *ret_n = n;
    return take_bytes(sandbox, text, n, until_us);
}

/* ---- The process ---- */

/* It has three pipes and nothing else of ours: no environment, no descriptor. */
static bool spawn(struct sandbox *sandbox, int in, int out)
{
    char name[] = "pawl-script", *argv[] = {name, NULL}, *environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int rc = posix_spawn(&sandbox->pid, sandbox->program, &actions, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (rc != 0)
        sandbox->pid = 0;
    return rc == 0;
}

static bool start(struct sandbox *sandbox, struct arena *arena)
{
    int in[2], out[2];
    const char *text;
    size_t n;

    if (pipe2(in, O_CLOEXEC) < 0)
        return false;
    if (pipe2(out, O_CLOEXEC) < 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    sandbox->to = in[1];
    sandbox->from = out[0];
    bool spawned = spawn(sandbox, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    if (!spawned) {
        close(in[1]);
        close(out[0]);
        return false;
    }
    if (fcntl(sandbox->to, F_SETFL, O_NONBLOCK) == 0 &&
        fcntl(sandbox->from, F_SETFL, O_NONBLOCK) == 0 &&
        take_frame(sandbox, clock_mono_us() + START_US, arena, &text, &n) == TRANSFER_DONE)
        return true;
    sandbox_end(sandbox);
    return false;
}

enum store_script_end sandbox_run(void *context, const char *request, size_t n, int64_t limit_us,
                                  struct arena *arena, const char **ret_text)
{
    struct sandbox *sandbox = context;
    uint32_t length = (uint32_t)n;
    size_t reply_n = 0;

    if (sandbox->n_scripts >= SCRIPTS_MAX)
        sandbox_end(sandbox);
    if (sandbox->program == NULL || (sandbox->pid == 0 && !start(sandbox, arena))) {
        *ret_text =
            "the sandbox could not be started: is pawl-script installed beside pawl, and does "
            "the system allow seccomp?";
        return SCRIPT_FAILED;
    }
    sandbox->n_scripts++;
    int64_t until_us = clock_mono_us() + limit_us;
    enum transfer end = send_bytes(sandbox, (const char *)&length, sizeof(length), until_us);
    if (end == TRANSFER_DONE)
        end = send_bytes(sandbox, request, n, until_us);
    if (end == TRANSFER_DONE)
        end = take_frame(sandbox, until_us, arena, ret_text, &reply_n);
    if (end == TRANSFER_DONE && utf8_valid(*ret_text, reply_n))
        return SCRIPT_REPLIED;
    sandbox_end(sandbox);
    *ret_text = "the script ended its sandbox: it used too much memory, or did what is not allowed";
    return end == TRANSFER_LATE ? SCRIPT_SLOW : SCRIPT_FAILED;
}

/* ---- Scripts that take their time ---- */

static const struct value *member(const struct value *object, const char *name)
{
    return object != NULL && object->kind == VALUE_OBJECT ? value_member(object, name, strlen(name))
                                                          : NULL;
}

static const char *text_of(const struct value *value)
{
    return value != NULL && value->kind == VALUE_STRING ? value->u.string.text : NULL;
}

void scripts_delegate(void *context, const struct delegate_job *job, struct delegate_reply *reply)
{
    struct sandbox sandbox;
    struct value value = {.kind = VALUE_NULL};
    struct err err = {0};
    const char *text;

    sandbox_init(&sandbox, context);
    enum store_script_end end =
        sandbox_run(&sandbox, job->arguments, strlen(job->arguments),
                    INT64_C(1000) * LIMIT_SCRIPT_LONG_MS, reply->arena, &text);
    sandbox_end(&sandbox);
    if (end == SCRIPT_SLOW) {
        delegate_fail(reply, arena_printf(reply->arena,
                                          "it ran for more than %u ms (LIMIT_SCRIPT_LONG_MS)",
                                          LIMIT_SCRIPT_LONG_MS));
        return;
    }
    if (end == SCRIPT_FAILED) {
        delegate_fail(reply, text);
        return;
    }
    if (value_read(reply->arena, text, strlen(text), &value, &err) < 0) {
        delegate_fail(reply, err.text);
        return;
    }
    const struct value *thrown = member(&value, "bpmnError");
    if (thrown != NULL)
        delegate_throw(reply, text_of(member(thrown, "code")), text_of(member(thrown, "message")));
    else if (member(&value, "error") != NULL)
        delegate_fail(reply, text_of(member(&value, "error")));
    else
        delegate_succeed(reply, text);
}
