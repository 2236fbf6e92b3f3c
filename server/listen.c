/* SPDX-License-Identifier: Apache-2.0 */
/* Where the server listens. */
#include "base/build.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/server_internal.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

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

int listen_there(const char *where, int *ret_fd, char *ret_address, size_t room, struct err *err)
{
    struct sockaddr_storage address;
    socklen_t n;
    int yes = 1;
    char host[INET6_ADDRSTRLEN];

    if (read_address(where, &address, &n, err) < 0)
        return err_trace(err);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot make a socket: %s", strerror(errno));
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
        bind(fd, (struct sockaddr *)&address, n) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n) < 0) {
        err_set(err, ERR_IO, "cannot listen on %s: %s", where, strerror(errno));
        close(fd);
        return -1;
    }
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;
    bool six = address.ss_family == AF_INET6;
    inet_ntop(address.ss_family, six ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr,
              host, sizeof(host));
    snprintf(ret_address, room, six ? "[%s]:%u" : "%s:%u", host,
             (unsigned)ntohs(six ? v6->sin6_port : v4->sin_port));
    *ret_fd = fd;
    return 0;
}
