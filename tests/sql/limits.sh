#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The limits that sql/functions repeat, marked with "-- LIMIT_NAME", are those of base/limits.h.
set -uo pipefail
cd "$(dirname "$0")/../.."
status=0
marked=$(grep -nE -- '-- LIMIT_[A-Z_]+$' sql/functions/*.sql)
[ "$(wc -l <<<"$marked")" -ge 6 ] || { echo "sql/functions mark no limits any more"; exit 1; }
while IFS= read -r line; do
    name=${line##*-- }
    value=$(sed -nE "s/^#define $name +([^/]*[^/ ]) *(\/\*.*)?\$/\1/p" base/limits.h | tr -d u)
    [ -n "$value" ] || { echo "$line: base/limits.h has no $name"; status=1; continue; }
    grep -qE "(> |, )$((value))[ ,)]" <<<"${line#*:*:}" || { echo "$line: it is $((value)) in base/limits.h"; status=1; }
done <<<"$marked"
exit $status
