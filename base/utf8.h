/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* UTF-8 (RFC 3629: no surrogates, no overlong forms). Pure. */
#include "base/build.h"

/* Bytes of the character at text, which lies before end; 0 if it is not valid there. */
size_t utf8_length(const char *text, const char *end);
/* Whether all n bytes are UTF-8 without NUL, as PostgreSQL's text wants it. */
bool utf8_valid(const char *text, size_t n);
/* Puts a ? for each byte that is not UTF-8: a message may have been cut inside a character. */
void utf8_repair(char *text);
