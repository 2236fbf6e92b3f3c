/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * JSON Schema, draft-07: compiled once, then values are judged by it. Pure; memory is the arena's,
 * that of the pattern matcher too. A compiled schema is never changed, so all threads share it.
 *
 * Nothing that comes from outside can make it hang: each check has a budget of work, and so has
 * each pattern. docs/schemas.md says where it differs from the drafts.
 */
#include "engine/value.h"

struct schema;

/* A document that schemas may refer to. */
struct schema_document {
    /* What $ref calls it, unless it has an $id; "" for one that nobody refers to. */
    const char *uri;
    const struct value *value; /* outlives the compiled schema */
};

struct schema_options {
    bool ignore_formats; /* format, contentEncoding and contentMediaType are remarks */
};

/*
 * Compiles documents[0]; the others are found by $ref. Nothing is ever fetched. On failure the
 * message names the place in the schema as a JSON Pointer.
 */
int schema_compile(struct arena *arena, const struct schema_document *documents, size_t n_documents,
                   const struct schema_options *options, const struct schema **ret_schema,
                   struct err *err) MUST_CHECK;

/*
 * documents[0] in one text that needs no other: what it refers to stands under "definitions", and
 * each $ref leads there.
 */
const char *schema_bundle(struct arena *arena, const struct schema_document *documents, size_t n);

struct schema_error {
    const char *message;  /* as Python's jsonschema has it: "'foo' is a required property" */
    const char *instance; /* JSON Pointer into the value; "" is all of it */
    const char *schema;   /* the way through the schema, as a JSON Pointer that follows $ref */
};

struct schema_report {
    struct schema_error *errors; /* in the schema's order, at most LIMIT_SCHEMA_ERRORS */
    size_t n;
    struct schema_error best; /* the one that tells most: near the top; inside of anyOf, deep */
};

enum { SCHEMA_VALID = 0, SCHEMA_INVALID = 1 };

/*
 * SCHEMA_VALID, SCHEMA_INVALID (ret_report is filled), or < 0: the value could not be judged within
 * the limits. ret_report may be NULL: the answer comes sooner.
 */
int schema_check(const struct schema *schema, const struct value *value, struct arena *arena,
                 struct schema_report *ret_report, struct err *err) MUST_CHECK;
