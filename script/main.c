/* SPDX-License-Identifier: Apache-2.0 */
#include "script/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool read_all(char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t got = read(STDIN_FILENO, bytes, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        n -= (size_t)got;
    }
    return true;
}

static bool write_all(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t put = write(STDOUT_FILENO, bytes, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes += put;
        n -= (size_t)put;
    }
    return true;
}

static bool write_frame(const char *bytes, size_t n)
{
    uint32_t length = (uint32_t)n;

    return write_all((const char *)&length, sizeof(length)) && write_all(bytes, n);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1 || isatty(STDIN_FILENO)) {
        fputs(
            "pawl-script runs scripts for pawl, which starts it; there is nothing to do by hand\n",
            stderr);
        return 2;
    }
    const char *why = sandbox_enter();
    if (why != NULL) {
        fprintf(stderr, "pawl-script: no sandbox: %s\n", why);
        return 1;
    }
    uint32_t n;
    bool going = write_frame("", 0);
    while (going && read_all((char *)&n, sizeof(n)) && n <= SCRIPT_FRAME_BYTES) {
        char *request = malloc((size_t)n + 1), *reply = NULL; /* heap: stands alone */
        size_t reply_n = 0;
        going = request != NULL && read_all(request, n) &&
                script_run(request, n, &reply, &reply_n) && write_frame(reply, reply_n);
        free(request);
        free(reply);
    }
    return 0;
}
