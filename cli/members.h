/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* --option PATH=VALUE: members of the JSON object that a function of the SQL API takes. */
#include <jansson.h>

#include "cli/cli.h"

/* Sets each that was given: a value is JSON, or a text as it stands; "tls.minVersion" is a member
 * within a member. SQL judges what it means. */
enum exit_code members_read(struct cli *cli, json_t *options);
