/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "server/await.h"
#include "server/server_internal.h"
#include "store/json_text.h"

#define BUCKETS 4096u
#define QUESTION_MAX 1000u /* ids of one question */
#define EVERY_US 1000000   /* how often other nodes' commits are looked for */

struct await {
    struct await *next;           /* of its bucket */
    struct await *ahead, *behind; /* in the line of those to be asked for */
    struct line *line;            /* NULL: in none */
    struct uuid id;
    int64_t deadline_us;
    int64_t asked_us; /* when it was put in line last */
    struct request *request;
    await_then_fn *then;
};

/* Those that a question is to be asked for, and the question. */
struct line {
    struct awaits *awaits;
    struct await *first, *last;
    bool asking;
    struct buf question;
    struct desk_request request;
};

struct awaits {
    struct arena arena; /* holds this struct */
    struct desk *desk;
    pthread_mutex_t lock; /* leaf; guards the rest */
    struct await *buckets[BUCKETS];
    /* What a worker has just committed goes before what is looked at now and then. */
    struct line committed, others;
    atomic_uint n;
    bool closed;
};

static struct await **bucket(struct awaits *awaits, const struct uuid *id)
{
    uint32_t hash;

    memcpy(&hash, id->b + 12, sizeof(hash)); /* the random end of it */
    return &awaits->buckets[hash % BUCKETS];
}

struct awaits *awaits_new(struct desk *desk)
{
    struct arena arena;

    arena_init(&arena, 0);
    struct awaits *awaits = arena_alloc(&arena, sizeof(*awaits));
    awaits->desk = desk;
    awaits->committed.awaits = awaits->others.awaits = awaits;
    buf_init(&awaits->committed.question, 0);
    buf_init(&awaits->others.question, 0);
    pthread_mutex_init(&awaits->lock, NULL);
    atomic_init(&awaits->n, 0);
    awaits->arena = arena;
    return awaits;
}

void awaits_free(struct awaits *awaits)
{
    if (awaits == NULL)
        return;
    buf_deinit(&awaits->committed.question);
    buf_deinit(&awaits->others.question);
    pthread_mutex_destroy(&awaits->lock);
    struct arena arena = awaits->arena;
    arena_deinit(&arena);
}

unsigned awaits_open(struct awaits *awaits)
{
    return atomic_load(&awaits->n);
}

/* ---- The line, under the lock ---- */

static void leave_line(struct await *await)
{
    struct line *line = await->line;

    if (line == NULL)
        return;
    await->line = NULL;
    if (await->ahead != NULL)
        await->ahead->behind = await->behind;
    else
        line->first = await->behind;
    if (await->behind != NULL)
        await->behind->ahead = await->ahead;
    else
        line->last = await->ahead;
}

static void put_in_line(struct line *line, struct await *await, int64_t now_us)
{
    await->asked_us = now_us;
    if (await->line == line || await->line == &line->awaits->committed)
        return;
    leave_line(await);
    await->line = line;
    await->behind = NULL;
    await->ahead = line->last;
    if (line->last != NULL)
        line->last->behind = await;
    else
        line->first = await;
    line->last = await;
}

/* Takes it out of its bucket and the line. */
static void take_out(struct awaits *awaits, struct await **at)
{
    struct await *await = *at;

    *at = await->next;
    leave_line(await);
    atomic_fetch_sub(&awaits->n, 1);
}

/* ---- Asking ---- */

static void answered(void *context, const struct desk_answer *answer);

/* The next question of a line, if none is under way. */
static void ask(struct line *line)
{
    struct awaits *awaits = line->awaits;
    char text[UUID_TEXT_BYTES];
    unsigned n = 0;

    pthread_mutex_lock(&awaits->lock);
    if (line->asking || line->first == NULL || awaits->closed) {
        pthread_mutex_unlock(&awaits->lock);
        return;
    }
    line->asking = true;
    buf_reset(&line->question);
    for (; line->first != NULL && n < QUESTION_MAX; n++) {
        uuid_format(&line->first->id, text);
        leave_line(line->first);
        buf_printf(&line->question, "%s\"%s\"", n == 0 ? "[" : ",", text);
    }
    buf_add_char(&line->question, ']');
    line->request = (struct desk_request){
        .query = "http_outcomes",
        .params = {buf_str(&line->question)},
        .n_params = 1,
        .urgent = line == &awaits->committed,
        .caller = PRINCIPAL_ENGINE,
        .done = answered,
        .context = line,
    };
    pthread_mutex_unlock(&awaits->lock);
    desk_submit(awaits->desk, &line->request);
}

/* All that wait for one id, which is decided. */
static void wake(struct awaits *awaits, const struct uuid *id, const json_t *outcome)
{
    struct await *woken = NULL;

    pthread_mutex_lock(&awaits->lock);
    for (struct await **at = bucket(awaits, id); *at != NULL;) {
        struct await *await = *at;
        if (!uuid_equal(&await->id, id)) {
            at = &await->next;
            continue;
        }
        take_out(awaits, at);
        await->next = woken;
        woken = await;
    }
    pthread_mutex_unlock(&awaits->lock);
    for (struct await *next; woken != NULL; woken = next) {
        next = woken->next;
        woken->then(woken->request, outcome);
    }
}

static void answered(void *context, const struct desk_answer *answer)
{
    struct line *line = context;
    struct awaits *awaits = line->awaits;
    json_error_t error;
    const char *key;
    json_t *outcome;
    struct uuid id;
    char text[600];

    if (answer->sqlstate != NULL)
        log_line(LOG_LEVEL_DEBUG, "http: outcomes cannot be read", "error=%s",
                 log_quote(answer->message, text, sizeof(text)));
    json_t *all = answer->sqlstate == NULL ? json_read(answer->body, answer->n, 0, &error) : NULL;
    json_object_foreach(all, key, outcome)
    {
        if (uuid_parse(key, &id))
            wake(awaits, &id, outcome);
    }
    json_decref(all);
    pthread_mutex_lock(&awaits->lock);
    line->asking = false;
    pthread_mutex_unlock(&awaits->lock);
    /* What could not be asked is asked by the next tick. */
    if (answer->sqlstate == NULL)
        ask(line);
}

/* ---- From outside ---- */

void awaits_add(struct awaits *awaits, struct request *request, const struct uuid *id,
                int64_t wait_us, await_then_fn *then)
{
    struct await *await = arena_alloc(&request->arena, sizeof(*await));
    int64_t now_us = clock_mono_us();

    *await = (struct await){
        .id = *id, .deadline_us = now_us + wait_us, .request = request, .then = then};
    pthread_mutex_lock(&awaits->lock);
    bool closed = awaits->closed;
    if (!closed) {
        struct await **at = bucket(awaits, id);
        await->next = *at;
        *at = await;
        atomic_fetch_add(&awaits->n, 1);
        /* It may have been decided before anybody listened. */
        put_in_line(&awaits->others, await, now_us);
    }
    pthread_mutex_unlock(&awaits->lock);
    if (closed)
        then(request, NULL);
    else
        ask(&awaits->others);
}

void awaits_committed(struct awaits *awaits, const struct uuid *ids, size_t n)
{
    int64_t now_us = clock_mono_us();
    bool any = false;

    if (atomic_load(&awaits->n) == 0)
        return;
    pthread_mutex_lock(&awaits->lock);
    for (size_t i = 0; i < n; i++)
        for (struct await *await = *bucket(awaits, &ids[i]); await != NULL; await = await->next)
            if (uuid_equal(&await->id, &ids[i])) {
                put_in_line(&awaits->committed, await, now_us);
                any = true;
            }
    pthread_mutex_unlock(&awaits->lock);
    if (any)
        ask(&awaits->committed);
}

void awaits_tick(struct awaits *awaits, int64_t now_us)
{
    struct await *over = NULL;

    if (atomic_load(&awaits->n) == 0)
        return;
    pthread_mutex_lock(&awaits->lock);
    for (size_t b = 0; b < BUCKETS; b++)
        for (struct await **at = &awaits->buckets[b]; *at != NULL;) {
            struct await *await = *at;
            if (now_us < await->deadline_us && !awaits->closed) {
                if (await->asked_us + EVERY_US <= now_us)
                    put_in_line(&awaits->others, await, now_us);
                at = &await->next;
                continue;
            }
            take_out(awaits, at);
            await->next = over;
            over = await;
        }
    pthread_mutex_unlock(&awaits->lock);
    for (struct await *next; over != NULL; over = next) {
        next = over->next;
        over->then(over->request, NULL);
    }
    ask(&awaits->committed);
    ask(&awaits->others);
}

void awaits_close(struct awaits *awaits)
{
    pthread_mutex_lock(&awaits->lock);
    awaits->closed = true;
    pthread_mutex_unlock(&awaits->lock);
    awaits_tick(awaits, clock_mono_us());
}

/* ---- ?await=30s of an operation ---- */

static const char *await_text(const struct request *request)
{
    const char *text = request_query(request, "await");

    return text != NULL ? text : request_query(request, "wait");
}

/* The answer that the statement gave, with what became of it. */
static void decided(struct request *request, const json_t *outcome)
{
    json_error_t error;
    struct response *response = &request->response;
    json_t *body = json_loadb(buf_str(&response->body), response->body.len, 0, &error);
    const json_t *state = json_object_get(outcome, "state");
    const json_t *detail = json_object_get(outcome, "detail");

    if (body != NULL) {
        json_object_set_new(body, "state",
                            state != NULL ? json_deep_copy(state) : json_string("pending"));
        json_object_set_new(body, "detail", detail != NULL ? json_deep_copy(detail) : json_null());
        response_object(request, response->status, body);
    }
    request_finish(request);
}

void await_answer(struct request *request, const struct desk_answer *answer)
{
    const char *text = await_text(request);
    struct uuid subject = answer->subject;
    int64_t wait_us;

    request_answer(request, answer);
    request_drop_body(request);
    if (answer->sqlstate != NULL || text == NULL || uuid_is_nil(&subject) ||
        !duration_read(text, &wait_us))
        request_finish(request);
    else
        awaits_add(request->server->awaits, request, &subject, wait_us, decided);
}
