/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>

#include "base/clock.h"
#include "base/buf.h"
#include "store/conn.h"
#include "store/conn_internal.h"
#include "store/embedded.h"
#include "store/query.h"

#define STATEMENT_TIMEOUT_MS 30000
#define LOCK_TIMEOUT_MS 10000
#define IDLE_IN_TRANSACTION_MS 10000
/* How much longer than statement_timeout we wait for an answer before the server counts as lost. */
#define REPLY_GRACE_MS 10000

/* What was sent and is not yet read. */
enum item_kind { ITEM_PREPARE, ITEM_QUERY, ITEM_SYNC };

struct item {
    enum item_kind kind;
    struct query *query;
};

struct conn {
    struct arena arena; /* owns this, too */
    PGconn *pg;
    const char *schema;
    struct query_set queries;
    struct item *items;
    size_t first, n_items, capacity;
    bool unsynced; /* something was sent since the last sync */
    bool dead;
    int reply_timeout_ms;
    PGresult *refused; /* the last one, for conn_refusal() */
    struct conn_counts counts;
};

/* ---- Connecting ---- */

static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

void conn_add_ident(struct buf *buf, const char *name)
{
    buf_add_char(buf, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            buf_add_char(buf, '"');
        buf_add_char(buf, *name);
    }
    buf_add_char(buf, '"');
}

static int or_default(int value, int otherwise)
{
    return value != 0 ? value : otherwise;
}

/* One round trip: all settings of the session, and what the server has to say about itself. */
static int conn_setup(struct conn *conn, const struct conn_options *options, struct err *err)
{
    struct buf sql CLEANUP(buf_deinit);
    int statement_ms = or_default(options->statement_timeout_ms, STATEMENT_TIMEOUT_MS);

    conn->reply_timeout_ms = statement_ms + REPLY_GRACE_MS;
    buf_init(&sql, 0);
    buf_printf(&sql,
               "set statement_timeout = %d; set lock_timeout = %d; "
               "set idle_in_transaction_session_timeout = %d; "
               "set timezone = 'UTC'; set datestyle = 'ISO'; set jit = off; "
               "set standard_conforming_strings = on; "
               "set default_transaction_isolation = 'read committed'; ",
               statement_ms, or_default(options->lock_timeout_ms, LOCK_TIMEOUT_MS),
               or_default(options->idle_in_transaction_ms, IDLE_IN_TRANSACTION_MS));
    /* A bitmap would have all rows behind a cursor read, locked and sorted, for the first few. */
    if (options->keyed_plans)
        buf_add_str(&sql, "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; "
                          "set enable_bitmapscan = off; set enable_hashjoin = off; "
                          "set enable_mergejoin = off; ");
    buf_add_str(&sql, "set search_path = ");
    conn_add_ident(&sql, conn->schema);
    buf_add_str(&sql, ", pg_temp; select current_setting('synchronous_commit'), "
                      "current_setting('server_encoding'), current_setting('server_version')");
    PGresult *rows = PQexec(conn->pg, buf_str(&sql));
    int rc = 0;
    if (PQresultStatus(rows) != PGRES_TUPLES_OK)
        rc = conn_error(rows, conn->pg, "the session's settings", err);
    else if (strcmp(PQgetvalue(rows, 0, 0), "off") == 0)
        rc = err_set(err, ERR_INVALID,
                     "the database runs with synchronous_commit = off, so that "
                     "acknowledged work could be lost: set it on for this role or database");
    else if (strcmp(PQgetvalue(rows, 0, 1), "UTF8") != 0)
        rc = err_set(err, ERR_INVALID,
                     "the database's encoding is %s; it must be UTF8: create one "
                     "with createdb -E UTF8 -T template0",
                     PQgetvalue(rows, 0, 1));
    else if (PQserverVersion(conn->pg) < 150000)
        rc = err_set(err, ERR_INVALID, "PostgreSQL %s is too old: 15 or later is needed",
                     PQgetvalue(rows, 0, 2));
    PQclear(rows);
    return rc;
}

static PGconn *connect_to(const struct conn_options *options)
{
    const char *application =
        options->application_name != NULL ? options->application_name : "pawl";
    /* What stands before dbname can be overridden by the connection string, the rest can not. */
    const char *keywords[] = {"connect_timeout",
                              "keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "tcp_user_timeout",
                              "target_session_attrs",
                              "dbname",
                              "client_encoding",
                              "application_name",
                              NULL};
    const char *values[] = {"5",    "5",         "2", "3", "10000", "read-write", options->conninfo,
                            "UTF8", application, NULL};

    return PQconnectdbParams(keywords, values, 1);
}

int conn_open(const struct conn_options *options, struct conn **ret_conn, struct err *err)
{
    struct arena arena;

    arena_init(&arena, 0);
    struct conn *conn = arena_alloc(&arena, sizeof(*conn));
    conn->schema = arena_strdup(&arena, options->schema != NULL ? options->schema : "pawl");
    conn->pg = connect_to(options);
    conn->arena = arena;
    int rc = query_load(&conn->arena, &conn->queries, err);
    if (rc == 0 && PQstatus(conn->pg) != CONNECTION_OK)
        rc = conn_refused(conn->pg, err);
    if (rc == 0) {
        PQsetNoticeReceiver(conn->pg, ignore_notice, NULL);
        rc = conn_setup(conn, options, err);
    }
    if (rc == 0 && (PQsetnonblocking(conn->pg, 1) != 0 || PQenterPipelineMode(conn->pg) != 1))
        rc = err_set(err, ERR_INTERNAL, "libpq refused the pipeline mode: %s",
                     PQerrorMessage(conn->pg));
    if (rc < 0) {
        conn_close(conn);
        return err_trace(err);
    }
    *ret_conn = conn;
    return 0;
}

void conn_close(struct conn *conn)
{
    if (conn == NULL)
        return;
    PQclear(conn->refused);
    PQfinish(conn->pg);
    struct arena arena = conn->arena;
    arena_deinit(&arena);
}

void conn_closep(struct conn **conn)
{
    conn_close(*conn);
}

bool conn_alive(const struct conn *conn)
{
    return !conn->dead && PQstatus(conn->pg) == CONNECTION_OK;
}

const char *conn_schema(const struct conn *conn)
{
    return conn->schema;
}

struct conn_counts conn_counts(const struct conn *conn)
{
    return conn->counts;
}

/* ---- Waiting ---- */

static int conn_lost(struct conn *conn, const char *why, struct err *err)
{
    conn->dead = true;
    return err_set(err, ERR_LOST, "lost the connection to PostgreSQL: %s", why);
}

/* Waits until the socket can be read (and, with `write`, written), reading what is there. */
static int conn_wait(struct conn *conn, bool write, int64_t deadline, struct err *err)
{
    struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};

    if (write)
        fd.events |= POLLOUT;
    int64_t left = deadline - clock_mono_us() / 1000;
    int n = left > 0 ? poll(&fd, 1, (int)left) : 0;
    if (n < 0 && errno != EINTR)
        return conn_lost(conn, "poll failed", err);
    if (n == 0)
        return conn_lost(conn, "the server does not answer", err);
    if ((fd.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && PQconsumeInput(conn->pg) != 1)
        return conn_lost(conn, PQerrorMessage(conn->pg), err);
    return 0;
}

static int conn_flush(struct conn *conn, struct err *err)
{
    int64_t deadline = clock_mono_us() / 1000 + conn->reply_timeout_ms;
    int more;

    while ((more = PQflush(conn->pg)) == 1) {
        if (conn_wait(conn, true, deadline, err) < 0)
            return err_trace(err);
    }
    return more == 0 ? 0 : conn_lost(conn, PQerrorMessage(conn->pg), err);
}

/* The next result, or NULL where libpq says that a statement's results are complete. */
static int conn_result(struct conn *conn, PGresult **ret_result, struct err *err)
{
    int64_t deadline = clock_mono_us() / 1000 + conn->reply_timeout_ms;

    if (!conn_alive(conn))
        return conn_lost(conn, "it was closed", err);
    while (PQisBusy(conn->pg)) {
        if (conn_wait(conn, false, deadline, err) < 0)
            return err_trace(err);
    }
    *ret_result = PQgetResult(conn->pg);
    return 0;
}

/* ---- Sending ---- */

static void push(struct conn *conn, enum item_kind kind, struct query *query)
{
    if (conn->first != 0 && conn->first == conn->n_items)
        conn->first = conn->n_items = 0;
    struct item *item = arena_push(&conn->arena, conn->items, conn->n_items, conn->capacity);
    *item = (struct item){.kind = kind, .query = query};
    conn->unsynced = kind != ITEM_SYNC;
}

#define PARAMS_MAX 40

static int send_prepare(struct conn *conn, struct query *query, const struct param *params,
                        size_t n_params, struct err *err)
{
    Oid types[PARAMS_MAX];

    if (query->prepared || query->preparing)
        return 0;
    for (size_t i = 0; i < n_params; i++)
        types[i] = params[i].type;
    if (PQsendPrepare(conn->pg, query->name, query->text, (int)n_params, types) != 1)
        return conn_lost(conn, PQerrorMessage(conn->pg), err);
    query->preparing = true;
    push(conn, ITEM_PREPARE, query);
    return 0;
}

int conn_send(struct conn *conn, const char *name, const struct param *params, size_t n_params,
              struct err *err)
{
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX], formats[PARAMS_MAX];
    struct query *query = query_find(&conn->queries, name);

    if (query == NULL)
        return err_set(err, ERR_INTERNAL, "there is no query %s in sql/queries", name);
    assert(n_params <= PARAMS_MAX);
    if (!conn_alive(conn))
        return conn_lost(conn, "it was closed", err);
    if (send_prepare(conn, query, params, n_params, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < n_params; i++) {
        const struct param *p = &params[i];
        const void *bytes = p->bytes != NULL ? p->bytes : p->room;
        values[i] = p->n < 0 ? NULL : bytes;
        lengths[i] = p->n < 0 ? 0 : p->n;
        formats[i] = 1;
    }
    if (PQsendQueryPrepared(conn->pg, query->name, (int)n_params, values, lengths, formats, 1) != 1)
        return conn_lost(conn, PQerrorMessage(conn->pg), err);
    push(conn, ITEM_QUERY, query);
    conn->counts.statements++;
    return 0;
}

int conn_sync(struct conn *conn, struct err *err)
{
    if (!conn_alive(conn))
        return conn_lost(conn, "it was closed", err);
    if (PQpipelineSync(conn->pg) != 1)
        return conn_lost(conn, PQerrorMessage(conn->pg), err);
    push(conn, ITEM_SYNC, NULL);
    conn->counts.round_trips++;
    return conn_flush(conn, err);
}

/* ---- Receiving ---- */

/* The server's last words: it closes the connection, though its end has not been read yet. Or
 * libpq's own: it has no severity for what it says itself. */
static bool is_fatal(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    return severity == NULL || (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

/* Reads what belongs to one statement: its result and the NULL behind it. */
static int read_statement(struct conn *conn, const struct item *item, PGresult **ret_result,
                          struct err *err)
{
    PGresult *result = NULL, *end = NULL;

    for (int tries = 0; result == NULL && tries < 3; tries++) {
        if (conn_result(conn, &result, err) < 0)
            return err_trace(err);
    }
    if (result == NULL)
        return conn_lost(conn, "libpq has no result", err);
    int rc = 0;
    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
        break;
    case PGRES_PIPELINE_ABORTED:
        rc = err_set(err, ERR_INTERNAL, "query %s was skipped: an earlier one failed",
                     item->query->name);
        break;
    default:
        rc = conn_error(result, conn->pg, item->query->name, err);
        conn->dead |= is_fatal(result);
        PQclear(conn->refused);
        conn->refused = result;
        result = NULL;
        break;
    }
    if (!conn_alive(conn)) {
        PQclear(result);
        conn->dead = true;
        return rc < 0 ? rc : conn_lost(conn, "it was closed", err);
    }
    struct err ignored;
    if (conn_result(conn, &end, rc < 0 ? &ignored : err) < 0)
        rc = -1;
    PQclear(end);
    if (rc < 0) {
        PQclear(result);
        return err_trace(err);
    }
    *ret_result = result;
    return 0;
}

static int read_sync(struct conn *conn, struct err *err)
{
    for (int tries = 0; tries < 3; tries++) {
        PGresult *result = NULL;
        if (conn_result(conn, &result, err) < 0)
            return err_trace(err);
        bool done = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        PQclear(result);
        if (done)
            return 0;
    }
    return conn_lost(conn, "libpq lost the pipeline's end", err);
}

static int read_prepare(struct conn *conn, const struct item *item, struct err *err)
{
    PGresult *result = NULL;
    int rc = read_statement(conn, item, &result, err);

    PQclear(result);
    item->query->preparing = false;
    item->query->prepared = rc == 0;
    return rc;
}

/* Takes the end of a pipeline as soon as everything before it was read. */
static int read_ends(struct conn *conn, struct err *err)
{
    while (conn->first < conn->n_items && conn->items[conn->first].kind == ITEM_SYNC) {
        conn->first++;
        if (read_sync(conn, err) < 0)
            return err_trace(err);
    }
    return 0;
}

int conn_next(struct conn *conn, struct result **ret_rows, struct err *err)
{
    PGresult *result = NULL;
    int rc = 0;

    if (read_ends(conn, err) < 0)
        return err_trace(err);
    if (conn->first == conn->n_items)
        return err_set(err, ERR_INTERNAL, "no statement is under way");
    struct item item = conn->items[conn->first++];
    if (item.kind == ITEM_PREPARE) {
        rc = read_prepare(conn, &item, err);
        item = conn->items[conn->first++];
    }
    struct err second;
    if (conn_alive(conn) && read_statement(conn, &item, &result, rc < 0 ? &second : err) < 0)
        rc = -1;
    if (rc == 0 && read_ends(conn, err) < 0)
        rc = -1;
    if (rc < 0) {
        PQclear(result);
        return err_trace(err);
    }
    if (ret_rows != NULL)
        *ret_rows = (struct result *)result;
    else
        PQclear(result);
    return 0;
}

void conn_finish(struct conn *conn)
{
    struct err ignored;

    if (conn->unsynced && conn_alive(conn) && conn_sync(conn, &ignored) < 0)
        conn->dead = true;
    while (conn->first < conn->n_items && conn_alive(conn)) {
        const struct item item = conn->items[conn->first++];
        PGresult *result = NULL;
        int rc = item.kind == ITEM_SYNC      ? read_sync(conn, &ignored)
                 : item.kind == ITEM_PREPARE ? read_prepare(conn, &item, &ignored)
                                             : read_statement(conn, &item, &result, &ignored);
        /* A statement's error is what we came to forget; a lost connection shows in `dead`. */
        if (rc == 0)
            PQclear(result);
    }
    conn->first = conn->n_items = 0;
}

const char *conn_refusal(const struct conn *conn, enum refusal what)
{
    static const int fields[] = {
        [REFUSAL_SQLSTATE] = PG_DIAG_SQLSTATE,
        [REFUSAL_MESSAGE] = PG_DIAG_MESSAGE_PRIMARY,
        [REFUSAL_HINT] = PG_DIAG_MESSAGE_HINT,
        [REFUSAL_DETAIL] = PG_DIAG_MESSAGE_DETAIL,
    };

    return conn->refused != NULL ? PQresultErrorField(conn->refused, fields[what]) : NULL;
}

bool conn_probe(struct conn *conn)
{
    struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};

    if (conn_alive(conn) && poll(&fd, 1, 0) != 0 && PQconsumeInput(conn->pg) != 1)
        conn->dead = true;
    return conn_alive(conn);
}

/* ---- The simple forms ---- */

int conn_prepare(struct conn *conn, const char *name, size_t n_params, struct err *err)
{
    struct query *query = query_find(&conn->queries, name);
    struct param texts[PARAMS_MAX];

    if (query == NULL)
        return err_set(err, ERR_INTERNAL, "there is no query %s in sql/queries", name);
    if (query->prepared)
        return 0;
    assert(n_params <= PARAMS_MAX);
    for (size_t i = 0; i < n_params; i++)
        texts[i] = p_text(NULL);
    if (send_prepare(conn, query, texts, n_params, err) < 0 || conn_sync(conn, err) < 0)
        return err_trace(err);
    struct item item = conn->items[conn->first++];
    if (read_prepare(conn, &item, err) < 0 || read_ends(conn, err) < 0) {
        conn_finish(conn);
        return err_trace(err);
    }
    return 0;
}

int conn_query(struct conn *conn, const char *name, const struct param *params, size_t n_params,
               struct result **ret_rows, struct err *err)
{
    if (conn_send(conn, name, params, n_params, err) < 0 || conn_sync(conn, err) < 0 ||
        conn_next(conn, ret_rows, err) < 0) {
        conn_finish(conn);
        return err_trace(err);
    }
    return 0;
}

int conn_script(struct conn *conn, const char *sql, struct err *err)
{
    conn_finish(conn);
    if (!conn_alive(conn) || PQexitPipelineMode(conn->pg) != 1)
        return conn_lost(conn, PQerrorMessage(conn->pg), err);
    PQsetnonblocking(conn->pg, 0);
    PGresult *result = PQexec(conn->pg, sql);
    ExecStatusType status = PQresultStatus(result);
    int rc = 0;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        rc = conn_error(result, conn->pg, "an SQL script", err);
    PQclear(result);
    PQsetnonblocking(conn->pg, 1);
    conn->counts.statements++;
    conn->counts.round_trips++;
    if (PQenterPipelineMode(conn->pg) != 1)
        conn->dead = true;
    return rc;
}

int conn_begin(struct conn *conn, struct err *err)
{
    return conn_query(conn, "begin", NO_PARAMS, NULL, err);
}

int conn_commit(struct conn *conn, struct err *err)
{
    struct result *done CLEANUP(result_freep) = NULL;

    if (conn_query(conn, "commit", NO_PARAMS, &done, err) < 0)
        return err_trace(err);
    /* COMMIT of a failed transaction answers ROLLBACK, and is no error to the server. */
    if (strcmp(PQcmdStatus((PGresult *)done), "COMMIT") != 0)
        return err_set(err, ERR_INTERNAL, "the transaction had failed and was rolled back");
    return 0;
}

void conn_rollback(struct conn *conn)
{
    struct err ignored;

    conn_finish(conn);
    if (!conn_alive(conn) || PQtransactionStatus(conn->pg) == PQTRANS_IDLE)
        return;
    if (conn_query(conn, "rollback", NO_PARAMS, NULL, &ignored) < 0)
        conn->dead = true;
}

/* It is libpq's PGcancel; when the server does not listen, the statement's timeout ends it. */
struct conn_cancel *conn_cancel_new(struct conn *conn)
{
    return (struct conn_cancel *)PQgetCancel(conn->pg);
}

void conn_cancel_now(struct conn_cancel *cancel)
{
    char text[256];

    if (cancel != NULL)
        (void)PQcancel((PGcancel *)cancel, text, sizeof(text));
}

void conn_cancel_free(struct conn_cancel *cancel)
{
    PQfreeCancel((PGcancel *)cancel);
}

int conn_check_migrations(struct conn *conn, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(conn, "schema_digests", NO_PARAMS, &rows, err) < 0)
        return err_trace(err);
    for (int i = 0; i < result_rows(rows); i++) {
        char digest[EMBEDDED_DIGEST_BYTES];
        if (result_int(rows, i, 0) > conn_schema_version())
            continue; /* of a newer program that gets along with this one */
        embedded_digest(result_text(rows, i, 1), digest);
        const char *there = result_text(rows, i, 2);
        if (there == NULL || strcmp(there, digest) != 0)
            return err_set(err, ERR_INVALID,
                           "schema \"%s\" was made by an unreleased build whose tables were others "
                           "(%s): there is no way from it to this one. Use another schema, or drop "
                           "this one with all that is in it and run pawl migrate",
                           conn->schema, result_text(rows, i, 1));
    }
    return 0;
}

int conn_check_schema(struct conn *conn, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;

    if (conn_query(conn, "schema_there", PARAMS(p_text(conn->schema)), &rows, err) < 0)
        return err_trace(err);
    if (!result_bool(rows, 0, 0))
        return err_set(err, ERR_NOT_FOUND,
                       "there is no engine in schema \"%s\" of this database: "
                       "run pawl migrate first",
                       conn->schema);
    result_freep(&rows);
    rows = NULL;
    if (conn_query(conn, "schema_version", NO_PARAMS, &rows, err) < 0)
        return err_trace(err);
    int version = (int)result_int(rows, 0, 0), ours = conn_schema_version();
    if (version < ours)
        return err_set(err, ERR_INVALID,
                       "schema \"%s\" is of version %d, this program needs %d: "
                       "run pawl migrate",
                       conn->schema, version, ours);
    if (version > ours + 1)
        return err_set(err, ERR_INVALID,
                       "schema \"%s\" is of version %d, newer than this program "
                       "(%d) understands: use a newer pawl",
                       conn->schema, version, ours);
    return conn_check_migrations(conn, err) < 0 ? err_trace(err) : 0;
}
