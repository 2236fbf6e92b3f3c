/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The command line: options before, between and after the arguments; "--name value",
 * "--name=value",
 * "-n value"; "--" ends the options.
 */
#include "cli/cli.h"

/* All subcommands, ended by a NULL name. */
extern const struct subcommand *const commands[];

/* Options that each subcommand has, and those of each that uses a database. */
extern const struct option common_options[];
extern const size_t n_common_options;
extern const struct option database_options[];
extern const size_t n_database_options;

/*
 * Finds the subcommand ("task complete" is two words) and reads the rest. On wrong usage says so
 * and returns EXIT_USAGE. cli->command stays NULL when only `pawl`, `pawl help` or `pawl --help`
 * was given.
 */
enum exit_code options_read(struct cli *cli, int argc, char **argv);

/* The subcommand of these words, or NULL. ret_words: how many of them are its name. */
const struct subcommand *options_command(char **words, int n, int *ret_words);
/* Is there a family of subcommands under this word ("task")? */
bool options_group(const char *word);
/* Does the subcommand take this option? */
bool options_has(const struct subcommand *command, const char *name);
/* What was probably meant, or NULL. */
const char *options_nearest_command(const char *word);
