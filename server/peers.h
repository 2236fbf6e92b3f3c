/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Connections and their deadlines: whose turn it is, and for how long. */
#include <microhttpd.h>

#include "server/server_internal.h"

/* NULL is allowed: no memory was left for it. */
void peer_clients_turn(struct peer *peer, double seconds);
void peer_our_turn(struct peer *peer);
/* MHD_NotifyConnectionCallback; context: the server. */
void peer_notify(void *context, struct MHD_Connection *connection, void **own,
                 enum MHD_ConnectionNotificationCode what);
/* The thread that ends connections whose time is over, and waits; context: the server. */
void *peer_tick(void *context);
