/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "server/guard.h"
#include "server/server.h"

#define HEADERS_MAX 4u

struct head {
    const char *name, *value;
};

static void check(const char *version, const char *uri, const struct head *heads, const char *want,
                  bool want_body)
{
    struct guard_header headers[HEADERS_MAX];
    struct guard_request request = {
        .version = version, .uri = uri, .headers = headers, .loopback_only = true};
    struct guard_body body;

    for (size_t i = 0; i < HEADERS_MAX && heads[i].name != NULL; i++)
        headers[request.n_headers++] = (struct guard_header){
            heads[i].name, strlen(heads[i].name), heads[i].value, strlen(heads[i].value)};
    const char *got = guard_judge(&request, &body);
    if ((got == NULL) != (want == NULL) || (want != NULL && strstr(got, want) == NULL))
        fail_msg("%s %s %s: %s", version, uri, heads[0].name != NULL ? heads[0].value : "-",
                 got != NULL ? got : "let in");
    if (want == NULL)
        assert_true(body.any == want_body);
}

static void test_guard__headers(void **state UNUSED)
{
    static const struct {
        const char *version;
        struct head heads[HEADERS_MAX];
        const char *want;
        bool body;
    } cases[] = {
        {"HTTP/1.1", {{"Host", "localhost"}}, NULL, false},
        {"HTTP/1.1", {{"host", "LOCALHOST:80"}}, NULL, false},
        {"HTTP/1.1", {{"Host", "127.0.0.1:9464"}}, NULL, false},
        {"HTTP/1.1", {{"Host", "[::1]:9464"}}, NULL, false},
        {"HTTP/1.1", {{"Host", "[::1]"}}, NULL, false},
        {"HTTP/1.0", {{NULL, NULL}}, NULL, false},
        {"HTTP/1.1", {{"Host", "localhost"}, {"Content-Length", "0"}}, NULL, false},
        {"HTTP/1.1", {{"Host", "localhost"}, {"Content-Length", "5"}}, NULL, true},
        {"HTTP/1.1", {{"Host", "localhost"}, {"Transfer-Encoding", "Chunked"}}, NULL, true},
        {"HTTP/1.1", {{NULL, NULL}}, "one Host", false},
        {"HTTP/1.1", {{"Host", "localhost"}, {"Host", "localhost"}}, "one Host", false},
        {"HTTP/1.0", {{"Host", "localhost"}, {"Host", "localhost"}}, "one Host", false},
        {"HTTP/1.1", {{"Host", "127.evil.example"}}, "Host must be", false},
        {"HTTP/1.1", {{"Host", "localhost.evil.example"}}, "Host must be", false},
        {"HTTP/1.1", {{"Host", ""}}, "Host must be", false},
        {"HTTP/1.1", {{"Host", "[::1"}}, "Host must be", false},
        {"HTTP/1.1", {{"Host", "localhost:\xff"}}, "Host has a character", false},
        {"HTTP/1.1", {{"Host", "local host"}}, "Host has a character", false},
        {"HTTP/2.0", {{"Host", "localhost"}}, "version", false},
        {"HTTP/1.1", {{"Content-Length", "3x"}}, "not a number", false},
        {"HTTP/1.1", {{"Content-Length", ""}}, "not a number", false},
        {"HTTP/1.1", {{"Content-Length", "1234567890123456789"}}, "not a number", false},
        {"HTTP/1.1",
         {{"Host", "localhost"}, {"Content-Length", "1"}, {"content-length", "1"}},
         "twice",
         false},
        {"HTTP/1.1",
         {{"Host", "localhost"}, {"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}},
         "in doubt",
         false},
        {"HTTP/1.0", {{"Transfer-Encoding", "chunked"}}, "in doubt", false},
        {"HTTP/1.1",
         {{"Host", "localhost"}, {"Transfer-Encoding", "gzip, chunked"}},
         "only Transfer-Encoding",
         false},
        {"HTTP/1.1", {{"Transfer-Encoding ", "chunked"}}, "header's name", false},
        {"HTTP/1.1", {{"", "x"}}, "header's name", false},
        {"HTTP/1.1", {{"X", "a\nb"}}, "control character", false},
        {"HTTP/1.1", {{"X", "a\x7f"}}, "control character", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cases[i].version, "/livez", cases[i].heads, cases[i].want, cases[i].body);
}

static void test_guard__paths(void **state UNUSED)
{
    static const struct head heads[HEADERS_MAX] = {{"Host", "localhost"}};
    static const struct {
        const char *uri, *want;
    } cases[] = {
        {"/", NULL},
        {"/a%20b%C3%A4?x=%2F&y", NULL},
        {"", "must be a path"},
        {"*", "must be a path"},
        {"http://localhost/", "must be a path"},
        {"/a b", "must be escaped"},
        {"/\xc3\xa4", "must be escaped"},
        {"/a%", "incomplete"},
        {"/a%4", "incomplete"},
        {"/a%4g", "incomplete"},
        {"/a%00", "control character"},
        {"/a%1F", "control character"},
        {"/a%7f", "control character"},
    };
    static char path[LIMIT_URL_BYTES + 2];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check("HTTP/1.1", cases[i].uri, heads, cases[i].want, false);
    memset(path, 'a', sizeof(path) - 1);
    path[0] = '/';
    check("HTTP/1.1", path, heads, "too long", false);
    path[LIMIT_URL_BYTES] = '\0';
    check("HTTP/1.1", path, heads, NULL, false);
    check("HTTP/1.1", NULL, heads, "too long", false);
}

static void test_guard__too_many_headers(void **state UNUSED)
{
    static struct guard_header headers[LIMIT_HTTP_HEADERS + 1];
    struct guard_request request = {.version = "HTTP/1.1", .uri = "/", .headers = headers};
    struct guard_body body;

    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        headers[i] = (struct guard_header){"X", 1, NULL, 0};
    headers[0] = (struct guard_header){"Host", 4, "anywhere", 8};
    request.n_headers = LIMIT_HTTP_HEADERS;
    assert_null(guard_judge(&request, &body));
    request.n_headers++;
    assert_non_null(strstr(guard_judge(&request, &body), "too many headers"));
}

static void test_server__addresses(void **state UNUSED)
{
    static const struct {
        const char *listen, *want;
    } cases[] = {
        {"127.0.0.1:9464", NULL},
        {"127.9.9.9:0", NULL},
        {"[::1]:65535", NULL},
        {"localhost:80", NULL},
        {"unix:/run/pawl", NULL},
        {"systemd", NULL},
        {"unix:run", "from / on"},
        {"unix:", "from / on"},
        {"0.0.0.0:80", "loopback only"},
        {"[::]:80", "loopback only"},
        {"10.1.2.3:80", "loopback only"},
        {"127.0.0.1", "no address"},
        {":80", "no address"},
        {"127.0.0.1:", "no address"},
        {"127.0.0.1:65536", "no address"},
        {"127.0.0.1:+80", "no address"},
        {"127.0.0.1:80x", "no address"},
        {"::1:80", "no address"},
        {"example.org:80", "no address"},
        {"", "no address"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        int result = server_check_address(cases[i].listen, true, &err);
        if ((result == 0) != (cases[i].want == NULL) ||
            (cases[i].want != NULL && strstr(err.text, cases[i].want) == NULL))
            fail_msg("%s: %s", cases[i].listen, err.text);
        /* Where users are asked who they are, others may reach it. */
        bool other = cases[i].want != NULL && strcmp(cases[i].want, "loopback only") == 0;
        err_reset(&err);
        assert_int_equal(server_check_address(cases[i].listen, false, &err), other ? 0 : result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard__headers),
        cmocka_unit_test(test_guard__paths),
        cmocka_unit_test(test_guard__too_many_headers),
        cmocka_unit_test(test_server__addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
