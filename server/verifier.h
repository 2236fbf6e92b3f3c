/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Passwords as they are kept: SCRAM-SHA-256's verifier,
 * "SCRAM-SHA-256$ITERATIONS:SALT$STORED:SERVER". */
#include "base/arena.h"

#define VERIFIER_ITERATIONS 120000u /* of those that are made here: some 0.1 s */

/* Of a password, with a salt of its own. */
const char *verifier_make(struct arena *arena, const char *password);
/*
 * Whether the password is the one: slow, and as slow for a verifier of fewer rounds. False, too,
 * for what is no verifier.
 */
bool verifier_check(struct arena *arena, const char *verifier, const char *password) MUST_CHECK;
