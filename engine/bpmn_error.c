/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BPMN errors. The catcher is looked for before anything is changed: the boundary events of the
 * throwing activity, of the sub-processes around it, of the call activity that started this
 * instance, and so on outward. On each activity a matching code beats a catch-all. Boundary events
 * of a multi-instance activity belong to the whole: an error of one item ends all.
 */
#include "base/build.h"

#include "engine/step.h"

struct catcher {
    struct instance *instance;
    uint32_t token;
    const struct node *event; /* NULL: nobody catches */
};

static const struct node *boundary_catching(const struct instance *instance,
                                            const struct node *activity, const char *code)
{
    const struct node *all = NULL;

    for (size_t i = 0; i < activity->n_boundary; i++) {
        const struct node *event = &instance->graph->nodes[activity->boundary[i]];
        if (event->event.kind != EVENT_ERROR)
            continue;
        if (event->event.error_code == NULL)
            all = all != NULL ? all : event;
        else if (strcmp(event->event.error_code, code) == 0)
            return event;
    }
    return all;
}

/* One level out: the token of the sub-process around the scope, or of the call activity. */
static int go_out(struct step *step, struct catcher *at)
{
    const struct token *token = token_find(at->instance, at->token);
    uint32_t scope = token->scope;

    if (scope != 0) {
        at->token = scope_find(at->instance, scope)->token;
        return 0;
    }
    if (uuid_is_nil(&at->instance->parent)) {
        at->instance = NULL;
        return 0;
    }
    struct uuid child = at->instance->id;
    uint32_t parent_token = at->instance->parent_token;
    if (need_instance(step, &at->instance->parent, &at->instance) < 0)
        return err_trace(step->err);
    const struct wait *wait = wait_find_subject(at->instance, WAIT_CHILD, &child);
    if (wait == NULL || wait->token != parent_token)
        return err_set(step->err, ERR_CONFLICT,
                       "The instance that called this one does not wait for it any more.");
    at->token = wait->token;
    return 0;
}

static int catcher_find(struct step *step, struct instance *instance, uint32_t token,
                        const struct node *node, bool activity, const char *code,
                        struct catcher *ret)
{
    *ret = (struct catcher){.instance = instance, .token = token};
    if (activity && token_find(instance, token)->item == 0)
        ret->event = boundary_catching(instance, node, code);
    while (ret->event == NULL) {
        if (go_out(step, ret) < 0)
            return err_trace(step->err);
        if (ret->instance == NULL)
            return 0;
        const struct token *outer = token_find(ret->instance, ret->token);
        if (outer->item != 0)
            continue;
        ret->event =
            boundary_catching(ret->instance, &ret->instance->graph->nodes[outer->node], code);
    }
    return 0;
}

int error_is_caught(struct step *step, struct instance *instance, uint32_t token,
                    const struct node *node, const char *code, bool *ret)
{
    struct catcher catcher;

    if (catcher_find(step, instance, token, node, true, code, &catcher) < 0)
        return err_trace(step->err);
    *ret = catcher.event != NULL;
    return 0;
}

static int uncaught(struct step *step, struct instance *instance, uint32_t id,
                    const struct node *node)
{
    const struct token *token = token_find(instance, id);
    int64_t started_us = token->state == TOKEN_READY ? step->family->now_us : token->since_us;

    waits_leave(step, instance, id);
    history_add(step, HISTORY_ACTIVITY_ENDED, instance, id, node, started_us, NULL);
    token_detach(instance, id);
    return token_end(step, instance, id);
}

static int variable_text(struct step *step, const struct catcher *catcher, const char *name,
                         const char *text)
{
    struct value value =
        text != NULL ? value_string(step->arena, text, strlen(text)) : value_null();

    if (name == NULL)
        return 0;
    return variable_set(step, catcher->instance,
                        token_find(catcher->instance, catcher->token)->scope, name, &value);
}

int error_throw(struct step *step, struct instance *instance, uint32_t token,
                const struct node *node, bool activity, const char *code, const char *message)
{
    struct catcher catcher;

    code = code != NULL ? code : "";
    if (catcher_find(step, instance, token, node, activity, code, &catcher) < 0)
        return err_trace(step->err);
    history_add(step, HISTORY_ERROR_THROWN, instance, token, node, 0,
                history_data(step, "sss", "code", code, "message", message, "caught",
                             catcher.event != NULL ? catcher.event->id : NULL));
    if (catcher.event == NULL)
        return uncaught(step, instance, token, node);
    /* An end event is over when it throws; an activity is interrupted like those around it. */
    if (!activity)
        history_add(step, HISTORY_ACTIVITY_ENDED, instance, token, node, step->family->now_us,
                    NULL);
    struct interruption why = {.by = catcher.event->id,
                               .state = "terminated",
                               .reason = arena_printf(step->arena, "error %s", code)};
    if (activity_interrupt(step, catcher.instance, catcher.token, &why) < 0)
        return err_trace(step->err);
    if (variable_text(step, &catcher, catcher.event->event.error_code_variable, code) < 0 ||
        variable_text(step, &catcher, catcher.event->event.error_message_variable, message) < 0)
        return err_trace(step->err);
    move_push(step, catcher.instance, catcher.token, catcher.event, MOVE_ENTER);
    return 0;
}
