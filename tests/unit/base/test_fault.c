/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fault.h"

/* Fault points, each in a child that may die of it. */

/* Passes the points a, b, a in a child; returns its wait status. */
static int pass_points(const char *fault, const char *log)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (fault != NULL)
            setenv("PAWL_FAULT", fault, 1);
        if (log != NULL)
            setenv("PAWL_FAULT_LOG", log, 1);
        fault_point("a");
        fault_point("ab");
        fault_point("a");
        _exit(7);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool killed(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static bool survived(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

static void test_fault__kills(void **state UNUSED)
{
#ifdef PAWL_FAULTS
    assert_true(killed(pass_points("a", NULL)));
    assert_true(killed(pass_points("a:1", NULL)));
    assert_true(killed(pass_points("a:2", NULL)));
    assert_true(killed(pass_points("ab", NULL)));
#else
    assert_false(killed(pass_points("a", NULL)));
#endif
    assert_true(survived(pass_points("a:3", NULL)));
    assert_true(survived(pass_points("ab:2", NULL)));
    assert_true(survived(pass_points("b", NULL)));
    assert_true(survived(pass_points(NULL, NULL)));
}

static void test_fault__log(void **state UNUSED)
{
#ifdef PAWL_FAULTS
    char path[] = "/tmp/pawl-fault-XXXXXX", text[100] = "";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_true(survived(pass_points(NULL, path)));
    assert_true(read(fd, text, sizeof(text) - 1) >= 0);
    close(fd);
    unlink(path);
    assert_string_equal(text, "a\nab\na\n");
#else
    skip();
#endif
}

static void test_fault__stops(void **state UNUSED)
{
#ifdef PAWL_FAULTS
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        setenv("PAWL_FAULT_STOP", "a:2", 1);
        fault_point("a");
        fault_point("a");
        _exit(7);
    }
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(kill(pid, SIGCONT), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(survived(status));
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault__kills),
        cmocka_unit_test(test_fault__log),
        cmocka_unit_test(test_fault__stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
