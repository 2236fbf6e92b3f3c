#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the compiler does not say about a source file.
#
#   licence     the first lines name it: SPDX-License-Identifier: Apache-2.0
#   size        a file has at most 800 lines, a line 100 columns, a function 70 lines. To fix: find the
#               second thing that it does, and give that a name. A dispatch switch may be longer: write
#               /* long: reason */ on the line of its opening brace.
#   first       base/build.h comes first in every .c: it brings the system headers and refuses the C
#               functions that overrun. Headers have #pragma once.
#   memory      malloc and friends only in base/ (an arena or a buf is what you want), or where a
#               library's interface demands it: say so with /* heap: reason */ on the line.
#   globals     no mutable ones: put it into the struct that the functions get. Exceptions are listed below.
#   words       no notes to oneself (they are issues, or done), no paths of one person's machine.
#   white       no tabs in C, no blanks at line ends, a newline at the end; C as clang-format-14 has it
#               (.clang-format). To fix: clang-format -i FILE.
set -uo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
status=0

say() {
    printf '%s\n' "$1"
    status=1
}

# say_lines TEXT WHY: the place of each line of grep's output, if any.
say_lines() {
    [ -z "$1" ] || say "$(printf '%s\n' "$1" | sed -E "s|^([^:]*:[0-9]+):.*|\1: $2|")"
}

# What is tracked, or new and not ignored; from a tarball everything is.
mapfile -t files < <(git ls-files --cached --others --exclude-standard 2>/dev/null ||
    find . -type f -not -path './build*' | sed 's|^\./||')
sources=() c_files=()
for file in "${files[@]}"; do
    [ -f "$file" ] || continue
    case $file in
    *.c | *.h) sources+=("$file") c_files+=("$file") ;;
    *.sql | *.sh | *.py | *.cmake | *CMakeLists.txt | .ci/run) sources+=("$file") ;;
    esac
done

for file in "${sources[@]}"; do
    head -3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2\.0' || say "$file:1: no SPDX licence line"
    [ -z "$(tail -c 1 "$file")" ] || say "$file: no newline at the end"
done
say_lines "$(grep -nE '[[:blank:]]+$' "${sources[@]}")" "blanks at the end of the line"
say_lines "$(grep -nP '\t' "${c_files[@]}")" "a tab"
say_lines "$(grep -nE '^.{101,}' "${c_files[@]}")" "longer than 100 columns"

if command -v clang-format >/dev/null; then
    say_lines "$(clang-format --dry-run "${c_files[@]}" 2>&1 |
        sed -nE 's/^([^: ]+):[0-9]+:[0-9]+: warning: code should be clang-formatted.*/\1:1:/p' | uniq)" \
        "not as clang-format has it"
fi
for file in "${c_files[@]}"; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 800 ] || say "$file:801: $lines lines, more than 800"
    case $file in
    examples/* | script/*) ;; # programs of their own
    *.h) grep -qx '#pragma once' "$file" || say "$file:1: no #pragma once" ;;
    *.c) [ "$(grep -m 1 -E '^#include' "$file")" = '#include "base/build.h"' ] ||
        say "$file:1: \"base/build.h\" must be the first include" ;;
    esac
done
# A function's braces stand in the first column.
long=$(awk 'FNR == 1 { start = 0 }
    /^\{/ { start = FNR; excused = /long:/ }
    /^\}/ { if (start && !excused && FNR - start - 1 > 70)
                printf "%s:%d: a function of %d lines, more than 70\n", FILENAME, start, FNR - start - 1
            start = 0 }' "${c_files[@]}")
[ -z "$long" ] || say "$long"

heap=$(grep -nE '\b(malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf)\(' "${c_files[@]}" |
    grep -vE '^(base|tests|examples)/' | grep -vE '/\* heap:|^[^:]*:[0-9]+: *\*|arena_str')
say_lines "$heap" "the heap is base's"

# A variable at file level that is not const: "static TYPE name = …" or "static TYPE name[…] …" in column 1.
globals=$(grep -nE '^(static )?(_Thread_local )?(struct |enum |unsigned |signed )?[a-z_0-9]+ +\**[a-z_0-9]+(\[[^]]*\])*( =.*)?(;|\{)$' \
    "${c_files[@]}" | grep -vE '\bconst\b|:(return|typedef|extern|struct [a-z_0-9]+ *[;{]|enum [a-z_0-9]+ *[;{])' |
    grep -vE '^tests/|^base/log\.c:[0-9]+:static struct log log_state')
say_lines "$globals" "a mutable global"

notes='\b(TO''DO|FIX''ME|X''XX|HA''CK)\b'
say_lines "$(grep -nIE "$notes" "${files[@]}" 2>/dev/null)" "a note to oneself"
# Where this copy lies, and anybody's home.
say_lines "$(grep -nIF "$PWD/" "${files[@]}" 2>/dev/null)" "a path of this machine"
say_lines "$(grep -nIE '(^|[^A-Za-z0-9._~-])/(home|Users)/[a-z]' "${files[@]}" 2>/dev/null)" "a path of one machine"

for file in "${sources[@]}"; do
    case $file in
    *.sh | .ci/run) bash -n "$file" || status=1 ;;
    esac
done
exit "$status"
