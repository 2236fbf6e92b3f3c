/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of value and expr share and nobody else needs. Pure. */
#include "engine/value.h"

/*
 * The number of a text that is a JSON number; the text is borrowed. `integer`: it has neither a
 * point nor an exponent.
 */
struct value value_number(struct arena *arena, const char *text, size_t n, bool integer);
/* Bytes of the UTF-8 sequence at text (before end), 0 if it is not valid. */
size_t value_utf8_length(const char *text, const char *end);
/* Whether all n bytes are UTF-8. */
bool value_utf8_valid(const char *text, size_t n);
