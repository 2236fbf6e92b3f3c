/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dispatcher's statements on a real PostgreSQL, with other transactions held open against them.
 * Runs where PAWL_TEST_DATABASE names an empty database (tests/jobexec/run.sh), else each test is
 * skipped.
 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "store/call.h"
#include "store/store.h"

#define SECOND INT64_C(1000000)

struct fixture {
    PGconn *pg;
    struct store *store;
    struct arena arena;
    struct uuid node, other_node;
};

static void run(PGconn *pg, const char *sql)
{
    PGresult *result = PQexec(pg, sql);

    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    PQclear(result);
}

/* The first column of the first row, in a buffer that the next call uses again. */
static const char *ask(PGconn *pg, const char *sql)
{
    static char text[4096];
    PGresult *result = PQexec(pg, sql);

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    snprintf(text, sizeof(text), "%s",
             PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "(no row)");
    PQclear(result);
    return text;
}

static int set_up(void **state)
{
    const char *database = getenv("PAWL_TEST_DATABASE");
    struct store_options options = {.conninfo = database, .schema = "call test"};
    struct err err = {0};
    int from, to;

    *state = NULL;
    if (database == NULL)
        return 0;
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->pg = PQconnectdb(database);
    run(f->pg, "set client_min_messages = warning; drop schema if exists \"call test\" cascade");
    if (store_migrate(&options, &from, &to, &err) < 0 || store_open(&options, &f->store, &err) < 0)
        fail_msg("%s", err.text);
    run(f->pg, "set search_path = \"call test\"");
    arena_init(&f->arena, 0);
    f->node.b[0] = 1;
    f->other_node.b[0] = 2;
    run(f->pg, "insert into endpoint (name, base_url, rate, burst, cache) values"
               " ('free', 'http://free', null, 1, null), ('geo', 'http://geo', 10, 2, '1 h');"
               "insert into instance (id, root_id, definition_id, started, doc, business_key)"
               " select id, id, 1, now(), '', 'order 7'"
               " from (select '01890000-0000-7000-8000-000000000001'::uuid as id) i");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (f == NULL)
        return 0;
    run(f->pg, "drop schema \"call test\" cascade");
    PQfinish(f->pg);
    store_close(f->store);
    arena_deinit(&f->arena);
    free(f);
    return 0;
}

#define NEED(f)                                                                                    \
    do {                                                                                           \
        if ((f) == NULL)                                                                           \
            skip();                                                                                \
    } while (0)

/* n calls of an endpoint, numbered from `from`: /1, /2, … */
static void queue(struct fixture *f, const char *endpoint, const char *method, int from, int n)
{
    char sql[1024];

    snprintf(sql, sizeof(sql),
             "with c as (insert into call (id, instance_id, root_id, token, node, endpoint, "
             "method, path, "
             "headers, body, connect_timeout_us, timeout_us, report_sent, open_after_us, deadline, "
             "asked)"
             " select ('02890000-0000-7000-8000-' || lpad(i::text, 12, "
             "'0'))::uuid, '01890000-"
             "0000-7000-8000-000000000001', '01890000-0000-7000-8000-000000000001', 1, 2, '%s', "
             "'%s', '/' || i,"
             " '{}', null, 0, 0, i %% 2 = 1, null, null, now() from generate_series(%d, %d) i "
             "returning id, "
             "endpoint)"
             " insert into call_queue select endpoint, id, 1, clock() from c",
             endpoint, method, from, from + n - 1);
    run(f->pg, sql);
}

static struct call_conn *open_conn(struct fixture *f, const struct uuid *node, int64_t epoch)
{
    struct call_conn *conn = NULL;
    struct err err = {0};

    if (call_conn_open(f->store, node, epoch, &conn, &err) != 0)
        fail_msg("%s", err.text);
    return conn;
}

/* Looks and takes `want` of each endpoint. */
static struct call_take take(struct fixture *f, struct call_conn *conn, unsigned want,
                             struct call_endpoint **ret_endpoints)
{
    struct call_endpoint *endpoints;
    struct call_take taken = {0};
    struct err err = {0};
    int64_t now_us;
    size_t n;

    if (call_waiting(conn, &f->arena, "", &endpoints, &n, &now_us, &err) < 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < n; i++)
        endpoints[i].want = endpoints[i].configured ? want : 0;
    if (call_take(conn, &f->arena, endpoints, n, &taken, &err) != 0)
        fail_msg("%s", err.text);
    if (ret_endpoints != NULL)
        *ret_endpoints = endpoints;
    return taken;
}

static void test_call__take(void **state)
{
    struct fixture *f = *state;
    struct call_endpoint *endpoints;

    NEED(f);
    struct call_conn *conn = open_conn(f, &f->node, 0);
    assert_int_equal(call_conn_epoch(conn), 1);
    queue(f, "free", "POST", 1, 5);
    queue(f, "geo", "GET", 10, 5);
    queue(f, "unheard", "GET", 20, 3);
    run(f->pg, "insert into call_queue values ('free', '00000000-0000-0000-0000-000000000001', 1, "
               "clock())");
    struct call_take t = take(f, conn, 4, &endpoints);
    /* 4 of free, of which one has lost its call; 4 of geo; 3 that have no endpoint. */
    assert_int_equal(t.n, 7);
    assert_int_equal(t.refused, 3);
    assert_int_equal(t.cached, 0);
    assert_string_equal(endpoints[t.requests[0].endpoint].name, "free");
    assert_string_equal(t.requests[0].path, "/1");
    assert_string_equal(t.requests[0].business_key, "order 7");
    assert_false(t.requests[0].repeatable);
    assert_string_equal(endpoints[t.requests[4].endpoint].name, "geo");
    assert_string_equal(t.requests[4].base_url, "http://geo");
    assert_true(t.requests[4].repeatable);
    assert_true(t.requests[4].cacheable);
    assert_int_equal(t.requests[4].timeout_us, 30 * SECOND);
    assert_string_equal(ask(f->pg, "select count(*) from attempt"), "7");
    assert_string_equal(ask(f->pg, "select count(*) from call_queue"), "3");
    /* Those whose timers start when they leave are told. */
    assert_string_equal(
        ask(f->pg, "select string_agg(path, ' ' order by path) from ready r join call c on c.id ="
                   " r.subject where kind = 7 and detail::bigint > 0"),
        "/1 /11 /13 /3");
    assert_string_equal(ask(f->pg,
                            "select count(*) from ready where kind = 8 and body::jsonb->>'error' ="
                            " 'endpoint unheard is not configured: pawl endpoint set unheard URL'"),
                        "3");
    t = take(f, conn, 4, NULL);
    assert_int_equal(t.n, 3); /* the rest */
    call_conn_close(conn);
}

static void test_call__cache(void **state)
{
    struct fixture *f = *state;

    NEED(f);
    struct call_conn *conn = open_conn(f, &f->node, 0);
    queue(f, "geo", "GET", 1, 3);
    queue(f, "geo", "POST", 4, 1);
    run(f->pg, "insert into answer_cache select 'geo', api_request_digest(e.base_url, e.headers || "
               "coalesce(e.transport, '{}'), m, "
               "'/' || i, '{}'),"
               " clock() + case when i = 3 then interval '-1 s' else '1 h' end, "
               "'{\"outcome\":\"answered\",\"body\":'"
               " || i || ',\"error\":null,\"attempt\":7,\"ms\":33,\"fromCache\":false}'"
               " from (values ('GET', 2), ('GET', 3), ('POST', 4)) v (m, i), endpoint e where "
               "e.name = 'geo'");
    /* Another service under the same name: its answers are not known. */
    run(f->pg,
        "begin; update endpoint set base_url = base_url || '/other' where name = 'geo'; commit");
    assert_int_equal(take(f, conn, 0, NULL).cached, 0);
    run(f->pg, "update endpoint set base_url = replace(base_url, '/other', '') where name = 'geo'");
    struct call_take t = take(f, conn, 0, NULL);
    assert_int_equal(t.cached, 1);
    assert_int_equal(t.n, 0);
    assert_string_equal(ask(f->pg, "select body from ready where kind = 8"),
                        "{\"outcome\":\"answered\",\"body\":2,\"error\":null,\"attempt\":1,\"ms\":"
                        "0,\"fromCache\":true}");
    assert_string_equal(ask(f->pg, "select count(*) from call_queue"), "3");
    call_conn_close(conn);
}

/* An administrator's open transaction delays nobody, nor does another dispatcher's. */
static void test_call__locked_endpoint(void **state)
{
    struct fixture *f = *state;
    struct call_endpoint *endpoints;
    struct err err = {0};
    int64_t now_us;
    size_t n;

    NEED(f);
    struct call_conn *conn = open_conn(f, &f->node, 0);
    queue(f, "free", "GET", 1, 2);
    queue(f, "geo", "GET", 10, 2);
    run(f->pg, "select set_circuit('geo', 'auto')");
    run(f->pg, "begin; update endpoint set rate = 20; select set_circuit('geo', 'open')");
    assert_int_equal(call_waiting(conn, &f->arena, "", &endpoints, &n, &now_us, &err), 0);
    assert_int_equal((int64_t)(endpoints[1].rate * 10), 100);
    endpoints[1].lease_end_us = now_us + SECOND;
    endpoints[1].hold_us = now_us;
    assert_int_equal(call_agree(conn, endpoints, n, &err), 0);
    assert_false(endpoints[1].kept); /* to be said again */
    assert_false(endpoints[1].leased);
    assert_int_equal(take(f, conn, 1, NULL).n, 2);
    run(f->pg, "commit");
    run(f->pg, "begin; select from call_queue limit 1 for update");
    assert_int_equal(take(f, conn, 5, NULL).n, 0); /* locked, and open */
    run(f->pg, "rollback");
    assert_int_equal(take(f, conn, 5, NULL).n, 1);
    call_conn_close(conn);
}

/* What one node sets, another that had read the same before does not set over. */
static void test_call__agree(void **state)
{
    struct fixture *f = *state;
    const char *const names[] = {"geo", "nobody"};
    struct call_endpoint *a, *b;
    struct err err = {0};
    int64_t now_us;
    size_t n;

    NEED(f);
    struct call_conn *one = open_conn(f, &f->node, 0), *two = open_conn(f, &f->other_node, 0);
    assert_int_equal(call_endpoints(one, &f->arena, names, 2, &a, &n, &now_us, &err), 0);
    assert_int_equal(n, 2);
    assert_false(a[1].configured);
    assert_int_equal(a[0].circuit.state, CIRCUIT_CLOSED);
    assert_int_equal(call_endpoints(two, &f->arena, names, 1, &b, &n, &now_us, &err), 0);
    for (int i = 0; i < 2; i++) {
        struct call_endpoint *endpoint = i == 0 ? a : b;
        endpoint->change = true;
        endpoint->next_circuit = (struct circuit){.state = CIRCUIT_OPEN,
                                                  .since_us = now_us + i,
                                                  .broken_us = now_us,
                                                  .until_us = now_us + SECOND,
                                                  .openings = 3};
        endpoint->why = "a test";
        endpoint->lease_end_us = now_us + 5 * SECOND;
        endpoint->hold_us = now_us + SECOND - i;
        assert_int_equal(call_agree(i == 0 ? one : two, endpoint, 1, &err), 0);
        assert_int_equal(endpoint->changed, i == 0);
        assert_int_equal(endpoint->leased, i == 0);
    }
    assert_int_equal(call_endpoints(two, &f->arena, names, 1, &b, &n, &now_us, &err), 0);
    assert_int_equal(b[0].circuit.version, a[0].circuit.version);
    assert_int_equal(b[0].circuit.state, CIRCUIT_OPEN);
    assert_int_equal(b[0].circuit.since_us, a[0].circuit.since_us);
    assert_int_equal(b[0].circuit.openings, 3);
    assert_int_equal(b[0].held_us, a[0].hold_us);
    assert_true(a[0].kept);
    assert_int_equal(b[0].next_us, a[0].lease_end_us);
    /* By hand: nobody changes it. */
    run(f->pg, "select set_circuit('geo', 'closed')");
    assert_int_equal(call_endpoints(one, &f->arena, names, 1, &a, &n, &now_us, &err), 0);
    assert_true(a[0].circuit.forced);
    assert_int_equal(a[0].held_us, INT64_MIN);
    a[0].change = true;
    assert_int_equal(call_agree(one, a, 1, &err), 0);
    assert_false(a[0].changed);
    call_conn_close(one);
    call_conn_close(two);
}

/* The take itself keeps to what others have just decided: a circuit, a wait, a hold. */
static void test_call__circuit_in_take(void **state)
{
    struct fixture *f = *state;
    struct call_endpoint *endpoints;
    struct call_take t = {0};
    struct err err = {0};
    int64_t now_us;
    size_t n;

    NEED(f);
    struct call_conn *conn = open_conn(f, &f->node, 0);
    queue(f, "free", "GET", 1, 9);
    assert_int_equal(call_waiting(conn, &f->arena, "", &endpoints, &n, &now_us, &err), 0);
    endpoints[0].want = 9;
    run(f->pg, "select set_circuit('free', 'open')");
    assert_int_equal(call_take(conn, &f->arena, endpoints, n, &t, &err), 0);
    assert_int_equal(t.n, 0);
    run(f->pg, "update endpoint_state set circuit = 2, forced = false, since = '2026-01-01'");
    assert_int_equal(take(f, conn, 9, NULL).n, 0); /* not as probes */
    assert_int_equal(call_waiting(conn, &f->arena, "", &endpoints, &n, &now_us, &err), 0);
    endpoints[0].want = 2;
    endpoints[0].probing = true;
    assert_int_equal(call_take(conn, &f->arena, endpoints, n, &t, &err), 0);
    assert_int_equal(t.n, 2);
    assert_true(t.requests[0].probe);
    assert_int_equal(t.requests[0].phase_us, endpoints[0].circuit.since_us);
    run(f->pg, "update endpoint_state set since = '2026-01-02'"); /* another phase meanwhile */
    assert_int_equal(call_take(conn, &f->arena, endpoints, n, &t, &err), 0);
    assert_int_equal(t.n, 0);
    run(f->pg, "select set_circuit('free', 'auto'); update endpoint_state set held = 'infinity'");
    assert_int_equal(take(f, conn, 1, NULL).n, 0);
    run(f->pg, "select set_circuit('free', 'auto'), hold_calls()");
    assert_int_equal(take(f, conn, 1, &endpoints).n, 0);
    assert_true(endpoints[0].held);
    assert_string_equal(ask(f->pg,
                            "select count(*) || string_agg(distinct sends, ' ' order by sends)"
                            " from held_calls"),
                        "9first unknown");
    run(f->pg, "select release_calls()");
    assert_int_equal(take(f, conn, 1, NULL).n, 1);
    call_conn_close(conn);
}

/* Queued calls that wait no longer, and no others. */
static void test_call__impatient(void **state)
{
    struct fixture *f = *state;
    struct call_endpoint *endpoints;

    NEED(f);
    struct call_conn *conn = open_conn(f, &f->node, 0);
    queue(f, "free", "GET", 1, 5);
    run(f->pg, "update call_queue q set since = clock() - interval '1 minute',"
               " open_after_us = case c.path when '/1' then 0 when '/2' then 3600000000 end,"
               " deadline = case c.path when '/3' then clock() - interval '1 s'"
               "  when '/4' then clock() + interval '10 s' end from call c where c.id = q.call_id;"
               "update call c set deadline = q.deadline from call_queue q where q.call_id = c.id");
    struct call_take t = take(f, conn, 0, &endpoints);
    assert_true(endpoints[0].impatient);
    assert_int_equal(t.waited, 1);
    assert_string_equal(ask(f->pg, "select c.path || ' ' || (r.body::jsonb ->> 'outcome') from"
                                   " ready r join call c on c.id = r.subject"),
                        "/3 expired");
    run(f->pg, "delete from ready; select set_circuit('free', 'open')");
    t = take(f, conn, 0, &endpoints);
    assert_true(endpoints[0].impatient);
    assert_int_equal(t.waited, 1);
    assert_string_equal(ask(f->pg, "select c.path || ' ' || (r.body::jsonb ->> 'outcome') from"
                                   " ready r join call c on c.id = r.subject"),
                        "/1 open");
    assert_false(take(f, conn, 0, &endpoints).waited != 0 || endpoints[0].impatient);
    run(f->pg, "select set_circuit('free', 'auto')");
    t = take(f, conn, 9, NULL);
    assert_int_equal(t.n, 3);
    assert_string_equal(t.requests[1].path, "/4");
    assert_in_range(t.requests[1].timeout_us, 1, 10 * SECOND); /* cut to the deadline */
    assert_int_equal(t.requests[2].timeout_us, 30 * SECOND);
    call_conn_close(conn);
}

/* A limit over all nodes is never passed; retries have a budget of their own. */
static void test_call__shares(void **state)
{
    struct fixture *f = *state;
    struct call_endpoint *endpoints;
    struct call_take t = {0};
    struct err err = {0};
    int64_t now_us;
    size_t n;

    NEED(f);
    struct call_conn *one = open_conn(f, &f->node, 0), *two = open_conn(f, &f->other_node, 0);
    queue(f, "free", "GET", 1, 9);
    run(f->pg, "update endpoint set max_in_flight_all = 5; update call_queue set attempt = 2"
               " where call_id in (select id from call where path < '/5')");
    assert_int_equal(take(f, one, 3, NULL).n, 3);
    assert_int_equal(take(f, two, 3, NULL).n, 2);
    assert_int_equal(take(f, two, 3, NULL).n, 0);
    run(f->pg, "begin; select pg_advisory_xact_lock(hashtext(current_schema() || ' endpoint'),"
               " hashtext('free')); delete from attempt");
    assert_int_equal(take(f, two, 3, NULL).n, 0); /* somebody is counting */
    run(f->pg, "commit; update endpoint set max_in_flight_all = null, retry_budget = 0.1;"
               "update call_queue set attempt = 3 where call_id in"
               " (select id from call where path <> '/9')");
    assert_int_equal(call_waiting(two, &f->arena, "", &endpoints, &n, &now_us, &err), 0);
    assert_int_equal(endpoints[0].queued, 4);
    endpoints[0].want = 9;
    endpoints[0].retries = 2;
    assert_int_equal(call_take(two, &f->arena, endpoints, n, &t, &err), 0);
    assert_int_equal(endpoints[0].taken, 3); /* 2 retries, and /9 */
    assert_int_equal(endpoints[0].retried, 2);
    call_conn_close(one);
    call_conn_close(two);
}

static void test_call__fence(void **state)
{
    struct fixture *f = *state;
    struct call_endpoint *endpoints;
    struct call_conn *third = NULL;
    struct call_take t = {0};
    struct err err = {0};
    int64_t now_us;
    size_t n;

    NEED(f);
    queue(f, "free", "GET", 1, 1);
    struct call_conn *first = open_conn(f, &f->node, 0), *second = open_conn(f, &f->node, 0);
    assert_int_equal(call_conn_epoch(second), 2);
    assert_int_equal(call_waiting(first, &f->arena, "", &endpoints, &n, &now_us, &err), 0);
    endpoints[0].want = 1;
    assert_int_equal(call_take(first, &f->arena, endpoints, n, &t, &err), CALL_FENCED);
    assert_int_equal(t.n, 0);
    assert_int_equal(call_conn_open(f->store, &f->node, 1, &third, &err), CALL_FENCED);
    assert_int_equal(take(f, second, 1, NULL).n, 1);
    call_conn_close(first);
    call_conn_close(second);
}

/* The same epoch after a lost connection: what was taken and not handed over goes back. */
static void test_call__undo_and_release(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    unsigned undone;

    NEED(f);
    struct call_conn *conn = open_conn(f, &f->node, 0);
    queue(f, "free", "GET", 1, 3);
    struct call_take sent = take(f, conn, 1, NULL), doubt = take(f, conn, 5, NULL);
    assert_int_equal(sent.n, 1);
    assert_int_equal(doubt.n, 2);
    call_conn_close(conn);
    conn = open_conn(f, &f->node, 1);
    assert_int_equal(call_undo(conn, doubt.now_us, &undone, &err), 0);
    assert_int_equal(undone, 2);
    assert_string_equal(ask(f->pg, "select count(*) from attempt"), "1");
    assert_int_equal(call_release(conn, &f->arena, &sent.requests[0].id, 1, &err), 0);
    assert_string_equal(ask(f->pg, "select count(*) || ' ' || max(attempt) from call_queue"),
                        "3 1");
    /* Somebody else took the attempt over: nothing is released. */
    take(f, conn, 5, NULL);
    run(f->pg, "update attempt set epoch = 9");
    assert_int_equal(call_release(conn, &f->arena, &sent.requests[0].id, 1, &err), 0);
    assert_string_equal(ask(f->pg, "select count(*) from call_queue"), "0");
    call_conn_close(conn);
}

static void test_call__recover(void **state)
{
    struct fixture *f = *state;
    struct call_lost *lost;
    struct err err = {0};
    size_t n;

    NEED(f);
    struct call_conn *conn = open_conn(f, &f->node, 0);
    queue(f, "free", "GET", 1, 1);
    queue(f, "free", "POST", 2, 1);
    assert_int_equal(take(f, conn, 5, NULL).n, 2);
    run(f->pg, "update attempt set until = 'yesterday'"); /* ours and under way: we know better */
    assert_int_equal(call_recover(conn, &f->arena, false, &lost, &n, &err), 0);
    assert_int_equal(n, 0);
    call_conn_close(conn);
    /* The same node starts again. */
    conn = open_conn(f, &f->node, 0);
    assert_int_equal(call_recover(conn, &f->arena, false, &lost, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_true(lost[0].repeated);
    assert_false(lost[1].repeated);
    assert_string_equal(lost[1].business_key, "order 7");
    assert_string_equal(lost[1].endpoint, "free");
    assert_string_equal(
        ask(f->pg, "select path || ' ' || attempt from call_queue join call on id = call_id"),
        "/1 2");
    assert_string_equal(
        ask(f->pg, "select path || (r.body::jsonb->>'outcome') from ready r join call c on c.id ="
                   " subject where r.kind = 8"),
        "/2unknown");
    assert_string_equal(ask(f->pg, "select count(*) from attempt"), "0");
    call_conn_close(conn);
}

/* Another node's: only when their time is long over; the endpoint may decide; a worker's lock is
 * stepped over. */
static void test_call__recover_others(void **state)
{
    struct fixture *f = *state;
    struct call_lost *lost;
    struct err err = {0};
    size_t n;

    NEED(f);
    struct call_conn *dead = open_conn(f, &f->other_node, 0);
    queue(f, "free", "POST", 1, 2);
    run(f->pg, "update endpoint set unknown = 'repeat'");
    assert_int_equal(take(f, dead, 5, NULL).n, 2);
    call_conn_close(dead);
    struct call_conn *conn = open_conn(f, &f->node, 0);
    assert_int_equal(call_recover(conn, &f->arena, false, &lost, &n, &err), 0);
    assert_int_equal(n, 0);
    run(f->pg, "update attempt set until = clock() - interval '1 ms'");
    run(f->pg, "begin; delete from attempt where call_id = (select min(call_id::text)::uuid from "
               "attempt)");
    assert_int_equal(call_recover(conn, &f->arena, false, &lost, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_true(lost[0].repeated);
    run(f->pg, "commit"); /* its answer came after all */
    assert_int_equal(call_recover(conn, &f->arena, false, &lost, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_string_equal(ask(f->pg, "select count(*) || ' ' || max(attempt) from call_queue"),
                        "1 2");
    call_conn_close(conn);
}

/* A node without a sign of life is fenced: others deal with its requests, and it changes nothing.
 */
static void test_call__fence_others(void **state)
{
    struct fixture *f = *state;
    struct call_lost *lost;
    struct err err = {0};
    bool by_node;
    size_t n;

    NEED(f);
    struct call_conn *stopped = open_conn(f, &f->other_node, 0), *conn = open_conn(f, &f->node, 0);
    queue(f, "free", "GET", 1, 1);
    queue(f, "free", "POST", 2, 2);
    run(f->pg, "update endpoint set unknown = 'fail' where name = 'free'");
    struct call_take t = take(f, stopped, 2, NULL);
    assert_int_equal(t.n, 2);
    assert_int_equal(call_recover(conn, &f->arena, true, &lost, &n, &err), 0);
    assert_int_equal(n, 0); /* it is alive */
    run(f->pg, "update worker set seen = seen - interval '16 s' where id = (select worker from"
               " attempt limit 1)");
    assert_int_equal(call_recover(conn, &f->arena, false, &lost, &n, &err), 0);
    assert_int_equal(n, 0); /* who was away himself asks nobody */
    run(f->pg, "select hold_calls()");
    assert_int_equal(call_recover(conn, &f->arena, true, &lost, &n, &err), 0);
    assert_int_equal(n, 0); /* during a hold somebody looks first */
    run(f->pg, "select release_calls()");
    assert_int_equal(call_recover(conn, &f->arena, true, &lost, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_false(lost[0].repeated || lost[1].repeated);
    assert_string_equal(ask(f->pg, "select count(*) from ready where kind = 8 and detail = 'fail'"),
                        "2");
    /* It wakes: no sign of life, no take. */
    assert_int_equal(call_beat(stopped, &err), CALL_FENCED);
    struct call_endpoint wish = {.name = "free",
                                 .configured = true,
                                 .want = 5,
                                 .retries = -1,
                                 .lease_end_us = INT64_MIN,
                                 .hold_us = INT64_MIN};
    assert_int_equal(call_take(stopped, &f->arena, &wish, 1, &t, &err), CALL_FENCED);
    assert_int_equal(call_fenced_by_node(f->store, &f->other_node, &by_node, &err), 0);
    assert_true(by_node);
    call_conn_close(stopped);
    stopped = open_conn(f, &f->other_node, 0); /* a new epoch */
    assert_int_equal(call_beat(stopped, &err), 0);
    assert_int_equal(call_fenced_by_node(f->store, &f->other_node, &by_node, &err), 0);
    assert_false(by_node);
    assert_int_equal(take(f, stopped, 5, NULL).n, 1);
    assert_int_equal(call_recover(conn, &f->arena, true, &lost, &n, &err), 0);
    assert_int_equal(n, 0);
    call_conn_close(stopped);
    call_conn_close(conn);
}

/* An endpoint that was dropped after the look: its calls stay, and are refused by the next. */
static void test_call__dropped_endpoint(void **state)
{
    struct fixture *f = *state;
    struct call_endpoint *endpoints;
    struct call_take t = {0};
    struct err err = {0};
    int64_t now_us;
    size_t n;

    NEED(f);
    struct call_conn *conn = open_conn(f, &f->node, 0);
    queue(f, "free", "POST", 1, 2);
    assert_int_equal(call_waiting(conn, &f->arena, "", &endpoints, &n, &now_us, &err), 0);
    endpoints[0].want = 5;
    run(f->pg, "delete from endpoint where name = 'free'");
    assert_int_equal(call_take(conn, &f->arena, endpoints, n, &t, &err), 0);
    assert_int_equal(t.n, 0);
    assert_string_equal(ask(f->pg, "select count(*) from call_queue"), "2");
    assert_int_equal(take(f, conn, 5, NULL).refused, 2);
    call_conn_close(conn);
}

/* Thousands queued at one endpoint: a look and a take stay quick, and the queue goes in order. */
static void test_call__long_queue(void **state)
{
    struct fixture *f = *state;

    NEED(f);
    struct call_conn *conn = open_conn(f, &f->node, 0);
    queue(f, "geo", "GET", 1, 20000);
    queue(f, "free", "GET", 30000, 3);
    run(f->pg, "analyze call, call_queue");
    double from = atof(ask(f->pg, "select extract(epoch from clock())::numeric(20, 6)"));
    struct call_take t = take(f, conn, 1, NULL);
    double took = atof(ask(f->pg, "select extract(epoch from clock())::numeric(20, 6)")) - from;
    assert_int_equal(t.n, 2);
    assert_string_equal(t.requests[1].path, "/1");
    if (took > 1)
        fail_msg("a look and a take behind 20,000 queued calls took %.0f ms", took * 1000);
    call_conn_close(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_call__take, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__locked_endpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__agree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__circuit_in_take, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__impatient, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__shares, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__fence_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__fence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__undo_and_release, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__recover, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__recover_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__dropped_endpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__long_queue, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
