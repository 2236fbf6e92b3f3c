/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "store/conn.h"
#include "store/gauges.h"

#define FRESH_US 1000000
#define STATEMENT_MS 3000

struct gauges {
    struct arena arena;           /* immutable: holds this struct and the texts */
    struct store_options options; /* immutable */
    pthread_mutex_t reading;      /* held while the database is asked; nobody waits for it */
    struct conn *conn;            /* guarded by reading; NULL: lost, or none yet */
    pthread_mutex_t lock;         /* leaf: what was read */
    struct buf text;              /* guarded by lock */
    char why[300];                /* guarded by lock; "": all is well */
    int64_t read_us;              /* guarded by lock; 0: never */
};

struct gauges *gauges_new(const struct store_options *options)
{
    struct arena arena;

    arena_init(&arena, 0);
    struct gauges *gauges = arena_alloc(&arena, sizeof(*gauges));
    gauges->options = *options;
    if (options->conninfo != NULL)
        gauges->options.conninfo = arena_strdup(&arena, options->conninfo);
    if (options->schema != NULL)
        gauges->options.schema = arena_strdup(&arena, options->schema);
    gauges->arena = arena;
    pthread_mutex_init(&gauges->reading, NULL);
    pthread_mutex_init(&gauges->lock, NULL);
    buf_init(&gauges->text, 0);
    snprintf(gauges->why, sizeof(gauges->why), "not asked yet");
    return gauges;
}

void gauges_free(struct gauges *gauges)
{
    if (gauges == NULL)
        return;
    conn_close(gauges->conn);
    buf_deinit(&gauges->text);
    pthread_mutex_destroy(&gauges->reading);
    pthread_mutex_destroy(&gauges->lock);
    struct arena arena = gauges->arena;
    arena_deinit(&arena);
}

/* ---- Reading: with gauges->reading ---- */

/* Columns: name, type, help, names of labels, their values, value; ordered by name. */
static void write_rows(struct buf *text, const struct result *rows)
{
    const char *family = "";

    for (int i = 0; i < result_rows(rows); i++) {
        const char *name = result_text(rows, i, 0);
        struct metric_label labels[2];
        size_t n = 0;
        for (; n < ARRAY_LEN(labels) && !result_null(rows, i, 3 + 2 * (int)n); n++)
            labels[n] = (struct metric_label){result_text(rows, i, 3 + 2 * (int)n),
                                              result_text(rows, i, 4 + 2 * (int)n)};
        if (strcmp(family, name) != 0)
            metrics_family(text, name, result_text(rows, i, 1), result_text(rows, i, 2));
        family = name;
        metrics_sample(text, name, labels, n, result_double(rows, i, 7));
    }
}

static int read_view(struct gauges *gauges, struct buf *text, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    const struct conn_options how = {.conninfo = gauges->options.conninfo,
                                     .schema = gauges->options.schema,
                                     .application_name = "pawl metrics",
                                     .statement_timeout_ms = STATEMENT_MS,
                                     .lock_timeout_ms = STATEMENT_MS};

    if (gauges->conn == NULL &&
        (conn_open(&how, &gauges->conn, err) < 0 || conn_check_schema(gauges->conn, err) < 0))
        return err_trace(err);
    if (conn_query(gauges->conn, "gauges", NO_PARAMS, &rows, err) < 0)
        return err_trace(err);
    write_rows(text, rows);
    return 0;
}

static void read_all(struct gauges *gauges)
{
    struct err err = {0};
    struct buf text;

    buf_init(&text, 0);
    metrics_family(&text, "pawl_database_up", "gauge", "Whether the database answers.");
    size_t start = text.len;
    metrics_sample(&text, "pawl_database_up", NO_LABELS, 1);
    if (read_view(gauges, &text, &err) < 0) {
        text.len = start;
        metrics_sample(&text, "pawl_database_up", NO_LABELS, 0);
        conn_close(gauges->conn);
        gauges->conn = NULL;
    }
    pthread_mutex_lock(&gauges->lock);
    struct buf before = gauges->text;
    gauges->text = text;
    gauges->read_us = clock_mono_us();
    snprintf(gauges->why, sizeof(gauges->why), "%.290s", err.text);
    pthread_mutex_unlock(&gauges->lock);
    buf_deinit(&before);
}

/* Whoever comes while another reads takes what was read last: nobody queues behind a slow database.
 * Only the very first answer is waited for. */
static void refresh(struct gauges *gauges)
{
    pthread_mutex_lock(&gauges->lock);
    int64_t read_us = gauges->read_us;
    pthread_mutex_unlock(&gauges->lock);
    if (read_us != 0 && clock_mono_us() - read_us < FRESH_US)
        return;
    if (read_us == 0)
        pthread_mutex_lock(&gauges->reading);
    else if (pthread_mutex_trylock(&gauges->reading) != 0)
        return;
    read_all(gauges);
    pthread_mutex_unlock(&gauges->reading);
}

void gauges_metrics(struct gauges *gauges, struct buf *text)
{
    refresh(gauges);
    pthread_mutex_lock(&gauges->lock);
    buf_add(text, buf_str(&gauges->text), gauges->text.len);
    pthread_mutex_unlock(&gauges->lock);
}

bool gauges_ready(struct gauges *gauges, char *why, size_t why_bytes)
{
    refresh(gauges);
    pthread_mutex_lock(&gauges->lock);
    bool ready = gauges->why[0] == '\0';
    snprintf(why, why_bytes, "%s", gauges->why);
    pthread_mutex_unlock(&gauges->lock);
    return ready;
}
