/* SPDX-License-Identifier: Apache-2.0 */
/* startEvent: the token is made by whoever starts the scope, and goes straight on. */
#include "base/build.h"

#include "engine/behaviour.h"

const struct behaviour behaviour_start_event = {.enter = activity_complete};
