/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What libcurl's requests wait for: their sockets, in an epoll set, and the next of their times. So
 * what happens on one socket costs the same however many others wait; curl_multi_perform() and
 * curl_multi_poll() go through all of them each time. Belongs to the connector's thread.
 */
#include <curl/curl.h>

#include "base/err.h"

struct sockets {
    CURLM *multi;
    int epoll, wakeup;
    int64_t due_us; /* clock_mono_us(): libcurl's next time; INT64_MAX: none */
};

/* Sets `multi` up to tell `sockets`, which must stay where it is, and be closed after `multi`,
 * whether it fails or not. */
int sockets_open(struct sockets *sockets, CURLM *multi, struct err *err) MUST_CHECK;
void sockets_close(struct sockets *sockets);
/* Ends the wait, or the next one; any thread. */
void sockets_wake(struct sockets *sockets);
/* Waits for a socket, for libcurl's next time, for sockets_wake(), or for at_most_us, and lets
 * libcurl do what there is to do: then curl_multi_info_read() knows what is done. */
void sockets_wait(struct sockets *sockets, int64_t at_most_us);
