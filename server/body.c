/* SPDX-License-Identifier: Apache-2.0 */
/* What a body and the query may be: JSON within its limits, with the members of the table. */
#include "base/build.h"

#include <strings.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "engine/value.h"
#include "server/request.h"
#include "store/json_text.h"

/* ---- Fields: "name:type!" ---- */

struct field {
    const char *name, *type;
    int name_n, type_n;
    bool required;
};

static bool next_field(const char **at, struct field *ret_field)
{
    *at += strspn(*at, " ");
    if (**at == '\0')
        return false;
    size_t n = strcspn(*at, " ");
    const char *colon = memchr(*at, ':', n);
    assert(colon != NULL); /* the tables are ours */
    bool required = (*at)[n - 1] == '!';
    *ret_field = (struct field){.name = *at,
                                .name_n = (int)(colon - *at),
                                .type = colon + 1,
                                .type_n = (int)(*at + n - required - colon - 1),
                                .required = required};
    *at += n;
    return true;
}

static bool find_field(const char *fields, const char *name, struct field *ret_field)
{
    while (next_field(&fields, ret_field))
        if (strlen(name) == (size_t)ret_field->name_n &&
            memcmp(name, ret_field->name, (size_t)ret_field->name_n) == 0)
            return true;
    return false;
}

static const char *names_of(struct arena *arena, const char *fields)
{
    const char *text = "";
    struct field field;

    while (next_field(&fields, &field))
        text = arena_printf(arena, "%s%s%.*s", text, *text != '\0' ? ", " : "", field.name_n,
                            field.name);
    return text;
}

static bool is_type(const struct field *field, const char *type)
{
    return strlen(type) == (size_t)field->type_n &&
           memcmp(field->type, type, (size_t)field->type_n) == 0;
}

bool duration_read(const char *text, int64_t *ret_us)
{
    static const struct {
        const char *unit;
        int64_t us;
    } units[] = {{"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000}};
    char *end;

    if (*text < '0' || *text > '9' || strlen(text) > 12 || strpbrk(text, "eExX") != NULL)
        return false;
    double value = strtod(text, &end);
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strcmp(end, units[i].unit) == 0) {
            *ret_us = (int64_t)(value * (double)units[i].us);
            return true;
        }
    return false;
}

/* Whether the type is a list of values: "open|half+open". */
static bool is_choice(const struct field *field)
{
    return memchr(field->type, '|', (size_t)field->type_n) != NULL;
}

/* The next value of a choice, in words; NULL: there is none. */
static const char *next_value(struct arena *arena, const struct field *field, const char **at)
{
    const char *end = field->type + field->type_n;

    if (*at >= end)
        return NULL;
    const char *bar = memchr(*at, '|', (size_t)(end - *at));
    char *value = arena_strndup(arena, *at, (size_t)((bar != NULL ? bar : end) - *at));
    for (char *plus = value; (plus = strchr(plus, '+')) != NULL;)
        *plus = ' ';
    *at = bar != NULL ? bar + 1 : end;
    return value;
}

static bool is_value(struct arena *arena, const struct field *field, const char *text)
{
    const char *at = field->type, *value;

    while ((value = next_value(arena, field, &at)) != NULL)
        if (strcmp(value, text) == 0)
            return true;
    return false;
}

static bool text_fits(struct arena *arena, const struct field *field, const char *text)
{
    struct uuid uuid;
    int64_t us;
    char *end;

    if (is_choice(field))
        return is_value(arena, field, text);
    if (is_type(field, "text"))
        return *text != '\0';
    if (is_type(field, "uuid"))
        return uuid_parse(text, &uuid);
    if (is_type(field, "duration"))
        return duration_read(text, &us) && us <= (int64_t)LIMIT_AWAIT_S * 1000000;
    if (is_type(field, "boolean"))
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    if (is_type(field, "integer")) {
        long value = strtol(text, &end, 10);
        return *text != '\0' && *end == '\0' && strlen(text) <= 9 && value >= 0 && text[0] >= '0';
    }
    return true;
}

static bool json_fits(struct arena *arena, const struct field *field, const json_t *value)
{
    if (is_type(field, "any"))
        return true;
    if (json_is_null(value))
        return !field->required;
    if (is_type(field, "object"))
        return json_is_object(value);
    if (is_type(field, "array"))
        return json_is_array(value);
    if (is_type(field, "boolean"))
        return json_is_boolean(value);
    if (is_type(field, "number"))
        return json_is_number(value);
    if (is_type(field, "integer"))
        return json_is_integer(value) && json_integer_value(value) >= INT32_MIN &&
               json_integer_value(value) <= INT32_MAX;
    return json_is_string(value) && text_fits(arena, field, json_string_value(value));
}

static const char *values_of(struct arena *arena, const struct field *field)
{
    const char *at = field->type, *words = "one of", *value;

    for (const char *between = " "; (value = next_value(arena, field, &at)) != NULL; between = ", ")
        words = arena_printf(arena, "%s%s%s", words, between, value);
    return words;
}

static const char *words_of(struct arena *arena, const struct field *field)
{
    static const struct {
        const char *type, *words;
    } all[] = {
        {"string", "a text"},
        {"text", "a text that is not empty"},
        {"integer", "a whole number"},
        {"number", "a number"},
        {"boolean", "true or false"},
        {"object", "a JSON object"},
        {"array", "a JSON array"},
        {"uuid", "a UUID"},
        {"duration", "a duration such as 30s, 500ms or 2m, at most 5m (LIMIT_AWAIT_S)"},
    };

    if (is_choice(field))
        return values_of(arena, field);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (is_type(field, all[i].type))
            return all[i].words;
    return arena_printf(arena, "%.*s", field->type_n, field->type);
}

/* ---- Judging ---- */

static bool judge_members(struct request *request, const char *fields)
{
    const char *name, *at = fields;
    json_t *value;
    struct field field;

    if (request->json != NULL && !json_is_object(request->json)) {
        response_problem(request, 400, "PW003", NULL, "the body must be a JSON object");
        return false;
    }
    json_object_foreach(request->json, name, value)
    {
        if (!find_field(fields, name, &field)) {
            if (request->dialect == DIALECT_CAMUNDA)
                continue;
            response_problem(
                request, 400, "PW003",
                arena_printf(&request->arena, "There are: %s.", names_of(&request->arena, fields)),
                "the body has no member \"%.100s\"", name);
            return false;
        }
        if (!json_fits(&request->arena, &field, value)) {
            response_problem(request, 400, "PW003", NULL, "the member \"%.100s\" must be %s", name,
                             words_of(&request->arena, &field));
            return false;
        }
    }
    while (next_field(&at, &field)) {
        const char *wanted = arena_strndup(&request->arena, field.name, (size_t)field.name_n);
        if (!field.required || json_object_get(request->json, wanted) != NULL)
            continue;
        response_problem(request, 400, "PW003", NULL, "the member \"%s\" is missing: %s", wanted,
                         words_of(&request->arena, &field));
        return false;
    }
    return true;
}

static bool judge_parameters(struct request *request, const char *fields)
{
    const char *known = fields != NULL ? fields : "", *at = known;
    struct field field;

    for (size_t i = 0; i < request->n_query; i++) {
        const struct pair *given = &request->query[i];
        bool found = find_field(known, given->name, &field);
        if (!found && request->dialect != DIALECT_PAWL)
            continue;
        if (!found) {
            response_problem(request, 400, "PW003",
                             *known == '\0' ? "It takes none."
                                            : arena_printf(&request->arena, "There are: %s.",
                                                           names_of(&request->arena, known)),
                             "there is no query parameter \"%.100s\" here", given->name);
            return false;
        }
        if (!text_fits(&request->arena, &field, given->value)) {
            response_problem(request, 400, "PW003", NULL, "the query parameter \"%s\" must be %s",
                             given->name,
                             is_type(&field, "integer") ? "a whole number from 0 to 999999999"
                                                        : words_of(&request->arena, &field));
            return false;
        }
    }
    while (next_field(&at, &field)) {
        const char *wanted = arena_strndup(&request->arena, field.name, (size_t)field.name_n);
        if (!field.required || request_query(request, wanted) != NULL)
            continue;
        response_problem(request, 400, "PW003", NULL, "the query parameter \"%s\" is missing: %s",
                         wanted, words_of(&request->arena, &field));
        return false;
    }
    return true;
}

/* ---- JSON ---- */

/* Brackets outside of strings: how deep it is, without reading it. */
static bool too_deep(const char *text, size_t n)
{
    /* The outermost object is ours, and so is one for `variables`. */
    unsigned depth = 0, most = LIMIT_JSON_DEPTH + 2;
    bool string = false;

    for (size_t i = 0; i < n; i++) {
        if (string) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                string = false;
        } else if (text[i] == '"') {
            string = true;
        } else if (text[i] == '{' || text[i] == '[') {
            if (++depth > most)
                return true;
        } else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

bool body_read_json(struct request *request)
{
    const char *text = buf_str(&request->body);
    size_t n = request->body.len;
    json_error_t error = {.line = 0};

    if (strspn(text, " \t\r\n") == n)
        return true;
    if (!utf8_valid(text, n)) {
        response_problem(request, 400, "PW003", NULL, "the body is not UTF-8");
        return false;
    }
    if (too_deep(text, n)) {
        response_problem(request, 400, "PW006", "Flatten the data, or pass it as one text.",
                         "the body is nested more than %u deep (LIMIT_JSON_DEPTH)",
                         LIMIT_JSON_DEPTH);
        return false;
    }
    request->json = json_read(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (request->json != NULL)
        return true;
    response_problem(request, 400, "PW003", NULL, "the body is not JSON: %s (line %d, column %d)",
                     error.text, error.line, error.column);
    return false;
}

struct wanted {
    const char *name, *text;
    size_t n;
};

static void take_wanted(void *context, const char *name, const char *raw, size_t raw_n)
{
    struct wanted *wanted = context;

    if (strcmp(name, wanted->name) != 0)
        return;
    wanted->text = raw;
    wanted->n = raw_n;
}

const char *body_member(struct request *request, const char *name, size_t *ret_n)
{
    struct wanted wanted = {.name = name};
    struct err err = {0};

    if (value_split(&request->arena, buf_str(&request->body), request->body.len, take_wanted,
                    &wanted, &err) < 0) {
        response_problem(request, 400, "PW003", NULL, "the body is %s", err.text);
        return NULL;
    }
    *ret_n = wanted.n;
    return arena_strndup(&request->arena, wanted.text, wanted.n);
}

bool body_accept(struct request *request)
{
    const struct operation *operation = request->operation;

    if (!judge_parameters(request, operation->parameters))
        return false;
    bool json = operation->body_kind == BODY_JSON ||
                (operation->body_kind == BODY_MULTIPART && request_is_json(request));
    if (!json)
        return true;
    return body_read_json(request) &&
           (operation->fields == NULL || judge_members(request, operation->fields));
}
