/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serviceTask: an expression, a delegate, a remote call that is waited for or fired, or an
 * external task. What else has an implementation (send tasks, message events) does the same.
 */
#include "base/build.h"

#include "engine/behaviour.h"

static int evaluate(struct step *step, struct instance *instance, uint32_t token,
                    const struct node *node)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);
    struct value value;

    if (node->expression == NULL)
        return 0;
    if (view_value(&view, node->expression, &value) < 0)
        return err_trace(step->err);
    if (node->result_variable == NULL)
        return 0;
    return variable_set(step, instance, view.scope, node->result_variable, &value);
}

static int call_and_wait(struct step *step, struct instance *instance, uint32_t token,
                         const struct node *node)
{
    struct view view = view_at(step, instance, token, node);
    struct uuid id = family_uuid(step->family);

    if (call_request(&view, &id, 1) < 0)
        return err_trace(step->err);
    wait_new(step, instance, WAIT_CALL, token, node)->subject = id;
    activity_wait(step, instance, token, node);
    return 0;
}

static int enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    if (node->service == SERVICE_EXTERNAL)
        return external_enter(step, instance, token, node);
    if (node_awaits_call(node))
        return call_and_wait(step, instance, token, node);
    if (node->service == SERVICE_SQL)
        return delegate_sql(step, instance, token, node);
    if (node->service == SERVICE_EVENT) {
        if (event_put(step, instance, token, node) < 0)
            return err_trace(step->err);
    } else if (node->service == SERVICE_HTTP) {
        if (fired_new(step, instance, token, node) < 0)
            return err_trace(step->err);
    } else if (evaluate(step, instance, token, node) < 0) {
        return err_trace(step->err);
    }
    return activity_work_done(step, instance, token, node);
}

static int trigger(struct step *step, const struct trigger *trigger)
{
    if (trigger->wait.kind == WAIT_EXTERNAL)
        return external_answered(step, trigger);
    return call_answered(step, trigger);
}

const struct behaviour behaviour_service_task = {.enter = enter, .trigger = trigger};
