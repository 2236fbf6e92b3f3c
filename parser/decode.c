/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From bytes to UTF-8, by our own rules: a short list of encodings instead of everything that iconv
 * knows, because the file comes from outside. Then one cheap look at the tags, for what would cost
 * a library too much time.
 */
#include "base/build.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "parser/xml.h"

/* The declaration is looked for in the first bytes only. */
#define DECLARATION_BYTES_MAX 512u

static int line_of(const char *text, size_t at)
{
    int line = 1;

    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return line;
}

/* Position of the first byte that is not UTF-8 (or NUL), n if all is well. */
static size_t utf8_check(const char *text, size_t n)
{
    size_t i = 0;

    while (i < n) {
        size_t length = utf8_length(text + i, text + n);
        if (length == 0 || text[i] == '\0')
            break;
        i += length;
    }
    return i;
}

/* Copies the name of the declared encoding in upper case into room; false if none is declared. */
static bool declared_encoding(const char *text, size_t n, char *room, size_t room_bytes)
{
    if (n > DECLARATION_BYTES_MAX)
        n = DECLARATION_BYTES_MAX;
    if (n < 6 || memcmp(text, "<?xml", 5) != 0)
        return false;
    const char *end = memmem(text, n, "?>", 2);
    if (end == NULL)
        return false;
    const char *at = memmem(text, (size_t)(end - text), "encoding", 8);
    if (at == NULL)
        return false;
    at += 8;
    while (at < end && strchr(" \t\r\n=", *at) != NULL)
        at++;
    if (at >= end || (*at != '"' && *at != '\''))
        return false;
    char quote = *at++;
    size_t i = 0;
    for (; at < end && *at != quote && i + 1 < room_bytes; at++)
        room[i++] = (char)toupper((unsigned char)*at);
    room[i] = '\0';
    return i > 0;
}

/* The name for iconv of an encoding that we take, or NULL. "" is UTF-8. */
static const char *known_encoding(const char *name)
{
    static const char *const known[][2] = {
        {"UTF-8", ""},
        {"UTF8", ""},
        {"US-ASCII", ""},
        {"ASCII", ""},
        {"ISO-8859-1", "ISO-8859-1"},
        {"ISO_8859-1", "ISO-8859-1"},
        {"LATIN1", "ISO-8859-1"},
        {"LATIN-1", "ISO-8859-1"},
        {"ISO-8859-2", "ISO-8859-2"},
        {"ISO-8859-3", "ISO-8859-3"},
        {"ISO-8859-4", "ISO-8859-4"},
        {"ISO-8859-5", "ISO-8859-5"},
        {"ISO-8859-6", "ISO-8859-6"},
        {"ISO-8859-7", "ISO-8859-7"},
        {"ISO-8859-8", "ISO-8859-8"},
        {"ISO-8859-9", "ISO-8859-9"},
        {"ISO-8859-10", "ISO-8859-10"},
        {"ISO-8859-13", "ISO-8859-13"},
        {"ISO-8859-14", "ISO-8859-14"},
        {"ISO-8859-15", "ISO-8859-15"},
        {"ISO-8859-16", "ISO-8859-16"},
        {"WINDOWS-1250", "CP1250"},
        {"WINDOWS-1251", "CP1251"},
        {"WINDOWS-1252", "CP1252"},
        {"WINDOWS-1253", "CP1253"},
        {"WINDOWS-1254", "CP1254"},
        {"WINDOWS-1257", "CP1257"},
        {"CP1250", "CP1250"},
        {"CP1251", "CP1251"},
        {"CP1252", "CP1252"},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i][0], name) == 0)
            return known[i][1];
    return NULL;
}

/* UTF-16 is seen by its first bytes, with a byte order mark or without. NULL: it is not UTF-16. */
static const char *utf16_of(const unsigned char *s, size_t n, size_t *ret_mark)
{
    *ret_mark = 0;
    if (n < 4)
        return NULL;
    if (s[0] == 0xFF && s[1] == 0xFE) {
        *ret_mark = 2;
        return s[2] == 0 && s[3] == 0 ? NULL : "UTF-16LE";
    }
    if (s[0] == 0xFE && s[1] == 0xFF) {
        *ret_mark = 2;
        return "UTF-16BE";
    }
    if (s[0] == '<' && s[1] == 0 && s[2] != 0 && s[3] == 0)
        return "UTF-16LE";
    if (s[0] == 0 && s[1] == '<' && s[2] == 0 && s[3] != 0)
        return "UTF-16BE";
    return NULL;
}

/* Through iconv, into the arena. NULL with a finding when a byte has no meaning in that encoding.
 */
static const char *convert(struct arena *arena, const char *encoding, const char *text, size_t n,
                           size_t *ret_n, struct findings *findings)
{
    iconv_t converter = iconv_open("UTF-8", encoding);

    if (converter == (iconv_t)-1) {
        findings_add(findings, CODE_ENCODING_UNKNOWN, 1, 0, NULL,
                     "This system cannot convert from %s. Save the file as UTF-8.", encoding);
        return NULL;
    }
    size_t room = n * 3 + 4;
    char *out = arena_alloc(arena, room + 1);
    char *to = out;
    size_t left = n, left_out = room;
    char *from = NULL;
    /* iconv wants a pointer to changeable bytes and changes none. */
    memcpy(&from, &text, sizeof(from));
    size_t result = iconv(converter, &from, &left, &to, &left_out);
    iconv_close(converter);
    *ret_n = room - left_out;
    if (result == (size_t)-1) {
        findings_add(findings, CODE_ENCODING_WRONG, line_of(out, *ret_n), 0, NULL,
                     "The file says that it is %s, but byte %zu makes no sense there. Save it "
                     "again as UTF-8.",
                     encoding, n - left);
        return NULL;
    }
    return out;
}

static bool take_utf8(const char *text, size_t n, bool declared, const char **ret_text,
                      size_t *ret_n, struct findings *findings)
{
    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        n -= 3;
    }
    size_t at = utf8_check(text, n);
    if (at < n) {
        findings_add(findings, CODE_ENCODING_WRONG, line_of(text, at), 0, NULL,
                     "The file %s, but byte %zu (0x%02X) is not valid there. Save it as UTF-8, or "
                     "declare its real encoding in the first line.",
                     declared ? "says that it is UTF-8" : "names no encoding, which means UTF-8",
                     at + 1, (unsigned char)text[at]);
        return false;
    }
    *ret_text = text;
    *ret_n = n;
    return true;
}

static bool decode_declared(struct arena *arena, const char *text, size_t n, const char **ret_text,
                            size_t *ret_n, struct findings *findings)
{
    char name[64] = "";
    bool marked = n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
    bool declared = !marked && declared_encoding(text, n, name, sizeof(name));
    const char *encoding = declared ? known_encoding(name) : "";

    if (encoding == NULL) {
        bool wide = strncmp(name, "UTF-16", 6) == 0;
        findings_add(findings, wide ? CODE_ENCODING_WRONG : CODE_ENCODING_UNKNOWN, 1, 0, NULL,
                     wide ? "The file declares the encoding %.60s, but its bytes are not: a tool "
                            "converted it and left the declaration. Write encoding=\"UTF-8\" there."
                          : "The encoding %.60s is not supported. Save the file as UTF-8.",
                     name);
        return false;
    }
    if (encoding[0] == '\0')
        return take_utf8(text, n, declared, ret_text, ret_n, findings);
    *ret_text = convert(arena, encoding, text, n, ret_n, findings);
    return *ret_text != NULL;
}

bool xml_decode(struct arena *arena, const char *text, size_t n, bool decoded,
                const char **ret_text, size_t *ret_n, struct findings *findings)
{
    if (n > LIMIT_XML_BYTES) {
        findings_add(findings, CODE_FILE_TOO_LARGE, 1, 0, NULL,
                     "The file has %zu bytes; at most %u are taken. Split it into several files.",
                     n, LIMIT_XML_BYTES);
        return false;
    }
    size_t mark = 0;
    const char *wide = decoded ? NULL : utf16_of((const unsigned char *)text, n, &mark);
    bool done = false;
    if (wide != NULL) {
        *ret_text = convert(arena, wide, text + mark, n - mark, ret_n, findings);
        done = *ret_text != NULL;
    } else if (mark != 0) {
        findings_add(findings, CODE_ENCODING_UNKNOWN, 1, 0, NULL,
                     "The encoding UTF-32 is not supported. Save the file as UTF-8.");
    } else if (decoded) {
        done = take_utf8(text, n, true, ret_text, ret_n, findings);
    } else {
        done = decode_declared(arena, text, n, ret_text, ret_n, findings);
    }
    if (!done)
        return false;
    for (size_t i = 0; i < *ret_n; i++)
        if (strchr(" \t\r\n", (*ret_text)[i]) == NULL)
            return true;
    findings_add(findings, CODE_EMPTY_FILE, 1, 0, NULL,
                 "The file is empty. Was it saved, and is it the right one?");
    return false;
}

/* ---- The look at the tags ---- */

/* Where the text after `from` ends with that mark; n if it does not. */
static size_t skip_to(const char *text, size_t n, size_t from, const char *mark)
{
    const char *found = memmem(text + from, n - from, mark, strlen(mark));

    return found != NULL ? (size_t)(found - text) + strlen(mark) : n;
}

/* Passes over one tag; counts its attributes by their '='. */
static size_t skip_tag(const char *text, size_t n, size_t from, unsigned *ret_attributes)
{
    size_t i = from;

    *ret_attributes = 0;
    while (i < n && text[i] != '>') {
        char c = text[i++];
        if (c == '"' || c == '\'') {
            const char *end = memchr(text + i, c, n - i);
            i = end != NULL ? (size_t)(end - text) + 1 : n;
        } else if (c == '=') {
            (*ret_attributes)++;
        }
    }
    return i;
}

static bool starts_with(const char *text, size_t n, size_t at, const char *prefix)
{
    size_t length = strlen(prefix);

    return n - at >= length && memcmp(text + at, prefix, length) == 0;
}

bool xml_prescan(const char *text, size_t n, struct findings *findings)
{
    size_t i = 0;

    while (i < n) {
        const char *open = memchr(text + i, '<', n - i);
        if (open == NULL)
            break;
        size_t at = (size_t)(open - text);
        if (starts_with(text, n, at, "<!--")) {
            i = skip_to(text, n, at + 4, "-->");
        } else if (starts_with(text, n, at, "<![CDATA[")) {
            i = skip_to(text, n, at + 9, "]]>");
        } else if (starts_with(text, n, at, "<?")) {
            i = skip_to(text, n, at + 2, "?>");
        } else if (starts_with(text, n, at, "<!DOCTYPE")) {
            findings_add(findings, CODE_DTD_REFUSED, line_of(text, at), 0, NULL,
                         "The file has a document type declaration (DTD): entities and external "
                         "files are never read. Remove <!DOCTYPE …>.");
            return false;
        } else {
            unsigned attributes = 0;
            i = skip_tag(text, n, at + 1, &attributes);
            if (attributes > LIMIT_XML_ATTRIBUTES) {
                findings_add(findings, CODE_TOO_MANY_ATTRIBUTES, line_of(text, at), 0, NULL,
                             "An element has %u attributes; at most %u are taken.", attributes,
                             LIMIT_XML_ATTRIBUTES);
                return false;
            }
        }
    }
    return true;
}
