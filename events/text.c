/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in patterns: whatever their case, and with stars. */
#include "base/build.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "events/pattern_internal.h"

/* Two bytes of UTF-8: U+0080 to U+07FF. Lower case has as many bytes, but for the few left alone.
 */
static unsigned fold_two(unsigned c)
{
    if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3ab && c != 0x3a2) ||
        (c >= 0x410 && c <= 0x42f))
        return c + 32;
    if (c >= 0x400 && c <= 0x40f)
        return c + 80;
    if ((c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) || (c >= 0x14a && c <= 0x177) ||
        (c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f))
        return c | 1;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
        return c + (c & 1);
    if (c == 0x178)
        return 0xff;
    if (c >= 0x388 && c <= 0x38a)
        return c + 37;
    return c == 0x386 ? 0x3ac : c == 0x38c ? 0x3cc : c == 0x38e || c == 0x38f ? c + 63 : c;
}

struct piece text_fold(struct arena *arena, const char *text, size_t n)
{
    char *to = arena_alloc(arena, n + 1);
    const char *end = text + n;

    for (size_t i = 0; i < n;) {
        size_t length = utf8_length(text + i, end);
        memcpy(to + i, text + i, length == 0 ? 1 : length);
        if (length <= 1 && text[i] >= 'A' && text[i] <= 'Z') {
            to[i] = (char)(text[i] + ('a' - 'A'));
        } else if (length == 2) {
            unsigned c = fold_two((unsigned)(text[i] & 0x1f) << 6 | (unsigned)(text[i + 1] & 0x3f));
            to[i] = (char)(0xc0 | c >> 6);
            to[i + 1] = (char)(0x80 | (c & 0x3f));
        }
        i += length == 0 ? 1 : length;
    }
    return (struct piece){to, n};
}

int wildcard_read(struct arena *arena, const char *text, size_t n, struct matcher *ret,
                  struct err *err)
{
    struct piece *pieces = NULL;
    size_t n_pieces = 0, capacity = 0, length = 0;
    char *piece = arena_alloc(arena, n + 1);

    for (size_t i = 0; i <= n; i++) {
        if (i < n && text[i] == '\\') {
            if (++i == n || (text[i] != '*' && text[i] != '\\'))
                return pattern_refuse(err, "Invalid escape character at pos %zu", i + 1);
            piece[length++] = text[i];
        } else if (i == n || text[i] == '*') {
            if (i + 1 < n && text[i + 1] == '*')
                return pattern_refuse(err, "Consecutive wildcard characters at pos %zu", i + 1);
            *arena_push(arena, pieces, n_pieces, capacity) = (struct piece){piece, length};
            piece += length;
            length = 0;
        } else {
            piece[length++] = text[i];
        }
    }
    if (n_pieces - 1 > LIMIT_PATTERN_STARS)
        return pattern_refuse(err,
                              "Rule is too complex - try using fewer wildcard characters or fewer "
                              "repeating character sequences after a wildcard character");
    *ret =
        (struct matcher){.kind = MATCH_WILDCARD, .u.wildcard = {.pieces = pieces, .n = n_pieces}};
    return 0;
}

bool wildcard_holds(const struct matcher *matcher, const char *text, size_t n)
{
    const struct piece *pieces = matcher->u.wildcard.pieces;
    size_t last = matcher->u.wildcard.n - 1;
    const char *end = text + n;

    if (n < pieces[0].n || memcmp(text, pieces[0].text, pieces[0].n) != 0)
        return false;
    if (last == 0)
        return n == pieces[0].n;
    text += pieces[0].n;
    if ((size_t)(end - text) < pieces[last].n ||
        memcmp(end - pieces[last].n, pieces[last].text, pieces[last].n) != 0)
        return false;
    end -= pieces[last].n;
    for (size_t i = 1; i < last; i++) { /* the first place for each leaves most to the next */
        text = memmem(text, (size_t)(end - text), pieces[i].text, pieces[i].n);
        if (text == NULL)
            return false;
        text += pieces[i].n;
    }
    return true;
}
