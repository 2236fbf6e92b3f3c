/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One line an event on stderr, one write a line, so that threads do not mix: key=value (logfmt), or
 * the same as a JSON object. To the journal a line begins with its priority and has no time, which
 * the journal notes itself. Only jobexec, server and cli log. Never log payloads or secrets. Any
 * thread may call.
 *
 * A flood is cut: of lines that say the same of different instances, LIMIT_LOG_ALIKE are written in
 * ten seconds, and then one that says how many were left out. Debug lines are not counted.
 */
#include "base/build.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/*
 * message: fixed words; format: the rest of the line as key=value pairs, values quoted by the
 * caller with log_quote() where they come from outside; may be NULL. A line about an instance
 * begins with business_key, instance and element.
 */
void log_line(enum log_level level, const char *message, const char *format, ...) PRINTF_LIKE(3, 4);
/* Writes text as a quoted logfmt value into `room`, cut to fit, control characters escaped. */
const char *log_quote(const char *text, char *room, size_t room_bytes);

/* Lines below the level are dropped; INFO unless told. Any time, as the next two. */
void log_set_level(enum log_level level);
void log_set_format(enum log_format format);
/* Says how many lines were left out and not yet reported. */
void log_flush(void);
/* Is stderr the journal (systemd sets JOURNAL_STREAM)? Then lines suit it. */
void log_find_journal(void);

/* The names of levels and formats: "info", "json". */
bool log_level_parse(const char *text, enum log_level *ret_level);
bool log_format_parse(const char *text, enum log_format *ret_format);
