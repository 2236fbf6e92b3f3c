/* SPDX-License-Identifier: Apache-2.0 */
/* The egress guard's table: the first and last address of each range, and their neighbours. */
#include "base/build.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "jobexec/egress.h"

static const struct {
    const char *text;
    enum egress_kind kind;
} table[] = {
    {"8.8.8.8", EGRESS_PUBLIC},
    {"0.0.0.0", EGRESS_RESERVED},
    {"0.255.255.255", EGRESS_RESERVED},
    {"1.0.0.0", EGRESS_PUBLIC},
    {"9.255.255.255", EGRESS_PUBLIC},
    {"10.0.0.0", EGRESS_PRIVATE},
    {"10.255.255.255", EGRESS_PRIVATE},
    {"11.0.0.0", EGRESS_PUBLIC},
    {"100.63.255.255", EGRESS_PUBLIC},
    {"100.64.0.0", EGRESS_RESERVED},
    {"100.100.100.200", EGRESS_METADATA},
    {"100.127.255.255", EGRESS_RESERVED},
    {"100.128.0.0", EGRESS_PUBLIC},
    {"126.255.255.255", EGRESS_PUBLIC},
    {"127.0.0.0", EGRESS_LOOPBACK},
    {"127.255.255.255", EGRESS_LOOPBACK},
    {"128.0.0.0", EGRESS_PUBLIC},
    {"168.63.129.16", EGRESS_METADATA},
    {"168.63.129.17", EGRESS_PUBLIC},
    {"169.253.255.255", EGRESS_PUBLIC},
    {"169.254.0.0", EGRESS_LINK_LOCAL},
    {"169.254.169.254", EGRESS_METADATA},
    {"169.254.170.2", EGRESS_METADATA},
    {"169.254.255.255", EGRESS_LINK_LOCAL},
    {"169.255.0.0", EGRESS_PUBLIC},
    {"172.15.255.255", EGRESS_PUBLIC},
    {"172.16.0.0", EGRESS_PRIVATE},
    {"172.31.255.255", EGRESS_PRIVATE},
    {"172.32.0.0", EGRESS_PUBLIC},
    {"191.255.255.255", EGRESS_PUBLIC},
    {"192.0.0.0", EGRESS_RESERVED},
    {"192.0.0.192", EGRESS_METADATA},
    {"192.0.0.255", EGRESS_RESERVED},
    {"192.0.1.0", EGRESS_PUBLIC},
    {"192.0.2.0", EGRESS_RESERVED},
    {"192.0.2.255", EGRESS_RESERVED},
    {"192.0.3.0", EGRESS_PUBLIC},
    {"192.88.98.255", EGRESS_PUBLIC},
    {"192.88.99.0", EGRESS_RESERVED},
    {"192.88.99.255", EGRESS_RESERVED},
    {"192.88.100.0", EGRESS_PUBLIC},
    {"192.167.255.255", EGRESS_PUBLIC},
    {"192.168.0.0", EGRESS_PRIVATE},
    {"192.168.255.255", EGRESS_PRIVATE},
    {"192.169.0.0", EGRESS_PUBLIC},
    {"198.17.255.255", EGRESS_PUBLIC},
    {"198.18.0.0", EGRESS_RESERVED},
    {"198.19.255.255", EGRESS_RESERVED},
    {"198.20.0.0", EGRESS_PUBLIC},
    {"198.51.99.255", EGRESS_PUBLIC},
    {"198.51.100.0", EGRESS_RESERVED},
    {"198.51.100.255", EGRESS_RESERVED},
    {"198.51.101.0", EGRESS_PUBLIC},
    {"203.0.112.255", EGRESS_PUBLIC},
    {"203.0.113.0", EGRESS_RESERVED},
    {"203.0.113.255", EGRESS_RESERVED},
    {"203.0.114.0", EGRESS_PUBLIC},
    {"223.255.255.255", EGRESS_PUBLIC},
    {"224.0.0.0", EGRESS_MULTICAST},
    {"239.255.255.255", EGRESS_MULTICAST},
    {"240.0.0.0", EGRESS_RESERVED},
    {"255.255.255.255", EGRESS_RESERVED},
    {"::", EGRESS_RESERVED},
    {"::1", EGRESS_LOOPBACK},
    {"::2", EGRESS_RESERVED},
    {"::127.0.0.1", EGRESS_RESERVED},        /* compatible */
    {"::ffff:127.0.0.1", EGRESS_LOOPBACK},   /* mapped: the kernel goes to 127.0.0.1 */
    {"::ffff:a9fe:a9fe", EGRESS_METADATA},   /* mapped */
    {"::ffff:8.8.8.8", EGRESS_PUBLIC},       /* mapped */
    {"::ffff:0:127.0.0.1", EGRESS_RESERVED}, /* translated */
    {"64:ff9b::7f00:1", EGRESS_RESERVED},    /* NAT64 */
    {"64:ff9b:1::", EGRESS_RESERVED},        /* NAT64, local */
    {"100::", EGRESS_RESERVED},              /* discard */
    {"1fff:ffff::", EGRESS_RESERVED},
    {"2000::", EGRESS_PUBLIC},
    {"2000:ffff::", EGRESS_PUBLIC},
    {"2001::", EGRESS_RESERVED},    /* Teredo */
    {"2001:2::", EGRESS_RESERVED},  /* benchmarks */
    {"2001:10::", EGRESS_RESERVED}, /* ORCHID */
    {"2001:20::", EGRESS_RESERVED}, /* ORCHID 2 */
    {"2001:1ff:ffff::", EGRESS_RESERVED},
    {"2001:200::", EGRESS_PUBLIC},
    {"2001:4860:4860::8888", EGRESS_PUBLIC},
    {"2001:db7:ffff::", EGRESS_PUBLIC},
    {"2001:db8::", EGRESS_RESERVED},
    {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", EGRESS_RESERVED},
    {"2001:db9::", EGRESS_PUBLIC},
    {"2002:7f00:1::", EGRESS_RESERVED}, /* 6to4 */
    {"2003::", EGRESS_PUBLIC},
    {"3ffe:ffff::", EGRESS_PUBLIC},
    {"3fff::", EGRESS_RESERVED},
    {"3fff:fff:ffff::", EGRESS_RESERVED},
    {"3fff:1000::", EGRESS_PUBLIC},
    {"4000::", EGRESS_RESERVED},
    {"5f00::", EGRESS_RESERVED}, /* segment routing */
    {"fbff:ffff::", EGRESS_RESERVED},
    {"fc00::", EGRESS_PRIVATE},
    {"fd00:ec2::254", EGRESS_METADATA},
    {"fd00:ec2::253", EGRESS_PRIVATE},
    {"fd20:ce::254", EGRESS_METADATA},
    {"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", EGRESS_PRIVATE},
    {"fe00::", EGRESS_RESERVED},
    {"fe80::", EGRESS_LINK_LOCAL},
    {"fe80::1%lo", EGRESS_LINK_LOCAL},
    {"febf:ffff::", EGRESS_LINK_LOCAL},
    {"fec0::", EGRESS_PRIVATE},
    {"feff:ffff::", EGRESS_PRIVATE},
    {"ff00::", EGRESS_MULTICAST},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", EGRESS_MULTICAST},
};

static void test_egress__classify(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct address address;
        assert_true(address_of_text(table[i].text, &address));
        if (egress_classify(&address) != table[i].kind)
            fail_msg("%s: %s", table[i].text, egress_kind_name(egress_classify(&address)));
        /* Without a rule only what is public is allowed. */
        assert_int_equal(egress_allowed(NULL, 0, &address), table[i].kind == EGRESS_PUBLIC);
    }
}

/* What the kernel is given counts, mapped addresses too, and what is no internet address at all. */
static void test_egress__sockaddr(void **state UNUSED)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr local = {.sa_family = AF_UNIX};
    char room[64];

    v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff;
    v6.sin6_addr.s6_addr[12] = 10;
    v6.sin6_addr.s6_addr[15] = 9;
    struct address address = address_of_sockaddr((struct sockaddr *)&v6);
    assert_int_equal(egress_classify(&address), EGRESS_PRIVATE);
    assert_string_equal(address_text(&address, room, sizeof(room)), "10.0.0.9");
    address = address_of_sockaddr(&local);
    assert_int_equal(egress_classify(&address), EGRESS_RESERVED);
    assert_false(egress_allowed(NULL, 0, &address));
}

static bool allows(const char *rule, const char *text)
{
    struct egress_rule read;
    struct address address;
    struct err err = {0};

    if (egress_rule_read(rule, &read, &err) < 0)
        fail_msg("%s: %s", rule, err.text);
    assert_true(address_of_text(text, &address));
    return egress_allowed(&read, 1, &address);
}

static void test_egress__rules(void **state UNUSED)
{
    static const char *const bad[] = {"",          "public",     "a.example",        "10.0.0.0/33",
                                      "10.0.0.0/", "10.0.0.0/x", "::/129",           "10.0.0.0/-1",
                                      "1.2.3",     "[::1]:80",   "::ffff:1.2.3.4/95"};

    assert_true(allows("loopback", "127.9.9.9"));
    assert_true(allows("loopback", "::1"));
    assert_true(allows("loopback", "::ffff:127.0.0.1"));
    assert_false(allows("loopback", "10.0.0.1"));
    assert_true(allows("private", "192.168.1.1"));
    assert_true(allows("private", "fd12::1"));
    assert_false(allows("private", "127.0.0.1"));
    /* Metadata and reserved ranges stay refused: only a network that has them lets them through. */
    assert_false(allows("private", "169.254.169.254"));
    assert_false(allows("private", "fd00:ec2::254"));
    assert_false(allows("private", "100.64.0.1"));
    assert_true(allows("169.254.169.254", "169.254.169.254"));
    assert_false(allows("169.254.169.254/32", "169.254.169.253"));
    assert_true(allows("100.64.0.0/10", "100.100.100.200"));
    assert_true(allows("0.0.0.0/0", "127.0.0.1"));
    assert_false(allows("0.0.0.0/0", "::1"));
    assert_true(allows("::/0", "fe80::1"));
    assert_false(allows("::/0", "127.0.0.1"));
    assert_true(allows("10.1.0.0/17", "10.1.127.255"));
    assert_false(allows("10.1.0.0/17", "10.1.128.0"));
    assert_true(allows("::ffff:10.0.0.0/104", "10.9.9.9"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct egress_rule rule;
        struct err err = {0};
        if (egress_rule_read(bad[i], &rule, &err) == 0)
            fail_msg("%s is taken", bad[i]);
        assert_int_equal(err.code, ERR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_egress__classify),
        cmocka_unit_test(test_egress__sockaddr),
        cmocka_unit_test(test_egress__rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
