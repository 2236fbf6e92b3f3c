/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "jobexec/sockets.h"

#define EVENTS_MAX 256 /* taken in one go */

/* ---- What libcurl tells ---- */

/* One that cannot be watched (no memory for it) leaves its request to its timeout. */
static int on_socket(CURL *easy UNUSED, curl_socket_t socket, int what, void *context,
                     void *ours UNUSED)
{
    const struct sockets *sockets = context;
    struct epoll_event event = {.data.fd = socket};

    event.events = ((what & CURL_POLL_IN) != 0 ? (uint32_t)EPOLLIN : 0) |
                   ((what & CURL_POLL_OUT) != 0 ? (uint32_t)EPOLLOUT : 0);
    if (what == CURL_POLL_REMOVE)
        (void)epoll_ctl(sockets->epoll, EPOLL_CTL_DEL, socket, NULL);
    else if (epoll_ctl(sockets->epoll, EPOLL_CTL_MOD, socket, &event) < 0 && errno == ENOENT)
        (void)epoll_ctl(sockets->epoll, EPOLL_CTL_ADD, socket, &event);
    return 0;
}

static int on_timer(CURLM *multi UNUSED, long wait_ms, void *context)
{
    struct sockets *sockets = context;

    sockets->due_us = wait_ms < 0 ? INT64_MAX : clock_mono_us() + (int64_t)wait_ms * 1000;
    return 0;
}

/* ---- What libcurl is told ---- */

/* What is wrong with a socket libcurl finds out by itself: 0. */
static void happened(struct sockets *sockets, const struct epoll_event *event)
{
    bool wrong = (event->events & (EPOLLERR | EPOLLHUP)) != 0;
    int running, what = ((event->events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                        ((event->events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0);
    uint64_t times;

    if (event->data.fd != sockets->wakeup)
        curl_multi_socket_action(sockets->multi, event->data.fd, wrong ? 0 : what, &running);
    else if (read(sockets->wakeup, &times, sizeof(times)) < 0 && errno != EAGAIN)
        abort(); /* it would never sleep again */
}

void sockets_wait(struct sockets *sockets, int64_t at_most_us)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t now_us = clock_mono_us();
    int64_t wait_us = sockets->due_us <= now_us ? 0 : sockets->due_us - now_us;
    int running;

    wait_us = wait_us < at_most_us ? wait_us : at_most_us > 0 ? at_most_us : 0;
    int n = epoll_wait(sockets->epoll, events, EVENTS_MAX, (int)((wait_us + 999) / 1000));
    for (int i = 0; i < n; i++)
        happened(sockets, &events[i]);
    if (sockets->due_us <= clock_mono_us()) {
        sockets->due_us = INT64_MAX; /* libcurl tells the next one */
        curl_multi_socket_action(sockets->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

void sockets_wake(struct sockets *sockets)
{
    const uint64_t once = 1;

    while (write(sockets->wakeup, &once, sizeof(once)) < 0 && errno == EINTR)
        continue; /* EAGAIN: it is awake */
}

/* ---- Its life ---- */

int sockets_open(struct sockets *sockets, CURLM *multi, struct err *err)
{
    *sockets = (struct sockets){.multi = multi, .due_us = INT64_MAX};
    sockets->epoll = epoll_create1(EPOLL_CLOEXEC);
    sockets->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = sockets->wakeup};
    if (sockets->epoll < 0 || sockets->wakeup < 0 ||
        epoll_ctl(sockets->epoll, EPOLL_CTL_ADD, sockets->wakeup, &event) < 0) {
        return err_set(err, ERR_IO, "cannot wait for sockets: %s", strerror(errno));
    }
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, sockets);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, sockets);
    return 0;
}

void sockets_close(struct sockets *sockets)
{
    if (sockets->epoll >= 0)
        close(sockets->epoll);
    if (sockets->wakeup >= 0)
        close(sockets->wakeup);
}
