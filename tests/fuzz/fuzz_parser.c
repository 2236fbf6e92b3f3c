/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "parser/parser.h"
#include "tests/fuzz/fuzz.h"

/* BPMN files: a file is refused with at least one error, or gives graphs. */

static void read_once(const char *text, size_t n, bool decoded)
{
    struct parse_result result;

    parser_read("fuzz.bpmn", text, n, decoded, &result);
    assert((result.n_errors > 0) == (result.n_graphs == 0));
    for (size_t i = 0; i < result.n_findings; i++) {
        assert(result.findings[i].line >= 0);
        assert(result.findings[i].code[0] != '\0');
        assert(result.findings[i].message[0] != '\0');
    }
    parse_result_deinit(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;

    if (!ready) {
        parser_init();
        ready = true;
    }
    read_once((const char *)data, size, false);
    read_once((const char *)data, size, true);
    return 0;
}
