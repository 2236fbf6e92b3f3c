/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <locale.h>
#include <wchar.h>

#include "cli/text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS "\xe2\x80\xa6"    /* U+2026 */

void text_init(void)
{
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL && setlocale(LC_CTYPE, "en_US.UTF-8") == NULL)
        setlocale(LC_CTYPE, "");
}

/* Decodes one character; returns its length in bytes, 0 when it is not UTF-8. */
static size_t decode(const unsigned char *s, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80             ? 1
               : (s[0] & 0xe0) == 0xc0 ? 2
               : (s[0] & 0xf0) == 0xe0 ? 3
               : (s[0] & 0xf8) == 0xf0 ? 4
                                       : 0;

    if (n <= 1) {
        *ret_code = s[0];
        return n;
    }
    uint32_t code = s[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    *ret_code = code;
    return n;
}

/* Would move the cursor, or turn the reading direction of what follows? */
static bool is_harmful(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xfeff;
}

struct glyph {
    const char *bytes;
    size_t n;    /* bytes to print */
    size_t step; /* bytes of the text */
    int width;
};

static struct glyph glyph_at(const char *text)
{
    uint32_t code = 0;
    size_t n = decode((const unsigned char *)text, &code);

    if (n != 0 && (code == '\n' || code == '\t' || code == '\r'))
        return (struct glyph){" ", 1, 1, 1};
    if (n == 0 || is_harmful(code))
        return (struct glyph){REPLACEMENT, 3, n == 0 ? 1 : n, 1};
    int width = wcwidth((wchar_t)code);
    return (struct glyph){text, n, n, width < 0 ? 1 : width};
}

int text_width(const char *text)
{
    int width = 0;

    while (*text != '\0') {
        struct glyph glyph = glyph_at(text);
        width += glyph.width;
        text += glyph.step;
    }
    return width;
}

static int add_cut(struct buf *buf, const char *text, int width, bool ellipsis)
{
    bool cut = width > 0 && text_width(text) > width;
    int room = width <= 0 ? INT32_MAX : cut && ellipsis ? width - 1 : width;
    int used = 0;

    while (*text != '\0') {
        struct glyph glyph = glyph_at(text);
        if (used + glyph.width > room)
            break;
        buf_add(buf, glyph.bytes, glyph.n);
        used += glyph.width;
        text += glyph.step;
    }
    if (cut && ellipsis) {
        buf_add_str(buf, ELLIPSIS);
        used++;
    }
    return used;
}

int text_add(struct buf *buf, const char *text, int width)
{
    return add_cut(buf, text, width, true);
}

int text_add_prefix(struct buf *buf, const char *text, int width)
{
    return add_cut(buf, text, width, false);
}

void text_pad(struct buf *buf, int columns)
{
    for (int i = 0; i < columns; i++)
        buf_add_char(buf, ' ');
}

void text_wrap(struct buf *buf, const char *text, int column, int indent, int width)
{
    struct buf word;
    bool first = true;

    buf_init(&word, 0);
    while (*(text += strspn(text, " \n")) != '\0') {
        size_t n = strcspn(text, " \n");
        buf_reset(&word);
        buf_add(&word, text, n);
        int wide = text_width(buf_str(&word));
        if (!first && width > 0 && column + 1 + wide > width) {
            buf_add_char(buf, '\n');
            text_pad(buf, indent);
            column = indent;
        } else if (!first) {
            buf_add_char(buf, ' ');
            column++;
        }
        column += text_add(buf, buf_str(&word), 0);
        first = false;
        text += n;
    }
    buf_deinit(&word);
}
