/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/ini.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

/* Configuration files: what is read is found again in its line; what is refused has a place. */

static unsigned lines_of(const uint8_t *data, size_t size)
{
    unsigned lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct ini ini;
    struct err err = {.code = ERR_NONE};
    int lines = (int)lines_of(data, size);

    arena_init(&arena, 0);
    if (ini_read(&arena, (const char *)data, size, &ini, &err) < 0) {
        assert(err.text[0] != '\0');
        assert(err.code == ERR_LIMIT || (err.line >= 1 && err.line <= lines && err.column >= 1));
        arena_deinit(&arena);
        return 0;
    }
    for (size_t i = 0; i < ini.n_sections; i++) {
        const struct ini_section *section = &ini.sections[i];
        assert(section->line >= 1 && section->line <= lines);
        assert(ini_section(&ini, section->kind, section->name) == section);
        for (size_t k = 0; k < section->n_entries; k++) {
            const struct ini_entry *entry = &section->entries[k];
            assert(entry->line > section->line && entry->line <= lines);
            assert(ini_entry(section, entry->key) == entry);
            assert(utf8_valid(entry->value, strlen(entry->value)));
        }
    }
    arena_deinit(&arena);
    return 0;
}
