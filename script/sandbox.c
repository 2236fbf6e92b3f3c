/* SPDX-License-Identifier: Apache-2.0 */
#include "script/script.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static bool limit(int what, rlim_t to)
{
    const struct rlimit limit = {.rlim_cur = to, .rlim_max = to};

    return setrlimit((__rlimit_resource_t)what, &limit) == 0;
}

/* What arithmetic and two pipes need: memory, the time of day, its own end. */
static bool filter(void)
{
    static const int allowed[] = {
        SCMP_SYS(exit_group),    SCMP_SYS(exit),         SCMP_SYS(brk),
        SCMP_SYS(munmap),        SCMP_SYS(mremap),       SCMP_SYS(madvise),
        SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(futex),
        SCMP_SYS(rt_sigreturn),
    };
    scmp_filter_ctx rules = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool done = rules != NULL;

    for (size_t i = 0; done && i < sizeof(allowed) / sizeof(allowed[0]); i++)
        done = seccomp_rule_add(rules, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
    done = done &&
           seccomp_rule_add(rules, SCMP_ACT_ALLOW, SCMP_SYS(read), 1,
                            SCMP_A0(SCMP_CMP_EQ, STDIN_FILENO)) == 0 &&
           seccomp_rule_add(rules, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
                            SCMP_A0(SCMP_CMP_EQ, STDOUT_FILENO)) == 0 &&
           /* Memory of its own, never of a file, never to be executed (PROT_EXEC is 4). */
           seccomp_rule_add(rules, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0),
                            SCMP_A4(SCMP_CMP_MASKED_EQ, 0xffffffffu, 0xffffffffu)) == 0 &&
           seccomp_load(rules) == 0;
    seccomp_release(rules);
    return done;
}

const char *sandbox_enter(void)
{
    /* Else a zone is read from a file whenever a script asks for local time. */
    if (setenv("TZ", "UTC0", 1) != 0)
        return strerror(errno);
    tzset();
    /* Dies with the engine; nobody can look into it or trace it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return strerror(errno);
    if (!limit(RLIMIT_AS, SCRIPT_SPACE_BYTES) || !limit(RLIMIT_CORE, 0) ||
        !limit(RLIMIT_FSIZE, 0) || !limit(RLIMIT_NPROC, 0))
        return strerror(errno);
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    /* No descriptor is given any more. Before the filter, which would not allow it. */
    if (!limit(RLIMIT_NOFILE, 3))
        return strerror(errno);
    return filter() ? NULL : "the kernel takes no filter of system calls (seccomp)";
}
