/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

static enum log_level log_threshold = LOG_LEVEL_INFO; /* set before threads start */

void log_set_level(enum log_level level)
{
    log_threshold = level;
}

const char *log_quote(const char *text, char *room, size_t room_bytes)
{
    size_t n = 0;

    assert(room_bytes >= 3);
    room[n++] = '"';
    for (; *text != '\0' && n + 4 < room_bytes; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            room[n++] = '\\';
            room[n++] = (char)c;
        } else if (c == '\n') {
            room[n++] = '\\';
            room[n++] = 'n';
        } else {
            room[n++] = c < 0x20 ? ' ' : (char)c;
        }
    }
    room[n++] = '"';
    room[n] = '\0';
    return room;
}

void log_line(enum log_level level, const char *message, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};

    if (level < log_threshold)
        return;
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    char line[4096];
    size_t n = strftime(line, sizeof(line), "ts=%Y-%m-%dT%H:%M:%S", &tm);
    int more = snprintf(line + n, sizeof(line) - n, ".%03dZ level=%s msg=\"%s\"",
                        (int)(now.tv_nsec / 1000000), names[level], message);
    n += (size_t)more;
    if (format != NULL) {
        line[n++] = ' ';
        va_list args;
        va_start(args, format);
        more = vsnprintf(line + n, sizeof(line) - n - 1, format, args);
        va_end(args);
        n += (size_t)more < sizeof(line) - n - 1 ? (size_t)more : sizeof(line) - n - 2;
    }
    line[n++] = '\n';
    /* A log that cannot be written has nowhere to be reported. */
    ssize_t written = write(STDERR_FILENO, line, n);
    (void)written;
}
