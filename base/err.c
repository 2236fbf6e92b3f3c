/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <stdarg.h>

#include "base/err.h"
#include "base/utf8.h"

int err_fill(struct err *err, enum err_code code, const char *file, int line, const char *format,
             ...)
{
    if (err == NULL)
        return -1;
    err_reset(err);
    err->code = code;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    if (n >= (int)sizeof(err->text))
        memcpy(err->text + sizeof(err->text) - 4, "...", 4);
    /* It may become a row: one that the database refuses for its bytes would never be written. */
    utf8_repair(err->text);
    return err_pass(err, file, line);
}

int err_pass(struct err *err, const char *file, int line)
{
    if (err != NULL && err->n_frames < ARRAY_LEN(err->frames)) {
        err->frames[err->n_frames].file = file;
        err->frames[err->n_frames].line = line;
        err->n_frames++;
    }
    return -1;
}

void err_hint(struct err *err, const char *hint)
{
    if (err == NULL)
        return;
    snprintf(err->hint, sizeof(err->hint), "%s", hint);
    utf8_repair(err->hint);
}

const char *err_line(const struct err *err, char *room, size_t room_bytes)
{
    snprintf(room, room_bytes, "%s%s%s", err->text, err->hint[0] != '\0' ? ": " : "", err->hint);
    return room;
}

void err_reset(struct err *err)
{
    if (err != NULL)
        *err = (struct err){.code = ERR_NONE};
}
