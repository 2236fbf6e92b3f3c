/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Where a rule sends its events, and what it makes of them. docs/events.md has it for people.
 *
 * A target is an object with one of the members of enum target_kind, and perhaps an `id`:
 *     {"id": "new-order", "startProcess": {"process": "order", "businessKey": "<$.detail.order>"}}
 * What stands in it is a template: a text that is one path, "<$.detail.order>", becomes what is
 * found there, of whatever type (null if nothing is); paths inside of a longer text are filled in;
 * all else stays as it is. "<$>" is the whole event.
 *
 * Pure.
 */
#include "engine/value.h"

enum target_kind {
    TARGET_START_PROCESS,
    TARGET_PUBLISH_MESSAGE,
    TARGET_CORRELATE_MESSAGE,
    TARGET_COMPLETE_TASK,
    TARGET_FAIL_TASK,
    TARGET_CALL_ENDPOINT,
};
const char *target_kind_name(enum target_kind kind); /* "startProcess", … */

struct target {
    const char *id; /* by default its place, "1", "2", … */
    enum target_kind kind;
    struct value settings; /* an object, judged */
};

/* The text must outlive the targets. */
int targets_read(struct arena *arena, const char *text, size_t n, struct target **ret_targets,
                 size_t *ret_n, struct err *err) MUST_CHECK;

/* What is to be done for one event. */
struct target_order {
    enum target_kind kind; /* TARGET_COMPLETE_TASK may have become TARGET_FAIL_TASK */
    const char *arguments; /* a JSON object: as api_event_deliver_one() takes it */
    const char *why;       /* it cannot be done: why; else NULL */
};
struct target_order target_fill(const struct target *target, const struct value *event,
                                struct arena *arena);
