/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <unistd.h>

#include "cli/script.h"

const char *script_program(struct cli *cli)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
    const char *path = PAWL_LIBEXEC "/pawl-script";

    while (n > 0 && self[n - 1] != '/')
        n--;
    if (n <= 0)
        return access(path, X_OK) == 0 ? path : NULL;
    const char *beside = arena_printf(&cli->arena, "%.*spawl-script", (int)n, self);
    if (access(beside, X_OK) == 0)
        return beside;
    return access(path, X_OK) == 0 ? path : NULL;
}
