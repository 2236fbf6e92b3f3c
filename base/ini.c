/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/ini.h"
#include "base/limits.h"
#include "base/utf8.h"

struct reader {
    struct arena *arena;
    struct ini *ini;
    const char *line, *end; /* of the line, without its break */
    int number;
    struct err *err;
};

/* Where `at` is in the line; columns count bytes from 1. */
static int wrong(struct reader *r, const char *at, const char *text)
{
    err_set(r->err, ERR_INVALID, "%s", text);
    if (r->err != NULL) {
        r->err->line = r->number;
        r->err->column = (int)(at - r->line) + 1;
    }
    return -1;
}

static int twice(struct reader *r, const char *at, const char *what, const char *word, int first)
{
    char text[400];

    snprintf(text, sizeof(text),
             "%s %.200s is there twice (the first is in line %d): take one of them out", what, word,
             first);
    return wrong(r, at, text);
}

static int too_many(struct reader *r, const char *at, const char *what, unsigned limit)
{
    char text[100];

    snprintf(text, sizeof(text), "at most %u %s", limit, what);
    return wrong(r, at, text);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip(const char *at, const char *end)
{
    while (at < end && blank(*at))
        at++;
    return at;
}

static const char *trimmed(const char *from, const char *end)
{
    while (end > from && blank(end[-1]))
        end--;
    return end;
}

/* Letters, digits and what names of options and headers are made of. */
static bool key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._-!$%&'*+^`|~", c) != NULL);
}

static const char *key_end(const char *at, const char *end)
{
    while (at < end && key_char(*at))
        at++;
    return at;
}

const struct ini_section *ini_section(const struct ini *ini, const char *kind, const char *name)
{
    for (size_t i = 0; i < ini->n_sections; i++) {
        const struct ini_section *section = &ini->sections[i];
        if (strcmp(section->kind, kind) == 0 &&
            (name == NULL ? section->name == NULL
                          : section->name != NULL && strcmp(section->name, name) == 0))
            return section;
    }
    return NULL;
}

const struct ini_entry *ini_entry(const struct ini_section *section, const char *key)
{
    for (size_t i = 0; section != NULL && i < section->n_entries; i++)
        if (strcmp(section->entries[i].key, key) == 0)
            return &section->entries[i];
    return NULL;
}

/* From the bracket on. */
static int read_section(struct reader *r, const char *at, const char *end)
{
    const char *from = skip(at + 1, end);

    if (end[-1] != ']' || end - at < 2)
        return wrong(r, end, "the section's closing bracket ] is missing, or something follows it");
    end = trimmed(from, end - 1);
    const char *kind_end = key_end(from, end);
    if (kind_end == from)
        return wrong(r, from, "a section needs a name: [pawl], say");
    const char *name = skip(kind_end, end);
    if (kind_end < end && name == kind_end)
        return wrong(r, kind_end, "a section's first word is made of letters, digits, - and _");
    if (r->ini->n_sections >= LIMIT_CONFIG_SECTIONS)
        return too_many(r, at, "sections in a file", LIMIT_CONFIG_SECTIONS);
    struct ini_section section = {
        .kind = arena_strndup(r->arena, from, (size_t)(kind_end - from)),
        .name = name < end ? arena_strndup(r->arena, name, (size_t)(end - name)) : NULL,
        .line = r->number,
    };
    const struct ini_section *first = ini_section(r->ini, section.kind, section.name);
    if (first != NULL)
        return twice(r, at, "the section", arena_strndup(r->arena, from, (size_t)(end - from)),
                     first->line);
    *arena_push(r->arena, r->ini->sections, r->ini->n_sections, r->ini->sections_capacity) =
        section;
    return 0;
}

/* From the opening quote on; what follows the closing one is an error. */
static int read_quoted(struct reader *r, const char *at, const char *end, const char **ret_value)
{
    char *value = arena_alloc(r->arena, (size_t)(end - at) + 1);
    size_t n = 0;
    const char *c = at + 1;

    for (; c < end && *c != '"'; c++) {
        if (*c != '\\') {
            value[n++] = *c;
            continue;
        }
        c++;
        const char *escape = c < end ? strchr("\\\"nt", *c) : NULL;
        if (escape == NULL || *escape == '\0')
            return wrong(r, c - 1, "after a backslash in quotes comes \\, \", n or t");
        value[n++] = *c == 'n' ? '\n' : *c == 't' ? '\t' : *c;
    }
    if (c >= end)
        return wrong(r, at, "the quote is not closed in this line");
    if (c + 1 != end)
        return wrong(r, c + 1,
                     "something follows the closing quote: put a backslash before a quote inside");
    *ret_value = value;
    return 0;
}

static int read_entry(struct reader *r, const char *at, const char *end)
{
    const char *stop = key_end(at, end);
    const char *sign = skip(stop, end);

    if (stop == at || sign >= end || *sign != '=')
        return wrong(r, stop == at ? at : sign,
                     "this line is neither \"key = value\" nor [section] nor # comment");
    if (r->ini->n_sections == 0)
        return wrong(r, at, "a key before the first section: begin with [pawl]");
    struct ini_section *section = &r->ini->sections[r->ini->n_sections - 1];
    const char *from = skip(sign + 1, end);
    struct ini_entry entry = {.key = arena_strndup(r->arena, at, (size_t)(stop - at)),
                              .line = r->number};
    if (from < end && *from == '"') {
        entry.quoted = true;
        if (read_quoted(r, from, end, &entry.value) < 0)
            return -1;
    } else {
        entry.value = arena_strndup(r->arena, from, (size_t)(end - from));
    }
    const struct ini_entry *first = ini_entry(section, entry.key);
    if (first != NULL)
        return twice(r, at, "the key", entry.key, first->line);
    if (section->n_entries >= LIMIT_CONFIG_KEYS)
        return too_many(r, at, "keys in a section", LIMIT_CONFIG_KEYS);
    *arena_push(r->arena, section->entries, section->n_entries, section->entries_capacity) = entry;
    return 0;
}

static int read_line(struct reader *r)
{
    const char *at = skip(r->line, r->end), *end = trimmed(at, r->end);

    if (at == end || *at == '#' || *at == ';')
        return 0;
    for (const char *c = at; c < end; c++)
        if ((unsigned char)*c < 0x20 && *c != '\t')
            return wrong(r, c, "a control character");
    if (!utf8_valid(at, (size_t)(end - at)))
        return wrong(r, at, "the line is not UTF-8");
    return *at == '[' ? read_section(r, at, end) : read_entry(r, at, end);
}

int ini_read(struct arena *arena, const char *text, size_t n, struct ini *ret_ini, struct err *err)
{
    struct reader r = {.arena = arena, .ini = ret_ini, .err = err};

    *ret_ini = (struct ini){.sections = NULL};
    if (n > LIMIT_CONFIG_BYTES)
        return err_set(err, ERR_LIMIT, "a configuration file has at most %u bytes, this has %zu",
                       LIMIT_CONFIG_BYTES, n);
    for (const char *at = text, *end = text + n; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        r.line = at;
        r.end = stop != NULL ? stop : end;
        r.number++;
        if (r.end > r.line && r.end[-1] == '\r')
            r.end--;
        if (read_line(&r) < 0)
            return err_trace(err);
        at = stop != NULL ? stop + 1 : end;
    }
    return 0;
}
