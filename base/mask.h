/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What people see of requests: values under names that look secret are "***". */
#include "base/arena.h"

/*
 * Whether a header or parameter of that name holds what is nobody's business: "X-Api-Key", "token".
 * api_secret() of SQL goes by the same words.
 */
bool mask_is_secret(const char *name, size_t n);

/* The text of a request, with the values of such parameters of its query masked. */
const char *mask_query(struct arena *arena, const char *text);
