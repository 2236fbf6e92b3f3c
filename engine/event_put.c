/* SPDX-License-Identifier: Apache-2.0 */
/* pawl:event: an event goes to a bus in the same commit. Who waits for an answer has a task token.
 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/step.h"

static int text_read(struct view *view, const struct expr *given, const char *what,
                     const char *otherwise, const char **ret)
{
    const struct node *node = view->node;
    struct step *step = view->step;

    *ret = otherwise;
    if (given != NULL && view_string(view, given, ret) < 0)
        return err_trace(step->err);
    if (*ret == NULL || (*ret)[0] == '\0' || strlen(*ret) > LIMIT_NAME_BYTES)
        return err_set(step->err, ERR_INVALID,
                       "%s '%s': the %s of its event is %s. A text of 1 to %u bytes is wanted.",
                       node_kind_name(node->kind), node->id, what,
                       *ret == NULL || (*ret)[0] == '\0' ? "empty" : "too long", LIMIT_NAME_BYTES);
    return 0;
}

/* What the model says, else the input parameters. */
static int detail_read(struct view *view, uint32_t token, const char **ret)
{
    const struct event_put *put = view->node->put;
    struct step *step = view->step;
    uint32_t local = token_find(view->instance, token)->local;
    struct value value;

    *ret = "{}";
    if (put->detail != NULL) {
        if (view_value(view, put->detail, &value) < 0)
            return err_trace(step->err);
        if (value.kind != VALUE_OBJECT)
            return err_set(step->err, ERR_INVALID,
                           "%s '%s': the detail of its event must be an object, not a JSON %s.",
                           node_kind_name(view->node->kind), view->node->id,
                           value_kind_name(value.kind));
        *ret = value_text(step->arena, &value, NULL);
    } else if (put->n_details != 0) {
        if (mappings_object(view, put->details, put->n_details, ret) < 0)
            return err_trace(step->err);
    } else if (local != 0) {
        *ret = scope_object(step->arena, scope_find(view->instance, local), NULL);
    }
    if (strlen(*ret) > LIMIT_EVENT_BYTES)
        return err_set(step->err, ERR_LIMIT,
                       "%s '%s': the detail of its event has %zu bytes, and the limit is %u "
                       "(LIMIT_EVENT_BYTES).",
                       node_kind_name(view->node->kind), view->node->id, strlen(*ret),
                       LIMIT_EVENT_BYTES);
    return 0;
}

int event_put(struct step *step, struct instance *instance, uint32_t token, const struct node *node)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);
    struct family *family = step->family;
    struct event_out event = {.id = family_uuid(family), .instance = instance->id};

    if (text_read(&view, node->put->bus, "bus", "default", &event.bus) < 0 ||
        text_read(&view, node->put->source, "source", instance->graph->key, &event.source) < 0 ||
        text_read(&view, node->put->detail_type, "detailType", NULL, &event.detail_type) < 0 ||
        detail_read(&view, token, &event.detail) < 0)
        return err_trace(step->err);
    *arena_push(family->arena, family->events, family->n_events, family->events_capacity) = event;
    history_add(step, HISTORY_EVENT_PUT, instance, token, node, 0,
                history_data(step, "usss", "event", &event.id, "bus", event.bus, "source",
                             event.source, "detailType", event.detail_type));
    return 0;
}
