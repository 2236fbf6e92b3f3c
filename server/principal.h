/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who asks. */
#include "base/build.h"

/* The engine itself, which asks for everybody. */
#define PRINCIPAL_ENGINE                                                                           \
    "{\"name\": \"pawl\", \"rights\": [\"author\", \"start\", \"work\", \"read\", \"admin\"], "    \
    "\"tenants\": null}"

struct principal {
    const char *name;   /* for people and the log */
    unsigned rights;    /* enum right */
    const char *caller; /* JSON, as the database gets it: {"name","rights","tenants"} */
};
