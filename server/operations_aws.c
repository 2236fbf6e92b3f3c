/* SPDX-License-Identifier: Apache-2.0 */
/* What AWS's clients ask, at any of the paths that they may be told: X-Amz-Target says what. */
#include "base/build.h"

#include "server/aws.h"

#define BODY_BYTES (2u << 20) /* 256 KiB of output, each character written as six */
#define AWS(place)                                                                                 \
    {                                                                                              \
        METHOD_POST, place, RIGHT_OWN, DIALECT_OWN,                                                \
            "AWS Step Functions and EventBridge: X-Amz-Target names the operation",                \
            .handle = aws_handle, .problem = aws_problem, .body_kind = BODY_RAW,                   \
            .most = BODY_BYTES, .answers = "200 What the operation answers"                        \
    }

static const struct operation list[] = {
    AWS("/"), AWS("/aws"), AWS("/aws/"), AWS("/aws/{service}"), AWS("/aws/{service}/"),
};

const struct operations operations_aws = {list, ARRAY_LEN(list)};
