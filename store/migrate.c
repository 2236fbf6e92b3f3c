/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creates or upgrades a schema: sql/migrations in order, each once, then all of sql/functions again
 * (unless they are these very ones and the caller wants to disturb nobody), in one transaction
 * under an advisory lock, so that of several nodes that start one does the work.
 */
#include "base/build.h"

#include "base/buf.h"
#include "base/fault.h"
#include "store/conn.h"
#include "store/embedded.h"
#include "store/partition.h"
#include "store/store.h"

#define MIGRATE_STATEMENT_TIMEOUT_MS 600000
#define SCHEMA_NAME_BYTES_MAX 63u

/* Replaces each @schema@ by the quoted name. */
static void add_script(struct buf *sql, const char *text, const char *schema)
{
    static const char mark[] = "@schema@";

    for (const char *at; (at = strstr(text, mark)) != NULL; text = at + strlen(mark)) {
        buf_add(sql, text, (size_t)(at - text));
        conn_add_ident(sql, schema);
    }
    buf_add_str(sql, text);
}

static bool in_folder(const struct embedded_file *file, const char *folder)
{
    return strncmp(file->name, folder, strlen(folder)) == 0;
}

static int run_file(struct conn *conn, const struct embedded_file *file, struct err *err)
{
    struct buf sql CLEANUP(buf_deinit);
    struct err why;

    buf_init(&sql, 0);
    add_script(&sql, file->text, conn_schema(conn));
    if (conn_script(conn, buf_str(&sql), &why) == 0)
        return 0;
    return err_set(err, why.code == ERR_DENIED || why.code == ERR_LOST ? why.code : ERR_INTERNAL,
                   "sql/%s: %s", file->name, why.text);
}

/* The schema and the list of migrations. Returns the version that is there; 0: none. */
static int schema_begin(struct conn *conn, int *ret_version, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct result *version CLEANUP(result_freep) = NULL;
    struct buf sql CLEANUP(buf_deinit);

    buf_init(&sql, 0);
    if (conn_query(conn, "migrate_lock", PARAMS(p_text(conn_schema(conn))), NULL, err) < 0 ||
        conn_query(conn, "migrate_schema", PARAMS(p_text(conn_schema(conn))), &rows, err) < 0)
        return err_trace(err);
    if (!result_bool(rows, 0, 0)) {
        buf_add_str(&sql, "create schema ");
        conn_add_ident(&sql, conn_schema(conn));
        if (conn_script(conn, buf_str(&sql), err) < 0)
            return err_trace(err);
    }
    if (conn_query(conn, "migrate_table", NO_PARAMS, NULL, err) < 0 ||
        conn_query(conn, "schema_version", NO_PARAMS, &version, err) < 0)
        return err_trace(err);
    *ret_version = (int)result_int(version, 0, 0);
    return 0;
}

static int run_migrations(struct conn *conn, int from, int *ret_to, struct err *err)
{
    int to = from;

    for (size_t i = 0; i < n_embedded_files; i++) {
        const struct embedded_file *file = &embedded_files[i];
        if (!in_folder(file, "migrations/"))
            continue;
        int version = atoi(strchr(file->name, '/') + 1);
        if (version <= from)
            continue;
        char digest[EMBEDDED_DIGEST_BYTES];
        embedded_digest(file->name, digest);
        if (run_file(conn, file, err) < 0 ||
            conn_query(conn, "migrate_done",
                       PARAMS(p_int4(version), p_text(file->name), p_text(digest)), NULL, err) < 0)
            return err_trace(err);
        to = version;
    }
    *ret_to = to;
    return 0;
}

static int run_functions(struct conn *conn, bool keep, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    char digest[EMBEDDED_DIGEST_BYTES], name[32];

    embedded_digest("functions/", digest);
    snprintf(name, sizeof(name), "functions %s", digest);
    if (conn_query(conn, "functions_present", PARAMS(p_text(name)), &rows, err) < 0)
        return err_trace(err);
    if (keep && result_bool(rows, 0, 0))
        return 0;
    /* Bodies may name functions of later files; the tests of sql/ call each of them. */
    if (conn_script(conn, "set local check_function_bodies = off", err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < n_embedded_files; i++) {
        if (in_folder(&embedded_files[i], "functions/") &&
            run_file(conn, &embedded_files[i], err) < 0)
            return err_trace(err);
    }
    return conn_query(conn, "functions_done", PARAMS(p_text(name)), NULL, err) < 0 ? err_trace(err)
                                                                                   : 0;
}

static int migrate(struct conn *conn, bool keep, int *ret_from, int *ret_to, struct err *err)
{
    int from = 0, to = 0;

    if (conn_begin(conn, err) < 0 || schema_begin(conn, &from, err) < 0)
        return err_trace(err);
    int ours = conn_schema_version();
    if (from > ours)
        return err_set(err, ERR_INVALID,
                       "schema \"%s\" is of version %d, newer than this program's "
                       "%d: use a newer pawl",
                       conn_schema(conn), from, ours);
    if ((from != 0 && conn_check_migrations(conn, err) < 0) ||
        run_migrations(conn, from, &to, err) < 0 ||
        run_functions(conn, keep && to == from, err) < 0)
        return err_trace(err);
    fault_point("migrate.before_commit");
    if (conn_commit(conn, err) < 0)
        return err_trace(err);
    fault_point("migrate.after_commit");
    *ret_from = from;
    *ret_to = to;
    return partition_ahead(conn, err);
}

int store_migrate(const struct store_options *options, int *ret_from, int *ret_to, struct err *err)
{
    struct conn *conn CLEANUP(conn_closep) = NULL;
    const struct conn_options how = {
        .conninfo = options->conninfo,
        .schema = options->schema,
        .application_name = "pawl migrate",
        .statement_timeout_ms = MIGRATE_STATEMENT_TIMEOUT_MS,
    };

    if (options->schema != NULL &&
        (options->schema[0] == '\0' || strlen(options->schema) > SCHEMA_NAME_BYTES_MAX ||
         strncmp(options->schema, "pg_", 3) == 0))
        return err_set(err, ERR_INVALID,
                       "\"%s\" is no name for a schema: use 1 to %u bytes, not "
                       "beginning with pg_",
                       options->schema, SCHEMA_NAME_BYTES_MAX);
    if (conn_open(&how, &conn, err) < 0)
        return err_trace(err);
    if (migrate(conn, options->keep_functions, ret_from, ret_to, err) < 0) {
        conn_rollback(conn);
        return err_trace(err);
    }
    return 0;
}
