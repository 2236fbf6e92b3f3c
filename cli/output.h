/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What goes to stdout: text, colours where a person looks, and JSON lines. */
#include <jansson.h>

#include "base/buf.h"
#include "cli/cli.h"

enum colour {
    COLOUR_NONE,
    COLOUR_BOLD,
    COLOUR_DIM,
    COLOUR_RED,
    COLOUR_GREEN,
    COLOUR_YELLOW,
    COLOUR_CYAN
};

/* Learns the terminal: width, colours (only on a terminal, never with NO_COLOR or TERM=dumb). */
void output_init(struct cli *cli);
/* Everything written? Else says so: a full disk must not look like success. */
enum exit_code output_finish(const struct cli *cli, enum exit_code code);

void colour_begin(const struct cli *cli, struct buf *buf, enum colour colour);
void colour_end(const struct cli *cli, struct buf *buf, enum colour colour);
/* The colour of a state of an instance, call or finding. */
enum colour colour_of_state(const char *state);

/* Each object of an array on a line. */
void output_json_lines(const json_t *rows);
void output_json(const json_t *object);
/* What was done: the row as JSON, or a line for people. */
enum exit_code output_done(const struct cli *cli, const json_t *row, const char *format, ...)
    PRINTF_LIKE(3, 4);
void output_buf(const struct buf *buf);
/* A row: as JSON, or its members one below the other, without those that are empty. */
void output_members(struct cli *cli, json_t *row, int column);
/* A title, and beside it a text of one line or several: cleaned, each line below the first. */
void output_field(struct cli *cli, const char *title, int column, const char *text);
/* A JSON string of any bytes: what is not UTF-8 is replaced. */
json_t *output_string(const char *text);

/* Fields of a row for people, in the arena: "" for null and missing; numbers and structures as
 * JSON. */
const char *row_text(struct cli *cli, const json_t *row, const char *key);
/* The same, NULL for null, missing and "". */
const char *row_string(struct cli *cli, const json_t *row, const char *key);
/* A list of texts: "a, b"; what is empty stands in quotes. */
const char *row_joined(struct cli *cli, const json_t *row, const char *key);
int64_t row_int(const json_t *row, const char *key);
/* A time; MOMENT_NONE when null. */
int64_t row_time(const json_t *row, const char *key);
