/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One connection to PostgreSQL: named queries from sql/queries/, binary parameters and results,
 * pipelines. Internal to store/; one thread at a time. This is the only file that includes libpq.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/uuid.h"

struct conn;
struct result; /* rows of one statement; freed with result_free() */
