/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <pthread.h>
#include <strings.h>
#include <time.h>

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/clock.h"
#include "jobexec/http_internal.h"
#include "jobexec/sockets.h"

#define LOOK_US 1000000 /* the longest sleep */

struct unverified;

struct http {
    CURLM *multi;           /* owner: connector thread */
    struct sockets sockets; /* owner: connector thread; others only call sockets_wake() */
    pthread_t thread;
    struct arena arena;            /* owner: connector thread; holds this struct */
    const char *user_agent;        /* immutable */
    pthread_mutex_t lock;          /* leaf */
    struct http_exchange *inbox;   /* guarded by lock; newest first */
    bool stopping;                 /* guarded by lock */
    int64_t give_up_us;            /* guarded by lock; clock_mono_us() */
    struct http_exchange *running; /* owner: connector thread */
    unsigned n_running;            /* owner: connector thread */
    struct http_tokens tokens;     /* owner: connector thread */
    struct unverified *unverified; /* owner: connector thread */
};

/* ---- Its life on the thread ---- */

/* An endpoint whose TLS is not verified, once it was said. */
struct unverified {
    const char *endpoint;
    struct unverified *next;
};

static void warn_unverified(struct http *http, const struct http_exchange *exchange)
{
    const char *endpoint = exchange->endpoint != NULL ? exchange->endpoint : "";
    char quoted[600];

    if (!exchange->transport->tls.unverified || strncasecmp(exchange->url, "https:", 6) != 0)
        return;
    for (struct unverified *u = http->unverified; u != NULL; u = u->next)
        if (strcmp(u->endpoint, endpoint) == 0)
            return;
    struct unverified *unverified = arena_alloc(&http->arena, sizeof(*unverified));
    *unverified = (struct unverified){.endpoint = arena_strdup(&http->arena, endpoint),
                                      .next = http->unverified};
    http->unverified = unverified;
    log_line(LOG_LEVEL_WARN,
             "the server's certificate is not verified: anybody on the way can read and change "
             "what is sent",
             "endpoint=%s option=tls.verify", log_quote(endpoint, quoted, sizeof(quoted)));
}

/* Takes it off the list of what is under way, and libcurl's part of it away. */
static void detach(struct http *http, struct http_exchange *exchange)
{
    if (exchange->link != NULL) {
        *exchange->link = exchange->next;
        if (exchange->next != NULL)
            exchange->next->link = exchange->link;
        http->n_running--;
    }
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->list);
    exchange->easy = exchange->list = NULL;
    exchange->next = NULL;
    exchange->link = NULL;
}

/* A service may say our secrets back to us: nobody after this sees them. */
static void blot(struct http_exchange *exchange)
{
    const struct transport *transport = exchange->transport;

    secrets_blot(exchange->head.data, exchange->head.len, transport->secrets, transport->n_secrets);
    secrets_blot(exchange->answer.data, exchange->answer.len, transport->secrets,
                 transport->n_secrets);
    secrets_blot(exchange->error, strlen(exchange->error), transport->secrets,
                 transport->n_secrets);
}

void http_finish(struct http *http, struct http_exchange *exchange, enum http_result result)
{
    detach(http, exchange);
    blot(exchange);
    exchange->result = result;
    exchange->done(exchange); /* may free it */
}

static enum http_result refused(struct http_exchange *exchange)
{
    snprintf(exchange->error, sizeof(exchange->error), "%s", exchange->refusal);
    return HTTP_REFUSED;
}

/* One hop: the first, or where a redirect leads. */
void http_launch(struct http *http, struct http_exchange *exchange)
{
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL)
        abort(); /* out of memory */
    exchange->error[0] = exchange->refusal[0] = '\0';
    exchange->tried = false;
    bool crowded = http->n_running >= LIMIT_KEPT_CONNECTIONS;
    if (http_request_set(exchange, http->user_agent, crowded) < 0 ||
        curl_multi_add_handle(http->multi, exchange->easy) != CURLM_OK) {
        http_finish(http, exchange,
                    exchange->refusal[0] != '\0' ? refused(exchange) : HTTP_NO_CONNECTION);
        return;
    }
    exchange->next = http->running;
    exchange->link = &http->running;
    if (exchange->next != NULL)
        exchange->next->link = &exchange->next;
    http->running = exchange;
    http->n_running++;
}

bool http_in_time(const struct http_exchange *exchange)
{
    return exchange->start_by_us == 0 || clock_boot_us() <= exchange->start_by_us;
}

static void start(struct http *http, struct http_exchange *exchange)
{
    fault_point("call.before_send");
    if (!http_in_time(exchange)) {
        http_finish(http, exchange, HTTP_NOT_SENT);
        return;
    }
    warn_unverified(http, exchange);
    if (exchange->transport->auth.type == AUTH_OAUTH2_CLIENT_CREDENTIALS)
        http_token_launch(&http->tokens, exchange);
    else
        http_launch(http, exchange);
}

static enum http_result judge(struct http_exchange *exchange, CURLcode code)
{
    curl_off_t ready_us = 0, total_us = 0;
    long status = 0;

    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(exchange->easy, CURLINFO_TOTAL_TIME_T, &total_us);
    /* Above 0 once connection and TLS stood and the request was about to leave. */
    curl_easy_getinfo(exchange->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    exchange->status = (int)status;
    exchange->ended_s = time(NULL);
    exchange->duration_us += total_us;
    if (exchange->refusal[0] != '\0' && !exchange->tried)
        return refused(exchange);
    if (code == CURLE_OK) {
        exchange->error[0] = '\0';
        return HTTP_COMPLETE;
    }
    if (http_head_too_large(exchange)) {
        snprintf(exchange->error, sizeof(exchange->error),
                 "the answer has more than %u headers or %u bytes of them", LIMIT_RESPONSE_HEADERS,
                 LIMIT_RESPONSE_HEADER_BYTES);
        return HTTP_TOO_LARGE;
    }
    if (exchange->answer.overflow || code == CURLE_FILESIZE_EXCEEDED) {
        snprintf(exchange->error, sizeof(exchange->error), "the answer is larger than %zu bytes",
                 exchange->answer.max);
        return HTTP_TOO_LARGE;
    }
    if (exchange->error[0] == '\0')
        snprintf(exchange->error, sizeof(exchange->error), "%s", curl_easy_strerror(code));
    if (code == CURLE_OPERATION_TIMEDOUT)
        return HTTP_TIMED_OUT;
    return ready_us > 0 ? HTTP_BROKEN : HTTP_NO_CONNECTION;
}

static void collect(struct http *http)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        char *private = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
        struct http_exchange *exchange = (void *)private;
        enum http_result result = judge(exchange, code);
        curl_multi_remove_handle(http->multi, easy);
        if (result == HTTP_COMPLETE && http_redirect(exchange)) {
            detach(http, exchange);
            buf_reset(&exchange->head);
            buf_reset(&exchange->answer);
            exchange->n_head = 0;
            http_launch(http, exchange);
            continue;
        }
        if (exchange->status == 401 &&
            exchange->transport->auth.type == AUTH_OAUTH2_CLIENT_CREDENTIALS)
            http_token_rejected(&http->tokens, exchange);
        fault_point("call.after_answer");
        http_finish(http, exchange, result);
    }
}

static void give_up(struct http *http)
{
    while (http->running != NULL) {
        struct http_exchange *exchange = http->running;
        curl_multi_remove_handle(http->multi, exchange->easy);
        snprintf(exchange->error, sizeof(exchange->error),
                 "the engine was stopped before an answer came");
        http_finish(http, exchange, HTTP_GIVEN_UP);
    }
}

/* The inbox in the order of sending. */
static struct http_exchange *take_inbox(struct http *http, bool *ret_stopping,
                                        int64_t *ret_give_up_us)
{
    pthread_mutex_lock(&http->lock);
    struct http_exchange *newest = http->inbox;
    http->inbox = NULL;
    *ret_stopping = http->stopping;
    *ret_give_up_us = http->give_up_us;
    pthread_mutex_unlock(&http->lock);
    struct http_exchange *oldest = NULL;
    while (newest != NULL) {
        struct http_exchange *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void *run(void *context)
{
    struct http *http = context;

    for (;;) {
        bool stopping;
        int64_t give_up_us;
        struct http_exchange *next;
        for (struct http_exchange *e = take_inbox(http, &stopping, &give_up_us); e != NULL;
             e = next) {
            next = e->next;
            e->next = NULL;
            start(http, e);
        }
        collect(http);
        int64_t left_us = LOOK_US;
        if (stopping) {
            left_us = give_up_us - clock_mono_us();
            if (left_us <= 0)
                give_up(http);
            if (http->n_running == 0)
                return NULL;
        }
        sockets_wait(&http->sockets, left_us < LOOK_US ? left_us : LOOK_US);
    }
}

/* ---- What other threads call ---- */

static void http_free(struct http *http)
{
    curl_multi_cleanup(http->multi);
    sockets_close(&http->sockets);
    http_tokens_deinit(&http->tokens);
    pthread_mutex_destroy(&http->lock);
    struct arena arena = http->arena;
    arena_deinit(&arena);
    curl_global_cleanup();
}

int http_start(const struct http_options *options, struct http **ret_http, struct err *err)
{
    struct arena arena;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_INTERNAL, "libcurl does not start");
    arena_init(&arena, 0);
    struct http *http = arena_alloc(&arena, sizeof(*http));
    http->user_agent =
        arena_strdup(&arena, options->user_agent != NULL ? options->user_agent : "pawl");
    http->arena = arena;
    http->tokens.http = http;
    http->multi = curl_multi_init();
    if (http->multi == NULL)
        abort(); /* out of memory */
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)LIMIT_KEPT_CONNECTIONS);
    pthread_mutex_init(&http->lock, NULL);
    if (sockets_open(&http->sockets, http->multi, err) < 0) {
        http_free(http);
        return err_trace(err);
    }
    int failed = pthread_create(&http->thread, NULL, run, http);
    if (failed != 0) {
        http_free(http);
        return err_set(err, ERR_IO, "cannot start the connector's thread: %s", strerror(failed));
    }
    *ret_http = http;
    return 0;
}

static const struct transport as_by_default = {0};

void http_exchange_init(struct http_exchange *exchange)
{
    buf_init(&exchange->head, LIMIT_RESPONSE_HEADER_BYTES);
    if (exchange->transport == NULL)
        exchange->transport = &as_by_default;
    size_t most = exchange->transport->max_response;
    buf_init(&exchange->answer, most != 0 ? most : LIMIT_RESPONSE_BYTES);
    exchange->easy = exchange->list = NULL;
    exchange->link = NULL;
    exchange->error[0] = exchange->refusal[0] = '\0';
    exchange->duration_us = 0;
    exchange->hops = 0;
    exchange->foreign = false;
}

void http_send(struct http *http, struct http_exchange *exchange)
{
    http_exchange_init(exchange);
    pthread_mutex_lock(&http->lock);
    exchange->next = http->inbox;
    http->inbox = exchange;
    pthread_mutex_unlock(&http->lock);
    sockets_wake(&http->sockets);
}

void http_stop(struct http *http, int64_t drain_us)
{
    if (http == NULL)
        return;
    pthread_mutex_lock(&http->lock);
    http->stopping = true;
    http->give_up_us = clock_mono_us() + drain_us;
    pthread_mutex_unlock(&http->lock);
    sockets_wake(&http->sockets);
    pthread_join(http->thread, NULL);
    http_free(http);
}

void http_exchange_deinit(struct http_exchange *exchange)
{
    buf_deinit(&exchange->head);
    buf_deinit(&exchange->answer);
}
