# SPDX-License-Identifier: Apache-2.0
# What the scripts share: where things are, and installing what is missing. Sourced, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
JOBS=$(nproc)

# The one list of Debian packages. Why each is needed stands in README.md, "Dependencies".
PACKAGES_BUILD="
    gcc libc6-dev cmake ninja-build pkg-config
    libxml2-dev
    libpq-dev
    libcurl4-openssl-dev
    libmicrohttpd-dev
    libgnutls28-dev
    libjansson-dev
    libssl-dev
    libyaml-dev
    libarchive-dev
    duktape-dev
    libseccomp-dev
    libpcre2-dev
"
PACKAGES_RUN="postgresql python3"
PACKAGES_TEST="python3-pip libcmocka-dev pgbouncer clang-format libxml2-utils curl binutils jq openssl nghttp2-server json-schema-test-suite"
PACKAGES_SOAK="clang libclang-rt-14-dev"

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "This must be done as root, and there is no sudo here. As root, run: $*"
    fi
}

# need_packages NAME…: installs those that are missing, and says which.
need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    printf 'Installing Debian packages: %s\n' "${missing[*]}"
    local log
    log=$(mktemp)
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        "${missing[@]}" >"$log" 2>&1; then
        # The package lists may be missing or old.
        as_root apt-get update -q >>"$log" 2>&1 || true
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
            "${missing[@]}" >>"$log" 2>&1 || {
            tail -20 "$log" >&2
            rm -f "$log"
            die "The packages could not be installed; apt-get says why above."
        }
    fi
    rm -f "$log"
}

# build_preset NAME [CMAKE-ARGUMENT…]: configures and builds one of CMakePresets.json.
build_preset() {
    local preset=$1 log
    shift
    log=$(mktemp)
    if ! (cd "$ROOT" && cmake --preset "$preset" "$@" && cmake --build --preset "$preset" -j "$JOBS") \
        >"$log" 2>&1; then
        grep -E 'error|warning|CMake Error|FAILED' "$log" | head -40 >&2
        printf 'The whole log of the build: %s\n' "$log" >&2
        return 1
    fi
    rm -f "$log"
}
