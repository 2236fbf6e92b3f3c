/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/arena.h"

static void test_arena__alloc_is_zeroed_and_aligned(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t round = 0; round < 3; round++) {
        for (size_t n = 0; n < 300; n++) {
            unsigned char *piece = arena_alloc(&arena, n);
            assert_non_null(piece);
            assert_int_equal((uintptr_t)piece % 16, 0);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(piece[i], 0);
            memset(piece, 0xff, n);
        }
        arena_reset(&arena);
        assert_int_equal(arena.used, 0);
    }
    arena_deinit(&arena);
}

static void test_arena__large_pieces(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, 0);
    char *small = arena_strdup(&arena, "small");
    memset(arena_alloc(&arena, 5u << 20), 1, 5u << 20);
    assert_string_equal(small, "small");
    assert_string_equal(arena_strdup(&arena, "after"), "after");
    arena_reset(&arena);
    assert_string_equal(arena_strdup(&arena, "again"), "again");
    arena_deinit(&arena);
}

/* What one round leaves unused counts with what the next ones use. */
static void test_arena__keeps_no_more(void **state UNUSED)
{
    struct arena arena;
    size_t n = 0;

    arena_init(&arena, 0);
    for (size_t bytes = 1u << 20; bytes <= 8u << 20; bytes *= 2) {
        for (size_t i = 0; i < (8u << 20) / bytes; i++)
            arena_alloc(&arena, bytes);
        arena_reset(&arena);
    }
    for (; arena.spare != NULL; n++)
        arena_alloc(&arena, 1u << 20);
    assert_in_range(n, 1, 8);
    arena_deinit(&arena);
}

/* What a reset keeps is handed out again, zeroed, and no more of it than stated. */
static void test_arena__kept(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, 0);
    void *piece = arena_alloc(&arena, 1u << 20);
    memset(piece, 1, 1u << 20);
    arena_reset(&arena);
    assert_non_null(arena.spare);
    unsigned char *again = arena_alloc(&arena, 1u << 20);
    assert_ptr_equal(again, piece);
    for (size_t i = 0; i < 1u << 20; i++)
        assert_int_equal(again[i], 0);
    arena_reset(&arena);
    arena_alloc(&arena, 20u << 20);
    arena_reset(&arena);
    assert_ptr_equal(arena_alloc(&arena, 1u << 20), piece);
    assert_null(arena.spare); /* the large one was given back */
    arena_deinit(&arena);
}

static void test_arena__cap(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, 1000);
    memset(arena_alloc(&arena, 900), 1, 900);
    assert_false(arena_full(&arena));
    memset(arena_alloc(&arena, 200), 1, 200); /* handed out all the same */
    assert_true(arena_full(&arena));
    arena_reset(&arena);
    assert_false(arena_full(&arena));
    arena_deinit(&arena);
    assert_int_equal(arena.cap, 1000);
}

static void test_arena__text(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, 0);
    assert_string_equal(arena_strndup(&arena, "abcdef", 3), "abc");
    assert_string_equal(arena_strndup(&arena, NULL, 0), "");
    assert_string_equal(arena_printf(&arena, "%s-%d", "x", 7), "x-7");
    arena_deinit(&arena);
}

static void test_arena__push(void **state UNUSED)
{
    struct arena arena;
    int *numbers = NULL;
    size_t n = 0, capacity = 0;

    arena_init(&arena, 0);
    for (int i = 0; i < 1000; i++)
        *arena_push(&arena, numbers, n, capacity) = i;
    assert_int_equal(n, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], i);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena__alloc_is_zeroed_and_aligned),
        cmocka_unit_test(test_arena__large_pieces),
        cmocka_unit_test(test_arena__kept),
        cmocka_unit_test(test_arena__keeps_no_more),
        cmocka_unit_test(test_arena__cap),
        cmocka_unit_test(test_arena__text),
        cmocka_unit_test(test_arena__push),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
