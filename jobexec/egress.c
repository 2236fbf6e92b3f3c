/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

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

enum egress_kind egress_classify(const struct address *address)
{
    struct network network;

    if (address->family == 0)
        return EGRESS_RESERVED;
    for (size_t i = 0; i < ARRAY_LEN(special); i++) {
        network.bits = special[i].bits;
        if (address_of_text(special[i].network, &network.address) && network_has(&network, address))
            return special[i].kind;
    }
    return EGRESS_PUBLIC;
}

int egress_rule_read(const char *text, struct egress_rule *ret_rule, struct err *err)
{
    struct egress_rule rule = {.kind = EGRESS_PUBLIC};

    if (strcmp(text, "loopback") == 0)
        rule.kind = EGRESS_LOOPBACK;
    else if (strcmp(text, "private") == 0)
        rule.kind = EGRESS_PRIVATE;
    else if (network_read(text, &rule.network, err) < 0)
        return err_trace(err);
    *ret_rule = rule;
    return 0;
}

bool egress_allowed(const struct egress_rule *rules, size_t n, const struct address *address)
{
    enum egress_kind kind = egress_classify(address);

    if (kind == EGRESS_PUBLIC)
        return true;
    for (size_t i = 0; i < n; i++) {
        if (rules[i].kind != EGRESS_PUBLIC ? rules[i].kind == kind
                                           : network_has(&rules[i].network, address))
            return true;
    }
    return false;
}
