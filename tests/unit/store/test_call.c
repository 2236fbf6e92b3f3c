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
             "headers, body, connect_timeout_us, timeout_us, report_sent, asked)"
             " select ('02890000-0000-7000-8000-' || lpad(i::text, 12, "
             "'0'))::uuid, '01890000-"
             "0000-7000-8000-000000000001', '01890000-0000-7000-8000-000000000001', 1, 2, '%s', "
             "'%s', '/' || i,"
             " '{}', null, 0, 0, i %% 2 = 1, now() from generate_series(%d, %d) i returning id, "
             "endpoint)"
             " insert into call_queue select endpoint, id, 1 from c",
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
    run(f->pg, "insert into call_queue values ('free', '00000000-0000-0000-0000-000000000001', 1)");
    struct call_take t = take(f, conn, 4, &endpoints);
    /* 4 of free, of which one has lost its call; 2 of geo: its burst; 3 that have no endpoint. */
    assert_int_equal(t.n, 5);
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
    assert_int_equal(endpoints[t.requests[4].endpoint].due_us, t.now_us + SECOND / 10);
    assert_string_equal(ask(f->pg, "select count(*) from attempt"), "5");
    assert_string_equal(ask(f->pg, "select count(*) from call_queue"), "5");
    /* Those whose timers start when they leave are told: /1, /3, /11. */
    assert_string_equal(
        ask(f->pg, "select string_agg(path, ' ' order by path) from ready r join call c on c.id ="
                   " r.subject where kind = 7 and detail::bigint > 0"),
        "/1 /11 /3");
    assert_string_equal(ask(f->pg,
                            "select count(*) from ready where kind = 8 and body::jsonb->>'error' ="
                            " 'endpoint unheard is not configured: pawl endpoint unheard URL'"),
                        "3");
    t = take(f, conn, 4, NULL);
    assert_int_equal(t.n, 2); /* the rest of free; geo has no permit */
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
    assert_string_equal(ask(f->pg, "select next_at from endpoint where name = 'geo'"), "-infinity");
    call_conn_close(conn);
}

/* An administrator's open transaction, and another dispatcher's: stepped over, others are not
 * delayed. */
static void test_call__locked_endpoint(void **state)
{
    struct fixture *f = *state;

    NEED(f);
    struct call_conn *conn = open_conn(f, &f->node, 0);
    queue(f, "free", "GET", 1, 2);
    queue(f, "geo", "GET", 10, 2);
    run(f->pg, "begin; update endpoint set rate = 20");
    struct call_take t = take(f, conn, 5, NULL);
    assert_int_equal(t.n, 2); /* of free, although its row is locked: it has no rate */
    run(f->pg, "commit");
    run(f->pg, "begin; select from call_queue limit 1 for update");
    t = take(f, conn, 5, NULL);
    assert_int_equal(t.n, 1);
    run(f->pg, "rollback");
    call_conn_close(conn);
}

/* Two nodes share the rate. */
static void test_call__two_nodes(void **state)
{
    struct fixture *f = *state;
    unsigned sent = 0;

    NEED(f);
    struct call_conn *a = open_conn(f, &f->node, 0), *b = open_conn(f, &f->other_node, 0);
    queue(f, "geo", "GET", 1, 50);
    const char *before = ask(f->pg, "select extract(epoch from clock())::numeric(20, 6)");
    double from = atof(before);
    double to = from;
    while (to < from + 1) {
        sent += (unsigned)(take(f, a, 50, NULL).n + take(f, b, 50, NULL).n);
        to = atof(ask(f->pg, "select extract(epoch from clock())::numeric(20, 6)"));
    }
    /* 10 a second and a burst of 2; on a busy machine a look may be late. */
    assert_true(sent >= 8 && sent <= (to - from) * 10 + 3);
    call_conn_close(a);
    call_conn_close(b);
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
    assert_int_equal(call_recover(conn, &f->arena, &lost, &n, &err), 0);
    assert_int_equal(n, 0);
    call_conn_close(conn);
    /* The same node starts again. */
    conn = open_conn(f, &f->node, 0);
    assert_int_equal(call_recover(conn, &f->arena, &lost, &n, &err), 0);
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
    run(f->pg, "update endpoint set repeat_unknown = true");
    assert_int_equal(take(f, dead, 5, NULL).n, 2);
    call_conn_close(dead);
    struct call_conn *conn = open_conn(f, &f->node, 0);
    assert_int_equal(call_recover(conn, &f->arena, &lost, &n, &err), 0);
    assert_int_equal(n, 0);
    run(f->pg, "update attempt set until = clock() - interval '1 ms'");
    run(f->pg, "begin; delete from attempt where call_id = (select min(call_id::text)::uuid from "
               "attempt)");
    assert_int_equal(call_recover(conn, &f->arena, &lost, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_true(lost[0].repeated);
    run(f->pg, "commit"); /* its answer came after all */
    assert_int_equal(call_recover(conn, &f->arena, &lost, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_string_equal(ask(f->pg, "select count(*) || ' ' || max(attempt) from call_queue"),
                        "1 2");
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
        cmocka_unit_test_setup_teardown(test_call__two_nodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__fence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__undo_and_release, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__recover, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__recover_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__dropped_endpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_call__long_queue, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
