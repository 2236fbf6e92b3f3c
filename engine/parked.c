/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that failed and are carried out again: what they are about, and corrected variables. */
#include "base/build.h"

#include "engine/step.h"

bool command_locate(const struct instance *instance, struct command *command)
{
    const struct wait *wait = NULL;
    const struct fired_call *call;

    switch (command->kind) {
    case COMMAND_CONTINUE:
        if (command->phase == PHASE_CALL)
            return wait_find_subject(instance, WAIT_CALL, &command->subject) != NULL ||
                   fired_find(instance, &command->subject) != NULL;
        return token_find(instance, command->token) != NULL;
    case COMMAND_TIMER:
        return wait_find(instance, WAIT_TIMER, command->token, command->node) != NULL;
    case COMMAND_MESSAGE:
        return wait_find(instance, WAIT_MESSAGE, command->token, command->node) != NULL;
    case COMMAND_TASK_COMPLETE:
    case COMMAND_TASK_ERROR:
        wait = wait_find_subject(instance, WAIT_TASK, &command->subject);
        break;
    case COMMAND_EXTERNAL_COMPLETE:
    case COMMAND_EXTERNAL_ERROR:
    case COMMAND_EXTERNAL_FAILURE:
    case COMMAND_EXTERNAL_OFFER:
        wait = wait_find_subject(instance, WAIT_EXTERNAL, &command->subject);
        break;
    case COMMAND_CALLBACK_SUCCEED:
    case COMMAND_CALLBACK_FAIL:
    case COMMAND_CALLBACK_TIMER:
    case COMMAND_CALLBACK_AGAIN:
        wait = wait_find_subject(instance, WAIT_CALLBACK, &command->subject);
        break;
    case COMMAND_LEVEL:
        return command->token == 0 ||
               wait_find(instance, WAIT_LEVEL, command->token, command->node) != NULL;
    case COMMAND_CALL_SENT:
    case COMMAND_CALL_RESULT:
        wait = wait_find_subject(instance, WAIT_CALL, &command->subject);
        call = fired_find(instance, &command->subject);
        if (wait == NULL && call != NULL) {
            command->token = call->token;
            command->node = call->node;
            return true;
        }
        break;
    default:
        return true;
    }
    if (wait == NULL)
        return false;
    command->token = wait->token;
    command->node = wait->node;
    return true;
}

/* ---- Two objects of variables as one ---- */

struct merge {
    struct arena *arena;
    struct buf buf;
    const char **names; /* of the second object: they win */
    size_t n_names, capacity;
    bool second;
};

static bool survives(const struct merge *merge, const char *name)
{
    for (size_t i = 0; i < merge->n_names; i++)
        if (strcmp(merge->names[i], name) == 0)
            return false;
    return true;
}

static void note_name(void *context, const char *name, const char *raw, size_t raw_n)
{
    struct merge *merge = context;

    (void)raw;
    (void)raw_n;
    *arena_push(merge->arena, merge->names, merge->n_names, merge->capacity) = name;
}

static void merge_member(void *context, const char *name, const char *raw, size_t raw_n)
{
    struct merge *merge = context;
    struct value key = {.kind = VALUE_STRING, .u.string = {.text = name, .n = strlen(name)}};

    if (!merge->second && !survives(merge, name))
        return;
    buf_add_char(&merge->buf, merge->buf.len == 0 ? '{' : ',');
    value_write(&key, &merge->buf);
    buf_add_char(&merge->buf, ':');
    buf_add(&merge->buf, raw, raw_n);
}

int variables_merge(struct arena *arena, const char **text, size_t *n, const char *over,
                    size_t over_n, struct err *err)
{
    struct merge merge = {.arena = arena};
    int rc = 0;

    buf_init(&merge.buf, 0);
    if (value_split(arena, over, over_n, note_name, &merge, err) < 0 ||
        (*text != NULL && value_split(arena, *text, *n, merge_member, &merge, err) < 0))
        rc = -1;
    merge.second = true;
    if (rc == 0)
        rc = value_split(arena, over, over_n, merge_member, &merge, err);
    if (rc == 0 && merge.buf.len > 0) {
        buf_add_char(&merge.buf, '}');
        *n = merge.buf.len;
        *text = arena_strndup(arena, buf_str(&merge.buf), merge.buf.len);
    }
    buf_deinit(&merge.buf);
    return rc < 0 ? err_trace(err) : 0;
}

static bool brings_variables(enum command_kind kind)
{
    return kind == COMMAND_START || kind == COMMAND_MESSAGE || kind == COMMAND_TASK_COMPLETE ||
           kind == COMMAND_TASK_ERROR || kind == COMMAND_EXTERNAL_ERROR;
}

int command_correct(struct arena *arena, struct command *command, const char *variables, size_t n,
                    struct err *err)
{
    const char *body = command->body;
    size_t body_n = command->body_n;

    command->variables = variables;
    command->variables_n = n;
    if (brings_variables(command->kind))
        return variables_merge(arena, &command->body, &command->body_n, variables, n, err);
    /* Its body says more than that; but both must be objects. */
    return variables_merge(arena, &body, &body_n, variables, n, err);
}

/* ---- Setting them ---- */

/* The scope in which the command acts. */
static uint32_t scope_of(const struct instance *instance, const struct command *command)
{
    const struct fired_call *call = fired_find(instance, &command->subject);

    if (call != NULL)
        return call->scope;
    return token_find(instance, command->token) != NULL ? token_scope(instance, command->token) : 0;
}

static void history_set(struct step *step, const struct instance *instance,
                        const struct command *at)
{
    history_add(step, HISTORY_VARIABLES_SET, instance, at->token, node_at(instance, at->node), 0,
                history_data(step, "rs", "names",
                             variables_names(step, at->variables, at->variables_n), "actor",
                             at->actor));
}

int command_variables(struct step *step, struct instance *instance)
{
    struct command at = *step->command;

    if (at.variables == NULL)
        return 0;
    if (!command_locate(instance, &at))
        return STEP_DROPPED;
    if (variables_set(step, instance, scope_of(instance, &at), at.variables, at.variables_n) < 0 ||
        variables_check(step) < 0)
        return err_trace(step->err);
    history_set(step, instance, &at);
    return 0;
}

void command_variables_keep(struct step *step, struct instance *instance)
{
    struct command at = *step->command;

    if (at.variables != NULL && command_locate(instance, &at) &&
        variables_try(step, instance, scope_of(instance, &at), at.variables, at.variables_n))
        history_set(step, instance, &at);
}
