/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/log.h"
#include "server/guard.h"
#include "server/router.h"

#define THREADS 3u /* one that waits for the database leaves two to answer /livez */
#define TIMEOUT_S 10u

struct server {
    struct arena arena;            /* holds this struct and the options' texts */
    struct server_options options; /* immutable */
    struct MHD_Daemon *daemon;
    char address[80];
};

/* ---- Addresses ---- */

static int wrong_address(const char *listen, struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "\"%s\" is no address to listen on: write 127.0.0.1:9464, [::1]:9464 or "
                   "localhost:9464",
                   listen);
}

/* Reads ADDRESS:PORT of loopback. */
static int read_address(const char *listen, struct sockaddr_storage *ret_address, socklen_t *ret_n,
                        struct err *err)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;
    const char *colon = strrchr(listen, ':');
    char host[64], *end;

    *ret_address = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    if (colon == NULL || colon == listen || (size_t)(colon - listen) >= sizeof(host))
        return wrong_address(listen, err);
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port > 65535)
        return wrong_address(listen, err);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - listen), listen);
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof(host), "127.0.0.1");
    size_t n = strlen(host);
    bool loopback = false;
    if (host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) != 1)
            return wrong_address(listen, err);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *ret_n = sizeof(*v6);
        loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    } else {
        if (inet_pton(AF_INET, host, &v4->sin_addr) != 1)
            return wrong_address(listen, err);
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *ret_n = sizeof(*v4);
        loopback = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    if (!loopback)
        return err_set(err, ERR_INVALID,
                       "this version listens on loopback only, since it has no authentication yet, "
                       "and %s is another address: use 127.0.0.1:%lu, behind a proxy that "
                       "authenticates if others must reach it",
                       listen, port);
    return 0;
}

int server_check_address(const char *listen, struct err *err)
{
    struct sockaddr_storage address;
    socklen_t n;

    return read_address(listen, &address, &n, err) < 0 ? err_trace(err) : 0;
}

static int listen_there(struct server *server, int *ret_fd, struct err *err)
{
    struct sockaddr_storage address;
    socklen_t n;
    int yes = 1;
    char host[INET6_ADDRSTRLEN];

    if (read_address(server->options.listen, &address, &n, err) < 0)
        return err_trace(err);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot make a socket: %s", strerror(errno));
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
        bind(fd, (struct sockaddr *)&address, n) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n) < 0) {
        err_set(err, ERR_IO, "cannot listen on %s: %s", server->options.listen, strerror(errno));
        close(fd);
        return -1;
    }
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;
    bool six = address.ss_family == AF_INET6;
    inet_ntop(address.ss_family, six ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr,
              host, sizeof(host));
    snprintf(server->address, sizeof(server->address), six ? "[%s]:%u" : "%s:%u", host,
             (unsigned)ntohs(six ? v6->sin6_port : v4->sin_port));
    *ret_fd = fd;
    return 0;
}

/* ---- One request ---- */

/* A request from its first line to its end; libmicrohttpd keeps it for us. */
struct exchange {
    struct buf uri; /* as it came */
    bool begun;
};

static void *on_uri(void *context UNUSED, const char *uri, struct MHD_Connection *connection UNUSED)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange)); /* heap: freed by on_end() */

    if (exchange == NULL)
        return NULL;
    buf_init(&exchange->uri, LIMIT_URL_BYTES + 1);
    buf_add_str(&exchange->uri, uri);
    return exchange;
}

static void on_end(void *context UNUSED, struct MHD_Connection *connection UNUSED, void **own,
                   enum MHD_RequestTerminationCode code UNUSED)
{
    struct exchange *exchange = *own;

    if (exchange == NULL)
        return;
    buf_deinit(&exchange->uri);
    free(exchange);
    *own = NULL;
}

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

/* Takes over the body's bytes. */
static enum MHD_Result send_response(struct MHD_Connection *connection, struct response *response)
{
    struct MHD_Response *out = MHD_create_response_from_buffer(
        response->body.len, response->body.data, MHD_RESPMEM_MUST_COPY);

    buf_deinit(&response->body);
    if (out == NULL)
        return MHD_NO;
    MHD_add_response_header(out, "Content-Type", response->content_type);
    MHD_add_response_header(out, "Cache-Control", "no-store");
    MHD_add_response_header(out, "X-Content-Type-Options", "nosniff");
    if (response->allow != NULL)
        MHD_add_response_header(out, "Allow", response->allow);
    enum MHD_Result result = MHD_queue_response(connection, response->status, out);
    MHD_destroy_response(out);
    return result;
}

/* The first look, before anything of a body is read. An answer that is queued here is the last one
 * of its connection: whatever else came is not looked at. */
static enum MHD_Result let_in(struct MHD_Connection *connection, const char *version,
                              const struct exchange *exchange)
{
    struct headers headers = {.n = 0};
    struct response response = {.status = 400};
    bool body;

    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_header, &headers);
    struct guard_request judged = {.version = version,
                                   .uri = exchange->uri.overflow ? NULL : buf_str(&exchange->uri),
                                   .headers = headers.list,
                                   .n_headers = headers.n,
                                   .loopback_only = true};
    const char *wrong = guard_judge(&judged, &body);
    if (wrong == NULL && !body)
        return MHD_YES;
    buf_init(&response.body, 0);
    response_text(&response, wrong != NULL ? 400 : 413,
                  wrong != NULL ? wrong : "this server takes no request with a body");
    return send_response(connection, &response);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data UNUSED, size_t *data_n, void **own)
{
    struct server *server = context;
    struct exchange *exchange = *own;
    struct response response = {.status = 500};

    if (exchange == NULL || (exchange->begun && *data_n != 0))
        return MHD_NO; /* no memory; or a body that let_in() has not seen coming */
    if (!exchange->begun) {
        exchange->begun = true;
        return let_in(connection, version, exchange);
    }
    const char *query = strchr(buf_str(&exchange->uri), '?');
    struct request request = {.options = &server->options,
                              .verbose = query != NULL && strstr(query, "verbose") != NULL};
    buf_init(&response.body, 0);
    router_answer(method, path, &request, &response);
    return send_response(connection, &response);
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

int server_start(const struct server_options *options, struct server **ret_server, struct err *err)
{
    struct arena arena;
    int fd = -1;

    arena_init(&arena, 0);
    struct server *server = arena_alloc(&arena, sizeof(*server));
    server->options = *options;
    server->options.listen = arena_strdup(&arena, options->listen);
    server->options.version = arena_strdup(&arena, options->version);
    server->arena = arena;
    if (listen_there(server, &fd, err) < 0) {
        arena_deinit(&arena);
        return err_trace(err);
    }
    server->daemon = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, server,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_THREAD_POOL_SIZE, THREADS, MHD_OPTION_CONNECTION_LIMIT, LIMIT_HTTP_CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_HTTP_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
    if (server->daemon == NULL) {
        close(fd);
        arena_deinit(&arena);
        return err_set(err, ERR_IO, "cannot start the HTTP server on %s", options->listen);
    }
    *ret_server = server;
    return 0;
}

const char *server_address(const struct server *server)
{
    return server->address;
}

void server_stop(struct server *server)
{
    if (server == NULL)
        return;
    MHD_stop_daemon(server->daemon);
    struct arena arena = server->arena;
    arena_deinit(&arena);
}
