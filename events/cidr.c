/* SPDX-License-Identifier: Apache-2.0 */
/* Networks: 10.0.0.0/8, 2001:db8::/32. */
#include "base/build.h"

#include <arpa/inet.h>

#include "events/pattern_internal.h"

static bool address_read(const char *text, uint8_t address[16], bool *ret_v6)
{
    *ret_v6 = strchr(text, ':') != NULL;
    return inet_pton(*ret_v6 ? AF_INET6 : AF_INET, text, address) == 1;
}

int cidr_read(const char *text, struct cidr *ret, struct err *err)
{
    const char *slash = strchr(text, '/');
    char address[64];

    *ret = (struct cidr){.bits = 0};
    if (slash == NULL || strchr(slash + 1, '/') != NULL)
        return pattern_refuse(err, "Malformed CIDR, one '/' required");
    if (slash[1] == '\0' || strspn(slash + 1, "0123456789") != strlen(slash + 1) ||
        strlen(slash + 1) > 4)
        return pattern_refuse(err, "Malformed CIDR, mask bits must be an integer");
    for (const char *digit = slash + 1; *digit != '\0'; digit++)
        ret->bits = ret->bits * 10 + (unsigned)(*digit - '0');
    if ((size_t)(slash - text) >= sizeof(address))
        return pattern_refuse(err, "Nonstandard IP address: %.*s", (int)sizeof(address), text);
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    if (!address_read(address, ret->address, &ret->v6))
        return pattern_refuse(err, "Nonstandard IP address: %s", address);
    if (ret->bits > (ret->v6 ? 128 : 32))
        return pattern_refuse(err, "IPv%d mask bits must be <= %d", ret->v6 ? 6 : 4,
                              ret->v6 ? 128 : 32);
    return 0;
}

bool cidr_holds(const struct cidr *cidr, const char *text)
{
    uint8_t address[16] = {0};
    unsigned whole = cidr->bits / 8, rest = cidr->bits % 8;
    bool v6;

    if (!address_read(text, address, &v6) || v6 != cidr->v6)
        return false;
    if (memcmp(address, cidr->address, whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ cidr->address[whole]) >> (8 - rest) == 0;
}
