/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "store/desk_internal.h"

#define READERS 2u
#define READERS_MAX 16u
#define BATCH_BYTES (16u << 20) /* of parameters; one request may be larger */
/* A request that waits for somebody's transaction makes the others of its batch wait, too. */
#define WRITE_LOCK_MS 300
#define WRITE_MS 10000
#define READ_MS 15000
#define PAUSE_LEAST_US 100000
#define PAUSE_MOST_US 5000000
#define PROBE_US 500000 /* a connection that was idle for longer is looked at before it is used */

struct queue {
    struct desk_request *first, *last;
    pthread_cond_t cond; /* of CLOCK_MONOTONIC */
    unsigned n;
    unsigned down; /* threads of this queue that have no connection */
    unsigned threads;
};

struct desk_thread {
    struct desk *desk;
    struct queue *queue;
    bool writes;
    struct conn *conn; /* owner: the thread, like the rest; NULL: lost */
    int64_t used_us;
    int64_t pause_us;
    int64_t retry_us; /* no connection is tried before */
    struct desk_batch *batch;
    pthread_t thread;
    bool started;
};

struct desk {
    struct arena arena;          /* immutable: holds this struct and the texts */
    struct desk_options options; /* immutable */
    struct graphs graphs;        /* for desk_judge() */
    pthread_mutex_t lock;        /* leaf */
    struct queue writes, reads;  /* guarded by lock */
    struct queue urgent;         /* guarded by lock */
    bool closed;                 /* guarded by lock */
    bool said_away;              /* guarded by lock */
    struct desk_stats stats;     /* guarded by lock */
    struct desk_thread threads[READERS_MAX + 2];
    unsigned n_threads;
};

/* ---- The queue ---- */

static void queue_init(struct queue *queue)
{
    pthread_condattr_t attributes;

    *queue = (struct queue){.n = 0};
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct desk_request *queue_pop(struct queue *queue)
{
    struct desk_request *request = queue->first;

    queue->first = request->next;
    queue->last = queue->first != NULL ? queue->last : NULL;
    queue->n--;
    request->next = NULL;
    return request;
}

static void away(struct desk_request *request)
{
    desk_refuse(request, DESK_AWAY, "the database cannot be reached at the moment",
                "Try again in a few seconds; nothing was done.");
}

void desk_submit(struct desk *desk, struct desk_request *request)
{
    struct queue *queue = request->writes   ? &desk->writes
                          : request->urgent ? &desk->urgent
                                            : &desk->reads;

    request->next = NULL;
    pthread_mutex_lock(&desk->lock);
    bool refused = desk->closed || (queue->down == queue->threads && desk->said_away);
    if (!refused) {
        if (queue->last != NULL)
            queue->last->next = request;
        else
            queue->first = request;
        queue->last = request;
        queue->n++;
        pthread_cond_signal(&queue->cond);
    }
    pthread_mutex_unlock(&desk->lock);
    if (refused)
        away(request);
}

static size_t request_bytes(const struct desk_request *request)
{
    size_t n = strlen(request->caller);

    for (size_t i = 0; i < request->n_params; i++)
        n += request->params[i] != NULL ? strlen(request->params[i]) : 0;
    return n;
}

/* Takes what this thread does next; waits for it. False: the desk is closed and nothing is left. */
static bool take(struct desk_thread *thread, struct desk_batch *batch)
{
    struct desk *desk = thread->desk;
    struct queue *queue = thread->queue;
    size_t bytes = 0, most = thread->writes ? LIMIT_BATCH_COMMANDS : 1;

    batch->n = 0;
    pthread_mutex_lock(&desk->lock);
    while (queue->first == NULL && !desk->closed)
        pthread_cond_wait(&queue->cond, &desk->lock);
    while (queue->first != NULL && batch->n < most && bytes < BATCH_BYTES) {
        bytes += request_bytes(queue->first);
        batch->requests[batch->n++] = queue_pop(queue);
    }
    pthread_mutex_unlock(&desk->lock);
    return batch->n > 0;
}

/* ---- The connection ---- */

/* Tells the owner when the first connection cannot be made, and when all can again. */
static void tell(struct desk_thread *thread, bool was_down, bool down, const char *why)
{
    struct desk *desk = thread->desk;
    bool tell_away, tell_back;

    pthread_mutex_lock(&desk->lock);
    thread->queue->down += (unsigned)down - (unsigned)was_down;
    unsigned n_down = desk->writes.down + desk->reads.down + desk->urgent.down;
    tell_away = down && !desk->said_away;
    tell_back = n_down == 0 && desk->said_away;
    desk->said_away = tell_away || (desk->said_away && !tell_back);
    pthread_mutex_unlock(&desk->lock);
    if ((tell_away || tell_back) && desk->options.reachable != NULL)
        desk->options.reachable(desk->options.context, tell_away ? why : NULL);
}

static int open_connection(struct desk_thread *thread, struct err *err)
{
    const struct conn_options options = {
        .conninfo = thread->desk->options.conninfo,
        .schema = thread->desk->options.schema,
        .application_name = thread->writes ? "pawl desk, writes" : "pawl desk, reads",
        .statement_timeout_ms = thread->writes ? WRITE_MS : READ_MS,
        .lock_timeout_ms = WRITE_LOCK_MS,
    };
    struct conn *conn CLEANUP(conn_closep) = NULL;

    if (conn_open(&options, &conn, err) < 0 || conn_check_schema(conn, err) < 0 ||
        conn_query(conn, "desk_role", NO_PARAMS, NULL, err) < 0 ||
        (!thread->writes && conn_script(conn,
                                        "set default_transaction_read_only = on; "
                                        "set plan_cache_mode = force_custom_plan",
                                        err) < 0))
        return err_trace(err);
    thread->conn = conn;
    conn = NULL;
    return 0;
}

static void drop_connection(struct desk_thread *thread, const struct err *err)
{
    bool was_down = thread->pause_us > 0;

    conn_close(thread->conn);
    thread->conn = NULL;
    thread->pause_us = was_down ? thread->pause_us * 2 : PAUSE_LEAST_US;
    if (thread->pause_us > PAUSE_MOST_US)
        thread->pause_us = PAUSE_MOST_US;
    thread->retry_us = clock_mono_us() + thread->pause_us;
    tell(thread, was_down, true, err->text);
}

/* Whether there is one now. */
static bool connected(struct desk_thread *thread)
{
    struct err err = {0};
    int64_t now_us = clock_mono_us();

    if (thread->conn != NULL && (now_us - thread->used_us < PROBE_US || conn_probe(thread->conn)))
        return true;
    conn_close(thread->conn);
    thread->conn = NULL;
    if (now_us < thread->retry_us)
        return false;
    if (open_connection(thread, &err) < 0) {
        drop_connection(thread, &err);
        return false;
    }
    bool was_down = thread->pause_us > 0;
    thread->pause_us = thread->retry_us = 0;
    tell(thread, was_down, false, NULL);
    return true;
}

/* While the database is away, so that it is noticed when it is back though nobody asks. */
static void reconnect(struct desk_thread *thread)
{
    struct desk *desk = thread->desk;

    pthread_mutex_lock(&desk->lock);
    while (thread->conn == NULL && !desk->closed && thread->queue->first == NULL) {
        int64_t left_us = thread->retry_us - clock_mono_us();
        if (left_us > 0) {
            struct timespec until = {.tv_sec = thread->retry_us / 1000000,
                                     .tv_nsec = thread->retry_us % 1000000 * 1000};
            pthread_cond_timedwait(&thread->queue->cond, &desk->lock, &until);
            continue;
        }
        pthread_mutex_unlock(&desk->lock);
        connected(thread);
        pthread_mutex_lock(&desk->lock);
    }
    pthread_mutex_unlock(&desk->lock);
}

/* ---- The threads ---- */

static void count(struct desk *desk, const struct desk_thread *thread, size_t n, size_t alone)
{
    pthread_mutex_lock(&desk->lock);
    if (thread->writes) {
        desk->stats.writes += n;
        desk->stats.commits++;
        desk->stats.alone += alone;
    } else {
        desk->stats.reads += n;
    }
    pthread_mutex_unlock(&desk->lock);
}

static int carry_out(struct desk_thread *thread, bool *ret_in_doubt, struct err *err)
{
    struct desk *desk = thread->desk;
    struct desk_batch *batch = thread->batch;
    size_t n = batch->n, alone = 0;

    *ret_in_doubt = false;
    if (thread->writes) {
        if (desk_write(thread->conn, &desk->graphs, batch, ret_in_doubt, &alone, err) < 0)
            return err_trace(err);
        if (desk->options.committed != NULL)
            desk->options.committed(desk->options.context);
    } else if (desk_read(thread->conn, batch->requests[0], err) < 0) {
        return err_trace(err);
    }
    thread->used_us = clock_mono_us();
    count(desk, thread, n, alone);
    return 0;
}

static void give_up(const struct desk_batch *batch, bool in_doubt)
{
    for (size_t i = 0; i < batch->n; i++) {
        if (in_doubt)
            desk_refuse(batch->requests[i], DESK_IN_DOUBT,
                        "the database was lost while this was being carried out: it may have "
                        "happened",
                        "Look whether it did, or repeat the request if it is safe to repeat.");
        else
            away(batch->requests[i]);
    }
}

static void *run(void *context)
{
    struct desk_thread *thread = context;

    for (;;) {
        reconnect(thread);
        if (!take(thread, thread->batch))
            break;
        for (int tries = 0;; tries++) {
            struct err err = {0};
            bool in_doubt = false;
            if (!connected(thread)) {
                give_up(thread->batch, false);
                break;
            }
            if (carry_out(thread, &in_doubt, &err) == 0)
                break;
            drop_connection(thread, &err);
            thread->retry_us = tries == 0 ? 0 : thread->retry_us; /* at once, the first time */
            if (in_doubt) {
                give_up(thread->batch, true);
                break;
            }
        }
    }
    conn_close(thread->conn);
    thread->conn = NULL;
    return NULL;
}

/* ---- Start and stop ---- */

int desk_start(const struct desk_options *options, struct desk **ret_desk, struct err *err)
{
    struct arena arena;
    unsigned readers = options->readers != 0 ? options->readers : READERS;

    arena_init(&arena, 0);
    struct desk *desk = arena_alloc(&arena, sizeof(*desk));
    desk->options = *options;
    if (options->conninfo != NULL)
        desk->options.conninfo = arena_strdup(&arena, options->conninfo);
    if (options->schema != NULL)
        desk->options.schema = arena_strdup(&arena, options->schema);
    pthread_mutex_init(&desk->lock, NULL);
    graphs_init(&desk->graphs);
    queue_init(&desk->writes);
    queue_init(&desk->reads);
    queue_init(&desk->urgent);
    desk->n_threads = 2 + (readers < READERS_MAX ? readers : READERS_MAX);
    desk->writes.threads = desk->urgent.threads = 1;
    desk->reads.threads = desk->n_threads - 2;
    for (unsigned i = 0; i < desk->n_threads; i++)
        desk->threads[i] = (struct desk_thread){
            .desk = desk,
            .queue = i == 0   ? &desk->writes
                     : i == 1 ? &desk->urgent
                              : &desk->reads,
            .writes = i == 0,
            .batch = arena_alloc(&arena, sizeof(struct desk_batch)),
        };
    desk->arena = arena;
    for (unsigned i = 0; i < desk->n_threads; i++) {
        int failed = pthread_create(&desk->threads[i].thread, NULL, run, &desk->threads[i]);
        desk->threads[i].started = failed == 0;
        if (failed != 0) {
            desk_free(desk);
            return err_set(err, ERR_INTERNAL, "cannot start a thread: %s", strerror(failed));
        }
    }
    *ret_desk = desk;
    return 0;
}

void desk_close(struct desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    desk->closed = true;
    pthread_cond_broadcast(&desk->writes.cond);
    pthread_cond_broadcast(&desk->reads.cond);
    pthread_cond_broadcast(&desk->urgent.cond);
    pthread_mutex_unlock(&desk->lock);
    for (unsigned i = 0; i < desk->n_threads; i++)
        if (desk->threads[i].started)
            pthread_join(desk->threads[i].thread, NULL);
    for (unsigned i = 0; i < desk->n_threads; i++)
        desk->threads[i].started = false;
}

void desk_free(struct desk *desk)
{
    if (desk == NULL)
        return;
    desk_close(desk);
    pthread_cond_destroy(&desk->writes.cond);
    pthread_cond_destroy(&desk->reads.cond);
    pthread_cond_destroy(&desk->urgent.cond);
    graphs_deinit(&desk->graphs);
    pthread_mutex_destroy(&desk->lock);
    struct arena arena = desk->arena;
    arena_deinit(&arena);
}

void desk_stats(struct desk *desk, struct desk_stats *ret_stats)
{
    pthread_mutex_lock(&desk->lock);
    *ret_stats = desk->stats;
    ret_stats->waiting = desk->writes.n + desk->reads.n + desk->urgent.n;
    pthread_mutex_unlock(&desk->lock);
}
