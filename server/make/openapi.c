/* SPDX-License-Identifier: Apache-2.0 */
/* The build runs it to write the openapi.json that is installed: make_openapi FILE */
#include "base/build.h"

#include "server/server.h"

int main(int argc, char **argv)
{
    struct buf text CLEANUP(buf_deinit);
    FILE *file = argc == 2 ? fopen(argv[1], "w") : NULL;

    buf_init(&text, 0);
    openapi_write(&text, PAWL_VERSION);
    if (file == NULL || text.overflow || fprintf(file, "%s\n", buf_str(&text)) < 0 ||
        fclose(file) != 0) {
        fprintf(stderr, "make_openapi: cannot write %s\n", argc == 2 ? argv[1] : "FILE");
        return 1;
    }
    return 0;
}
