/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of tasks that somebody outside ends: external tasks, and callbacks. */
#include "base/build.h"

#include "store/effects.h"

static void put_external(struct effects *e, const struct instance *instance,
                         const struct new_external *task)
{
    column_uuid(col(e, T_INSERT_EXTERNAL, 0), &task->id);
    column_uuid(col(e, T_INSERT_EXTERNAL, 1), &task->instance);
    column_uuid(col(e, T_INSERT_EXTERNAL, 2), &instance->root);
    column_int(col(e, T_INSERT_EXTERNAL, 3), task->token);
    column_int(col(e, T_INSERT_EXTERNAL, 4), task->node);
    column_int(col(e, T_INSERT_EXTERNAL, 5), instance->definition_id);
    column_text(col(e, T_INSERT_EXTERNAL, 6), instance->tenant != NULL ? instance->tenant : "");
    column_text(col(e, T_INSERT_EXTERNAL, 7), task->topic);
    column_bool(col(e, T_INSERT_EXTERNAL, 8), task->topic_is_class);
    column_int(col(e, T_INSERT_EXTERNAL, 9), task->priority);
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
    column_uuid(col(e, T_INSERT_CALLBACKS, 0), &callback->id);
    column_uuid(col(e, T_INSERT_CALLBACKS, 1), &callback->instance);
    column_uuid(col(e, T_INSERT_CALLBACKS, 2), &instance->root);
    column_int(col(e, T_INSERT_CALLBACKS, 3), callback->token);
    column_int(col(e, T_INSERT_CALLBACKS, 4), callback->node);
    column_int(col(e, T_INSERT_CALLBACKS, 5), instance->definition_id);
    column_text(col(e, T_INSERT_CALLBACKS, 6), instance->tenant != NULL ? instance->tenant : "");
    column_int(col(e, T_INSERT_CALLBACKS, 7), callback->attempt);
    column_time(col(e, T_INSERT_CALLBACKS, 8), callback->until_us);
    column_int(col(e, T_INSERT_CALLBACKS, 9), callback->heartbeat_us);
    column_text(col(e, T_INSERT_CALLBACKS, 10), callback->allowed_caller);
    column_uuid(col(e, T_INSERT_CALLBACKS, 11), &callback->task);
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
    external_effects(e, family);
    callback_effects(e, family);
}
