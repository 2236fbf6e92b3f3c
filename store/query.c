/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/embedded.h"
#include "store/query.h"

#define MARK "-- name: "

static const char *line_end(const char *s)
{
    const char *end = strchr(s, '\n');
    return end != NULL ? end + 1 : s + strlen(s);
}

static bool is_mark(const char *line)
{
    return strncmp(line, MARK, strlen(MARK)) == 0;
}

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

int query_parse(struct arena *arena, const char *file, const char *text, struct query_set *set,
                size_t *capacity, struct err *err)
{
    const char *line = text;

    for (; *line != '\0' && !is_mark(line); line = line_end(line)) {
        if (*line != '\n' && strncmp(line, "--", 2) != 0)
            return err_set(err, ERR_INTERNAL, "%s: text before the first \"" MARK "\"", file);
    }
    while (*line != '\0') {
        const char *name = line + strlen(MARK), *body = line_end(line);
        size_t n = 0;
        while (name_char(name[n]))
            n++;
        if (n == 0 || (name[n] != '\n' && name[n] != '\0'))
            return err_set(err, ERR_INTERNAL, "%s: \"%.40s\" is no query name", file, name);
        for (line = body; *line != '\0' && !is_mark(line);)
            line = line_end(line);
        struct query *query = arena_push(arena, set->items, set->n, *capacity);
        *query = (struct query){.name = arena_strndup(arena, name, n),
                                .text = arena_strndup(arena, body, (size_t)(line - body))};
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct query *x = a, *y = b;
    return strcmp(x->name, y->name);
}

int query_load(struct arena *arena, struct query_set *ret_set, struct err *err)
{
    struct query_set set = {0};
    size_t capacity = 0;

    for (size_t i = 0; i < n_embedded_files; i++) {
        const struct embedded_file *file = &embedded_files[i];
        if (strncmp(file->name, "queries/", 8) != 0)
            continue;
        if (query_parse(arena, file->name, file->text, &set, &capacity, err) < 0)
            return err_trace(err);
    }
    if (set.n != 0)
        qsort(set.items, set.n, sizeof(*set.items), by_name);
    for (size_t i = 1; i < set.n; i++) {
        if (strcmp(set.items[i - 1].name, set.items[i].name) == 0)
            return err_set(err, ERR_INTERNAL, "two queries are named %s", set.items[i].name);
    }
    *ret_set = set;
    return 0;
}

struct query *query_find(const struct query_set *set, const char *name)
{
    struct query key = {.name = name};

    if (set->n == 0)
        return NULL;
    return bsearch(&key, set->items, set->n, sizeof(*set->items), by_name);
}
