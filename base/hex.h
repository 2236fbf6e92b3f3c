/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Hexadecimal digits, and bytes that are written with them in URLs. Pure. */
#include "base/build.h"

/* What a digit of either case is worth; -1: it is none. */
static inline int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The byte that two digits at the beginning of n bytes say; -1: they do not. A NUL ends them. */
static inline int hex_byte(const char *text, size_t n)
{
    int high = n >= 2 ? hex_digit(text[0]) : -1;
    int low = high >= 0 ? hex_digit(text[1]) : -1;

    return low >= 0 ? high << 4 | low : -1;
}

/* The byte that an escape (RFC 3986, 2.1: %41) stands for; -1: there is none here. */
static inline int hex_escape(const char *text, size_t n)
{
    return n >= 3 && text[0] == '%' ? hex_byte(text + 1, n - 1) : -1;
}
