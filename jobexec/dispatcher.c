/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dispatcher: takes queued calls under the limits of their endpoints and hands them to the
 * connector. It sleeps until the next permit is due, somebody queues a call, or a place in flight
 * becomes free; and looks a few times a second for what others may have left.
 */
#include "base/build.h"

#include "base/log.h"
#include "jobexec/clock.h"
#include "jobexec/internal.h"
#include "store/permit.h"

#define LOOK_US 200000     /* the longest sleep: another node may have queued a call */
#define RECOVER_US 5000000 /* how often attempts without a dispatcher are looked for */
#define LOCKED_US 5000     /* until an endpoint's row that somebody held is tried again */

/* An endpoint in memory. Lives as long as the executor: only configured ones have one. */
struct lane {
    const char *name;       /* immutable */
    unsigned in_flight;     /* guarded by dispatcher->lock: with the connector */
    int64_t paced_until_us; /* owner: dispatcher thread; clock_mono_us() */
    struct lane *next;      /* owner: dispatcher thread */
};

struct dispatcher {
    struct jobexec *jobexec; /* immutable */
    struct arena arena;      /* owner: dispatcher thread; holds this struct and the lanes */
    pthread_t thread;
    struct wake wake;
    struct lane *lanes;     /* owner: dispatcher thread */
    struct call_conn *conn; /* owner: dispatcher thread; NULL: lost */
    int64_t epoch;          /* owner: dispatcher thread; 0: none yet */
    int64_t doubt_us;       /* owner: dispatcher thread; call_conn_doubt() of the lost connection */
    int64_t recover_at_us;  /* owner: dispatcher thread */
    bool fenced;            /* owner: dispatcher thread */
    struct backoff backoff; /* owner: dispatcher thread */
    struct arena round;     /* owner: dispatcher thread; reset each round */
    char after[256];        /* owner: dispatcher thread; where the next look at the queue begins */
    unsigned max_flights;   /* immutable: of all endpoints */
    pthread_mutex_t lock;   /* leaf */
    struct flight *unsent;  /* guarded by lock: came back from the connector, never left */
    bool crowded;           /* guarded by lock: calls wait for a place in flight */
    unsigned n_connector;   /* guarded by lock: with the connector */
};

/* ---- When the connector is done with a flight: on its thread ---- */

static void count_answer(struct jobexec *jobexec)
{
    pthread_mutex_lock(&jobexec->stats_lock);
    jobexec->stats.calls_answered++;
    pthread_mutex_unlock(&jobexec->stats_lock);
}

static void on_done(struct http_exchange *exchange)
{
    struct flight *flight = exchange->owner;
    struct jobexec *jobexec = flight->owner;
    struct dispatcher *dispatcher = jobexec->dispatcher;
    bool unsent = exchange->result == HTTP_NOT_SENT;

    pthread_mutex_lock(&dispatcher->lock);
    flight->lane->in_flight--;
    dispatcher->n_connector--;
    bool wake = dispatcher->crowded || unsent;
    dispatcher->crowded = false;
    if (unsent) {
        flight->next = dispatcher->unsent;
        dispatcher->unsent = flight;
    }
    pthread_mutex_unlock(&dispatcher->lock);
    if (exchange->result == HTTP_GIVEN_UP) {
        /* Its attempt row stays: the next start sees a call with an unknown outcome. */
        flight_free(flight);
    } else if (!unsent) {
        count_answer(jobexec);
        answers_add(&jobexec->answers, flight);
        wake_signal(&jobexec->workers_wake);
    }
    if (wake)
        wake_signal(&dispatcher->wake);
}

/* ---- Planning: on the dispatcher's thread, as all that follows ---- */

static struct lane *lane_of(struct dispatcher *dispatcher, const char *name)
{
    struct lane *lane = dispatcher->lanes;

    while (lane != NULL && strcmp(lane->name, name) != 0)
        lane = lane->next;
    if (lane == NULL) {
        lane = arena_alloc(&dispatcher->arena, sizeof(*lane));
        lane->name = arena_strdup(&dispatcher->arena, name);
        lane->next = dispatcher->lanes;
        dispatcher->lanes = lane;
    }
    return lane;
}

/* How many more calls of this endpoint may be in flight; remembers that some wait for a place. */
static unsigned room_in_flight(struct dispatcher *dispatcher, const struct lane *lane,
                               int max_in_flight)
{
    unsigned max = max_in_flight < 1 ? 1 : (unsigned)max_in_flight;

    pthread_mutex_lock(&dispatcher->lock);
    unsigned room = lane->in_flight < max ? max - lane->in_flight : 0;
    unsigned all = dispatcher->n_connector < dispatcher->max_flights
                       ? dispatcher->max_flights - dispatcher->n_connector
                       : 0;
    if (all < room)
        room = all;
    dispatcher->crowded |= room == 0;
    pthread_mutex_unlock(&dispatcher->lock);
    return room;
}

/*
 * What to take of one endpoint; lowers *due_us (clock_mono_us()) to when its next permit is due.
 * now_us is the database's time of this look, read_us ours.
 */
static bool plan(struct dispatcher *dispatcher, struct call_endpoint *endpoint, int64_t now_us,
                 int64_t read_us, int64_t *due_us)
{
    if (!endpoint->configured || endpoint->hits)
        return true;
    struct lane *lane = lane_of(dispatcher, endpoint->name);
    unsigned room = room_in_flight(dispatcher, lane, endpoint->max_in_flight);
    endpoint->want = room < CALL_TAKE_MAX ? room : CALL_TAKE_MAX;
    if (endpoint->want == 0 || endpoint->rate <= 0)
        return endpoint->want != 0;
    int64_t due = 0;
    struct permits permits =
        permits_now(endpoint->rate, endpoint->burst, endpoint->next_us, now_us, endpoint->want);
    if (permits.n == 0)
        due = read_us + (permits.due_us - now_us);
    if (endpoint->burst <= 1 && lane->paced_until_us > read_us && lane->paced_until_us > due)
        due = lane->paced_until_us;
    if (due == 0)
        return true;
    endpoint->want = 0;
    if (due < *due_us)
        *due_us = due;
    return false;
}

/* ---- Taking and handing over ---- */

static void hand_over(struct dispatcher *dispatcher, const struct call_request *request,
                      const struct call_endpoint *endpoint, int64_t boot_us)
{
    struct jobexec *jobexec = dispatcher->jobexec;
    struct flight *flight = flight_new(request, endpoint->name, boot_us);

    flight->owner = jobexec;
    flight->lane = lane_of(dispatcher, endpoint->name);
    flight->exchange.done = on_done;
    if (flight->unsendable) {
        answers_add(&jobexec->answers, flight);
        wake_signal(&jobexec->workers_wake);
        return;
    }
    pthread_mutex_lock(&dispatcher->lock);
    flight->lane->in_flight++;
    dispatcher->n_connector++;
    pthread_mutex_unlock(&dispatcher->lock);
    pthread_mutex_lock(&jobexec->stats_lock);
    jobexec->stats.calls_sent++;
    pthread_mutex_unlock(&jobexec->stats_lock);
    http_send(jobexec->http, &flight->exchange);
}

/*
 * With one token there is a least distance between two requests. The database grants a permit
 * before its commit, which takes now this long and now that long; so the distance is kept from when
 * the request left.
 */
static void pace(struct dispatcher *dispatcher, const struct call_endpoint *endpoints, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (endpoints[i].taken != 0 && endpoints[i].rate > 0 && endpoints[i].burst <= 1)
            lane_of(dispatcher, endpoints[i].name)->paced_until_us =
                clock_mono_us() + (int64_t)(1e6 / endpoints[i].rate);
}

static void count_take(struct jobexec *jobexec, const struct call_take *take)
{
    pthread_mutex_lock(&jobexec->stats_lock);
    jobexec->stats.calls_cached += take->cached;
    pthread_mutex_unlock(&jobexec->stats_lock);
    /* Answers that the database already has. */
    if (take->cached + take->refused != 0)
        wake_signal(&jobexec->workers_wake);
}

/* One look at the queue. *due_us: when to look again (clock_mono_us()); 0: at once. */
static int look(struct dispatcher *dispatcher, int64_t *due_us, struct err *err)
{
    struct arena *arena = &dispatcher->round;
    struct call_endpoint *endpoints;
    size_t n;
    int64_t now_us = 0;
    bool worth = false;

    if (call_waiting(dispatcher->conn, arena, dispatcher->after, &endpoints, &n, &now_us, err) < 0)
        return err_trace(err);
    int64_t read_us = clock_mono_us(), boot_us = clock_boot_us();
    for (size_t i = 0; i < n; i++)
        worth |= plan(dispatcher, &endpoints[i], now_us, read_us, due_us);
    bool rest = n == CALL_WAITING_MAX;
    snprintf(dispatcher->after, sizeof(dispatcher->after), "%s", rest ? endpoints[n - 1].name : "");
    if (rest)
        *due_us = 0;
    if (!worth)
        return 0;
    struct call_take take;
    int result = call_take(dispatcher->conn, arena, endpoints, n, &take, err);
    if (result != 0)
        return result < 0 ? err_trace(err) : result;
    for (size_t i = 0; i < take.n; i++)
        hand_over(dispatcher, &take.requests[i], &endpoints[take.requests[i].endpoint], boot_us);
    pace(dispatcher, endpoints, n);
    count_take(dispatcher->jobexec, &take);
    if (take.n + take.cached + take.refused != 0)
        *due_us = 0;
    else if (read_us + LOCKED_US < *due_us)
        *due_us = read_us + LOCKED_US;
    return 0;
}

/* ---- Putting right ---- */

static void log_lost(const struct call_lost *lost)
{
    char id[UUID_TEXT_BYTES], instance[UUID_TEXT_BYTES], key[600], endpoint[600];

    uuid_format(&lost->id, id);
    uuid_format(&lost->instance, instance);
    log_line(lost->repeated ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
             lost->repeated ? "a request whose outcome is unknown is sent again"
                            : "the outcome of a request is unknown",
             "business_key=%s instance=%s call=%s endpoint=%s attempt=%u",
             log_quote(lost->business_key != NULL ? lost->business_key : "", key, sizeof(key)),
             instance, id, log_quote(lost->endpoint, endpoint, sizeof(endpoint)),
             (unsigned)lost->attempt);
}

static int recover(struct dispatcher *dispatcher, struct err *err)
{
    struct jobexec *jobexec = dispatcher->jobexec;
    struct call_lost *lost;
    size_t n, repeated = 0;

    if (clock_mono_us() < dispatcher->recover_at_us)
        return 0;
    if (call_recover(dispatcher->conn, &dispatcher->round, &lost, &n, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < n; i++) {
        log_lost(&lost[i]);
        repeated += lost[i].repeated;
    }
    if (n < CALL_LOST_MAX)
        dispatcher->recover_at_us = clock_mono_us() + RECOVER_US;
    if (n == 0)
        return 0;
    pthread_mutex_lock(&jobexec->stats_lock);
    jobexec->stats.calls_repeated += repeated;
    jobexec->stats.calls_unknown += n - repeated;
    pthread_mutex_unlock(&jobexec->stats_lock);
    wake_signal(&jobexec->workers_wake);
    return 0;
}

/* What came back from the connector without having left. */
static int release_unsent(struct dispatcher *dispatcher, struct err *err)
{
    struct uuid *ids = NULL;
    size_t n = 0, capacity = 0;

    pthread_mutex_lock(&dispatcher->lock);
    struct flight *unsent = dispatcher->unsent;
    dispatcher->unsent = NULL;
    pthread_mutex_unlock(&dispatcher->lock);
    if (unsent == NULL)
        return 0;
    for (struct flight *flight = unsent; flight != NULL; flight = flight->next) {
        struct uuid *id = arena_push(&dispatcher->round, ids, n, capacity);
        *id = flight->request.id;
    }
    int result = call_release(dispatcher->conn, &dispatcher->round, ids, n, err);
    struct flight *keep = NULL;
    for (struct flight *flight = unsent, *next; flight != NULL; flight = next) {
        next = flight->next;
        if (result == 0) {
            flight_free(flight);
            continue;
        }
        flight->next = keep; /* the next round tries again */
        keep = flight;
    }
    pthread_mutex_lock(&dispatcher->lock);
    struct flight **end = &dispatcher->unsent;
    while (*end != NULL)
        end = &(*end)->next;
    *end = keep;
    pthread_mutex_unlock(&dispatcher->lock);
    return result < 0 ? err_trace(err) : 0;
}

/* ---- The thread ---- */

/* After a lost connection, the slot is still ours, and a take in doubt is undone: none of it has
 * left. */
static int reopen(struct dispatcher *dispatcher, struct err *err)
{
    struct jobexec *jobexec = dispatcher->jobexec;
    unsigned undone = 0;

    int result = call_conn_open(jobexec->store, &jobexec->options.node, dispatcher->epoch,
                                &dispatcher->conn, err);
    if (result != 0)
        return result < 0 ? err_trace(err) : result;
    dispatcher->epoch = call_conn_epoch(dispatcher->conn);
    if (dispatcher->doubt_us != 0) {
        if (call_undo(dispatcher->conn, dispatcher->doubt_us, &undone, err) < 0)
            return err_trace(err);
        dispatcher->doubt_us = 0;
    }
    return 0;
}

static int one_round(struct dispatcher *dispatcher, int64_t *due_us, struct err *err)
{
    int result;

    arena_reset(&dispatcher->round);
    if (dispatcher->conn == NULL && (result = reopen(dispatcher, err)) != 0)
        return result < 0 ? err_trace(err) : result;
    if (release_unsent(dispatcher, err) < 0 || recover(dispatcher, err) < 0)
        return err_trace(err);
    result = look(dispatcher, due_us, err);
    return result < 0 ? err_trace(err) : result;
}

static void drop_connection(struct dispatcher *dispatcher)
{
    if (dispatcher->conn == NULL)
        return;
    if (call_conn_doubt(dispatcher->conn) != 0)
        dispatcher->doubt_us = call_conn_doubt(dispatcher->conn);
    call_conn_close(dispatcher->conn);
    dispatcher->conn = NULL;
}

static void *run(void *context)
{
    struct dispatcher *dispatcher = context;
    struct jobexec *jobexec = dispatcher->jobexec;

    while (!wake_closed(&dispatcher->wake)) {
        struct err err = {0};
        int64_t due_us = clock_mono_us() + LOOK_US;
        int result = dispatcher->fenced ? 0 : one_round(dispatcher, &due_us, &err);
        if (result < 0) {
            backoff_failed(&dispatcher->backoff, "dispatcher", 0, &err);
            drop_connection(dispatcher);
            wake_pause(&dispatcher->wake, clock_mono_us() + backoff_next_us(&dispatcher->backoff));
            continue;
        }
        if (result == CALL_FENCED) {
            dispatcher->fenced = true;
            log_line(LOG_LEVEL_ERROR,
                     "another process runs with this node's id; this one sends nothing more",
                     "thread=dispatcher");
        }
        if (dispatcher->backoff.tries != 0) {
            pthread_mutex_lock(&jobexec->stats_lock);
            jobexec->stats.reconnects++;
            pthread_mutex_unlock(&jobexec->stats_lock);
        }
        backoff_worked(&dispatcher->backoff, "dispatcher", 0);
        if (due_us > clock_mono_us())
            wake_sleep(&dispatcher->wake, due_us);
    }
    call_conn_close(dispatcher->conn);
    dispatcher->conn = NULL;
    return NULL;
}

/* ---- What other threads call ---- */

int dispatcher_start(struct jobexec *jobexec, struct err *err)
{
    struct arena arena;

    arena_init(&arena, 0);
    struct dispatcher *dispatcher = arena_alloc(&arena, sizeof(*dispatcher));
    dispatcher->arena = arena;
    dispatcher->jobexec = jobexec;
    dispatcher->max_flights = jobexec->max_flights;
    arena_init(&dispatcher->round, 0);
    wake_init(&dispatcher->wake, 1);
    pthread_mutex_init(&dispatcher->lock, NULL);
    backoff_init(&dispatcher->backoff, (uint32_t)clock_boot_us() ^ jobexec->options.node.b[15]);
    /* Whoever starts learns at once that the database is not there. */
    if (reopen(dispatcher, err) == 0) {
        jobexec->dispatcher = dispatcher;
        int failed = pthread_create(&dispatcher->thread, NULL, run, dispatcher);
        if (failed == 0)
            return 0;
        jobexec->dispatcher = NULL;
        err_set(err, ERR_IO, "cannot start the dispatcher's thread: %s", strerror(failed));
    }
    call_conn_close(dispatcher->conn);
    dispatcher->conn = NULL;
    dispatcher_free(dispatcher);
    return err_trace(err);
}

void dispatcher_stop(struct dispatcher *dispatcher)
{
    wake_close(&dispatcher->wake);
    pthread_join(dispatcher->thread, NULL);
}

void dispatcher_free(struct dispatcher *dispatcher)
{
    if (dispatcher == NULL)
        return;
    for (struct flight *flight = dispatcher->unsent, *next; flight != NULL; flight = next) {
        next = flight->next;
        flight_free(flight);
    }
    wake_deinit(&dispatcher->wake);
    pthread_mutex_destroy(&dispatcher->lock);
    arena_deinit(&dispatcher->round);
    struct arena arena = dispatcher->arena;
    arena_deinit(&arena);
}

void dispatcher_wake(struct dispatcher *dispatcher)
{
    wake_signal(&dispatcher->wake);
}

unsigned dispatcher_in_flight(struct dispatcher *dispatcher)
{
    pthread_mutex_lock(&dispatcher->lock);
    unsigned n = dispatcher->n_connector;
    pthread_mutex_unlock(&dispatcher->lock);
    return n;
}
