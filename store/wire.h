/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Numbers and times as PostgreSQL's binary protocol has them (big-endian, since 2000). Pure. */
#include "store/conn.h"

#define WIRE_EPOCH_US INT64_C(946684800000000) /* 2000-01-01 in microseconds since 1970 */

void wire_put(uint8_t *at, uint64_t value, size_t bytes);
uint64_t wire_get(const void *at, size_t bytes);
/* Infinities stay as they are. */
int64_t wire_time_to_pg(int64_t unix_us);
int64_t wire_time_from_pg(int64_t pg_us);
