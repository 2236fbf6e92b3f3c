/* SPDX-License-Identifier: Apache-2.0 */
/* One request as options of libcurl, and what libcurl calls while it is under way. */
#include "base/build.h"

#include <curl/curl.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "jobexec/http_internal.h"

/* ---- The egress guard ---- */

static bool permitted(const struct http_exchange *exchange, const struct address *address)
{
    const struct transport *transport = exchange->transport;

    if (egress_allowed(transport->allow, transport->n_allow, address))
        return true;
    /* A proxy is named by whoever sets the endpoint, and stands in the own network mostly. */
    enum egress_kind kind = egress_classify(address);
    return transport->proxy.url != NULL && (kind == EGRESS_LOOPBACK || kind == EGRESS_PRIVATE);
}

static void note_refusal(struct http_exchange *exchange, const struct address *address)
{
    char text[64];

    address_text(address, text, sizeof(text));
    snprintf(exchange->refusal, sizeof(exchange->refusal),
             "%s is %s, and no request goes there unless the endpoint allows it. If it is meant: "
             "pawl endpoint set %.100s --allow %s, with what it allows already (in SQL the option "
             "allow)",
             text, egress_kind_name(egress_classify(address)),
             exchange->endpoint != NULL ? exchange->endpoint : "NAME", text);
}

/* Judges the very address that is connected to, for each address of a name and each redirect. */
static curl_socket_t on_open(void *context, curlsocktype purpose UNUSED,
                             struct curl_sockaddr *sockaddr)
{
    struct http_exchange *exchange = context;
    struct address address = address_of_sockaddr(&sockaddr->addr);

    if (!permitted(exchange, &address)) {
        note_refusal(exchange, &address);
        return CURL_SOCKET_BAD;
    }
    exchange->tried = true;
    return socket(sockaddr->family, sockaddr->socktype | SOCK_CLOEXEC, sockaddr->protocol);
}

/* Just before a request leaves: its connection may be one that another endpoint has opened. */
static int on_ready(void *context, char *remote_ip, char *local_ip UNUSED, int remote_port UNUSED,
                    int local_port UNUSED)
{
    struct http_exchange *exchange = context;
    struct address address;

    if (address_of_text(remote_ip, &address) && permitted(exchange, &address))
        return CURL_PREREQFUNC_OK;
    note_refusal(exchange, &address);
    exchange->tried = false;
    return CURL_PREREQFUNC_ABORT;
}

/* Its URL, taken apart; to be freed. Numbers like 2130706433 come back as dotted quads. */
static CURLU *parts_of(const struct http_exchange *exchange)
{
    CURLU *url = curl_url();

    if (url == NULL)
        abort(); /* out of memory */
    if (curl_url_set(url, CURLUPART_URL, exchange->url, 0) == CURLUE_OUT_OF_MEMORY)
        abort();
    return url;
}

/* Behind a proxy it is the proxy that connects: what can be told from the URL is told. */
static int guard_behind_proxy(struct http_exchange *exchange)
{
    const struct transport *transport = exchange->transport;
    struct address address;
    char *host = NULL;

    if (transport->proxy.url == NULL)
        return 0;
    CURLU *url = parts_of(exchange);
    if (curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        size_t n = strlen(host);
        bool localhost = n >= 9 && curl_strequal(host + n - 9, "localhost") != 0;
        if ((localhost ? address_of_text("127.0.0.1", &address)
                       : address_of_text(host, &address)) &&
            !egress_allowed(transport->allow, transport->n_allow, &address))
            note_refusal(exchange, &address);
    }
    curl_free(host);
    curl_url_cleanup(url);
    return exchange->refusal[0] != '\0' ? -1 : 0;
}

/* ---- What libcurl calls while an answer comes in ---- */

static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct http_exchange *exchange = context;

    buf_add(&exchange->answer, bytes, size * n);
    return exchange->answer.overflow ? 0 : size * n; /* 0: libcurl ends the transfer */
}

bool http_head_too_large(const struct http_exchange *exchange)
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
    return http_head_too_large(exchange) ? 0 : size * n;
}

/* ---- The request ---- */

static bool header_is(const struct http_header *header, const char *name)
{
    return curl_strequal(header->name, name) != 0;
}

/* A name and value that cannot end the line, nor say where the body ends: that is libcurl's. */
static bool header_sendable(const struct http_header *header)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$%&'*+-.^_`|~"; /* RFC 9110, 5.6.2 */

    if (header->name[0] == '\0' || header->name[strspn(header->name, token)] != '\0' ||
        header_is(header, "content-length") || header_is(header, "transfer-encoding"))
        return false;
    for (const char *c = header->value; *c != '\0'; c++)
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
            return false;
    return true;
}

static void add_line(struct http_exchange *exchange, const char *line)
{
    struct curl_slist *grown = curl_slist_append(exchange->list, line);

    if (grown == NULL)
        abort(); /* out of memory */
    exchange->list = grown;
}

/* What may follow a redirect to another host: nothing that says who we are. */
static bool goes_abroad(const struct http_header *header)
{
    static const char *const harmless[] = {"accept", "accept-language", "content-type",
                                           "idempotency-key", "user-agent"};

    for (size_t i = 0; i < ARRAY_LEN(harmless) && !header->secret; i++)
        if (header_is(header, harmless[i]))
            return true;
    return false;
}

static int set_headers(struct http_exchange *exchange, const char *user_agent, struct buf *line)
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
        if (exchange->foreign && !goes_abroad(header))
            continue;
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
        curl_easy_setopt(exchange->easy, CURLOPT_USERAGENT, user_agent);
    /* No round trip to ask whether a body is welcome; libcurl would sign that header, too. */
    if (exchange->transport->auth.type != AUTH_AWS_SIGV4)
        add_line(exchange, "Expect:");
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

/* ---- The connection ---- */

static struct curl_blob blob_of(const struct secret *secret)
{
    return (struct curl_blob){
        .data = (void *)(uintptr_t)secret->text, .len = secret->n, .flags = CURL_BLOB_NOCOPY};
}

static void set_tls(struct http_exchange *exchange)
{
    const struct transport *transport = exchange->transport;
    CURL *easy = exchange->easy;

    curl_easy_setopt(
        easy, CURLOPT_SSLVERSION,
        (long)(transport->tls.only_1_3 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, transport->tls.unverified ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, transport->tls.unverified ? 0L : 2L);
    if (transport->tls.ca.text != NULL) {
        struct curl_blob ca = blob_of(&transport->tls.ca);
        curl_easy_setopt(easy, CURLOPT_CAINFO, NULL); /* it alone is trusted */
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca);
        curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO_BLOB, &ca);
    }
    if (transport->tls.certificate.text == NULL || exchange->foreign)
        return;
    struct curl_blob certificate = blob_of(&transport->tls.certificate);
    struct curl_blob key = blob_of(&transport->tls.key);
    curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &certificate);
    curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
    /* Without one OpenSSL would ask at the terminal. */
    const char *password = transport->tls.key_password.text;
    curl_easy_setopt(easy, CURLOPT_KEYPASSWD, password != NULL ? password : "");
}

static void set_proxy(struct http_exchange *exchange)
{
    const struct transport *transport = exchange->transport;
    CURL *easy = exchange->easy;

    const char *url = transport->proxy.url;

    if (url != NULL && strncasecmp(url, "socks5:", 7) == 0) /* the proxy looks up the name */
        url = arena_printf(exchange->arena, "socks5h%s", url + 6);
    /* "" twice: the environment does not count. */
    curl_easy_setopt(easy, CURLOPT_PROXY, url != NULL ? url : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    if (url == NULL)
        return;
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (transport->proxy.user != NULL) {
        curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, transport->proxy.user);
        curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, transport->proxy.password.text);
    }
}

/* In a crowd a connection is for one request only, unless many share it. */
static void set_http(struct http_exchange *exchange, bool crowded)
{
    const struct transport *transport = exchange->transport;
    static const long versions[] = {
        [TRANSPORT_HTTP_2] = CURL_HTTP_VERSION_2TLS,
        [TRANSPORT_HTTP_1_1] = CURL_HTTP_VERSION_1_1,
        [TRANSPORT_HTTP_2_PRIOR_KNOWLEDGE] = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
    };
    CURL *easy = exchange->easy;

    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, versions[transport->http]);
    if (transport->idle_s != 0)
        curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)transport->idle_s);
    if (transport->age_s != 0)
        curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)transport->age_s);
    bool shared =
        transport->http == TRANSPORT_HTTP_2_PRIOR_KNOWLEDGE ||
        (transport->http == TRANSPORT_HTTP_2 && strncasecmp(exchange->url, "https:", 6) == 0);
    bool alone = crowded && !shared;
    /* libcurl sends again by itself when a kept connection turns out to be dead. */
    if (exchange->once || alone)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    else if (shared)
        curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, (long)alone);
}

/* ---- The signature of AWS ---- */

/* libcurl 7.88 leaves the port out of the host that it signs, unless the header is given. */
static void add_host(struct http_exchange *exchange, struct buf *line)
{
    CURLU *url = parts_of(exchange);
    char *host = NULL, *port = NULL;

    if (curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) == CURLUE_OK) {
        buf_reset(line);
        buf_printf(line, "Host: %s:%s", host, port);
        add_line(exchange, buf_str(line));
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
}

static void set_signature(struct http_exchange *exchange, struct buf *line)
{
    const struct transport *transport = exchange->transport;

    if (transport->auth.type != AUTH_AWS_SIGV4 || exchange->foreign)
        return;
    buf_reset(line);
    buf_printf(line, "aws:amz:%s:%s", transport->auth.region, transport->auth.service);
    curl_easy_setopt(exchange->easy, CURLOPT_AWS_SIGV4, buf_str(line));
    curl_easy_setopt(exchange->easy, CURLOPT_USERNAME, transport->auth.access_key.text);
    curl_easy_setopt(exchange->easy, CURLOPT_PASSWORD, transport->auth.secret.text);
    if (transport->auth.session_token.text != NULL) {
        buf_reset(line);
        buf_printf(line, "X-Amz-Security-Token: %s", transport->auth.session_token.text);
        add_line(exchange, buf_str(line));
    }
    add_host(exchange, line);
}

/* ---- All together ---- */

/* libcurl reads 0 as "for ever". */
static long at_least_1_ms(int64_t us)
{
    int64_t ms = (us + 999) / 1000;

    return ms < 1 ? 1 : ms > INT32_MAX ? INT32_MAX : (long)ms;
}

static void set_limits(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;
    int64_t left_us = exchange->timeout_us - exchange->duration_us;
    int64_t connect_us = exchange->connect_timeout_us;

    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     at_least_1_ms(connect_us < left_us ? connect_us : left_us));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, at_least_1_ms(left_us));
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)exchange->answer.max);
    /* What is unpacked is counted by on_body(), and ends there. */
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
}

static void set_callbacks(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;

    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
}

int http_request_set(struct http_exchange *exchange, const char *user_agent, bool crowded)
{
    CURL *easy = exchange->easy;

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A name that is still looked up when its time is over: else all would wait for the resolver.
     */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* http_redirect.c does it */
    if (strlen(exchange->url) > LIMIT_URL_BYTES) {
        snprintf(exchange->error, sizeof(exchange->error),
                 "the URL is longer than %u bytes (LIMIT_URL_BYTES)", LIMIT_URL_BYTES);
        return -1;
    }
    curl_easy_setopt(easy, CURLOPT_URL, exchange->url);
    if (guard_behind_proxy(exchange) < 0 || set_method(exchange) < 0)
        return -1;
    set_limits(exchange);
    set_callbacks(exchange);
    set_tls(exchange);
    set_proxy(exchange);
    set_http(exchange, crowded);
    struct buf line CLEANUP(buf_deinit);
    buf_init(&line, 0);
    if (set_headers(exchange, user_agent, &line) < 0)
        return -1;
    set_signature(exchange, &line);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, (struct curl_slist *)exchange->list);
    return 0;
}
