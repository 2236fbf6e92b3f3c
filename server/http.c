/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <microhttpd.h>
#include <strings.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "server/auth.h"
#include "server/await.h"
#include "server/fetch.h"
#include "server/guard.h"
#include "server/peers.h"
#include "server/server_internal.h"

#define THREADS 3u
#define LAST_ANSWERS_US 5000000 /* what a stop gives the clients to take their answers */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define OTHER_FILES 300u /* that are no connections */

/* A request from its first line to its end; libmicrohttpd keeps it for us. */
struct exchange {
    struct request request; /* first: a request is its exchange */
    struct MHD_Connection *connection;
    struct buf uri;       /* as it came */
    bool head;            /* its method is HEAD */
    bool begun;           /* its headers were judged */
    bool refused;         /* its response is ready; what comes of its body is thrown away */
    bool whole;           /* it has come to its end */
    bool put_aside;       /* suspended */
    bool finished;        /* its response is ready */
    size_t most, ignored; /* bytes of its body */
    size_t counted;       /* of it, in server.body_bytes */
    size_t index;         /* of its operation */
};

static struct exchange *exchange_of(struct request *request)
{
    return (struct exchange *)request;
}

/* ---- Begin and end of a request ---- */

static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct server *server = context;
    struct exchange *exchange = calloc(1, sizeof(*exchange)); /* heap: freed by on_end() */
    const union MHD_ConnectionInfo *own =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    if (exchange == NULL)
        return NULL;
    exchange->request.peer = own != NULL ? own->socket_context : NULL;
    exchange->connection = connection;
    buf_init(&exchange->uri, LIMIT_URL_BYTES + 1);
    buf_add_str(&exchange->uri, uri);
    struct request *request = &exchange->request;
    request->server = server;
    request->options = &server->options;
    request->dialect = DIALECT_PAWL;
    request->target = buf_str(&exchange->uri);
    request->began_us = clock_mono_us();
    exchange->index = server->n_operations;
    atomic_fetch_add(&server->open, 1);
    arena_init(&request->arena, 0);
    buf_init(&request->body, 0);
    buf_init(&request->response.body, 0);
    return exchange;
}

static void note_request(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    struct server *server = request->server;
    unsigned status = request->response.status;
    double seconds = (double)(clock_mono_us() - request->began_us) / 1e6;
    char who[300];

    atomic_fetch_add(&server->counts[exchange->index].classes[status / 100 % 6], 1);
    pthread_mutex_lock(&server->lock);
    histogram_add(&server->seconds, &histogram_seconds, seconds);
    pthread_mutex_unlock(&server->lock);
    if (status == 403 && request->operation != NULL)
        auth_forbidden(request, request->operation->path);
    if (request->operation != NULL && request->operation->rights == RIGHT_TOKEN)
        server_count_callback(server, status);
    if (request->operation != NULL && request->operation->dialect == DIALECT_TEXT)
        return;
    /* The path of the table: one that came may have a secret in it. */
    log_line(
        status >= 500                    ? LOG_LEVEL_WARN
        : status == 401 || status == 403 ? LOG_LEVEL_INFO
                                         : LOG_LEVEL_DEBUG,
        "request", "who=%s address=%s method=%s path=\"%s\" status=%u ms=%.1f",
        log_quote(request->principal.name != NULL ? request->principal.name : "", who, sizeof(who)),
        request_address(request), request->method != 0 ? method_name(request->method) : "?",
        request->operation != NULL ? request->operation->path : "?", status, seconds * 1e3);
}

void request_drop_body(struct request *request)
{
    struct exchange *exchange = exchange_of(request);

    atomic_fetch_sub(&request->server->body_bytes, exchange->counted);
    exchange->counted = 0;
    buf_deinit(&request->body);
    json_decref(request->json);
    request->json = NULL;
}

static void on_end(void *context UNUSED, struct MHD_Connection *connection UNUSED, void **own,
                   enum MHD_RequestTerminationCode code UNUSED)
{
    struct exchange *exchange = *own;

    if (exchange == NULL)
        return;
    peer_clients_turn(exchange->request.peer,
                      exchange->request.options->request_s + LIMIT_HTTP_IDLE_S);
    atomic_fetch_sub(&exchange->request.server->open, 1);
    buf_deinit(&exchange->uri);
    request_drop_body(&exchange->request);
    buf_deinit(&exchange->request.response.body);
    arena_deinit(&exchange->request.arena);
    free(exchange);
    *own = NULL;
}

/* Takes over the body's bytes. */
static enum MHD_Result send_response(struct exchange *exchange)
{
    struct response *response = &exchange->request.response;
    struct MHD_Response *out = MHD_create_response_from_buffer(
        response->body.len, response->body.data, MHD_RESPMEM_MUST_FREE);
    char number[16];

    if (out == NULL)
        return MHD_NO;
    buf_init(&response->body, 0);
    if (response->status != 204)
        MHD_add_response_header(out, "Content-Type", response->content_type);
    MHD_add_response_header(out, "Cache-Control", "no-store");
    MHD_add_response_header(out, "X-Content-Type-Options", "nosniff");
    if (response->allow != NULL)
        MHD_add_response_header(out, "Allow", response->allow);
    if (response->location != NULL)
        MHD_add_response_header(out, "Location", response->location);
    if (response->authenticate)
        MHD_add_response_header(out, "WWW-Authenticate",
                                "Basic realm=\"pawl\", charset=\"UTF-8\", Bearer realm=\"pawl\"");
    if (response->retry_after > 0) {
        snprintf(number, sizeof(number), "%u", response->retry_after);
        MHD_add_response_header(out, "Retry-After", number);
    }
    for (size_t i = 0; i < response->n_extra; i++)
        MHD_add_response_header(out, response->extra[i].name, response->extra[i].value);
    if (response->close)
        MHD_add_response_header(out, "Connection", "close");
    note_request(exchange);
    peer_clients_turn(exchange->request.peer, exchange->request.options->request_s);
    enum MHD_Result result = MHD_queue_response(exchange->connection, response->status, out);
    MHD_destroy_response(out);
    return result;
}

/* ---- The first look, before anything of a body is read ---- */

struct headers {
    struct guard_header list[LIMIT_HTTP_HEADERS + 1];
    size_t n;
};

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind UNUSED, const char *name,
                                   size_t name_n, const char *value, size_t value_n)
{
    struct headers *headers = context;

    if (headers->n < ARRAY_LEN(headers->list))
        headers->list[headers->n++] = (struct guard_header){name, name_n, value, value_n};
    return MHD_YES;
}

const char *request_header(const struct request *request, const char *name)
{
    const struct exchange *exchange = (const struct exchange *)request;

    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

size_t request_headers(const struct request *request, struct guard_header *list, size_t room)
{
    const struct exchange *exchange = (const struct exchange *)request;
    struct headers headers = {.n = 0};

    MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, take_header, &headers);
    size_t n = headers.n < room ? headers.n : room;
    memcpy(list, headers.list, n * sizeof(*list));
    return n;
}

static void crowded(struct request *request)
{
    request->response.retry_after = 1;
    response_problem(request, 503, NULL, "Try again in a moment.",
                     "there are too many large requests at a time (LIMIT_HTTP_BODIES_BYTES)");
}

/* What its headers say already. False: the response is ready. */
static bool admit_body(struct exchange *exchange, const struct guard_body *body)
{
    struct request *request = &exchange->request;
    const struct operation *operation = request->operation;
    const char *type = request_header(request, "Content-Type");

    exchange->most = operation->most != 0 ? operation->most : LIMIT_HTTP_BODY_BYTES;
    if (!body->any)
        return true;
    if (operation->body_kind == BODY_NONE)
        response_problem(request, 413, "PW003", NULL, "this operation takes no body");
    else if (body->length > exchange->most)
        response_problem(request, 413, "PW006", "Keep large data outside, and pass its address.",
                         "the body has %llu bytes, the limit is %zu",
                         (unsigned long long)body->length, exchange->most);
    else if (operation->body_kind == BODY_JSON && !request_is_json(request))
        response_problem(request, 415, "PW003", "Say Content-Type: application/json.",
                         "the body must be JSON in UTF-8, and its Content-Type say so");
    else if (operation->body_kind == BODY_MULTIPART &&
             (type == NULL || strncasecmp(type, "multipart/form-data", 19) != 0) &&
             !request_is_json(request) && !request_is_zip(request))
        response_problem(request, 415, "PW003", NULL,
                         "the body must be multipart/form-data, and its Content-Type say so; for "
                         "Pawl's own deployments JSON and application/zip will do, too");
    else if (body->length > LIMIT_HTTP_SMALL_BYTES &&
             atomic_load(&request->server->body_bytes) + body->length > LIMIT_HTTP_BODIES_BYTES)
        crowded(request);
    else
        return true;
    return false;
}

static void unauthorized(struct request *request)
{
    request->response.authenticate = true;
    response_problem(request, 401, NULL, "Send a bearer token, or a name and password.",
                     "this needs a user who is known here");
}

/* While it is being stopped nothing new begins; what machines look at is shown to the end. True:
 * the response says so. */
static bool is_too_late(struct request *request)
{
    if (request->operation->dialect == DIALECT_TEXT ||
        (request->server->desk != NULL && !atomic_load(&request->server->draining)))
        return false;
    request->response.retry_after = 5;
    request->response.close = true;
    response_problem(request, 503, NULL, "Try again: another node may answer.",
                     "this server is being stopped and takes no more work");
    return true;
}

/* False: the response is ready. */
static bool admit(struct exchange *exchange, const char *method, const struct guard_body *body)
{
    struct request *request = &exchange->request;
    const char *allow;
    int route = router_find(request, method, &allow);

    if (route < 0)
        return false;
    if (route == ROUTE_NOT_FOUND) {
        response_problem(request, 404, NULL, "/openapi.json lists what there is.",
                         "there is nothing at this path");
        return false;
    }
    if (route == ROUTE_METHOD) {
        request->response.allow = allow;
        response_problem(request, 405, NULL, NULL, "this path only answers %s", allow);
        return false;
    }
    for (size_t i = 0; operation_at(i) != NULL; i++)
        if (operation_at(i) == request->operation)
            exchange->index = i;
    if (is_too_late(request) || request_is_foreign(request) || !admit_body(exchange, body))
        return false;
    if ((request->operation->rights & RIGHT_ANY) != 0 && !auth_may_try(request)) {
        unauthorized(request);
        return false;
    }
    return true;
}

static enum MHD_Result let_in(struct exchange *exchange, const char *method, const char *version)
{
    struct headers headers = {.n = 0};
    struct request *request = &exchange->request;
    struct guard_body body;

    MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, take_header, &headers);
    struct guard_request judged = {.version = version,
                                   .uri = exchange->uri.overflow ? NULL : request->target,
                                   .headers = headers.list,
                                   .n_headers = headers.n,
                                   .loopback_only = request->options->open};
    const char *wrong = guard_judge(&judged, &body);
    if (wrong != NULL) {
        /* The last answer of its connection: whatever else came is not looked at. */
        request->response.close = true;
        response_text(&request->response, 400, wrong);
        return send_response(exchange);
    }
    exchange->head = strcmp(method, "HEAD") == 0;
    if (admit(exchange, method, &body))
        return MHD_YES;
    request->response.close |= body.any;
    /* A client that is still sending would not see an answer before a closed connection. */
    if (!body.any || body.length > LIMIT_HTTP_DISCARD_BYTES ||
        request_header(request, "Expect") != NULL)
        return send_response(exchange);
    exchange->refused = true;
    return MHD_YES;
}

/* Whether there is room for more of its body; else the response says why not. */
static bool has_room(struct exchange *exchange, size_t n)
{
    struct request *request = &exchange->request;
    struct server *server = request->server;

    if (request->body.len + n > exchange->most) {
        response_problem(request, 413, "PW006", "Keep large data outside, and pass its address.",
                         "the body is over the limit of %zu bytes", exchange->most);
        return false;
    }
    /* What is small finds room, however many large ones there are. */
    size_t whole = request->body.len + n;
    size_t more = whole > LIMIT_HTTP_SMALL_BYTES + exchange->counted
                      ? whole - LIMIT_HTTP_SMALL_BYTES - exchange->counted
                      : 0;
    exchange->counted += more;
    if (more == 0 || atomic_fetch_add(&server->body_bytes, more) + more <= LIMIT_HTTP_BODIES_BYTES)
        return true;
    crowded(request);
    return false;
}

static enum MHD_Result take_body(struct exchange *exchange, const char *data, size_t n)
{
    struct request *request = &exchange->request;

    if (!exchange->refused && has_room(exchange, n)) {
        buf_add(&request->body, data, n);
        return MHD_YES;
    }
    if (!exchange->refused) {
        exchange->refused = true;
        request->response.close = true;
        request_drop_body(request);
    }
    exchange->ignored += n;
    return exchange->ignored <= LIMIT_HTTP_DISCARD_BYTES ? MHD_YES : MHD_NO;
}

/* ---- A whole request ---- */

void request_suspend(struct request *request)
{
    struct exchange *exchange = exchange_of(request);

    if (exchange->put_aside)
        return;
    exchange->put_aside = true;
    MHD_suspend_connection(exchange->connection);
}

void request_finish(struct request *request)
{
    struct exchange *exchange = exchange_of(request);

    exchange->finished = true;
    if (exchange->put_aside)
        MHD_resume_connection(exchange->connection);
}

void request_answer(struct request *request, const struct desk_answer *answer)
{
    if (answer->sqlstate != NULL)
        response_refused(request, answer);
    else
        response_json(&request->response, (unsigned)answer->status, answer->body, answer->n);
    if (answer->sqlstate == NULL && answer->status >= 400 && request->dialect == DIALECT_PAWL)
        request->response.content_type = "application/problem+json";
}

static void asked(void *context, const struct desk_answer *answer)
{
    struct request *request = context;

    if (answer->sqlstate != NULL)
        response_log(request->desk.query, answer);
    else if (request->operation->gives_back)
        fetches_committed(request->server->fetches);
    if (request->then != NULL) {
        request->then(request, answer);
        return;
    }
    request_answer(request, answer);
    request_finish(request);
}

void request_ask(struct request *request, const char *query, bool writes, const char *const *params,
                 size_t n_params,
                 void (*then)(struct request *request, const struct desk_answer *answer))
{
    assert(n_params <= DESK_PARAMS);
    request->then = then;
    request->desk = (struct desk_request){
        .query = query,
        .n_params = n_params,
        .writes = writes,
        .caller = request->principal.caller,
        .done = asked,
        .context = request,
    };
    for (size_t i = 0; i < n_params; i++)
        request->desk.params[i] = params[i];
    request_suspend(request);
    desk_submit(request->server->desk, &request->desk);
}

/* In its path, or as the id in its body, where another id is that of the callback. */
static bool shows_token(const struct request *request)
{
    const char *id = json_string_value(json_object_get(request->json, "id"));

    return request->operation->rights == RIGHT_TOKEN &&
           (request->n_path > 0 || (id != NULL && strncmp(id, "pawl_", 5) == 0));
}

static void carry_out(struct request *request)
{
    const struct operation *operation = request->operation;

    if (!body_accept(request)) {
        request_finish(request);
    } else if (operation->handle != NULL) {
        operation->handle(request);
    } else if (operation->fetches) {
        fetch_work(request);
    } else {
        const char *arguments[DESK_PARAMS];
        if (shows_token(request))
            auth_token_shown(request);
        size_t n = request_arguments(request, arguments);
        request_ask(request, operation->query, operation->writes, arguments, n,
                    operation->awaits ? await_answer : NULL);
    }
}

void auth_identified(struct request *request, const struct principal *principal)
{
    unsigned rights = request->operation->rights;

    if (principal == NULL) {
        unauthorized(request);
        request_finish(request);
        return;
    }
    request->principal = *principal;
    if ((rights & RIGHT_ANY) != 0 && (rights & principal->rights) == 0) {
        response_problem(request, 403, "42501", "An administrator can give the right.",
                         "%s may not do this", request->principal.name);
        request_finish(request);
        return;
    }
    request->identified(request);
}

void request_identify(struct request *request, void (*then)(struct request *request))
{
    struct principal principal;

    request->identified = then;
    enum auth_result known = auth_identify(request, &principal);
    if (known != AUTH_ASKS)
        auth_identified(request, known == AUTH_KNOWN ? &principal : NULL);
}

static enum MHD_Result whole(struct exchange *exchange)
{
    static const struct principal nobody = {
        .name = "", .caller = "{\"name\": \"\", \"rights\": [], \"tenants\": []}"};
    struct request *request = &exchange->request;
    unsigned rights = request->operation->rights;

    peer_our_turn(exchange->request.peer);
    exchange->whole = true;
    if (is_too_late(request))
        return send_response(exchange);
    bool bare = rights == RIGHT_TOKEN && request_header(request, "Authorization") == NULL;
    if (bare || (rights & (RIGHT_ANY | RIGHT_TOKEN)) == 0) {
        request->identified = carry_out;
        auth_identified(request, &nobody);
    } else {
        request_identify(request, carry_out);
    }
    /* What was put aside may have been finished by another thread: then we are called again. */
    return exchange->put_aside ? MHD_YES : send_response(exchange);
}

static enum MHD_Result on_request(void *context UNUSED, struct MHD_Connection *connection UNUSED,
                                  const char *path UNUSED, const char *method, const char *version,
                                  const char *data, size_t *data_n, void **own)
{
    struct exchange *exchange = *own;

    if (exchange == NULL)
        return MHD_NO; /* no memory */
    if (!exchange->begun) {
        exchange->begun = true;
        return let_in(exchange, method, version);
    }
    if (*data_n != 0) {
        size_t n = *data_n;
        *data_n = 0;
        return take_body(exchange, data, n);
    }
    return exchange->refused || exchange->whole ? send_response(exchange) : whole(exchange);
}

/* What libmicrohttpd complains of: clients that went away, mostly. */
static void on_log(void *context UNUSED, const char *format, va_list args)
{
    char text[300], quoted[400];

    vsnprintf(text, sizeof(text), format, args);
    text[strcspn(text, "\n")] = '\0';
    log_line(LOG_LEVEL_DEBUG, "http", "text=%s", log_quote(text, quoted, sizeof(quoted)));
}

/* ---- Start and stop ---- */

/* Each connection is a file: as many as the process may have. */
static unsigned connections_allowed(void)
{
    const rlim_t want = LIMIT_HTTP_CONNECTIONS + OTHER_FILES;
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 100;
    /* The connector's sockets come on top; it takes what it needs from the same number. */
    if (files.rlim_cur < 2 * want && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = 2 * want < files.rlim_max ? 2 * want : files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0 && getrlimit(RLIMIT_NOFILE, &files) != 0)
            return 100;
    }
    if (files.rlim_cur < 4 * OTHER_FILES)
        return 100;
    rlim_t ours = files.rlim_cur / 5 * 3 - OTHER_FILES;
    return ours < LIMIT_HTTP_CONNECTIONS ? (unsigned)ours : LIMIT_HTTP_CONNECTIONS;
}

static void reachable(void *context UNUSED, const char *why)
{
    char text[1200];

    if (why != NULL)
        log_line(LOG_LEVEL_WARN, "http: the database cannot be reached", "error=%s",
                 log_quote(why, text, sizeof(text)));
    else
        log_line(LOG_LEVEL_INFO, "http: the database is back", NULL);
}

static int start_desk(struct server *server, struct err *err)
{
    struct desk_options options = {
        .conninfo = server->options.conninfo,
        .schema = server->options.schema,
        .context = server->options.context,
        .committed = server->options.committed,
        .reachable = reachable,
    };

    if (desk_start(&options, &server->desk, err) < 0)
        return err_trace(err);
    server->awaits = awaits_new(server->desk);
    server->fetches = fetches_new(server->desk);
    return 0;
}

/* The certificate of a handshake: libmicrohttpd has put the connection into its session. */
static int give_certificate(gnutls_session_t session, const gnutls_datum_t *authorities UNUSED,
                            int n_authorities UNUSED,
                            const gnutls_pk_algorithm_t *algorithms UNUSED, int n_algorithms UNUSED,
                            gnutls_pcert_st **ret_chain, unsigned int *ret_n,
                            gnutls_privkey_t *ret_key)
{
    struct MHD_Connection *connection = gnutls_session_get_ptr(session);
    const union MHD_ConnectionInfo *own =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    const struct peer *peer = own != NULL ? own->socket_context : NULL;

    if (peer == NULL)
        return -1; /* no memory was left for it */
    tls_certificate(peer->server->tls, ret_chain, ret_n, ret_key);
    return 0;
}

static int start_daemon(struct server *server, struct err *err)
{
    char priorities[] = TLS_PRIORITIES;
    gnutls_certificate_retrieve_function2 *give = give_certificate;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, *(void **)&give},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    const unsigned flags =
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;

    server->daemon = MHD_start_daemon(
        flags | (server->tls != NULL ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, server,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, server->listening.fd,
        MHD_OPTION_THREAD_POOL_SIZE, THREADS, MHD_OPTION_CONNECTION_LIMIT, connections_allowed(),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_HTTP_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, LIMIT_HTTP_IDLE_S, MHD_OPTION_URI_LOG_CALLBACK, on_uri,
        server, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        peer_notify, server, MHD_OPTION_ARRAY, server->tls != NULL ? tls : &tls[ARRAY_LEN(tls) - 1],
        MHD_OPTION_END);
    if (server->daemon != NULL)
        return 0;
    return err_set(err, ERR_IO, "cannot start the HTTP server on %s", server->options.listen);
}

static struct server *make(const struct server_options *options)
{
    struct arena arena;
    pthread_condattr_t attributes;

    arena_init(&arena, 0);
    struct server *server = arena_alloc(&arena, sizeof(*server));
    server->options = *options;
    if (options->request_s <= 0)
        server->options.request_s = LIMIT_HTTP_REQUEST_S;
    server->options.listen = arena_strdup(&arena, options->listen);
    server->options.version = arena_strdup(&arena, options->version);
    while (operation_at(server->n_operations) != NULL)
        server->n_operations++;
    server->counts = arena_array(&arena, server->n_operations + 1, sizeof(*server->counts));
    atomic_init(&server->draining, false);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    server->arena = arena;
    server->listening.fd = -1;
    return server;
}

int server_start(const struct server_options *options, struct server **ret_server, struct err *err)
{
    struct server *server = make(options);

    if (proxies_read(options->trusted_proxies, options->forwarded_header, &server->arena,
                     &server->proxies, err) < 0 ||
        (options->tls_cert != NULL &&
         tls_new(options->tls_cert, options->tls_key, &server->tls, err) < 0) ||
        listen_there(server->options.listen, options->open, &server->listening, err) < 0 ||
        start_desk(server, err) < 0 || auth_start(server, err) < 0)
        goto failed;
    if (!server->listening.here && server->tls == NULL)
        log_line(LOG_LEVEL_WARN,
                 "http without TLS on an address that others reach: tokens and passwords can be "
                 "read on their way",
                 "address=%s", server->listening.address);
    server->ticker_started = pthread_create(&server->ticker, NULL, peer_tick, server) == 0;
    if (!server->ticker_started) {
        err_set(err, ERR_INTERNAL, "cannot start a thread");
        goto failed;
    }
    if (start_daemon(server, err) < 0)
        goto failed;
    *ret_server = server;
    return 0;
failed:
    server_stop(server);
    return err_trace(err);
}

int server_check_proxies(const char *trusted, const char *header, struct err *err)
{
    struct arena arena CLEANUP(arena_deinit);
    struct proxies proxies;

    arena_init(&arena, 0);
    return proxies_read(trusted, header, &arena, &proxies, err);
}

const char *server_address(const struct server *server)
{
    return server->listening.address;
}

void server_reload(struct server *server)
{
    struct err err = {0};
    char line[1200], text[1300];

    if (server == NULL || server->tls == NULL)
        return;
    int changed = tls_reload(server->tls, &err);
    if (changed < 0)
        log_line(LOG_LEVEL_ERROR, "http: the certificate stays as it was", "error=%s",
                 log_quote(err_line(&err, line, sizeof(line)), text, sizeof(text)));
    else if (changed > 0)
        log_line(LOG_LEVEL_INFO, "http: new connections get the new certificate", NULL);
}

void server_committed(struct server *server, const struct uuid *ids, size_t n)
{
    if (server == NULL)
        return;
    if (n > 0)
        awaits_committed(server->awaits, ids, n);
    else
        fetches_committed(server->fetches);
}

void server_drain(struct server *server)
{
    if (server != NULL)
        atomic_store(&server->draining, true);
}

/* Nothing may be put aside when the daemon ends: all that has begun to come is answered first, and
 * so is who comes meanwhile. */
static void stop_daemon(struct server *server)
{
    const struct timespec step = {.tv_nsec = 5000000};
    int64_t until_us = clock_mono_us() + LAST_ANSWERS_US;

    while (atomic_load(&server->open) > 0 && clock_mono_us() < until_us)
        nanosleep(&step, NULL);
    MHD_quiesce_daemon(server->daemon);
    MHD_stop_daemon(server->daemon);
}

void server_stop(struct server *server)
{
    if (server == NULL)
        return;
    server_drain(server);
    if (server->awaits != NULL)
        awaits_close(server->awaits);
    if (server->fetches != NULL)
        fetches_close(server->fetches);
    auth_close(server->auth);
    if (server->desk != NULL)
        desk_close(server->desk);
    if (server->daemon != NULL)
        stop_daemon(server);
    if (server->listening.fd >= 0)
        close(server->listening.fd);
    if (server->listening.unlink)
        unlink(server->listening.address + strlen("unix:"));
    pthread_mutex_lock(&server->lock);
    server->ending = true;
    pthread_cond_signal(&server->ended);
    pthread_mutex_unlock(&server->lock);
    if (server->ticker_started)
        pthread_join(server->ticker, NULL);
    desk_free(server->desk);
    auth_free(server->auth);
    awaits_free(server->awaits);
    fetches_free(server->fetches);
    tls_free(server->tls);
    pthread_cond_destroy(&server->ended);
    pthread_mutex_destroy(&server->lock);
    struct arena arena = server->arena;
    arena_deinit(&arena);
}
