#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Links between the project's Markdown files lead somewhere. To mend a finding: correct the path (it is
# relative to the file that has the link), or add the file.
set -uo pipefail
cd "$(dirname "$0")/../.."
status=0
while IFS=: read -r file line link; do
    [[ $link == *://* || $link == mailto:* ]] && continue
    link=${link%%#*}
    [ -z "$link" ] || [ -e "$(dirname "$file")/$link" ] || {
        printf '%s:%s: no such file: %s\n' "$file" "$line" "$link"
        status=1
    }
done < <(find . -name '*.md' -not -path './build*' -not -path './.*' -print0 | xargs -0 grep -noE '\]\([^) ]+\)' -- | sed -E 's/\]\(([^)]*)\)$/\1/')
exit $status
