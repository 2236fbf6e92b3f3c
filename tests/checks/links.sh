#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Links between the project's Markdown files lead somewhere: to a file, and to a heading where they name one. To mend a
# finding: correct the path (it is relative to the file that has the link) or the heading's name, or add the file.
set -uo pipefail
cd "$(dirname "$0")/../.."
status=0

# A heading as the name that links use: small letters, words joined by hyphens, other signs left out.
has_heading() { # FILE NAME
    sed -n 's/^##* *//p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g' | grep -qxF -- "$2"
}

while IFS=: read -r file line link; do
    [[ $link == *://* || $link == mailto:* ]] && continue
    target=$file
    [ -z "${link%%#*}" ] || target=$(dirname "$file")/${link%%#*}
    if [ ! -e "$target" ]; then
        printf '%s:%s: no such file: %s\n' "$file" "$line" "$link"
        status=1
    elif [[ $link == *#* && $target == *.md ]] && ! has_heading "$target" "${link#*#}"; then
        printf '%s:%s: no such heading: %s\n' "$file" "$line" "$link"
        status=1
    fi
done < <(find . -name '*.md' -not -path './build*' -not -path './.*' -print0 | xargs -0 grep -noE '\]\([^) ]+\)' -- | sed -E 's/\]\(([^)]*)\)$/\1/')
exit $status
