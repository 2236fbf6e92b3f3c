/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "jobexec/egress.h"

/* From the registries of special-purpose addresses (RFC 6890 and what followed): the first match of
 * a family counts. */
static const struct {
    const char *network;
    unsigned bits;
    enum egress_kind kind;
} special[] = {
    {"169.254.169.254", 32, EGRESS_METADATA}, /* nearly all clouds */
    {"169.254.170.2", 32, EGRESS_METADATA},   /* containers of AWS */
    {"100.100.100.200", 32, EGRESS_METADATA}, /* Alibaba */
    {"168.63.129.16", 32, EGRESS_METADATA},   /* Azure */
    {"192.0.0.192", 32, EGRESS_METADATA},     /* Oracle */
    {"127.0.0.0", 8, EGRESS_LOOPBACK},
    {"10.0.0.0", 8, EGRESS_PRIVATE},
    {"172.16.0.0", 12, EGRESS_PRIVATE},
    {"192.168.0.0", 16, EGRESS_PRIVATE},
    {"169.254.0.0", 16, EGRESS_LINK_LOCAL},
    {"0.0.0.0", 8, EGRESS_RESERVED},       /* this network */
    {"100.64.0.0", 10, EGRESS_RESERVED},   /* providers' own */
    {"192.0.0.0", 24, EGRESS_RESERVED},    /* protocols */
    {"192.0.2.0", 24, EGRESS_RESERVED},    /* documentation */
    {"198.51.100.0", 24, EGRESS_RESERVED}, /* documentation */
    {"203.0.113.0", 24, EGRESS_RESERVED},  /* documentation */
    {"192.88.99.0", 24, EGRESS_RESERVED},  /* 6to4 relays */
    {"198.18.0.0", 15, EGRESS_RESERVED},   /* benchmarks */
    {"240.0.0.0", 4, EGRESS_RESERVED},     /* future use, broadcast */
    {"224.0.0.0", 4, EGRESS_MULTICAST},
    {"fd00:ec2::254", 128, EGRESS_METADATA}, /* AWS */
    {"fd20:ce::254", 128, EGRESS_METADATA},  /* Google */
    {"::1", 128, EGRESS_LOOPBACK},
    {"fc00::", 7, EGRESS_PRIVATE},
    {"fec0::", 10, EGRESS_PRIVATE}, /* site-local, given up */
    {"fe80::", 10, EGRESS_LINK_LOCAL},
    {"ff00::", 8, EGRESS_MULTICAST},
    {"2001::", 23, EGRESS_RESERVED},     /* protocols: Teredo, ORCHID, benchmarks */
    {"2001:db8::", 32, EGRESS_RESERVED}, /* documentation */
    {"3fff::", 20, EGRESS_RESERVED},     /* documentation */
    {"2002::", 16, EGRESS_RESERVED},     /* 6to4: an IPv4 address inside */
    {"2000::", 3, EGRESS_PUBLIC},        /* all that is given out so far */
    {"::", 0, EGRESS_RESERVED},          /* NAT64, discard, compatible, segment routing, … */
};

const char *egress_kind_name(enum egress_kind kind)
{
    static const char *const names[] = {
        "a public address",     "a loopback address",         "a private address",
        "a link-local address", "a cloud's metadata address", "a multicast address",
        "a reserved address",
    };

    assert((size_t)kind < ARRAY_LEN(names));
    return names[kind];
}

/* ---- Addresses ---- */

/* ::ffff:a.b.c.d is the IPv4 address: the kernel connects to that. */
static void unwrap(struct egress_address *address)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (address->family != AF_INET6 || memcmp(address->bytes, mapped, sizeof(mapped)) != 0)
        return;
    address->family = AF_INET;
    memmove(address->bytes, address->bytes + 12, 4);
    memset(address->bytes + 4, 0, 12);
}

struct egress_address egress_of_sockaddr(const struct sockaddr *sockaddr)
{
    struct egress_address address = {0};

    if (sockaddr->sa_family == AF_INET) {
        address.family = AF_INET;
        memcpy(address.bytes, &((const struct sockaddr_in *)(const void *)sockaddr)->sin_addr, 4);
    } else if (sockaddr->sa_family == AF_INET6) {
        address.family = AF_INET6;
        memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)sockaddr)->sin6_addr,
               16);
        unwrap(&address);
    }
    return address;
}

bool egress_of_text(const char *text, struct egress_address *ret_address)
{
    char plain[INET6_ADDRSTRLEN];
    size_t n = strlen(text);
    bool brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';

    *ret_address = (struct egress_address){0};
    if (n - (brackets ? 2 : 0) >= sizeof(plain))
        return false;
    snprintf(plain, sizeof(plain), "%.*s", (int)(n - (brackets ? 2 : 0)),
             text + (brackets ? 1 : 0));
    /* A zone is this machine's affair: fe80::1%eth0. */
    plain[strcspn(plain, "%")] = '\0';
    if (inet_pton(AF_INET, plain, ret_address->bytes) == 1)
        ret_address->family = AF_INET;
    else if (inet_pton(AF_INET6, plain, ret_address->bytes) == 1)
        ret_address->family = AF_INET6;
    unwrap(ret_address);
    return ret_address->family != 0;
}

const char *egress_text(const struct egress_address *address, char *room, size_t room_bytes)
{
    if (address->family == 0 ||
        inet_ntop(address->family, address->bytes, room, (socklen_t)room_bytes) == NULL)
        snprintf(room, room_bytes, "no internet address");
    return room;
}

/* ---- Networks ---- */

static bool within(const struct egress_address *address, const unsigned char *network,
                   unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (memcmp(address->bytes, network, whole) != 0)
        return false;
    return rest == 0 || (address->bytes[whole] ^ network[whole]) >> (8 - rest) == 0;
}

enum egress_kind egress_classify(const struct egress_address *address)
{
    if (address->family == 0)
        return EGRESS_RESERVED;
    for (size_t i = 0; i < ARRAY_LEN(special); i++) {
        struct egress_address network;
        if (egress_of_text(special[i].network, &network) && network.family == address->family &&
            within(address, network.bytes, special[i].bits))
            return special[i].kind;
    }
    return EGRESS_PUBLIC;
}

int egress_rule_read(const char *text, struct egress_rule *ret_rule, struct err *err)
{
    struct egress_rule rule = {0};
    char address[64];
    size_t n = strcspn(text, "/");

    if (strcmp(text, "loopback") == 0 || strcmp(text, "private") == 0) {
        rule.kind = text[0] == 'l' ? EGRESS_LOOPBACK : EGRESS_PRIVATE;
        *ret_rule = rule;
        return 0;
    }
    snprintf(address, sizeof(address), "%.*s", (int)(n < 63 ? n : 63), text);
    bool mapped = strchr(address, ':') != NULL; /* then the prefix counts 96 bits more */
    if (!egress_of_text(address, &rule.network))
        return err_set(err, ERR_INVALID, "\"%.60s\" is no network, nor loopback or private", text);
    unsigned width = rule.network.family == AF_INET ? 32 : 128;
    mapped &= width == 32;
    rule.bits = width;
    if (text[n] == '/') {
        char *end;
        unsigned long bits = strtoul(text + n + 1, &end, 10);
        if (end == text + n + 1 || *end != '\0' || bits > 128)
            return err_set(err, ERR_INVALID, "\"%.60s\" has no prefix of 0 to %u bits", text,
                           width);
        if (mapped)
            bits = bits < 96 ? 129 : bits - 96;
        if (bits > width)
            return err_set(err, ERR_INVALID, "\"%.60s\" has no prefix of 0 to %u bits", text,
                           width);
        rule.bits = (unsigned)bits;
    }
    *ret_rule = rule;
    return 0;
}

bool egress_allowed(const struct egress_rule *rules, size_t n, const struct egress_address *address)
{
    enum egress_kind kind = egress_classify(address);

    if (kind == EGRESS_PUBLIC)
        return true;
    for (size_t i = 0; i < n; i++) {
        if (rules[i].kind != EGRESS_PUBLIC
                ? rules[i].kind == kind
                : rules[i].network.family == address->family &&
                      within(address, rules[i].network.bytes, rules[i].bits))
            return true;
    }
    return false;
}
