/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/limits.h"
#include "parser/build.h"

/* Findings quote at most this much of a text. */
#define QUOTE_BYTES_MAX 120

const struct expr *text_expression(struct process_build *process, const struct xml_element *at,
                                   const char *what, const char *text)
{
    const struct expr *expr = NULL;
    struct err err = {0};

    if (expr_compile(&process->graph->arena, text, &expr, &err) == 0)
        return expr;
    report(process->file, CODE_BAD_EXPRESSION, at, "%s can not be read: %s.", what, err.text);
    return NULL;
}

const struct expr *text_optional(struct process_build *process, const struct xml_element *at,
                                 const char *what, const char *text)
{
    if (text == NULL || xml_blank(text))
        return NULL;
    return text_expression(process, at, what, text);
}

const char *text_name(struct process_build *process, const struct xml_element *at, const char *what,
                      const char *text)
{
    if (text == NULL || xml_blank(text))
        return NULL;
    size_t n = strlen(text);
    if (n > LIMIT_NAME_BYTES) {
        report(process->file, CODE_NAME_TOO_LONG, at,
               "%s has %zu bytes; at most %u are taken. Choose a shorter one.", what, n,
               LIMIT_NAME_BYTES);
        return NULL;
    }
    return arena_strndup(&process->graph->arena, text, n);
}

bool text_bool(struct file_build *file, const struct xml_element *at, const char *what,
               const char *text, bool fallback)
{
    if (text == NULL)
        return fallback;
    if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0)
        return true;
    if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
        return false;
    report(file, CODE_BAD_VALUE, at, "%s is \"%.*s\"; write true or false.", what, QUOTE_BYTES_MAX,
           text);
    return fallback;
}

int text_priority(struct file_build *file, const struct xml_element *at, int fallback)
{
    const char *text = xml_extension(at, "jobPriority");
    char *end = NULL;

    if (text == NULL || xml_blank(text))
        return fallback;
    long number = strtol(text, &end, 10);
    if (*end == '\0')
        return (number > 0) - (number < 0);
    report(
        file, CODE_IGNORED_EXTENSION, at,
        "jobPriority \"%.*s\" is ignored. Write a whole number: above 0 is high, below 0 is low.",
        QUOTE_BYTES_MAX, text);
    return fallback;
}

int64_t text_duration_us(struct process_build *process, const struct xml_element *at,
                         const char *what, const char *text)
{
    struct iso_duration duration;
    struct err err = {0};

    if (text == NULL)
        return 0;
    if (iso_duration_parse(text, strlen(text), &duration, &err) == 0) {
        if (!duration.negative && iso_duration_us(&duration) > 0)
            return iso_duration_us(&duration);
        err_set(&err, ERR_INVALID, "'%.*s' is no time at all; write PT10S for ten seconds",
                QUOTE_BYTES_MAX, text);
    }
    report(process->file, CODE_BAD_DURATION, at, "%s is not a duration: %s.", what, err.text);
    return 0;
}

void check_duration(struct process_build *process, const struct xml_element *at, const char *what,
                    const struct expr *expr)
{
    struct iso_duration duration;
    struct err err = {0};

    if (expr == NULL || !expr_is_literal(expr))
        return;
    const char *text = expr_text(expr);
    if (iso_duration_parse(text, strlen(text), &duration, &err) == 0) {
        if (!duration.negative)
            return;
        err_set(&err, ERR_INVALID, "'%.*s' is negative, and nobody can wait until before now",
                QUOTE_BYTES_MAX, text);
    }
    report(process->file, CODE_BAD_DURATION, at, "%s is not a duration: %s.", what, err.text);
}

void check_date(struct process_build *process, const struct xml_element *at, const char *what,
                const struct expr *expr, bool duration_too)
{
    struct err err = {0};
    int64_t us;

    if (expr == NULL || !expr_is_literal(expr))
        return;
    const char *text = expr_text(expr);
    if (duration_too && text[0] == 'P') {
        check_duration(process, at, what, expr);
        return;
    }
    if (iso_date_parse(text, strlen(text), &us, &err) == 0)
        return;
    report(process->file, CODE_BAD_DATE, at, "%s is not a date%s: %s.", what,
           duration_too ? " (nor a duration such as P3D)" : "", err.text);
}

void check_cycle(struct process_build *process, const struct xml_element *at, const char *what,
                 const struct expr *expr)
{
    struct cycle cycle;
    struct err err = {0};

    if (expr == NULL || !expr_is_literal(expr))
        return;
    const char *text = expr_text(expr);
    if (cycle_parse(text, strlen(text), NULL, CATCH_UP_ONCE, &cycle, &err) < 0)
        report(process->file, CODE_BAD_CYCLE, at, "%s is not a repetition: %s.", what, err.text);
    else if (cycle.is_cron && cron_next(&cycle.cron, NULL, 0) == INT64_MAX)
        report(process->file, CODE_BAD_CYCLE, at,
               "%s '%.100s' never comes: no date fits all of its fields.", what, text);
}

void check_integer(struct process_build *process, const struct xml_element *at, const char *what,
                   const struct expr *expr)
{
    if (expr == NULL || !expr_is_literal(expr))
        return;
    const char *text = expr_text(expr);
    char *end = NULL;
    long number = strtol(text, &end, 10);
    if (end != text && *end == '\0' && number >= INT32_MIN && number <= INT32_MAX)
        return;
    report(process->file, CODE_BAD_VALUE, at,
           "%s is \"%.*s\"; write a whole number, or an expression that yields one.", what,
           QUOTE_BYTES_MAX, text);
}

void check_attributes(struct file_build *file, const struct xml_element *e,
                      const char *const *names, size_t n)
{
    for (size_t i = 0; i < e->n_attributes; i++) {
        const struct xml_attribute *a = &e->attributes[i];
        bool known = a->space != SPACE_NONE && a->space != SPACE_PAWL;
        for (size_t k = 0; k < n && !known; k++)
            known = strcmp(names[k], a->name) == 0;
        if (!known)
            report(file, CODE_UNKNOWN_PAWL_EXTENSION, e,
                   "pawl:%s has no attribute %s. Is it misspelt? docs/bpmn.md lists them all.",
                   e->name, a->name);
    }
}

static int compare_names(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;

    return strcmp(*a, *b);
}

void names_sort(const char **names, size_t n)
{
    if (n > 1) /* qsort(3) takes no NULL */
        qsort(names, n, sizeof(*names), compare_names);
}

bool names_have(const char *const *names, size_t n, const char *name)
{
    return n > 0 && bsearch(&name, names, n, sizeof(*names), compare_names) != NULL;
}
