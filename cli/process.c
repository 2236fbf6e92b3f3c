/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/process.h"

static bool become(const struct user *user)
{
    if (!user->other)
        return true;
    return initgroups(user->name, user->gid) == 0 && setgid(user->gid) == 0 &&
           setuid(user->uid) == 0;
}

/* In the child: never returns. What goes wrong is said on the pipe, which is its stderr by then. */
static void child(const struct user *user, const char *cwd, const char *const *argv, int in,
                  int out)
{
    char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", locale[] = "LC_ALL=C.UTF-8",
         zone[] = "TZ=UTC";
    char *environment[] = {path, locale, zone, NULL};
    sigset_t none;

    /* `pawl up` blocks signals; a server that inherited this could not be stopped. */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    close_range(3, ~0u, 0);
    if (!become(user)) {
        dprintf(STDERR_FILENO, "cannot become user %s: %s\n", user->name, strerror(errno));
        _exit(126);
    }
    if (chdir(cwd) < 0) {
        dprintf(STDERR_FILENO, "cannot enter %s: %s\n", cwd, strerror(errno));
        _exit(126);
    }
    execve(argv[0], (char **)(uintptr_t)argv, environment);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 255;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A file that holds the input, so that nothing here can block on a full pipe. */
static int input_file(const char *input)
{
    int fd = input == NULL ? open("/dev/null", O_RDONLY | O_CLOEXEC)
                           : memfd_create("input", MFD_CLOEXEC);

    if (fd >= 0 && input != NULL &&
        (write(fd, input, strlen(input)) != (ssize_t)strlen(input) || lseek(fd, 0, SEEK_SET) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

int process_run(const struct user *user, const char *cwd, const char *const *argv,
                const char *input, struct buf *output, int *ret_status, struct err *err)
{
    int pipes[2], in = input_file(input);
    char piece[4096];
    ssize_t n;

    if (in < 0)
        return err_set(err, ERR_IO, "cannot prepare input for %s: %s", argv[0], strerror(errno));
    if (pipe2(pipes, O_CLOEXEC) < 0) {
        close(in);
        return err_set(err, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    }
    pid_t pid = fork();
    if (pid == 0)
        child(user, cwd, argv, in, pipes[1]);
    close(in);
    close(pipes[1]);
    if (pid < 0) {
        close(pipes[0]);
        return err_set(err, ERR_IO, "cannot start %s: %s", argv[0], strerror(errno));
    }
    while ((n = read(pipes[0], piece, sizeof(piece))) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            buf_add(output, piece, (size_t)n);
    close(pipes[0]);
    *ret_status = wait_for(pid);
    return 0;
}

bool process_may_enter(const struct user *user, const char *directory)
{
    if (!user->other)
        return access(directory, R_OK | X_OK) == 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(become(user) && access(directory, R_OK | X_OK) == 0 ? 0 : 1);
    return pid > 0 && wait_for(pid) == 0;
}
