/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Included first by every .c file: the system headers that everybody needs, the compiler attributes
 * that the project uses, and the C functions that it refuses to use.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))
/* Runs f(&variable) when the variable goes out of scope; put it on every owned local. */
#define CLEANUP(f) __attribute__((cleanup(f)))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define UNUSED __attribute__((unused))

#pragma GCC poison strcpy sprintf strcat strncpy vsprintf
