/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Shared by conn.c and result.c only: what speaks libpq. */
#include <libpq-fe.h>

#include "store/conn.h"

/* Fills err from a failed result (NULL: the connection says why) and returns -1. */
int conn_error(const PGresult *result, PGconn *pg, const char *what, struct err *err);
/* Fills err for a connection that could not be made and returns -1. */
int conn_refused(PGconn *pg, struct err *err);
