/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Findings about a BPMN file, for `pawl lint` and `pawl deploy`. */
#include "cli/cli.h"
#include "parser/parser.h"

/* On stdout as JSON lines where the user asked for them, else as text. */
void lint_print(struct cli *cli, FILE *stream, const char *file, const struct parse_result *result);
extern const struct subcommand command_lint;
