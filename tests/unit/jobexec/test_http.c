/* SPDX-License-Identifier: Apache-2.0 */
/* The connector against a loopback server: each class of answer, limits, timeouts, the end. */
#include "base/build.h"

#include "stub.h"

#include <dlfcn.h>
#include <netdb.h>
#include <semaphore.h>
#include <sys/resource.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/clock.h"
#include "jobexec/http.h"
#include "jobexec/response.h"

#define SECOND INT64_C(1000000)

struct fixture {
    struct stub stub;
    struct http *http;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    unsigned n_done; /* guarded by lock */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct err err = {0};
    struct http_options options = {.user_agent = "pawl/test"};

    assert_non_null(f);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->cond, NULL);
    stub_start(&f->stub);
    assert_int_equal(http_start(&options, &f->http, &err), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    http_stop(f->http, 0);
    stub_stop(&f->stub);
    pthread_cond_destroy(&f->cond);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return 0;
}

static void on_done(struct http_exchange *exchange)
{
    struct fixture *f = exchange->owner;

    pthread_mutex_lock(&f->lock);
    f->n_done++;
    pthread_cond_broadcast(&f->cond);
    pthread_mutex_unlock(&f->lock);
}

static void wait_done(struct fixture *f, unsigned n)
{
    pthread_mutex_lock(&f->lock);
    while (f->n_done < n)
        pthread_cond_wait(&f->cond, &f->lock);
    f->n_done = 0;
    pthread_mutex_unlock(&f->lock);
}

struct shot {
    struct arena arena;
    struct http_exchange exchange;
    struct response response;
};

static const struct egress_rule loopback = {.kind = EGRESS_LOOPBACK};
static const struct transport local = {.allow = &loopback, .n_allow = 1};

static void set_one(struct fixture *f, struct shot *shot, const char *method, const char *url,
                    int64_t timeout_us)
{
    arena_init(&shot->arena, 0);
    shot->exchange = (struct http_exchange){.arena = &shot->arena,
                                            .endpoint = "geocoder",
                                            .transport = &local,
                                            .method = method,
                                            .url = url,
                                            .connect_timeout_us = timeout_us,
                                            .timeout_us = timeout_us,
                                            .done = on_done,
                                            .owner = f};
}

static void send_one(struct fixture *f, struct shot *shot, const char *method, const char *url,
                     int64_t timeout_us)
{
    set_one(f, shot, method, url, timeout_us);
    http_send(f->http, &shot->exchange);
}

static void free_one(struct shot *shot)
{
    http_exchange_deinit(&shot->exchange);
    arena_deinit(&shot->arena);
}

/* Sends, waits, judges. `part` must be in the response's text. */
static void expect(struct fixture *f, const char *path, enum outcome outcome, int status,
                   const char *part)
{
    struct shot shot;
    char url[256];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", f->stub.port, path);
    send_one(f, &shot, "GET", url, 2 * SECOND);
    wait_done(f, 1);
    response_build(&shot.arena, "geocoder", 2, &shot.exchange, &shot.response);
    if (shot.response.outcome != outcome || shot.exchange.status != status ||
        strstr(shot.response.text, part) == NULL)
        fail_msg("%s: %d %s", path, shot.exchange.status, shot.response.text);
    assert_int_equal(shot.response.ok, outcome == OUTCOME_ANSWERED);
    free_one(&shot);
}

static void test_http__answers(void **state)
{
    struct fixture *f = *state;

    expect(f, "/ok", OUTCOME_ANSWERED, 200,
           "\"body\":{\"b\": 1.10, \"a\": 12345678901234567890},\"error\":null");
    expect(f, "/ok", OUTCOME_ANSWERED, 200, "\"x-twice\":\"a, b\"");
    expect(f, "/array?q=%20", OUTCOME_ANSWERED, 200, "\"body\":[]");
    expect(f, "/number", OUTCOME_ANSWERED, 200, "\"body\":1.10,");
    expect(f, "/created", OUTCOME_ANSWERED, 201, "\"body\":{\"id\":7}");
    expect(f, "/text", OUTCOME_ANSWERED, 200, "\"body\":\"{\\\"not\\\" parsed}\\u000a\"");
    expect(f, "/empty", OUTCOME_ANSWERED, 200, "\"body\":null");
    expect(f, "/slow", OUTCOME_ANSWERED, 200, "\"attempt\":2,\"ms\":");
}

static void test_http__bad_answers(void **state)
{
    struct fixture *f = *state;

    expect(f, "/500", OUTCOME_STATUS, 500, "endpoint geocoder answered with HTTP status 500");
    expect(f, "/404", OUTCOME_STATUS, 404, "\"body\":{\"why\":\"no\"}");
    expect(f, "/redirect", OUTCOME_STATUS, 302, "\"location\":\"/ok\"");
    expect(f, "/malformed", OUTCOME_UNREADABLE, 200,
           "the answer cannot be read: not valid JSON at line 1, column ");
    expect(f, "/malformed", OUTCOME_UNREADABLE, 200, "\"body\":\"[{\\\"lat\\\"");
    expect(f, "/latin", OUTCOME_UNREADABLE, 200, "neither JSON nor UTF-8");
    expect(f, "/binary", OUTCOME_UNREADABLE, 200, "neither JSON nor UTF-8");
    expect(f, "/reset", OUTCOME_UNREADABLE, 200, "\"body\":null");
    expect(f, "/close", OUTCOME_UNREADABLE, 0, "\"status\":null");
    expect(f, "/garbage", OUTCOME_UNREADABLE, 0, "\"status\":null");
    expect(f, "/big", OUTCOME_UNREADABLE, 200, "larger than 1048576 bytes");
    expect(f, "/bigchunks", OUTCOME_UNREADABLE, 200, "larger than 1048576 bytes");
    expect(f, "/headers", OUTCOME_UNREADABLE, 200, "more than 256 headers");
}

static void test_http__offline(void **state)
{
    struct fixture *f = *state;
    static const char *const urls[] = {
        "http://127.0.0.1:1/",     "http://name.invalid/",
        "https://127.0.0.1:1/x",   "file:///etc/passwd",
        "gopher://127.0.0.1:1/",   "http://a b/",
        "http://127.0.0.1:99999/", "",
    };

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct shot shot;
        send_one(f, &shot, "POST", urls[i], 5 * SECOND);
        wait_done(f, 1);
        response_build(&shot.arena, "far", 1, &shot.exchange, &shot.response);
        if (shot.response.outcome != OUTCOME_OFFLINE)
            fail_msg("%s: %s", urls[i], shot.response.text);
        assert_non_null(strstr(shot.response.text, "\"error\":\"endpoint far: "));
        free_one(&shot);
    }
}

/* TLS to a server that does not speak it: no connection could be made. */
static void test_http__no_tls(void **state)
{
    struct fixture *f = *state;
    struct shot shot;
    char url[64];

    snprintf(url, sizeof(url), "https://127.0.0.1:%d/garbage", f->stub.port);
    send_one(f, &shot, "GET", url, SECOND);
    wait_done(f, 1);
    response_build(&shot.arena, "far", 1, &shot.exchange, &shot.response);
    assert_true(shot.response.outcome == OUTCOME_OFFLINE ||
                shot.response.outcome == OUTCOME_TIMEOUT);
    free_one(&shot);
}

static void test_http__timeouts(void **state)
{
    struct fixture *f = *state;
    struct shot shot, full[4];
    char url[64];
    int port;

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/never", f->stub.port);
    int64_t from = clock_mono_us();
    send_one(f, &shot, "GET", url, SECOND / 5);
    wait_done(f, 1);
    int64_t took = clock_mono_us() - from;
    response_build(&shot.arena, "far", 1, &shot.exchange, &shot.response);
    assert_int_equal(shot.response.outcome, OUTCOME_TIMEOUT);
    assert_true(took >= SECOND / 5); /* and not the stub's five seconds: it would have hung up */
    free_one(&shot);
    /* A backlog that is full: some connections are never made, and that is known at once. */
    int fd = stub_listen(0, &port);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    for (size_t i = 0; i < ARRAY_LEN(full); i++) {
        arena_init(&full[i].arena, 0);
        full[i].exchange = (struct http_exchange){.arena = &full[i].arena,
                                                  .transport = &local,
                                                  .method = "GET",
                                                  .url = url,
                                                  .connect_timeout_us = SECOND / 5,
                                                  .timeout_us = 60 * SECOND,
                                                  .done = on_done,
                                                  .owner = f};
        http_send(f->http, &full[i].exchange);
    }
    wait_done(f, 1);
    http_stop(f->http, 0);
    f->http = NULL;
    unsigned unconnected = 0;
    for (size_t i = 0; i < ARRAY_LEN(full); i++) {
        response_build(&full[i].arena, "far", 1, &full[i].exchange, &full[i].response);
        unconnected += full[i].response.outcome == OUTCOME_TIMEOUT &&
                       full[i].exchange.duration_us < 30 * SECOND;
        free_one(&full[i]);
    }
    assert_true(unconnected > 0);
    close(fd);
}

static void test_http__request(void **state)
{
    struct fixture *f = *state;
    struct shot shot;
    char url[64];
    static const struct http_header headers[] = {
        {"Idempotency-Key", "\"k\"", false}, {"X-Empty", "", false}, {"Accept", "a/b", false}};

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/echo", f->stub.port);
    arena_init(&shot.arena, 0);
    shot.exchange = (struct http_exchange){.arena = &shot.arena,
                                           .transport = &local,
                                           .method = "PUT",
                                           .url = url,
                                           .headers = headers,
                                           .n_headers = ARRAY_LEN(headers),
                                           .body = "{\"a\":1}",
                                           .body_n = 7,
                                           .connect_timeout_us = SECOND,
                                           .timeout_us = SECOND,
                                           .done = on_done,
                                           .owner = f};
    http_send(f->http, &shot.exchange);
    wait_done(f, 1);
    const char *text = buf_str(&shot.exchange.answer);
    assert_int_equal(strncmp(text, "PUT /echo HTTP/1.1\r\n", 20), 0);
    assert_non_null(strstr(text, "Idempotency-Key: \"k\"\r\n"));
    assert_non_null(strstr(text, "X-Empty:\r\n"));
    assert_non_null(strstr(text, "Accept: a/b\r\n"));
    assert_non_null(strstr(text, "User-Agent: pawl/test\r\n"));
    assert_non_null(strstr(text, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(text, "\r\n\r\n{\"a\":1}"));
    assert_null(strstr(text, "Expect:"));
    free_one(&shot);
}

static void test_http__injection(void **state)
{
    struct fixture *f = *state;
    static const struct http_header bad[] = {{"X", "a\r\nHost: evil", false},
                                             {"X\n", "a", false},
                                             {"X: y", "a", false},
                                             {"", "a", false},
                                             {"X Y", "a", false},
                                             {"X;", "", false},
                                             {"X\xc3\xbc", "a", false},
                                             {"X", "a\x01", false},
                                             {"Content-Length", "1", false},
                                             {"transfer-encoding", "chunked", false}};
    int before = atomic_load(&f->stub.requests);
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok", f->stub.port);
    for (size_t i = 0; i <= ARRAY_LEN(bad); i++) {
        struct shot shot;
        arena_init(&shot.arena, 0);
        shot.exchange =
            (struct http_exchange){.method = i < ARRAY_LEN(bad) ? "GET" : "GET / HTTP/1.1\r\nX:",
                                   .url = url,
                                   .headers = &bad[i % ARRAY_LEN(bad)],
                                   .n_headers = 1,
                                   .connect_timeout_us = SECOND,
                                   .timeout_us = SECOND,
                                   .done = on_done,
                                   .owner = f};
        http_send(f->http, &shot.exchange);
        wait_done(f, 1);
        response_build(&shot.arena, "geocoder", 1, &shot.exchange, &shot.response);
        assert_int_equal(shot.response.outcome, OUTCOME_OFFLINE);
        free_one(&shot);
    }
    assert_int_equal(atomic_load(&f->stub.requests), before);
}

/* What passed its deadline before it could leave never leaves. */
static void test_http__too_late_to_start(void **state)
{
    struct fixture *f = *state;
    struct shot shot;
    char url[64];
    int before = atomic_load(&f->stub.requests);

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok", f->stub.port);
    arena_init(&shot.arena, 0);
    shot.exchange = (struct http_exchange){.arena = &shot.arena,
                                           .transport = &local,
                                           .method = "GET",
                                           .url = url,
                                           .start_by_us = clock_boot_us() - 1,
                                           .connect_timeout_us = SECOND,
                                           .timeout_us = SECOND,
                                           .done = on_done,
                                           .owner = f};
    http_send(f->http, &shot.exchange);
    wait_done(f, 1);
    assert_int_equal(shot.exchange.result, HTTP_NOT_SENT);
    assert_int_equal(atomic_load(&f->stub.requests), before);
    free_one(&shot);
}

/* A connection that the server has closed meanwhile: a POST is not sent a second time by libcurl.
 */
static void test_http__once(void **state)
{
    struct fixture *f = *state;
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok", f->stub.port);
    int connections = atomic_load(&f->stub.connections);
    for (int i = 0; i < 3; i++) {
        struct shot shot;
        arena_init(&shot.arena, 0);
        shot.exchange = (struct http_exchange){.arena = &shot.arena,
                                               .transport = &local,
                                               .method = "POST",
                                               .url = url,
                                               .once = true,
                                               .connect_timeout_us = SECOND,
                                               .timeout_us = SECOND,
                                               .done = on_done,
                                               .owner = f};
        http_send(f->http, &shot.exchange);
        wait_done(f, 1);
        assert_int_equal(shot.exchange.result, HTTP_COMPLETE);
        free_one(&shot);
    }
    assert_int_equal(atomic_load(&f->stub.connections) - connections, 3);
}

static int64_t send_with_token(struct fixture *f, struct shot *shot,
                               const struct transport *transport, const char *url)
{
    arena_init(&shot->arena, 0);
    shot->exchange = (struct http_exchange){.arena = &shot->arena,
                                            .transport = transport,
                                            .method = "GET",
                                            .url = url,
                                            .connect_timeout_us = 20 * SECOND,
                                            .timeout_us = 20 * SECOND,
                                            .done = on_done,
                                            .owner = f};
    int64_t from = clock_mono_us();
    http_send(f->http, &shot->exchange);
    return from;
}

/* Whoever comes while a token is being got has waited since then, not since it was asked for. */
static void test_http__waiting_for_a_token(void **state)
{
    struct fixture *f = *state;
    struct shot first, late;
    struct transport transport = local;
    char url[64], token_url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/echo", f->stub.port);
    snprintf(token_url, sizeof(token_url), "http://127.0.0.1:%d/token", f->stub.port);
    transport.auth.type = AUTH_OAUTH2_CLIENT_CREDENTIALS;
    transport.auth.token_url = token_url;
    transport.auth.client_id = "client";
    transport.auth.secret = (struct secret){.text = "hunter2", .n = 7};
    int requests = atomic_load(&f->stub.requests);
    int64_t from = send_with_token(f, &first, &transport, url);
    while (atomic_load(&f->stub.requests) == requests)
        usleep(1000);
    usleep(200000); /* of 300 ms */
    int64_t late_from = send_with_token(f, &late, &transport, url);
    wait_done(f, 2);
    int64_t now = clock_mono_us();
    assert_int_equal(first.exchange.result, HTTP_COMPLETE);
    assert_int_equal(late.exchange.result, HTTP_COMPLETE);
    assert_non_null(strstr(buf_str(&late.exchange.answer), "Authorization: Bearer *******\r\n"));
    assert_in_range(first.exchange.duration_us, 300000, now - from);
    assert_in_range(late.exchange.duration_us, 0, now - late_from);
    free_one(&first);
    free_one(&late);
}

/* The resolver, instead of the C library's: one name is looked up until the test lets go. */
static sem_t let_go;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_list)
{
    union {
        void *found;
        int (*call)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    } library = {.found = dlsym(RTLD_NEXT, "getaddrinfo")};

    if (node != NULL && strcmp(node, "hangs.example") == 0) {
        while (sem_wait(&let_go) != 0)
            ;
        return EAI_AGAIN;
    }
    return library.call(node, service, hints, ret_list);
}

/* A name server that does not answer delays nobody but who asks it. */
static void test_http__slow_resolver(void **state)
{
    struct fixture *f = *state;
    struct shot shot;

    assert_int_equal(sem_init(&let_go, 0, 0), 0);
    send_one(f, &shot, "GET", "http://hangs.example/", SECOND / 5);
    wait_done(f, 1);
    response_build(&shot.arena, "far", 1, &shot.exchange, &shot.response);
    assert_int_equal(shot.response.outcome, OUTCOME_TIMEOUT);
    free_one(&shot);
    expect(f, "/ok", OUTCOME_ANSWERED, 200, "\"error\":null");
    sem_post(&let_go);
}

#define MANY 500

/* Many at once; the slow ones do not delay the fast ones. */
static void test_http__many(void **state)
{
    struct fixture *f = *state;
    struct shot *shots = calloc(MANY, sizeof(*shots));
    char slow[64], fast[64];

    assert_non_null(shots);
    snprintf(slow, sizeof(slow), "http://127.0.0.1:%d/slow", f->stub.port);
    snprintf(fast, sizeof(fast), "http://127.0.0.1:%d/array", f->stub.port);
    for (size_t i = 0; i < MANY; i++)
        send_one(f, &shots[i], "GET", i % 2 == 0 ? slow : fast, 20 * SECOND);
    wait_done(f, MANY);
    for (size_t i = 0; i < MANY; i++) {
        response_build(&shots[i].arena, "geocoder", 1, &shots[i].exchange, &shots[i].response);
        assert_int_equal(shots[i].response.outcome, OUTCOME_ANSWERED);
        free_one(&shots[i]);
    }
    free(shots);
}

#define WAITING 1500
#define ASKED 200

/* CPU time of requests that are answered, one after the other, each on a connection of its own. */
static int64_t cpu_of_requests(struct fixture *f)
{
    struct timespec from, to;
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok", f->stub.port);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (unsigned i = 0; i < ASKED; i++) {
        struct shot shot;
        set_one(f, &shot, "POST", url, 20 * SECOND);
        shot.exchange.once = true;
        http_send(f->http, &shot.exchange);
        wait_done(f, 1);
        assert_int_equal(shot.exchange.result, HTTP_COMPLETE);
        free_one(&shot);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (to.tv_sec - from.tv_sec) * SECOND + (to.tv_nsec - from.tv_nsec) / 1000;
}

/* What wait for an answer cost nothing while others get theirs. */
static void test_http__waiting_is_free(void **state)
{
    struct fixture *f = *state;
    struct shot *shots = calloc(WAITING, sizeof(*shots));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    struct rlimit files;
    char url[64];

    assert_non_null(shots);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    /* Nobody accepts them: the kernel keeps them waiting. */
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(listener, WAITING), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &n), 0);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(address.sin_port));

    (void)cpu_of_requests(f); /* the first ones pay for what is made once */
    int64_t without_us = cpu_of_requests(f);
    for (size_t i = 0; i < WAITING; i++)
        send_one(f, &shots[i], "GET", url, 60 * SECOND);
    (void)cpu_of_requests(f); /* behind them: they are under way */
    int64_t with_us = cpu_of_requests(f);
    if (with_us > 8 * without_us)
        fail_msg("%lld us of CPU time, and %lld us beside those that wait", (long long)without_us,
                 (long long)with_us);
    http_stop(f->http, 0);
    f->http = NULL;
    for (size_t i = 0; i < WAITING; i++) {
        assert_int_equal(shots[i].exchange.result, HTTP_GIVEN_UP);
        free_one(&shots[i]);
    }
    free(shots);
    close(listener);
}

/* The end gives up what does not come in time, and says so to each owner. */
static void test_http__end(void **state)
{
    struct fixture *f = *state;
    struct shot quick, never;
    char slow_url[64], never_url[64];

    snprintf(slow_url, sizeof(slow_url), "http://127.0.0.1:%d/slow", f->stub.port);
    snprintf(never_url, sizeof(never_url), "http://127.0.0.1:%d/never", f->stub.port);
    send_one(f, &quick, "GET", slow_url, 20 * SECOND);
    send_one(f, &never, "GET", never_url, 20 * SECOND);
    int64_t from = clock_mono_us();
    http_stop(f->http, SECOND);
    f->http = NULL;
    assert_in_range(clock_mono_us() - from, SECOND - 5000, 4 * SECOND);
    assert_int_equal(quick.exchange.result, HTTP_COMPLETE);
    assert_int_equal(never.exchange.result, HTTP_GIVEN_UP);
    free_one(&quick);
    free_one(&never);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_http__answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__bad_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__offline, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__no_tls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__timeouts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__injection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__too_late_to_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__waiting_for_a_token, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__slow_resolver, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__waiting_is_free, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http__end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
