/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What others send by themselves: /webhooks/{name} and /events/{bus}. */
#include "server/request.h"

void webhook_receive(struct request *request);
void cloudevents_receive(struct request *request);
