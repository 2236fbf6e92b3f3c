/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <strings.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/webhook.h"
#include "engine/value.h"
#include "base/clock.h"
#include "jobexec/delegates.h"
#include "jobexec/response.h"

/*
 * How long after its attempt was made a request may still leave. Later (the machine slept), others
 * may soon take the attempt for lost: it must not leave behind their back.
 */
#define START_WITHIN_US (CALL_LIFE_US / 3)

/* ---- Headers ---- */

struct headers {
    struct http_header *items;
    size_t n, capacity;
};

static bool has_header(const struct headers *headers, const char *name)
{
    for (size_t i = 0; i < headers->n; i++)
        if (strcasecmp(headers->items[i].name, name) == 0)
            return true;
    return false;
}

static int unsendable(struct flight *flight, const char *what, const char *why)
{
    flight->unsendable = true;
    flight->exchange.result = HTTP_NO_CONNECTION;
    snprintf(flight->exchange.error, sizeof(flight->exchange.error), "%s: %.400s", what, why);
    return -1;
}

static void add_header(struct flight *flight, struct headers *headers, const char *name,
                       const char *value, bool secret)
{
    struct http_header *header =
        arena_push(&flight->arena, headers->items, headers->n, headers->capacity);

    *header = (struct http_header){.name = name, .value = value, .secret = secret};
}

/* {"secret": "file:/path"}: only in the endpoint's own headers, for what a process says must not
 * read this machine's files. */
static int read_header(struct flight *flight, const struct value_member *member,
                       const char **ret_text, struct err *err)
{
    const struct value *reference = value_member(&member->value, "secret", strlen("secret"));
    struct secret secret;

    if (reference == NULL || reference->kind != VALUE_STRING)
        return err_set(err, ERR_INVALID, "%.60s is neither a text nor {\"secret\": …}",
                       member->name);
    if (secret_read(&flight->arena, member->name, reference->u.string.text, &secret, err) < 0)
        return err_trace(err);
    transport_hide(&flight->arena, &flight->transport, &secret);
    *ret_text = secret.text;
    return 0;
}

/* Adds the members of a JSON object, except those that are there. Strings and numbers count.
 * trusted: they are the endpoint's. */
static int add_headers(struct flight *flight, struct headers *headers, const char *json,
                       const char *what, bool trusted)
{
    struct arena *arena = &flight->arena;
    struct value object;
    struct err err = {0};

    if (value_read(arena, json, strlen(json), &object, &err) < 0)
        return unsendable(flight, what, err.text);
    if (object.kind != VALUE_OBJECT)
        return unsendable(flight, what, "not a JSON object");
    for (size_t i = 0; i < object.u.object.n; i++) {
        const struct value_member *member = &object.u.object.members[i];
        const struct value *value = &member->value;
        if (value->kind == VALUE_NULL || has_header(headers, member->name))
            continue;
        /* libcurl would leave the signature out. */
        if (flight->transport.auth.type == AUTH_AWS_SIGV4 &&
            strcasecmp(member->name, "authorization") == 0)
            continue;
        const char *text =
            value->kind == VALUE_STRING ? value->u.string.text : value_text(arena, value, NULL);
        bool secret = false;
        if (trusted && value->kind == VALUE_OBJECT) {
            if (read_header(flight, member, &text, &err) < 0)
                return unsendable(flight, what, err.text);
            secret = true;
        }
        add_header(flight, headers, member->name, text, secret);
    }
    return 0;
}

/* What proves who we are. Before the call's headers, so that none of them replaces it. */
static void add_credentials(struct flight *flight, struct headers *headers)
{
    struct arena *arena = &flight->arena;
    struct transport *transport = &flight->transport;
    const char *secret = transport->auth.secret.text;

    if (transport->auth.type == AUTH_BASIC) {
        const char *both = arena_printf(arena, "%s:%s", transport->auth.user, secret);
        struct secret coded = {.text = digest_base64(arena, both, strlen(both))};
        coded.n = strlen(coded.text);
        transport_hide(arena, transport, &coded);
        add_header(flight, headers, "Authorization", arena_printf(arena, "Basic %s", coded.text),
                   true);
    } else if (transport->auth.type == AUTH_BEARER) {
        add_header(flight, headers, "Authorization", arena_printf(arena, "Bearer %s", secret),
                   true);
    } else if (transport->auth.type == AUTH_API_KEY && !transport->auth.in_query) {
        add_header(flight, headers, transport->auth.name, secret, true);
    }
}

/* A receiver knows by the id that it has had the message already; by the time that it is none that
 * somebody has kept. */
static void add_signature(struct flight *flight, struct headers *headers, const char *id)
{
    struct arena *arena = &flight->arena;
    const struct webhook_message message = {
        .id = arena_printf(arena, "msg_%s", id),
        .timestamp = arena_printf(arena, "%lld", (long long)clock_unix_s()),
        .body = flight->request.body,
        .body_n = flight->request.body_n,
    };
    const char *signatures = "";

    for (size_t i = 0; i < flight->transport.n_sign; i++)
        signatures = arena_printf(arena, "%s%s%s", signatures, i > 0 ? " " : "",
                                  webhook_sign(arena, &flight->transport.sign[i], &message));
    add_header(flight, headers, "webhook-id", message.id, false);
    add_header(flight, headers, "webhook-timestamp", message.timestamp, false);
    add_header(flight, headers, "webhook-signature", signatures, false);
}

/* The key first, so that nobody replaces it; then the call's own before the endpoint's. */
static int make_headers(struct flight *flight)
{
    struct headers headers = {0};
    char id[UUID_TEXT_BYTES];

    uuid_format(&flight->request.id, id);
    /* A string of RFC 8941, with its quotes, as the draft of this header asks. */
    add_header(flight, &headers, "Idempotency-Key", arena_printf(&flight->arena, "\"%s\"", id),
               false);
    if (flight->transport.n_sign > 0)
        add_signature(flight, &headers, id);
    add_credentials(flight, &headers);
    if (add_headers(flight, &headers, flight->request.headers, "the call's headers", false) < 0 ||
        add_headers(flight, &headers, flight->request.endpoint_headers, "the endpoint's headers",
                    true) < 0)
        return -1;
    flight->exchange.headers = headers.items;
    flight->exchange.n_headers = headers.n;
    return 0;
}

/* The path never changes the host: it begins with a slash, a query, or gets its slash here. */
static const char *make_url(struct arena *arena, const char *base, const char *path)
{
    size_t n = strlen(base);

    if (path[0] == '\0' || path[0] == '?')
        return arena_printf(arena, "%s%s", base, path);
    while (n > 0 && base[n - 1] == '/')
        n--;
    return arena_printf(arena, "%.*s%s%s", (int)n, base, path[0] == '/' ? "" : "/", path);
}

/* A key that a service wants in its URL. */
static void add_key(struct flight *flight)
{
    struct arena *arena = &flight->arena;
    struct transport *transport = &flight->transport;

    if (transport->auth.type != AUTH_API_KEY || !transport->auth.in_query)
        return;
    struct secret coded = {.text = secret_percent(arena, transport->auth.secret.text)};
    coded.n = strlen(coded.text);
    transport_hide(arena, transport, &coded);
    flight->exchange.url = arena_printf(arena, "%s%c%s=%s", flight->exchange.url,
                                        strchr(flight->exchange.url, '?') != NULL ? '&' : '?',
                                        transport->auth.name, coded.text);
}

/* How it travels, with what it takes: what is missing there is said in `error`. */
static int make_transport(struct flight *flight)
{
    struct err err = {0};

    if (transport_read(&flight->arena, flight->request.transport, &flight->transport, &err) < 0)
        return unsendable(flight, "the endpoint's options", err.text);
    add_key(flight);
    return 0;
}

/* ---- Life ---- */

static struct call_request copy_request(struct arena *arena, const struct call_request *request)
{
    struct call_request copy = *request;

    copy.base_url = arena_strdup(arena, request->base_url);
    copy.endpoint_headers = arena_strdup(arena, request->endpoint_headers);
    copy.method = arena_strdup(arena, request->method);
    copy.path = arena_strdup(arena, request->path);
    copy.headers = arena_strdup(arena, request->headers);
    if (request->transport != NULL)
        copy.transport = arena_strdup(arena, request->transport);
    if (request->body != NULL)
        copy.body = arena_strndup(arena, request->body, request->body_n);
    if (request->business_key != NULL)
        copy.business_key = arena_strdup(arena, request->business_key);
    if (request->element != NULL)
        copy.element = arena_strdup(arena, request->element);
    return copy;
}

struct flight *flight_new(const struct call_request *request, const char *endpoint, int64_t boot_us)
{
    struct arena arena;

    arena_init(&arena, 0);
    struct flight *flight = arena_alloc(&arena, sizeof(*flight));
    flight->arena = arena;
    flight->request = copy_request(&flight->arena, request);
    flight->endpoint = arena_strdup(&flight->arena, endpoint);
    flight->exchange = (struct http_exchange){
        .arena = &flight->arena,
        .endpoint = flight->endpoint,
        .transport = &flight->transport,
        .method = flight->request.method,
        .url = make_url(&flight->arena, flight->request.base_url, flight->request.path),
        .body = flight->request.body,
        .body_n = flight->request.body_n,
        .connect_timeout_us = request->connect_timeout_us,
        .timeout_us = request->timeout_us,
        .start_by_us = boot_us + START_WITHIN_US,
        .once = !request->repeatable,
        .owner = flight,
    };
    /* Each says itself why a request cannot be sent. */
    if (make_transport(flight) == 0)
        (void)make_headers(flight);
    return flight;
}

void flight_free(struct flight *flight)
{
    if (flight == NULL)
        return;
    http_exchange_deinit(&flight->exchange);
    struct arena arena = flight->arena;
    arena_deinit(&arena);
}

void flight_judge(struct flight *flight)
{
    struct response response;

    if (flight->delegate.outcome != 0)
        delegate_response(flight, &response);
    else
        response_build(&flight->arena, flight->endpoint, flight->request.attempt, &flight->exchange,
                       &response);
    flight->outcome = response.outcome;
    flight->retry_after_ms = response.retry_after_ms;
    flight->result = (struct call_result){
        .call = flight->request.id,
        .instance = flight->request.instance,
        .root = flight->request.root,
        .token = flight->request.token,
        .node = flight->request.node,
        .attempt = flight->request.attempt,
        .response = response.text,
        .response_n = response.n,
        .cacheable = response.ok && flight->request.cacheable,
        .owner = flight,
    };
}
