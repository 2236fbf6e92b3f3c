/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who asks. */
#include "base/build.h"

struct principal {
    const char *name;   /* for people and the log */
    unsigned rights;    /* enum right */
    const char *caller; /* JSON, as the database gets it: {"name","rights","tenants"} */
};
