/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a start, the answer of a task or a message brings: how it must be (pawl:inputSchema), and
 * how a form asks for it. Part of the graph.
 */
#include "engine/schema.h"

struct input {
    const struct schema *schema; /* NULL: anything goes */
    const char *schema_text;     /* whole, as JSON; of the inputSchema or else of the form; NULL */
    const char *ui_text;         /* JSON: what a form shows besides; NULL */
    const char *form_key;        /* as the model has it; NULL */
    const char *form_text;       /* JSON of a .form file; NULL */
};

/*
 * Does the JSON object (no text: {}) pass? Members of `more`, which may be NULL, win over its own.
 * As schema_check(), and < 0 for a text that is no JSON.
 */
int input_check(const struct input *input, const char *text, size_t n, const char *more,
                size_t more_n, struct arena *arena, struct schema_report *ret_report,
                struct err *err) MUST_CHECK;
/* "'x' is a required property (at /address, and 2 more errors)". Arena memory. */
const char *input_words(struct arena *arena, const struct schema_report *report);
