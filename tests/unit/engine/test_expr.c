/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/limits.h"
#include "engine/expr.h"

/* Expressions: the cases of tests/expr, and what three lines cannot say. */

#define NOW INT64_C(1795255200000000) /* 2026-11-21T10:00:00Z */

static bool variable(void *context, const char *name, size_t n, struct value *ret_value)
{
    const struct value *member = value_member(context, name, n);

    if (member != NULL)
        *ret_value = *member;
    return member != NULL;
}

static struct expr_env env_of(struct value *variables)
{
    return (struct expr_env){
        .variable = variable,
        .context = variables,
        .process_instance_id = "0193b7a2-0000-7000-8000-000000000001",
        .business_key = "order-7",
        .process_definition_id = "order:3",
        .process_definition_key = "order",
        .activity_id = "check",
        .activity_name = "Check order",
        .now_us = NOW,
    };
}

/* The value as JSON, or "error: column N: text". */
static const char *outcome(struct arena *arena, const char *text, const char *variables)
{
    const struct expr *expr;
    struct value object, value;
    struct err err = {.code = ERR_NONE};

    if (value_read(arena, variables, strlen(variables), &object, &err) < 0)
        return arena_printf(arena, "bad variables: %s", err.text);
    struct expr_env env = env_of(&object);
    if (expr_compile(arena, text, &expr, &err) == 0 &&
        expr_eval(expr, &env, arena, &value, &err) == 0)
        return value_text(arena, &value, NULL);
    return arena_printf(arena, "error: column %d: %s", err.column, err.text);
}

/* "error: column N: part" wants the column, and the part somewhere in the text. */
static bool as_expected(const char *got, const char *want)
{
    if (strncmp(want, "error: column ", strlen("error: column ")) != 0)
        return strcmp(got, want) == 0;
    const char *column = strstr(want, ": ");
    const char *part = column != NULL ? strstr(column + 2, ": ") : NULL;
    if (part == NULL)
        return false;
    part += 2;
    return strncmp(got, want, (size_t)(part - want)) == 0 && strstr(got, part) != NULL;
}

static char *resolve_newlines(char *line)
{
    char *to = line;
    bool quoted = false;

    for (char *p = line; *p != '\0'; p++) {
        quoted = quoted != (*p == '"' || *p == '\'');
        if (!quoted && p[0] == '\\' && p[1] == 'n') {
            *to++ = '\n';
            p++;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
    return line;
}

static unsigned run_file(const char *path, unsigned *n_failed)
{
    char line[3][4096];
    unsigned at = 0, number = 0, n_cases = 0;
    struct arena arena;
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    arena_init(&arena, 0);
    while (fgets(line[at], sizeof(line[at]), file) != NULL) {
        number++;
        line[at][strcspn(line[at], "\n")] = '\0';
        if (at == 0 && (line[0][0] == '\0' || (line[0][0] == '#' && line[0][1] != '{')))
            continue;
        if (++at < 3)
            continue;
        at = 0;
        n_cases++;
        const char *got = outcome(&arena, resolve_newlines(line[0]), line[1]);
        if (!as_expected(got, line[2])) {
            print_error("%s:%u: %s with %s\n  expected %s\n  got      %s\n", path, number, line[0],
                        line[1], line[2], got);
            (*n_failed)++;
        }
        arena_reset(&arena);
    }
    assert_int_equal(at, 0); /* a case has three lines */
    fclose(file);
    arena_deinit(&arena);
    return n_cases;
}

static void test_expr__files(void **state UNUSED)
{
    unsigned n_cases = 0, n_failed = 0;
    DIR *dir = opendir(PAWL_SOURCE_DIR "/tests/expr");
    const struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        char path[1024];
        size_t n = strlen(entry->d_name);
        if (n < 5 || strcmp(entry->d_name + n - 4, ".txt") != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", PAWL_SOURCE_DIR "/tests/expr", entry->d_name);
        n_cases += run_file(path, &n_failed);
    }
    closedir(dir);
    print_message("%u cases\n", n_cases);
    assert_true(n_cases > 200);
    assert_int_equal(n_failed, 0);
}

static void expect_text(const char *text, const char *variables, const char *want)
{
    struct arena arena;

    arena_init(&arena, 0);
    const char *got = outcome(&arena, text, variables);
    if (!as_expected(got, want))
        print_error("%.200s: expected %s, got %.500s\n", text, want, got);
    assert_true(as_expected(got, want));
    arena_deinit(&arena);
}

/* head, then `middle` n times, then tail. */
static char *repeated(struct arena *arena, const char *head, const char *middle, size_t n,
                      const char *tail)
{
    size_t head_n = strlen(head), middle_n = strlen(middle);
    char *text = arena_alloc(arena, head_n + middle_n * n + strlen(tail) + 1), *to = text;

    memcpy(to, head, head_n);
    to += head_n;
    for (; n > 0; n--, to += middle_n)
        memcpy(to, middle, middle_n);
    memcpy(to, tail, strlen(tail));
    return text;
}

static void test_expr__empty_text(void **state UNUSED)
{
    expect_text("", "{}", "\"\"");
}

static void test_expr__depth(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, 0);
    /* 63 and the expression itself. */
    char *text = repeated(&arena, "${", "(", 63, "1");
    expect_text(repeated(&arena, text, ")", 63, "}"), "{}", "1");
    expect_text(repeated(&arena, "${", "(", 64, "1"), "{}", "error: column 67: nested deeper than");
    expect_text(repeated(&arena, "${", "!", 64, "true}"), "{}", "error: column 66: nested deeper");
    expect_text(repeated(&arena, "${", "- ", 64, "a}"), "{}", "error: column 129: nested deeper");
    expect_text(repeated(&arena, "${", "a[", 64, "0"), "{}", "error: column 131: nested deeper");
    expect_text(repeated(&arena, "${", "a?1:", 64, "0}"), "{}", "error: column 257: nested deeper");
    expect_text(repeated(&arena, "${a", ".contains(a", 64, ""), "{}",
                "error: column 707: nested deeper");
    /* What is long but not deep is as deep as its parts. */
    expect_text(repeated(&arena, "${1", "+1", 3000, "}"), "{}", "3001");
    expect_text(repeated(&arena, "${a", ".a", 3000, "}"), "{\"a\":null}", "null");
    expect_text(repeated(&arena, "${true", "&&a", 2000, "}"), "{\"a\":true}", "true");
    arena_deinit(&arena);
}

static void test_expr__length(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, 0);
    expect_text(repeated(&arena, "${", " ", LIMIT_EXPR_BYTES - 4, "1}"), "{}", "1");
    expect_text(repeated(&arena, "x${", " ", LIMIT_EXPR_BYTES - 3, "1}"), "{}",
                "error: column 2: the expression is longer than 8192 bytes");
    /* The text around may be longer. */
    const char *got = outcome(&arena, repeated(&arena, "", "x", 100000, "${1}"), "{}");
    assert_int_equal(strlen(got), 100000 + 3);
    arena_deinit(&arena);
}

static void test_expr__made_text_is_bounded(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, 0);
    char *big = repeated(&arena, "{\"s\":\"", "x", 1000000, "\"}");
    expect_text("${s + 'y' == s}", big, "false");
    expect_text("${s + s}", big, "error: column 5: would be longer than 1048576 bytes");
    expect_text("${s}${s}", big, "error: column 1: would be longer than 1048576 bytes");
    expect_text("${s.concat(s)}", big, "error: column 5: would be longer");
    expect_text("${s.replace('x', 'yy')}", big, "error: column 5: would be longer");
    expect_text(repeated(&arena, "${s", ".trim()", 17, "}"), big,
                "error: column 117: makes more text than it may (16777216 bytes in all)");
    arena_deinit(&arena);
    /* A capped arena ends it too. */
    arena_init(&arena, 3u << 20);
    big = repeated(&arena, "{\"s\":\"", "x", 1000000, "\"}");
    const char *got = outcome(&arena, "${s.trim().trim().trim()}", big);
    assert_true(as_expected(got, "error: column 19: makes more text than it may"));
    arena_deinit(&arena);
}

static void test_expr__utf8(void **state UNUSED)
{
    expect_text("${'\xff'}", "{}", "error: column 0: the text is not valid UTF-8");
}

static void test_expr__errors_show_the_place(void **state UNUSED)
{
    struct arena arena;
    struct err err;
    const struct expr *expr;

    arena_init(&arena, 0);
    char *text = repeated(&arena, "${", "ä + ", 200, "b = c}");
    assert_int_equal(expr_compile(&arena, text, &expr, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(err.column, 1005);
    assert_non_null(strstr(err.text, "in ..."));
    assert_non_null(strstr(err.text, "ä + b = c} at column 1005: '=' assigns"));
    assert_int_equal(expr_compile(&arena, text, &expr, NULL), -1); /* nobody wants to know */
    text = repeated(&arena, "${a = ", "ä", 200, "}");
    assert_int_equal(expr_compile(&arena, text, &expr, &err), -1);
    assert_non_null(strstr(err.text, "ä... at column 5"));
    text = repeated(&arena, "${(", "", 0, "");
    assert_int_equal(expr_compile(&arena, repeated(&arena, text, "(", 100, ""), &expr, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    arena_deinit(&arena);
}

static void expect_bool(const char *text, const char *variables, const char *want)
{
    struct arena arena;
    const struct expr *expr;
    struct value object;
    struct err err = {.code = ERR_NONE};
    bool truth;

    arena_init(&arena, 0);
    assert_int_equal(value_read(&arena, variables, strlen(variables), &object, &err), 0);
    struct expr_env env = env_of(&object);
    assert_int_equal(expr_compile(&arena, text, &expr, &err), 0);
    if (expr_eval_bool(expr, &env, &arena, &truth, &err) == 0)
        assert_string_equal(truth ? "true" : "false", want);
    else
        assert_non_null(strstr(err.text, want));
    arena_deinit(&arena);
}

static void test_expr__conditions(void **state UNUSED)
{
    expect_bool("${a > 1}", "{\"a\":2}", "true");
    expect_bool("${a}", "{\"a\":\"true\"}", "true");
    expect_bool("${a}", "{\"a\":\"false\"}", "false");
    expect_bool("true", "{}", "true");
    expect_bool("${a}", "{\"a\":null}", "a condition must be true or false, this one is null");
    expect_bool("${a}", "{\"a\":1}", "this one is of type number");
    expect_bool("${a}", "{\"a\":\"yes\"}", "this one is another string");
    expect_bool("a > 1", "{}", "this one is another string");
    expect_bool("${a}", "{}", "there is no variable 'a'");
}

static void test_expr__strings(void **state UNUSED)
{
    static const char *const cases[][2] = {
        {"${n}", "1.10"}, {"${b}", "true"},     {"${l}", "[1,{\"a\":\"b\"}]"},
        {"${s}", "text"}, {"${nothing}", NULL}, {"x${nothing}", "x"},
        {"", ""},
    };
    static const char variables[] =
        "{\"n\":1.10,\"b\":true,\"l\":[ 1, {\"a\":\"b\"} ],\"s\":\"text\",\"nothing\":null}";
    struct arena arena;
    struct value object;

    arena_init(&arena, 0);
    assert_int_equal(value_read(&arena, variables, strlen(variables), &object, NULL), 0);
    struct expr_env env = env_of(&object);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct expr *expr;
        const char *text;
        assert_int_equal(expr_compile(&arena, cases[i][0], &expr, NULL), 0);
        assert_int_equal(expr_eval_string(expr, &env, &arena, &text, NULL), 0);
        if (cases[i][1] == NULL)
            assert_null(text);
        else
            assert_string_equal(text, cases[i][1]);
    }
    arena_deinit(&arena);
}

static void note(void *context, const char *name)
{
    strncat(context, name, 20);
    strncat(context, " ", 2);
}

static void test_expr__each_variable(void **state UNUSED)
{
    static const char *const cases[][2] = {
        {"text", ""},
        {"\\${a}", ""},
        {"${a + b.c}", "a b "},
        {"${a && b}", "a "},
        {"${a || b}", "a "},
        {"${a ? b : c}", "a "},
        {"${!empty a && a.b}", ""},
        {"${a[i] + s.contains(t)}", "a i s t "},
        {"x ${a} y ${b == 'c'}", "a b "},
        {"${execution.getVariable('a')}", ""},
        {"${execution.getVariable(a)}", "a "},
        {"${execution.businessKey + now()}", ""},
        {"${a < b && c}", "a b "},
    };
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct expr *expr;
        char names[200] = "";
        assert_int_equal(expr_compile(&arena, cases[i][0], &expr, NULL), 0);
        expr_each_variable(expr, note, names);
        assert_string_equal(names, cases[i][1]);
        assert_string_equal(expr_text(expr), cases[i][0]);
        assert_int_equal(expr_is_literal(expr), i == 0);
    }
    arena_deinit(&arena);
}

static void test_expr__no_lookup(void **state UNUSED)
{
    struct arena arena;
    const struct expr *expr;
    struct value value;
    struct err err;
    const struct expr_env env = {.now_us = 0};

    arena_init(&arena, 0);
    assert_int_equal(expr_compile(&arena, "${a}", &expr, &err), 0);
    assert_int_equal(expr_eval(expr, &env, &arena, &value, &err), -1);
    assert_int_equal(expr_compile(&arena, "${execution.businessKey}", &expr, &err), 0);
    assert_int_equal(expr_eval(expr, &env, &arena, &value, &err), 0);
    assert_int_equal(value.kind, VALUE_NULL);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expr__files),
        cmocka_unit_test(test_expr__empty_text),
        cmocka_unit_test(test_expr__depth),
        cmocka_unit_test(test_expr__length),
        cmocka_unit_test(test_expr__made_text_is_bounded),
        cmocka_unit_test(test_expr__utf8),
        cmocka_unit_test(test_expr__errors_show_the_place),
        cmocka_unit_test(test_expr__conditions),
        cmocka_unit_test(test_expr__strings),
        cmocka_unit_test(test_expr__each_variable),
        cmocka_unit_test(test_expr__no_lookup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
