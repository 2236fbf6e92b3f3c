/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"

#define ALIKE_SLOTS 32u
#define ALIKE_SECONDS 10

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const format_names[] = {"logfmt", "json"};
static const int priorities[] = {7, 6, 4, 3}; /* of syslog, for the journal */

struct alike {
    uint64_t hash; /* 0: none yet */
    time_t since;
    unsigned n;
    enum log_level level;
    char message[128];
};

/* stderr is the whole process's, and so is this. */
struct log {
    atomic_int level, format;
    atomic_bool journal;
    pthread_mutex_t lock;            /* leaf */
    struct alike alike[ALIKE_SLOTS]; /* guarded by lock */
};
static struct log log_state = {.level = LOG_LEVEL_INFO, .lock = PTHREAD_MUTEX_INITIALIZER};

void log_set_level(enum log_level level)
{
    atomic_store(&log_state.level, (int)level);
}

void log_set_format(enum log_format format)
{
    atomic_store(&log_state.format, (int)format);
}

void log_find_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    atomic_store(&log_state.journal,
                 stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
                     fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode);
}

static bool parse(const char *text, const char *const *names, size_t n, int *ret_index)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], text) == 0) {
            *ret_index = (int)i;
            return true;
        }
    }
    return false;
}

bool log_level_parse(const char *text, enum log_level *ret_level)
{
    int i;

    if (!parse(text, level_names, ARRAY_LEN(level_names), &i))
        return false;
    *ret_level = (enum log_level)i;
    return true;
}

bool log_format_parse(const char *text, enum log_format *ret_format)
{
    int i;

    if (!parse(text, format_names, ARRAY_LEN(format_names), &i))
        return false;
    *ret_format = (enum log_format)i;
    return true;
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

/* ---- A line, as text with an end: what does not fit is left out ---- */

struct line {
    char text[LIMIT_LOG_LINE_BYTES];
    size_t n;
};

static void add_n(struct line *line, const char *text, size_t n)
{
    /* Room for what closes a JSON object, and for the line's end. */
    size_t left = sizeof(line->text) - 4 - line->n;

    n = n < left ? n : left;
    memcpy(line->text + line->n, text, n);
    line->n += n;
    line->text[line->n] = '\0';
}

static void add(struct line *line, const char *text)
{
    add_n(line, text, strlen(text));
}

/* ---- key=value pairs ---- */

struct pair {
    const char *key, *value;
    size_t key_n, value_n; /* a value in quotes has them */
};

/* The next one; moves *at behind it. */
static bool next_pair(const char **at, struct pair *ret_pair)
{
    const char *c = *at + strspn(*at, " ");

    if (*c == '\0')
        return false;
    ret_pair->key = c;
    ret_pair->key_n = strcspn(c, "= ");
    c += ret_pair->key_n;
    ret_pair->value = *c == '=' ? ++c : c;
    if (*c == '"') {
        for (c++; *c != '\0' && *c != '"'; c++)
            if (*c == '\\' && c[1] != '\0')
                c++;
        c += *c == '"';
    } else {
        c += strcspn(c, " ");
    }
    ret_pair->value_n = (size_t)(c - ret_pair->value);
    *at = c;
    return true;
}

static bool is_number(const char *text, size_t n)
{
    size_t i = n > 0 && text[0] == '-', digits = i;

    while (i < n && text[i] >= '0' && text[i] <= '9')
        i++;
    if (i == digits || (text[digits] == '0' && i > digits + 1))
        return false;
    if (i < n && text[i] == '.') {
        digits = ++i;
        while (i < n && text[i] >= '0' && text[i] <= '9')
            i++;
    }
    return i == n && i > digits;
}

static void add_json(struct line *line, const struct pair *pair)
{
    /* log_quote()'s escapes are JSON's; a cut line may end inside of one, or of a character. */
    char value[LIMIT_LOG_LINE_BYTES];
    bool quoted = pair->value_n > 0 && pair->value[0] == '"';
    size_t n = 0, end = pair->value_n;

    if (quoted && end > 1 && pair->value[end - 1] == '"')
        end--;
    for (size_t i = quoted; i < end; i++) {
        char c = pair->value[i];
        if (c == '\\' && (!quoted || i + 1 == end))
            continue;
        value[n++] = c;
        if (c == '\\')
            value[n++] = pair->value[++i];
    }
    value[n] = '\0';
    utf8_repair(value);
    if (line->n + pair->key_n + n + 10 > sizeof(line->text))
        return;
    add(line, ",\"");
    add_n(line, pair->key, pair->key_n);
    add(line, "\":");
    bool number = !quoted && is_number(value, n);
    add(line, number ? "" : "\"");
    add_n(line, value, n);
    add(line, number ? "" : "\"");
}

/* ---- Lines that say the same ---- */

/* Of two instances the same may be said: what tells them apart counts for nothing. */
static uint64_t likeness(enum log_level level, const char *message, const char *pairs)
{
    static const char *const own[] = {"business_key", "instance", "call", "attempt", "ms"};
    uint64_t hash = UINT64_C(14695981039346656037) ^ (uint64_t)level;
    struct pair pair;

    for (const char *c = message; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    while (next_pair(&pairs, &pair)) {
        bool skip = false;
        for (size_t i = 0; i < ARRAY_LEN(own); i++)
            skip |= strlen(own[i]) == pair.key_n && memcmp(own[i], pair.key, pair.key_n) == 0;
        for (const char *c = pair.key; !skip && c < pair.value + pair.value_n; c++)
            hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    }
    return hash | 1;
}

static void write_line(enum log_level level, const char *message, const char *pairs)
{
    bool json = atomic_load(&log_state.format) == LOG_FORMAT_JSON;
    bool journal = atomic_load(&log_state.journal);
    struct line line = {.n = 0};
    struct pair pair;
    char head[300], stamp[40] = "";
    struct timespec now;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    size_t n = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(stamp + n, sizeof(stamp) - n, ".%03dZ", (int)(now.tv_nsec / 1000000));
    if (journal) {
        snprintf(head, sizeof(head), "<%d>", priorities[level]);
        add(&line, head);
    }
    snprintf(head, sizeof(head),
             json ? "{%s%s%s\"level\":\"%s\",\"msg\":\"%s\"" : "%s%s%slevel=%s msg=\"%s\"",
             journal ? ""
             : json  ? "\"ts\":\""
                     : "ts=",
             journal ? "" : stamp,
             journal ? ""
             : json  ? "\","
                     : " ",
             level_names[level], message);
    add(&line, head);
    if (json) {
        while (next_pair(&pairs, &pair))
            add_json(&line, &pair);
        line.text[line.n++] = '}';
    } else if (*pairs != '\0') {
        add(&line, " ");
        add(&line, pairs);
    }
    line.text[line.n++] = '\n';
    /* A log that cannot be written has nowhere to be reported. */
    ssize_t written = write(STDERR_FILENO, line.text, line.n);
    (void)written;
}

/* With the lock: what there is to say of a slot whose time is over. */
static bool take_left_out(struct alike *alike, struct alike *ret_copy)
{
    *ret_copy = *alike;
    alike->hash = 0;
    return ret_copy->hash != 0 && ret_copy->n > LIMIT_LOG_ALIKE;
}

static void say_left_out(const struct alike *alike)
{
    char pairs[300], message[200];

    snprintf(pairs, sizeof(pairs), "lines=%u line=%s", alike->n - LIMIT_LOG_ALIKE,
             log_quote(alike->message, message, sizeof(message)));
    write_line(alike->level, "lines like one before were left out", pairs);
}

/* Whether the line is one of too many. Says what was left out when its time is over. */
static bool too_many(enum log_level level, const char *message, const char *pairs)
{
    uint64_t hash = likeness(level, message, pairs);
    struct alike *alike = &log_state.alike[hash / 2 % ALIKE_SLOTS], before;
    struct timespec now;
    bool say = false;

    clock_gettime(CLOCK_MONOTONIC, &now);
    pthread_mutex_lock(&log_state.lock);
    if (alike->hash != hash || now.tv_sec - alike->since >= ALIKE_SECONDS) {
        say = take_left_out(alike, &before);
        *alike = (struct alike){.hash = hash, .since = now.tv_sec, .level = level};
        snprintf(alike->message, sizeof(alike->message), "%s", message);
    }
    bool many = ++alike->n > LIMIT_LOG_ALIKE;
    pthread_mutex_unlock(&log_state.lock);
    if (say)
        say_left_out(&before);
    return many;
}

void log_flush(void)
{
    for (size_t i = 0; i < ALIKE_SLOTS; i++) {
        struct alike before;
        pthread_mutex_lock(&log_state.lock);
        bool say = take_left_out(&log_state.alike[i], &before);
        pthread_mutex_unlock(&log_state.lock);
        if (say)
            say_left_out(&before);
    }
}

void log_line(enum log_level level, const char *message, const char *format, ...)
{
    char pairs[LIMIT_LOG_LINE_BYTES] = "";

    if ((int)level < atomic_load(&log_state.level))
        return;
    if (format != NULL) {
        va_list args;
        va_start(args, format);
        vsnprintf(pairs, sizeof(pairs), format, args);
        va_end(args);
    }
    if (level == LOG_LEVEL_DEBUG || !too_many(level, message, pairs))
        write_line(level, message, pairs);
}
