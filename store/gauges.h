/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the database knows of the engine now, for people who watch it: the view `metrics`
 * (sql/functions/metrics.sql), read through a connection of its own. Any thread may ask; one of
 * them reads, at most once a second, and the others get what was read last.
 */
#include "base/buf.h"
#include "store/store.h"

struct gauges;

/* Connects when it is first asked. */
struct gauges *gauges_new(const struct store_options *options);
void gauges_free(struct gauges *gauges); /* NULL is allowed */

/* Adds the metrics; without the database only pawl_database_up 0. */
void gauges_metrics(struct gauges *gauges, struct buf *text);
/* Is the database there, with a schema that this program accepts? Else says why not. */
bool gauges_ready(struct gauges *gauges, char *why, size_t why_bytes);
