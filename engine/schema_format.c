/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <limits.h>

#include "engine/schema_internal.h"

/* The formats of draft-07, but for those of URIs (schema_format_uri.c). */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool letter_or_digit(char c)
{
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Two digits, at most `max`; -1: they are not there. */
static int two(const char *p, int max)
{
    int number = digit(p[0]) && digit(p[1]) ? (p[0] - '0') * 10 + p[1] - '0' : -1;

    return number <= max ? number : -1;
}

/* RFC 3339 full-date; the text has at least ten bytes or ends with NUL. */
static bool date_at(const char *p)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int century, year, month, day;

    if ((century = two(p, 99)) < 0 || (year = two(p + 2, 99)) < 0 || p[4] != '-' ||
        (month = two(p + 5, 12)) < 1 || p[7] != '-' || (day = two(p + 8, 31)) < 1)
        return false;
    year += century * 100;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= days[month - 1] - (month == 2 && !leap);
}

/* RFC 3339 full-time, to the end of the text. A leap second is the last of a day of UTC. */
static bool time_at(const char *p)
{
    int hour, minute, second, sign = 0, off_hour = 0, off_minute = 0;

    if ((hour = two(p, 23)) < 0 || p[2] != ':' || (minute = two(p + 3, 59)) < 0 || p[5] != ':' ||
        (second = two(p + 6, 60)) < 0)
        return false;
    p += 8;
    if (*p == '.') {
        if (!digit(*++p))
            return false;
        while (digit(*p))
            p++;
    }
    if (*p == '+' || *p == '-') {
        sign = *p == '+' ? -1 : 1;
        if ((off_hour = two(p + 1, 23)) < 0 || p[3] != ':' || (off_minute = two(p + 4, 59)) < 0)
            return false;
        p += 6;
    } else if (*p == 'Z' || *p == 'z') {
        p++;
    } else {
        return false;
    }
    int utc = (hour * 60 + minute + sign * (off_hour * 60 + off_minute) + 2880) % 1440;
    return *p == '\0' && (second < 60 || utc == 1439);
}

static bool format_date(const char *text, size_t n, struct arena *arena)
{
    (void)arena;
    return n == 10 && date_at(text);
}

static bool format_time(const char *text, size_t n, struct arena *arena)
{
    (void)arena;
    return n >= 9 && time_at(text);
}

static bool format_date_time(const char *text, size_t n, struct arena *arena)
{
    (void)arena;
    return n >= 20 && date_at(text) && (text[10] == 'T' || text[10] == 't') && time_at(text + 11);
}

/* RFC 1123: labels of letters, digits and inner hyphens. */
static bool format_hostname(const char *text, size_t n, struct arena *arena)
{
    (void)arena;
    if (n == 0 || n > 253)
        return false;
    for (const char *p = text;; p++) {
        size_t length = strcspn(p, ".");
        if (length == 0 || length > 63 || p[0] == '-' || p[length - 1] == '-')
            return false;
        for (size_t i = 0; i < length; i++) {
            if (!letter_or_digit(p[i]) && p[i] != '-')
                return false;
        }
        p += length;
        if (*p == '\0')
            return true;
    }
}

/* The next character; the text is UTF-8. */
static unsigned long character(const char **p)
{
    const unsigned char *s = (const unsigned char *)*p;
    unsigned long code = s[0];
    int more = code < 0x80 ? 0 : code < 0xe0 ? 1 : code < 0xf0 ? 2 : 3;

    if (more > 0)
        code &= 0x3ful >> more;
    for (int i = 1; i <= more; i++)
        code = code << 6 | (s[i] & 0x3f);
    *p += more + 1;
    return code;
}

/* How long the label is in ASCII (RFC 3492); SIZE_MAX: longer than 63. */
static size_t ascii_length(const char *label, size_t n)
{
    unsigned long codes[64], code = 128, delta = 0, bias = 72;
    size_t n_codes = 0, length = 0, done;

    for (const char *p = label; p < label + n; n_codes++) {
        if (n_codes == ARRAY_LEN(codes))
            return SIZE_MAX;
        codes[n_codes] = character(&p);
        length += codes[n_codes] < 128;
    }
    if (length == n_codes)
        return length;
    done = length;
    length += length > 0 ? 5 : 4; /* xn--, and the hyphen behind what is ASCII */
    for (bool first = true; done < n_codes; delta++, code++) {
        unsigned long next = ULONG_MAX;
        for (size_t i = 0; i < n_codes; i++) {
            if (codes[i] >= code && codes[i] < next)
                next = codes[i];
        }
        delta += (next - code) * (done + 1);
        code = next;
        for (size_t i = 0; i < n_codes; i++) {
            delta += codes[i] < code;
            if (codes[i] != code)
                continue;
            unsigned long q = delta, k = 36, t;
            for (;; k += 36) {
                t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
                length++;
                if (q < t)
                    break;
                q = (q - t) / (36 - t);
            }
            done++;
            delta = first ? delta / 700 : delta / 2;
            delta += delta / done;
            for (k = 0; delta > 455; k += 36)
                delta /= 35;
            bias = k + 36 * delta / (delta + 38);
            delta = 0;
            first = false;
        }
    }
    return length <= 63 ? length : SIZE_MAX;
}

/* RFC 5890: letters, marks and digits of any script; the exceptions of RFC 5892, 2.6. */
static bool idn_label(const char *label, size_t n, struct arena *arena)
{
    static const char allowed[] = "^(?!\\p{M})[\\p{L}\\p{M}\\p{Nd}\\u00b7\\u0375\\u05f3\\u05f4"
                                  "\\u30fb\\u200c\\u200d-]+$";
    static const char exceptions[] =
        "[\\u0640\\u07fa\\u302e\\u302f\\u3031-\\u3035\\u303b]|^-|-$|^\\u00b7|\\u00b7$";
    struct work work = {.left = 1000000, .arena = arena};
    const struct pattern *yes, *no;

    return n > 0 && ascii_length(label, n) != SIZE_MAX &&
           pattern_compile(arena, allowed, strlen(allowed), &yes, NULL) == 0 &&
           pattern_compile(arena, exceptions, strlen(exceptions), &no, NULL) == 0 &&
           pattern_match(yes, label, n, &work) == PATTERN_YES &&
           pattern_match(no, label, n, &work) == PATTERN_NO;
}

static bool format_idn_hostname(const char *text, size_t n, struct arena *arena)
{
    /* The full stops that RFC 3490 takes for one. */
    static const char *const stops[] = {".", "\u3002", "\uff0e", "\uff61"};
    const char *from = text, *end = text + n;

    if (n == 0 || n > 1000)
        return false;
    for (const char *p = text;;) {
        size_t stop = 0;
        for (size_t i = 0; i < ARRAY_LEN(stops); i++) {
            if (strncmp(p, stops[i], strlen(stops[i])) == 0)
                stop = strlen(stops[i]);
        }
        if (stop > 0 || p == end) {
            if (!idn_label(from, (size_t)(p - from), arena))
                return false;
            if (p == end)
                return true;
            from = p + stop;
        }
        p += stop > 0 ? stop : 1;
    }
}

/* RFC 5321: a dot-string or quoted string, @, a host name or an address in brackets. */
static bool email(const char *text, size_t n, struct arena *arena, bool international)
{
    const char *at = memrchr(text, '@', n);
    size_t local = at != NULL ? (size_t)(at - text) : 0;

    if (local == 0 || local > 64 * (international ? 4u : 1u))
        return false;
    bool quoted = local >= 2 && text[0] == '"' && text[local - 1] == '"';
    for (size_t i = quoted; i < local - quoted; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80 && international)
            continue;
        if (quoted ? c < 0x20 || c > 0x7e || (c == '"' && text[i - 1] != '\\')
                   : !letter_or_digit((char)c) &&
                         (c == 0 || c > 0x7e || strchr("!#$%&'*+-/=?^_`{|}~.", c) == NULL))
            return false;
        if (!quoted && c == '.' && (i == 0 || i + 1 == local || text[i - 1] == '.'))
            return false;
    }
    const char *host = at + 1;
    size_t host_n = n - local - 1;
    if (host_n > 2 && host[0] == '[' && host[host_n - 1] == ']') {
        bool six = strncmp(host, "[IPv6:", 6) == 0;
        return six ? host_n > 7 && format_is_ipv6(host + 6, host_n - 7)
                   : format_is_ipv4(host + 1, host_n - 2);
    }
    return international ? format_idn_hostname(host, host_n, arena)
                         : format_hostname(host, host_n, arena);
}

static bool format_email(const char *text, size_t n, struct arena *arena)
{
    return email(text, n, arena, false);
}

static bool format_idn_email(const char *text, size_t n, struct arena *arena)
{
    return email(text, n, arena, true);
}

bool format_is_ipv4(const char *text, size_t n)
{
    const char *p = text, *end = text + n;

    for (int part = 0; part < 4; part++) {
        int number = 0;
        const char *from = p;
        while (p < end && digit(*p) && p - from < 4)
            number = number * 10 + (*p++ - '0');
        if (p == from || number > 255 || (p - from > 1 && *from == '0'))
            return false;
        if (part < 3 && (p == end || *p++ != '.'))
            return false;
    }
    return p == end;
}

bool format_is_ipv6(const char *text, size_t n)
{
    const char *p = text, *end = text + n;
    int groups = 0;
    bool gap = false;

    if (n >= 2 && p[0] == ':' && p[1] == ':') {
        gap = true;
        p += 2;
    }
    while (p < end) {
        size_t digits = strspn(p, "0123456789abcdefABCDEF");
        if (digits > (size_t)(end - p))
            digits = (size_t)(end - p);
        if (p + digits < end && p[digits] == '.')
            return groups + 2 <= (gap ? 7 : 8) && (gap || groups == 6) &&
                   format_is_ipv4(p, (size_t)(end - p));
        if (digits == 0 || digits > 4 || ++groups > 8)
            return false;
        p += digits;
        if (p == end)
            break;
        if (*p++ != ':' || p == end)
            return false;
        if (*p == ':') {
            if (gap)
                return false;
            gap = true;
            p++;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

static bool format_ipv4(const char *text, size_t n, struct arena *arena)
{
    (void)arena;
    return format_is_ipv4(text, n);
}

static bool format_ipv6(const char *text, size_t n, struct arena *arena)
{
    (void)arena;
    return format_is_ipv6(text, n);
}

static bool format_json_pointer(const char *text, size_t n, struct arena *arena)
{
    (void)n;
    (void)arena;
    if (*text != '\0' && *text != '/')
        return false;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '~' && p[1] != '0' && p[1] != '1')
            return false;
    }
    return true;
}

static bool format_relative_json_pointer(const char *text, size_t n, struct arena *arena)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || (digits > 1 && text[0] == '0'))
        return false;
    return strcmp(text + digits, "#") == 0 || format_json_pointer(text + digits, n - digits, arena);
}

static bool format_regex(const char *text, size_t n, struct arena *arena)
{
    const struct pattern *pattern;

    return pattern_compile(arena, text, n, &pattern, NULL) == 0;
}

format_fn *format_find(const char *name)
{
    static const struct {
        const char *name;
        format_fn *fn;
    } formats[] = {
        {"date-time", format_date_time},
        {"date", format_date},
        {"time", format_time},
        {"email", format_email},
        {"idn-email", format_idn_email},
        {"hostname", format_hostname},
        {"idn-hostname", format_idn_hostname},
        {"ipv4", format_ipv4},
        {"ipv6", format_ipv6},
        {"uri", format_uri},
        {"uri-reference", format_uri_reference},
        {"iri", format_iri},
        {"iri-reference", format_iri_reference},
        {"uri-template", format_uri_template},
        {"json-pointer", format_json_pointer},
        {"relative-json-pointer", format_relative_json_pointer},
        {"regex", format_regex},
    };

    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].fn;
    }
    return NULL;
}
