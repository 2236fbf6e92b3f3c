/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement and the object, from exchanges made by hand; always JSON that PostgreSQL takes. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "engine/value.h"
#include "jobexec/response.h"

struct made {
    struct arena arena;
    struct http_exchange exchange;
    struct response response;
};

static void make(struct made *made, enum http_result result, int status, const char *head,
                 const char *body, size_t body_n)
{
    struct value value;
    struct err err = {0};

    *made = (struct made){.exchange = {.result = result, .status = status, .duration_us = 1499}};
    arena_init(&made->arena, 0);
    buf_init(&made->exchange.head, LIMIT_RESPONSE_HEADER_BYTES);
    buf_init(&made->exchange.answer, LIMIT_RESPONSE_BYTES);
    buf_add_str(&made->exchange.head, head);
    buf_add(&made->exchange.answer, body, body_n);
    if (result != HTTP_COMPLETE)
        snprintf(made->exchange.error, sizeof(made->exchange.error), "why \"\x01\xff\"");
    response_build(&made->arena, "e\"\n", 3, &made->exchange, &made->response);
    assert_int_equal(strlen(made->response.text), made->response.n);
    if (value_read(&made->arena, made->response.text, made->response.n, &value, &err) < 0)
        fail_msg("%s: %s", err.text, made->response.text);
}

static void done(struct made *made)
{
    http_exchange_deinit(&made->exchange);
    arena_deinit(&made->arena);
}

static void test_response__outcomes(void **state)
{
    static const struct {
        enum http_result result;
        int status;
        enum outcome outcome;
    } cases[] = {
        {HTTP_COMPLETE, 200, OUTCOME_ANSWERED},    {HTTP_COMPLETE, 299, OUTCOME_ANSWERED},
        {HTTP_COMPLETE, 300, OUTCOME_STATUS},      {HTTP_COMPLETE, 199, OUTCOME_STATUS},
        {HTTP_NO_CONNECTION, 0, OUTCOME_OFFLINE},  {HTTP_TIMED_OUT, 0, OUTCOME_TIMEOUT},
        {HTTP_TIMED_OUT, 200, OUTCOME_TIMEOUT},    {HTTP_BROKEN, 0, OUTCOME_UNREADABLE},
        {HTTP_BROKEN, 200, OUTCOME_UNREADABLE},    {HTTP_BROKEN, 503, OUTCOME_STATUS},
        {HTTP_TOO_LARGE, 200, OUTCOME_UNREADABLE}, {HTTP_TOO_LARGE, 404, OUTCOME_STATUS},
        {HTTP_GIVEN_UP, 0, OUTCOME_UNKNOWN},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct made made;
        char part[64];
        make(&made, cases[i].result, cases[i].status, "", "x", 1);
        assert_int_equal(made.response.outcome, cases[i].outcome);
        assert_int_equal(made.response.ok, cases[i].outcome == OUTCOME_ANSWERED);
        snprintf(part, sizeof(part), "{\"outcome\":\"%s\",", outcome_name(cases[i].outcome));
        assert_int_equal(strncmp(made.response.text, part, strlen(part)), 0);
        /* The cache changes this end in SQL. */
        assert_non_null(strstr(made.response.text, ",\"attempt\":3,\"ms\":1,\"fromCache\":false}"));
        done(&made);
    }
}

static void expect_body(const char *head, const char *body, size_t n, bool readable,
                        const char *want)
{
    struct made made;
    char part[256];

    make(&made, HTTP_COMPLETE, 200, head, body, n);
    snprintf(part, sizeof(part), ",\"body\":%s,\"error\":", want);
    if (strstr(made.response.text, part) == NULL || made.response.ok != readable)
        fail_msg("%s", made.response.text);
    done(&made);
}

static void test_response__bodies(void **state)
{
    (void)state;
#define BODY(head, body, readable, want) expect_body(head, body, sizeof(body) - 1, readable, want)
    BODY("Content-Type: application/json\n", "\r\n\t [1.10] \n", true, "[1.10]");
    BODY("content-type:APPLICATION/JSON ;charset=utf-8\n", "1e400", true, "1e400");
    BODY("Content-Type: application/vnd.x+json\n", "{\"a\":1,\"a\":2}", true, "{\"a\":1,\"a\":2}");
    BODY("Content-Type: text/json\n", "null", true, "null");
    BODY("Content-Type: application/json\n", "[1,]", false, "\"[1,]\"");
    BODY("Content-Type: application/json\n", "\"\\u0000\"", false, "\"\\\"\\\\u0000\\\"\"");
    BODY("Content-Type: application/json\n", "\"\xff\"", false, "null");
    BODY("Content-Type: application/json\n", "[1]\0", false, "null");
    BODY("Content-Type: application/json\n", "", true, "null");
    BODY("Content-Type: application/jsonx\n", "[1]", true, "\"[1]\"");
    BODY("", "[1]", true, "[1]");
    BODY("", "[1", true, "\"[1\"");
    BODY("", "7", true, "\"7\"");
    BODY("Content-Type:\n", "{}", true, "{}");
    BODY("Content-Type: text/html\n", "<a b=\"c\">\\\t", true, "\"<a b=\\\"c\\\">\\\\\\u0009\"");
    BODY("Content-Type: text/plain\n", "\xed\xa0\x80", false, "null"); /* a surrogate */
    BODY("Content-Type: text/plain\n", "\xc0\x80", false, "null");     /* overlong */
    BODY("Content-Type: text/plain\n", "\xf4\x90\x80\x80", false, "null");
    BODY("Content-Type: text/plain\n", "\xf0\x9f\x99\x82 \xc3\xa9", true,
         "\"\xf0\x9f\x99\x82 \xc3\xa9\"");
    BODY("Content-Type: text/plain\n", "\xc3", false, "null");
#undef BODY
}

static void test_response__headers(void **state)
{
    struct made made;
    (void)state;

    make(&made, HTTP_COMPLETE, 200,
         "Set-Cookie: a=1\nX: \t caf\xe9 \nset-cookie:b=2\nno colon\n: no name\nY:\nZ: a\"b\\c\n",
         "", 0);
    assert_non_null(strstr(made.response.text,
                           "\"headers\":{\"set-cookie\":\"a=1, b=2\",\"x\":\"caf\xc3\xa9\","
                           "\"y\":\"\",\"z\":\"a\\\"b\\\\c\"},"));
    done(&made);
}

/* As many headers as are let in, all of one name, and all of different names: no time is lost. */
static void test_response__many_headers(void **state)
{
    struct buf head;
    struct made made;
    (void)state;

    for (int same = 0; same < 2; same++) {
        buf_init(&head, 0);
        for (unsigned i = 0; i < LIMIT_RESPONSE_HEADERS; i++)
            buf_printf(&head, "h%u: v\n", same ? 0 : i);
        make(&made, HTTP_COMPLETE, 204, buf_str(&head), "", 0);
        assert_true(made.response.ok);
        done(&made);
        buf_deinit(&head);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_response__outcomes),
        cmocka_unit_test(test_response__bodies),
        cmocka_unit_test(test_response__headers),
        cmocka_unit_test(test_response__many_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
