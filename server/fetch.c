/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "server/fetch.h"
#include "server/server_internal.h"
#include "store/json_text.h"

#define EVERY_US 1000000 /* how often other nodes' commits and ended leases are looked for */
/* Who found nothing though there is work of his topics. */
#define PAUSE_LEAST_US 50000
#define PAUSE_MOST_US 2000000
#define IDENTIFIED_US 2000000 /* a change of a user counts after so long */

struct fetch {
    struct fetch *ahead, *behind; /* in the line */
    struct request *request;
    const char *arguments[DESK_PARAMS]; /* of its statement */
    size_t n_arguments;
    const char **topics;
    size_t n_topics;
    json_int_t most; /* tasks */
    int64_t deadline_us;
    int64_t pause_us, ready_us; /* how long it lets others go first; until when */
    int64_t looked_us;          /* when it was seen that its client is there */
    int64_t identified_us;      /* when it was asked who he is */
};

struct fetches {
    struct arena arena; /* holds this struct */
    struct desk *desk;
    pthread_mutex_t lock;        /* leaf; guards the rest */
    struct fetch *first, *last;  /* the line */
    atomic_uint n;               /* in line; written under the lock */
    bool closed, asking, again;  /* again: there may be new work since it was asked */
    int64_t asked_us;            /* when it was asked last */
    char *question;              /* of the one under way; of jansson */
    struct desk_request request; /* the question's */
};

struct fetches *fetches_new(struct desk *desk)
{
    struct arena arena;

    arena_init(&arena, 0);
    struct fetches *fetches = arena_alloc(&arena, sizeof(*fetches));
    fetches->desk = desk;
    pthread_mutex_init(&fetches->lock, NULL);
    atomic_init(&fetches->n, 0);
    fetches->arena = arena;
    return fetches;
}

void fetches_free(struct fetches *fetches)
{
    if (fetches == NULL)
        return;
    free(fetches->question);
    pthread_mutex_destroy(&fetches->lock);
    struct arena arena = fetches->arena;
    arena_deinit(&arena);
}

unsigned fetches_open(struct fetches *fetches)
{
    return atomic_load(&fetches->n);
}

/* ---- The line, under the lock ---- */

static void line_up(struct fetches *fetches, struct fetch *fetch)
{
    fetch->behind = NULL;
    fetch->ahead = fetches->last;
    if (fetches->last != NULL)
        fetches->last->behind = fetch;
    else
        fetches->first = fetch;
    fetches->last = fetch;
    atomic_fetch_add(&fetches->n, 1);
}

static void leave(struct fetches *fetches, struct fetch *fetch)
{
    if (fetch->ahead != NULL)
        fetch->ahead->behind = fetch->behind;
    else
        fetches->first = fetch->behind;
    if (fetch->behind != NULL)
        fetch->behind->ahead = fetch->ahead;
    else
        fetches->last = fetch->ahead;
    fetch->ahead = fetch->behind = NULL;
    atomic_fetch_sub(&fetches->n, 1);
}

/* ---- One request ---- */

/* There was no work as long as it was willing to wait. */
static void finish_empty(struct request *request)
{
    const char *nothing = request->dialect == DIALECT_CAMUNDA ? "[]" : "{\"items\": []}";

    response_json(&request->response, 200, nothing, strlen(nothing));
    request_finish(request);
}

static void ask(struct fetches *fetches);

static void fetched(struct request *request, const struct desk_answer *answer)
{
    struct fetches *fetches = request->server->fetches;
    struct fetch *fetch = request->own;
    int64_t now_us = clock_mono_us();
    bool waits = false;

    if (answer->sqlstate == NULL && answer->body == NULL) {
        pthread_mutex_lock(&fetches->lock);
        waits = !fetches->closed && now_us < fetch->deadline_us;
        if (waits) {
            fetch->ready_us = now_us + fetch->pause_us;
            line_up(fetches, fetch);
        }
        pthread_mutex_unlock(&fetches->lock);
        if (!waits)
            finish_empty(request);
    } else {
        request_answer(request, answer);
        request_finish(request);
    }
    /* It may have left work that it was counted for. */
    ask(fetches);
}

static void fetch_now(struct request *request)
{
    const struct fetch *fetch = request->own;

    request_ask(request, request->operation->query, true, fetch->arguments, fetch->n_arguments,
                fetched);
}

/* There is work of its topics, and it is out of the line. */
static void fetch_again(struct fetch *fetch, int64_t now_us)
{
    struct request *request = fetch->request;

    if (request_is_gone(request)) {
        finish_empty(request);
        return;
    }
    fetch->pause_us = fetch->pause_us == 0                  ? PAUSE_LEAST_US
                      : fetch->pause_us < PAUSE_MOST_US / 2 ? 2 * fetch->pause_us
                                                            : PAUSE_MOST_US;
    if (now_us - fetch->identified_us < IDENTIFIED_US) {
        fetch_now(request);
        return;
    }
    fetch->identified_us = now_us;
    request_identify(request, fetch_now);
}

/* ---- The question ---- */

/* Under the lock: {"topic": tasks wanted} of those that would fetch now. NULL: nobody. */
static json_t *wanted(const struct fetches *fetches, int64_t now_us)
{
    json_t *topics = NULL;

    for (const struct fetch *fetch = fetches->first; fetch != NULL; fetch = fetch->behind) {
        if (fetch->ready_us > now_us)
            continue;
        if (topics == NULL)
            topics = json_object();
        for (size_t i = 0; i < fetch->n_topics; i++) {
            json_int_t n = json_integer_value(json_object_get(topics, fetch->topics[i]));
            json_object_set_new(topics, fetch->topics[i], json_integer(n + fetch->most));
        }
    }
    return topics;
}

/* Under the lock: whether there is work for it, which is then counted as taken. */
static bool count_off(const struct fetch *fetch, json_t *free_ones)
{
    json_int_t most = fetch->most;

    for (size_t i = 0; i < fetch->n_topics && most > 0; i++) {
        json_t *count = json_object_get(free_ones, fetch->topics[i]);
        json_int_t n = json_integer_value(count), taken = n < most ? n : most;
        if (taken <= 0)
            continue;
        json_integer_set(count, n - taken);
        most -= taken;
    }
    return most < fetch->most;
}

static void wake(struct fetches *fetches, json_t *free_ones)
{
    struct fetch *woken = NULL, **end = &woken;
    int64_t now_us = clock_mono_us();

    pthread_mutex_lock(&fetches->lock);
    for (struct fetch *fetch = fetches->first, *next; fetch != NULL; fetch = next) {
        next = fetch->behind;
        if (fetch->ready_us > now_us || !count_off(fetch, free_ones))
            continue;
        leave(fetches, fetch);
        *end = fetch;
        end = &fetch->behind;
    }
    pthread_mutex_unlock(&fetches->lock);
    for (struct fetch *next; woken != NULL; woken = next) {
        next = woken->behind;
        fetch_again(woken, now_us);
    }
}

static void answered(void *context, const struct desk_answer *answer)
{
    struct fetches *fetches = context;
    char text[600];

    if (answer->sqlstate == NULL) {
        json_auto_t *free_ones = json_read(answer->body, answer->n, 0, &(json_error_t){0});
        wake(fetches, free_ones);
    } else {
        log_line(LOG_LEVEL_DEBUG, "http: whether there is work cannot be read", "error=%s",
                 log_quote(answer->message, text, sizeof(text)));
    }
    pthread_mutex_lock(&fetches->lock);
    fetches->asking = false;
    /* What could not be asked is asked by a later tick. */
    bool again = fetches->again && answer->sqlstate == NULL;
    pthread_mutex_unlock(&fetches->lock);
    if (again)
        ask(fetches);
}

/* Asks how much work there is for those in line; while an answer is awaited, behind it. */
static void ask(struct fetches *fetches)
{
    int64_t now_us = clock_mono_us();

    pthread_mutex_lock(&fetches->lock);
    fetches->again = fetches->asking;
    json_auto_t *topics = fetches->asking || fetches->closed ? NULL : wanted(fetches, now_us);
    if (topics != NULL) {
        free(fetches->question);
        fetches->question = json_dumps(topics, JSON_COMPACT);
        fetches->asking = true;
        fetches->asked_us = now_us;
        fetches->request = (struct desk_request){
            .query = "http_free_work",
            .params = {fetches->question},
            .n_params = 1,
            .urgent = true,
            .caller = PRINCIPAL_ENGINE,
            .done = answered,
            .context = fetches,
        };
    }
    pthread_mutex_unlock(&fetches->lock);
    if (topics != NULL)
        desk_submit(fetches->desk, &fetches->request);
}

/* ---- From outside ---- */

void fetches_committed(struct fetches *fetches)
{
    if (atomic_load(&fetches->n) > 0)
        ask(fetches);
}

/* Under the lock: whether it is to be ended. A client that went away is found once a second. */
static bool is_over(const struct fetches *fetches, struct fetch *fetch, int64_t now_us)
{
    if (fetches->closed || fetch->deadline_us <= now_us)
        return true;
    if (now_us - fetch->looked_us < EVERY_US)
        return false;
    fetch->looked_us = now_us;
    return request_is_gone(fetch->request);
}

void fetches_tick(struct fetches *fetches, int64_t now_us)
{
    struct fetch *over = NULL;

    if (atomic_load(&fetches->n) == 0)
        return;
    pthread_mutex_lock(&fetches->lock);
    bool due = fetches->asked_us + EVERY_US <= now_us;
    for (struct fetch *fetch = fetches->first, *next; fetch != NULL; fetch = next) {
        next = fetch->behind;
        if (is_over(fetches, fetch, now_us)) {
            leave(fetches, fetch);
            fetch->behind = over;
            over = fetch;
        } else if (fetch->ready_us > fetches->asked_us && fetch->ready_us <= now_us) {
            due = true; /* its pause has ended */
        }
    }
    pthread_mutex_unlock(&fetches->lock);
    for (struct fetch *next; over != NULL; over = next) {
        next = over->behind;
        finish_empty(over->request);
    }
    if (due)
        ask(fetches);
}

void fetches_close(struct fetches *fetches)
{
    pthread_mutex_lock(&fetches->lock);
    fetches->closed = true;
    pthread_mutex_unlock(&fetches->lock);
    fetches_tick(fetches, clock_mono_us());
}

/* ---- The operations ---- */

static int64_t wait_of(const struct request *request)
{
    const int64_t most_us = (int64_t)LIMIT_AWAIT_S * 1000000;
    const char *text = request_query(request, "wait");
    json_int_t ms = json_integer_value(json_object_get(request->json, "asyncResponseTimeout"));
    int64_t wait_us;

    if (text != NULL && duration_read(text, &wait_us))
        return wait_us;
    return ms <= 0 ? 0 : ms < most_us / 1000 ? ms * 1000 : most_us;
}

/* The names alone: what is wrong with them the statement says. */
static void read_topics(struct request *request, struct fetch *fetch)
{
    const json_t *topics = json_object_get(request->json, "topics");
    const json_t *most = json_object_get(request->json, "maxTasks");
    json_t *topic;
    size_t i;

    fetch->most = json_is_integer(most) ? json_integer_value(most) : 1;
    fetch->topics =
        arena_array(&request->arena, json_array_size(topics) + 1, sizeof(*fetch->topics));
    json_array_foreach(topics, i, topic)
    {
        const char *name =
            json_string_value(json_is_string(topic) ? topic : json_object_get(topic, "topicName"));
        if (name != NULL)
            fetch->topics[fetch->n_topics++] = arena_strdup(&request->arena, name);
    }
}

void fetch_work(struct request *request)
{
    struct fetch *fetch = arena_alloc(&request->arena, sizeof(*fetch));
    int64_t now_us = clock_mono_us();

    *fetch = (struct fetch){.request = request,
                            .deadline_us = now_us + wait_of(request),
                            .looked_us = now_us,
                            .identified_us = now_us};
    read_topics(request, fetch);
    fetch->n_arguments = request_arguments(request, fetch->arguments);
    request->own = fetch;
    fetch_now(request);
}
