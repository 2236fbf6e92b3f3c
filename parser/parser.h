/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * BPMN 2.0 XML to process graphs, with everything that is wrong with a file said at once. The only
 * user of libxml2. Any thread may call after parser_init(); no network or file entity is ever
 * loaded.
 */
#include "engine/graph.h"

enum finding_severity { FINDING_WARNING, FINDING_ERROR };

struct finding {
    enum finding_severity severity;
    int line, column;    /* column may be 0 */
    const char *element; /* id of the nearest element with one; "" if none */
    const char *code;    /* stable name: "unsupported-element", "wait-without-timeout", … */
    const char *message; /* what is wrong and what to do */
};

/* What came of one file. */
struct parse_result {
    struct arena arena; /* owns the findings */
    struct finding *findings;
    size_t n_findings, n_errors;
    struct graph **graphs; /* executable processes, each with an arena of its own */
    size_t n_graphs;       /* 0 when n_errors > 0 */
};

/* Once, in main, before threads. */
void parser_init(void);
void parser_deinit(void);

/* Another file of the same deployment: schemas and forms are looked up there. */
struct parser_file {
    const char *name, *text;
    size_t n;
};

/*
 * Judges and reads one file. file is its name for messages. decoded: the text is already UTF-8
 * whatever its encoding declaration says (it came through a SQL client). Always fills *ret_result;
 * free it with parse_result_deinit(). Graphs may be taken out (set the slot to NULL).
 */
void parser_read(const char *file, const char *text, size_t n, bool decoded,
                 struct parse_result *ret_result);
/* The same with the other files of the deployment; parser_read() does not know whether there are
 * any, and says nothing of those that it misses. */
void parser_read_with(const char *file, const char *text, size_t n, bool decoded,
                      const struct parser_file *files, size_t n_files,
                      struct parse_result *ret_result);
void parse_result_deinit(struct parse_result *result);
