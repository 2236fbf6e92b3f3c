/* SPDX-License-Identifier: Apache-2.0 */
/* Binary rows, and what an error of the database means. */
#include "base/build.h"

#include "store/conn.h"
#include "store/conn_internal.h"
#include "store/embedded.h"
#include "store/wire.h"

/* ---- Errors ---- */

static enum err_code code_of(const char *state)
{
    static const struct {
        const char *prefix;
        enum err_code code;
    } codes[] = {
        /* The SQL API's own (sql/README.md). */
        {"PW001", ERR_NOT_FOUND}, {"PW002", ERR_CONFLICT},  {"PW003", ERR_INVALID},
        {"PW004", ERR_CONFLICT},  {"PW005", ERR_CONFLICT},  {"PW006", ERR_LIMIT},
        {"PW", ERR_INVALID},      {"22", ERR_DATA},         {"23", ERR_DATA},
        {"54", ERR_DATA},         {"08", ERR_LOST},         {"53", ERR_LOST},
        {"57", ERR_LOST},         {"40", ERR_LOST},         {"25006", ERR_LOST},
        {"25P03", ERR_LOST},      {"55P03", ERR_LOST},      {"58", ERR_LOST},
        {"42501", ERR_DENIED},    {"28", ERR_DENIED},       {"0L", ERR_DENIED},
        {"0P", ERR_DENIED},       {"3F000", ERR_NOT_FOUND}, {"3D000", ERR_NOT_FOUND},
    };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (sqlstate_in(state, codes[i].prefix))
            return codes[i].code;
    }
    return ERR_INTERNAL;
}

static int trimmed(const char *text)
{
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        n--;
    return (int)n;
}

int conn_error(const PGresult *result, PGconn *pg, const char *what, struct err *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);

    if (state == NULL) {
        text = PQerrorMessage(pg);
        return err_set(err, ERR_LOST, "lost the connection to PostgreSQL: %.*s", trimmed(text),
                       text);
    }
    if (sqlstate_in(state, "PW")) {
        err_set(err, code_of(state), "%s", text);
        err_hint(err, hint != NULL ? hint : "");
    } else {
        err_set(err, code_of(state), "PostgreSQL: %s (%s, SQLSTATE %s)%s%s%s%s", text, what, state,
                detail != NULL ? "; " : "", detail != NULL ? detail : "",
                context != NULL ? "; " : "", context != NULL ? context : "");
    }
    if (err != NULL)
        memcpy(err->sqlstate, state, strnlen(state, sizeof(err->sqlstate) - 1));
    return -1;
}

int conn_refused(PGconn *pg, struct err *err)
{
    const char *text = PQerrorMessage(pg);
    /* libpq keeps no SQLSTATE of a failed connection; its text has the server's words. */
    bool denied = strstr(text, "authentication failed") != NULL ||
                  strstr(text, "pg_hba.conf") != NULL || strstr(text, "no password") != NULL;

    return err_set(err, denied ? ERR_DENIED : ERR_LOST, "cannot connect to PostgreSQL: %.*s",
                   trimmed(text), text);
}

int conn_schema_version(void)
{
    int last = 0;

    for (size_t i = 0; i < n_embedded_files; i++) {
        if (strncmp(embedded_files[i].name, "migrations/", 11) == 0)
            last = atoi(embedded_files[i].name + 11);
    }
    return last;
}

/* ---- Rows ---- */

static const PGresult *pg(const struct result *result)
{
    return (const PGresult *)result;
}

void result_free(struct result *result)
{
    PQclear((PGresult *)result);
}

void result_freep(struct result **result)
{
    result_free(*result);
}

int result_rows(const struct result *result)
{
    return PQntuples(pg(result));
}

int result_columns(const struct result *result)
{
    return PQnfields(pg(result));
}

int64_t result_affected(const struct result *result)
{
    PGresult *unconst = (PGresult *)(uintptr_t)result;
    return strtoll(PQcmdTuples(unconst), NULL, 10);
}

bool result_null(const struct result *result, int row, int column)
{
    return PQgetisnull(pg(result), row, column) == 1;
}

static const char *value(const struct result *result, int row, int column)
{
    return PQgetvalue(pg(result), row, column);
}

size_t result_length(const struct result *result, int row, int column)
{
    return (size_t)PQgetlength(pg(result), row, column);
}

bool result_bool(const struct result *result, int row, int column)
{
    assert(PQftype(pg(result), column) == 16);
    return !result_null(result, row, column) && *value(result, row, column) != 0;
}

static int64_t sign_extended(const char *bytes, size_t n)
{
    uint64_t v = wire_get(bytes, n);

    return n == 2 ? (int16_t)v : n == 4 ? (int32_t)v : (int64_t)v;
}

int64_t result_int(const struct result *result, int row, int column)
{
    size_t n = result_length(result, row, column);

    if (result_null(result, row, column))
        return 0;
    assert(n == 2 || n == 4 || n == 8);
    return sign_extended(value(result, row, column), n);
}

double result_double(const struct result *result, int row, int column)
{
    double number;

    assert(PQftype(pg(result), column) == 701);
    if (result_null(result, row, column))
        return 0;
    uint64_t bits = wire_get(value(result, row, column), 8);
    memcpy(&number, &bits, sizeof(number));
    return number;
}

struct uuid result_uuid(const struct result *result, int row, int column)
{
    struct uuid uuid = {{0}};

    assert(PQftype(pg(result), column) == 2950);
    if (!result_null(result, row, column))
        memcpy(uuid.b, value(result, row, column), sizeof(uuid.b));
    return uuid;
}

int64_t result_time(const struct result *result, int row, int column)
{
    assert(PQftype(pg(result), column) == 1184);
    if (result_null(result, row, column))
        return 0;
    return wire_time_from_pg((int64_t)wire_get(value(result, row, column), 8));
}

struct tid result_tid(const struct result *result, int row, int column)
{
    assert(PQftype(pg(result), column) == 27);
    const char *bytes = value(result, row, column);
    return (struct tid){.block = (uint32_t)wire_get(bytes, 4),
                        .offset = (uint16_t)wire_get(bytes + 4, 2)};
}

const char *result_text(const struct result *result, int row, int column)
{
    Oid type = PQftype(pg(result), column);

    assert(type == 25 || type == 1043 || type == 17 || type == 19 || type == 705);
    return result_null(result, row, column) ? NULL : value(result, row, column);
}

const int64_t *result_ints(const struct result *result, int row, int column, struct arena *arena,
                           size_t *ret_n)
{
    const char *at = value(result, row, column);
    size_t n = result_length(result, row, column) >= 20 ? (size_t)wire_get(at + 12, 4) : 0;
    int64_t *items = arena_array(arena, n, sizeof(*items));

    at += 20;
    for (size_t i = 0; i < n; i++) {
        size_t bytes = (size_t)wire_get(at, 4);
        assert(bytes == 2 || bytes == 4 || bytes == 8);
        items[i] = sign_extended(at + 4, bytes);
        at += 4 + bytes;
    }
    *ret_n = n;
    return items;
}
