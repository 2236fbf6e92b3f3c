/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "server/await.h"
#include "server/fetch.h"
#include "server/peers.h"

#define TICK_US 100000

void peer_clients_turn(struct peer *peer, double seconds)
{
    if (peer != NULL)
        atomic_store(&peer->deadline_us, clock_mono_us() + (int64_t)(seconds * 1e6));
}

void peer_our_turn(struct peer *peer)
{
    if (peer != NULL)
        atomic_store(&peer->deadline_us, 0);
}

void peer_notify(void *context, struct MHD_Connection *connection, void **own,
                 enum MHD_ConnectionNotificationCode what)
{
    struct server *server = context;
    struct peer *peer = *own;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *fd =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        peer = calloc(1, sizeof(*peer)); /* heap: freed below, when the connection closes */
        if (peer == NULL || fd == NULL) {
            free(peer);
            return;
        }
        peer->server = server;
        peer->fd = fd->connect_fd;
        peer_clients_turn(peer, server->options.request_s);
        pthread_mutex_lock(&server->lock);
        peer->next = server->peers;
        if (peer->next != NULL)
            peer->next->previous = peer;
        server->peers = peer;
        server->n_peers++;
        pthread_mutex_unlock(&server->lock);
        *own = peer;
    } else if (peer != NULL) {
        pthread_mutex_lock(&server->lock);
        if (peer->previous != NULL)
            peer->previous->next = peer->next;
        else
            server->peers = peer->next;
        if (peer->next != NULL)
            peer->next->previous = peer->previous;
        server->n_peers--;
        pthread_mutex_unlock(&server->lock);
        free(peer);
        *own = NULL;
    }
}

/* libmicrohttpd only knows how long a client is silent; one that sends a byte now and then is ended
 * here. Under the lock a connection cannot be closed, so its descriptor is its own. Waits end here,
 * too. */
void *peer_tick(void *context)
{
    struct server *server = context;
    struct timespec until;

    pthread_mutex_lock(&server->lock);
    while (!server->ending) {
        int64_t now_us = clock_mono_us(), next_us = now_us + TICK_US;
        for (struct peer *peer = server->peers; peer != NULL; peer = peer->next) {
            int64_t deadline_us = atomic_load(&peer->deadline_us);
            if (deadline_us != 0 && deadline_us < now_us)
                shutdown(peer->fd, SHUT_RDWR);
        }
        until = (struct timespec){.tv_sec = next_us / 1000000, .tv_nsec = next_us % 1000000 * 1000};
        pthread_mutex_unlock(&server->lock);
        awaits_tick(server->awaits, now_us);
        fetches_tick(server->fetches, now_us);
        pthread_mutex_lock(&server->lock);
        if (!server->ending)
            pthread_cond_timedwait(&server->ended, &server->lock, &until);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}
