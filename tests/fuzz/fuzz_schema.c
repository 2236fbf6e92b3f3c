/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/arena.h"
#include "base/limits.h"
#include "engine/schema.h"
#include "tests/fuzz/fuzz.h"

/*
 * JSON Schema: the first line is a schema, the rest a value. Whatever is compiled judges each value
 * the same, with words and without; whatever is refused says why.
 */

static void judge(struct arena *arena, const struct schema *schema, const struct value *value)
{
    struct schema_report report = {.n = 0};
    struct err err = {.code = ERR_NONE};
    int quick = schema_check(schema, value, arena, NULL, &err);

    if (quick < 0) {
        assert(err.code == ERR_LIMIT);
        assert(err.text[0] != '\0');
        return;
    }
    int result = schema_check(schema, value, arena, &report, &err);
    assert(result == quick || result < 0); /* words take steps, too */
    if (result != SCHEMA_INVALID)
        return;
    assert(report.n >= 1 && report.n <= LIMIT_SCHEMA_ERRORS);
    assert(report.best.message[0] != '\0');
    for (size_t i = 0; i < report.n; i++) {
        assert(report.errors[i].message[0] != '\0');
        assert(report.errors[i].instance[0] == '\0' || report.errors[i].instance[0] == '/');
        assert(report.errors[i].schema[0] == '\0' || report.errors[i].schema[0] == '/');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct schema_options options = {.ignore_formats = false};
    const char *text = (const char *)data;
    const char *line = size > 0 ? memchr(text, '\n', size) : NULL;
    size_t n = line != NULL ? (size_t)(line - text) : size;
    struct arena arena;
    struct value values[2] = {value_null(), value_null()};
    struct schema_document document = {.uri = "", .value = &values[0]};
    const struct schema *schema;
    struct err err = {.code = ERR_NONE};

    arena_init(&arena, 0);
    if (value_read(&arena, text, n, &values[0], NULL) == 0) {
        if (schema_compile(&arena, &document, 1, &options, &schema, &err) == 0) {
            if (line != NULL && value_read(&arena, line + 1, size - n - 1, &values[1], NULL) == 0)
                judge(&arena, schema, &values[1]);
            judge(&arena, schema, &values[0]);
        } else {
            assert(err.code == ERR_INVALID || err.code == ERR_LIMIT);
            assert(err.text[0] != '\0');
        }
    }
    arena_deinit(&arena);
    return 0;
}
