/* SPDX-License-Identifier: Apache-2.0 */
/* The audit trail's rows, as data. */
#include "base/build.h"

#include <stdarg.h>

#include "engine/step.h"

/* Of a multi-instance activity: which item it is, or how many the whole has, first in the data. */
static const char *with_item(struct step *step, enum history_kind kind,
                             const struct instance *instance, uint32_t token,
                             const struct node *node, const char *data)
{
    const struct token *at = NULL;
    const char *first = NULL;
    bool life = kind == HISTORY_ACTIVITY_STARTED || kind == HISTORY_ACTIVITY_ENDED ||
                kind == HISTORY_ACTIVITY_CANCELLED || kind == HISTORY_INCIDENT;

    if (life && node != NULL && node->multi != NULL)
        at = token_find(instance, token);
    if (at != NULL && at->item != 0)
        first = arena_printf(step->arena, "{\"loopCounter\":%u", at->item - 1);
    const struct scope *inner =
        at != NULL && at->state == TOKEN_SCOPE ? scope_find(instance, at->child) : NULL;
    if (inner != NULL && inner->loop != NULL)
        first = arena_printf(step->arena, "{\"nrOfInstances\":%u,\"nrOfCompletedInstances\":%u",
                             inner->loop->total, inner->loop->completed);
    if (first == NULL)
        return data;
    return arena_printf(step->arena, "%s%s%s", first, data != NULL ? "," : "}",
                        data != NULL ? data + 1 : "");
}

void history_add(struct step *step, enum history_kind kind, const struct instance *instance,
                 uint32_t token, const struct node *node, int64_t started_us, const char *data)
{
    struct family *family = step->family;

    data = with_item(step, kind, instance, token, node, data);
    *arena_push(family->arena, family->history, family->n_history, family->history_capacity) =
        (struct history){.kind = kind,
                         .instance = instance->id,
                         .of = instance,
                         .token = token,
                         .node = node != NULL ? node_index(instance, node) : -1,
                         .started_us = started_us,
                         .data = data};
}

const char *text_cut(struct arena *arena, const char *text, size_t most)
{
    size_t n = strlen(text);

    if (n <= most)
        return text;
    n = most;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return arena_strndup(arena, text, n);
}

static void add_string(struct buf *buf, const char *text)
{
    if (text == NULL) {
        buf_add_str(buf, "null");
        return;
    }
    struct value value = {.kind = VALUE_STRING, .u.string = {.text = text, .n = strlen(text)}};
    value_write(&value, buf);
}

static void add_member(struct buf *buf, char kind, va_list *args)
{
    const char *name = va_arg(*args, const char *);
    size_t mark = buf->len;
    char room[UUID_TEXT_BYTES];
    int64_t number;

    buf_add_str(buf, buf->len > 1 ? "," : "");
    add_string(buf, name);
    buf_add_char(buf, ':');
    switch (kind) {
    case 's':
        add_string(buf, va_arg(*args, const char *));
        break;
    case 'r':
        buf_add_str(buf, va_arg(*args, const char *));
        break;
    case 'u':
        uuid_format(va_arg(*args, const struct uuid *), room);
        add_string(buf, room);
        break;
    case 't':
        number = va_arg(*args, int64_t);
        if (number != 0)
            iso_date_format(number, room);
        add_string(buf, number != 0 ? room : NULL);
        break;
    default:
        assert(kind == 'i' || kind == 'n');
        number = va_arg(*args, int64_t);
        if (kind == 'n' && number == 0)
            buf->len = mark; /* left out */
        else
            buf_printf(buf, "%lld", (long long)number);
        break;
    }
}

const char *history_data(struct step *step, const char *format, ...)
{
    CLEANUP(buf_deinit) struct buf buf;
    va_list args;

    buf_init(&buf, 0);
    buf_add_char(&buf, '{');
    va_start(args, format);
    for (; *format != '\0'; format++)
        add_member(&buf, *format, &args);
    va_end(args);
    buf_add_char(&buf, '}');
    return arena_strndup(step->arena, buf.data, buf.len);
}
