/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A loopback HTTP server for tests, a thread a connection. The path of a request says how it
 * behaves; requests are counted once they were read whole.
 *
 *   /ok /array /number     JSON                         /created        201 with a Location
 *   /text /latin /binary   other bodies                 /empty          200 without a body
 *   /500 /404 /redirect    other statuses               /malformed      JSON that ends too early
 *   /reset                 RST in the middle of a body  /close          closed without an answer
 *   /garbage               no HTTP                      /big /bigchunks over LIMIT_RESPONSE_BYTES
 *   /headers               300 header lines             /slow           answers after 300 ms
 *   /never                 no answer                    /echo           the request as text
 */
#include "base/build.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

#define STUB_ARRIVALS 4096

struct stub {
    int listener;
    int port;
    pthread_t thread;
    atomic_int requests;
    atomic_int busy, most_busy; /* requests that are being answered at once */
    _Atomic int64_t arrived_us[STUB_ARRIVALS];
    atomic_int connections;
    atomic_int open;
    atomic_bool stopping;
};

struct stub_connection {
    struct stub *stub;
    int fd;
};

static inline void stub_write(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = send(fd, bytes, n, MSG_NOSIGNAL);
        if (written <= 0)
            return;
        bytes += written;
        n -= (size_t)written;
    }
}

static inline void stub_respond(int fd, const char *status, const char *type, const char *body,
                                size_t n)
{
    char head[256];
    int length = snprintf(head, sizeof(head),
                          "HTTP/1.1 %s\r\nContent-Type: %s\r\nX-Twice: a\r\nx-twice: "
                          "b\r\nContent-Length: %zu\r\n\r\n",
                          status, type, n);
    stub_write(fd, head, (size_t)length);
    stub_write(fd, body, n);
}

static inline void stub_json(int fd, const char *body)
{
    stub_respond(fd, "200 OK", "application/json; charset=utf-8", body, strlen(body));
}

static inline void stub_reset(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    const char *half =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[1,";
    stub_write(fd, half, strlen(half));
    usleep(20000);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static inline void stub_big(int fd, bool chunked)
{
    char block[65536];
    memset(block, 'x', sizeof(block));
    const char *head =
        chunked
            ? "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
            : "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2097152\r\n\r\n";
    stub_write(fd, head, strlen(head));
    for (int i = 0; i < 32; i++) {
        if (chunked)
            stub_write(fd, "10000\r\n", 7);
        stub_write(fd, block, sizeof(block));
        if (chunked)
            stub_write(fd, "\r\n", 2);
    }
    if (chunked)
        stub_write(fd, "0\r\n\r\n", 5);
}

static inline void stub_headers(int fd)
{
    stub_write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", 36);
    for (int i = 0; i < 300; i++) {
        char line[32];
        int n = snprintf(line, sizeof(line), "X-%d: y\r\n", i);
        stub_write(fd, line, (size_t)n);
    }
    stub_write(fd, "\r\n", 2);
}

/* False: close the connection. */
static inline bool stub_answer(struct stub *stub, int fd, const char *path,
                               const struct buf *request)
{
#define IS(p) (strncmp(path, p " ", strlen(p) + 1) == 0 || strncmp(path, p "?", strlen(p) + 1) == 0)
    if (IS("/ok"))
        stub_json(fd, " {\"b\": 1.10, \"a\": 12345678901234567890} ");
    else if (IS("/array"))
        stub_json(fd, "[]");
    else if (IS("/number"))
        stub_json(fd, "1.10");
    else if (IS("/created"))
        stub_respond(fd, "201 Created", "application/problem+json", "{\"id\":7}", 8);
    else if (IS("/text"))
        stub_respond(fd, "200 OK", "text/plain", "{\"not\" parsed}\n", 15);
    else if (IS("/latin"))
        stub_respond(fd, "200 OK", "text/plain; charset=iso-8859-1", "caf\xe9", 4);
    else if (IS("/binary"))
        stub_respond(fd, "200 OK", "application/octet-stream", "\0\1\2", 3);
    else if (IS("/empty"))
        stub_respond(fd, "200 OK", "application/json", "", 0);
    else if (IS("/500"))
        stub_respond(fd, "500 Oops", "application/json", "{\"broken\":", 10);
    else if (IS("/404"))
        stub_respond(fd, "404 Not Found", "application/json", "{\"why\":\"no\"}", 12);
    else if (IS("/redirect"))
        stub_write(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", 57);
    else if (IS("/malformed"))
        stub_json(fd, "[{\"lat\": \"1\"");
    else if (IS("/garbage"))
        stub_write(fd, "220 smtp.example ESMTP\r\n", 24);
    else if (IS("/big"))
        stub_big(fd, false);
    else if (IS("/bigchunks"))
        stub_big(fd, true);
    else if (IS("/headers"))
        stub_headers(fd);
    else if (IS("/slow"))
        stub_json(fd, "\"late\"");
    else if (IS("/token"))
        stub_json(fd, "{\"access_token\": \"granted\"}");
    else if (IS("/never")) {
        for (int i = 0; i < 500 && !atomic_load(&stub->stopping); i++)
            usleep(10000);
        return false;
    } else if (IS("/echo"))
        stub_respond(fd, "200 OK", "text/plain", buf_str(request), request->len);
    else if (IS("/reset")) {
        stub_reset(fd);
        return false;
    } else
        return false;
    return !IS("/garbage") && !IS("/big") && !IS("/bigchunks");
#undef IS
}

/* The length that a request head announces. */
static inline size_t stub_length(const char *head)
{
    const char *line = strcasestr(head, "\r\ncontent-length:");
    return line != NULL ? (size_t)atoi(line + 17) : 0;
}

static inline void stub_arrive(struct stub *stub)
{
    struct timespec now;
    int busy = atomic_fetch_add(&stub->busy, 1) + 1, most = atomic_load(&stub->most_busy);

    while (busy > most && !atomic_compare_exchange_weak(&stub->most_busy, &most, busy))
        ;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int n = atomic_fetch_add(&stub->requests, 1);
    if (n < STUB_ARRIVALS)
        atomic_store(&stub->arrived_us[n], (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

static inline void *stub_serve(void *context)
{
    struct stub_connection connection = *(struct stub_connection *)context;
    struct buf request;
    char bytes[4096];

    free(context);
    buf_init(&request, 0);
    for (bool on = true; on;) {
        const char *end;
        while ((end = strstr(buf_str(&request), "\r\n\r\n")) == NULL ||
               request.len <
                   (size_t)(end + 4 - buf_str(&request)) + stub_length(buf_str(&request))) {
            struct pollfd poll_fd = {.fd = connection.fd, .events = POLLIN};
            while (poll(&poll_fd, 1, 20) == 0)
                if (atomic_load(&connection.stub->stopping))
                    goto out;
            ssize_t n = recv(connection.fd, bytes, sizeof(bytes), 0);
            if (n <= 0)
                goto out;
            buf_add(&request, bytes, (size_t)n);
        }
        stub_arrive(connection.stub);
        const char *path = strchr(buf_str(&request), ' ');
        if (path != NULL && (strncmp(path, " /slow ", 7) == 0 || strncmp(path, " /token ", 8) == 0))
            usleep(300000);
        /* Before the answer leaves: who has it may send the next request at once. */
        atomic_fetch_sub(&connection.stub->busy, 1);
        on = path != NULL && stub_answer(connection.stub, connection.fd, path + 1, &request);
        buf_reset(&request);
    }
out:
    buf_deinit(&request);
    close(connection.fd);
    atomic_fetch_sub(&connection.stub->open, 1);
    return NULL;
}

static inline void *stub_run(void *context)
{
    struct stub *stub = context;

    for (;;) {
        int fd = accept(stub->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        struct stub_connection *connection = malloc(sizeof(*connection));
        assert(connection != NULL);
        *connection = (struct stub_connection){.stub = stub, .fd = fd};
        atomic_fetch_add(&stub->connections, 1);
        atomic_fetch_add(&stub->open, 1);
        pthread_t thread;
        pthread_create(&thread, NULL, stub_serve, connection);
        pthread_detach(thread);
    }
}

/* A loopback port that listens with the given backlog; nobody accepts yet. */
static inline int stub_listen(int backlog, int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert(fd >= 0);
    int bound = bind(fd, (struct sockaddr *)&address, n);
    assert(bound == 0);
    int listening = listen(fd, backlog);
    assert(listening == 0);
    getsockname(fd, (struct sockaddr *)&address, &n);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static inline void stub_start(struct stub *stub)
{
    stub->listener = stub_listen(4096, &stub->port);
    atomic_init(&stub->requests, 0);
    atomic_init(&stub->busy, 0);
    atomic_init(&stub->most_busy, 0);
    atomic_init(&stub->connections, 0);
    atomic_init(&stub->open, 0);
    atomic_init(&stub->stopping, false);
    pthread_create(&stub->thread, NULL, stub_run, stub);
}

static inline void stub_stop(struct stub *stub)
{
    atomic_store(&stub->stopping, true);
    shutdown(stub->listener, SHUT_RDWR);
    pthread_join(stub->thread, NULL);
    while (atomic_load(&stub->open) != 0)
        usleep(1000);
    close(stub->listener);
}
