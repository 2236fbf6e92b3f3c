/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Rules of time zones, from PostgreSQL's own database of them: the same for all nodes. */
#include "engine/graph.h"
#include "store/conn.h"

/* Gives the zones of the graphs their rules; a name that PostgreSQL does not know stays without. */
int zones_fill(struct conn *conn, struct arena *arena, struct graph *const *graphs, size_t n,
               struct err *err) MUST_CHECK;
