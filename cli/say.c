/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/text.h"

/* What is said to people on stderr, and the values of options that every subcommand reads alike. */

static void say(const struct cli *cli, const char *format, va_list args)
{
    char text[4096];
    struct buf line;

    vsnprintf(text, sizeof(text), format, args);
    buf_init(&line, 0);
    buf_add_str(&line, "pawl");
    if (cli->command != NULL)
        buf_printf(&line, " %s", cli->command->name);
    buf_add_str(&line, ": ");
    /* Several lines stay several lines; each is cleaned. */
    for (const char *part = text; part != NULL;) {
        const char *end = strchr(part, '\n');
        size_t n = end != NULL ? (size_t)(end - part) : strlen(part);
        char one[4096];
        snprintf(one, sizeof(one), "%.*s", (int)n, part);
        text_add(&line, one, 0);
        buf_add_char(&line, '\n');
        part = end != NULL && end[1] != '\0' ? end + 1 : NULL;
    }
    fflush(stdout);
    fputs(buf_str(&line), stderr);
    buf_deinit(&line);
}

static void say_hint(const char *hint)
{
    if (hint != NULL)
        fprintf(stderr, "  -> %s\n", hint);
}

enum exit_code cli_usage(const struct cli *cli, const char *hint, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(cli, format, args);
    va_end(args);
    say_hint(hint);
    return EXIT_USAGE;
}

enum exit_code cli_refuse(const struct cli *cli, const char *hint, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(cli, format, args);
    va_end(args);
    say_hint(hint);
    return EXIT_REFUSED;
}

void cli_note(const struct cli *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(cli, format, args);
    va_end(args);
}

static const char *hint_of(const struct err *err)
{
    if (err->hint[0] != '\0')
        return err->hint;
    static const struct {
        const char *sqlstate, *hint;
    } hints[] = {
        {"42501",
         "your role may not do this; it is granted with the roles SCHEMA_start, SCHEMA_work, "
         "SCHEMA_read and SCHEMA_admin"},
        {"42883", "the engine's functions are older than this program: run `pawl migrate`"},
        {"42P01", "the engine's views are older than this program: run `pawl migrate`"},
        {"42703", "the engine's views are older than this program: run `pawl migrate`"},
        {"57014", "the statement took too long and was ended; is the database very busy?"},
    };

    for (size_t i = 0; i < ARRAY_LEN(hints); i++)
        if (strcmp(hints[i].sqlstate, err->sqlstate) == 0)
            return hints[i].hint;
    return NULL;
}

enum exit_code cli_fail(const struct cli *cli, const struct err *err)
{
    const char *hint = hint_of(err);

    if (err->code == ERR_INTERNAL && err->n_frames > 0) {
        cli_note(cli, "%s (%s:%d)", err->text, err->frames[0].file, err->frames[0].line);
        say_hint("this should not happen; please report it");
        return EXIT_REFUSED;
    }
    cli_note(cli, "%s", err->text);
    say_hint(hint);
    return err->code == ERR_LOST ? EXIT_UNREACHABLE : EXIT_REFUSED;
}

int cli_number(const struct cli *cli, const char *name, long minimum, long maximum, long fallback,
               long *ret_number)
{
    const char *text = cli_option(cli, name);
    char *end = NULL;

    if (text == NULL) {
        *ret_number = fallback;
        return 0;
    }
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < minimum || number > maximum) {
        cli_usage(cli, NULL, "--%s must be a whole number from %ld to %ld, not \"%s\"", name,
                  minimum, maximum, text);
        return -1;
    }
    *ret_number = number;
    return 0;
}

int cli_seconds(const struct cli *cli, const char *name, double fallback, double *ret_seconds)
{
    const char *text = cli_option(cli, name);
    char *end = NULL;

    if (text == NULL) {
        *ret_seconds = fallback;
        return 0;
    }
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(seconds) || seconds < 0 || seconds > 86400) {
        cli_usage(cli, NULL, "--%s must be seconds from 0 to 86400, not \"%s\"", name, text);
        return -1;
    }
    *ret_seconds = seconds;
    return 0;
}

static int read_all(struct cli *cli, int fd, const char *path, size_t max, const char **ret_text,
                    size_t *ret_n, struct err *err)
{
    struct buf buf;
    char piece[16384];
    ssize_t n;

    buf_init(&buf, max);
    while ((n = read(fd, piece, sizeof(piece))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            buf_deinit(&buf);
            return err_set(err, ERR_IO, "cannot read %s: %s", path, strerror(errno));
        }
        buf_add(&buf, piece, (size_t)n);
        if (buf.overflow) {
            buf_deinit(&buf);
            return err_set(err, ERR_LIMIT, "%s is longer than the limit of %zu MiB", path,
                           max >> 20);
        }
    }
    *ret_text = arena_strndup(&cli->arena, buf_str(&buf), buf.len);
    *ret_n = buf.len;
    buf_deinit(&buf);
    return 0;
}

int cli_read_file(struct cli *cli, const char *path, size_t max, const char **ret_text,
                  size_t *ret_n, struct err *err)
{
    if (strcmp(path, "-") == 0)
        return read_all(cli, STDIN_FILENO, "stdin", max, ret_text, ret_n, err);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    int result = read_all(cli, fd, path, max, ret_text, ret_n, err);
    close(fd);
    return result;
}
