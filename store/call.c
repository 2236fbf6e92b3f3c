/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/fault.h"
#include "store/call.h"
#include "store/conn.h"
#include "store/store_internal.h"

struct call_conn {
    struct arena arena; /* holds this struct */
    struct conn *conn;
    int worker; /* our row in `worker` */
    int64_t epoch;
    int64_t doubt_us; /* of the take whose commit is under way */
    bool queued;      /* the last look found calls */
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
    if (conn_query(conn->conn, "call_forget", NO_PARAMS, NULL, err) < 0)
        return err_trace(err);
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

int call_beat(struct call_conn *conn, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(conn->conn, "call_fence", PARAMS(p_int4(conn->worker), p_int8(conn->epoch)),
                   &rows, err) < 0)
        return err_trace(err);
    return result_affected(rows) == 1 ? 0 : CALL_FENCED;
}

int call_fenced_by_node(struct store *store, const struct uuid *node, bool *ret_by_node,
                        struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct conn *conn CLEANUP(conn_closep) = NULL;

    if (store_connect(store, "pawl dispatcher", &conn, err) < 0 ||
        conn_query(conn, "call_slot_again", PARAMS(p_uuid(node), p_int2(CALL_SLOT)), &rows, err) <
            0)
        return err_trace(err);
    *ret_by_node = result_rows(rows) == 1 && result_bool(rows, 0, 2);
    return 0;
}

/* ---- What waits, and what the nodes agree on ---- */

static void read_breaker(const struct result *rows, int row, int at, struct breaker *breaker)
{
    *breaker = (struct breaker){
        .on = result_bool(rows, row, at),
        .window_calls = (unsigned)result_int(rows, row, at + 1),
        .window_us = result_int(rows, row, at + 2),
        .minimum = (unsigned)result_int(rows, row, at + 3),
        .failures = result_double(rows, row, at + 4),
        .slow_us = result_int(rows, row, at + 5),
        .slow_rate = result_double(rows, row, at + 6),
        .open_us = result_int(rows, row, at + 7),
        .max_open_us = result_int(rows, row, at + 8),
        .probes = (unsigned)result_int(rows, row, at + 9),
    };
}

static void read_circuit(const struct result *rows, int row, int at, struct circuit *circuit)
{
    *circuit = (struct circuit){
        .version = result_int(rows, row, at),
        .state = (enum circuit_state)result_int(rows, row, at + 1),
        .forced = result_bool(rows, row, at + 2),
        .since_us = result_time(rows, row, at + 3),
        .broken_us = result_time(rows, row, at + 4),
        .until_us = result_time(rows, row, at + 5),
        .openings = (unsigned)result_int(rows, row, at + 6),
        .probes = (unsigned)result_int(rows, row, at + 7),
        .good = (unsigned)result_int(rows, row, at + 8),
    };
}

static int read_endpoints(struct call_conn *conn, struct arena *arena, const char *after,
                          struct column *names, struct call_endpoint **ret_endpoints, size_t *ret_n,
                          int64_t *ret_now_us, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(conn->conn, "call_waiting", PARAMS(p_text(after), p_column(names)), &rows, err) <
        0)
        return err_trace(err);
    int n = result_rows(rows);
    struct call_endpoint *endpoints = arena_array(arena, (size_t)n, sizeof(*endpoints));
    for (int i = 0; i < n; i++) {
        struct call_endpoint *endpoint = &endpoints[i];
        *endpoint = (struct call_endpoint){
            .name = arena_strdup(arena, result_text(rows, i, 0)),
            .configured = result_bool(rows, i, 1),
            .queued = (unsigned)result_int(rows, i, 3),
            .rate = result_double(rows, i, 4),
            .burst = (int)result_int(rows, i, 5),
            .max_in_flight = (int)result_int(rows, i, 6),
            .counted = result_bool(rows, i, 7),
            .retry_budget = result_double(rows, i, 8),
            .hits = result_bool(rows, i, 9),
            .impatient = result_bool(rows, i, 10),
            .held = result_bool(rows, i, 11),
            .timeout_us = result_int(rows, i, 22),
            .held_us = result_time(rows, i, 32),
            .next_us = result_time(rows, i, 33),
            .stated = result_bool(rows, i, 34),
            .lease_end_us = INT64_MIN,
            .hold_us = INT64_MIN,
            .retries = -1,
        };
        read_breaker(rows, i, 12, &endpoint->breaker);
        read_circuit(rows, i, 23, &endpoint->circuit);
        *ret_now_us = result_time(rows, i, 2);
    }
    *ret_endpoints = endpoints;
    *ret_n = (size_t)n;
    return 0;
}

int call_delegates(struct call_conn *conn, struct arena *arena, const char *const *endpoints,
                   size_t n, struct err *err)
{
    struct column names;

    column_init(&names, arena, COLUMN_TEXT);
    for (size_t i = 0; i < n; i++)
        column_text(&names, endpoints[i]);
    return conn_query(conn->conn, "delegate_endpoints", PARAMS(p_column(&names)), NULL, err);
}

/* A question to one table: the one for all that there is to know costs six times as much. */
static int ask_queued(struct call_conn *conn, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(conn->conn, "call_queued", NO_PARAMS, &rows, err) < 0)
        return err_trace(err);
    conn->queued = result_bool(rows, 0, 0);
    return 0;
}

int call_waiting(struct call_conn *conn, struct arena *arena, const char *after,
                 struct call_endpoint **ret_endpoints, size_t *ret_n, int64_t *ret_now_us,
                 struct err *err)
{
    struct column none;

    *ret_n = 0;
    if (!conn->queued && ask_queued(conn, err) < 0)
        return err_trace(err);
    if (!conn->queued)
        return 0;
    column_init(&none, arena, COLUMN_TEXT);
    if (read_endpoints(conn, arena, after, &none, ret_endpoints, ret_n, ret_now_us, err) < 0)
        return err_trace(err);
    conn->queued = *ret_n != 0;
    return 0;
}

int call_endpoints(struct call_conn *conn, struct arena *arena, const char *const *names, size_t n,
                   struct call_endpoint **ret_endpoints, size_t *ret_n, int64_t *ret_now_us,
                   struct err *err)
{
    struct column wanted;

    column_init(&wanted, arena, COLUMN_TEXT);
    for (size_t i = 0; i < n; i++)
        column_text(&wanted, names[i]);
    return read_endpoints(conn, arena, NULL, &wanted, ret_endpoints, ret_n, ret_now_us, err);
}

static int send_wishes(struct call_conn *conn, const struct call_endpoint *endpoint,
                       unsigned *n_sent, struct err *err)
{
    const struct circuit *next = &endpoint->next_circuit;
    bool any =
        endpoint->change || endpoint->lease_end_us != INT64_MIN || endpoint->hold_us != INT64_MIN;

    if (any && !endpoint->stated &&
        conn_send(conn->conn, "call_state", PARAMS(p_text(endpoint->name)), err) < 0)
        return err_trace(err);
    *n_sent += any;
    if (endpoint->change) {
        if (conn_send(conn->conn, "call_circuit",
                      PARAMS(p_text(endpoint->name), p_int8(endpoint->circuit.version),
                             p_int2((int16_t)next->state), p_time(next->since_us),
                             p_time(next->broken_us), p_time(next->until_us),
                             p_int4((int32_t)next->openings), p_int4((int32_t)next->probes),
                             p_int4((int32_t)next->good), p_text(endpoint->why),
                             p_bool(next->forced)),
                      err) < 0)
            return err_trace(err);
    }
    if (endpoint->lease_end_us != INT64_MIN) {
        if (conn_send(conn->conn, "call_lease",
                      PARAMS(p_text(endpoint->name), p_time(endpoint->next_us),
                             p_time(endpoint->lease_end_us)),
                      err) < 0)
            return err_trace(err);
    }
    if (endpoint->hold_us != INT64_MIN) {
        if (conn_send(conn->conn, "call_held",
                      PARAMS(p_text(endpoint->name), p_time(endpoint->hold_us)), err) < 0)
            return err_trace(err);
    }
    return 0;
}

static int affected(struct call_conn *conn, bool *ret_any, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_next(conn->conn, &rows, err) < 0)
        return err_trace(err);
    *ret_any = result_affected(rows) == 1;
    return 0;
}

static int agree(struct call_conn *conn, struct call_endpoint *endpoints, size_t n, struct err *err)
{
    unsigned n_sent = 0;
    bool ignored;

    for (size_t i = 0; i < n; i++)
        if (send_wishes(conn, &endpoints[i], &n_sent, err) < 0)
            return err_trace(err);
    if (n_sent == 0)
        return 0;
    if (conn_sync(conn->conn, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < n; i++) {
        struct call_endpoint *endpoint = &endpoints[i];
        bool any = endpoint->change || endpoint->lease_end_us != INT64_MIN ||
                   endpoint->hold_us != INT64_MIN;
        if ((any && !endpoint->stated && affected(conn, &ignored, err) < 0) ||
            (endpoint->change && affected(conn, &endpoint->changed, err) < 0) ||
            (endpoint->lease_end_us != INT64_MIN && affected(conn, &endpoint->leased, err) < 0) ||
            (endpoint->hold_us != INT64_MIN && affected(conn, &endpoint->kept, err) < 0))
            return err_trace(err);
        if (endpoint->changed) {
            endpoint->circuit = endpoint->next_circuit;
            endpoint->circuit.version++;
        }
    }
    return 0;
}

int call_agree(struct call_conn *conn, struct call_endpoint *endpoints, size_t n, struct err *err)
{
    if (agree(conn, endpoints, n, err) == 0)
        return 0;
    conn_finish(conn->conn);
    return err_trace(err);
}

static void age_or_null(struct column *column, int64_t us)
{
    if (us < 0)
        column_null(column);
    else
        column_int(column, us);
}

int call_tell(struct call_conn *conn, struct arena *arena, const struct call_seen *seen, size_t n,
              struct err *err)
{
    static const enum column_type types[] = {COLUMN_TEXT, COLUMN_TEXT, COLUMN_INT4, COLUMN_INT4,
                                             COLUMN_INT4, COLUMN_INT8, COLUMN_INT8, COLUMN_TEXT};
    struct column columns[ARRAY_LEN(types)];
    struct param params[ARRAY_LEN(types) + 1] = {p_int4(conn->worker)};

    for (size_t c = 0; c < ARRAY_LEN(types); c++)
        column_init(&columns[c], arena, types[c]);
    for (size_t i = 0; i < n; i++) {
        column_text(&columns[0], seen[i].name);
        column_text(&columns[1], seen[i].outcomes);
        column_int(&columns[2], seen[i].recent.n);
        column_int(&columns[3], seen[i].recent.failed);
        column_int(&columns[4], seen[i].recent.slow);
        age_or_null(&columns[5], seen[i].answer_age_us);
        age_or_null(&columns[6], seen[i].failure_age_us);
        column_text(&columns[7], seen[i].last_error);
    }
    for (size_t c = 0; c < ARRAY_LEN(types); c++)
        params[c + 1] = p_column(&columns[c]);
    return conn_query(conn->conn, "call_tell", params, ARRAY_LEN(params), NULL, err);
}

/* ---- Taking ---- */

/* The first trip: our fence, and what needs no permit. */
static int send_first(struct call_conn *conn, struct arena *arena,
                      const struct call_endpoint *endpoints, size_t n, struct err *err)
{
    struct column hits, strangers, impatient, counted;

    column_init(&hits, arena, COLUMN_TEXT);
    column_init(&strangers, arena, COLUMN_TEXT);
    column_init(&impatient, arena, COLUMN_TEXT);
    column_init(&counted, arena, COLUMN_TEXT);
    for (size_t i = 0; i < n; i++) {
        if (endpoints[i].hits)
            column_text(&hits, endpoints[i].name);
        if (endpoints[i].impatient)
            column_text(&impatient, endpoints[i].name);
        if (!endpoints[i].configured)
            column_text(&strangers, endpoints[i].name);
        else if (endpoints[i].counted && endpoints[i].want != 0)
            column_text(&counted, endpoints[i].name);
    }
    if (conn_send(conn->conn, "call_fence", PARAMS(p_int4(conn->worker), p_int8(conn->epoch)),
                  err) < 0 ||
        conn_send(conn->conn, "call_hits", PARAMS(p_column(&hits)), err) < 0 ||
        conn_send(conn->conn, "call_refuse", PARAMS(p_column(&strangers)), err) < 0 ||
        conn_send(conn->conn, "call_impatient", PARAMS(p_column(&impatient)), err) < 0 ||
        conn_send(conn->conn, "call_counted", PARAMS(p_column(&counted)), err) < 0 ||
        conn_send(conn->conn, "call_clock", NO_PARAMS, err) < 0 || conn_sync(conn->conn, err) < 0)
        return err_trace(err);
    return 0;
}

/* Its answers. An endpoint that somebody else is counting is wanted no more. */
static int read_first(struct call_conn *conn, struct call_endpoint *endpoints, size_t n,
                      struct call_take *take, struct err *err)
{
    struct result *fence CLEANUP(result_freep) = NULL, *hits CLEANUP(result_freep) = NULL,
                         *refused CLEANUP(result_freep) = NULL,
                         *waited CLEANUP(result_freep) = NULL,
                         *counted CLEANUP(result_freep) = NULL, *now CLEANUP(result_freep) = NULL;

    if (conn_next(conn->conn, &fence, err) < 0 || conn_next(conn->conn, &hits, err) < 0 ||
        conn_next(conn->conn, &refused, err) < 0 || conn_next(conn->conn, &waited, err) < 0 ||
        conn_next(conn->conn, &counted, err) < 0 || conn_next(conn->conn, &now, err) < 0)
        return err_trace(err);
    if (result_affected(fence) != 1)
        return CALL_FENCED;
    take->cached = (unsigned)result_affected(hits);
    take->refused = (unsigned)result_affected(refused);
    take->waited = (unsigned)result_affected(waited);
    take->now_us = result_time(now, 0, 0);
    for (size_t i = 0; i < n; i++) {
        struct call_endpoint *endpoint = &endpoints[i];
        if (!endpoint->counted || endpoint->want == 0)
            continue;
        int row = 0;
        while (row < result_rows(counted) &&
               strcmp(result_text(counted, row, 0), endpoint->name) != 0)
            row++;
        if (row == result_rows(counted))
            endpoint->want = 0;
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
            .phase_us = endpoints[endpoint].circuit.since_us,
            .probe = endpoints[endpoint].probing,
            .business_key =
                result_null(rows, i, 15) ? NULL : arena_strdup(arena, result_text(rows, i, 15)),
            .element =
                result_null(rows, i, 19) ? NULL : arena_strdup(arena, result_text(rows, i, 19)),
            .transport =
                result_null(rows, i, 18) ? NULL : arena_strdup(arena, result_text(rows, i, 18)),
        };
        endpoints[endpoint].taken++;
        endpoints[endpoint].retried += take->requests[i].attempt > 1;
    }
}

/* The second trip: the calls that the permits are for. */
static int claim(struct call_conn *conn, struct arena *arena, struct call_endpoint *endpoints,
                 size_t n, struct call_take *take, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct column names, limits, retries, phases;
    unsigned *order = arena_array(arena, n, sizeof(*order)), n_wanted = 0;

    column_init(&names, arena, COLUMN_TEXT);
    column_init(&limits, arena, COLUMN_INT4);
    column_init(&retries, arena, COLUMN_INT4);
    column_init(&phases, arena, COLUMN_TIME);
    for (size_t i = 0; i < n; i++) {
        if (!endpoints[i].configured || endpoints[i].want == 0)
            continue;
        order[n_wanted++] = (unsigned)i;
        column_text(&names, endpoints[i].name);
        column_int(&limits, endpoints[i].want < CALL_TAKE_MAX ? endpoints[i].want : CALL_TAKE_MAX);
        column_int(&retries, endpoints[i].retries);
        if (endpoints[i].probing)
            column_time(&phases, endpoints[i].circuit.since_us);
        else
            column_null(&phases);
    }
    if (n_wanted == 0)
        return 0;
    if (conn_query(conn->conn, "call_claim",
                   PARAMS(p_column(&names), p_column(&limits), p_column(&retries),
                          p_column(&phases), p_int4(conn->worker), p_int8(conn->epoch),
                          p_time(take->now_us), p_int8(CALL_GRACE_US)),
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

int call_recover(struct call_conn *conn, struct arena *arena, bool fence_others,
                 struct call_lost **ret_lost, size_t *ret_n, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (fence_others &&
        conn_query(conn->conn, "call_fence_others",
                   PARAMS(p_int4(conn->worker), p_int8(CALL_LIFE_US)), NULL, err) < 0)
        return err_trace(err);
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
            .element =
                result_null(rows, i, 6) ? NULL : arena_strdup(arena, result_text(rows, i, 6)),
        };
    }
    *ret_lost = lost;
    *ret_n = n;
    return 0;
}
