/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of C delegates: what functions say becomes the response object. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/clock.h"
#include "jobexec/delegates.h"

struct seen {
    atomic_uint calls, done, busy, most_busy;
    pthread_mutex_t lock;
    struct flight *flights[64]; /* guarded by lock */
    unsigned n;                 /* guarded by lock */
};

static void on_done(struct http_exchange *exchange)
{
    struct flight *flight = exchange->owner;
    struct seen *seen = flight->owner;

    pthread_mutex_lock(&seen->lock);
    seen->flights[seen->n++] = flight;
    pthread_mutex_unlock(&seen->lock);
    atomic_fetch_add(&seen->done, 1);
}

static void answer(void *context, const struct delegate_job *job, struct delegate_reply *reply)
{
    struct seen *seen = context;
    const char *what = job->arguments;

    unsigned busy = atomic_fetch_add(&seen->busy, 1) + 1;
    if (busy > atomic_load(&seen->most_busy))
        atomic_store(&seen->most_busy, busy);
    atomic_fetch_add(&seen->calls, 1);
    if (strcmp(what, "json") == 0)
        delegate_succeed(reply, "{\"attempt\": 1.10}");
    else if (strcmp(what, "null") == 0)
        delegate_succeed(reply, NULL);
    else if (strcmp(what, "no json") == 0)
        delegate_succeed(reply, "{\"a\": ");
    else if (strcmp(what, "throw") == 0)
        delegate_throw(reply, "DECLINED", "no \"money\"");
    else if (strcmp(what, "throw nothing") == 0)
        delegate_throw(reply, "", NULL);
    else if (strcmp(what, "fail") == 0)
        delegate_fail(reply, "the bank is closed");
    else if (strcmp(what, "bad text") == 0)
        delegate_fail(reply, "\xff\xfe");
    else if (strcmp(what, "sleep") == 0)
        usleep(20000);
    if (strcmp(what, "large") == 0) {
        char *text = calloc(1, LIMIT_RESPONSE_BYTES + 3);
        memset(text, '1', LIMIT_RESPONSE_BYTES + 2);
        delegate_succeed(reply, text);
        free(text);
    }
    atomic_fetch_sub(&seen->busy, 1);
}

static struct flight *give(struct delegates *delegates, struct seen *seen, const char *what,
                           int64_t boot_us)
{
    struct call_request request = {.attempt = 2,
                                   .base_url = "delegate:answer",
                                   .endpoint_headers = "{}",
                                   .method = "C",
                                   .path = "answer",
                                   .headers = "{}",
                                   .body = what,
                                   .body_n = strlen(what)};
    struct flight *flight = flight_new(&request, "delegate:answer", boot_us);

    assert_false(flight->unsendable);
    flight->owner = seen;
    flight->exchange.done = on_done;
    delegates_run(delegates, flight);
    return flight;
}

static void wait_done(struct seen *seen, unsigned n)
{
    for (int i = 0; i < 5000 && atomic_load(&seen->done) < n; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&seen->done), n);
}

static struct delegates *start(struct seen *seen, unsigned threads)
{
    struct jobexec_delegate item = {.name = "answer", .run = answer, .context = seen};
    struct delegates *delegates;
    struct err err;

    memset(seen, 0, sizeof(*seen));
    pthread_mutex_init(&seen->lock, NULL);
    assert_int_equal(delegates_start(&item, 1, threads, &delegates, &err), 0);
    return delegates;
}

static void test_delegates__answers(void **state)
{
    static const struct {
        const char *what, *starts;
    } cases[] = {
        {"json", "{\"outcome\":\"answered\",\"ok\":true,\"status\":null,\"headers\":{},\"body\":{"
                 "\"attempt\":1.10},\"error\":null,\"errorCode\":null,"},
        {"null", "{\"outcome\":\"answered\",\"ok\":true,\"status\":null,\"headers\":{},\"body\":"
                 "null,\"error\":null,"},
        {"throw", "{\"outcome\":\"bpmnError\",\"ok\":false,\"status\":null,\"headers\":{},\"body\":"
                  "null,\"error\":\"no \\\"money\\\"\",\"errorCode\":\"DECLINED\","},
        {"fail",
         "{\"outcome\":\"failed\",\"ok\":false,\"status\":null,\"headers\":{},\"body\":null,"
         "\"error\":\"the bank is closed\",\"errorCode\":null,"},
        {"no json", "{\"outcome\":\"failed\",\"ok\":false,\"status\":null,\"headers\":{},\"body\":"
                    "null,\"error\":\"its result is not JSON: "},
        {"throw nothing", "{\"outcome\":\"failed\",\"ok\":false,\"status\":null,\"headers\":{},"
                          "\"body\":null,\"error\":\"it threw a BPMN error without a code"},
        {"say nothing", "{\"outcome\":\"failed\",\"ok\":false,\"status\":null,\"headers\":{},"
                        "\"body\":null,\"error\":\"it ended without an answer\""},
        {"bad text", "{\"outcome\":\"failed\",\"ok\":false,\"status\":null,\"headers\":{},\"body\":"
                     "null,\"error\":\"(its text is not UTF-8)\""},
        {"large", "{\"outcome\":\"failed\",\"ok\":false,\"status\":null,\"headers\":{},\"body\":"
                  "null,\"error\":\"its result has 1048578 bytes, and the limit is 1048576\""},
    };
    struct seen seen;
    struct delegates *delegates = start(&seen, 2);

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct flight *flight = give(delegates, &seen, cases[i].what, clock_boot_us());
        wait_done(&seen, i + 1);
        flight_judge(flight);
        if (strncmp(flight->result.response, cases[i].starts, strlen(cases[i].starts)) != 0)
            fail_msg("%s: %s", cases[i].what, flight->result.response);
        assert_non_null(strstr(flight->result.response, ",\"attempt\":2,\"ms\":"));
        flight_free(flight);
    }
    delegates_free(delegates);
}

static void test_delegates__threads(void **state)
{
    struct seen seen;
    struct delegates *delegates = start(&seen, 3);

    (void)state;
    assert_int_equal(delegates_free_threads(delegates), 3);
    assert_true(delegates_endpoint("delegate:answer"));
    assert_string_equal(delegates_kind("delegate:answer"), "delegate");
    assert_string_equal(delegates_kind("delegate:javascript"), "script");
    assert_string_equal(delegates_kind("delegates"), "service");
    assert_false(delegates_endpoint("answer"));
    assert_true(delegates_has(delegates, "delegate:answer"));
    assert_false(delegates_has(delegates, "delegate:other"));
    assert_false(delegates_has(NULL, "delegate:answer"));
    for (int i = 0; i < 30; i++)
        give(delegates, &seen, "sleep", clock_boot_us());
    wait_done(&seen, 30);
    assert_in_range(atomic_load(&seen.most_busy), 1, 3);
    assert_int_equal(delegates_free_threads(delegates), 3);
    for (unsigned i = 0; i < seen.n; i++)
        flight_free(seen.flights[i]);
    delegates_free(delegates);
}

/* What has not begun is not begun any more; what is under way is waited for. */
static void test_delegates__stop(void **state)
{
    struct seen seen;
    struct delegates *delegates = start(&seen, 1);
    unsigned unsent = 0;

    (void)state;
    for (int i = 0; i < 10; i++)
        give(delegates, &seen, "sleep", clock_boot_us());
    while (atomic_load(&seen.busy) == 0)
        usleep(500);
    delegates_stop(delegates);
    assert_int_equal(atomic_load(&seen.done), 10);
    for (unsigned i = 0; i < seen.n; i++) {
        unsent += seen.flights[i]->exchange.result == HTTP_NOT_SENT;
        flight_free(seen.flights[i]);
    }
    assert_int_equal(unsent + atomic_load(&seen.calls), 10);
    assert_true(unsent > 0);
    delegates_free(delegates);
}

/* The machine slept between the commit of the attempt and the function. */
static void test_delegates__too_late(void **state)
{
    struct seen seen;
    struct delegates *delegates = start(&seen, 1);

    (void)state;
    struct flight *flight = give(delegates, &seen, "json", clock_boot_us() - 60000000);
    wait_done(&seen, 1);
    assert_int_equal(flight->exchange.result, HTTP_NOT_SENT);
    assert_int_equal(atomic_load(&seen.calls), 0);
    flight_free(flight);
    delegates_free(delegates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delegates__answers),
        cmocka_unit_test(test_delegates__threads),
        cmocka_unit_test(test_delegates__stop),
        cmocka_unit_test(test_delegates__too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
