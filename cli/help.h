/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* `pawl help`, `pawl COMMAND --help`. docs/cli.md is made from the same texts. */
#include "cli/cli.h"

void help_program(struct cli *cli);
void help_command(struct cli *cli, const struct subcommand *command);
/* The subcommands under one word ("task"). */
void help_group(struct cli *cli, const char *word);
extern const struct subcommand command_help, command_version;
