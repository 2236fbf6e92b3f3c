/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/address.h"

/* ::ffff:a.b.c.d is the IPv4 address: the kernel connects to that. */
static void unwrap(struct address *address)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (address->family != AF_INET6 || memcmp(address->bytes, mapped, sizeof(mapped)) != 0)
        return;
    address->family = AF_INET;
    memmove(address->bytes, address->bytes + 12, 4);
    memset(address->bytes + 4, 0, 12);
}

struct address address_of_sockaddr(const struct sockaddr *sockaddr)
{
    struct address address = {0};

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

bool address_of_text(const char *text, struct address *ret_address)
{
    char plain[INET6_ADDRSTRLEN];
    size_t n = strlen(text);
    bool brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';

    *ret_address = (struct address){0};
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

const char *address_text(const struct address *address, char *room, size_t room_bytes)
{
    if (address->family == 0 ||
        inet_ntop(address->family, address->bytes, room, (socklen_t)room_bytes) == NULL)
        snprintf(room, room_bytes, "no internet address");
    return room;
}

/* ---- Networks ---- */

int network_read(const char *text, struct network *ret_network, struct err *err)
{
    struct network network;
    char address[ADDRESS_TEXT_BYTES];
    size_t n = strcspn(text, "/");

    snprintf(address, sizeof(address), "%.*s", (int)(n < 63 ? n : 63), text);
    if (!address_of_text(address, &network.address))
        return err_set(err, ERR_INVALID, "\"%.60s\" is no network", text);
    unsigned width = network.address.family == AF_INET ? 32 : 128;
    bool mapped = width == 32 && strchr(address, ':') != NULL; /* its prefix counts 96 bits more */
    network.bits = width;
    if (text[n] == '/') {
        char *end;
        unsigned long bits = strtoul(text + n + 1, &end, 10);
        bool number = text[n + 1] >= '0' && text[n + 1] <= '9' && *end == '\0' && bits <= 128;
        if (number && mapped)
            bits = bits < 96 ? 129 : bits - 96;
        if (!number || bits > width)
            return err_set(err, ERR_INVALID, "\"%.60s\" has no prefix of 0 to %u bits", text,
                           width);
        network.bits = (unsigned)bits;
    }
    *ret_network = network;
    return 0;
}

bool network_has(const struct network *network, const struct address *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;

    if (address->family != network->address.family ||
        memcmp(address->bytes, network->address.bytes, whole) != 0)
        return false;
    return rest == 0 || (address->bytes[whole] ^ network->address.bytes[whole]) >> (8 - rest) == 0;
}
