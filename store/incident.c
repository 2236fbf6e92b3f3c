/* SPDX-License-Identifier: Apache-2.0 */
/* A command that waits for somebody: its row, with the last answer of its call as people may see
 * it. */
#include "base/build.h"

#include "base/mask.h"
#include "store/effects.h"

/* Without the values of headers that look secret. */
static struct value masked(struct arena *arena, const struct value *headers)
{
    struct value copy = *headers;

    if (headers->kind != VALUE_OBJECT)
        return copy;
    struct value_member *members = arena_array(arena, headers->u.object.n, sizeof(*members));
    for (size_t i = 0; i < headers->u.object.n; i++) {
        members[i] = headers->u.object.members[i];
        if (mask_is_secret(members[i].name, strlen(members[i].name)))
            members[i].value = value_string(arena, "***", 3);
    }
    copy.u.object.members = members;
    return copy;
}

/* A long one becomes the beginning of its text, cut between characters. */
static struct value shortened(struct arena *arena, const struct value *body)
{
    bool is_text = body->kind == VALUE_STRING;
    size_t n = is_text ? body->u.string.n : 0;
    const char *text = is_text ? body->u.string.text : value_text(arena, body, &n);

    if (n <= LIMIT_INCIDENT_BODY_BYTES)
        return *body;
    n = LIMIT_INCIDENT_BODY_BYTES;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return value_string(arena, text, n);
}

/* The response object of a call, or NULL. */
static const char *answer_text(struct arena *arena, const struct command *command, size_t *ret_n)
{
    const struct item *item = command->origin;
    struct value response;
    struct err err;

    *ret_n = 0;
    if (item == NULL || item->kind != COMMAND_CALL_RESULT || item->command.body == NULL ||
        value_read(arena, item->command.body, item->command.body_n, &response, &err) < 0 ||
        response.kind != VALUE_OBJECT)
        return NULL;
    struct value_member *members = arena_array(arena, response.u.object.n, sizeof(*members));
    for (size_t i = 0; i < response.u.object.n; i++) {
        members[i] = response.u.object.members[i];
        if (strcmp(members[i].name, "headers") == 0)
            members[i].value = masked(arena, &members[i].value);
        else if (strcmp(members[i].name, "body") == 0)
            members[i].value = shortened(arena, &members[i].value);
    }
    response.u.object.members = members;
    return value_text(arena, &response, ret_n);
}

void effect_incident(struct batch *batch, const struct command *command, int definition_id,
                     uint32_t item, const char *reason, const char *message)
{
    struct effects *e = batch->effects;
    struct uuid id = batch_uuid(batch);
    size_t n;
    const char *answer = answer_text(batch->arena, command, &n);

    column_uuid(col(e, T_INSERT_INCIDENTS, 0), &id);
    column_uuid(col(e, T_INSERT_INCIDENTS, 1), &command->instance);
    column_uuid(col(e, T_INSERT_INCIDENTS, 2), &command->root);
    column_text(col(e, T_INSERT_INCIDENTS, 3), reason);
    column_text(col(e, T_INSERT_INCIDENTS, 4), message);
    effect_command(e, T_INSERT_INCIDENTS, 5, command);
    if (definition_id != 0)
        column_int(col(e, T_INSERT_INCIDENTS, 14), definition_id);
    else
        column_null(col(e, T_INSERT_INCIDENTS, 14));
    column_bytes(col(e, T_INSERT_INCIDENTS, 15), answer, n);
    column_counter(col(e, T_INSERT_INCIDENTS, 16), item);
}
