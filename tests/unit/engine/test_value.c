/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "engine/value.h"

/* Values: cases by hand, and jansson as the judge of random texts. */

static int setup(void **state)
{
    struct arena *arena = malloc(sizeof(*arena));

    if (arena == NULL)
        return -1;
    arena_init(arena, 0);
    *state = arena;
    return 0;
}

static int teardown(void **state)
{
    arena_deinit(*state);
    free(*state);
    return 0;
}

static struct value read_ok(struct arena *arena, const char *text)
{
    struct value value;
    struct err err = {.code = ERR_NONE};

    if (value_read(arena, text, strlen(text), &value, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return value;
}

static void test_value__round_trip(void **state)
{
    static const char *const cases[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.10",
        "1e5",
        "1E+05",
        "-12.50e-3",
        "\"\"",
        "[]",
        "{}",
        "12345678901234567890123456789",
        "\"ä€𝄞\"",
        "[1,[2,[3,{}]]]",
        "{\"b\":1,\"a\":[true,null],\"\":\"x\"}",
        "{\"a\":1,\"a\":2}",
        "\"\\\"\\\\\\b\\f\\n\\r\\t\\u001f\x7f\"",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value value = read_ok(*state, cases[i]);
        size_t n;
        assert_string_equal(value_text(*state, &value, &n), cases[i]);
        assert_int_equal(n, strlen(cases[i]));
    }
}

static void test_value__compact(void **state)
{
    struct value value = read_ok(*state, " { \"a\" :\t[ 1 ,\r\n 2 ] , \"\\u00e4\\/\" : \"\\u20AC"
                                         "\\ud834\\udd1e\" } ");

    assert_string_equal(value_text(*state, &value, NULL), "{\"a\":[1,2],\"ä/\":\"€𝄞\"}");
}

static void test_value__write_is_bounded(void **state)
{
    struct value value = read_ok(*state, "[\"a long text\",1,true]");
    struct buf buf;

    buf_init(&buf, 0);
    value_write(&value, &buf);
    assert_string_equal(buf_str(&buf), "[\"a long text\",1,true]");
    buf_deinit(&buf);
    buf_init(&buf, 8);
    value_write(&value, &buf);
    assert_true(buf.overflow);
    buf_deinit(&buf);
}

static void test_value__refusals(void **state)
{
    static const struct {
        const char *text, *message;
        int line, column;
    } cases[] = {
        {"", "expected a JSON value, but the text ends here", 1, 1},
        {"  ", "but the text ends here", 1, 3},
        {"nul", "expected a JSON value, found 'n'", 1, 1},
        {"TRUE", "expected a JSON value, found 'T'", 1, 1},
        {"{", "expected a member's name in \", but the text ends here", 1, 2},
        {"{a:1}", "expected a member's name in \", found 'a'", 1, 2},
        {"{'a':1}", "found ' (JSON quotes with \")", 1, 2},
        {"{\"a\" 1}", "expected ':' after a member's name, found '1'", 1, 6},
        {"{\"a\":}", "expected a JSON value, found '}'", 1, 6},
        {"{\"a\":1", "expected ',' or '}' after a member, but the text ends here", 1, 7},
        {"{\"a\":1,}", "a comma before '}' is one too many", 1, 8},
        {"[1,]", "a comma before ']' is one too many", 1, 4},
        {"[1 2]", "expected ',' or ']' after an item, found '2'", 1, 4},
        {"[1}", "expected ',' or ']' after an item, found '}'", 1, 3},
        {"1 1", "expected the end of the text, found '1'", 1, 3},
        {"01", "a number may not start with 0", 1, 1},
        {"-", "expected a digit, but the text ends here", 1, 2},
        {"+1", "expected a JSON value, found '+'", 1, 1},
        {"1.", "expected a digit after the decimal point", 1, 3},
        {".5", "expected a JSON value, found '.'", 1, 1},
        {"1e", "expected a digit of the exponent", 1, 3},
        {"NaN", "expected a JSON value", 1, 1},
        {"1e131073", "too large or too precise for PostgreSQL's numeric", 1, 1},
        {"1e-16384", "too large or too precise for PostgreSQL's numeric", 1, 1},
        {"1e99999999999999999999", "too large or too precise", 1, 1},
        {"\"abc", "this string is never closed with \"", 1, 1},
        {"\"a\\", "the text ends inside a string", 1, 4},
        {"\"a\\x\"", "write \\\\ for a backslash", 1, 3},
        {"\"a\tb\"", "the byte 0x09 must be escaped inside a string", 1, 3},
        {"\"\\u12\"", "\\u needs four hexadecimal digits", 1, 2},
        {"\"\\u0000\"", "\\u0000 cannot be kept in PostgreSQL's text", 1, 2},
        {"\"\\ud834\"", "half of a surrogate pair", 1, 2},
        {"\"\\udd1e\"", "half of a surrogate pair", 1, 2},
        {"\"\\ud834\\u0041\"", "half of a surrogate pair", 1, 2},
        {"\"\xff\"", "the byte 0xff is not valid UTF-8", 1, 2},
        {"\"\xc3\"", "the byte 0xc3 is not valid UTF-8", 1, 2},
        {"\"\xc0\x80\"", "not valid UTF-8", 1, 2},
        {"\"\xed\xa0\x80\"", "not valid UTF-8", 1, 2},
        {"\"\xf4\x90\x80\x80\"", "not valid UTF-8", 1, 2},
        {"\xef\xbb\xbf{}", "expected a JSON value, found the byte 0xef", 1, 1},
        {"[\n  1,\n  x\n]", "not valid JSON at line 3, column 3", 3, 3},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {.code = ERR_NONE};
        struct value value;
        const char *text = cases[i].text;
        assert_int_equal(value_read(*state, text, strlen(text), &value, &err), -1);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("%s: %s", text, err.text);
        assert_int_equal(err.line, cases[i].line);
        assert_int_equal(err.column, cases[i].column);
        assert_int_equal(value_read(*state, text, strlen(text), &value, NULL), -1);
    }
    /* A NUL byte is not the end. */
    struct value value;
    assert_int_equal(value_read(*state, "1\0", 2, &value, NULL), -1);
    assert_int_equal(value_read(*state, "\"a\0\"", 4, &value, NULL), -1);
}

static char *nested(struct arena *arena, const char *open, const char *close, unsigned n)
{
    char *text = arena_alloc(arena, (strlen(open) + strlen(close)) * n + 2), *to = text;

    for (unsigned i = 0; i < n; i++, to += strlen(open))
        memcpy(to, open, strlen(open));
    *to++ = '1';
    for (unsigned i = 0; i < n; i++, to += strlen(close))
        memcpy(to, close, strlen(close));
    return text;
}

static void test_value__limits(void **state)
{
    struct arena *arena = *state;
    struct err err;
    struct value value;

    read_ok(arena, nested(arena, "[", "]", LIMIT_JSON_DEPTH));
    read_ok(arena, nested(arena, "{\"a\":", "}", LIMIT_JSON_DEPTH));
    const char *deep = nested(arena, "[", "]", LIMIT_JSON_DEPTH + 1);
    assert_int_equal(value_read(arena, deep, strlen(deep), &value, &err), -1);
    assert_non_null(strstr(err.text, "nested deeper than 128 levels"));
    deep = nested(arena, "{\"a\":", "}", 100000);
    assert_int_equal(value_read(arena, deep, strlen(deep), &value, &err), -1);
    char name[LIMIT_NAME_BYTES + 16] = "{\"";
    memset(name + 2, 'n', LIMIT_NAME_BYTES);
    memcpy(name + 2 + LIMIT_NAME_BYTES, "\":1}", 5);
    read_ok(arena, name);
    memcpy(name + 2 + LIMIT_NAME_BYTES, "n\":1}", 6);
    assert_int_equal(value_read(arena, name, strlen(name), &value, &err), -1);
    assert_non_null(strstr(err.text, "a member's name is longer than 255 bytes"));
}

static void test_value__numbers(void **state)
{
    static const struct {
        const char *text;
        bool is_integer;
        int64_t integer;
        double number;
    } cases[] = {
        {"0", true, 0, 0},
        {"-1", true, -1, -1},
        {"9223372036854775807", true, INT64_MAX, 9223372036854775807.0},
        {"-9223372036854775808", true, INT64_MIN, -9223372036854775808.0},
        {"9223372036854775808", false, 0, 9223372036854775808.0},
        {"1.0", false, 0, 1.0},
        {"1.10", false, 0, 1.1},
        {"123456789.123456789", false, 0, 123456789.123456789},
        {"0.1", false, 0, 0.1},
        {"5e-324", false, 0, 5e-324},
        {"1.7976931348623157e308", false, 0, 1.7976931348623157e308},
        {"2.2250738585072011e-308", false, 0, 2.2250738585072011e-308},
        {"123456789012345678901234567890", false, 0, 123456789012345678901234567890.0},
        {"1e400", false, 0, HUGE_VAL},
        {"-12.5E+2", false, 0, -1250},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value value = read_ok(*state, cases[i].text);
        assert_int_equal(value.kind, VALUE_NUMBER);
        assert_int_equal(value.u.number.is_integer, cases[i].is_integer);
        if (cases[i].is_integer)
            assert_true(value.u.number.integer == cases[i].integer);
        assert_true(memcmp(&value.u.number.number, &cases[i].number, sizeof(double)) == 0);
    }
}

static void test_value__made_numbers(void **state)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {2, "2.0"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {-1.5, "-1.5"},
        {1e22, "1e+22"},
        {1e-7, "1e-07"},
        {5e-324, "4.94065645841247e-324"},
        {1234567.0, "1234567.0"},
        {-0.0, "-0.0"},
    };
    static const int64_t integers[] = {0, 7, -7, INT64_MAX, INT64_MIN};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value value = value_double(*state, cases[i].number);
        const char *text = value_text(*state, &value, NULL);
        assert_string_equal(text, cases[i].text);
        struct value again = read_ok(*state, text);
        assert_true(memcmp(&again.u.number.number, &cases[i].number, sizeof(double)) == 0);
        assert_false(again.u.number.is_integer);
    }
    for (size_t i = 0; i < ARRAY_LEN(integers); i++) {
        char want[32];
        struct value value = value_integer(*state, integers[i]);
        snprintf(want, sizeof(want), "%lld", (long long)integers[i]);
        assert_string_equal(value_text(*state, &value, NULL), want);
        struct value again = read_ok(*state, want);
        assert_true(again.u.number.integer == integers[i] && again.u.number.is_integer);
    }
}

/* Ascending; equal within a row. */
static void test_value__number_order(void **state)
{
    static const char *const rows[][4] = {
        {"-1e400", "-10e399"},
        {"-12345678901234567891", "-1.2345678901234567891e19"},
        {"-12345678901234567890", "-12345678901234567890.0"},
        {"-1.5", "-1.50", "-15e-1", "-0.15e1"},
        {"-1", "-1.0", "-0.1e1"},
        {"-0.001", "-1e-3"},
        {"0", "-0", "0.000", "0e99"},
        {"1e-400", "0.1e-399"},
        {"0.001", "1e-3", "0.00100", "10e-4"},
        {"0.01", "1e-2"},
        {"1", "1.0", "0.1e1", "10e-1"},
        {"1.1", "1.10", "11e-1"},
        {"1.11"},
        {"2"},
        {"10", "1e1", "10.0"},
        {"100.5", "1005e-1"},
        {"9007199254740992", "9007199254740992.0"},
        {"9007199254740993", "9007199254740993.0"},
        {"12345678901234567890", "1234567890123456789e1"},
        {"12345678901234567891"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t j = 0; j < ARRAY_LEN(rows); j++) {
            for (size_t k = 0; k < 16; k++) {
                if (rows[i][k & 3] == NULL || rows[j][k >> 2] == NULL)
                    continue;
                struct value a = read_ok(*state, rows[i][k & 3]);
                struct value b = read_ok(*state, rows[j][k >> 2]);
                int order = value_compare_numbers(&a, &b);
                int want = (i > j) - (i < j);
                if (order != want)
                    fail_msg("%s and %s: %d", rows[i][k & 3], rows[j][k >> 2], order);
                assert_int_equal(value_equal(&a, &b), want == 0);
            }
        }
    }
}

static void test_value__equal(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"1", "1.0", true},
        {"1", "\"1\"", false},
        {"null", "false", false},
        {"\"a\"", "\"\\u0061\"", true},
        {"[1,2]", "[1,2.0]", true},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,1]", false},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"{\"a\":1,\"a\":2}", "{\"a\":2}", true},
        {"{\"a\":1,\"a\":2}", "{\"a\":1}", false},
        {"{\"a\":[{}]}", "{\"a\":[{}]}", true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value a = read_ok(*state, cases[i].a), b = read_ok(*state, cases[i].b);
        assert_int_equal(value_equal(&a, &b), cases[i].equal);
        assert_int_equal(value_equal(&b, &a), cases[i].equal);
    }
}

static void test_value__member(void **state)
{
    struct value value = read_ok(*state, "{\"a\":1,\"ab\":2,\"a\":3}"),
                 array = read_ok(*state, "[]");

    assert_int_equal(value_member(&value, "a", 1)->u.number.integer, 3);
    assert_int_equal(value_member(&value, "ab", 2)->u.number.integer, 2);
    assert_null(value_member(&value, "abc", 3));
    assert_null(value_member(&array, "a", 1));
    assert_string_equal(value_kind_name(value.kind), "object");
}

static void test_value__depth(void **state)
{
    static const struct {
        const char *text;
        unsigned depth;
    } cases[] = {
        {"1", 0},  {"\"x\"", 0},     {"[]", 1},
        {"{}", 1}, {"[1,[2],3]", 2}, {"{\"a\":{\"b\":[{}]},\"c\":1}", 4},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value value = read_ok(*state, cases[i].text);
        assert_int_equal(value_depth(&value), cases[i].depth);
    }
}

static void each(void *context, const char *name, const char *raw, size_t raw_n)
{
    buf_printf(context, "%s=%.*s;", name, (int)raw_n, raw);
}

static void test_value__split(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"{}", ""},
        {" { } ", ""},
        {"{\"a\":1}", "a=1;"},
        {" {\"a\" : 1.10 , \"b\":[ 1, {\"x\":\"}\"} ] ,\"\\u00e4\":\"s\" } ",
         "a=1.10;b=[ 1, {\"x\":\"}\"} ];ä=\"s\";"},
        {"{\"a\":1,\"a\":null}", "a=1;a=null;"},
        {"{\"a\":1,\"b\":}", NULL},
        {"{\"a\":1} x", NULL},
        {"{\"a\":1,}", NULL},
        {"[]", NULL},
        {"\"a\"", NULL},
        {"", NULL},
        {"{", NULL},
        {"{\"a\":\"\\u0000\"}", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf buf;
        struct err err;
        const char *text = cases[i].text;
        buf_init(&buf, 0);
        int r = value_split(*state, text, strlen(text), each, &buf, &err);
        assert_int_equal(r, cases[i].want != NULL ? 0 : -1);
        assert_string_equal(buf_str(&buf), r < 0 ? "" : cases[i].want);
        buf_deinit(&buf);
    }
}

/* A small generator (xorshift), so that a seed says all. */
struct random {
    uint64_t state;
};

static unsigned below(struct random *random, unsigned n)
{
    random->state ^= random->state << 13;
    random->state ^= random->state >> 7;
    random->state ^= random->state << 17;
    return (unsigned)(random->state >> 33) % n;
}

static void make_string(struct random *random, struct buf *buf)
{
    static const char *const pieces[] = {
        "a",
        "key",
        " ",
        "ä",
        "€",
        "𝄞",
        "\\n",
        "\\\"",
        "\\\\",
        "\\u00e4",
        "0123456789abcdef",
        "\\/",
        "\\ud834\\udd1e",
        "\x7f",
        "'",
        "\\t",
        "{",
        "]",
    };

    buf_add_char(buf, '"');
    for (unsigned n = below(random, 6); n > 0; n--)
        buf_add_str(buf, pieces[below(random, ARRAY_LEN(pieces))]);
    buf_add_char(buf, '"');
}

static void make_value(struct random *random, struct buf *buf, unsigned depth)
{
    static const char *const words[] = {
        "null", "true", "false", "0",   "-1", "12.5", "1e3", "-0.25E-2", "9223372036854775807",
        "[]",   "{}",   "123",   "0.1", "7",
    };
    static const char *const spaces[] = {"", "", "", " ", "\n", "\t "};
    unsigned kind = below(random, depth == 0 ? 4 : 8);

    buf_add_str(buf, spaces[below(random, ARRAY_LEN(spaces))]);
    if (kind < 2) {
        buf_add_str(buf, words[below(random, ARRAY_LEN(words))]);
    } else if (kind < 4) {
        make_string(random, buf);
    } else {
        bool object = kind < 6;
        unsigned n = below(random, 5);
        buf_add_char(buf, object ? '{' : '[');
        for (unsigned i = 0; i < n; i++) {
            if (i != 0)
                buf_add_char(buf, ',');
            if (object) {
                make_string(random, buf);
                buf_add_char(buf, ':');
            }
            make_value(random, buf, depth - 1);
        }
        buf_add_char(buf, object ? '}' : ']');
    }
    buf_add_str(buf, spaces[below(random, ARRAY_LEN(spaces))]);
}

/* Breaks a text in one to three places; often it stays valid. */
static void break_text(struct random *random, struct buf *buf)
{
    static const char bytes[] = "{}[]\",:\\0123456789eE+-.ntfu a\x01\xc3\xa4\xff\x80";

    for (unsigned n = 1 + below(random, 3); n > 0 && buf->len > 0; n--) {
        size_t at = below(random, (unsigned)buf->len);
        switch (below(random, 3)) {
        case 0:
            buf->data[at] = bytes[below(random, sizeof(bytes) - 1)];
            break;
        case 1:
            memmove(buf->data + at, buf->data + at + 1, buf->len - at - 1);
            buf->len--;
            break;
        default:
            buf->len = at + 1;
            break;
        }
    }
}

/* What we refuse and jansson takes, or the other way round, on purpose: numbers beyond a double. */
static bool is_excused(const json_error_t *error)
{
    return json_error_code(error) == json_error_numeric_overflow;
}

static void differ(struct arena *arena, const char *text, size_t n, unsigned *n_valid)
{
    json_error_t error;
    struct err err = {.code = ERR_NONE};
    struct value value, again;
    struct buf buf;
    json_t *theirs = json_loadb(text, n, JSON_DECODE_ANY, &error);
    int r = value_read(arena, text, n, &value, &err);

    if ((r == 0) != (theirs != NULL) && !is_excused(&error))
        fail_msg("%.*s\nours: %s\njansson: %s", (int)n, text, r == 0 ? "valid" : err.text,
                 theirs != NULL ? "valid" : error.text);
    buf_init(&buf, 0);
    int split = value_split(arena, text, n, each, &buf, NULL);
    buf_deinit(&buf);
    assert_int_equal(split == 0, r == 0 && value.kind == VALUE_OBJECT);
    if (r < 0 || theirs == NULL) {
        json_decref(theirs);
        return;
    }
    (*n_valid)++;
    /* What we write is what we read, and jansson reads the same from it. */
    size_t m;
    const char *compact = value_text(arena, &value, &m);
    assert_int_equal(value_read(arena, compact, m, &again, NULL), 0);
    assert_true(value_equal(&value, &again));
    json_t *from_ours = json_loadb(compact, m, JSON_DECODE_ANY, &error);
    assert_true(json_equal(theirs, from_ours));
    json_decref(from_ours);
    json_decref(theirs);
}

static void test_value__against_jansson(void **state UNUSED)
{
    unsigned n_valid = 0, n_texts = 20000;

    for (unsigned seed = 1; seed <= n_texts; seed++) {
        struct random random = {.state = seed * UINT64_C(0x9e3779b97f4a7c15)};
        struct arena arena;
        struct buf buf;
        arena_init(&arena, 0);
        buf_init(&buf, 0);
        make_value(&random, &buf, 4);
        if (seed % 2 == 0)
            break_text(&random, &buf);
        /* Exactly as long as it is, so that a sanitizer sees a read beyond. */
        char *text = malloc(buf.len);
        assert_non_null(text);
        memcpy(text, buf.data, buf.len);
        differ(&arena, text, buf.len, &n_valid);
        free(text);
        buf_deinit(&buf);
        arena_deinit(&arena);
    }
    print_message("%u texts, %u valid\n", n_texts, n_valid);
    assert_true(n_valid > n_texts / 2);
    assert_true(n_valid < n_texts * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_value__round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_value__compact, setup, teardown),
        cmocka_unit_test_setup_teardown(test_value__write_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_value__refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_value__limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_value__numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_value__made_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_value__number_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_value__equal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_value__member, setup, teardown),
        cmocka_unit_test_setup_teardown(test_value__depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_value__split, setup, teardown),
        cmocka_unit_test(test_value__against_jansson),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
