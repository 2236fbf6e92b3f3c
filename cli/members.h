/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Options of the command line as members of the JSON object that a function of the SQL API takes.
 */
#include <jansson.h>

#include "cli/cli.h"

/* Sets each --option PATH=VALUE that was given: a value is JSON, or a text as it stands;
 * "tls.minVersion" is a member within a member. --default PATH is null. SQL judges what it means.
 */
enum exit_code members_read(struct cli *cli, json_t *options);
/* Sets each of these options that was given: a text under its own name. */
void members_given(const struct cli *cli, const char *const *names, size_t n, json_t *options);
