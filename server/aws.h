/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The wire protocol of AWS for code that was written against it: JSON by POST, the operation named
 * by X-Amz-Target, requests signed by Signature Version 4 with access keys of Pawl's own (or with a
 * bearer token), errors by AWS's names.
 *
 *   aws.c            a request: what it asks, who asks, its answer
 *   aws_operations.c what can be asked, the limits of its members, the names of its errors
 *   sigv4.c          the signature
 */
#include "server/request.h"

/* A member of the body. */
struct aws_member {
    const char *name;
    json_type type;
    bool required;
    size_t least, most; /* characters of a string, items of an array; most 0: any */
};

/* What the database refuses, by its SQLSTATE or the beginning of it. */
struct aws_error {
    const char *sqlstate, *type;
    const char *message; /* NULL: the database's own */
};

struct aws_operation {
    const char *target;  /* "AWSStepFunctions.SendTaskSuccess" */
    const char *service; /* that the signature must be for */
    const char *content_type;
    unsigned rights;
    const char *query; /* gets the body; or */
    void (*handle)(struct request *request, const struct aws_operation *operation);
    bool writes;
    bool of_token; /* its body shows the token of a callback */
    const struct aws_member *members;
    size_t n_members;
    const struct aws_error *errors;
    size_t n_errors;
    /* More than the members tell; writes the error and returns false. */
    bool (*judge)(struct request *request);
};

/* NULL: there is none. */
const struct aws_operation *aws_operation(const char *target);
/* An error as AWS's clients read it. */
void aws_refuse(struct request *request, unsigned status, const char *type, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* The answer: JSON. */
void aws_reply(struct request *request, const char *body, size_t n);
/* Whether all members are what they may be; else the error is written. */
bool aws_judge(struct request *request, const struct aws_operation *operation);

/* For the table of operations. */
void aws_handle(struct request *request);
void aws_problem(struct request *request, const struct problem *problem);
