# SPDX-License-Identifier: Apache-2.0
# docs/cli.md is what --help says: tests/cli/run.sh reference compares, ACCEPT=1 writes it.
describe() {
    cat <<'MARKDOWN'
<!-- Written by ACCEPT=1 tests/cli/run.sh reference from what --help says. Change it there. -->
# The command line

`pawl SUBCOMMAND [ARGUMENTS] [OPTIONS]`. Options may stand before or after arguments; `--` ends them.

| Exit code | means |
| --- | --- |
| 0 | done |
| 1 | understood, and refused or failed |
| 2 | wrong usage |
| 3 | the database cannot be reached |

stdout carries data, stderr messages. Tables fit the terminal (or the variable `COLUMNS`); colours are for terminals, and
`NO_COLOR` turns them off. `-o json` prints one object a line, with the names of the SQL API's columns. `PAWL_DATABASE`
and `PAWL_SCHEMA` stand for `--database` and `--schema`, `PAWL_TENANT` for `--tenant` where there is one.

An instance may be named by its id, by the beginning of its id (at least 8 characters), or by its business key as long
as that is unique.
MARKDOWN
    local name
    COLUMNS=100 "$PAWL" help | sed -e '1,/SUBCOMMAND/d' -e '/^Each of them/,$d' | grep '^  [a-z]' | cut -c3-17 |
        while read -r name; do
            printf '\n## pawl %s\n\n```text\n' "$name"
            # shellcheck disable=SC2086 # two words
            COLUMNS=100 "$PAWL" $name --help </dev/null
            printf '```\n'
        done
}
if [ -n "${ACCEPT:-}" ]; then describe >"$ROOT/docs/cli.md"; fi
describe >new.md
if diff -u "$ROOT/docs/cli.md" new.md >difference; then ok; else
    bad "docs/cli.md is not what --help says; ACCEPT=1 tests/cli/run.sh reference writes it" "$(head -20 difference)"
fi
