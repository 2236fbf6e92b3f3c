/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "server/webhook.h"

static const struct operation list[] = {
    {METHOD_POST, "/webhooks/{name}", RIGHT_OWN, DIALECT_PAWL,
     "Takes a webhook: its settings (set_webhook) say how it is verified and what becomes of it",
     .handle = webhook_receive, .body_kind = BODY_RAW,
     .answers = "200 What it became: an event, a message, an instance or an answer"},
    {METHOD_POST, "/events/{bus}", RIGHT_START, DIALECT_PAWL,
     "Puts CloudEvents on a bus: one, a batch, or one whose attributes are headers",
     .handle = cloudevents_receive, .body_kind = BODY_RAW,
     .answers = "202 What became of each; 400 All were refused"},
};

const struct operations operations_webhooks = {list, ARRAY_LEN(list)};
