/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The canonical request of Signature Version 4: the one text that both sides make of a request. */
#include "server/sigv4.h"

/* The value that counts for a header: all of that name, joined; NULL: there is none. */
const char *sigv4_header(struct arena *arena, const struct sigv4_request *request, const char *name,
                         size_t name_n);
/* path_as_it_came: not tidied up and coded once more, as some clients leave it. */
const char *sigv4_canonical(struct arena *arena, const struct sigv4_request *request,
                            const char *signed_headers, bool path_as_it_came);
/* In lower case hexadecimal digits. */
const char *sigv4_body_hash(struct arena *arena, const struct sigv4_request *request);
