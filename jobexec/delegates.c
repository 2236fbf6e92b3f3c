/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <pthread.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "engine/engine.h"
#include "engine/value.h"
#include "base/clock.h"
#include "jobexec/delegates.h"

#define THREADS 4

struct delegates {
    struct arena arena;             /* immutable: holds this struct and the names */
    struct jobexec_delegate *items; /* immutable */
    const char **endpoints;         /* immutable */
    size_t n;                       /* immutable */
    pthread_t *threads;             /* immutable */
    unsigned n_threads;             /* immutable once started */
    pthread_mutex_t lock;           /* leaf */
    pthread_cond_t more;            /* work, or the end */
    struct flight *first, **last;   /* guarded by lock: not begun */
    unsigned n_busy;                /* guarded by lock: given and not done */
    bool stopping;                  /* guarded by lock */
    bool stopped;                   /* owner: who stops */
};

/* ---- Names ---- */

bool delegates_endpoint(const char *endpoint)
{
    return strncmp(endpoint, DELEGATE_ENDPOINT, strlen(DELEGATE_ENDPOINT)) == 0;
}

const char *delegates_kind(const char *endpoint)
{
    if (!delegates_endpoint(endpoint))
        return "service";
    bool script = strcmp(endpoint + strlen(DELEGATE_ENDPOINT), SCRIPT_DELEGATE) == 0;
    return script ? "script" : "delegate";
}

static const struct jobexec_delegate *find(const struct delegates *delegates, const char *name)
{
    for (size_t i = 0; i < delegates->n; i++)
        if (strcmp(delegates->items[i].name, name) == 0)
            return &delegates->items[i];
    return NULL;
}

bool delegates_has(const struct delegates *delegates, const char *endpoint)
{
    return delegates != NULL && find(delegates, endpoint + strlen(DELEGATE_ENDPOINT)) != NULL;
}

const char *const *delegates_endpoints(const struct delegates *delegates, size_t *ret_n)
{
    *ret_n = delegates != NULL ? delegates->n : 0;
    return delegates != NULL ? delegates->endpoints : NULL;
}

unsigned delegates_free_threads(struct delegates *delegates)
{
    pthread_mutex_lock(&delegates->lock);
    unsigned n =
        delegates->n_busy < delegates->n_threads ? delegates->n_threads - delegates->n_busy : 0;
    pthread_mutex_unlock(&delegates->lock);
    return n;
}

/* ---- One call ---- */

static void set(struct delegate_reply *reply, enum delegate_outcome outcome, const char *result,
                const char *code, const char *message)
{
    struct arena *arena = reply->arena;

    *reply = (struct delegate_reply){
        .arena = arena,
        .outcome = outcome,
        .result = result != NULL ? arena_strdup(arena, result) : NULL,
        .code = code != NULL ? arena_strdup(arena, code) : NULL,
        .message = message != NULL ? arena_strdup(arena, message) : NULL,
    };
}

void delegate_succeed(struct delegate_reply *reply, const char *result)
{
    set(reply, DELEGATE_SUCCEEDED, result, NULL, NULL);
}

void delegate_throw(struct delegate_reply *reply, const char *code, const char *message)
{
    set(reply, DELEGATE_BPMN_ERROR, NULL, code, message);
}

void delegate_fail(struct delegate_reply *reply, const char *message)
{
    set(reply, DELEGATE_FAILED, NULL, NULL, message);
}

static const char *readable(const char *text)
{
    return text == NULL || utf8_valid(text, strlen(text)) ? text : "(its text is not UTF-8)";
}

static void fail(struct delegate_answer *answer, const char *message)
{
    *answer = (struct delegate_answer){.outcome = DELEGATE_FAILED, .message = message};
}

/* What the function says is not trusted: the database must be able to take it. */
static void judge(struct flight *flight, const struct delegate_reply *reply)
{
    struct delegate_answer *answer = &flight->delegate;
    struct value value;
    struct err err = {0};

    answer->outcome = reply->outcome;
    answer->code = readable(reply->code);
    answer->message = readable(reply->message);
    if (reply->outcome == DELEGATE_BPMN_ERROR) {
        if (answer->code == NULL || answer->code[0] == '\0' ||
            strlen(answer->code) > LIMIT_NAME_BYTES)
            fail(answer, "it threw a BPMN error without a code, or with one that is too long");
        return;
    }
    if (reply->outcome != DELEGATE_SUCCEEDED) {
        if (answer->message == NULL || reply->outcome != DELEGATE_FAILED)
            fail(answer, "it ended without an answer");
        return;
    }
    if (reply->result == NULL)
        return;
    size_t n = strlen(reply->result);
    if (n > LIMIT_RESPONSE_BYTES)
        fail(answer, arena_printf(&flight->arena, "its result has %zu bytes, and the limit is %u",
                                  n, LIMIT_RESPONSE_BYTES));
    else if (value_read(&flight->arena, reply->result, n, &value, &err) < 0)
        fail(answer, arena_printf(&flight->arena, "its result is not JSON: %s", err.text));
    else
        answer->result = value_text(&flight->arena, &value, NULL);
}

static void call(struct delegates *delegates, struct flight *flight)
{
    const struct jobexec_delegate *delegate = find(delegates, flight->request.path);
    struct http_exchange *exchange = &flight->exchange;
    struct delegate_reply reply = {.arena = &flight->arena};
    struct delegate_job job = {.id = flight->request.id,
                               .instance = flight->request.instance,
                               .business_key = flight->request.business_key,
                               .delegate = flight->request.path,
                               .attempt = flight->request.attempt,
                               .arguments =
                                   flight->request.body != NULL ? flight->request.body : "{}"};

    /* The machine slept since its attempt was committed: others may have taken it over. */
    if (clock_boot_us() > exchange->start_by_us) {
        exchange->result = HTTP_NOT_SENT;
        return;
    }
    int64_t began_us = clock_mono_us();
    if (delegate != NULL)
        delegate->run(delegate->context, &job, &reply);
    else
        delegate_fail(&reply, "no function is registered under this name");
    exchange->duration_us = clock_mono_us() - began_us;
    exchange->result = HTTP_COMPLETE;
    exchange->status = 200; /* a connector's words: whether it worked says the answer */
    judge(flight, &reply);
    if (flight->delegate.outcome == DELEGATE_FAILED)
        snprintf(exchange->error, sizeof(exchange->error), "%s", flight->delegate.message);
}

static void add_text(struct buf *out, const char *name, const char *text)
{
    struct value value = {.kind = VALUE_NULL};

    if (text != NULL)
        value = (struct value){.kind = VALUE_STRING, .u.string = {.text = text, .n = strlen(text)}};
    buf_printf(out, ",\"%s\":", name);
    value_write(&value, out);
}

void delegate_response(struct flight *flight, struct response *ret_response)
{
    static const enum outcome outcomes[] = {[DELEGATE_SUCCEEDED] = OUTCOME_ANSWERED,
                                            [DELEGATE_BPMN_ERROR] = OUTCOME_BPMN_ERROR,
                                            [DELEGATE_FAILED] = OUTCOME_FAILED};
    const struct delegate_answer *answer = &flight->delegate;
    enum outcome outcome = outcomes[answer->outcome];
    bool ok = answer->outcome == DELEGATE_SUCCEEDED;
    struct buf out CLEANUP(buf_deinit);

    buf_init(&out, 0);
    buf_printf(&out, "{\"outcome\":\"%s\",\"ok\":%s,\"status\":null,\"headers\":{},\"body\":%s",
               outcome_name(outcome), ok ? "true" : "false",
               answer->result != NULL ? answer->result : "null");
    add_text(&out, "error", ok ? NULL : answer->message);
    add_text(&out, "errorCode", answer->code);
    buf_printf(&out, ",\"retryAfterMs\":null,\"attempt\":%u,\"ms\":%lld,\"fromCache\":false}",
               (unsigned)flight->request.attempt,
               (long long)((flight->exchange.duration_us + 500) / 1000));
    *ret_response = (struct response){.outcome = outcome,
                                      .ok = ok,
                                      .retry_after_ms = -1,
                                      .text = arena_strndup(&flight->arena, buf_str(&out), out.len),
                                      .n = out.len};
}

/* ---- The threads ---- */

static void *run(void *context)
{
    struct delegates *delegates = context;

    pthread_mutex_lock(&delegates->lock);
    while (true) {
        struct flight *flight = delegates->first;
        if (flight == NULL && delegates->stopping)
            break;
        if (flight == NULL) {
            pthread_cond_wait(&delegates->more, &delegates->lock);
            continue;
        }
        delegates->first = flight->next;
        if (delegates->first == NULL)
            delegates->last = &delegates->first;
        flight->next = NULL;
        bool begin = !delegates->stopping;
        pthread_mutex_unlock(&delegates->lock);
        if (begin)
            call(delegates, flight);
        else
            flight->exchange.result = HTTP_NOT_SENT;
        pthread_mutex_lock(&delegates->lock);
        delegates->n_busy--;
        pthread_mutex_unlock(&delegates->lock);
        flight->exchange.done(&flight->exchange);
        pthread_mutex_lock(&delegates->lock);
    }
    pthread_mutex_unlock(&delegates->lock);
    return NULL;
}

void delegates_run(struct delegates *delegates, struct flight *flight)
{
    pthread_mutex_lock(&delegates->lock);
    flight->next = NULL;
    *delegates->last = flight;
    delegates->last = &flight->next;
    delegates->n_busy++;
    pthread_cond_signal(&delegates->more);
    pthread_mutex_unlock(&delegates->lock);
}

int delegates_start(const struct jobexec_delegate *items, size_t n, unsigned threads,
                    struct delegates **ret_delegates, struct err *err)
{
    struct arena arena;

    *ret_delegates = NULL;
    if (n == 0)
        return 0;
    arena_init(&arena, 0);
    struct delegates *delegates = arena_alloc(&arena, sizeof(*delegates));
    delegates->items = arena_array(&arena, n, sizeof(*delegates->items));
    delegates->endpoints = arena_array(&arena, n, sizeof(*delegates->endpoints));
    threads = threads != 0 ? threads : THREADS;
    delegates->threads = arena_array(&arena, threads, sizeof(*delegates->threads));
    for (size_t i = 0; i < n; i++) {
        delegates->items[i] = items[i];
        delegates->items[i].name = arena_strdup(&arena, items[i].name);
        delegates->endpoints[i] = arena_printf(&arena, DELEGATE_ENDPOINT "%s", items[i].name);
    }
    delegates->n = n;
    delegates->arena = arena;
    delegates->last = &delegates->first;
    pthread_mutex_init(&delegates->lock, NULL);
    pthread_cond_init(&delegates->more, NULL);
    int failed = 0;
    while (failed == 0 && delegates->n_threads < threads) {
        failed = pthread_create(&delegates->threads[delegates->n_threads], NULL, run, delegates);
        delegates->n_threads += failed == 0;
    }
    if (failed != 0) {
        delegates_free(delegates);
        return err_set(err, ERR_IO, "cannot start a thread for delegates: %s", strerror(failed));
    }
    *ret_delegates = delegates;
    return 0;
}

void delegates_stop(struct delegates *delegates)
{
    if (delegates == NULL || delegates->stopped)
        return;
    delegates->stopped = true;
    pthread_mutex_lock(&delegates->lock);
    delegates->stopping = true;
    unsigned busy = delegates->n_busy;
    pthread_cond_broadcast(&delegates->more);
    pthread_mutex_unlock(&delegates->lock);
    if (busy != 0)
        log_line(LOG_LEVEL_INFO, "waiting for C delegates under way", "delegates=%u", busy);
    for (unsigned i = 0; i < delegates->n_threads; i++)
        pthread_join(delegates->threads[i], NULL);
}

void delegates_free(struct delegates *delegates)
{
    if (delegates == NULL)
        return;
    delegates_stop(delegates);
    pthread_cond_destroy(&delegates->more);
    pthread_mutex_destroy(&delegates->lock);
    struct arena arena = delegates->arena;
    arena_deinit(&arena);
}
