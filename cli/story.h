/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What `trace` and `why` share: names of elements, and events in words. */
#include <jansson.h>

#include "base/buf.h"
#include "cli/cli.h"

/* "Enter coordinates" in quotes, or the id where there is no name; which item it is, if it is one.
 */
const char *story_element(struct cli *cli, const json_t *row);
/* The element of that id among rows of client_elements(); its name in quotes, else the id. */
const char *story_element_by_id(struct cli *cli, const json_t *elements, const char *id);
/* "user task", "event-based gateway": the kind as people say it; "" when it is not known. */
const char *story_kind(const json_t *elements, const char *id);
/* A request as people read it: without percent signs. */
const char *story_request(struct cli *cli, const char *request);
/* "HTTP 200 after 35 ms: [{…": data of a callAnswered event. */
const char *story_answer(struct cli *cli, const json_t *data);
/* An event that is not the passing of an element, as a sentence; NULL: not worth a line. */
const char *story_event(struct cli *cli, const json_t *event, const json_t *elements,
                        int64_t now_us);
