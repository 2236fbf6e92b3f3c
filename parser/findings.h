/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What is wrong with a file, collected while it is read. Each kind has one stable code and one
 * severity: they are listed here and nowhere else, and docs/bpmn.md explains each (a test
 * compares).
 */
#include "parser/parser.h"

/* name, code, severity */
#define FINDING_CODES(X)                                                                           \
    /* the file as XML */                                                                          \
    X(EMPTY_FILE, "empty-file", ERROR)                                                             \
    X(FILE_TOO_LARGE, "file-too-large", ERROR)                                                     \
    X(ENCODING_UNKNOWN, "encoding-unknown", ERROR)                                                 \
    X(ENCODING_WRONG, "encoding-wrong", ERROR)                                                     \
    X(NOT_WELL_FORMED, "not-well-formed", ERROR)                                                   \
    X(DTD_REFUSED, "dtd-refused", ERROR)                                                           \
    X(TOO_DEEP, "too-deep", ERROR)                                                                 \
    X(TOO_MANY_ATTRIBUTES, "too-many-attributes", ERROR)                                           \
    X(TOO_MANY_ELEMENTS, "too-many-elements", ERROR)                                               \
    X(TOO_MANY_NAMESPACES, "too-many-namespaces", ERROR)                                           \
    X(UNDECLARED_PREFIX, "undeclared-prefix", ERROR)                                               \
    X(NOT_BPMN, "not-bpmn", ERROR)                                                                 \
    /* the file as BPMN */                                                                         \
    X(NO_PROCESS, "no-process", ERROR)                                                             \
    X(NO_EXECUTABLE_PROCESS, "no-executable-process", ERROR)                                       \
    X(NOT_EXECUTABLE, "not-executable", WARNING)                                                   \
    X(DUPLICATE_PROCESS, "duplicate-process", ERROR)                                               \
    X(MISSING_ID, "missing-id", ERROR)                                                             \
    X(DUPLICATE_ID, "duplicate-id", ERROR)                                                         \
    X(NAME_TOO_LONG, "name-too-long", ERROR)                                                       \
    X(TOO_MANY_NODES, "too-many-nodes", ERROR)                                                     \
    X(TOO_MANY_PROCESSES, "too-many-processes", ERROR)                                             \
    X(DANGLING_REFERENCE, "dangling-reference", ERROR)                                             \
    X(UNSUPPORTED_ELEMENT, "unsupported-element", ERROR)                                           \
    X(UNSUPPORTED_ATTRIBUTE, "unsupported-attribute", ERROR)                                       \
    X(UNSUPPORTED_EXTENSION, "unsupported-extension", ERROR)                                       \
    X(UNKNOWN_ELEMENT, "unknown-element", ERROR)                                                   \
    X(MISPLACED_PAWL_EXTENSION, "misplaced-pawl-extension", ERROR)                                 \
    X(DUPLICATE_EXTENSION, "duplicate-extension", ERROR)                                           \
    X(UNKNOWN_EXTENSION, "unknown-extension", WARNING)                                             \
    X(UNKNOWN_PAWL_EXTENSION, "unknown-pawl-extension", ERROR)                                     \
    X(MISPLACED_EXTENSION, "misplaced-extension", WARNING)                                         \
    X(IGNORED_EXTENSION, "ignored-extension", WARNING)                                             \
    X(FOREIGN_EXTENSION, "foreign-extension", WARNING)                                             \
    X(TOO_MANY_FINDINGS, "too-many-findings", WARNING)                                             \
    /* values */                                                                                   \
    X(BAD_VALUE, "bad-value", ERROR)                                                               \
    X(BAD_EXPRESSION, "bad-expression", ERROR)                                                     \
    X(BAD_DURATION, "bad-duration", ERROR)                                                         \
    X(BAD_DATE, "bad-date", ERROR)                                                                 \
    X(BAD_TIME_ZONE, "bad-time-zone", ERROR)                                                       \
    X(BAD_CYCLE, "bad-cycle", ERROR)                                                               \
    X(BAD_RETRY_CYCLE, "bad-retry-cycle", ERROR)                                                   \
    X(BAD_MAPPING, "bad-mapping", ERROR)                                                           \
    X(TOO_MANY_MAPPINGS, "too-many-mappings", ERROR)                                               \
    /* flows and gateways */                                                                       \
    X(FLOW_CROSSES_SCOPE, "flow-crosses-scope", ERROR)                                             \
    X(START_WITH_INCOMING, "start-with-incoming", ERROR)                                           \
    X(END_WITH_OUTGOING, "end-with-outgoing", ERROR)                                               \
    X(BOUNDARY_WITH_INCOMING, "boundary-with-incoming", ERROR)                                     \
    X(BAD_CONDITION, "bad-condition", ERROR)                                                       \
    X(DEFAULT_WITH_CONDITION, "default-with-condition", ERROR)                                     \
    X(DEFAULT_NOT_OUTGOING, "default-not-outgoing", ERROR)                                         \
    X(CONDITION_MISSING, "condition-missing", ERROR)                                               \
    X(CONDITION_NEEDLESS, "condition-needless", ERROR)                                             \
    X(CONDITION_IGNORED, "condition-ignored", WARNING)                                             \
    X(GATEWAY_WITHOUT_FLOW, "gateway-without-flow", ERROR)                                         \
    X(EVENT_GATEWAY_TARGET, "event-gateway-target", ERROR)                                         \
    X(EVENT_GATEWAY_ASYNC, "event-gateway-async", ERROR)                                           \
    /* events */                                                                                   \
    X(NO_START_EVENT, "no-start-event", ERROR)                                                     \
    X(SEVERAL_START_EVENTS, "several-start-events", ERROR)                                         \
    X(START_IN_SUB_PROCESS, "start-in-sub-process", ERROR)                                         \
    X(EVENT_WITHOUT_DEFINITION, "event-without-definition", ERROR)                                 \
    X(SEVERAL_DEFINITIONS, "several-definitions", ERROR)                                           \
    X(BOUNDARY_MISPLACED, "boundary-misplaced", ERROR)                                             \
    X(ERROR_WITHOUT_CODE, "error-without-code", ERROR)                                             \
    X(ERROR_NOT_INTERRUPTING, "error-not-interrupting", ERROR)                                     \
    X(MESSAGE_WITHOUT_NAME, "message-without-name", ERROR)                                         \
    X(DUPLICATE_MESSAGE, "duplicate-message", ERROR)                                               \
    X(DUPLICATE_CATCH, "duplicate-catch", ERROR)                                                   \
    X(BAD_TIMER, "bad-timer", ERROR)                                                               \
    X(BAD_STARTS_WHEN_SENT, "bad-starts-when-sent", ERROR)                                         \
    X(CYCLE_ONCE, "cycle-once", WARNING)                                                           \
    /* activities */                                                                               \
    X(NO_IMPLEMENTATION, "no-implementation", ERROR)                                               \
    X(BAD_SCRIPT, "bad-script", ERROR)                                                             \
    X(SEVERAL_IMPLEMENTATIONS, "several-implementations", ERROR)                                   \
    X(EXTERNAL_WITHOUT_TOPIC, "external-without-topic", ERROR)                                     \
    X(JAVA_CLASS, "java-class", WARNING)                                                           \
    X(RESULT_WITHOUT_EXPRESSION, "result-without-expression", ERROR)                               \
    X(RECEIVE_WITHOUT_MESSAGE, "receive-without-message", ERROR)                                   \
    X(MAPPING_MISPLACED, "mapping-misplaced", ERROR)                                               \
    X(BAD_MULTI_INSTANCE, "bad-multi-instance", ERROR)                                             \
    X(BAD_CALL, "bad-call", ERROR)                                                                 \
    X(HTTP_WITHOUT_ENDPOINT, "http-without-endpoint", ERROR)                                       \
    X(BAD_HTTP, "bad-http", ERROR)                                                                 \
    X(BAD_EVENT, "bad-event", ERROR)                                                               \
    X(BAD_SCHEMA, "bad-schema", ERROR)                                                             \
    X(BAD_FORM, "bad-form", ERROR)                                                                 \
    X(BAD_PARAMETER, "bad-parameter", ERROR)                                                       \
    X(BAD_DELEGATE, "bad-delegate", ERROR)                                                         \
    X(BAD_CALLBACK, "bad-callback", ERROR)                                                         \
    X(BAD_ANSWER, "bad-answer", ERROR)                                                             \
    X(UNREACHABLE_ANSWER, "unreachable-answer", WARNING)                                           \
    /* advice */                                                                                   \
    X(WAIT_WITHOUT_TIMEOUT, "wait-without-timeout", WARNING)                                       \
    X(UNCAUGHT_ERROR, "uncaught-error", WARNING)                                                   \
    X(UNREACHABLE_ELEMENT, "unreachable-element", WARNING)                                         \
    X(HIDDEN_BOUNDARY, "hidden-boundary", WARNING)                                                 \
    X(UNKNOWN_VARIABLE, "unknown-variable", WARNING)                                               \
    X(ANSWER_WITHOUT_CATCHER, "answer-without-catcher", WARNING)                                   \
    X(RETRY_WITHOUT_JOB, "retry-without-job", WARNING)

enum finding_code {
#define X(name, code, severity) CODE_##name,
    FINDING_CODES(X)
#undef X
        FINDING_CODE_COUNT
};

struct findings {
    struct arena *arena;   /* owns the findings */
    struct finding *items; /* in the order of discovery until findings_finish() */
    size_t n, capacity;
    size_t n_errors, n_warnings; /* all that were found, also what was not kept */
};

const char *finding_code_text(enum finding_code code);

/* element: id of the nearest element, or NULL. Keeps at most LIMIT_FINDINGS of each severity. */
void findings_add(struct findings *findings, enum finding_code code, int line, int column,
                  const char *element, const char *format, ...) PRINTF_LIKE(6, 7);

/* Sorts by line, errors before warnings of the same line, and cuts to LIMIT_FINDINGS, errors first.
 */
void findings_finish(struct findings *findings);
