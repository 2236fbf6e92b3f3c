/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The egress guard: which addresses a request may go to. Judged is the address that is connected
 * to, never a name. Pure.
 */
#include "base/address.h"

enum egress_kind {
    EGRESS_PUBLIC = 0,
    EGRESS_LOOPBACK,
    EGRESS_PRIVATE,    /* a private network's own */
    EGRESS_LINK_LOCAL, /* of one wire */
    EGRESS_METADATA,   /* where clouds tell a machine its credentials */
    EGRESS_MULTICAST,
    EGRESS_RESERVED, /* everything else that is nobody's host in the internet */
};
const char *egress_kind_name(enum egress_kind kind);

enum egress_kind egress_classify(const struct address *address);

/* What an endpoint allows beside the public internet. */
struct egress_rule {
    enum egress_kind kind; /* EGRESS_PUBLIC: the network; else all addresses of a kind */
    struct network network;
};
/* "loopback", "private", or a network like 10.0.0.0/8, ::1 or ::ffff:10.0.0.0/104. */
int egress_rule_read(const char *text, struct egress_rule *ret_rule, struct err *err) MUST_CHECK;
/* A network wins over every kind. */
bool egress_allowed(const struct egress_rule *rules, size_t n, const struct address *address);
