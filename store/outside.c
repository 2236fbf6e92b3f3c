/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of tasks that somebody outside ends: user tasks, external tasks, and callbacks. */
#include "base/build.h"

#include "store/effects.h"

/* The first columns that all of these tables have in common. */
static void put_wait(struct effects *e, enum table_id table, const struct instance *instance,
                     const struct uuid *id, uint32_t token, int node)
{
    column_uuid(col(e, table, 0), id);
    column_uuid(col(e, table, 1), &instance->id);
    column_uuid(col(e, table, 2), &instance->root);
    column_int(col(e, table, 3), token);
    column_int(col(e, table, 4), node);
    column_int(col(e, table, 5), instance->definition_id);
    column_text(col(e, table, 6), instance->tenant != NULL ? instance->tenant : "");
    column_counter(col(e, table, 7), item_around(instance, token));
}

static const char *text_array(struct arena *arena, const char **texts, size_t n)
{
    struct value *items = arena_array(arena, n, sizeof(*items));

    for (size_t i = 0; i < n; i++)
        items[i] = value_string(arena, texts[i], strlen(texts[i]));
    struct value array = {.kind = VALUE_ARRAY, .u.array = {.items = items, .n = n}};
    return n > 0 ? value_text(arena, &array, NULL) : "[]";
}

static void put_task(struct effects *e, const struct instance *instance,
                     const struct new_task *task)
{
    put_wait(e, T_INSERT_TASKS, instance, &task->id, task->token, task->node);
    column_text(col(e, T_INSERT_TASKS, 8), task->name);
    column_text(col(e, T_INSERT_TASKS, 9), task->assignee);
    column_text(col(e, T_INSERT_TASKS, 10),
                text_array(e->arena, task->candidate_users, task->n_candidate_users));
    column_text(col(e, T_INSERT_TASKS, 11),
                text_array(e->arena, task->candidate_groups, task->n_candidate_groups));
    column_int(col(e, T_INSERT_TASKS, 12), task->priority);
    column_time_or_null(col(e, T_INSERT_TASKS, 13), task->due_us);
    column_time_or_null(col(e, T_INSERT_TASKS, 14), task->follow_up_us);
    column_text(col(e, T_INSERT_TASKS, 15), task->form_key);
}

static void put_external(struct effects *e, const struct instance *instance,
                         const struct new_external *task)
{
    put_wait(e, T_INSERT_EXTERNAL, instance, &task->id, task->token, task->node);
    column_text(col(e, T_INSERT_EXTERNAL, 8), task->topic);
    column_bool(col(e, T_INSERT_EXTERNAL, 9), task->topic_is_class);
    column_int(col(e, T_INSERT_EXTERNAL, 10), task->priority);
}

/* What its external tasks see besides the variables of the process. */
static void put_locals(struct effects *e, struct family *family, const struct instance *instance)
{
    for (size_t i = 0; i < instance->n_waits; i++) {
        const struct wait *wait = &instance->waits[i];
        if (wait->kind != WAIT_EXTERNAL ||
            (!wait->fresh &&
             (!instance->locals_changed || !instance_locals_changed(instance, wait->token))))
            continue;
        const char *locals = instance_locals(family, instance, wait->token);
        if (locals == NULL)
            continue;
        column_uuid(col(e, T_PUT_EXTERNAL_VARIABLES, 0), &wait->subject);
        column_text(col(e, T_PUT_EXTERNAL_VARIABLES, 1), locals);
    }
}

static void external_effects(struct effects *e, struct family *family)
{
    for (size_t i = 0; i < family->n_externals; i++)
        put_external(e, family_instance(family, &family->externals[i].instance),
                     &family->externals[i]);
    for (size_t i = 0; i < family->n_offers; i++) {
        column_uuid(col(e, T_OFFER_EXTERNAL, 0), &family->offers[i].task);
        column_uuid(col(e, T_DELETE_EXTERNAL_INCIDENTS, 0), &family->offers[i].instance);
        column_uuid(col(e, T_DELETE_EXTERNAL_INCIDENTS, 1), &family->offers[i].task);
    }
    for (size_t i = 0; i < family->n_instances; i++)
        if (family->instances[i]->fate != INSTANCE_ENDED)
            put_locals(e, family, family->instances[i]);
}

static void put_callback(struct effects *e, const struct instance *instance,
                         const struct new_callback *callback)
{
    put_wait(e, T_INSERT_CALLBACKS, instance, &callback->id, callback->token, callback->node);
    column_int(col(e, T_INSERT_CALLBACKS, 8), callback->attempt);
    column_time(col(e, T_INSERT_CALLBACKS, 9), callback->until_us);
    column_int(col(e, T_INSERT_CALLBACKS, 10), callback->heartbeat_us);
    column_text(col(e, T_INSERT_CALLBACKS, 11), callback->allowed_caller);
    column_uuid(col(e, T_INSERT_CALLBACKS, 12), &callback->task);
}

static void callback_effects(struct effects *e, const struct family *family)
{
    for (size_t i = 0; i < family->n_callbacks; i++)
        put_callback(e, family_instance(family, &family->callbacks[i].instance),
                     &family->callbacks[i]);
    for (size_t i = 0; i < family->n_accepted; i++)
        column_uuid(col(e, T_ACCEPT_CALLBACKS, 0), &family->accepted[i]);
}

void outside_effects(struct effects *e, struct family *family)
{
    for (size_t i = 0; i < family->n_tasks; i++)
        put_task(e, family_instance(family, &family->tasks[i].instance), &family->tasks[i]);
    external_effects(e, family);
    callback_effects(e, family);
}
