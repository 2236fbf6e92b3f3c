/* SPDX-License-Identifier: Apache-2.0 */
/* Answers on their way to a commit, the sleepers, and the requests made of calls. */
#include "base/build.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "jobexec/answers.h"
#include "base/clock.h"
#include "jobexec/internal.h"
#include "jobexec/wake.h"

static struct call_request plain_request(void)
{
    return (struct call_request){.attempt = 1,
                                 .base_url = "http://h:1/api/",
                                 .endpoint_headers = "{}",
                                 .method = "GET",
                                 .path = "/search?q=1",
                                 .headers = "{}"};
}

static struct flight *make_flight(unsigned n)
{
    struct call_request request = plain_request();

    request.attempt = n;
    return flight_new(&request, "e", clock_boot_us());
}

static void test_answers__order_and_put_off(void **state)
{
    struct answers answers;
    struct flight *taken[8];
    int64_t next_us;
    (void)state;

    answers_init(&answers);
    assert_int_equal(answers_take(&answers, 0, taken, 8, &next_us), 0);
    assert_true(next_us == INT64_MAX);
    for (unsigned i = 1; i <= 5; i++)
        answers_add(&answers, make_flight(i));
    assert_int_equal(answers_take(&answers, 100, taken, 2, &next_us), 2);
    assert_int_equal(taken[0]->request.attempt, 1);
    assert_int_equal(taken[1]->request.attempt, 2);
    answers_put_off(&answers, taken[0], 100);
    answers_done(&answers, taken[1]);
    assert_int_equal(answers_open(&answers), 4);
    /* The put-off one waits behind the others, for a time. */
    assert_int_equal(answers_take(&answers, 101, taken, 8, &next_us), 3);
    assert_int_equal(taken[0]->request.attempt, 3);
    assert_true(next_us > 101 && next_us < 5000);
    for (int i = 0; i < 3; i++)
        answers_done(&answers, taken[i]);
    assert_int_equal(answers_take(&answers, next_us, taken, 8, &next_us), 1);
    answers_put_off(&answers, taken[0], 0);
    assert_true(taken[0]->not_before_us > 1500);
    for (unsigned i = 0; i < 80; i++) {
        assert_int_equal(answers_take(&answers, INT64_MAX - 1, taken, 8, &next_us), 1);
        answers_put_off(&answers, taken[0], 0);
    }
    assert_true(taken[0]->not_before_us == 50000);
    answers_add(&answers, make_flight(9));
    answers_deinit(&answers); /* frees what is left: the sanitizer looks */
}

#define PRODUCERS 4
#define EACH 2000

struct crowd {
    struct answers answers;
    struct wake wake;
    atomic_uint done;
};

static void *produce(void *context)
{
    struct crowd *crowd = context;

    for (unsigned i = 0; i < EACH; i++) {
        answers_add(&crowd->answers, make_flight(i));
        wake_signal(&crowd->wake);
    }
    return NULL;
}

/* Like a worker: now and then an answer's family is locked. */
static void *consume(void *context)
{
    struct crowd *crowd = context;
    struct flight *taken[16];
    int64_t next_us;

    while (!wake_closed(&crowd->wake)) {
        size_t n =
            answers_take(&crowd->answers, clock_mono_us(), taken, ARRAY_LEN(taken), &next_us);
        for (size_t i = 0; i < n; i++) {
            if (taken[i]->request.attempt % 7 == 0 && taken[i]->put_offs == 0) {
                answers_put_off(&crowd->answers, taken[i], clock_mono_us());
            } else {
                answers_done(&crowd->answers, taken[i]);
                atomic_fetch_add(&crowd->done, 1);
            }
        }
        if (n == 0)
            wake_sleep(&crowd->wake, clock_mono_us() + 1000);
    }
    return NULL;
}

static void test_answers__threads(void **state)
{
    struct crowd crowd;
    pthread_t producers[PRODUCERS], consumers[3];
    (void)state;

    answers_init(&crowd.answers);
    wake_init(&crowd.wake, ARRAY_LEN(consumers));
    atomic_init(&crowd.done, 0);
    for (size_t i = 0; i < ARRAY_LEN(consumers); i++)
        pthread_create(&consumers[i], NULL, consume, &crowd);
    for (size_t i = 0; i < PRODUCERS; i++)
        pthread_create(&producers[i], NULL, produce, &crowd);
    for (size_t i = 0; i < PRODUCERS; i++)
        pthread_join(producers[i], NULL);
    while (answers_open(&crowd.answers) != 0)
        wake_pause(&crowd.wake, clock_mono_us() + 1000);
    wake_close(&crowd.wake);
    for (size_t i = 0; i < ARRAY_LEN(consumers); i++)
        pthread_join(consumers[i], NULL);
    assert_int_equal(atomic_load(&crowd.done), PRODUCERS * EACH);
    answers_deinit(&crowd.answers);
    wake_deinit(&crowd.wake);
}

static void test_wake__signals_are_kept(void **state)
{
    struct wake wake;
    (void)state;

    wake_init(&wake, 2);
    for (int i = 0; i < 5; i++)
        wake_signal(&wake);
    assert_true(wake_sleep(&wake, clock_mono_us() + 10000000));
    assert_true(wake_sleep(&wake, clock_mono_us() + 10000000));
    int64_t from = clock_mono_us();
    assert_false(wake_sleep(&wake, from + 20000));
    assert_in_range(clock_mono_us() - from, 20000, 5000000);
    assert_false(wake_sleep(&wake, 0));
    wake_close(&wake);
    assert_false(wake_sleep(&wake, INT64_MAX));
    wake_pause(&wake, INT64_MAX);
    wake_deinit(&wake);
}

static void test_backoff__grows_with_jitter(void **state)
{
    struct backoff backoff;
    int64_t last = 0;
    (void)state;

    backoff_init(&backoff, 0);
    for (int i = 0; i < 100; i++) {
        int64_t wait = backoff_next_us(&backoff);
        assert_true(wait >= 25000 && wait < 1000000);
        if (i == 0)
            assert_true(wait < 50000);
        last = wait;
    }
    assert_true(last >= 500000);
}

static const char *header(const struct flight *flight, const char *name)
{
    for (size_t i = 0; i < flight->exchange.n_headers; i++)
        if (strcmp(flight->exchange.headers[i].name, name) == 0)
            return flight->exchange.headers[i].value;
    return NULL;
}

static void test_flight__request(void **state)
{
    struct call_request request = plain_request();
    (void)state;

    assert_true(uuid_parse("01890000-0000-7000-8000-00000000000a", &request.id));
    request.endpoint_headers = "{\"User-Agent\": \"shop/1\", \"accept\": \"a\", \"X-N\": 1.10}";
    request.headers = "{\"Accept\": \"b\", \"idempotency-key\": \"mine\", \"X-Null\": null}";
    struct flight *flight = flight_new(&request, "e", 1000);
    assert_false(flight->unsendable);
    assert_string_equal(flight->exchange.url, "http://h:1/api/search?q=1");
    assert_string_equal(header(flight, "Idempotency-Key"),
                        "\"01890000-0000-7000-8000-00000000000a\"");
    assert_null(header(flight, "idempotency-key"));
    assert_string_equal(header(flight, "Accept"), "b");
    assert_null(header(flight, "accept"));
    assert_string_equal(header(flight, "User-Agent"), "shop/1");
    assert_string_equal(header(flight, "X-N"), "1.10");
    assert_null(header(flight, "X-Null"));
    assert_true(flight->exchange.once);
    flight_free(flight);
    flight_free(NULL);
}

/* A path that comes from a process never chooses another host. */
static void test_flight__url(void **state)
{
    static const struct {
        const char *base, *path, *url;
    } cases[] = {
        {"http://h", "/a", "http://h/a"},           {"http://h/", "/a", "http://h/a"},
        {"http://h/v1", "a", "http://h/v1/a"},      {"http://h/v1", "?q=1", "http://h/v1?q=1"},
        {"http://h/v1", "", "http://h/v1"},         {"http://h", "@evil/", "http://h/@evil/"},
        {"http://h", ".evil/", "http://h/.evil/"},  {"http://h", ":81/", "http://h/:81/"},
        {"http://h", "//evil/", "http://h//evil/"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct call_request request = plain_request();
        request.base_url = cases[i].base;
        request.path = cases[i].path;
        struct flight *flight = flight_new(&request, "e", 0);
        assert_string_equal(flight->exchange.url, cases[i].url);
        flight_free(flight);
    }
}

static void test_flight__unsendable(void **state)
{
    static const char *const bad[] = {"", "[1]", "{\"a\":", "7"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct call_request request = plain_request();
        request.headers = bad[i];
        struct flight *flight = flight_new(&request, "e", 0);
        assert_true(flight->unsendable);
        flight_judge(flight);
        assert_non_null(strstr(flight->result.response, "\"outcome\":\"offline\""));
        assert_non_null(strstr(flight->result.response, "the call's headers"));
        assert_false(flight->result.cacheable);
        flight_free(flight);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers__order_and_put_off),
        cmocka_unit_test(test_answers__threads),
        cmocka_unit_test(test_wake__signals_are_kept),
        cmocka_unit_test(test_backoff__grows_with_jitter),
        cmocka_unit_test(test_flight__request),
        cmocka_unit_test(test_flight__url),
        cmocka_unit_test(test_flight__unsendable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
