/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Paths into an event ($.detail.items[0]["a b"]) and templates with paths in them. Pure. */
#include "engine/value.h"

/* Whether it is a path: $ and then .name, ["name"] or [number], to its end. */
bool path_valid(const char *path, size_t n);
/* What is found there, or NULL. */
const struct value *path_value(const struct value *event, const char *path, size_t n);

/* ERR_INVALID: a path in it is none. */
int template_check(const struct value *template, struct err *err) MUST_CHECK;
struct value template_fill(const struct value *template, const struct value *event,
                           struct arena *arena);
