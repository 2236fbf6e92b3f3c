/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a request's connection. */
#include "base/build.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "server/server_internal.h"

void request_address(const struct request *request, char *ret_text, size_t room)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t n = sizeof(address);
    const struct peer *peer = request->peer;

    snprintf(ret_text, room, "local");
    if (peer == NULL || getpeername(peer->fd, (struct sockaddr *)&address, &n) < 0)
        return;
    if (address.ss_family == AF_INET)
        inet_ntop(AF_INET, &((struct sockaddr_in *)&address)->sin_addr, ret_text, (socklen_t)room);
    else if (address.ss_family == AF_INET6)
        inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&address)->sin6_addr, ret_text,
                  (socklen_t)room);
}

bool request_is_gone(const struct request *request)
{
    const struct peer *peer = request->peer;
    struct pollfd poll_fd = {.fd = peer != NULL ? peer->fd : -1, .events = POLLRDHUP};

    return poll(&poll_fd, 1, 0) > 0 &&
           (poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

bool request_is_local(const struct request *request)
{
    char text[INET6_ADDRSTRLEN];

    request_address(request, text, sizeof(text));
    return strcmp(text, "local") == 0 || strncmp(text, "127.", 4) == 0 || strcmp(text, "::1") == 0;
}
