/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One run of `pawl`: the subcommand that was named, its options and arguments, and where output
 * goes. cli.h is all that the files of the subcommands share. Everything is used by the main thread
 * only.
 *
 * stdout is data, stderr is for messages. Exit codes are those of enum exit_code.
 */
#include "base/arena.h"
#include "base/err.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,     /* understood, and refused or failed */
    EXIT_USAGE = 2,       /* wrong usage */
    EXIT_UNREACHABLE = 3, /* the database cannot be reached */
};

struct option {
    const char *name;  /* without dashes */
    char letter;       /* 0: none */
    const char *value; /* what stands for its value in the help; NULL: it has none */
    const char *help;
};

struct cli;

struct subcommand {
    const char *name;      /* "ps", "task complete" */
    const char *arguments; /* as the usage line shows them; "" for none */
    const char *summary;   /* one line, for the list of all */
    const char *about;     /* paragraphs, each one line of text; wrapped when printed */
    const struct option *options;
    size_t n_options;
    const char *examples;             /* lines, printed as they are */
    int min_arguments, max_arguments; /* -1: any number */
    bool database;                    /* also takes the options that say which database */
    enum exit_code (*run)(struct cli *cli);
};

struct given {
    const struct option *option;
    const char *value; /* "" for an option without one */
};

struct cli {
    struct arena arena; /* lives as long as the run */
    const struct subcommand *command;
    struct given *given; /* in the order of the command line */
    size_t n_given, given_capacity;
    const char **arguments;
    size_t n_arguments, arguments_capacity;
    bool help;
    bool json;   /* -o json */
    bool colour; /* on stdout */
    int width;   /* columns of the terminal; 0: no limit */
};

/* The value of an option given last, or NULL. `name` must be one of the command's. */
const char *cli_option(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);

/* Messages on stderr: "pawl ps: …", then the hint on a line of its own (may be NULL). */
enum exit_code cli_usage(const struct cli *cli, const char *hint, const char *format, ...)
    PRINTF_LIKE(3, 4);
enum exit_code cli_refuse(const struct cli *cli, const char *hint, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Says what an err says, with a hint where there is one; the exit code follows from its code. */
enum exit_code cli_fail(const struct cli *cli, const struct err *err);
/* A remark on stderr. */
void cli_note(const struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);

/* A whole number from an option; refuses anything else. */
int cli_number(const struct cli *cli, const char *name, long minimum, long maximum, long fallback,
               long *ret_number) MUST_CHECK;
/* Seconds from an option: "10", "0.5"; refuses anything else. */
int cli_seconds(const struct cli *cli, const char *name, double fallback,
                double *ret_seconds) MUST_CHECK;

/* The whole of a file, "-" is stdin; NUL-terminated in the arena. At most `max` bytes. */
int cli_read_file(struct cli *cli, const char *path, size_t max, const char **ret_text,
                  size_t *ret_n, struct err *err) MUST_CHECK;
