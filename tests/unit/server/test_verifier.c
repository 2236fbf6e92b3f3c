/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

#include "server/verifier.h"

/* The example of RFC 7677: password "pencil"; tests/sql/cases/users.sql makes the same in SQL. */
#define PENCIL                                                                                     \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"    \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static void test_verifier__password(void **state UNUSED)
{
    static const char *const bad[] = {
        "",
        "pencil",
        "SCRAM-SHA-256$",
        "SCRAM-SHA-256$0:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7"
        "BkeZkBFzpcXkuLmtbsT4qY=:x",
        "SCRAM-SHA-256$4096:%%$%%:%%",
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$c2hvcnQ=:x"};
    struct arena arena;

    arena_init(&arena, 0);
    assert_true(verifier_check(&arena, PENCIL, "pencil"));
    assert_false(verifier_check(&arena, PENCIL, "pencil "));
    assert_false(verifier_check(&arena, PENCIL, ""));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(verifier_check(&arena, bad[i], "pencil"));
    const char *made = verifier_make(&arena, "correct horse");
    assert_true(verifier_check(&arena, made, "correct horse"));
    assert_false(verifier_check(&arena, made, "correct hors"));
    /* Another salt each time. */
    assert_string_not_equal(made, verifier_make(&arena, "correct horse"));
    arena_deinit(&arena);
}

/* What this thread has worked, so that others on the machine do not count. */
static int64_t work_us(struct arena *arena, const char *verifier)
{
    struct timespec from, to;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    assert_false(verifier_check(arena, verifier, "wrong"));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

static void test_verifier__takes_as_long(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, 0);
    const char *made = verifier_make(&arena, "correct horse");
    assert_true(work_us(&arena, PENCIL) > work_us(&arena, made) / 3);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verifier__password),
        cmocka_unit_test(test_verifier__takes_as_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
