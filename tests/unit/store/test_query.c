/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/embedded.h"
#include "store/query.h"

struct fixture {
    struct arena arena;
    struct query_set set;
    size_t capacity;
    struct err err;
};

static int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){0};
    arena_init(&f.arena, 0);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    arena_deinit(&((struct fixture *)*state)->arena);
    return 0;
}

static int parse(struct fixture *f, const char *text)
{
    return query_parse(&f->arena, "queries/x.sql", text, &f->set, &f->capacity, &f->err);
}

static void test_query__sections(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        parse(f, "-- A file.\n\n-- name: one\nselect 1\n-- name: two\n-- why\nselect 2;\n"), 0);
    assert_int_equal(f->set.n, 2);
    assert_string_equal(f->set.items[0].name, "one");
    assert_string_equal(f->set.items[0].text, "select 1\n");
    assert_string_equal(f->set.items[1].text, "-- why\nselect 2;\n");
}

static void test_query__last_line_without_end(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(parse(f, "-- name: one\nselect 1"), 0);
    assert_string_equal(f->set.items[0].text, "select 1");
    assert_int_equal(parse(f, "-- name: empty"), 0);
    assert_string_equal(f->set.items[1].text, "");
}

static void test_query__what_is_wrong(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(parse(f, "select 0;\n-- name: one\nselect 1\n"), -1);
    assert_int_equal(parse(f, "-- name: One\nselect 1\n"), -1);
    assert_int_equal(parse(f, "-- name: \nselect 1\n"), -1);
    assert_int_equal(parse(f, "-- name: one two\nselect 1\n"), -1);
}

static void test_query__embedded_ones_are_found(void **state)
{
    struct fixture *f = *state;
    struct query_set set;

    assert_int_equal(query_load(&f->arena, &set, &f->err), 0);
    assert_true(set.n > 50);
    for (size_t i = 0; i < set.n; i++)
        assert_ptr_equal(query_find(&set, set.items[i].name), &set.items[i]);
    assert_null(query_find(&set, "no_such_query"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_query__sections, setup, teardown),
        cmocka_unit_test_setup_teardown(test_query__last_line_without_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_query__what_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(test_query__embedded_ones_are_found, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
