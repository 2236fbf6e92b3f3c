/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <stdarg.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "parser/findings.h"

/* A message longer than this quotes something huge; it is cut. */
#define MESSAGE_BYTES_MAX 2000u

static const struct {
    const char *text;
    enum finding_severity severity;
} codes[FINDING_CODE_COUNT] = {
#define X(name, code, severity) {code, FINDING_##severity},
    FINDING_CODES(X)
#undef X
};

const char *finding_code_text(enum finding_code code)
{
    return codes[code].text;
}

void findings_add(struct findings *findings, enum finding_code code, int line, int column,
                  const char *element, const char *format, ...)
{
    enum finding_severity severity = codes[code].severity;
    size_t *count = severity == FINDING_ERROR ? &findings->n_errors : &findings->n_warnings;

    if ((*count)++ >= LIMIT_FINDINGS)
        return;

    char room[MESSAGE_BYTES_MAX + 4];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(room, MESSAGE_BYTES_MAX, format, args);
    va_end(args);
    if (n >= (int)MESSAGE_BYTES_MAX)
        memcpy(room + MESSAGE_BYTES_MAX - 1, "...", 4);
    /* Quotes are cut at a number of bytes, which may be in the midst of a character. */
    utf8_repair(room);

    struct finding *finding =
        arena_push(findings->arena, findings->items, findings->n, findings->capacity);
    *finding = (struct finding){
        .severity = severity,
        .line = line,
        .column = column,
        .element = arena_strdup(findings->arena, element != NULL ? element : ""),
        .code = codes[code].text,
        .message = arena_strdup(findings->arena, room),
    };
}

static int compare(const void *left, const void *right)
{
    const struct finding *a = left;
    const struct finding *b = right;

    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->severity != b->severity)
        return a->severity == FINDING_ERROR ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    int order = strcmp(a->code, b->code);
    return order != 0 ? order : strcmp(a->message, b->message);
}

void findings_finish(struct findings *findings)
{
    size_t found = findings->n_errors + findings->n_warnings;

    if (findings->n > 1)
        qsort(findings->items, findings->n, sizeof(*findings->items), compare);
    if (found <= LIMIT_FINDINGS)
        return;

    /* Errors first: they are what keeps the file from running. One place is for the note. */
    size_t errors = 0;
    for (size_t i = 0; i < findings->n; i++)
        errors += findings->items[i].severity == FINDING_ERROR;
    size_t room_warnings = errors < LIMIT_FINDINGS - 1 ? LIMIT_FINDINGS - 1 - errors : 0;
    size_t room_errors = LIMIT_FINDINGS - 1;
    size_t kept = 0;
    for (size_t i = 0; i < findings->n; i++) {
        bool error = findings->items[i].severity == FINDING_ERROR;
        size_t *room = error ? &room_errors : &room_warnings;
        if (*room == 0)
            continue;
        (*room)--;
        findings->items[kept++] = findings->items[i];
    }
    findings->n = kept;
    int line = kept > 0 ? findings->items[kept - 1].line : 0;
    findings_add(
        findings, CODE_TOO_MANY_FINDINGS, line, 0, NULL,
        "%zu findings in all (%zu errors); %zu are shown. Mend these first, then judge the "
        "file again.",
        found, findings->n_errors, kept);
}
