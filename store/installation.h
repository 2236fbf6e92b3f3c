/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the whole installation shares: the key of callbacks' tokens, and where callers reach it. */
#include "store/batch.h"

/* Reads it where the worker has not done so, or some time ago. */
int installation_read(struct batch *batch, struct err *err) MUST_CHECK;
