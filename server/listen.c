/* SPDX-License-Identifier: Apache-2.0 */
/* Where the server listens. */
#include "base/build.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/server_internal.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

#define SYSTEMD_FD 3

/* What an address says. */
struct place {
    struct sockaddr_storage address;
    socklen_t n;
    bool systemd; /* the socket is there already */
    bool here;    /* nobody elsewhere reaches it */
};

static int wrong_address(const char *listen, struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "\"%s\" is no address to listen on: write 127.0.0.1:9464, [::1]:9464, "
                   "localhost:9464, unix:/run/pawl/http, or systemd for the socket that it gives",
                   listen);
}

static int read_unix(const char *listen, struct place *ret_place, struct err *err)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&ret_place->address;
    const char *path = listen + strlen("unix:");

    if (*path != '/' || strlen(path) >= sizeof(un->sun_path))
        return err_set(err, ERR_INVALID,
                       "\"%s\" is no address to listen on: behind unix: comes a path from / on, of "
                       "at most %zu bytes",
                       listen, sizeof(un->sun_path) - 1);
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, strlen(path) + 1);
    ret_place->n = sizeof(*un);
    ret_place->here = true;
    return 0;
}

static int read_tcp(const char *listen, struct place *ret_place, struct err *err)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&ret_place->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ret_place->address;
    const char *colon = strrchr(listen, ':');
    char host[64], *end;

    if (colon == NULL || colon == listen || (size_t)(colon - listen) >= sizeof(host))
        return wrong_address(listen, err);
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port > 65535)
        return wrong_address(listen, err);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - listen), listen);
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof(host), "127.0.0.1");
    size_t n = strlen(host);
    if (host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) != 1)
            return wrong_address(listen, err);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        ret_place->n = sizeof(*v6);
        ret_place->here = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    } else {
        if (inet_pton(AF_INET, host, &v4->sin_addr) != 1)
            return wrong_address(listen, err);
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        ret_place->n = sizeof(*v4);
        ret_place->here = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    return 0;
}

static bool is_here(const struct sockaddr_storage *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

    return address->ss_family == AF_UNIX ||
           (address->ss_family == AF_INET && ntohl(v4->sin_addr.s_addr) >> 24 == 127) ||
           (address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr));
}

/* The first socket that systemd has opened for us (sd_listen_fds(3)). */
static int read_systemd(struct place *ret_place, struct err *err)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    int listening = 0;
    socklen_t n = sizeof(listening);

    ret_place->systemd = true;
    ret_place->n = sizeof(ret_place->address);
    if (pid == NULL || fds == NULL || strtol(pid, NULL, 10) != (long)getpid() ||
        strtol(fds, NULL, 10) < 1 ||
        getsockopt(SYSTEMD_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) < 0 || listening == 0 ||
        getsockname(SYSTEMD_FD, (struct sockaddr *)&ret_place->address, &ret_place->n) < 0)
        return err_set(err, ERR_INVALID,
                       "systemd has given no socket to listen on: start it by its socket unit, or "
                       "give --listen an address");
    ret_place->here = is_here(&ret_place->address);
    return 0;
}

static int read_place(const char *listen, bool open, struct place *ret_place, struct err *err)
{
    *ret_place = (struct place){.systemd = false};
    int rc = strcmp(listen, "systemd") == 0     ? read_systemd(ret_place, err)
             : strncmp(listen, "unix:", 5) == 0 ? read_unix(listen, ret_place, err)
                                                : read_tcp(listen, ret_place, err);
    if (rc < 0)
        return err_trace(err);
    if (open && !ret_place->here)
        return err_set(err, ERR_INVALID,
                       "--dev asks nobody who he is, so it listens on loopback only, and %s is "
                       "another address: leave out --dev and make users with pawl user",
                       listen);
    return 0;
}

int server_check_address(const char *listen, bool open, struct err *err)
{
    struct place place;

    /* The socket is only there when it is started. */
    if (strcmp(listen, "systemd") == 0)
        return 0;
    return read_place(listen, open, &place, err) < 0 ? err_trace(err) : 0;
}

/* A socket's file that nobody listens on any more is in the way of the next one. */
static void remove_stale(const struct place *place)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&place->address;
    struct stat stat;

    if (lstat(un->sun_path, &stat) < 0 || !S_ISSOCK(stat.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)un, place->n) < 0 && errno == ECONNREFUSED)
        unlink(un->sun_path);
    if (fd >= 0)
        close(fd);
}

static void write_address(const struct sockaddr_storage *address, char *ret_text, size_t room)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    const struct sockaddr_un *un = (const struct sockaddr_un *)address;
    char host[INET6_ADDRSTRLEN] = "";

    if (address->ss_family == AF_UNIX) {
        snprintf(ret_text, room, "unix:%.*s", (int)sizeof(un->sun_path), un->sun_path);
        return;
    }
    bool six = address->ss_family == AF_INET6;
    inet_ntop(address->ss_family, six ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr,
              host, sizeof(host));
    snprintf(ret_text, room, six ? "[%s]:%u" : "%s:%u", host,
             (unsigned)ntohs(six ? v6->sin6_port : v4->sin_port));
}

int listen_there(const char *where, bool open, struct listening *ret_listening, struct err *err)
{
    struct place place;
    int yes = 1;

    if (read_place(where, open, &place, err) < 0)
        return err_trace(err);
    *ret_listening = (struct listening){.fd = SYSTEMD_FD, .here = place.here};
    if (place.systemd) {
        fcntl(SYSTEMD_FD, F_SETFD, FD_CLOEXEC);
        fcntl(SYSTEMD_FD, F_SETFL, fcntl(SYSTEMD_FD, F_GETFL) | O_NONBLOCK);
        write_address(&place.address, ret_listening->address, sizeof(ret_listening->address));
        return 0;
    }
    bool local = place.address.ss_family == AF_UNIX;
    if (local)
        remove_stale(&place);
    int fd = socket(place.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot make a socket: %s", strerror(errno));
    if ((!local && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0) ||
        bind(fd, (struct sockaddr *)&place.address, place.n) < 0 || listen(fd, BACKLOG) < 0 ||
        (!local && getsockname(fd, (struct sockaddr *)&place.address, &place.n) < 0)) {
        err_set(err, ERR_IO, "cannot listen on %s: %s", where, strerror(errno));
        close(fd);
        return -1;
    }
    ret_listening->fd = fd;
    ret_listening->unlink = local;
    write_address(&place.address, ret_listening->address, sizeof(ret_listening->address));
    return 0;
}
