/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "events/template.h"

/* ---- Paths ---- */

struct step {
    const char *name; /* NULL: an index */
    size_t name_n, index;
};

/* The step at `at`; where the next one begins, NULL if it is none. */
static const char *step_read(const char *at, const char *end, struct step *ret)
{
    *ret = (struct step){.name = NULL};
    if (*at == '.') {
        ret->name = ++at;
        while (at < end && strchr(".[]<> \t\"", *at) == NULL)
            at++;
        ret->name_n = (size_t)(at - ret->name);
        return ret->name_n != 0 ? at : NULL;
    }
    if (*at != '[' || ++at == end)
        return NULL;
    if (*at == '"' || *at == '\'') {
        const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));
        if (close == NULL || close + 1 == end || close[1] != ']')
            return NULL;
        ret->name = at + 1;
        ret->name_n = (size_t)(close - at - 1);
        return close + 2;
    }
    const char *digits = at;
    for (; at < end && *at >= '0' && *at <= '9' && at - digits < 9; at++)
        ret->index = ret->index * 10 + (size_t)(*at - '0');
    return at != digits && at < end && *at == ']' ? at + 1 : NULL;
}

bool path_valid(const char *path, size_t n)
{
    const char *end = path + n;
    struct step step;

    if (n == 0 || *path++ != '$')
        return false;
    while (path != NULL && path < end)
        path = step_read(path, end, &step);
    return path != NULL;
}

const struct value *path_value(const struct value *event, const char *path, size_t n)
{
    const char *end = path + n;
    const struct value *value = event;
    struct step step;

    for (path++; path < end && value != NULL;) {
        path = step_read(path, end, &step);
        if (path == NULL)
            return NULL;
        if (step.name != NULL)
            value = value_member(value, step.name, step.name_n);
        else if (value->kind == VALUE_ARRAY && step.index < value->u.array.n)
            value = &value->u.array.items[step.index];
        else
            value = NULL;
    }
    return value;
}

/* ---- Templates ---- */

/* The next "<$…>" in a text: where it begins (NULL: there is none), and its path. */
static const char *next_hole(const char *text, const char *end, const char **ret_path,
                             size_t *ret_n)
{
    for (; text + 1 < end; text++) {
        if (text[0] != '<' || text[1] != '$')
            continue;
        const char *close = memchr(text, '>', (size_t)(end - text));
        *ret_path = text + 1;
        *ret_n = (size_t)((close != NULL ? close : end) - text - 1);
        return text;
    }
    return NULL;
}

static int text_check(const struct value *text, struct err *err)
{
    const char *at = text->u.string.text, *end = at + text->u.string.n, *path;
    size_t n;

    while ((at = next_hole(at, end, &path, &n)) != NULL) {
        if (path + n == end || !path_valid(path, n))
            return err_set(err, ERR_INVALID,
                           "\"%.100s\" holds no path that can be read; an example is "
                           "<$.detail.items[0].name>",
                           text->u.string.text);
        at = path + n;
    }
    return 0;
}

int template_check(const struct value *template, struct err *err)
{
    if (template->kind == VALUE_STRING)
        return text_check(template, err);
    for (size_t i = 0; template->kind == VALUE_ARRAY && i < template->u.array.n; i++) {
        if (template_check(&template->u.array.items[i], err) < 0)
            return err_trace(err);
    }
    for (size_t i = 0; template->kind == VALUE_OBJECT && i < template->u.object.n; i++) {
        if (template_check(&template->u.object.members[i].value, err) < 0)
            return err_trace(err);
    }
    return 0;
}

static struct value text_fill(const struct value *text, const struct value *event,
                              struct arena *arena)
{
    const char *at = text->u.string.text, *end = at + text->u.string.n, *path, *hole;
    const char *filled = "";
    size_t n;

    hole = next_hole(at, end, &path, &n);
    if (hole == NULL)
        return *text;
    if (hole == at && path + n + 1 == end) {
        const struct value *found = path_value(event, path, n);
        return found != NULL ? *found : value_null();
    }
    for (; hole != NULL; hole = next_hole(at, end, &path, &n)) {
        const struct value *found = path_value(event, path, n);
        const char *shown = found == NULL || found->kind == VALUE_NULL ? ""
                            : found->kind == VALUE_STRING              ? found->u.string.text
                                                          : value_text(arena, found, NULL);
        filled = arena_printf(arena, "%s%.*s%s", filled, (int)(hole - at), at, shown);
        at = path + n + 1;
    }
    filled = arena_printf(arena, "%s%s", filled, at);
    return value_string(arena, filled, strlen(filled));
}

struct value template_fill(const struct value *template, const struct value *event,
                           struct arena *arena)
{
    struct value filled = *template;

    if (template->kind == VALUE_STRING)
        return text_fill(template, event, arena);
    if (template->kind == VALUE_ARRAY) {
        struct value *items = arena_array(arena, template->u.array.n, sizeof(*items));
        for (size_t i = 0; i < template->u.array.n; i++)
            items[i] = template_fill(&template->u.array.items[i], event, arena);
        filled.u.array.items = items;
    } else if (template->kind == VALUE_OBJECT) {
        struct value_member *members = arena_array(arena, template->u.object.n, sizeof(*members));
        for (size_t i = 0; i < template->u.object.n; i++) {
            members[i] = template->u.object.members[i];
            members[i].value = template_fill(&template->u.object.members[i].value, event, arena);
        }
        filled.u.object.members = members;
    }
    return filled;
}
