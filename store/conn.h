/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One connection to PostgreSQL: named queries, binary parameters and results, pipelines. Internal
 * to store/ and the only file there that includes libpq. A connection belongs to one thread at a
 * time.
 *
 * A query is a section "-- name: xxx" of a file in sql/queries/; its text goes up to the next
 * section. It is prepared when a connection first uses it, with the types of the parameters given
 * then, so a query must always be given the same types. Names in it are unqualified: search_path is
 * the engine's schema, then pg_temp. Results are binary: select jsonb, numeric, interval, enums …
 * as ::text.
 *
 *     struct result *rows = NULL;                        // CLEANUP(result_freep)
 *     if (conn_query(conn, "task_by_instance", PARAMS(p_uuid(&id), p_int4(10)), &rows, err) < 0)
 *         return err_trace(err);
 *     for (int i = 0; i < result_rows(rows); i++)
 *         use(result_uuid(rows, i, 0), result_text(rows, i, 1));
 *
 * Without conn_begin() each conn_query() is its own transaction. A pipeline sends several
 * statements in one round trip; outside of conn_begin() … conn_commit() they are one transaction
 * together:
 *
 *     conn_send(conn, "a", PARAMS(…), err) …  conn_send(conn, "b", …)    // each < 0 on error
 *     conn_sync(conn, err);                                              // off they go
 *     conn_next(conn, &rows_a, err);  conn_next(conn, &rows_b, err);     // answers, in order
 *
 * After a failed statement of a pipeline, the rest of it is skipped by the server: call
 * conn_finish() to read the remains away (conn_query and conn_rollback do it by themselves).
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/uuid.h"

struct conn;
struct result; /* the rows of one statement; result_free() */

struct conn_options {
    const char *conninfo;         /* libpq; NULL: its environment */
    const char *schema;           /* NULL: "pawl" */
    const char *application_name; /* NULL: "pawl" */
    int statement_timeout_ms;     /* 0: 30 s */
    int lock_timeout_ms;          /* 0: 10 s */
    int idle_in_transaction_ms;   /* 0: 10 s */
    /*
     * Plans by key only (no sequential scans, hash or merge joins): a worker's statements find all
     * rows by key, and a generic plan that was made while a table was empty would scan it for ever.
     * Without it plans see the parameters: people's questions leave most of their conditions out.
     */
    bool keyed_plans;
};

/*
 * Connects and sets the session up (search_path, timeouts, jit off, UTC, UTF-8).
 * ERR_LOST: not reachable; ERR_DENIED: refused; ERR_INVALID: the server is too old, not UTF-8, or
 * runs with synchronous_commit = off. Whether the schema is ours, conn_check_schema() says.
 */
int conn_open(const struct conn_options *options, struct conn **ret_conn,
              struct err *err) MUST_CHECK;
void conn_close(struct conn *conn); /* NULL is a no-op; an open transaction is rolled back */
void conn_closep(struct conn **conn);
/* False once the connection is gone: only conn_close() is left to do. */
bool conn_alive(const struct conn *conn);
const char *conn_schema(const struct conn *conn);
/* Adds a name as SQL takes it, in quotes. */
struct buf;
void conn_add_ident(struct buf *sql, const char *name);

/* A way for another thread to end the statement that runs; it outlives the connection. */
struct conn_cancel;
struct conn_cancel *conn_cancel_new(struct conn *conn);
void conn_cancel_now(struct conn_cancel *cancel); /* NULL is allowed */
void conn_cancel_free(struct conn_cancel *cancel);
/* ERR_NOT_FOUND when there is no engine in the schema, ERR_INVALID when its version is not ours. */
int conn_check_schema(struct conn *conn, struct err *err) MUST_CHECK;

/* ERR_INVALID when one of the schema's migrations is not the one that this program knows by its
 * name. */
int conn_check_migrations(struct conn *conn, struct err *err) MUST_CHECK;

/* The schema version of this program: the number of its last migration. */
int conn_schema_version(void);

/* ---- Parameters ---- */

struct param {
    unsigned type;     /* an OID */
    const void *bytes; /* NULL and n >= 0: in `room` */
    int n;             /* -1: SQL NULL */
    uint8_t room[16];
};

struct param p_bool(bool value);
struct param p_int2(int16_t value);
struct param p_int4(int32_t value);
struct param p_int8(int64_t value);
struct param p_uuid(const struct uuid *value); /* NULL: SQL NULL. Copied */
struct param p_time(int64_t unix_us); /* timestamptz; INT64_MAX: infinity, INT64_MIN: -infinity */
struct param p_xid8(uint64_t value);
/* Borrowed until conn_query() or conn_send() returns; NULL: SQL NULL. For jsonb write $1::jsonb. */
struct param p_text(const char *value);
struct param p_bytea(const void *value, size_t n);
#define P_NULL_TEXT p_text(NULL)
#define P_NULL_INT4 ((struct param){.type = 23, .n = -1})
#define P_NULL_INT8 ((struct param){.type = 20, .n = -1})

#define PARAMS(...)                                                                                \
    (const struct param[]){__VA_ARGS__}, ARRAY_LEN(((const struct param[]){__VA_ARGS__}))
#define NO_PARAMS NULL, 0

/*
 * An array parameter, filled value by value: the way to give many rows to one statement with
 * unnest($1, $2, …). Lives in an arena; column_init() starts it afresh.
 */
enum column_type {
    COLUMN_BOOL,
    COLUMN_INT2,
    COLUMN_INT4,
    COLUMN_INT8,
    COLUMN_UUID,
    COLUMN_TEXT,
    COLUMN_BYTEA,
    COLUMN_TIME,
    COLUMN_TID,
    COLUMN_XID8,
    COLUMN_XID,
};

struct column {
    struct arena *arena;
    enum column_type type;
    bool nulls, values; /* has any; NULLs before the first value are written with it */
    int32_t rows;
    char *data; /* with the array's header in front */
    size_t n, capacity;
};

/* A row's place, for updates by ctid. */
struct tid {
    uint32_t block;
    uint16_t offset;
};

void column_init(struct column *column, struct arena *arena, enum column_type type);
void column_null(struct column *column);
void column_time_or_null(struct column *column, int64_t us); /* 0: null */
void column_counter(struct column *column, uint32_t item);   /* its loopCounter; 0: null */
void column_bool(struct column *column, bool value);
void column_int(struct column *column,
                int64_t value); /* INT2, INT4, INT8, XID8, XID: by the column's type */
void column_uuid(struct column *column, const struct uuid *value); /* nil or NULL: SQL NULL */
void column_text(struct column *column, const char *value);        /* NULL: SQL NULL */
void column_bytes(struct column *column, const void *value,
                  size_t n); /* TEXT or BYTEA; NULL: SQL NULL */
void column_time(struct column *column, int64_t unix_us);
void column_tid(struct column *column, struct tid value);
/*
 * Borrowed: nothing may be added until it is sent. A column of NULLs only is NULL: beside another
 * one unnest() makes the same rows of it, and nothing is sent, read or stored for it.
 */
struct param p_column(struct column *column);

/* ---- Statements ---- */

/* Runs one statement. ret_rows may be NULL. */
int conn_query(struct conn *conn, const char *query, const struct param *params, size_t n_params,
               struct result **ret_rows, struct err *err) MUST_CHECK;
/* Prepares a query that takes n_params texts, unless it is: the pipeline that uses it first may
 * fail, and then it would not be. */
int conn_prepare(struct conn *conn, const char *query, size_t n_params, struct err *err) MUST_CHECK;
/* What the server said of the last statement that it refused; NULL: nothing. Valid until the next
 * refusal. */
enum refusal { REFUSAL_SQLSTATE, REFUSAL_MESSAGE, REFUSAL_HINT, REFUSAL_DETAIL };
const char *conn_refusal(const struct conn *conn, enum refusal what);
/* Whether an idle connection is still there: a server that has gone has said so by now. */
bool conn_probe(struct conn *conn);
/* Runs SQL text of any number of statements without parameters: migrations. One implicit
 * transaction. */
int conn_script(struct conn *conn, const char *sql, struct err *err) MUST_CHECK;

int conn_begin(struct conn *conn, struct err *err) MUST_CHECK; /* READ COMMITTED */
int conn_commit(struct conn *conn, struct err *err) MUST_CHECK;
void conn_rollback(struct conn *conn); /* also ends a pipeline; harmless without a transaction */

/* Puts a statement into the pipeline. Nothing need be sent before conn_sync(). */
int conn_send(struct conn *conn, const char *query, const struct param *params, size_t n_params,
              struct err *err) MUST_CHECK;
/* Ends this pipeline and sends it: one round trip. */
int conn_sync(struct conn *conn, struct err *err) MUST_CHECK;
/* The answer of the oldest statement that was sent and not yet asked for. ret_rows may be NULL. */
int conn_next(struct conn *conn, struct result **ret_rows, struct err *err) MUST_CHECK;
/* Reads the answers that nobody asked for, and forgets them. */
void conn_finish(struct conn *conn);

struct conn_counts {
    uint64_t statements, round_trips;
};
struct conn_counts conn_counts(const struct conn *conn);

/* ---- Rows ---- */

void result_free(struct result *result); /* NULL is a no-op */
void result_freep(struct result **result);
int result_rows(const struct result *result);
int result_columns(const struct result *result);
int64_t
result_affected(const struct result *result); /* rows that an INSERT, UPDATE, DELETE touched */
bool result_null(const struct result *result, int row, int column);
/* The type is the query's: these assert it. NULL reads as 0, false, nil, NULL. */
bool result_bool(const struct result *result, int row, int column);
int64_t result_int(const struct result *result, int row, int column); /* int2, int4, int8, xid8 */
double result_double(const struct result *result, int row, int column);
struct uuid result_uuid(const struct result *result, int row, int column);
int64_t result_time(const struct result *result, int row, int column); /* unix_us, as p_time() */
struct tid result_tid(const struct result *result, int row, int column);
/* text, varchar, bytea: NUL-terminated, valid as long as the result. */
const char *result_text(const struct result *result, int row, int column);
size_t result_length(const struct result *result, int row, int column);
/* An int8[], xid8[] or int4[] without NULLs as numbers in the arena. */
const int64_t *result_ints(const struct result *result, int row, int column, struct arena *arena,
                           size_t *ret_n);
