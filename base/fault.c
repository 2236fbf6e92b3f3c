/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/fault.h"

#ifdef PAWL_FAULTS
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static void fault_note(const char *file, const char *name)
{
    int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    char line[128];
    int n = snprintf(line, sizeof(line), "%s\n", name);
    /* A test reads this file; a write that fails shows there as a missing line. */
    ssize_t written = write(fd, line, (size_t)n);
    (void)written;
    close(fd);
}

/* Is this the pass that `want` ("name" or "name:3") speaks of? */
static bool fault_wanted(const char *want, const char *name, atomic_int *reached)
{
    size_t n = strlen(name);

    if (want == NULL || strncmp(want, name, n) != 0 || (want[n] != '\0' && want[n] != ':'))
        return false;
    int at = want[n] == ':' ? atoi(want + n + 1) : 1;
    return atomic_fetch_add(reached, 1) + 1 == at;
}

void fault_point(const char *name)
{
    static atomic_int killed, stopped; /* passes of the one point that each names */
    const char *file = getenv("PAWL_FAULT_LOG");

    if (file != NULL)
        fault_note(file, name);
    if (fault_wanted(getenv("PAWL_FAULT"), name, &killed))
        kill(getpid(), SIGKILL);
    if (fault_wanted(getenv("PAWL_FAULT_STOP"), name, &stopped))
        raise(SIGSTOP); /* this very thread; kill() might let it run on */
}
#endif
