/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of value and expr share and nobody else needs. Pure. */
#include "engine/value.h"

/*
 * The number of a text that is a JSON number; the text is borrowed. `integer`: it has neither a
 * point nor an exponent.
 */
struct value value_number(struct arena *arena, const char *text, size_t n, bool integer);
