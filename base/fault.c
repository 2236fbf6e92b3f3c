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

void fault_point(const char *name)
{
    static atomic_int reached; /* of the one point that PAWL_FAULT names */
    const char *file = getenv("PAWL_FAULT_LOG");
    const char *want = getenv("PAWL_FAULT");

    if (file != NULL)
        fault_note(file, name);
    size_t n = strlen(name);
    if (want == NULL || strncmp(want, name, n) != 0 || (want[n] != '\0' && want[n] != ':'))
        return;
    int at = want[n] == ':' ? atoi(want + n + 1) : 1;
    if (atomic_fetch_add(&reached, 1) + 1 == at)
        kill(getpid(), SIGKILL);
}
#endif
