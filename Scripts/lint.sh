#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every check that needs no build. All run even if one fails; the status is 1 if any did.
# With LODGE_RESULTS set, each check is also written to $LODGE_RESULTS/lint.tsv for count-tests.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
failed=0

check() { # name, command…
    local name=$1 output
    shift
    if output=$("$@" 2>&1 </dev/null); then
        printf 'ok      %s\n' "$name"
        [ -z "${LODGE_RESULTS:-}" ] || printf 'passed\tlint: %s\t\n' "$name" >>"$LODGE_RESULTS/lint.tsv"
    else
        printf 'FAILED  %s\n%s\n' "$name" "$output"
        [ -z "${LODGE_RESULTS:-}" ] ||
            printf 'failed\tlint: %s\t%s\n' "$name" "$(head -c 300 <<<"$output" | tr '\t\n' '  ')" >>"$LODGE_RESULTS/lint.tsv"
        failed=1
    fi
}

swift_roots() {
    local root
    for root in Package.swift Sources Tests Fixtures Fuzz Benchmarks; do
        [ ! -e "$root" ] || printf '%s\n' "$root"
    done
}

format() {
    local roots
    mapfile -t roots < <(swift_roots)
    swift format lint --strict --parallel --recursive "${roots[@]}"
}

shell_syntax() {
    local file
    while IFS= read -r file; do
        case $(head -c 64 "$file" | head -n 1) in
            '#!'*bash*) bash -n "$file" || return 1 ;;
            '#!'*python3*) python3 -B -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" || return 1 ;;
            '#!'*/sh*) sh -n "$file" || return 1 ;;
        esac
    done < <(git -c safe.directory='*' ls-files --cached --others --exclude-standard -- Scripts .ci Tests Benchmarks Fixtures Fuzz | sort -u)
}

python_syntax() {
    local file
    while IFS= read -r file; do
        python3 -B -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" || return 1
    done < <(git -c safe.directory='*' ls-files --cached --others --exclude-standard -- '*.py' | sort -u)
}

check "format" format
check "layers" Scripts/check-layers
check "layers catches a violation" Scripts/check-layers --self-test
check "imports" Scripts/check-imports
check "imports catches a violation" Scripts/check-imports --self-test
check "sources: headers, sizes, names, licence" Scripts/check-sources
check "sources catches a violation" Scripts/check-sources --self-test
check "leftovers catches a process" Scripts/check-leftovers --self-test
check "count-tests counts" Scripts/count-tests --self-test
check "shell syntax" shell_syntax
check "python syntax" python_syntax
# Generated references: `Scripts/generate` rewrites them, `--check` compares; it needs the built program.
if [ -x Scripts/generate ] && [ -x "${LODGE_BUILD:-.build}/debug/lodge" ]; then
    check "generated references" Scripts/generate --check
fi
exit $failed
