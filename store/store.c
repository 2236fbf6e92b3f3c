/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/store_internal.h"

int store_connect(const struct store *store, const char *application_name, struct conn **ret_conn,
                  struct err *err)
{
    const struct conn_options options = {
        .conninfo = store->conninfo,
        .schema = store->schema,
        .application_name = application_name,
        .keyed_plans = true,
    };
    struct conn *conn CLEANUP(conn_closep) = NULL;

    if (conn_open(&options, &conn, err) < 0 || conn_check_schema(conn, err) < 0)
        return err_trace(err);
    *ret_conn = conn;
    conn = NULL;
    return 0;
}

int store_open(const struct store_options *options, struct store **ret_store, struct err *err)
{
    struct conn *conn CLEANUP(conn_closep) = NULL;
    struct arena arena;

    arena_init(&arena, 0);
    struct store *store = arena_alloc(&arena, sizeof(*store));
    if (options->conninfo != NULL)
        store->conninfo = arena_strdup(&arena, options->conninfo);
    store->schema = arena_strdup(&arena, options->schema != NULL ? options->schema : "pawl");
    if (options->journal_dir != NULL)
        store->journal_dir = arena_strdup(&arena, options->journal_dir);
    graphs_init(&store->graphs);
    events_init(&store->events);
    atomic_init(&store->lanes, 1);
    atomic_init(&store->definitions, 0);
    atomic_init(&store->n_workers, 0);
    atomic_init(&store->n_delegating, 0);
    store->arena = arena;
    if (suspects_open(&store->suspects, options->journal_dir, err) < 0 ||
        store_connect(store, "pawl", &conn, err) < 0) {
        store_close(store);
        return err_trace(err);
    }
    *ret_store = store;
    return 0;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    graphs_deinit(&store->graphs);
    events_deinit(&store->events);
    suspects_close(&store->suspects);
    struct arena arena = store->arena;
    arena_deinit(&arena);
}
