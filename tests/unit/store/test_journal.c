/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <unistd.h>

#include "store/journal.h"

static char dir[64];

static int setup(void **state UNUSED)
{
    memcpy(dir, "/tmp/pawl-journal.XXXXXX", sizeof("/tmp/pawl-journal.XXXXXX"));
    return mkdtemp(dir) == NULL;
}

static int teardown(void **state UNUSED)
{
    static const char *const names[] = {"batch.0", "batch.1", "suspects"};
    char path[128];

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static const struct item_key keys[] = {{{1, 2, 3, 4}}, {{1, UINT64_MAX, 0, 5}}, {{3, 0, 0, 0}}};

/* As a process does that dies in the middle of a batch of keys[from … from + n). */
static void die(int slot, bool alone, size_t from, size_t n)
{
    struct journal *journal;
    struct err err;

    assert_int_equal(journal_open(dir, slot, &journal, &err), 0);
    assert_int_equal(journal_begin(journal, alone, &keys[from], n, &err), 0);
    journal_close(journal);
}

static void test_journal__a_clean_end_leaves_nobody(void **state UNUSED)
{
    struct suspects suspects;
    struct journal *journal;
    struct suspect suspect;
    struct err err;

    assert_int_equal(suspects_open(&suspects, dir, &err), 0);
    assert_int_equal(journal_open(dir, 0, &journal, &err), 0);
    assert_int_equal(journal_begin(journal, false, keys, 3, &err), 0);
    assert_int_equal(journal_end(journal, &err), 0);
    journal_close(journal);
    suspects_close(&suspects);
    assert_int_equal(suspects_open(&suspects, dir, &err), 0);
    assert_false(suspects_take(&suspects, &suspect));
    suspects_close(&suspects);
}

static void test_journal__suspects_of_all_slots(void **state UNUSED)
{
    struct suspects suspects;
    struct suspect suspect;
    struct arena arena;
    struct err err;
    size_t n;

    die(0, false, 0, 2);
    die(1, false, 1, 2);
    assert_int_equal(suspects_open(&suspects, dir, &err), 0);
    arena_init(&arena, 0);
    suspects_keys(&suspects, &arena, &n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(suspects_take(&suspects, &suspect));
        assert_false(suspect.guilty);
    }
    assert_false(suspects_take(&suspects, &suspect)); /* all are in somebody's hands */
    assert_int_equal(suspects_settle(&suspects, &keys[1], SUSPECT_RAN, &err), 0);
    assert_int_equal(suspects_settle(&suspects, &keys[0], SUSPECT_PUT_OFF, &err), 0);
    suspects_close(&suspects);
    /* Killed now: who was not looked at is still there. */
    assert_int_equal(suspects_open(&suspects, dir, &err), 0);
    struct item_key *left = suspects_keys(&suspects, &arena, &n);
    assert_int_equal(n, 2);
    assert_false(item_key_equal(&left[0], &keys[1]) || item_key_equal(&left[1], &keys[1]));
    arena_deinit(&arena);
    suspects_close(&suspects);
}

static void test_journal__who_kills_alone_is_guilty(void **state UNUSED)
{
    struct suspects suspects;
    struct suspect suspect;
    struct err err;

    die(0, false, 0, 3);
    assert_int_equal(suspects_open(&suspects, dir, &err), 0);
    suspects_close(&suspects);
    die(0, true, 1, 1);
    for (int restarts = 0; restarts < 2; restarts++) {
        unsigned guilty = 0;
        assert_int_equal(suspects_open(&suspects, dir, &err), 0);
        while (suspects_take(&suspects, &suspect)) {
            guilty += suspect.guilty;
            assert_int_equal(suspect.guilty, item_key_equal(&suspect.key, &keys[1]));
        }
        assert_int_equal(guilty, 1);
        suspects_close(&suspects);
    }
}

static void test_journal__none_is_kept(void **state UNUSED)
{
    struct suspects suspects;
    struct journal *journal;
    struct suspect suspect;
    struct err err;

    assert_int_equal(suspects_open(&suspects, NULL, &err), 0);
    assert_false(suspects_take(&suspects, &suspect));
    suspects_close(&suspects);
    assert_int_equal(journal_open(NULL, 0, &journal, &err), 0);
    assert_null(journal);
    journal_close(journal);
    assert_int_equal(journal_open("/nowhere/at/all", 0, &journal, &err), -1);
    assert_int_equal(err.code, ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_journal__a_clean_end_leaves_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(test_journal__suspects_of_all_slots, setup, teardown),
        cmocka_unit_test_setup_teardown(test_journal__who_kills_alone_is_guilty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_journal__none_is_kept, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
