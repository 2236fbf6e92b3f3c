#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Includes go down only: cli -> jobexec -> store -> parser -> engine -> base, and server beside jobexec;
# embed (the library) -> jobexec. Programs in examples/ know nothing but embed/pawl.h.
# A third-party library has one folder that knows it: libxml2 parser/, libpq store/, libcurl jobexec/,
# libmicrohttpd and GnuTLS server/, libcrypto base/, libpcre2 engine/; JSON is jansson in store/ and above, engine/value.h below.
#
# Why: a folder can be understood and tested without what is above it, and a library can be replaced in
# one place. A folder's *_internal.h is nobody else's.
#
# To fix: move the function to the folder that owns the subject, or hand what it needs in as data. If the
# upper folder must be told something, return it; it asks.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
status=0

found() {
    [ -z "$1" ] && return
    printf '%s\n' "$1" | sed "s|\$| <- $2|"
    status=1
}

# allowed FOLDER: the folders that it may include from, besides itself.
allowed() {
    case $1 in
    base) echo "" ;;
    engine) echo "base" ;;
    parser | events) echo "base engine" ;;
    store) echo "base engine parser events" ;;
    convert) echo "base" ;;
    archive) echo "base" ;;
    script) echo "" ;;
    simulator) echo "base engine convert" ;;
    jobexec) echo "base engine parser events store" ;;
    server) echo "base engine parser events store convert archive" ;;
    embed) echo "base engine parser events store jobexec" ;;
    cli) echo "base engine parser events store jobexec server convert archive simulator" ;;
    esac
}
FOLDERS="base engine parser events store jobexec convert archive simulator script server embed cli"

for folder in $FOLDERS; do
    [ -d "$folder" ] || continue
    may=$(printf '%s ' "$folder" $(allowed "$folder"))
    for other in $FOLDERS; do
        case " $may" in
        *" $other "*) ;;
        *) found "$(grep -rnE --include='*.[ch]' "^ *# *include +\"$other/" "$folder")" \
            "$folder may include only from: $may" ;;
        esac
        [ "$other" = "$folder" ] && continue
        found "$(grep -rnE --include='*.[ch]' "^ *# *include +\"$other/[a-z_]*internal\.h\"" "$folder")" \
            "internal to $other"
    done
    # Every include says its folder, so that the rule above sees it.
    found "$(grep -rnE --include='*.[ch]' '^ *# *include +"[^/"]*"' "$folder")" \
        "write the folder: \"$folder/…\""
    found "$(grep -rnE --include='*.[ch]' '^ *# *include +"\.\./' "$folder")" "write the path from the root"
done

# library PATTERN FOLDER…: only these folders may include headers that match.
library() {
    local pattern=$1 name=$2 folder
    shift 2
    for folder in $FOLDERS; do
        [ -d "$folder" ] || continue
        case " $* " in
        *" $folder "*) ;;
        *) found "$(grep -rnE --include='*.[ch]' "^ *# *include +[<\"]($pattern)" "$folder")" \
            "$name belongs to: $*" ;;
        esac
    done
}
library 'pcre2' libpcre2 engine
library 'libxml/' libxml2 parser
library 'libpq-fe\.h|libpq/|postgres' libpq store
library 'curl/' libcurl jobexec
library 'microhttpd|gnutls/' 'libmicrohttpd and GnuTLS' server
library 'openssl/' libcrypto base
library 'jansson' jansson store jobexec server embed cli
library 'duktape|seccomp' 'Duktape and seccomp' script
library 'yaml\.h' libyaml convert
library 'archive(_entry)?\.h' libarchive archive
found "$(grep -rnE --include='*.[ch]' '^ *# *include +"' examples | grep -v '"pawl.h"')" 'an example includes "pawl.h" only'

exit "$status"
