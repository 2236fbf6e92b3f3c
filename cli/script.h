/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "cli/cli.h"

/* pawl-script: beside this program, or where it is installed. NULL: nowhere. */
const char *script_program(struct cli *cli);
