# SPDX-License-Identifier: Apache-2.0
# Clients and tools of others that a suite tests with, of PyPI and npm, at pinned versions. They are installed into the
# build folder, once. Sourced.
#
#   python_packages PACKAGE==VERSION…     prints the folder for PYTHONPATH
#   node_packages PACKAGE@VERSION…        prints the folder that has node_modules
#
# Where the registry cannot be reached they fail and say why on stderr, and a suite leaves out what needs them.

# packages_kept KEY COMMAND…: the folder that the command fills, which is its last argument.
packages_kept() {
    local all=${PAWL_BUILD:-$(dirname "$PAWL")}/packages folder made status
    folder=$all/$(printf '%s' "$1" | tr -cs 'A-Za-z0-9.=@-' _ | cut -c1-80)
    shift
    if [ ! -d "$folder" ]; then
        mkdir -p "$all" && made=$(mktemp -d "$all/.new.XXXXXX") || return 1
        timeout 90 "$@" "$made" >"$made.log" 2>&1 </dev/null
        status=$?
        # Whole or not at all. Another run may have been faster: its folder is as good.
        [ "$status" = 0 ] && mv -T "$made" "$folder" 2>/dev/null
        [ -d "$folder" ] || printf 'status %d: %s\n' "$status" "$(grep . "$made.log" | tail -1)" >&2
        rm -rf "$made" "$made.log"
    fi
    [ -d "$folder" ] && printf '%s\n' "$folder"
}

python_packages() {
    packages_kept "$(python3 --version) $*" env PIP_ROOT_USER_ACTION=ignore python3 -m pip install -q \
        --disable-pip-version-check --retries 0 "$@" --target
}

node_packages() {
    packages_kept "node $*" npm install --no-audit --no-fund --silent --ignore-scripts --fetch-retries 0 "$@" --prefix
}
