/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dispatcher: takes queued calls under the limits of their endpoints and hands them to the
 * connector. It sleeps until the next permit is due, somebody queues a call, a place in flight
 * becomes free, or a circuit is to be opened or closed; and looks a few times a second for what
 * others may have left.
 */
#include "base/build.h"

#include "base/log.h"
#include "base/clock.h"
#include "jobexec/internal.h"
#include "jobexec/lane.h"

#define LOOK_US 200000     /* the longest sleep: another node may have queued a call */
#define BEAT_US 3000000    /* between two signs of life */
#define RECOVER_US 2000000 /* how often attempts without a dispatcher are looked for */
#define TELL_US 1000000    /* how often people learn how the endpoints are */
#define AGAIN_US 5000      /* until what another node had first is tried again */

struct dispatcher {
    struct jobexec *jobexec; /* immutable */
    struct arena arena;      /* owner: dispatcher thread; holds this struct and the lanes */
    pthread_t thread;
    struct wake wake;
    struct lane *lanes;     /* owner: dispatcher thread */
    struct call_conn *conn; /* owner: dispatcher thread; NULL: lost */
    int64_t epoch;          /* owner: dispatcher thread; 0: none yet */
    int64_t doubt_us;       /* owner: dispatcher thread; call_conn_doubt() of the lost connection */
    int64_t recover_at_us, beat_at_us, tell_at_us; /* owner: dispatcher thread */
    int64_t connected_us;                          /* owner: dispatcher thread */
    uint32_t random;                               /* owner: dispatcher thread; not 0 */
    bool fenced;                                   /* owner: dispatcher thread */
    struct backoff backoff;                        /* owner: dispatcher thread */
    struct arena round;                            /* owner: dispatcher thread; reset each round */
    char after[256];       /* owner: dispatcher thread; where the next look at the queue begins */
    unsigned max_flights;  /* immutable: of all endpoints */
    pthread_mutex_t lock;  /* leaf */
    struct flight *unsent; /* guarded by lock: came back from the connector, never left */
    bool crowded;          /* guarded by lock: calls wait for a place in flight */
    unsigned n_connector;  /* guarded by lock: with the connector */
};

/* ---- When the connector is done with a flight: on its thread ---- */

static void count_answer(struct jobexec *jobexec)
{
    pthread_mutex_lock(&jobexec->stats_lock);
    jobexec->stats.calls_answered++;
    pthread_mutex_unlock(&jobexec->stats_lock);
}

/* With the lock. */
static void saw(struct flight *flight, enum outcome outcome)
{
    struct lane_saw saw = {.outcome = outcome,
                           .status = flight->exchange.status,
                           .duration_us = flight->exchange.duration_us,
                           .phase_us = flight->request.phase_us,
                           .probe = flight->request.probe,
                           .gone = flight->exchange.status == 410 && flight->transport.n_sign > 0,
                           .error = flight->exchange.error};

    lane_saw(flight->lane, &saw, clock_mono_us());
    flight->seen = true;
}

/* Whether it is a failure can be told before the answer is read. */
static bool failed_already(const struct http_exchange *exchange, enum outcome *ret_outcome)
{
    if (exchange->result == HTTP_COMPLETE && exchange->status >= 200 && exchange->status <= 299)
        return false;
    *ret_outcome = outcome_of(exchange, false);
    return exchange->result != HTTP_NOT_SENT && exchange->result != HTTP_GIVEN_UP;
}

static void on_done(struct http_exchange *exchange)
{
    struct flight *flight = exchange->owner;
    struct jobexec *jobexec = flight->owner;
    struct dispatcher *dispatcher = jobexec->dispatcher;
    bool unsent = exchange->result == HTTP_NOT_SENT;
    enum outcome outcome;

    pthread_mutex_lock(&dispatcher->lock);
    flight->lane->in_flight--;
    dispatcher->n_connector--;
    if (failed_already(exchange, &outcome))
        saw(flight, outcome);
    else if (unsent && flight->request.probe)
        lane_probe_back(flight->lane, flight->request.phase_us);
    bool wake = dispatcher->crowded || unsent || flight->lane->news;
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

void dispatcher_saw(struct dispatcher *dispatcher, struct flight *flight)
{
    pthread_mutex_lock(&dispatcher->lock);
    if (!flight->seen && flight->unsendable && flight->request.probe)
        lane_probe_back(flight->lane, flight->request.phase_us);
    else if (!flight->seen && !flight->unsendable)
        saw(flight, flight->outcome);
    if (flight->retry_after_ms >= 0)
        lane_hold(flight->lane, clock_mono_us(), flight->retry_after_ms);
    flight->seen = true;
    bool news = flight->lane->news;
    pthread_mutex_unlock(&dispatcher->lock);
    if (news)
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

/* 0 to 1. */
static double chance(struct dispatcher *dispatcher)
{
    dispatcher->random ^= dispatcher->random << 13;
    dispatcher->random ^= dispatcher->random >> 17;
    dispatcher->random ^= dispatcher->random << 5;
    return (double)dispatcher->random / 4294967296.0;
}

/* The times of one look: the database's, and ours when it was read. */
struct look {
    int64_t now_us, read_us;
    int64_t due_us;        /* when to look again; ours */
    unsigned free_threads; /* for C delegates */
};

/* Calls of a C delegate that only another program has: they wait for it. */
static bool leave_alone(struct dispatcher *dispatcher, struct call_endpoint *endpoint)
{
    struct lane *lane = lane_of(dispatcher, endpoint->name);
    char name[600];

    if (!lane->left_alone)
        log_line(LOG_LEVEL_INFO,
                 "tasks wait for a C delegate: no function is registered here under its name",
                 "delegate=%s",
                 log_quote(endpoint->name + strlen(DELEGATE_ENDPOINT), name, sizeof(name)));
    lane->left_alone = true;
    endpoint->configured = true; /* so that nobody refuses them */
    endpoint->want = 0;
    endpoint->hits = endpoint->change = endpoint->probing = false;
    endpoint->lease_end_us = INT64_MIN;
    return endpoint->impatient;
}

/*
 * What to take of one endpoint. True: there is something to do. Lowers look->due_us to when its
 * next permit or probe is due.
 */
static bool plan(struct dispatcher *dispatcher, struct call_endpoint *endpoint, struct look *look)
{
    int64_t due_us = INT64_MAX;

    bool delegate = delegates_endpoint(endpoint->name);
    if (delegate && !delegates_has(dispatcher->jobexec->delegates, endpoint->name))
        return leave_alone(dispatcher, endpoint);
    if (!endpoint->configured)
        return true;
    struct lane *lane = lane_of(dispatcher, endpoint->name);
    pthread_mutex_lock(&dispatcher->lock);
    lane_adopt(lane, endpoint);
    lane_keep_back(lane, endpoint, look->now_us, look->read_us);
    pthread_mutex_unlock(&dispatcher->lock);
    unsigned want = endpoint->hits ? 0 : room_in_flight(dispatcher, lane, endpoint->max_in_flight);
    want = want < CALL_TAKE_MAX ? want : CALL_TAKE_MAX;
    if (delegate)
        want = want < look->free_threads ? want : look->free_threads;
    want = lane_admit(endpoint, want, look->now_us, &due_us);
    want = lane_permits(lane, endpoint, want, look->now_us, &due_us);
    if (due_us != INT64_MAX)
        due_us = look->read_us + (due_us - look->now_us);
    if (want != 0 && endpoint->rate > 0 && endpoint->burst <= 1 &&
        lane->paced_until_us > look->read_us) {
        due_us = lane->paced_until_us;
        want = 0;
    }
    lane_budget(lane, endpoint, look->read_us);
    lane_narrow(endpoint, want);
    if (delegate)
        look->free_threads -= want;
    if (due_us < look->due_us)
        look->due_us = due_us;
    return want != 0 || endpoint->hits || endpoint->impatient;
}

static void log_circuit(const struct call_endpoint *endpoint)
{
    char name[600];

    log_quote(endpoint->name, name, sizeof(name));
    switch (endpoint->circuit.state) {
    case CIRCUIT_OPEN:
        log_line(LOG_LEVEL_WARN, "circuit opened: requests wait",
                 "endpoint=%s why=\"%s\" openings=%u", name, endpoint->why,
                 endpoint->circuit.openings);
        break;
    case CIRCUIT_HALF_OPEN:
        log_line(LOG_LEVEL_INFO, "circuit half-open: probing", "endpoint=%s probes=%u", name,
                 endpoint->circuit.probes);
        break;
    case CIRCUIT_CLOSED:
    default:
        log_line(LOG_LEVEL_INFO, "circuit closed: requests leave again", "endpoint=%s why=\"%s\"",
                 name, endpoint->why);
    }
}

static void doubt(struct dispatcher *dispatcher, const struct call_endpoint *endpoints, size_t n)
{
    pthread_mutex_lock(&dispatcher->lock);
    for (size_t i = 0; i < n; i++)
        if (endpoints[i].probing)
            lane_doubt(lane_of(dispatcher, endpoints[i].name), &endpoints[i]);
    pthread_mutex_unlock(&dispatcher->lock);
}

/* What is planned becomes so for all nodes, unless one was faster. */
static int agree(struct dispatcher *dispatcher, struct call_endpoint *endpoints, size_t n,
                 struct look *look, struct err *err)
{
    if (call_agree(dispatcher->conn, endpoints, n, err) < 0) {
        doubt(dispatcher, endpoints, n);
        return err_trace(err);
    }
    for (size_t i = 0; i < n; i++) {
        struct call_endpoint *endpoint = &endpoints[i];
        bool late = (endpoint->change && !endpoint->changed) ||
                    (endpoint->lease_end_us != INT64_MIN && !endpoint->leased);
        if (endpoint->changed && endpoint->circuit.since_us == look->now_us) /* a new phase */
            log_circuit(endpoint);
        if (endpoint->leased)
            lane_of(dispatcher, endpoint->name)->lease = (struct lease){
                .next_us = endpoint->lease_from_us, .end_us = endpoint->lease_end_us};
        if (endpoint->change && !endpoint->changed)
            endpoint->probes = 0;
        if (late) {
            endpoint->want = 0;
            if (look->read_us + AGAIN_US < look->due_us)
                look->due_us = look->read_us + AGAIN_US;
        }
    }
    return 0;
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
    if (delegates_endpoint(flight->endpoint))
        delegates_run(jobexec->delegates, flight);
    else
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
    if (take->cached + take->refused + take->waited != 0)
        wake_signal(&jobexec->workers_wake);
}

/* After a take: what was granted or leased and not needed goes back. */
static int settle(struct dispatcher *dispatcher, struct call_endpoint *endpoints, size_t n,
                  struct look *look, struct err *err)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        struct call_endpoint *endpoint = &endpoints[i];
        endpoint->change = false;
        endpoint->lease_end_us = INT64_MIN;
        if (!endpoint->configured)
            continue;
        struct lane *lane = lane_of(dispatcher, endpoint->name);
        any |= lane_took(lane, endpoint, look->now_us);
        pthread_mutex_lock(&dispatcher->lock);
        for (unsigned k = endpoint->taken; k < endpoint->probes; k++)
            lane_probe_back(lane, endpoint->circuit.since_us);
        pthread_mutex_unlock(&dispatcher->lock);
    }
    return any ? call_agree(dispatcher->conn, endpoints, n, err) : 0;
}

/* What this node saw and the others do not know: circuits to open or close, waits. */
static int spread_news(struct dispatcher *dispatcher, struct look *look, struct err *err)
{
    struct arena *arena = &dispatcher->round;
    struct call_endpoint *endpoints;
    const char **names = NULL;
    size_t n = 0, capacity = 0;

    pthread_mutex_lock(&dispatcher->lock);
    for (struct lane *lane = dispatcher->lanes; lane != NULL; lane = lane->next) {
        if (!lane->news)
            continue;
        const char **name = arena_push(arena, names, n, capacity);
        *name = lane->name;
    }
    pthread_mutex_unlock(&dispatcher->lock);
    if (n == 0)
        return 0;
    if (call_endpoints(dispatcher->conn, arena, names, n, &endpoints, &n, &look->now_us, err) < 0)
        return err_trace(err);
    look->read_us = clock_mono_us();
    for (size_t i = 0; i < n; i++) {
        struct lane *lane = lane_of(dispatcher, endpoints[i].name);
        double random = chance(dispatcher);
        pthread_mutex_lock(&dispatcher->lock);
        lane_adopt(lane, &endpoints[i]);
        lane_wish(lane, &endpoints[i], look->now_us, look->read_us, random);
        pthread_mutex_unlock(&dispatcher->lock);
    }
    if (agree(dispatcher, endpoints, n, look, err) < 0)
        return err_trace(err);
    pthread_mutex_lock(&dispatcher->lock);
    for (size_t i = 0; i < n; i++)
        lane_agreed(lane_of(dispatcher, endpoints[i].name), &endpoints[i], look->now_us,
                    look->read_us);
    pthread_mutex_unlock(&dispatcher->lock);
    return 0;
}

static int take(struct dispatcher *dispatcher, struct call_endpoint *endpoints, size_t n,
                struct look *look, struct err *err)
{
    struct call_take take;
    int64_t boot_us = clock_boot_us();

    /* A probe may be answered before the next look. */
    pthread_mutex_lock(&dispatcher->lock);
    for (size_t i = 0; i < n; i++)
        if (endpoints[i].changed)
            lane_adopt(lane_of(dispatcher, endpoints[i].name), &endpoints[i]);
    pthread_mutex_unlock(&dispatcher->lock);
    int result = call_take(dispatcher->conn, &dispatcher->round, endpoints, n, &take, err);
    if (result != 0) {
        doubt(dispatcher, endpoints, n);
        return result < 0 ? err_trace(err) : result;
    }
    for (size_t i = 0; i < take.n; i++)
        hand_over(dispatcher, &take.requests[i], &endpoints[take.requests[i].endpoint], boot_us);
    pace(dispatcher, endpoints, n);
    count_take(dispatcher->jobexec, &take);
    if (take.n + take.cached + take.refused + take.waited != 0)
        look->due_us = 0;
    return settle(dispatcher, endpoints, n, look, err);
}

/* One look at the queue. *due_us: when to look again (clock_mono_us()); 0: at once. */
static int look(struct dispatcher *dispatcher, int64_t *due_us, struct err *err)
{
    struct look look = {.due_us = *due_us};
    struct call_endpoint *endpoints;
    bool worth = false;
    size_t n;

    if (spread_news(dispatcher, &look, err) < 0 ||
        call_waiting(dispatcher->conn, &dispatcher->round, dispatcher->after, &endpoints, &n,
                     &look.now_us, err) < 0)
        return err_trace(err);
    look.read_us = clock_mono_us();
    if (dispatcher->jobexec->delegates != NULL)
        look.free_threads = delegates_free_threads(dispatcher->jobexec->delegates);
    for (size_t i = 0; i < n; i++)
        worth |= plan(dispatcher, &endpoints[i], &look);
    bool rest = n == CALL_WAITING_MAX;
    snprintf(dispatcher->after, sizeof(dispatcher->after), "%s", rest ? endpoints[n - 1].name : "");
    if (rest)
        look.due_us = 0;
    int result = 0;
    if (worth && (result = agree(dispatcher, endpoints, n, &look, err)) == 0)
        result = take(dispatcher, endpoints, n, &look, err);
    *due_us = look.due_us;
    return result < 0 ? err_trace(err) : result;
}

/* ---- Putting right ---- */

static void log_lost(const struct call_lost *lost)
{
    char id[UUID_TEXT_BYTES], instance[UUID_TEXT_BYTES], key[600], element[300], endpoint[600];

    uuid_format(&lost->id, id);
    uuid_format(&lost->instance, instance);
    log_line(lost->repeated ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
             lost->repeated ? "a request whose outcome is unknown is sent again"
                            : "the outcome of a request is unknown",
             "business_key=%s instance=%s element=%s call=%s endpoint=%s attempt=%u",
             log_quote(lost->business_key != NULL ? lost->business_key : "", key, sizeof(key)),
             instance,
             log_quote(lost->element != NULL ? lost->element : "", element, sizeof(element)), id,
             log_quote(lost->endpoint, endpoint, sizeof(endpoint)), (unsigned)lost->attempt);
}

static int recover(struct dispatcher *dispatcher, struct err *err)
{
    struct jobexec *jobexec = dispatcher->jobexec;
    struct call_lost *lost;
    size_t n, repeated = 0;

    if (clock_mono_us() < dispatcher->recover_at_us)
        return 0;
    /* Whoever was away himself knows nothing of the others. */
    bool fence_others = clock_mono_us() - dispatcher->connected_us > CALL_LIFE_US;
    if (call_recover(dispatcher->conn, &dispatcher->round, fence_others, &lost, &n, err) < 0)
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

static int beat(struct dispatcher *dispatcher, struct err *err)
{
    if (clock_mono_us() < dispatcher->beat_at_us)
        return 0;
    dispatcher->beat_at_us = clock_mono_us() + BEAT_US;
    int result = call_beat(dispatcher->conn, err);
    return result < 0 ? err_trace(err) : result;
}

/* How the endpoints are, for people. */
static int tell(struct dispatcher *dispatcher, struct err *err)
{
    struct call_seen *seen = NULL;
    size_t n = 0, capacity = 0;
    int64_t now_us = clock_mono_us();

    if (now_us < dispatcher->tell_at_us)
        return 0;
    dispatcher->tell_at_us = now_us + TELL_US;
    pthread_mutex_lock(&dispatcher->lock);
    for (struct lane *lane = dispatcher->lanes; lane != NULL; lane = lane->next) {
        struct call_seen one;
        if (!lane_tell(lane, &dispatcher->round, now_us, &one))
            continue;
        struct call_seen *item = arena_push(&dispatcher->round, seen, n, capacity);
        *item = one;
    }
    pthread_mutex_unlock(&dispatcher->lock);
    return n == 0 ? 0 : call_tell(dispatcher->conn, &dispatcher->round, seen, n, err);
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
    size_t n_delegates;

    int result = call_conn_open(jobexec->store, &jobexec->options.node, dispatcher->epoch,
                                &dispatcher->conn, err);
    if (result != 0)
        return result < 0 ? err_trace(err) : result;
    dispatcher->epoch = call_conn_epoch(dispatcher->conn);
    dispatcher->connected_us = clock_mono_us();
    const char *const *delegates = delegates_endpoints(jobexec->delegates, &n_delegates);
    if (n_delegates != 0 &&
        call_delegates(dispatcher->conn, &dispatcher->round, delegates, n_delegates, err) < 0)
        return err_trace(err);
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
    if ((result = beat(dispatcher, err)) != 0)
        return result < 0 ? err_trace(err) : result;
    if (release_unsent(dispatcher, err) < 0 || recover(dispatcher, err) < 0 ||
        tell(dispatcher, err) < 0)
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

/*
 * The slot is not ours any more. If another node took us for dead, we go on under a new epoch: what
 * was under way has been dealt with, and its answers change nothing.
 */
static int fenced(struct dispatcher *dispatcher, struct err *err)
{
    struct jobexec *jobexec = dispatcher->jobexec;
    bool by_node;

    drop_connection(dispatcher);
    if (call_fenced_by_node(jobexec->store, &jobexec->options.node, &by_node, err) < 0)
        return err_trace(err);
    dispatcher->fenced = !by_node;
    dispatcher->doubt_us = 0;
    if (by_node) {
        dispatcher->epoch = 0;
        log_line(LOG_LEVEL_WARN,
                 "this node showed no sign of life, and others have dealt with its requests; it "
                 "goes on",
                 "thread=dispatcher");
    } else {
        log_line(LOG_LEVEL_ERROR,
                 "another process runs with this node's id; this one sends nothing more",
                 "thread=dispatcher");
        if (jobexec->options.replaced != NULL)
            jobexec->options.replaced(jobexec->options.replaced_context);
    }
    return 0;
}

static void *run(void *context)
{
    struct dispatcher *dispatcher = context;
    struct jobexec *jobexec = dispatcher->jobexec;

    while (!wake_closed(&dispatcher->wake)) {
        struct err err = {0};
        int64_t due_us = clock_mono_us() + LOOK_US;
        int result = dispatcher->fenced ? 0 : one_round(dispatcher, &due_us, &err);
        if (result == CALL_FENCED)
            result = fenced(dispatcher, &err);
        if (result < 0) {
            backoff_failed(&dispatcher->backoff, "dispatcher", 0, &err);
            drop_connection(dispatcher);
            wake_pause(&dispatcher->wake, clock_mono_us() + backoff_next_us(&dispatcher->backoff));
            continue;
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
    dispatcher->random = ((uint32_t)clock_boot_us() ^ jobexec->options.node.b[14]) | 1;
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
