/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What systemd is told of a service of Type=notify (sd_notify(3)): one datagram to $NOTIFY_SOCKET.
 * Without one nothing happens. Used by the main thread only.
 */
#include "base/build.h"

/* Lines of VARIABLE=value: "READY=1\nSTATUS=…". */
void systemd_notify(const char *format, ...) PRINTF_LIKE(1, 2);
/* RELOADING=1 with the time that systemd wants with it; READY=1 ends it. */
void systemd_reloading(void);
/* How often the watchdog wants to hear from this process, half of WatchdogSec; 0: it does not. */
int64_t systemd_watchdog_us(void);
