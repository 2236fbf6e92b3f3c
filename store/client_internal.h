/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of client.h share. */
#include "store/client.h"
#include "store/conn.h"

struct client {
    struct arena arena; /* owns this, too */
    struct conn *conn;
    const char *tenant;
};

int client_query_rows(struct client *client, const char *query, const struct param *params,
                      size_t n_params, json_t **ret_rows, struct err *err) MUST_CHECK;
/* The first row; none is an error. */
int client_query_row(struct client *client, const char *query, const struct param *params,
                     size_t n_params, json_t **ret_row, struct err *err) MUST_CHECK;
