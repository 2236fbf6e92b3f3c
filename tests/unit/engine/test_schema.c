/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "engine/schema.h"

/*
 * JSON Schema: the public test suite (Debian's json-schema-test-suite), the words of Python's
 * jsonschema, and what must not take for ever.
 */
#define SUITE "/usr/share/json-schema-test-suite"

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

static struct value read_text(struct arena *arena, const char *text, size_t n)
{
    struct value value;
    struct err err = {.code = ERR_NONE};

    if (value_read(arena, text, n, &value, &err) < 0)
        fail_msg("%.200s: %s", text, err.text);
    return value;
}

static struct value read_json(struct arena *arena, const char *text)
{
    return read_text(arena, text, strlen(text));
}

/* Values have no NUL character: \u0001 stands for it in the suite's files. */
static struct value read_file(struct arena *arena, const char *path)
{
    struct buf buf;
    char piece[4096], *zero;
    size_t n;
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        fail_msg("%s cannot be opened; the package json-schema-test-suite is missing", path);
    buf_init(&buf, 0);
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_add(&buf, piece, n);
    fclose(file);
    while ((zero = strstr(buf.data, "\\u0000")) != NULL)
        zero[5] = '1';
    struct value value = read_text(arena, arena_strndup(arena, buf.data, buf.len), buf.len);
    buf_deinit(&buf);
    return value;
}

static const struct value *member(const struct value *object, const char *name)
{
    const struct value *value = value_member(object, name, strlen(name));

    assert_non_null(value);
    return value;
}

/* --- the suite ------------------------------------------------------------------------------- */

/* The documents that the suite refers to under http://localhost:1234/, and the draft's own. */
struct suite {
    struct schema_document documents[8];
    struct value values[8];
    size_t n;
    unsigned passed, excused;
};

static void add_remote(struct suite *suite, struct arena *arena, const char *uri, const char *path)
{
    suite->values[suite->n] = read_file(arena, path);
    suite->documents[suite->n] =
        (struct schema_document){.uri = uri, .value = &suite->values[suite->n]};
    suite->n++;
}

/* Nothing is fetched: the schema of draft-07 itself is not there. */
static bool excused(const struct value *schema)
{
    const struct value *reference = value_member(schema, "$ref", 4);

    return reference != NULL && reference->kind == VALUE_STRING &&
           strncmp(reference->u.string.text, "http://json-schema.org/", 23) == 0;
}

static void run_group(struct suite *suite, struct arena *arena, const char *path,
                      const struct value *group)
{
    const struct value *tests = member(group, "tests");
    const struct schema_options options = {.ignore_formats = false};
    const struct schema *schema;
    struct err err = {.code = ERR_NONE};

    suite->documents[0] = (struct schema_document){.uri = "", .value = member(group, "schema")};
    if (schema_compile(arena, suite->documents, suite->n, &options, &schema, &err) < 0) {
        if (!excused(suite->documents[0].value))
            fail_msg("%s, %s: %s", path, member(group, "description")->u.string.text, err.text);
        suite->excused += (unsigned)tests->u.array.n;
        return;
    }
    for (size_t i = 0; i < tests->u.array.n; i++) {
        const struct value *test = &tests->u.array.items[i];
        bool valid = member(test, "valid")->u.boolean;
        struct schema_report report = {.n = 0};
        int result = schema_check(schema, member(test, "data"), arena, &report, &err);
        if (result != (valid ? SCHEMA_VALID : SCHEMA_INVALID))
            fail_msg("%s, %s, %s: %d %s%s", path, member(group, "description")->u.string.text,
                     member(test, "description")->u.string.text, result, err.text,
                     report.n > 0 ? report.best.message : "");
        assert_int_equal(result, schema_check(schema, member(test, "data"), arena, NULL, &err));
        suite->passed++;
    }
}

static void test_schema__suite(void **state)
{
    static const char *const patterns[] = {"/tests/draft7/*.json", "/tests/draft7/optional/*.json",
                                           "/tests/draft7/optional/format/*.json"};
    struct arena *arena = *state;
    struct suite suite = {.n = 1};

    add_remote(&suite, arena, "http://localhost:1234/integer.json", SUITE "/remotes/integer.json");
    add_remote(&suite, arena, "http://localhost:1234/name.json", SUITE "/remotes/name.json");
    add_remote(&suite, arena, "http://localhost:1234/subSchemas.json",
               SUITE "/remotes/subSchemas.json");
    add_remote(&suite, arena, "http://localhost:1234/folder/folderInteger.json",
               SUITE "/remotes/folder/folderInteger.json");
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        glob_t found;
        assert_int_equal(glob(arena_printf(arena, "%s%s", SUITE, patterns[i]), 0, NULL, &found), 0);
        for (size_t k = 0; k < found.gl_pathc; k++) {
            struct value groups = read_file(arena, found.gl_pathv[k]);
            for (size_t j = 0; j < groups.u.array.n; j++)
                run_group(&suite, arena, found.gl_pathv[k], &groups.u.array.items[j]);
        }
        globfree(&found);
    }
    print_message("suite: %u tests, and %u that refer to the schema of draft-07 itself\n",
                  suite.passed, suite.excused);
    assert_true(suite.passed >= 560);
    assert_true(suite.excused <= 4);
}

/* --- words ----------------------------------------------------------------------------------- */

static const struct schema *compile_with(struct arena *arena, const char *text, bool ignore_formats)
{
    struct value *value = arena_alloc(arena, sizeof(*value));
    struct schema_document document = {.uri = "", .value = value};
    const struct schema_options options = {.ignore_formats = ignore_formats};
    const struct schema *schema;
    struct err err = {.code = ERR_NONE};

    *value = read_json(arena, text);
    if (schema_compile(arena, &document, 1, &options, &schema, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return schema;
}

/* What Python's jsonschema 4.10 says: message and place of best_match(). */
static const struct {
    const char *schema, *value, *message, *instance;
} words[] = {
    {"{\"type\": \"object\", \"properties\": {\"foo\": {\"type\": \"string\"}}, \"required\": "
     "[\"foo\"], \"additionalProperties\": false}",
     "{\"foo\": \"x\", \"bar\": 1}", "Additional properties are not allowed ('bar' was unexpected)",
     ""},
    {"{\"type\": \"object\", \"properties\": {\"foo\": {\"type\": \"string\"}}, \"required\": "
     "[\"foo\"], \"additionalProperties\": false}",
     "{\"c\": 1, \"a\": 2, \"foo\": \"\"}",
     "Additional properties are not allowed ('a', 'c' were unexpected)", ""},
    {"{\"type\": \"object\", \"properties\": {\"foo\": {\"type\": \"string\"}}, \"required\": "
     "[\"foo\"], \"additionalProperties\": false}",
     "{\"bar\": \"baz\"}", "Additional properties are not allowed ('bar' was unexpected)", ""},
    {"{\"required\": [\"foo\", \"bar\"]}", "{}", "'foo' is a required property", ""},
    {"{\"properties\": {\"foo\": {\"type\": \"string\"}}}", "{\"foo\": 5}",
     "5 is not of type 'string'", "/foo"},
    {"{\"type\": [\"string\", \"null\"]}", "5", "5 is not of type 'string', 'null'", ""},
    {"{\"type\": \"integer\"}", "1.5", "1.5 is not of type 'integer'", ""},
    {"{\"type\": \"string\"}", "{\"a\": [1, true, null, \"it's\", \"say \\\"x\\\"\"]}",
     "{'a': [1, True, None, \"it's\", 'say \"x\"']} is not of type 'string'", ""},
    {"{\"enum\": [\"a\", 1, null]}", "\"b\"", "'b' is not one of ['a', 1, None]", ""},
    {"{\"const\": {\"a\": 1}}", "2", "{'a': 1} was expected", ""},
    {"{\"multipleOf\": 0.1}", "0.25", "0.25 is not a multiple of 0.1", ""},
    {"{\"maximum\": 10}", "11", "11 is greater than the maximum of 10", ""},
    {"{\"exclusiveMaximum\": 10}", "10", "10 is greater than or equal to the maximum of 10", ""},
    {"{\"minimum\": 10}", "9", "9 is less than the minimum of 10", ""},
    {"{\"exclusiveMinimum\": 10}", "10", "10 is less than or equal to the minimum of 10", ""},
    {"{\"maxLength\": 2}", "\"abc\"", "'abc' is too long", ""},
    {"{\"minLength\": 2}", "\"a\"", "'a' is too short", ""},
    {"{\"maxItems\": 1}", "[1, 2]", "[1, 2] is too long", ""},
    {"{\"minItems\": 1}", "[]", "[] is too short", ""},
    {"{\"maxProperties\": 1}", "{\"a\": 1, \"b\": 2}", "{'a': 1, 'b': 2} has too many properties",
     ""},
    {"{\"minProperties\": 1}", "{}", "{} does not have enough properties", ""},
    {"{\"uniqueItems\": true}", "[1, 1]", "[1, 1] has non-unique elements", ""},
    {"{\"pattern\": \"^a\"}", "\"b\"", "'b' does not match '^a'", ""},
    {"{\"format\": \"date\"}", "\"x\"", "'x' is not a 'date'", ""},
    {"{\"items\": [{}], \"additionalItems\": false}", "[1, \"x\", \"y\"]",
     "Additional items are not allowed ('x', 'y' were unexpected)", ""},
    {"{\"contains\": {\"type\": \"string\"}}", "[1]",
     "None of [1] are valid under the given schema", ""},
    {"{\"patternProperties\": {\"^x\": {}}, \"additionalProperties\": false}", "{\"foo\": 1}",
     "'foo' does not match any of the regexes: '^x'", ""},
    {"{\"patternProperties\": {\"^x\": {}, \"^y\": {}}, \"additionalProperties\": false}",
     "{\"foo\": 1, \"bar\": 2}", "'bar', 'foo' do not match any of the regexes: '^x', '^y'", ""},
    {"{\"dependencies\": {\"a\": [\"b\"]}}", "{\"a\": 1}", "'b' is a dependency of 'a'", ""},
    {"{\"propertyNames\": {\"maxLength\": 2}}", "{\"long\": 1}", "'long' is too long", ""},
    {"{\"not\": {\"type\": \"string\"}}", "\"a\"",
     "'a' should not be valid under {'type': 'string'}", ""},
    {"{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"null\"}]}", "1",
     "1 is not valid under any of the given schemas", ""},
    {"{\"anyOf\": [{\"properties\": {\"a\": {\"type\": \"string\"}}}, {\"required\": "
     "[\"b\"]}]}",
     "{\"a\": 1}", "1 is not of type 'string'", "/a"},
    {"{\"oneOf\": [{\"type\": \"integer\"}, {\"minimum\": 2}]}", "3",
     "3 is valid under each of {'minimum': 2}, {'type': 'integer'}", ""},
    {"{\"oneOf\": [{\"type\": \"object\", \"required\": [\"a\"]}, {\"type\": \"string\"}]}", "{}",
     "'a' is a required property", ""},
    {"{\"if\": {\"properties\": {\"a\": {\"const\": 1}}}, \"then\": {\"required\": [\"b\"]}}",
     "{\"a\": 1}", "'b' is a required property", ""},
    {"false", "{\"a\": 1}", "False schema does not allow {'a': 1}", ""},
    {"{\"definitions\": {\"n\": {\"type\": \"integer\"}}, \"properties\": {\"a/b\": "
     "{\"items\": {\"$ref\": \"#/definitions/n\"}}}}",
     "{\"a/b\": [1, \"x\"]}", "'x' is not of type 'integer'", "/a~1b/1"},
    {"{\"allOf\": [{\"required\": [\"a\"]}, {\"required\": [\"b\"]}]}", "{\"a\": 1}",
     "'b' is a required property", ""},
    {"{\"properties\": {\"a\": {\"type\": \"string\"}}, \"required\": [\"b\"]}", "{\"a\": 1}",
     "'b' is a required property", ""},
    {"{\"type\": \"string\"}", "1", "1 is not of type 'string'", ""},
    {"{\"maxLength\": 1}", "\"x\\\\y\\né\"", "'x\\\\y\\né' is too long", ""},
};

static void test_schema__words(void **state)
{
    struct arena *arena = *state;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const struct schema *schema = compile_with(arena, words[i].schema, false);
        struct value value = read_json(arena, words[i].value);
        struct schema_report report;
        struct err err;
        assert_int_equal(schema_check(schema, &value, arena, &report, &err), SCHEMA_INVALID);
        assert_string_equal(report.best.message, words[i].message);
        assert_string_equal(report.best.instance, words[i].instance);
    }
}

static void test_schema__report(void **state)
{
    struct arena *arena = *state;
    const struct schema *schema =
        compile_with(arena,
                     "{\"definitions\": {\"n\": {\"type\": \"integer\"}}, \"required\": [\"id\"], "
                     "\"properties\": {\"a\": {\"items\": {\"$ref\": \"#/definitions/n\"}}, "
                     "\"b\": {\"anyOf\": [{\"type\": \"null\"}, {\"maximum\": 3}]}}}",
                     false);
    struct value value = read_json(arena, "{\"a\": [1, \"x\", 2, true], \"b\": 4}");
    static const char *const expected[][3] = {
        {"'id' is a required property", "", "/required"},
        {"'x' is not of type 'integer'", "/a/1", "/properties/a/items/$ref/type"},
        {"True is not of type 'integer'", "/a/3", "/properties/a/items/$ref/type"},
        {"4 is not valid under any of the given schemas", "/b", "/properties/b/anyOf"},
    };
    struct schema_report report;
    struct err err;

    assert_int_equal(schema_check(schema, &value, arena, &report, &err), SCHEMA_INVALID);
    assert_int_equal(report.n, ARRAY_LEN(expected));
    for (size_t i = 0; i < report.n; i++) {
        assert_string_equal(report.errors[i].message, expected[i][0]);
        assert_string_equal(report.errors[i].instance, expected[i][1]);
        assert_string_equal(report.errors[i].schema, expected[i][2]);
    }
    assert_string_equal(report.best.message, "'id' is a required property");
}

static void test_schema__formats_are_an_option(void **state)
{
    struct value value = read_json(*state, "\"yesterday\"");
    static const char text[] = "{\"format\": \"date\", \"contentEncoding\": \"base64\"}";
    struct err err;

    assert_int_equal(schema_check(compile_with(*state, text, false), &value, *state, NULL, &err),
                     SCHEMA_INVALID);
    assert_int_equal(schema_check(compile_with(*state, text, true), &value, *state, NULL, &err),
                     SCHEMA_VALID);
}

/* --- schemas that are wrong ------------------------------------------------------------------ */

static void test_schema__refused(void **state)
{
    static const char *const cases[][2] = {
        {"[]", "a schema is an object, true or false, not array"},
        {"{\"type\": \"text\"}", "/type: wants null, boolean, object, array, number, string or "
                                 "integer, or a list of these, not 'text'"},
        {"{\"properties\": {\"a/b\": {\"type\": 1}}}", "/properties/a~1b/type: wants null"},
        {"{\"properties\": []}", "/properties: wants an object of schemas, not []"},
        {"{\"required\": \"a\"}", "/required: wants a list of names, not 'a'"},
        {"{\"enum\": 1}", "/enum: wants a list of values, not 1"},
        {"{\"multipleOf\": 0}", "/multipleOf: wants a number above 0 of at most 18 digits, not 0"},
        {"{\"maxLength\": -1}", "/maxLength: wants a whole number from 0, not -1"},
        {"{\"maxLength\": 1.5}", "/maxLength: wants a whole number from 0, not 1.5"},
        {"{\"pattern\": \"(\"}", "/pattern: '(' is no regular expression of ECMA 262: missing "},
        {"{\"patternProperties\": {\"a++\": {}}}",
         "/patternProperties: 'a++' is no regular expression of ECMA 262: a quantifier follows a "
         "quantifier, at character 3"},
        {"{\"anyOf\": []}", "/anyOf: wants a list of schemas, not []"},
        {"{\"items\": [1]}", "/items/0: a schema is an object, true or false, not number"},
        {"{\"uniqueItems\": 1}", "/uniqueItems: wants true or false, not 1"},
        {"{\"dependencies\": {\"a\": [1]}}", "/dependencies/a: wants a list of names, not [1]"},
        {"{\"not\": {\"$ref\": \"#/nowhere\"}}", "/not/$ref: \"#/nowhere\" is neither in this "
                                                 "schema nor a file of this deployment (nothing "
                                                 "is fetched)"},
        {"{\"$ref\": \"http://example.com/a.json\"}", "/$ref: \"http://example.com/a.json\" is"},
        {"{\"$ref\": \"#\"}", "a schema refers to itself without end"},
        {"{\"definitions\": {\"a\": {\"$ref\": \"#/definitions/b\"}, \"b\": {\"allOf\": "
         "[{\"$ref\": \"#/definitions/a\"}]}}}",
         "a schema refers to itself without end"},
        {"{\"allOf\": [{\"$id\": \"a\"}, {\"$id\": \"a\"}]}", "two schemas have the $id \"a\""},
    };
    struct arena *arena = *state;
    const struct schema_options options = {.ignore_formats = false};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value value = read_json(arena, cases[i][0]);
        struct schema_document document = {.uri = "", .value = &value};
        const struct schema *schema;
        struct err err = {.code = ERR_NONE};
        if (schema_compile(arena, &document, 1, &options, &schema, &err) == 0)
            fail_msg("%s was taken", cases[i][0]);
        if (strncmp(err.text, cases[i][1], strlen(cases[i][1])) != 0)
            fail_msg("%s: %s", cases[i][0], err.text);
    }
}

/* --- regular expressions --------------------------------------------------------------------- */

static void test_schema__patterns(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"^a$", "a\\n", false},
        {"^.$", "\\u2028", false},
        {"^\\\\d+$", "\\u0661", false}, /* an Arabic one */
        {"^\\\\s$", "\\ufeff", true},
        {"^[\\\\S]$", "\\u3000", false},
        {"^[\\\\S\\\\s]$", "\\u3000", true},
        {"^[^]$", "\\n", true},
        {"^[]$", "", false},
        {"^\\\\u00e9\\\\x41\\\\cJ\\\\0?$", "\\u00e9A\\n", true},
        {"^\\\\ud83d\\\\ude00$", "\\ud83d\\ude00", true},
        {"^\\\\u{1f600}.$", "\\ud83d\\ude00\\ud83d\\ude00", true},
        {"^\\\\p{Letter}\\\\p{Script=Greek}\\\\P{Lu}$", "\\u00e9\\u03b1a", true},
        {"^(?<year>\\\\d{4})-\\\\k<year>$", "2024-2024", true},
        {"(?<!a)b", "ab", false},
        {"^{a}$", "{a}", true},
        {"^a{2,}$", "aaa", true},
        {"^[[:alpha:]]$", "a]", true}, /* a class of [ : a l p h, then a bracket */
        {"^(\\\\1a)$", "a", true},
        {"^[\\\\b]$", "\\b", true},
        {"^[\\\\w-]+$", "a-b_c", true},
    };
    static const char *const refused[] = {"\\\\Z",  "\\\\A",         "(?i)a",           "a*+",
                                          "(?>a)",  "(*FAIL)",       "\\\\Qa\\\\E",     "(?R)",
                                          "\\\\x4", "\\\\u{110000}", "\\\\ud83d",       "[a",
                                          "a**",    "\\\\p{}",       "\\\\p{Nonsense}", "\\\\"};
    struct arena *arena = *state;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct schema *schema = compile_with(
            arena, arena_printf(arena, "{\"pattern\": \"%s\"}", cases[i].pattern), false);
        struct value value = read_json(arena, arena_printf(arena, "\"%s\"", cases[i].text));
        if (schema_check(schema, &value, arena, NULL, &err) !=
            (cases[i].matches ? SCHEMA_VALID : SCHEMA_INVALID))
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
    }
    const struct schema *format = compile_with(arena, "{\"format\": \"regex\"}", false);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct value value = read_json(arena, arena_printf(arena, "\"%s\"", refused[i]));
        if (schema_check(format, &value, arena, NULL, &err) != SCHEMA_INVALID)
            fail_msg("%s was taken", refused[i]);
    }
}

/* --- formats: where the suite has no case ---------------------------------------------------- */

static void test_schema__formats(void **state)
{
    static const struct {
        const char *format, *text;
        bool valid;
    } cases[] = {
        {"date", "2024-02-29", true},
        {"date", "2023-02-29", false},
        {"date", "2024-2-9", false},
        {"time", "23:59:60Z", true},
        {"time", "12:59:60Z", false},
        {"time", "15:59:60-08:00", true},
        {"time", "08:30", false},
        {"date-time", "2024-01-01T24:00:00Z", false},
        {"date-time", "2024-01-01T12:00:00", false},
        {"email", "a.b+c@example.com", true},
        {"email", "a..b@example.com", false},
        {"email", "\\\"a b\\\"@example.com", true},
        {"email", "a@[192.168.0.1]", true},
        {"email", "a@[IPv6:::1]", true},
        {"email", "@example.com", false},
        {"hostname", "a.-b", false},
        {"hostname", "a..b", false},
        {"idn-hostname", "\\u00fcber\\u3002example", true},
        {"idn-hostname", "-a", false},
        {"ipv4", "1.2.3.04", false},
        {"ipv6", "::ffff:1.2.3.4", true},
        {"ipv6", "1:2:3:4:5:6:7::", true},
        {"ipv6", "1:2:3:4:5:6:7:8:", false},
        {"ipv6", "1::2::3", false},
        {"uri", "http://[::1]:80/%zz", false},
        {"uri", "http://[v1.a:b]/", true},
        {"uri-template", "{/a,b*}{?c:10000}", false},
        {"uri-template", "{/a,b*}{?c:1000}", true},
        {"relative-json-pointer", "01", false},
        {"unheard-of", "anything", true},
    };
    struct arena *arena = *state;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct schema *schema = compile_with(
            arena, arena_printf(arena, "{\"format\": \"%s\"}", cases[i].format), false);
        struct value value = read_json(arena, arena_printf(arena, "\"%s\"", cases[i].text));
        if (schema_check(schema, &value, arena, NULL, &err) !=
            (cases[i].valid ? SCHEMA_VALID : SCHEMA_INVALID))
            fail_msg("%s of %s", cases[i].text, cases[i].format);
    }
}

static void test_schema__numbers(void **state)
{
    static const struct {
        const char *schema, *value;
        bool valid;
    } cases[] = {
        {"{\"multipleOf\": 0.1}", "0.3", true},
        {"{\"multipleOf\": 0.01}", "19.99", true},
        {"{\"multipleOf\": 0.01}", "19.999", false},
        {"{\"multipleOf\": 7}", "70000000000000000000000000000000000000000000000000000007", true},
        {"{\"multipleOf\": 7}", "70000000000000000000000000000000000000000000000000000008", false},
        {"{\"multipleOf\": 1e-300}", "1e300", true},
        {"{\"multipleOf\": 2.5e1}", "1e2", true},
        {"{\"multipleOf\": 3}", "0", true},
        {"{\"type\": \"integer\"}", "15e-1", false},
        {"{\"type\": \"integer\"}", "15e1", true},
        {"{\"type\": \"integer\"}", "1.50e1", true},
        {"{\"type\": \"integer\"}", "0.0", true},
        {"{\"maximum\": 0.1}", "0.10000000000000000000000000000000000001", false},
        {"{\"const\": 1}", "1.0", true},
        {"{\"const\": 0}", "false", false},
        {"{\"uniqueItems\": true}", "[1, 1.0]", false},
        {"{\"uniqueItems\": true}", "[{\"a\": 1, \"b\": 2}, {\"b\": 2.0, \"a\": 1}]", false},
        {"{\"minLength\": 2}", "\"\\ud83d\\ude00\"", false},
    };
    struct arena *arena = *state;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value value = read_json(arena, cases[i].value);
        if (schema_check(compile_with(arena, cases[i].schema, false), &value, arena, NULL, &err) !=
            (cases[i].valid ? SCHEMA_VALID : SCHEMA_INVALID))
            fail_msg("%s on %s", cases[i].schema, cases[i].value);
    }
}

/* --- what must end --------------------------------------------------------------------------- */

static void stopped(struct arena *arena, const char *schema, const struct value *value,
                    const char *why)
{
    struct schema_report report;
    struct err err;

    assert_true(schema_check(compile_with(arena, schema, false), value, arena, &report, &err) < 0);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.text, why));
}

static void test_schema__nothing_hangs(void **state)
{
    struct arena *arena = *state;
    struct buf buf;
    struct value value =
        read_json(arena, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"");

    stopped(arena, "{\"pattern\": \"^(a+)+$\"}", &value, "takes too long");
    stopped(arena, "{\"not\": {\"pattern\": \"^(a|a)*$\"}}", &value, "takes too long");
    /* Each schema applies the next one twice: 2^40 ways. */
    buf_init(&buf, 0);
    buf_add_str(&buf, "{\"$ref\": \"#/definitions/0\", \"definitions\": {");
    for (int i = 0; i < 40; i++)
        buf_printf(&buf,
                   "\"%d\": {\"allOf\": [{\"$ref\": \"#/definitions/%d\"}, "
                   "{\"$ref\": \"#/definitions/%d\"}]},",
                   i, i + 1, i + 1);
    buf_add_str(&buf, "\"40\": true}}");
    stopped(arena, buf_str(&buf), &value, "too many steps");
    /* A run of one character, tried from each place. */
    buf_reset(&buf);
    buf_add_char(&buf, '"');
    for (int i = 0; i < 200000; i++)
        buf_add_char(&buf, 'a');
    buf_add_char(&buf, '"');
    value = read_json(arena, arena_strdup(arena, buf_str(&buf)));
    stopped(arena, "{\"pattern\": \"a*b\"}", &value, "takes too long");
    assert_int_equal(schema_check(compile_with(arena, "{\"pattern\": \"^a*$\"}", false), &value,
                                  arena, NULL, NULL),
                     SCHEMA_VALID);
    buf_deinit(&buf);
}

/* 100,000 members and items: sorted once, not compared each with each. */
static void test_schema__large_values(void **state)
{
    struct arena *arena = *state;
    struct buf buf;
    struct schema_report report;

    buf_init(&buf, 0);
    buf_add_char(&buf, '[');
    for (int i = 0; i < 2; i++) {
        buf_add_str(&buf, i == 0 ? "{" : ", {");
        for (int k = 0; k < 50000; k++)
            buf_printf(&buf, "%s\"%d\": %d", k > 0 ? ", " : "", k * 7919 % 50000, k);
        buf_add_str(&buf, "}");
    }
    buf_add_char(&buf, ']');
    struct value value = read_json(arena, buf_str(&buf));
    assert_int_equal(schema_check(compile_with(arena, "{\"uniqueItems\": true}", false), &value,
                                  arena, &report, NULL),
                     SCHEMA_INVALID);
    assert_true(strlen(report.best.message) < 2 * LIMIT_SCHEMA_WORDS);
    assert_int_equal(schema_check(compile_with(arena,
                                               "{\"items\": {\"additionalProperties\": {\"type\": "
                                               "\"string\"}}}",
                                               false),
                                  &value, arena, &report, NULL),
                     SCHEMA_INVALID);
    assert_int_equal(report.n, LIMIT_SCHEMA_ERRORS);
    buf_deinit(&buf);
}

/* One text for programs that draw forms: it says the same, and refers to nothing outside. */
static void test_schema__bundle(void **state)
{
    struct arena *arena = *state;
    struct value values[] = {
        read_json(arena, "{\"definitions\": {\"name\": {\"minLength\": 2}}, \"properties\": {"
                         "\"default\": {\"$ref\": \"a person.json#/definitions/age\"},"
                         "\"who\": {\"$ref\": \"a%20person.json\"}, \"own\": {\"$ref\": "
                         "\"#/definitions/name\"}}, \"default\": {\"$ref\": \"../unused.json\"}}"),
        read_json(arena,
                  "{\"$id\": \"a%20person.json\", \"definitions\": {\"age\": {\"minimum\": 0}},"
                  "\"properties\": {\"age\": {\"$ref\": \"#/definitions/age\"}, \"boss\": "
                  "{\"$ref\": \"#\"}, \"home\": {\"$ref\": \"../home.json\"}}}"),
        read_json(arena, "{\"required\": [\"city\"]}"),
        read_json(arena, "{\"type\": \"string\"}"),
    };
    struct schema_document documents[] = {{"forms/claim.json", &values[0]},
                                          {"forms/a person.json", &values[1]},
                                          {"home.json", &values[2]},
                                          {"unused.json", &values[3]}};
    const char *text = schema_bundle(arena, documents, ARRAY_LEN(documents));

    assert_non_null(
        strstr(text, "\"$ref\":\"#/definitions/forms~1a%20person.json/definitions/age\""));
    assert_non_null(strstr(text, "\"$ref\":\"#/definitions/name\""));
    assert_non_null(strstr(text, "\"home.json\":{\"required\":[\"city\"]}"));
    assert_null(strstr(text, "\"unused.json\":"));
    assert_null(strstr(text, "$id"));
    const struct schema *schema = compile_with(arena, text, false);
    static const struct {
        const char *text;
        int wanted;
    } cases[] = {
        {"{\"own\": \"x\"}", SCHEMA_INVALID},
        {"{\"default\": -1}", SCHEMA_INVALID},
        {"{\"who\": {\"boss\": {\"boss\": {\"age\": -1}}}}", SCHEMA_INVALID},
        {"{\"who\": {\"home\": {}}}", SCHEMA_INVALID},
        {"{\"own\": \"xy\", \"who\": {\"age\": 1, \"home\": {\"city\": 1}}}", SCHEMA_VALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value value = read_json(arena, cases[i].text);
        assert_int_equal(schema_check(schema, &value, arena, NULL, NULL), cases[i].wanted);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_schema__bundle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema__suite, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema__words, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema__report, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema__formats_are_an_option, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema__refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema__patterns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema__formats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema__numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema__nothing_hangs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schema__large_values, setup, teardown),
    };

    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
