/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Which proxies in front of the server are believed when they say for whom they ask. Each appends
 * to the header the address that it was reached from; what stands further left than the last one
 * that is believed may have been written by anybody. Pure.
 */
#include "base/address.h"
#include "base/arena.h"
#include "server/guard.h"

#define FORWARDED_HEADER "X-Forwarded-For" /* or "Forwarded", of RFC 7239 */

struct proxies {
    struct network *networks;
    size_t n;
    bool unix_sockets; /* whoever is at the other end of one */
    const char *header;
};

/* list: "10.0.0.0/8, ::1, unix"; NULL: none. header: NULL is X-Forwarded-For. What is kept lives in
 * the arena, or as long as `header`. */
int proxies_read(const char *list, const char *header, struct arena *arena,
                 struct proxies *ret_proxies, struct err *err) MUST_CHECK;

enum proxied {
    PROXIED_DIRECT = 0, /* nobody has asked for somebody else */
    PROXIED_KNOWN,      /* by proxies that are believed: *address is the client's */
    PROXIED_UNKNOWN,    /* so they say, but not for whom: *address is the last proxy's */
};
/* address: of the connection; family 0: a Unix socket. */
enum proxied proxies_client(const struct proxies *proxies, const struct guard_header *headers,
                            size_t n, struct address *address);
