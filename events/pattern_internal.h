/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a pattern is compiled to: alternatives (what $or makes of it), each a list of fields that
 * all must be found, each with matchers of which one must hold.
 */
#include "events/pattern.h"

enum matcher_kind {
    MATCH_VALUE,  /* equal: text, number, true, false, null */
    MATCH_PREFIX, /* these compare texts; `fold`: whatever their case */
    MATCH_SUFFIX,
    MATCH_TEXT,
    MATCH_WILDCARD,
    MATCH_ANYTHING_BUT, /* a leaf that none of `but` matches */
    MATCH_NUMERIC,
    MATCH_CIDR,
    MATCH_EXISTS,
    MATCH_ABSENT,
};

struct piece {
    const char *text;
    size_t n;
};

struct cidr {
    uint8_t address[16];
    unsigned bits;
    bool v6;
};

struct matcher {
    enum matcher_kind kind;
    bool fold;
    union {
        struct value value; /* MATCH_VALUE */
        struct piece text;  /* MATCH_PREFIX, MATCH_SUFFIX, MATCH_TEXT; folded if `fold` */
        struct {            /* MATCH_WILDCARD: what stands before, between and behind the stars */
            const struct piece *pieces;
            size_t n;
        } wildcard;
        struct { /* MATCH_ANYTHING_BUT */
            const struct matcher *matchers;
            size_t n;
        } but;
        struct { /* MATCH_NUMERIC: a bound that is no number is none */
            struct value low, high;
            bool low_open, high_open;
        } range;
        struct cidr cidr;
    } u;
};

struct clause {
    const char *path;
    size_t path_n;
    const struct matcher *matchers;
    size_t n;
    bool absent; /* one of them is MATCH_ABSENT */
};

struct alternative {
    struct clause *clauses; /* no two of one path */
    size_t n, capacity;
};

struct event_pattern {
    const struct alternative *alternatives;
    size_t n;
};

/* ---- matcher.c ---- */

/* What stands in an array of a pattern. */
int matcher_read(struct arena *arena, const struct value *given, struct matcher *ret,
                 struct err *err) MUST_CHECK;
bool matcher_holds(const struct matcher *matcher, const struct value *value, struct arena *scratch);
#define pattern_refuse(err, ...) err_set((err), ERR_INVALID, PATTERN_ERROR __VA_ARGS__)

/* ---- text.c ---- */

/* The text with its letters in lower case: Latin, Greek and Cyrillic. */
struct piece text_fold(struct arena *arena, const char *text, size_t n);
/* `position` in the error counts from 1. */
int wildcard_read(struct arena *arena, const char *text, size_t n, struct matcher *ret,
                  struct err *err) MUST_CHECK;
bool wildcard_holds(const struct matcher *matcher, const char *text, size_t n);

/* ---- cidr.c ---- */

int cidr_read(const char *text, struct cidr *ret, struct err *err) MUST_CHECK;
bool cidr_holds(const struct cidr *cidr, const char *text);

/* ---- match.c ---- */

enum event_match alternative_match(const struct alternative *alternative,
                                   const struct event_fields *event, struct arena *scratch);
