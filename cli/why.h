/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Why an instance stands where it stands. */
#include <jansson.h>

#include "cli/cli.h"
#include "store/client.h"

/* Sentences on stdout; row: of the view instances. */
int why_print(struct cli *cli, struct client *client, const json_t *row,
              struct err *err) MUST_CHECK;
