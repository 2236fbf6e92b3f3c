/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/moment.h"
#include "cli/output.h"
#include "cli/text.h"
#include "store/json_text.h"

void output_init(struct cli *cli)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM"),
               *columns = getenv("COLUMNS");
    bool terminal = isatty(STDOUT_FILENO) == 1;
    struct winsize size;

    cli->colour = terminal && (no_colour == NULL || *no_colour == '\0') &&
                  (term == NULL || strcmp(term, "dumb") != 0);
    /* COLUMNS counts for pipes too: it is how a caller, or a test, asks for a width. */
    if (columns != NULL && strtol(columns, NULL, 10) > 0)
        cli->width = (int)(strtol(columns, NULL, 10) < 1000 ? strtol(columns, NULL, 10) : 1000);
    else if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        cli->width = size.ws_col;
    else
        cli->width = terminal ? 80 : 0;
    if (cli->width != 0 && cli->width < 20)
        cli->width = 20;
}

enum exit_code output_finish(const struct cli *cli, enum exit_code code)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return code;
    return cli_refuse(cli, NULL, "cannot write the output: %s", strerror(errno));
}

void colour_begin(const struct cli *cli, struct buf *buf, enum colour colour)
{
    static const char *const codes[] = {"",         "\033[1m",  "\033[2m", "\033[31m",
                                        "\033[32m", "\033[33m", "\033[36m"};

    if (cli->colour)
        buf_add_str(buf, codes[colour]);
}

void colour_end(const struct cli *cli, struct buf *buf, enum colour colour)
{
    if (cli->colour && colour != COLOUR_NONE)
        buf_add_str(buf, "\033[0m");
}

enum colour colour_of_state(const char *state)
{
    static const struct {
        const char *state;
        enum colour colour;
    } colours[] = {
        {"incident", COLOUR_RED},    {"failed", COLOUR_RED},       {"error", COLOUR_RED},
        {"refused", COLOUR_RED},     {"cancelled", COLOUR_YELLOW}, {"terminated", COLOUR_YELLOW},
        {"warning", COLOUR_YELLOW},  {"suspended", COLOUR_YELLOW}, {"running", COLOUR_CYAN},
        {"completed", COLOUR_GREEN}, {"active", COLOUR_GREEN},
    };

    for (size_t i = 0; i < ARRAY_LEN(colours); i++)
        if (strcmp(colours[i].state, state) == 0)
            return colours[i].colour;
    return COLOUR_NONE;
}

void output_json(const json_t *object)
{
    struct buf line;

    buf_init(&line, 0);
    json_text(&line, object);
    buf_add_char(&line, '\n');
    output_buf(&line);
    buf_deinit(&line);
}

void output_json_lines(const json_t *rows)
{
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row)
    {
        output_json(row);
    }
}

enum exit_code output_done(const struct cli *cli, const json_t *row, const char *format, ...)
{
    va_list args;

    if (cli->json) {
        output_json(row);
        return EXIT_DONE;
    }
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    return EXIT_DONE;
}

void output_buf(const struct buf *buf)
{
    fwrite(buf_str(buf), 1, buf->len, stdout);
}

json_t *output_string(const char *text)
{
    json_t *string = json_string(text);
    struct buf clean;

    if (string != NULL)
        return string;
    buf_init(&clean, 0);
    text_add(&clean, text, 0);
    string = json_string(buf_str(&clean));
    buf_deinit(&clean);
    return string;
}

const char *row_text(struct cli *cli, const json_t *row, const char *key)
{
    const json_t *field = json_object_get(row, key);

    if (field == NULL || json_is_null(field))
        return "";
    if (json_is_string(field))
        return arena_strdup(&cli->arena, json_string_value(field));
    struct buf buf;
    buf_init(&buf, 0);
    json_text(&buf, field);
    const char *text = arena_strdup(&cli->arena, buf_str(&buf));
    buf_deinit(&buf);
    return text;
}

const char *row_string(struct cli *cli, const json_t *row, const char *key)
{
    const char *text = row_text(cli, row, key);

    return *text != '\0' ? text : NULL;
}

const char *row_joined(struct cli *cli, const json_t *row, const char *key)
{
    const char *text = "";
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(row, key), i, item)
    {
        const char *word = json_string_value(item);
        text = arena_printf(&cli->arena, "%s%s%s", text, i > 0 ? ", " : "",
                            *word != '\0' ? word : "\"\"");
    }
    return text;
}

int64_t row_int(const json_t *row, const char *key)
{
    return json_integer_value(json_object_get(row, key));
}

int64_t row_time(const json_t *row, const char *key)
{
    return moment_parse(json_string_value(json_object_get(row, key)));
}

void output_field(struct cli *cli, const char *title, int column, const char *text)
{
    struct buf buf;
    int at;

    buf_init(&buf, 0);
    at = text_add(&buf, title, 0);
    for (;;) {
        size_t n = strcspn(text, "\n");
        text_pad(&buf, at < column ? column - at : 1);
        text_add(&buf, arena_strndup(&cli->arena, text, n), 0);
        buf_add_char(&buf, '\n');
        if (text[n] == '\0')
            break;
        text += n + 1;
        at = 0;
    }
    output_buf(&buf);
    buf_deinit(&buf);
}

static bool is_empty(const json_t *value)
{
    return json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

void output_members(struct cli *cli, json_t *row, int column)
{
    const char *key;
    json_t *value;

    if (cli->json) {
        output_json(row);
        return;
    }
    json_object_foreach(row, key, value)
    {
        const char *text = row_text(cli, row, key);
        int64_t at_us = json_is_string(value) ? moment_parse(text) : MOMENT_NONE;
        if (!is_empty(value))
            output_field(cli, key, column,
                         at_us != MOMENT_NONE && at_us != INT64_MAX
                             ? moment_exact(&cli->arena, at_us)
                             : text);
    }
}
