/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a node's configuration file wants the database to know: how long things are kept, and
 * endpoints. The file's rule for these:
 *
 *   - an endpoint whose section is new or has changed since this node last read it is set;
 *   - one whose section is unchanged is left alone, whatever was done to it by hand meanwhile;
 *   - one that has left the file is dropped, unless another node's file has it; while calls to it
 *     are unfinished it stays, and the next reading tries again;
 *   - endpoints that were never in a file are nobody's business.
 *
 * All of it is one transaction: what the database refuses changes nothing.
 */
#include "store/store.h"

struct setup_endpoint {
    const char *name, *base_url;
    const char *options; /* JSON object, as set_endpoint() takes it */
    int line;            /* the caller's: where it says so */
};

struct setup {
    struct setup_endpoint *endpoints;
    size_t n_endpoints, endpoints_capacity;
    const char *retention; /* JSON object, as set_retention() takes it; NULL: nothing is said */
    int retention_line;
    bool no_file;           /* nothing is said of endpoints */
    const char *public_url; /* as set_installation() takes it; NULL: nothing is said */
};

struct setup_result {
    unsigned set, unchanged, dropped;
    unsigned in_use; /* have left the file, but calls to them are unfinished */
};

/*
 * judge_only: changes nothing. When the database refuses an endpoint, *ret_line is its line, else
 * 0.
 */
int store_setup(const struct store_options *options, const struct uuid *node,
                const struct setup *setup, bool judge_only, struct setup_result *ret_result,
                int *ret_line, struct err *err) MUST_CHECK;
