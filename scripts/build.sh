#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing and builds the release: build/pawl.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2086 # lists of words
need_packages $PACKAGES_BUILD $PACKAGES_RUN
build_preset release -DPAWL_TESTS=OFF
printf 'Built %s\n' "$ROOT/build/pawl"
