/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <strings.h>

#include "base/limits.h"
#include "engine/value.h"
#include "jobexec/response.h"
#include "jobexec/retry_after.h"

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = {"",        "answered", "status",  "unreadable",
                                        "timeout", "offline",  "unknown", "refused",
                                        "failed",  "bpmnError"};

    assert((size_t)outcome < ARRAY_LEN(names));
    return names[outcome];
}

/* ---- Text of unknown origin as UTF-8 that PostgreSQL takes ---- */

/* Bytes of one valid UTF-8 character that is not NUL; 0: there is none. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    if (s[0] < 0x80)
        return s[0] != 0;
    size_t want = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : 4;
    if (s[0] < 0xc2 || s[0] > 0xf4 || want > n)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0; /* overlong, surrogate, past U+10FFFF */
    return want;
}

static bool utf8_valid(const char *text, size_t n)
{
    for (size_t i = 0, step; i < n; i += step) {
        step = utf8_length((const unsigned char *)text + i, n - i);
        if (step == 0)
            return false;
    }
    return true;
}

static void add_string(struct buf *out, const char *text, size_t n)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            buf_add_char(out, '\\');
            buf_add_char(out, (char)c);
        } else if (c < 0x20) {
            buf_printf(out, "\\u%04x", c);
        } else {
            buf_add_char(out, (char)c);
        }
    }
    buf_add_char(out, '"');
}

/* Takes what is not UTF-8 as Latin-1, the old meaning of bytes in HTTP headers; leaves NULs out. */
static void add_lenient(struct buf *out, const char *text, size_t n)
{
    if (utf8_valid(text, n)) {
        add_string(out, text, n);
        return;
    }
    struct buf utf8 CLEANUP(buf_deinit);
    buf_init(&utf8, 0);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80) {
            buf_add_char(&utf8, (char)(0xc0 | (c >> 6)));
            buf_add_char(&utf8, (char)(0x80 | (c & 0x3f)));
        } else if (c != 0) {
            buf_add_char(&utf8, (char)c);
        }
    }
    add_string(out, buf_str(&utf8), utf8.len);
}

/* ---- Headers ---- */

struct field {
    const char *name; /* lower case */
    const char *value;
    size_t value_n;
};

/* The lines of the head as fields, in order; lines without a name are left out. */
static struct field *read_fields(struct arena *arena, const struct buf *head, size_t *ret_n)
{
    struct field *fields = NULL;
    size_t n = 0, capacity = 0;
    const char *end = buf_str(head) + head->len;

    for (const char *line = buf_str(head), *next; line < end; line = next + 1) {
        next = memchr(line, '\n', (size_t)(end - line));
        if (next == NULL)
            break;
        const char *colon = memchr(line, ':', (size_t)(next - line));
        if (colon == NULL || colon == line || (size_t)(colon - line) > LIMIT_NAME_BYTES)
            continue;
        char *name = arena_strndup(arena, line, (size_t)(colon - line));
        for (char *c = name; *c != '\0'; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c - 'A' + 'a');
        const char *value = colon + 1, *value_end = next;
        while (value < value_end && (*value == ' ' || *value == '\t'))
            value++;
        while (value_end > value && (value_end[-1] == ' ' || value_end[-1] == '\t'))
            value_end--;
        struct field *field = arena_push(arena, fields, n, capacity);
        *field =
            (struct field){.name = name, .value = value, .value_n = (size_t)(value_end - value)};
    }
    *ret_n = n;
    return fields;
}

static void add_headers(struct buf *out, const struct field *fields, size_t n)
{
    bool first = true;
    struct buf joined CLEANUP(buf_deinit);

    buf_init(&joined, 0);
    buf_add_char(out, '{');
    for (size_t i = 0; i < n; i++) {
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = strcmp(fields[j].name, fields[i].name) == 0;
        if (seen)
            continue;
        /* One that comes several times is one list (RFC 9110, 5.3). */
        buf_reset(&joined);
        for (size_t j = i; j < n; j++) {
            if (strcmp(fields[j].name, fields[i].name) != 0)
                continue;
            if (j != i)
                buf_add_str(&joined, ", ");
            buf_add(&joined, fields[j].value, fields[j].value_n);
        }
        if (!first)
            buf_add_char(out, ',');
        first = false;
        add_lenient(out, fields[i].name, strlen(fields[i].name));
        buf_add_char(out, ':');
        add_lenient(out, buf_str(&joined), joined.len);
    }
    buf_add_char(out, '}');
}

/* ---- The body ---- */

enum media { MEDIA_JSON, MEDIA_TEXT, MEDIA_NONE };

static bool ends_with(const char *text, size_t n, const char *end)
{
    size_t m = strlen(end);

    return n >= m && strncasecmp(text + n - m, end, m) == 0;
}

/* application/json, text/json, anything+json are JSON; parameters after ; do not count. */
static enum media media_of(const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, "content-type") != 0)
            continue;
        const char *value = fields[i].value;
        const char *semicolon = memchr(value, ';', fields[i].value_n);
        size_t length = semicolon != NULL ? (size_t)(semicolon - value) : fields[i].value_n;
        while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
            length--;
        if (ends_with(value, length, "/json") || ends_with(value, length, "+json"))
            return MEDIA_JSON;
        return length != 0 ? MEDIA_TEXT : MEDIA_NONE;
    }
    return MEDIA_NONE;
}

/* JSON with its numbers and member order as they came, without the space around it. */
static bool json_body(struct arena *arena, const struct buf *answer, struct buf *out,
                      struct err *err)
{
    struct value value;
    const char *text = buf_str(answer);
    size_t n = answer->len;

    if (value_read(arena, text, n, &value, err) < 0)
        return false;
    while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
        n--;
    while (n > 0 && strchr(" \t\r\n", *text) != NULL) {
        text++;
        n--;
    }
    buf_add(out, text, n);
    return true;
}

/*
 * Writes the body as a JSON value into out. False: it cannot be read, and `error` says why; a body
 * that is text is there all the same.
 */
static bool read_body(struct arena *arena, const struct buf *answer, enum media media,
                      struct buf *out, const char **ret_error)
{
    struct err err = {0};

    if (answer->len == 0) {
        buf_add_str(out, "null");
        return true;
    }
    bool looks = buf_str(answer)[0] == '{' || buf_str(answer)[0] == '[';
    if (media == MEDIA_JSON || (media == MEDIA_NONE && looks)) {
        if (json_body(arena, answer, out, &err))
            return true;
        if (media == MEDIA_JSON)
            *ret_error = arena_printf(arena, "the answer cannot be read: %s", err.text);
    }
    if (!utf8_valid(buf_str(answer), answer->len)) {
        buf_add_str(out, "null");
        if (*ret_error == NULL)
            *ret_error = "the answer is neither JSON nor UTF-8 text";
        return false;
    }
    add_string(out, buf_str(answer), answer->len);
    return *ret_error == NULL;
}

/* ---- All together ---- */

static const char *field_text(const struct field *fields, size_t n, const char *name, char *room,
                              size_t room_bytes)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) != 0 || fields[i].value_n >= room_bytes)
            continue;
        snprintf(room, room_bytes, "%.*s", (int)fields[i].value_n, fields[i].value);
        return room;
    }
    return NULL;
}

/* How long a service that has too much to do wants to be left alone. */
static int64_t add_retry_after(struct buf *out, const struct http_exchange *exchange,
                               const struct field *fields, size_t n)
{
    char after[64], reset[64], date[64];
    int64_t ms = -1;
    int status = exchange->status;

    if (status == 429 || status == 503)
        ms = retry_after_ms(field_text(fields, n, "retry-after", after, sizeof(after)),
                            field_text(fields, n, "ratelimit-reset", reset, sizeof(reset)),
                            field_text(fields, n, "date", date, sizeof(date)), exchange->ended_s);
    if (ms < 0)
        buf_add_str(out, ",\"retryAfterMs\":null");
    else
        buf_printf(out, ",\"retryAfterMs\":%lld", (long long)ms);
    return ms;
}

enum outcome outcome_of(const struct http_exchange *exchange, bool readable)
{
    switch (exchange->result) {
    case HTTP_NO_CONNECTION:
        return OUTCOME_OFFLINE;
    case HTTP_TIMED_OUT:
        return OUTCOME_TIMEOUT;
    case HTTP_REFUSED:
        return OUTCOME_REFUSED;
    case HTTP_COMPLETE:
    case HTTP_BROKEN:
    case HTTP_TOO_LARGE:
        break;
    case HTTP_NOT_SENT:
    case HTTP_GIVEN_UP:
    default:
        return OUTCOME_UNKNOWN;
    }
    /* An answer without a status is none: the connection ended first. */
    if (exchange->status != 0 && (exchange->status < 200 || exchange->status > 299))
        return OUTCOME_STATUS;
    return readable && exchange->result == HTTP_COMPLETE ? OUTCOME_ANSWERED : OUTCOME_UNREADABLE;
}

void response_build(struct arena *arena, const char *endpoint, uint32_t attempt,
                    const struct http_exchange *exchange, struct response *ret_response)
{
    struct buf out CLEANUP(buf_deinit), body CLEANUP(buf_deinit);
    const char *unreadable = NULL;
    size_t n_fields;

    buf_init(&out, 0);
    buf_init(&body, 0);
    struct field *fields = read_fields(arena, &exchange->head, &n_fields);
    bool readable = true;
    if (exchange->result == HTTP_COMPLETE)
        readable =
            read_body(arena, &exchange->answer, media_of(fields, n_fields), &body, &unreadable);
    else
        buf_add_str(&body, "null");
    enum outcome outcome = outcome_of(exchange, readable);
    bool ok = outcome == OUTCOME_ANSWERED;
    buf_printf(&out, "{\"outcome\":\"%s\",\"ok\":%s,\"status\":", outcome_name(outcome),
               ok ? "true" : "false");
    if (exchange->status != 0)
        buf_printf(&out, "%d", exchange->status);
    else
        buf_add_str(&out, "null");
    buf_add_str(&out, ",\"headers\":");
    add_headers(&out, fields, n_fields);
    buf_add_str(&out, ",\"body\":");
    buf_add(&out, buf_str(&body), body.len);
    buf_add_str(&out, ",\"error\":");
    const char *why = exchange->error[0] != '\0'      ? exchange->error
                      : outcome == OUTCOME_UNREADABLE ? unreadable
                                                      : NULL;
    if (ok) {
        buf_add_str(&out, "null");
    } else {
        const char *text = why != NULL
                               ? arena_printf(arena, "endpoint %s: %s", endpoint, why)
                               : arena_printf(arena, "endpoint %s answered with HTTP status %d",
                                              endpoint, exchange->status);
        add_lenient(&out, text, strlen(text));
    }
    int64_t wait_ms = add_retry_after(&out, exchange, fields, n_fields);
    buf_printf(&out, ",\"attempt\":%u,\"ms\":%lld,\"fromCache\":false}", (unsigned)attempt,
               (long long)((exchange->duration_us + 500) / 1000));
    *ret_response =
        (struct response){.outcome = outcome, .ok = ok, .retry_after_ms = wait_ms, .n = out.len};
    ret_response->text = arena_strndup(arena, buf_str(&out), out.len);
}
