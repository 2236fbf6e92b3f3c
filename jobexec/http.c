/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <curl/curl.h>
#include <pthread.h>

#include "base/fault.h"
#include "base/limits.h"
#include "jobexec/clock.h"
#include "jobexec/http.h"

struct http {
    CURLM *multi; /* owner: connector thread; others only call curl_multi_wakeup() */
    pthread_t thread;
    struct arena arena;            /* immutable: the options' texts and this struct */
    const char *user_agent;        /* immutable */
    const char *proxy;             /* immutable */
    pthread_mutex_t lock;          /* leaf */
    struct http_exchange *inbox;   /* guarded by lock; newest first */
    bool stopping;                 /* guarded by lock */
    int64_t give_up_us;            /* guarded by lock; clock_mono_us() */
    struct http_exchange *running; /* owner: connector thread */
    unsigned n_running;            /* owner: connector thread */
};

/* ---- What libcurl calls while an answer comes in ---- */

static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct http_exchange *exchange = context;

    buf_add(&exchange->answer, bytes, size * n);
    return exchange->answer.overflow ? 0 : size * n; /* 0: libcurl ends the transfer */
}

static bool head_too_large(const struct http_exchange *exchange)
{
    return exchange->head.overflow || exchange->n_head > LIMIT_RESPONSE_HEADERS;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *context)
{
    struct http_exchange *exchange = context;
    size_t length = size * n;

    /* A status line begins a response: what came before was informational (1xx). */
    if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
        buf_reset(&exchange->head);
        exchange->n_head = 0;
        return length;
    }
    while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r'))
        length--;
    if (length != 0) {
        buf_add(&exchange->head, bytes, length);
        buf_add_char(&exchange->head, '\n');
        exchange->n_head++;
    }
    return head_too_large(exchange) ? 0 : size * n;
}

/* ---- The request ---- */

static bool header_is(const struct http_header *header, const char *name)
{
    return curl_strequal(header->name, name) != 0;
}

/* A name and value that cannot end the line and begin another one. */
static bool header_sendable(const struct http_header *header)
{
    if (header->name[0] == '\0' || strpbrk(header->name, ":\r\n\t ") != NULL)
        return false;
    return strpbrk(header->value, "\r\n") == NULL;
}

static void add_line(struct http_exchange *exchange, const char *line)
{
    struct curl_slist *grown = curl_slist_append(exchange->list, line);

    if (grown == NULL)
        abort(); /* out of memory */
    exchange->list = grown;
}

static int set_headers(struct http *http, struct http_exchange *exchange, struct buf *line)
{
    bool agent = false, type = false;

    for (size_t i = 0; i < exchange->n_headers; i++) {
        const struct http_header *header = &exchange->headers[i];
        if (!header_sendable(header)) {
            snprintf(exchange->error, sizeof(exchange->error),
                     "the request header \"%.60s\" has a name or a value that HTTP does not allow",
                     header->name);
            return -1;
        }
        agent |= header_is(header, "user-agent");
        type |= header_is(header, "content-type");
        buf_reset(line);
        /* libcurl's spelling of a header that is there and empty. */
        if (header->value[0] == '\0')
            buf_printf(line, "%s;", header->name);
        else
            buf_printf(line, "%s: %s", header->name, header->value);
        add_line(exchange, buf_str(line));
    }
    if (exchange->body != NULL && !type)
        add_line(exchange, "Content-Type: application/json");
    if (!agent)
        curl_easy_setopt(exchange->easy, CURLOPT_USERAGENT, http->user_agent);
    add_line(exchange, "Expect:"); /* no round trip to ask whether a body is welcome */
    curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, (struct curl_slist *)exchange->list);
    return 0;
}

static bool method_sendable(const char *method)
{
    size_t n = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");

    return n != 0 && n <= 32 && method[n] == '\0';
}

static int set_method(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;

    if (!method_sendable(exchange->method)) {
        snprintf(exchange->error, sizeof(exchange->error), "\"%.40s\" is no HTTP method",
                 exchange->method);
        return -1;
    }
    bool body = exchange->body != NULL;
    if (strcmp(exchange->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (body || strcmp(exchange->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)(body ? exchange->body_n : 0));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body ? exchange->body : "");
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
    } else {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
    }
    return 0;
}

/* libcurl reads 0 as "for ever". */
static long at_least_1_ms(int64_t us)
{
    int64_t ms = (us + 999) / 1000;

    return ms < 1 ? 1 : ms > INT32_MAX ? INT32_MAX : (long)ms;
}

static int set_request(struct http *http, struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, http->proxy); /* "": the environment does not count */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, at_least_1_ms(exchange->connect_timeout_us));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, at_least_1_ms(exchange->timeout_us));
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)LIMIT_RESPONSE_BYTES);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    if (exchange->once)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    if (strlen(exchange->url) > LIMIT_URL_BYTES) {
        snprintf(exchange->error, sizeof(exchange->error),
                 "the URL is longer than %u bytes (LIMIT_URL_BYTES)", LIMIT_URL_BYTES);
        return -1;
    }
    curl_easy_setopt(easy, CURLOPT_URL, exchange->url);
    if (set_method(exchange) < 0)
        return -1;
    struct buf line CLEANUP(buf_deinit);
    buf_init(&line, 0);
    return set_headers(http, exchange, &line);
}

/* ---- Its life on the thread ---- */

static void finish(struct http *http, struct http_exchange *exchange, enum http_result result)
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
    exchange->result = result;
    exchange->done(exchange); /* may free it */
}

static void start(struct http *http, struct http_exchange *exchange)
{
    fault_point("call.before_send");
    if (exchange->start_by_us != 0 && clock_boot_us() > exchange->start_by_us) {
        finish(http, exchange, HTTP_NOT_SENT);
        return;
    }
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL)
        abort(); /* out of memory */
    if (set_request(http, exchange) < 0 ||
        curl_multi_add_handle(http->multi, exchange->easy) != CURLM_OK) {
        finish(http, exchange, HTTP_NO_CONNECTION);
        return;
    }
    exchange->next = http->running;
    exchange->link = &http->running;
    if (exchange->next != NULL)
        exchange->next->link = &exchange->next;
    http->running = exchange;
    http->n_running++;
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
    exchange->duration_us = total_us;
    if (code == CURLE_OK) {
        exchange->error[0] = '\0';
        return HTTP_COMPLETE;
    }
    if (head_too_large(exchange)) {
        snprintf(exchange->error, sizeof(exchange->error),
                 "the answer has more than %u headers or %u bytes of them", LIMIT_RESPONSE_HEADERS,
                 LIMIT_RESPONSE_HEADER_BYTES);
        return HTTP_TOO_LARGE;
    }
    if (exchange->answer.overflow || code == CURLE_FILESIZE_EXCEEDED) {
        snprintf(exchange->error, sizeof(exchange->error), "the answer is larger than %u bytes",
                 LIMIT_RESPONSE_BYTES);
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
        fault_point("call.after_answer");
        finish(http, exchange, result);
    }
}

static void give_up(struct http *http)
{
    while (http->running != NULL) {
        struct http_exchange *exchange = http->running;
        curl_multi_remove_handle(http->multi, exchange->easy);
        snprintf(exchange->error, sizeof(exchange->error),
                 "the engine was stopped before an answer came");
        finish(http, exchange, HTTP_GIVEN_UP);
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
    int running;

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
        curl_multi_perform(http->multi, &running);
        collect(http);
        int64_t left_us = 1000000;
        if (stopping) {
            left_us = give_up_us - clock_mono_us();
            if (left_us <= 0)
                give_up(http);
            if (http->n_running == 0)
                return NULL;
        }
        curl_multi_poll(http->multi, NULL, 0, left_us < 1000000 ? (int)(left_us / 1000 + 1) : 1000,
                        NULL);
    }
}

/* ---- What other threads call ---- */

int http_start(const struct http_options *options, struct http **ret_http, struct err *err)
{
    struct arena arena;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_INTERNAL, "libcurl does not start");
    arena_init(&arena, 0);
    struct http *http = arena_alloc(&arena, sizeof(*http));
    http->user_agent =
        arena_strdup(&arena, options->user_agent != NULL ? options->user_agent : "pawl");
    http->proxy = arena_strdup(&arena, options->proxy != NULL ? options->proxy : "");
    http->arena = arena;
    http->multi = curl_multi_init();
    if (http->multi == NULL)
        abort(); /* out of memory */
    pthread_mutex_init(&http->lock, NULL);
    int failed = pthread_create(&http->thread, NULL, run, http);
    if (failed != 0) {
        curl_multi_cleanup(http->multi);
        pthread_mutex_destroy(&http->lock);
        arena_deinit(&arena);
        curl_global_cleanup();
        return err_set(err, ERR_IO, "cannot start the connector's thread: %s", strerror(failed));
    }
    *ret_http = http;
    return 0;
}

void http_send(struct http *http, struct http_exchange *exchange)
{
    buf_init(&exchange->head, LIMIT_RESPONSE_HEADER_BYTES);
    buf_init(&exchange->answer, LIMIT_RESPONSE_BYTES);
    exchange->easy = exchange->list = NULL;
    exchange->link = NULL;
    exchange->error[0] = '\0';
    pthread_mutex_lock(&http->lock);
    exchange->next = http->inbox;
    http->inbox = exchange;
    pthread_mutex_unlock(&http->lock);
    curl_multi_wakeup(http->multi);
}

void http_stop(struct http *http, int64_t drain_us)
{
    if (http == NULL)
        return;
    pthread_mutex_lock(&http->lock);
    http->stopping = true;
    http->give_up_us = clock_mono_us() + drain_us;
    pthread_mutex_unlock(&http->lock);
    curl_multi_wakeup(http->multi);
    pthread_join(http->thread, NULL);
    curl_multi_cleanup(http->multi);
    pthread_mutex_destroy(&http->lock);
    struct arena arena = http->arena;
    arena_deinit(&arena);
    curl_global_cleanup();
}

void http_exchange_deinit(struct http_exchange *exchange)
{
    buf_deinit(&exchange->head);
    buf_deinit(&exchange->answer);
}
