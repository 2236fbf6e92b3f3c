/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of isotime share. Pure. */
#include "base/err.h"

/* Takes the spaces of XML off both ends. */
void iso_text_trim(const char **text, size_t *n);
/* Refuses text because of what stands at `at`; returns -1. */
int iso_refuse(struct err *err, const char *text, size_t n, const char *at, const char *what);
