/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The executor's threads against a store in memory (this file stands for store/) that loses its
 * connection before and after commits and puts results off. Each call ends once, no request leaves
 * that was not committed, none leaves twice, limits hold. Meant for the thread sanitizer too.
 */
#include "base/build.h"

#include "stub.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/clock.h"
#include "jobexec/jobexec.h"
#include "store/call.h"
#include "store/retain.h"
#include "store/store.h"

#define MAX_CALLS 400
#define ENDPOINTS 3

enum place { PLACE_QUEUE = 1, PLACE_ATTEMPT, PLACE_DONE };

struct fake_call {
    enum place place;
    unsigned endpoint; /* 0: limited in flight, 1: one each 20 ms, 2: not configured */
    const char *path;
    uint32_t attempt;
    int64_t sent_us;  /* of the attempt */
    unsigned results; /* that were committed */
    unsigned failures;
    unsigned refused;
};

struct store {
    pthread_mutex_t lock; /* guards all */
    struct fake_call calls[MAX_CALLS];
    unsigned n_calls;
    int64_t next_us;
    struct circuit circuit; /* of the first endpoint */
    struct breaker breaker; /* of the first endpoint */
    double rate;            /* of the first endpoint */
    unsigned n_opened, n_half_opened, n_closed;
    int well_port; /* where the first endpoint is from its fourth opening on; 0: as it is */
    unsigned failures_by_then; /* at the fourth opening */
    unsigned half_opened_by_then;
    int ports[ENDPOINTS];
    int64_t epoch;
    unsigned random;
    bool shaky; /* loses connections and puts off */
    unsigned n_lost, n_undone, n_takes, n_recovered;
    int64_t clock; /* strictly rises */
};

static const char *const names[ENDPOINTS] = {"crowd", "rated", "nobody"};

/* With the lock. One of n, when the store is shaky. */
static bool chance(struct store *store, unsigned n)
{
    store->random = store->random * 1103515245u + 12345u;
    return store->shaky && (store->random >> 16) % n == 0;
}

static int64_t database_now(struct store *store)
{
    int64_t now = clock_mono_us();

    store->clock = now > store->clock ? now : store->clock + 1;
    return store->clock;
}

/* ---- store/call.h ---- */

struct call_conn {
    struct store *store;
    int64_t doubt_us;
};

int call_conn_open(struct store *store, const struct uuid *node, int64_t epoch,
                   struct call_conn **ret_conn, struct err *err)
{
    (void)node;
    pthread_mutex_lock(&store->lock);
    bool lost = epoch != 0 && chance(store, 8);
    if (epoch == 0)
        store->epoch++;
    pthread_mutex_unlock(&store->lock);
    if (lost)
        return err_set(err, ERR_LOST, "not yet");
    struct call_conn *conn = calloc(1, sizeof(*conn));
    assert_non_null(conn);
    conn->store = store;
    *ret_conn = conn;
    return 0;
}

void call_conn_close(struct call_conn *conn)
{
    free(conn);
}

int64_t call_conn_epoch(const struct call_conn *conn)
{
    return conn->store->epoch;
}

int64_t call_conn_doubt(const struct call_conn *conn)
{
    return conn->doubt_us;
}

int call_delegates(struct call_conn *conn, struct arena *arena, const char *const *endpoints,
                   size_t n, struct err *err)
{
    (void)conn;
    (void)arena;
    (void)endpoints;
    (void)n;
    (void)err;
    return 0;
}

int call_beat(struct call_conn *conn, struct err *err)
{
    (void)conn;
    (void)err;
    return 0;
}

int call_fenced_by_node(struct store *store, const struct uuid *node, bool *ret_by_node,
                        struct err *err)
{
    (void)store;
    (void)node;
    (void)err;
    *ret_by_node = false;
    return 0;
}

/* With the lock. */
static struct call_endpoint fake_endpoint(const struct store *store, unsigned e, unsigned queued)
{
    struct call_endpoint endpoint = {.name = names[e],
                                     .configured = e != 2,
                                     .queued = queued,
                                     .rate = e == 1 ? 50 : 0,
                                     .burst = 1,
                                     .max_in_flight = 4,
                                     .retry_budget = -1,
                                     .timeout_us = 5000000,
                                     .held_us = INT64_MIN,
                                     .next_us = store->next_us,
                                     .lease_end_us = INT64_MIN,
                                     .hold_us = INT64_MIN,
                                     .retries = -1};

    if (e == 0) {
        endpoint.rate = store->rate;
        endpoint.breaker = store->breaker;
        endpoint.circuit = store->circuit;
    }
    return endpoint;
}

int call_waiting(struct call_conn *conn, struct arena *arena, const char *after,
                 struct call_endpoint **ret_endpoints, size_t *ret_n, int64_t *ret_now_us,
                 struct err *err)
{
    struct store *store = conn->store;
    size_t n = 0;
    (void)after;
    (void)err;

    *ret_endpoints = arena_array(arena, ENDPOINTS, sizeof(**ret_endpoints));
    pthread_mutex_lock(&store->lock);
    for (unsigned e = 0; e < ENDPOINTS; e++) {
        unsigned queued = 0;
        for (unsigned i = 0; i < store->n_calls; i++)
            queued += store->calls[i].place == PLACE_QUEUE && store->calls[i].endpoint == e;
        if (queued != 0)
            (*ret_endpoints)[n++] = fake_endpoint(store, e, queued);
    }
    *ret_now_us = database_now(store);
    pthread_mutex_unlock(&store->lock);
    *ret_n = n;
    return 0;
}

int call_endpoints(struct call_conn *conn, struct arena *arena, const char *const *wanted, size_t n,
                   struct call_endpoint **ret_endpoints, size_t *ret_n, int64_t *ret_now_us,
                   struct err *err)
{
    struct store *store = conn->store;
    (void)err;

    *ret_endpoints = arena_array(arena, n, sizeof(**ret_endpoints));
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < n; i++) {
        unsigned e = 0;
        while (strcmp(names[e], wanted[i]) != 0)
            e++;
        (*ret_endpoints)[i] = fake_endpoint(store, e, 0);
    }
    *ret_now_us = database_now(store);
    pthread_mutex_unlock(&store->lock);
    *ret_n = n;
    return 0;
}

/* With the lock. The dead service of dead_service() is well again: here, so that it is at the same
 * opening however fast this machine is. */
static void note_circuit(struct store *store)
{
    store->n_opened += store->circuit.state == CIRCUIT_OPEN;
    store->n_half_opened += store->circuit.state == CIRCUIT_HALF_OPEN;
    store->n_closed += store->circuit.state == CIRCUIT_CLOSED;
    if (store->n_opened != 4 || store->well_port == 0)
        return;
    for (unsigned k = 0; k < store->n_calls; k++)
        store->failures_by_then += store->calls[k].failures;
    store->half_opened_by_then = store->n_half_opened;
    store->ports[0] = store->well_port;
    store->well_port = 0;
}

int call_agree(struct call_conn *conn, struct call_endpoint *endpoints, size_t n, struct err *err)
{
    struct store *store = conn->store;

    pthread_mutex_lock(&store->lock);
    bool lost = chance(store, 9);
    for (size_t i = 0; i < n; i++) {
        struct call_endpoint *endpoint = &endpoints[i];
        if (endpoint->change && endpoint->circuit.version == store->circuit.version) {
            store->circuit = endpoint->next_circuit;
            store->circuit.version++;
            note_circuit(store);
            endpoint->changed = !lost;
            endpoint->circuit = store->circuit;
        }
        if (endpoint->lease_end_us != INT64_MIN && endpoint->next_us == store->next_us) {
            store->next_us = endpoint->lease_end_us;
            endpoint->leased = !lost;
        }
        endpoint->kept = !lost;
    }
    pthread_mutex_unlock(&store->lock);
    return lost ? err_set(err, ERR_LOST, "after the commit") : 0;
}

int call_tell(struct call_conn *conn, struct arena *arena, const struct call_seen *seen, size_t n,
              struct err *err)
{
    (void)conn;
    (void)arena;
    (void)err;
    for (size_t i = 0; i < n; i++)
        assert_in_range(seen[i].recent.n, 0, LIMIT_BREAKER_WINDOW);
    return 0;
}

static void fake_id(struct uuid *id, unsigned i)
{
    memset(id, 0, sizeof(*id));
    memcpy(id->b, &i, sizeof(i));
}

static unsigned fake_index(const struct uuid *id)
{
    unsigned i;

    memcpy(&i, id->b, sizeof(i));
    return i;
}

/* With the lock. */
static void take_endpoint(struct store *store, struct arena *arena, struct call_endpoint *endpoint,
                          unsigned index, struct call_take *take)
{
    unsigned e = 0, want = endpoint->want;

    while (strcmp(names[e], endpoint->name) != 0)
        e++;
    if (e == 0 && (store->circuit.state == CIRCUIT_OPEN ||
                   (store->circuit.state == CIRCUIT_HALF_OPEN &&
                    (!endpoint->probing || endpoint->circuit.since_us != store->circuit.since_us))))
        want = 0;
    for (unsigned i = 0; i < store->n_calls; i++) {
        struct fake_call *call = &store->calls[i];
        if (call->place != PLACE_QUEUE || call->endpoint != e)
            continue;
        if (!endpoint->configured) {
            call->place = PLACE_DONE;
            call->refused++;
            take->refused++;
        } else if (endpoint->taken < want) {
            call->place = PLACE_ATTEMPT;
            call->sent_us = take->now_us;
            struct call_request *request = &take->requests[take->n++];
            *request = (struct call_request){.attempt = call->attempt,
                                             .endpoint = index,
                                             .method = "POST",
                                             .endpoint_headers = "{}",
                                             .transport = "{\"allow\":[\"loopback\"]}",
                                             .headers = "{}",
                                             .path = call->path,
                                             .connect_timeout_us = 5000000,
                                             .timeout_us = 5000000};
            fake_id(&request->id, i);
            request->base_url = arena_printf(arena, "http://127.0.0.1:%d", store->ports[e]);
            request->phase_us = endpoint->circuit.since_us;
            request->probe = endpoint->probing;
            endpoint->taken++;
        }
    }
}

int call_take(struct call_conn *conn, struct arena *arena, struct call_endpoint *endpoints,
              size_t n, struct call_take *ret_take, struct err *err)
{
    struct store *store = conn->store;
    struct call_take take = {0};

    take.requests = arena_array(arena, MAX_CALLS, sizeof(*take.requests));
    pthread_mutex_lock(&store->lock);
    store->n_takes++;
    conn->doubt_us = 0;
    if (chance(store, 7)) {
        store->n_lost++;
        pthread_mutex_unlock(&store->lock);
        return err_set(err, ERR_LOST, "before the commit");
    }
    take.now_us = database_now(store);
    for (size_t i = 0; i < n; i++)
        take_endpoint(store, arena, &endpoints[i], (unsigned)i, &take);
    if (chance(store, 5)) {
        store->n_lost++;
        conn->doubt_us = take.now_us;
        pthread_mutex_unlock(&store->lock);
        return err_set(err, ERR_LOST, "after the commit");
    }
    pthread_mutex_unlock(&store->lock);
    *ret_take = take;
    return 0;
}

int call_undo(struct call_conn *conn, int64_t doubt_us, unsigned *ret_n, struct err *err)
{
    struct store *store = conn->store;

    pthread_mutex_lock(&store->lock);
    if (chance(store, 8)) {
        pthread_mutex_unlock(&store->lock);
        return err_set(err, ERR_LOST, "again");
    }
    *ret_n = 0;
    for (unsigned i = 0; i < store->n_calls; i++)
        if (store->calls[i].place == PLACE_ATTEMPT && store->calls[i].sent_us == doubt_us) {
            store->calls[i].place = PLACE_QUEUE;
            ++*ret_n;
        }
    store->n_undone += *ret_n;
    pthread_mutex_unlock(&store->lock);
    return 0;
}

int call_release(struct call_conn *conn, struct arena *arena, const struct uuid *calls, size_t n,
                 struct err *err)
{
    (void)arena;
    (void)err;
    pthread_mutex_lock(&conn->store->lock);
    for (size_t i = 0; i < n; i++)
        conn->store->calls[fake_index(&calls[i])].place = PLACE_QUEUE;
    pthread_mutex_unlock(&conn->store->lock);
    return 0;
}

int call_recover(struct call_conn *conn, struct arena *arena, bool fence_others,
                 struct call_lost **ret_lost, size_t *ret_n, struct err *err)
{
    (void)arena;
    (void)fence_others;
    (void)err;
    pthread_mutex_lock(&conn->store->lock);
    conn->store->n_recovered++;
    pthread_mutex_unlock(&conn->store->lock);
    *ret_lost = NULL;
    *ret_n = 0;
    return 0;
}

/* ---- store/store.h ---- */

struct store_worker {
    struct store *store;
};

void store_worker_scripts(struct store_worker *worker UNUSED, store_script_fn *script UNUSED,
                          void *context UNUSED)
{
}

void store_worker_listen(struct store_worker *worker UNUSED, store_committed_fn *committed UNUSED,
                         void *context UNUSED)
{
}

int store_worker_open(struct store *store, const struct uuid *node, int slot,
                      struct store_worker **ret_worker, struct err *err)
{
    (void)node;
    (void)slot;
    (void)err;
    struct store_worker *worker = calloc(1, sizeof(*worker));
    assert_non_null(worker);
    worker->store = store;
    *ret_worker = worker;
    return 0;
}

void store_worker_close(struct store_worker *worker)
{
    free(worker);
}

int store_events(struct store_worker *worker, unsigned *ret_done, struct err *err)
{
    (void)worker;
    (void)err;
    *ret_done = 0;
    return 0;
}

int store_peek(struct store_worker *worker, struct store_peek *ret_peek, struct err *err)
{
    pthread_mutex_lock(&worker->store->lock);
    bool lost = chance(worker->store, 50);
    pthread_mutex_unlock(&worker->store->lock);
    if (lost)
        return err_set(err, ERR_LOST, "the server closed the connection");
    *ret_peek = (struct store_peek){.next_due_us = INT64_MAX};
    return 0;
}

int store_batch(struct store_worker *worker, const struct call_result *results, size_t n_results,
                bool *result_done, struct store_batch_report *ret_report, struct err *err)
{
    struct store *store = worker->store;
    unsigned carried_out = 0;

    pthread_mutex_lock(&store->lock);
    if (chance(store, 5)) {
        pthread_mutex_unlock(&store->lock);
        return err_set(err, ERR_LOST, "the server closed the connection");
    }
    for (size_t i = 0; i < n_results; i++) {
        struct fake_call *call = &store->calls[fake_index(&results[i].call)];
        if (chance(store, 4))
            continue;
        assert_int_equal(call->place, PLACE_ATTEMPT);
        assert_int_equal(call->attempt, results[i].attempt);
        call->place = PLACE_DONE;
        if (strstr(results[i].response, "\"outcome\":\"answered\"") == NULL) {
            assert_true(store->breaker.on); /* a process would try it again */
            call->place = PLACE_QUEUE;
            call->attempt++;
            call->failures++;
            result_done[i] = true;
            carried_out++;
            continue;
        }
        call->results++;
        result_done[i] = true;
        carried_out++;
    }
    pthread_mutex_unlock(&store->lock);
    *ret_report = (struct store_batch_report){.commands = carried_out, .transaction_us = 1000};
    return 0;
}

void retain_stop_init(struct retain_stop *stop UNUSED)
{
}

void retain_stop_deinit(struct retain_stop *stop UNUSED)
{
}

void retain_stop_now(struct retain_stop *stop UNUSED)
{
}

int store_keep(const struct store *store UNUSED, struct retain_stop *stop UNUSED,
               struct retain_report *ret_report, struct err *err UNUSED)
{
    *ret_report = (struct retain_report){.days = 0};
    return 0;
}

int store_sweep(struct store_worker *worker, struct err *err)
{
    (void)worker;
    (void)err;
    return 0;
}

int store_bulk(struct store_worker *worker, int64_t *ret_wait_us, struct err *err)
{
    (void)worker;
    (void)err;
    *ret_wait_us = INT64_MAX;
    return 0;
}

/* ---- The tests ---- */

static unsigned count_done(struct store *store)
{
    unsigned n = 0;

    pthread_mutex_lock(&store->lock);
    for (unsigned i = 0; i < store->n_calls; i++)
        n += store->calls[i].place == PLACE_DONE;
    pthread_mutex_unlock(&store->lock);
    return n;
}

static void run_calls(struct store *store, struct stub *crowd, struct stub *rated,
                      struct jobexec_stats *ret_stats)
{
    struct jobexec_options options = {.workers = 3, .idle_poll_ms = 20, .drain_ms = 2000};
    struct jobexec *jobexec = NULL;
    struct err err = {0};

    stub_start(crowd);
    stub_start(rated);
    store->ports[0] = crowd->port;
    store->ports[1] = rated->port;
    assert_int_equal(jobexec_start(store, &options, &jobexec, &err), 0);
    for (int i = 0; i < 6000 && count_done(store) < store->n_calls; i++)
        usleep(10000);
    jobexec_stats(jobexec, ret_stats);
    jobexec_stop(jobexec);
    assert_int_equal(count_done(store), store->n_calls);
    stub_stop(crowd);
    stub_stop(rated);
}

static void fill(struct store *store, unsigned n, bool shaky)
{
    pthread_mutex_init(&store->lock, NULL);
    store->next_us = INT64_MIN;
    store->circuit = (struct circuit){.since_us = INT64_MIN, .until_us = INT64_MIN};
    store->shaky = shaky;
    store->random = 7;
    store->n_calls = n;
    for (unsigned i = 0; i < n; i++)
        store->calls[i] = (struct fake_call){.place = PLACE_QUEUE,
                                             .attempt = 1,
                                             .endpoint = i % 8 == 0   ? 2
                                                         : i % 4 == 1 ? 1
                                                                      : 0,
                                             .path = i % 16 == 3 ? "/slow" : "/array"};
}

static void check(const struct store *store, struct stub *crowd, struct stub *rated,
                  const struct jobexec_stats *stats)
{
    unsigned sent = 0;

    for (unsigned i = 0; i < store->n_calls; i++) {
        assert_int_equal(store->calls[i].results + store->calls[i].refused, 1);
        assert_int_equal(store->calls[i].refused, store->calls[i].endpoint == 2);
        sent += store->calls[i].endpoint != 2;
    }
    /* Each left once, although takes were lost and undone. */
    assert_int_equal(atomic_load(&crowd->requests) + atomic_load(&rated->requests), sent);
    assert_int_equal(stats->calls_sent, sent);
    assert_int_equal(stats->calls_answered, sent);
    assert_int_equal(stats->calls_in_flight, 0);
    assert_in_range(atomic_load(&crowd->most_busy), 2, 4);
    /* One each 20 ms. A busy machine delays one arrival or the other, but not the sum. */
    int last = atomic_load(&rated->requests) - 1;
    int64_t all = atomic_load(&rated->arrived_us[last]) - atomic_load(&rated->arrived_us[0]);
    assert_true(all >= last * 20000 - 100000);
}

static void test_jobexec__limits(void **state)
{
    struct store *store = calloc(1, sizeof(*store));
    struct stub crowd, rated;
    struct jobexec_stats stats;
    (void)state;

    assert_non_null(store);
    fill(store, 160, false);
    int64_t from = clock_mono_us();
    run_calls(store, &crowd, &rated, &stats);
    int64_t took = clock_mono_us() - from;
    check(store, &crowd, &rated, &stats);
    /* 40 at 50 a second: the rate is used up, not only kept. */
    assert_in_range(took, 700000, 60000000);
    assert_int_equal(stats.reconnects, 0);
    free(store);
}

static void test_jobexec__lost_connections(void **state)
{
    struct store *store = calloc(1, sizeof(*store));
    struct stub crowd, rated;
    struct jobexec_stats stats;
    (void)state;

    assert_non_null(store);
    fill(store, 80, true);
    run_calls(store, &crowd, &rated, &stats);
    check(store, &crowd, &rated, &stats);
    assert_true(store->n_lost > 0);
    assert_true(stats.reconnects > 0);
    free(store);
}

/*
 * A service that is not there: after the circuit has opened nothing leaves but one probe at a time,
 * however many wait; when it is there, all are answered.
 */
static void dead_service(bool shaky, double rate)
{
    struct store *store = calloc(1, sizeof(*store));
    struct jobexec_options options = {.workers = 2, .idle_poll_ms = 20, .drain_ms = 2000};
    struct jobexec *jobexec = NULL;
    struct stub crowd;
    struct err err = {0};

    assert_non_null(store);
    fill(store, 200, shaky);
    store->rate = rate;
    for (unsigned i = 0; i < store->n_calls; i++)
        store->calls[i] = (struct fake_call){.place = PLACE_QUEUE, .attempt = 1, .path = "/array"};
    store->breaker = (struct breaker){.on = true,
                                      .window_calls = 10,
                                      .minimum = 5,
                                      .failures = 0.5,
                                      .slow_rate = 1,
                                      .open_us = 100000,
                                      .max_open_us = 200000,
                                      .probes = 2};
    int port, listener = stub_listen(1, &port);
    close(listener); /* nobody listens there */
    store->ports[0] = port;
    stub_start(&crowd);
    store->well_port = crowd.port;
    assert_int_equal(jobexec_start(store, &options, &jobexec, &err), 0);
    for (int i = 0; i < 6000 && count_done(store) < store->n_calls; i++)
        usleep(10000);
    jobexec_stop(jobexec);
    /* Five to trip it, what was under way then, and two probes each time. */
    assert_in_range(store->failures_by_then, 5, 5 + 8 + 2 * store->half_opened_by_then);
    assert_int_equal(count_done(store), store->n_calls);
    assert_true(store->n_closed >= 1);
    assert_int_equal(store->circuit.state, CIRCUIT_CLOSED);
    for (unsigned i = 0; i < store->n_calls; i++)
        assert_int_equal(store->calls[i].results, 1);
    stub_stop(&crowd);
    free(store);
}

static void test_jobexec__breaker(void **state)
{
    (void)state;
    dead_service(false, 0);
    dead_service(true, 0);
}

/* The rate lets one probe leave where the circuit would let two: the other one is still to come. */
static void test_jobexec__probes_at_a_rate(void **state)
{
    (void)state;
    dead_service(false, 100);
    dead_service(true, 100);
}

/* The end in the middle: what is under way is waited for or given up, and nothing is freed too
 * early. */
static void test_jobexec__stop(void **state)
{
    (void)state;
    for (unsigned ms = 0; ms < 60; ms += 7) {
        struct store *store = calloc(1, sizeof(*store));
        struct jobexec_options options = {.workers = 2, .drain_ms = ms == 0 ? 1 : ms};
        struct jobexec *jobexec = NULL;
        struct stub crowd, rated;
        struct err err = {0};
        assert_non_null(store);
        fill(store, 100, ms % 2 == 0);
        stub_start(&crowd);
        stub_start(&rated);
        store->ports[0] = crowd.port;
        store->ports[1] = rated.port;
        assert_int_equal(jobexec_start(store, &options, &jobexec, &err), 0);
        usleep(ms * 1000);
        jobexec_stop(jobexec);
        stub_stop(&crowd);
        stub_stop(&rated);
        for (unsigned i = 0; i < store->n_calls; i++)
            assert_in_range(store->calls[i].results + store->calls[i].refused, 0, 1);
        free(store);
    }
    jobexec_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobexec__limits),  cmocka_unit_test(test_jobexec__lost_connections),
        cmocka_unit_test(test_jobexec__breaker), cmocka_unit_test(test_jobexec__probes_at_a_rate),
        cmocka_unit_test(test_jobexec__stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
