/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Variables from the command line: --variables JSON, @FILE or -, then each -v NAME=VALUE. */
#include <jansson.h>

#include "cli/cli.h"

#define VARIABLE_OPTIONS                                                                           \
    {"variables", 0, "JSON",                                                                       \
     "variables as a JSON object; @FILE reads them from a file, - from stdin"},                    \
    {                                                                                              \
        "variable", 'v', "NAME=VALUE",                                                             \
            "one variable; VALUE is taken as JSON where it is JSON, else as text"                  \
    }

/* One JSON object; "{}" when none are given. Wrong ones are said, with EXIT_USAGE or EXIT_REFUSED.
 */
enum exit_code variables_read(struct cli *cli, const char **ret_json);
/* The NAME=VALUE of one option, all that were given, as a JSON object. */
enum exit_code variables_named(struct cli *cli, const char *option, const char **ret_json);
/* VALUE as JSON: as it came where it is JSON, else a text. NULL: it is not UTF-8. */
const char *variables_value(struct cli *cli, const char *text);
