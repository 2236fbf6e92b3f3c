/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <yaml.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "convert/internal.h"

struct reader {
    struct arena *arena;
    const char *file;
    struct err *err;
    yaml_parser_t parser;
    size_t n_items;
};

static int wrong(struct reader *reader, int line, const char *what)
{
    reader->err->line = line;
    return err_set(reader->err, ERR_INVALID, "%s:%d: %s", reader->file, line, what);
}

static struct item *item_new(struct reader *reader, enum item_kind kind, const yaml_event_t *event)
{
    struct item *item = arena_alloc(reader->arena, sizeof(*item));

    item->kind = kind;
    item->line = (int)event->start_mark.line + 1;
    reader->n_items++;
    return item;
}

/* A number as JSON writes it. What YAML 1.1 would also take for one (0x1F, 1_000, 1:30) is a text.
 */
static bool is_number(const char *s)
{
    s += *s == '-';
    if (*s == '0')
        s++;
    else if (*s >= '1' && *s <= '9')
        s += strspn(s, "0123456789");
    else
        return false;
    if (*s == '.') {
        size_t digits = strspn(s + 1, "0123456789");
        if (digits == 0)
            return false;
        s += 1 + digits;
    }
    if (*s == 'e' || *s == 'E') {
        s += s[1] == '+' || s[1] == '-' ? 2 : 1;
        size_t digits = strspn(s, "0123456789");
        if (digits == 0)
            return false;
        s += digits;
    }
    return *s == '\0';
}

static enum item_kind plain_kind(const char *text)
{
    if (*text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
        return ITEM_NULL;
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return ITEM_BOOL;
    return is_number(text) ? ITEM_NUMBER : ITEM_STRING;
}

static int read_scalar(struct reader *reader, const yaml_event_t *event, struct item **ret)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t n = event->data.scalar.length;

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' && strchr("\t\n\r", text[i]) == NULL)
            return wrong(reader, (int)event->start_mark.line + 1,
                         "a text has a control character, which BPMN cannot keep: take it out");
    if (memchr(text, '\0', n) != NULL)
        return wrong(reader, (int)event->start_mark.line + 1,
                     "a text has a NUL character, which nothing can keep: take it out");
    struct item *item = item_new(reader, ITEM_STRING, event);
    item->text = arena_strndup(reader->arena, text, n);
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        item->kind = plain_kind(item->text);
    *ret = item;
    return 0;
}

static int read_item(struct reader *reader, unsigned depth, struct item **ret);

/* The next event; its anchors and tags are refused: an alias can blow a small text up. */
static int next(struct reader *reader, yaml_event_t *event)
{
    if (!yaml_parser_parse(&reader->parser, event))
        return wrong(reader, (int)reader->parser.problem_mark.line + 1,
                     arena_printf(reader->arena, "this is no YAML: %s",
                                  reader->parser.problem != NULL ? reader->parser.problem
                                                                 : "it cannot be read"));
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (event->type == YAML_ALIAS_EVENT || anchor != NULL || tag != NULL) {
        int line = (int)event->start_mark.line + 1;
        yaml_event_delete(event);
        return wrong(reader, line,
                     "anchors (&), aliases (*) and tags (!) are not read here: write "
                     "the value out");
    }
    return 0;
}

static int read_children(struct reader *reader, unsigned depth, struct item *item)
{
    bool map = item->kind == ITEM_MAP;

    for (;;) {
        struct item *key = NULL, *value;
        if (map) {
            if (read_item(reader, depth + 1, &key) < 0)
                return err_trace(reader->err);
            if (key == NULL)
                return 0;
            if (key->text == NULL)
                return wrong(reader, key->line, "a key must be a text");
            if (item_member(item, key->text) != NULL)
                return wrong(
                    reader, key->line,
                    arena_printf(reader->arena, "the key \"%s\" stands here twice", key->text));
        }
        if (read_item(reader, depth + 1, &value) < 0)
            return err_trace(reader->err);
        if (value == NULL)
            return 0;
        size_t n = item->n;
        *arena_push(reader->arena, item->list, item->n, item->capacity) = value;
        if (map)
            *arena_push(reader->arena, item->keys, n, item->keys_capacity) = key->text;
    }
}

/* *ret is NULL at the end of a list or map. */
static int read_item(struct reader *reader, unsigned depth, struct item **ret)
{
    yaml_event_t event;
    int result = 0;

    *ret = NULL;
    if (next(reader, &event) < 0)
        return err_trace(reader->err);
    if (depth > LIMIT_STEPS_DEPTH || reader->n_items > LIMIT_STEPS_ITEMS) {
        int line = (int)event.start_mark.line + 1;
        yaml_event_delete(&event);
        err_set(reader->err, ERR_LIMIT,
                "%s:%d: it is nested more than %u deep (LIMIT_STEPS_DEPTH) or has more than %u "
                "values (LIMIT_STEPS_ITEMS): write that as BPMN",
                reader->file, line, LIMIT_STEPS_DEPTH, LIMIT_STEPS_ITEMS);
        reader->err->line = line;
        return -1;
    }
    if (event.type == YAML_SCALAR_EVENT) {
        result = read_scalar(reader, &event, ret);
    } else if (event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT) {
        *ret =
            item_new(reader, event.type == YAML_MAPPING_START_EVENT ? ITEM_MAP : ITEM_LIST, &event);
        result = read_children(reader, depth, *ret);
    }
    yaml_event_delete(&event);
    return result;
}

static int skip(struct reader *reader, yaml_event_type_t wanted, const char *otherwise)
{
    yaml_event_t event;

    if (next(reader, &event) < 0)
        return err_trace(reader->err);
    bool right = event.type == wanted;
    int line = (int)event.start_mark.line + 1;
    yaml_event_delete(&event);
    return right ? 0 : wrong(reader, line, otherwise);
}

int yaml_read(struct arena *arena, const char *file, const char *text, size_t n,
              struct item **ret_item, struct err *err)
{
    struct reader reader = {.arena = arena, .file = file, .err = err};
    int result = -1;

    if (!utf8_valid(text, n))
        return err_set(err, ERR_INVALID, "%s: this is not UTF-8: save it as UTF-8", file);
    if (!yaml_parser_initialize(&reader.parser))
        return err_set(err, ERR_INTERNAL, "%s: there is no memory to read it", file);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, n);
    if (skip(&reader, YAML_STREAM_START_EVENT, "this is no YAML") == 0 &&
        skip(&reader, YAML_DOCUMENT_START_EVENT, "this is empty: a process is wanted") == 0 &&
        read_item(&reader, 0, ret_item) == 0 &&
        skip(&reader, YAML_DOCUMENT_END_EVENT, "this is no YAML") == 0 &&
        skip(&reader, YAML_STREAM_END_EVENT,
             "one document a file: this is where a second one begins") == 0)
        result = 0;
    yaml_parser_delete(&reader.parser);
    return result;
}

const struct item *item_member(const struct item *map, const char *key)
{
    if (map == NULL || map->kind != ITEM_MAP)
        return NULL;
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->keys[i], key) == 0)
            return map->list[i]->kind == ITEM_NULL ? NULL : map->list[i];
    return NULL;
}

static void json_text(const char *text, struct buf *json)
{
    buf_add_char(json, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            buf_printf(json, "\\%c", *c);
        else if ((unsigned char)*c < ' ')
            buf_printf(json, "\\u%04x", (unsigned)*c);
        else
            buf_add_char(json, *c);
    }
    buf_add_char(json, '"');
}

void item_json(const struct item *item, struct buf *json)
{
    switch (item->kind) {
    case ITEM_NULL:
        buf_add_str(json, "null");
        return;
    case ITEM_BOOL:
    case ITEM_NUMBER:
        buf_add_str(json, item->text);
        return;
    case ITEM_STRING:
        json_text(item->text, json);
        return;
    case ITEM_LIST:
    case ITEM_MAP:
        break;
    }
    bool map = item->kind == ITEM_MAP;
    buf_add_char(json, map ? '{' : '[');
    for (size_t i = 0; i < item->n; i++) {
        if (i > 0)
            buf_add_str(json, ", ");
        if (map) {
            json_text(item->keys[i], json);
            buf_add_str(json, ": ");
        }
        item_json(item->list[i], json);
    }
    buf_add_char(json, map ? '}' : ']');
}

void item_json_lines(const struct item *item, int indent, struct buf *json)
{
    struct buf line CLEANUP(buf_deinit);
    bool map = item->kind == ITEM_MAP;

    buf_init(&line, 0);
    item_json(item, &line);
    if (line.len <= ITEM_JSON_WIDTH || (item->kind != ITEM_LIST && !map)) {
        buf_add(json, buf_str(&line), line.len);
        return;
    }
    buf_add_char(json, map ? '{' : '[');
    for (size_t i = 0; i < item->n; i++) {
        buf_printf(json, "%s\n%*s", i > 0 ? "," : "", indent + 2, "");
        if (map) {
            json_text(item->keys[i], json);
            buf_add_str(json, ": ");
        }
        item_json_lines(item->list[i], indent + 2, json);
    }
    buf_printf(json, "\n%*s%c", indent, "", map ? '}' : ']');
}
