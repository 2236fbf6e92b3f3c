/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One line an event on stderr, key=value (logfmt), one write a line, so that threads do not mix.
 * Only jobexec, server and cli log. Never log payloads or secrets. Any thread may call.
 */
#include "base/build.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/*
 * message: fixed words; format: the rest of the line as key=value pairs, values quoted by the
 * caller with log_quote() where they come from outside; may be NULL.
 */
void log_line(enum log_level level, const char *message, const char *format, ...) PRINTF_LIKE(3, 4);
/* Writes text as a quoted logfmt value into `room`, cut to fit, control characters escaped. */
const char *log_quote(const char *text, char *room, size_t room_bytes);
/* Lines below the level are dropped; INFO unless told. Call before threads start. */
void log_set_level(enum log_level level);
