/* SPDX-License-Identifier: Apache-2.0 */
/* Advice about a process that can be deployed. */
#include "base/build.h"

#include "parser/build.h"

void lint_process(struct process_build *process)
{
    (void)process;
}
