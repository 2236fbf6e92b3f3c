/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a request's connection. */
#include "base/build.h"

#include <poll.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "server/server_internal.h"

/* Its own address, and whether it is that of a proxy who says so; family 0: a Unix socket. */
static enum proxied find_client(const struct request *request, struct address *ret_address)
{
    struct sockaddr_storage socket_address = {.ss_family = AF_UNSPEC};
    socklen_t room = sizeof(socket_address);
    const struct peer *peer = request->peer;
    struct guard_header headers[LIMIT_HTTP_HEADERS];

    *ret_address = (struct address){0};
    if (peer == NULL || getpeername(peer->fd, (struct sockaddr *)&socket_address, &room) < 0)
        return PROXIED_UNKNOWN;
    *ret_address = address_of_sockaddr((struct sockaddr *)&socket_address);
    if (request->server->proxies.n == 0 && !request->server->proxies.unix_sockets)
        return PROXIED_DIRECT;
    size_t n = request_headers(request, headers, ARRAY_LEN(headers));
    return proxies_client(&request->server->proxies, headers, n, ret_address);
}

const char *request_address(struct request *request)
{
    struct address address;

    if (request->address[0] != '\0')
        return request->address;
    request->proxied = find_client(request, &address);
    if (address.family == 0)
        snprintf(request->address, sizeof(request->address), "local");
    else
        address_text(&address, request->address, sizeof(request->address));
    return request->address;
}

bool request_is_gone(const struct request *request)
{
    const struct peer *peer = request->peer;
    struct pollfd poll_fd = {.fd = peer != NULL ? peer->fd : -1, .events = POLLRDHUP};

    return poll(&poll_fd, 1, 0) > 0 &&
           (poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

bool request_is_local(struct request *request)
{
    const char *address = request_address(request);

    return request->proxied == PROXIED_DIRECT &&
           (strcmp(address, "local") == 0 || strncmp(address, "127.", 4) == 0 ||
            strcmp(address, "::1") == 0);
}
