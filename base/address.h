/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Internet addresses and networks, as numbers: no name is looked up. */
#include "base/err.h"

struct sockaddr;

/* Of either family; an IPv4 address inside an IPv6 one is unwrapped. */
struct address {
    int family; /* AF_INET or AF_INET6; 0: neither */
    unsigned char bytes[16];
};
#define ADDRESS_TEXT_BYTES 64u

struct address address_of_sockaddr(const struct sockaddr *sockaddr);
/* False: the text is no address (a name). Brackets around IPv6 are taken off. */
bool address_of_text(const char *text, struct address *ret_address);
/* "10.1.2.3". */
const char *address_text(const struct address *address, char *room, size_t room_bytes);

struct network {
    struct address address;
    unsigned bits; /* of it that count */
};

/* 10.0.0.0/8, ::1 or ::ffff:10.0.0.0/104. */
int network_read(const char *text, struct network *ret_network, struct err *err) MUST_CHECK;
bool network_has(const struct network *network, const struct address *address);
