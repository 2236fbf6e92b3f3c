/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of operations, and openapi.json, which is made of them. */
#include "base/build.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "server/request.h"
#include "store/embedded.h"

static bool has_query(const char *name)
{
    char mark[200];

    snprintf(mark, sizeof(mark), "-- name: %s\n", name);
    for (size_t i = 0; i < n_embedded_files; i++)
        if (strncmp(embedded_files[i].name, "queries/", 8) == 0 &&
            strstr(embedded_files[i].text, mark) != NULL)
            return true;
    return false;
}

static void test_operations__rows(void **state UNUSED)
{
    const struct operation *a, *b;

    for (size_t i = 0; (a = operation_at(i)) != NULL; i++) {
        assert_true(a->path[0] == '/' && a->summary != NULL && a->summary[0] != '\0');
        if ((a->query != NULL) == (a->handle != NULL))
            fail_msg("%s has not just one of query and handle", a->path);
        if (a->query != NULL && !has_query(a->query))
            fail_msg("%s: there is no query %s", a->path, a->query);
        if (a->dialect == DIALECT_OWN)
            assert_non_null(a->problem);
        if (a->method == METHOD_GET && (a->writes || a->body_kind != BODY_NONE))
            fail_msg("GET %s changes something", a->path);
        if (a->answers != NULL && (strlen(a->answers) < 5 || atoi(a->answers) < 200))
            fail_msg("%s: what does it answer?", a->path);
        for (size_t k = 0; k < i && (b = operation_at(k)) != NULL; k++)
            if (a->method == b->method && strcmp(a->path, b->path) == 0)
                fail_msg("%s is there twice", a->path);
    }
}

static void test_openapi__is_the_table(void **state UNUSED)
{
    struct buf text CLEANUP(buf_deinit);
    json_error_t error;
    const struct operation *operation;
    size_t n = 0, there = 0;
    const char *path, *method;
    json_t *methods, *it;

    buf_init(&text, 0);
    openapi_write(&text, "1");
    json_t *all = json_loads(buf_str(&text), JSON_REJECT_DUPLICATES, &error);
    assert_non_null(all);
    const json_t *paths = json_object_get(all, "paths");
    for (; (operation = operation_at(n)) != NULL; n++) {
        char name[8];
        snprintf(name, sizeof(name), "%s", method_name(operation->method));
        for (char *at = name; *at != '\0'; at++)
            *at = (char)tolower((unsigned char)*at);
        it = json_object_get(json_object_get(paths, operation->path), name);
        if (it == NULL)
            fail_msg("%s %s is not in openapi.json", name, operation->path);
        assert_string_equal(json_string_value(json_object_get(it, "summary")), operation->summary);
        assert_true((json_object_get(it, "requestBody") != NULL) ==
                    (operation->body_kind != BODY_NONE));
    }
    json_object_foreach(json_object_get(all, "paths"), path, methods)
    {
        json_object_foreach(methods, method, it)
        {
            there++;
        }
    }
    assert_int_equal(there, n);
    json_decref(all);
}

static bool in_functions(const char *text)
{
    for (size_t i = 0; i < n_embedded_files; i++)
        if (strncmp(embedded_files[i].name, "functions/", 10) == 0 &&
            strstr(embedded_files[i].text, text) != NULL)
            return true;
    return false;
}

/* What may be asked for is what the views say: in openapi.json, which the router's table makes. */
static void test_choices__are_in_the_views(void **state UNUSED)
{
    struct buf text CLEANUP(buf_deinit);
    json_error_t error;
    const char *path, *method;
    json_t *methods, *it, *parameter, *value;
    size_t i, k, n = 0;

    buf_init(&text, 0);
    openapi_write(&text, "1");
    json_t *all = json_loads(buf_str(&text), JSON_REJECT_DUPLICATES, &error);
    assert_non_null(all);
    json_object_foreach(json_object_get(all, "paths"), path, methods)
    {
        json_object_foreach(methods, method, it)
        {
            json_array_foreach(json_object_get(it, "parameters"), i, parameter)
            {
                const json_t *schema = json_object_get(parameter, "schema");
                json_array_foreach(json_object_get(schema, "enum"), k, value)
                {
                    char literal[100], quoted[100];
                    snprintf(literal, sizeof(literal), "'%s'", json_string_value(value));
                    snprintf(quoted, sizeof(quoted), "\"%s\"", json_string_value(value));
                    if (!in_functions(literal) && !in_functions(quoted))
                        fail_msg("%s %s: no view says %s", method, path, literal);
                    n++;
                }
            }
        }
    }
    assert_true(n > 30);
    json_decref(all);
}

static void check_kind(const char *kinds, const char *name, size_t n)
{
    char kind[100];

    snprintf(kind, sizeof(kind), "%.*s", (int)n, name);
    for (const char *at = kinds; (at = strstr(at, kind)) != NULL; at += n)
        if ((at[-1] == ':' || at[-1] == '|') && (at[n] == '|' || at[n] == '\0' || at[n] == ' '))
            return;
    fail_msg("GET /v1/audit cannot be asked for the kind %s", kind);
}

/* Each that SQL writes down can be asked for. */
static void test_choices__have_all_kinds_of_the_audit(void **state UNUSED)
{
    static const char call[] = "api_audit('", view[] = "left join (values (1, 'instanceStarted')";
    const struct operation *operation;
    const char *kinds = NULL;
    size_t n = 0;

    for (size_t i = 0; (operation = operation_at(i)) != NULL; i++)
        if (strcmp(operation->path, "/v1/audit") == 0)
            kinds = strstr(operation->parameters, "kind:");
    assert_non_null(kinds);
    for (size_t i = 0; i < n_embedded_files; i++) {
        const char *at = embedded_files[i].text;
        for (; (at = strstr(at, call)) != NULL; n++) {
            at += sizeof(call) - 1;
            check_kind(kinds, at, strcspn(at, "'"));
        }
        at = strstr(embedded_files[i].text, view);
        const char *end = at != NULL ? strstr(at, "k(kind, name)") : NULL;
        for (; at != NULL && (at = strchr(at, '\'')) != NULL && at < end; n++) {
            check_kind(kinds, at + 1, strcspn(at + 1, "'"));
            at += strcspn(at + 1, "'") + 2;
        }
    }
    assert_true(n > 70);
}

static void test_duration__read(void **state UNUSED)
{
    static const struct {
        const char *text;
        int64_t us; /* -1: none */
    } cases[] = {{"30s", 30000000}, {"500ms", 500000}, {"2m", 120000000}, {"1h", 3600000000},
                 {"1.5s", 1500000}, {"0s", 0},         {"", -1},          {"s", -1},
                 {"30", -1},        {"30 s", -1},      {"-1s", -1},       {"1d", -1},
                 {"nans", -1},      {"0x10s", -1},     {"1e3s", -1}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = -1;
        bool good = duration_read(cases[i].text, &us);
        if (good != (cases[i].us >= 0) || us != cases[i].us)
            fail_msg("\"%s\": %lld", cases[i].text, (long long)us);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations__rows),
        cmocka_unit_test(test_openapi__is_the_table),
        cmocka_unit_test(test_choices__are_in_the_views),
        cmocka_unit_test(test_choices__have_all_kinds_of_the_audit),
        cmocka_unit_test(test_duration__read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
