/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "engine/schema_internal.h"

/*
 * Regular expressions of ECMA 262 (2018, with the flag u), matched by PCRE2. Each is read here and
 * written anew for PCRE2, so that the two mean the same, and so that nothing reaches PCRE2 that
 * ECMA 262 does not have: recursion, verbs, callouts, possessive quantifiers. Memory comes from
 * the arena.
 */

struct pattern {
    const pcre2_code *code;
    bool anchored; /* is tried at one place only */
};

/* What \s means there, and what it does not mean; as ranges of a class. */
#define SPACE                                                                                      \
    "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}"  \
    "\\x{3000}\\x{feff}"
#define NO_SPACE                                                                                   \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-"     \
    "\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{d7ff}"        \
    "\\x{e000}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

struct reader {
    const char *text, *p, *end;
    struct buf out;
    struct err *err;
};

static int refuse(struct reader *r, const char *at, const char *what)
{
    return err_set(r->err, ERR_INVALID, "%s, at character %d", what, (int)(at - r->text) + 1);
}

/* N hexadecimal digits; -1: there are none. */
static long hex_digits(struct reader *r, size_t n)
{
    long code = 0;

    if ((size_t)(r->end - r->p) < n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        char c = r->p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    r->p += n;
    return code;
}

/* Behind \u: four digits, two halves of a pair, or {digits}. */
static int read_unicode(struct reader *r, const char *at)
{
    long code = -1;

    if (r->p < r->end && *r->p == '{') {
        r->p++;
        size_t n = 0;
        while (n < 7 && r->p + n < r->end && r->p[n] != '}')
            n++;
        code = n > 0 ? hex_digits(r, n) : -1;
        if (code >= 0 && r->p < r->end && *r->p == '}')
            r->p++;
        else
            code = -1;
    } else {
        code = hex_digits(r, 4);
        if (code >= 0xd800 && code <= 0xdbff && r->end - r->p >= 6 && r->p[0] == '\\' &&
            r->p[1] == 'u') {
            r->p += 2;
            long low = hex_digits(r, 4);
            code = low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((code - 0xd800) << 10) + low - 0xdc00
                                                  : -1;
        }
    }
    if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return refuse(r, at, "\\u needs four hexadecimal digits, or {…}, of a character");
    buf_printf(&r->out, "\\x{%lx}", (unsigned long)code);
    return 0;
}

/* The long names of general categories, which PCRE2 does not know. */
static const char *category(const char *name, size_t n)
{
    static const char *const names[][2] = {
        {"Letter", "L"},
        {"Cased_Letter", "L&"},
        {"Uppercase_Letter", "Lu"},
        {"Lowercase_Letter", "Ll"},
        {"Titlecase_Letter", "Lt"},
        {"Modifier_Letter", "Lm"},
        {"Other_Letter", "Lo"},
        {"Mark", "M"},
        {"Nonspacing_Mark", "Mn"},
        {"Spacing_Mark", "Mc"},
        {"Enclosing_Mark", "Me"},
        {"Number", "N"},
        {"Decimal_Number", "Nd"},
        {"digit", "Nd"},
        {"Letter_Number", "Nl"},
        {"Other_Number", "No"},
        {"Punctuation", "P"},
        {"punct", "P"},
        {"Connector_Punctuation", "Pc"},
        {"Dash_Punctuation", "Pd"},
        {"Open_Punctuation", "Ps"},
        {"Close_Punctuation", "Pe"},
        {"Initial_Punctuation", "Pi"},
        {"Final_Punctuation", "Pf"},
        {"Other_Punctuation", "Po"},
        {"Symbol", "S"},
        {"Math_Symbol", "Sm"},
        {"Currency_Symbol", "Sc"},
        {"Modifier_Symbol", "Sk"},
        {"Other_Symbol", "So"},
        {"Separator", "Z"},
        {"Space_Separator", "Zs"},
        {"Line_Separator", "Zl"},
        {"Paragraph_Separator", "Zp"},
        {"Other", "C"},
        {"Control", "Cc"},
        {"cntrl", "Cc"},
        {"Format", "Cf"},
        {"Private_Use", "Co"},
        {"Unassigned", "Cn"},
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strlen(names[i][0]) == n && memcmp(names[i][0], name, n) == 0)
            return names[i][1];
    }
    return NULL;
}

/* Behind \p or \P: {Name}, {Property=Name}. */
static int read_property(struct reader *r, const char *at)
{
    static const char *const general[] = {"General_Category=", "gc="};
    size_t n = 0;

    if (r->p < r->end && *r->p == '{')
        n = (size_t)(r->end - r->p) > 64 ? 64 : (size_t)(r->end - r->p);
    const char *close = n > 0 ? memchr(r->p, '}', n) : NULL;
    if (close == NULL || close == r->p + 1)
        return refuse(r, at, "\\p needs the name of a property in braces");
    const char *name = r->p + 1;
    for (size_t i = 0; i < ARRAY_LEN(general); i++) {
        size_t length = strlen(general[i]);
        if ((size_t)(close - name) > length && memcmp(name, general[i], length) == 0)
            name += length;
    }
    for (const char *p = name; p < close; p++) {
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=", *p) == NULL)
            return refuse(r, at, "\\p needs the name of a property in braces");
    }
    const char *known = category(name, (size_t)(close - name));
    buf_printf(&r->out, "\\%c{%.*s}", at[1], known != NULL ? 9 : (int)(close - name),
               known != NULL ? known : name);
    r->p = close + 1;
    return 0;
}

/* Behind \k: the name of a group in < >. */
static int read_group_name(struct reader *r, const char *at)
{
    size_t n = 0;

    if (r->p < r->end && *r->p == '<')
        n = strspn(r->p + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    if (n == 0 || n > 32 || r->p[n + 1] != '>')
        return refuse(r, at, "a group's name is up to 32 ASCII letters, digits or _ in < >");
    buf_add(&r->out, r->p, n + 2);
    r->p += n + 2;
    return 0;
}

/* r->p is at a backslash. */
static int read_escape(struct reader *r, bool in_class)
{
    static const char controls[] = "t\tn\nv\vf\fr\r";
    const char *at = r->p, *control;
    char c = r->end - at > 1 ? at[1] : '\0';
    long code;

    r->p += 2;
    if (c == '\0')
        return refuse(r, at, "a backslash ends the text");
    if (strchr("dDwW", c) != NULL) {
        buf_printf(&r->out, "\\%c", c);
    } else if (c == 's' || c == 'S') {
        if (in_class)
            buf_add_str(&r->out, c == 's' ? SPACE : NO_SPACE);
        else
            buf_printf(&r->out, "[%s%s]", c == 's' ? "" : "^", SPACE);
    } else if ((control = strchr(controls, c)) != NULL && (control - controls) % 2 == 0) {
        buf_printf(&r->out, "\\x{%x}", (unsigned)control[1]);
    } else if (c == 'b' && in_class) {
        buf_add_str(&r->out, "\\x{8}");
    } else if (c == 'b' || c == 'B') {
        if (in_class)
            return refuse(r, at, "\\B has no meaning in a class");
        buf_printf(&r->out, "\\%c", c);
    } else if (c == '0' && !(r->p < r->end && *r->p >= '0' && *r->p <= '9')) {
        buf_add_str(&r->out, "\\x{0}");
    } else if (c >= '1' && c <= '9' && !in_class) {
        unsigned number = (unsigned)(c - '0');
        while (r->p < r->end && *r->p >= '0' && *r->p <= '9' && number < 1000)
            number = number * 10 + (unsigned)(*r->p++ - '0');
        buf_printf(&r->out, "\\g{%u}", number);
    } else if (c == 'c' && r->p < r->end &&
               ((*r->p >= 'a' && *r->p <= 'z') || (*r->p >= 'A' && *r->p <= 'Z'))) {
        buf_printf(&r->out, "\\x{%x}", (unsigned)*r->p++ % 32);
    } else if (c == 'x' && (code = hex_digits(r, 2)) >= 0) {
        buf_printf(&r->out, "\\x{%lx}", (unsigned long)code);
    } else if (c == 'u') {
        return read_unicode(r, at);
    } else if (c == 'p' || c == 'P') {
        return read_property(r, at);
    } else if (c == 'k' && !in_class) {
        buf_add_str(&r->out, "\\k");
        return read_group_name(r, at);
    } else if (strchr("^$\\.*+?()[]{}|/-\"'#%&,:;<=>@`~!_ ", c) != NULL) {
        buf_printf(&r->out, "\\x{%x}", (unsigned)c);
    } else {
        return refuse(r, at, "a backslash starts nothing that ECMA 262 knows");
    }
    return 0;
}

/* Copies one character. */
static int read_plain(struct reader *r)
{
    size_t n = utf8_length(r->p, r->end);

    if (n == 0)
        return refuse(r, r->p, "not valid UTF-8");
    buf_add(&r->out, r->p, n);
    r->p += n;
    return 0;
}

/* r->p is at [ */
static int read_class(struct reader *r)
{
    const char *at = r->p++;

    buf_add_char(&r->out, '[');
    if (r->p < r->end && *r->p == '^')
        buf_add_char(&r->out, *r->p++);
    while (r->p < r->end && *r->p != ']') {
        int result = 0;
        if (*r->p == '\\') {
            result = read_escape(r, true);
        } else if (*r->p == '[') {
            buf_add_str(&r->out, "\\x{5b}");
            r->p++;
        } else {
            result = read_plain(r);
        }
        if (result < 0)
            return err_trace(r->err);
    }
    if (r->p >= r->end)
        return refuse(r, at, "this [ is never closed with ]");
    buf_add_char(&r->out, *r->p++);
    return 0;
}

/* r->p is at ( */
static int read_group(struct reader *r)
{
    static const char *const kinds[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!"};
    const char *at = r->p;

    if (r->end - at < 2 || at[1] != '?') {
        if (r->end - at > 1 && at[1] == '*')
            return refuse(r, at, "* repeats nothing here");
        buf_add_char(&r->out, *r->p++);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t n = strlen(kinds[i]);
        if ((size_t)(r->end - at) >= n && memcmp(at, kinds[i], n) == 0) {
            buf_add(&r->out, at, n);
            r->p += n;
            return 0;
        }
    }
    if (r->end - at < 3 || at[2] != '<')
        return refuse(r, at, "a group that ECMA 262 does not know");
    buf_add_str(&r->out, "(?");
    r->p += 2;
    return read_group_name(r, at);
}

/* How many bytes at p are a quantifier in braces; 0: a brace stands for itself. */
static size_t braces(const char *p, const char *end)
{
    const char *from = p++;

    if (p >= end || *p < '0' || *p > '9')
        return 0;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    if (p < end && *p == ',')
        p++;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p < end && *p == '}' ? (size_t)(p + 1 - from) : 0;
}

/* r->p is at a quantifier of n bytes. */
static int read_quantifier(struct reader *r, size_t n)
{
    buf_add(&r->out, r->p, n);
    r->p += n;
    if (r->p < r->end && *r->p == '?')
        buf_add_char(&r->out, *r->p++);
    if (r->p < r->end &&
        (strchr("*+?", *r->p) != NULL || (*r->p == '{' && braces(r->p, r->end) > 0)))
        return refuse(r, r->p, "a quantifier follows a quantifier");
    return 0;
}

static int read_piece(struct reader *r)
{
    size_t n;

    switch (*r->p) {
    case '\\':
        return read_escape(r, false);
    case '[':
        return read_class(r);
    case '(':
        return read_group(r);
    case '.':
        buf_add_str(&r->out, "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]");
        r->p++;
        return 0;
    case '*':
    case '+':
    case '?':
        return read_quantifier(r, 1);
    case '{':
        n = braces(r->p, r->end);
        if (n > 0)
            return read_quantifier(r, n);
        buf_add_str(&r->out, "\\x{7b}");
        r->p++;
        return 0;
    case '}':
    case ']':
        buf_printf(&r->out, "\\x{%x}", (unsigned)*r->p++);
        return 0;
    default:
        return read_plain(r);
    }
}

static void *take(size_t size, void *arena)
{
    return arena_alloc(arena, size);
}

static void give_back(void *memory, void *arena)
{
    (void)memory;
    (void)arena; /* all at once */
}

static int compile(struct arena *arena, struct reader *r, struct pattern *pattern)
{
    pcre2_general_context *general = pcre2_general_context_create(take, give_back, arena);
    pcre2_compile_context *context = pcre2_compile_context_create(general);
    int code;
    size_t at;
    uint32_t flags = 0;

    pattern->code = pcre2_compile((PCRE2_SPTR)buf_str(&r->out), r->out.len,
                                  PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY |
                                      PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF |
                                      PCRE2_NEVER_BACKSLASH_C,
                                  &code, &at, context);
    if (pattern->code == NULL) {
        char reason[160] = "";
        pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof(reason));
        return err_set(r->err, ERR_INVALID, "%s", reason);
    }
    pcre2_pattern_info(pattern->code, PCRE2_INFO_ALLOPTIONS, &flags);
    pattern->anchored = (flags & PCRE2_ANCHORED) != 0;
    return 0;
}

int pattern_compile(struct arena *arena, const char *text, size_t n, const struct pattern **ret,
                    struct err *err)
{
    struct reader r = {.text = text, .p = text, .end = text + n, .err = err};
    struct pattern *pattern = arena_alloc(arena, sizeof(*pattern));
    int result = 0;

    if (n > LIMIT_SCHEMA_PATTERN_BYTES)
        return err_set(err, ERR_LIMIT, "longer than %u bytes", LIMIT_SCHEMA_PATTERN_BYTES);
    buf_init(&r.out, 0);
    while (result == 0 && r.p < r.end)
        result = read_piece(&r);
    if (result == 0)
        result = compile(arena, &r, pattern);
    buf_deinit(&r.out);
    *ret = pattern;
    return result;
}

/*
 * A match may take exponentially long, and PCRE2 does not tell how long one took. So it gets a
 * little, then twice as much, and so on; what was allowed is taken from the budget. What the limit
 * does not count (runs of one character, tried from each place) is taken beforehand.
 */
int pattern_match(const struct pattern *pattern, const char *text, size_t n, struct work *work)
{
    uint32_t limit = 1000 + 8 * (uint32_t)(n < LIMIT_VALUE_BYTES ? n : LIMIT_VALUE_BYTES);
    int64_t runs = (int64_t)(pattern->anchored ? n / 16 : n / 16 + n * n / 64);

    if (work->match_data == NULL) {
        pcre2_general_context *general = pcre2_general_context_create(take, give_back, work->arena);
        work->match_data = pcre2_match_data_create(1, general);
        work->match_context = pcre2_match_context_create(general);
        pcre2_set_heap_limit(work->match_context, LIMIT_SCHEMA_MATCH_BYTES / 1024);
    }
    for (work->left -= runs; work->left > 0; limit *= 2) {
        pcre2_set_match_limit(work->match_context, limit);
        work->left -= 20;
        int result = pcre2_match(pattern->code, (PCRE2_SPTR)text, n, 0, PCRE2_NO_UTF_CHECK,
                                 work->match_data, work->match_context);
        if (result >= 0)
            return PATTERN_YES;
        if (result == PCRE2_ERROR_NOMATCH)
            return PATTERN_NO;
        if (result != PCRE2_ERROR_MATCHLIMIT)
            return PATTERN_TOO_LONG; /* its room */
        work->left -= limit;
    }
    return PATTERN_TOO_LONG;
}
