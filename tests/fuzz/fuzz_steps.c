/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "convert/convert.h"
#include "parser/parser.h"
#include "tests/fuzz/fuzz.h"

/* Lists of steps: refused with a reason, or BPMN that is well-formed and has its process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {.code = ERR_NONE};
    struct buf bpmn;

    buf_init(&bpmn, 10u << 20);
    if (convert_steps("steps", (const char *)data, size, &bpmn, NULL, &err) < 0) {
        assert(err.text[0] != '\0');
    } else {
        struct parse_result result;
        parser_init();
        parser_read("steps", bpmn.data, bpmn.len, false, &result);
        for (size_t i = 0; i < result.n_findings; i++)
            assert(strcmp(result.findings[i].code, "xml") != 0);
        parse_result_deinit(&result);
    }
    buf_deinit(&bpmn);
    return 0;
}
