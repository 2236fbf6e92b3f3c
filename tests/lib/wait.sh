# SPDX-License-Identifier: Apache-2.0
# How tests wait: for a state, never for a time, so that a slow machine changes nothing but how long it takes.
# Sourced, by pg.sh as well.

PATIENCE=120 # seconds after which what does not come is taken for lost

# until_so COMMAND…: until it succeeds; fails if it never does.
until_so() {
    local end=$((SECONDS + PATIENCE))
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}
