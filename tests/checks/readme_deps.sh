#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each Debian package that the scripts install is named in README.md.
#
# Why: who installs Pawl wants to know before a script does it, and what each is for.
#
# To fix: name the package in README.md under "Dependencies" with its reason; or take it from the list
# in scripts/lib.sh if nothing needs it. Packages come from that one list: no script calls apt-get itself.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
status=0

if [ ! -e README.md ]; then
    echo "README.md does not exist"
    exit 1
fi
# shellcheck source=/dev/null
packages=$(. scripts/lib.sh >/dev/null && set -- && compgen -v | grep '^PACKAGES_' |
    while read -r list; do printf '%s\n' ${!list}; done | sort -u)
if [ -z "$packages" ]; then
    echo "scripts/lib.sh: there is no list PACKAGES_…"
    exit 1
fi
for package in $packages; do
    if ! grep -qE "(^|[^A-Za-z0-9.+-])${package//+/\\+}([^A-Za-z0-9.+-]|[.,;:](\$|[^A-Za-z0-9])|\$)" README.md; then
        printf 'README.md: does not name the package %s\n' "$package"
        status=1
    fi
done
calls=$(grep -rnE '\bapt(-get)? +(-[^ ]+ +)*install\b' scripts .ci bench tests --include='*' 2>/dev/null |
    grep -vE '^scripts/lib\.sh:|^tests/checks/|^[^:]*:[0-9]+: *(#|printf|echo|die)')
if [ -n "$calls" ]; then
    printf '%s <- packages are installed by need_packages of scripts/lib.sh\n' "$calls"
    status=1
fi
exit "$status"
