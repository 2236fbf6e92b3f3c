/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/fault.h"
#include "store/call.h"
#include "store/conn.h"
#include "store/permit.h"
#include "store/store_internal.h"

struct call_conn {
    struct arena arena; /* holds this struct */
    struct conn *conn;
    int worker; /* our row in `worker` */
    int64_t epoch;
    int64_t doubt_us; /* of the take whose commit is under way */
};

/* ---- Opening ---- */

static int take_slot(struct call_conn *conn, const struct uuid *node, int64_t epoch,
                     struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(conn->conn, epoch == 0 ? "call_slot" : "call_slot_again",
                   PARAMS(p_uuid(node), p_int2(CALL_SLOT)), &rows, err) < 0)
        return err_trace(err);
    if (result_rows(rows) != 1 || (epoch != 0 && result_int(rows, 0, 1) != epoch))
        return CALL_FENCED;
    conn->worker = (int)result_int(rows, 0, 0);
    conn->epoch = result_int(rows, 0, 1);
    return 0;
}

int call_conn_open(struct store *store, const struct uuid *node, int64_t epoch,
                   struct call_conn **ret_conn, struct err *err)
{
    struct arena arena;

    arena_init(&arena, 0);
    struct call_conn *conn = arena_alloc(&arena, sizeof(*conn));
    conn->arena = arena;
    if (store_connect(store, "pawl dispatcher", &conn->conn, err) < 0) {
        call_conn_close(conn);
        return err_trace(err);
    }
    int result = take_slot(conn, node, epoch, err);
    if (result != 0) {
        call_conn_close(conn);
        return result < 0 ? err_trace(err) : CALL_FENCED;
    }
    *ret_conn = conn;
    return 0;
}

void call_conn_close(struct call_conn *conn)
{
    if (conn == NULL)
        return;
    conn_close(conn->conn);
    struct arena arena = conn->arena;
    arena_deinit(&arena);
}

int64_t call_conn_epoch(const struct call_conn *conn)
{
    return conn->epoch;
}

int64_t call_conn_doubt(const struct call_conn *conn)
{
    return conn->doubt_us;
}

/* ---- What waits ---- */

int call_waiting(struct call_conn *conn, struct arena *arena, const char *after,
                 struct call_endpoint **ret_endpoints, size_t *ret_n, int64_t *ret_now_us,
                 struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(conn->conn, "call_waiting", PARAMS(p_text(after)), &rows, err) < 0)
        return err_trace(err);
    int n = result_rows(rows);
    struct call_endpoint *endpoints = arena_array(arena, (size_t)n, sizeof(*endpoints));
    for (int i = 0; i < n; i++) {
        endpoints[i] = (struct call_endpoint){
            .name = arena_strdup(arena, result_text(rows, i, 0)),
            .configured = result_bool(rows, i, 1),
            .rate = result_double(rows, i, 2),
            .burst = (int)result_int(rows, i, 3),
            .max_in_flight = (int)result_int(rows, i, 4),
            .next_us = result_null(rows, i, 5) ? INT64_MIN : result_time(rows, i, 5),
            .hits = result_bool(rows, i, 6),
            .due_us = INT64_MIN,
        };
        *ret_now_us = result_time(rows, i, 7);
    }
    *ret_endpoints = endpoints;
    *ret_n = (size_t)n;
    return 0;
}

/* ---- Taking ---- */

/* The first trip: our fence, what needs no permit, and the locks on the rated endpoints. */
static int send_first(struct call_conn *conn, struct arena *arena,
                      const struct call_endpoint *endpoints, size_t n, struct err *err)
{
    struct column hits, strangers, rated;

    column_init(&hits, arena, COLUMN_TEXT);
    column_init(&strangers, arena, COLUMN_TEXT);
    column_init(&rated, arena, COLUMN_TEXT);
    for (size_t i = 0; i < n; i++) {
        if (endpoints[i].hits)
            column_text(&hits, endpoints[i].name);
        if (!endpoints[i].configured)
            column_text(&strangers, endpoints[i].name);
        else if (endpoints[i].rate > 0 && endpoints[i].want != 0)
            column_text(&rated, endpoints[i].name);
    }
    if (conn_send(conn->conn, "call_fence", PARAMS(p_int4(conn->worker), p_int8(conn->epoch)),
                  err) < 0 ||
        conn_send(conn->conn, "call_hits", PARAMS(p_column(&hits)), err) < 0 ||
        conn_send(conn->conn, "call_refuse", PARAMS(p_column(&strangers)), err) < 0 ||
        conn_send(conn->conn, "call_lock", PARAMS(p_column(&rated)), err) < 0 ||
        conn_send(conn->conn, "call_clock", NO_PARAMS, err) < 0 || conn_sync(conn->conn, err) < 0)
        return err_trace(err);
    return 0;
}

/* Its answers. Endpoints that somebody else holds locked are wanted no more. */
static int read_first(struct call_conn *conn, struct call_endpoint *endpoints, size_t n,
                      struct call_take *take, struct err *err)
{
    struct result *fence CLEANUP(result_freep) = NULL, *hits CLEANUP(result_freep) = NULL,
                         *refused CLEANUP(result_freep) = NULL,
                         *locked CLEANUP(result_freep) = NULL, *now CLEANUP(result_freep) = NULL;

    if (conn_next(conn->conn, &fence, err) < 0 || conn_next(conn->conn, &hits, err) < 0 ||
        conn_next(conn->conn, &refused, err) < 0 || conn_next(conn->conn, &locked, err) < 0 ||
        conn_next(conn->conn, &now, err) < 0)
        return err_trace(err);
    if (result_affected(fence) != 1)
        return CALL_FENCED;
    take->cached = (unsigned)result_affected(hits);
    take->refused = (unsigned)result_affected(refused);
    take->now_us = result_time(now, 0, 0);
    for (size_t i = 0; i < n; i++) {
        struct call_endpoint *endpoint = &endpoints[i];
        if (!endpoint->configured || endpoint->rate <= 0 || endpoint->want == 0)
            continue;
        int row = 0;
        while (row < result_rows(locked) &&
               strcmp(result_text(locked, row, 0), endpoint->name) != 0)
            row++;
        if (row == result_rows(locked)) {
            endpoint->want = 0;
            continue;
        }
        struct permits permits =
            permits_now(result_double(locked, row, 1), (int)result_int(locked, row, 2),
                        result_time(locked, row, 3), take->now_us, endpoint->want);
        endpoint->want = permits.n;
        endpoint->due_us = permits.due_us;
    }
    return 0;
}

static void read_requests(struct arena *arena, const struct result *rows, const unsigned *order,
                          struct call_endpoint *endpoints, struct call_take *take)
{
    take->n = (size_t)result_rows(rows);
    take->requests = arena_array(arena, take->n, sizeof(*take->requests));
    for (int i = 0; i < (int)take->n; i++) {
        unsigned endpoint = order[result_int(rows, i, 0) - 1];
        bool body = !result_null(rows, i, 10);
        take->requests[i] = (struct call_request){
            .endpoint = endpoint,
            .attempt = (uint32_t)result_int(rows, i, 1),
            .id = result_uuid(rows, i, 2),
            .instance = result_uuid(rows, i, 3),
            .root = result_uuid(rows, i, 4),
            .token = (uint32_t)result_int(rows, i, 16),
            .node = (int)result_int(rows, i, 17),
            .base_url = arena_strdup(arena, result_text(rows, i, 5)),
            .endpoint_headers = arena_strdup(arena, result_text(rows, i, 6)),
            .method = arena_strdup(arena, result_text(rows, i, 7)),
            .path = arena_strdup(arena, result_text(rows, i, 8)),
            .headers = arena_strdup(arena, result_text(rows, i, 9)),
            .body = body
                        ? arena_strndup(arena, result_text(rows, i, 10), result_length(rows, i, 10))
                        : NULL,
            .body_n = body ? result_length(rows, i, 10) : 0,
            .connect_timeout_us = result_int(rows, i, 11),
            .timeout_us = result_int(rows, i, 12),
            .cacheable = result_bool(rows, i, 13),
            .repeatable = result_bool(rows, i, 14),
            .business_key =
                result_null(rows, i, 15) ? NULL : arena_strdup(arena, result_text(rows, i, 15)),
            .transport =
                result_null(rows, i, 18) ? NULL : arena_strdup(arena, result_text(rows, i, 18)),
        };
        endpoints[endpoint].taken++;
    }
}

/* The second trip: the calls that the permits are for. */
static int claim(struct call_conn *conn, struct arena *arena, struct call_endpoint *endpoints,
                 size_t n, struct call_take *take, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct column names, limits;
    unsigned *order = arena_array(arena, n, sizeof(*order)), n_wanted = 0;

    column_init(&names, arena, COLUMN_TEXT);
    column_init(&limits, arena, COLUMN_INT4);
    for (size_t i = 0; i < n; i++) {
        if (!endpoints[i].configured || endpoints[i].want == 0)
            continue;
        order[n_wanted++] = (unsigned)i;
        column_text(&names, endpoints[i].name);
        column_int(&limits, endpoints[i].want < CALL_TAKE_MAX ? endpoints[i].want : CALL_TAKE_MAX);
    }
    if (n_wanted == 0)
        return 0;
    if (conn_query(conn->conn, "call_claim",
                   PARAMS(p_column(&names), p_column(&limits), p_int4(conn->worker),
                          p_int8(conn->epoch), p_time(take->now_us), p_int8(CALL_GRACE_US)),
                   &rows, err) < 0)
        return err_trace(err);
    read_requests(arena, rows, order, endpoints, take);
    if (take->n != 0)
        fault_point("call.before_attempt_commit");
    return 0;
}

static int take_all(struct call_conn *conn, struct arena *arena, struct call_endpoint *endpoints,
                    size_t n, struct call_take *take, struct err *err)
{
    if (conn_begin(conn->conn, err) < 0 || send_first(conn, arena, endpoints, n, err) < 0)
        return err_trace(err);
    int result = read_first(conn, endpoints, n, take, err);
    if (result != 0)
        return result < 0 ? err_trace(err) : result;
    if (claim(conn, arena, endpoints, n, take, err) < 0)
        return err_trace(err);
    conn->doubt_us = take->n != 0 ? take->now_us : 0;
    if (conn_commit(conn->conn, err) < 0)
        return err_trace(err);
    if (take->n != 0)
        fault_point("call.after_attempt_commit");
    conn->doubt_us = 0;
    return 0;
}

int call_take(struct call_conn *conn, struct arena *arena, struct call_endpoint *endpoints,
              size_t n, struct call_take *ret_take, struct err *err)
{
    struct call_take take = {0};

    conn->doubt_us = 0;
    int result = take_all(conn, arena, endpoints, n, &take, err);
    if (result != 0) {
        /* A commit that the server answered, with an error, did not happen. */
        if (conn_alive(conn->conn))
            conn->doubt_us = 0;
        conn_rollback(conn->conn);
        return result < 0 ? err_trace(err) : result;
    }
    *ret_take = take;
    return 0;
}

/* ---- Putting right ---- */

int call_undo(struct call_conn *conn, int64_t doubt_us, unsigned *ret_n, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(conn->conn, "call_undo",
                   PARAMS(p_int4(conn->worker), p_int8(conn->epoch), p_time(doubt_us)), &rows,
                   err) < 0)
        return err_trace(err);
    *ret_n = (unsigned)result_affected(rows);
    return 0;
}

int call_release(struct call_conn *conn, struct arena *arena, const struct uuid *calls, size_t n,
                 struct err *err)
{
    struct column ids;

    column_init(&ids, arena, COLUMN_UUID);
    for (size_t i = 0; i < n; i++)
        column_uuid(&ids, &calls[i]);
    if (conn_query(conn->conn, "call_release",
                   PARAMS(p_int4(conn->worker), p_int8(conn->epoch), p_column(&ids)), NULL,
                   err) < 0)
        return err_trace(err);
    return 0;
}

int call_recover(struct call_conn *conn, struct arena *arena, struct call_lost **ret_lost,
                 size_t *ret_n, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(conn->conn, "call_recover", PARAMS(p_int4(conn->worker), p_int8(conn->epoch)),
                   &rows, err) < 0)
        return err_trace(err);
    size_t n = (size_t)result_rows(rows);
    struct call_lost *lost = arena_array(arena, n, sizeof(*lost));
    for (int i = 0; i < (int)n; i++) {
        bool key = !result_null(rows, i, 4);
        lost[i] = (struct call_lost){
            .id = result_uuid(rows, i, 0),
            .instance = result_uuid(rows, i, 1),
            .attempt = (uint32_t)result_int(rows, i, 2),
            .endpoint = arena_strdup(arena, result_text(rows, i, 3)),
            .business_key = key ? arena_strdup(arena, result_text(rows, i, 4)) : NULL,
            .repeated = result_bool(rows, i, 5),
        };
    }
    *ret_lost = lost;
    *ret_n = n;
    return 0;
}
