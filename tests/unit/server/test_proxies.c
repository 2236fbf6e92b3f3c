/* SPDX-License-Identifier: Apache-2.0 */
/* For whom a proxy asks, and what others write into its header. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "server/proxies.h"

static struct arena arena;

static struct proxies proxies_of(const char *list, const char *header)
{
    struct proxies proxies;
    struct err err = {0};

    if (proxies_read(list, header, &arena, &proxies, &err) < 0)
        fail_msg("%s: %s", list, err.text);
    return proxies;
}

struct asked {
    const char *from;   /* of the connection; NULL: a Unix socket */
    const char *first;  /* the header */
    const char *second; /* and once more, behind it; NULL: not there */
    const char *client; /* who it is */
    enum proxied proxied;
};

static void check(const struct proxies *proxies, const struct asked *asked)
{
    struct guard_header headers[4] = {{"Host", 4, "pawl.example", 12}};
    struct address address = {0};
    char room[ADDRESS_TEXT_BYTES];
    size_t n = 1;

    if (asked->from != NULL)
        assert_true(address_of_text(asked->from, &address));
    if (asked->first != NULL)
        headers[n++] = (struct guard_header){proxies->header, strlen(proxies->header), asked->first,
                                             strlen(asked->first)};
    headers[n++] = (struct guard_header){"Accept", 6, NULL, 0};
    if (asked->second != NULL)
        headers[n++] = (struct guard_header){proxies->header, strlen(proxies->header),
                                             asked->second, strlen(asked->second)};
    enum proxied proxied = proxies_client(proxies, headers, n, &address);
    address_text(&address, room, sizeof(room));
    if (strcmp(room, asked->client) != 0 || proxied != asked->proxied)
        fail_msg("%s, \"%s\", \"%s\": %s (%d)", asked->from, asked->first, asked->second, room,
                 proxied);
}

#define PROXY "10.0.0.1"
#define CLIENT "203.0.113.7"

static void test_proxies__x_forwarded_for(void **state UNUSED)
{
    static const struct asked cases[] = {
        {PROXY, NULL, NULL, PROXY, PROXIED_DIRECT},
        {PROXY, CLIENT, NULL, CLIENT, PROXIED_KNOWN},
        {PROXY, "", NULL, PROXY, PROXIED_DIRECT},
        {PROXY, " , ,", NULL, PROXY, PROXIED_DIRECT},
        {PROXY, "2001:db8::7", NULL, "2001:db8::7", PROXIED_KNOWN},
        {PROXY, "[2001:db8::7]:443", NULL, "2001:db8::7", PROXIED_KNOWN},
        {PROXY, "203.0.113.7:4711", NULL, CLIENT, PROXIED_KNOWN},
        {PROXY, "::ffff:203.0.113.7", NULL, CLIENT, PROXIED_KNOWN},
        /* Two proxies, one behind the other. */
        {PROXY, "203.0.113.7, 10.9.9.9", NULL, CLIENT, PROXIED_KNOWN},
        {PROXY, "10.8.8.8,10.9.9.9", NULL, "10.8.8.8", PROXIED_KNOWN},
        /* What the client itself has written stands on the left. */
        {PROXY, "1.2.3.4, 203.0.113.7", NULL, CLIENT, PROXIED_KNOWN},
        {PROXY, "10.0.0.9, 203.0.113.7", NULL, CLIENT, PROXIED_KNOWN},
        {PROXY, "127.0.0.1, 203.0.113.7,10.9.9.9", NULL, CLIENT, PROXIED_KNOWN},
        {PROXY, "\", 203.0.113.7", NULL, CLIENT, PROXIED_KNOWN},
        {PROXY, "1.2.3.4", "203.0.113.7", CLIENT, PROXIED_KNOWN},
        {PROXY, "203.0.113.7", "10.9.9.9", CLIENT, PROXIED_KNOWN},
        /* Who is no proxy says what he likes. */
        {CLIENT, "1.2.3.4", NULL, CLIENT, PROXIED_DIRECT},
        {"10.1.0.1", "1.2.3.4", "10.0.0.9", "10.1.0.1", PROXIED_DIRECT},
        {NULL, "1.2.3.4", NULL, "no internet address", PROXIED_DIRECT},
        /* A proxy that does not say for whom. */
        {PROXY, "unknown", NULL, PROXY, PROXIED_UNKNOWN},
        {PROXY, "1.2.3.4, unknown", NULL, PROXY, PROXIED_UNKNOWN},
        {PROXY, "1.2.3.4, unknown, 10.9.9.9", NULL, "10.9.9.9", PROXIED_UNKNOWN},
        {PROXY, "203.0.113.7 1.2.3.4", NULL, PROXY, PROXIED_UNKNOWN},
        {PROXY, "example.org", NULL, PROXY, PROXIED_UNKNOWN},
        {PROXY, "0123456789012345678901234567890123456789012345678901234567890123456789", NULL,
         PROXY, PROXIED_UNKNOWN},
    };
    struct proxies proxies = proxies_of("10.0.0.0/16 10.8.0.0/15,::1", NULL);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(&proxies, &cases[i]);
}

static void test_proxies__forwarded(void **state UNUSED)
{
    static const struct asked cases[] = {
        {PROXY, NULL, NULL, PROXY, PROXIED_DIRECT},
        {PROXY, "for=203.0.113.7", NULL, CLIENT, PROXIED_KNOWN},
        {PROXY, "proto=https;For=203.0.113.7;by=10.0.0.1", NULL, CLIENT, PROXIED_KNOWN},
        {PROXY, "for=\"203.0.113.7:4711\" ; proto=http", NULL, CLIENT, PROXIED_KNOWN},
        {PROXY, "for=\"[2001:db8::7]:443\"", NULL, "2001:db8::7", PROXIED_KNOWN},
        {PROXY, "for=203.0.113.7, for=10.0.0.9", NULL, CLIENT, PROXIED_KNOWN},
        {PROXY, "for=1.2.3.4,for=203.0.113.7;host=\"a, b\"", NULL, CLIENT, PROXIED_KNOWN},
        /* An open quote of the client's swallows nothing. */
        {PROXY, "for=\"1.2.3.4, for=203.0.113.7", NULL, CLIENT, PROXIED_KNOWN},
        {PROXY, "for=1.2.3.4;x=\"", "for=203.0.113.7", CLIENT, PROXIED_KNOWN},
        {PROXY, "for=unknown", NULL, PROXY, PROXIED_UNKNOWN},
        {PROXY, "for=1.2.3.4, for=_hidden", NULL, PROXY, PROXIED_UNKNOWN},
        {PROXY, "proto=https", NULL, PROXY, PROXIED_UNKNOWN},
        {PROXY, "for=", NULL, PROXY, PROXIED_UNKNOWN},
        {PROXY, "for=\"\"", NULL, PROXY, PROXIED_UNKNOWN},
        {PROXY, "for=1.2.3.4;for=5.6.7.8", NULL, PROXY, PROXIED_UNKNOWN},
        {PROXY, "203.0.113.7", NULL, PROXY, PROXIED_UNKNOWN},
        {CLIENT, "for=1.2.3.4", NULL, CLIENT, PROXIED_DIRECT},
    };
    struct proxies proxies = proxies_of("10.0.0.0/16", "forwarded");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(&proxies, &cases[i]);
}

static void test_proxies__nobody(void **state UNUSED)
{
    struct proxies proxies = proxies_of(NULL, NULL);

    check(&proxies, &(struct asked){PROXY, "1.2.3.4", NULL, PROXY, PROXIED_DIRECT});
    proxies = proxies_of("", NULL);
    check(&proxies, &(struct asked){PROXY, "1.2.3.4", NULL, PROXY, PROXIED_DIRECT});
    proxies = proxies_of("unix", NULL);
    check(&proxies, &(struct asked){NULL, "1.2.3.4", NULL, "1.2.3.4", PROXIED_KNOWN});
    check(&proxies, &(struct asked){PROXY, "1.2.3.4", NULL, PROXY, PROXIED_DIRECT});
}

static void test_proxies__read(void **state UNUSED)
{
    static const struct {
        const char *list, *header;
    } bad[] = {
        {"proxy.example", NULL}, {"10.0.0.0/33", NULL},     {"10.0.0.1;::1", NULL}, {"*", NULL},
        {"loopback", NULL},      {"10.0.0.1", "X-Real-IP"}, {"10.0.0.1", ""}};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct proxies proxies;
        struct err err = {0};
        if (proxies_read(bad[i].list, bad[i].header, &arena, &proxies, &err) == 0)
            fail_msg("\"%s\" is taken", bad[i].list);
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static int set_up(void **state UNUSED)
{
    arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    arena_deinit(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proxies__x_forwarded_for),
        cmocka_unit_test(test_proxies__forwarded),
        cmocka_unit_test(test_proxies__nobody),
        cmocka_unit_test(test_proxies__read),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
