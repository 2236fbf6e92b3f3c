/* SPDX-License-Identifier: Apache-2.0 */
/* scriptTask: run within the step, or waited for where that takes too long (script.c). */
#include "base/build.h"

#include "engine/behaviour.h"

static int trigger(struct step *step, const struct trigger *trigger)
{
    return call_answered(step, trigger);
}

const struct behaviour behaviour_script_task = {.enter = script_enter, .trigger = trigger};
