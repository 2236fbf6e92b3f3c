/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of value and expr share and nobody else needs. Pure. */
#include "engine/value.h"

/*
 * The number of a text that is a JSON number; the text is borrowed. `integer`: it has neither a
 * point nor an exponent.
 */
struct value value_number(struct arena *arena, const char *text, size_t n, bool integer);

/* A number without a fraction: 1.0 and 15e1, too. */
bool value_is_whole(const struct value *number);
/* Whether value_is_multiple() can divide by it: above 0, and of at most 18 digits. */
bool value_is_divisor(const struct value *number);
/* Exact on decimals of any length: 0.3 is a multiple of 0.1. */
bool value_is_multiple(const struct value *number, const struct value *divisor);
