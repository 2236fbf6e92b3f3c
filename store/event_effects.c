/* SPDX-License-Identifier: Apache-2.0 */
/* What processes put on a bus, with the step that did: events.c takes it from there. */
#include "base/build.h"

#include "store/effects.h"

void event_effects(struct effects *e, struct family *family, const struct event_out *event)
{
    const struct instance *instance = family_instance(family, &event->instance);

    column_uuid(col(e, T_INSERT_BUS_EVENTS, 0), &event->id);
    column_text(col(e, T_INSERT_BUS_EVENTS, 1), instance != NULL ? instance->tenant : "");
    column_text(col(e, T_INSERT_BUS_EVENTS, 2), event->bus);
    column_text(col(e, T_INSERT_BUS_EVENTS, 3), event->source);
    column_text(col(e, T_INSERT_BUS_EVENTS, 4), event->detail_type);
    column_text(col(e, T_INSERT_BUS_EVENTS, 5), event->detail);
}
