#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, builds once, runs everything, counts it, and leaves nothing running.
# Environment: LODGE_SCRATCH (default .build-test in the clone), LODGE_BUILD (default .build), LODGE_RESULTS.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
root=$PWD
export LODGE_SCRATCH=${LODGE_SCRATCH:-$root/.build-test}
export LODGE_BUILD=${LODGE_BUILD:-$root/.build}
export LODGE_BUILD_DIR=$LODGE_BUILD/debug   # Where the tests find lodge and the fixtures.
export LODGE_TEST_RUN
LODGE_TEST_RUN=$(cat /proc/sys/kernel/random/uuid)
mkdir -p "$LODGE_SCRATCH" || exit 1
if [ -z "${LODGE_RESULTS:-}" ]; then
    LODGE_RESULTS=$LODGE_SCRATCH/results
    rm -rf "$LODGE_RESULTS"
fi
export LODGE_RESULTS
mkdir -p "$LODGE_RESULTS" || exit 1
started=$SECONDS

title() { printf '\n== %s (%d s)\n' "$1" $((SECONDS - started)); }
record() { printf '%s\t%s\t%s\n' "$1" "$2" "${3:-}" >>"$LODGE_RESULTS/steps.tsv"; }
step() { # name, limit in seconds, command…: a step that is no test counts only when it fails.
    local name=$1 limit=$2 status
    shift 2
    title "$name"
    timeout --kill-after=30 "$limit" "$@" </dev/null
    status=$?
    [ $status -eq 0 ] || record failed "$name" "ended with status $status"
    return $status
}
finish() {
    title "leftovers"
    if Scripts/check-leftovers verify "$LODGE_SCRATCH/processes" "$LODGE_TEST_RUN" "$LODGE_BUILD" "$LODGE_SCRATCH"; then
        record passed "nothing that the tests started still runs"
    else
        record failed "nothing that the tests started still runs" "see check-leftovers above"
    fi
    title "summary"
    Scripts/count-tests "$LODGE_RESULTS"
    exit $?
}

if ! step "packages" 900 Scripts/setup-debian.sh lint test; then
    Scripts/count-tests "$LODGE_RESULTS"
    exit 1
fi
Scripts/check-leftovers record "$LODGE_SCRATCH/processes" || exit 1
step "python environments" 900 Scripts/setup-python.sh || finish
step "build" 1700 swift build --scratch-path "$LODGE_BUILD" --build-tests --explicit-target-dependency-import-check error || finish

title "swift tests"
# Its failures are in the event stream; its status says whether it could run to the end.
timeout --kill-after=30 900 swift test --scratch-path "$LODGE_BUILD" --skip-build --parallel \
    --event-stream-output-path "$LODGE_RESULTS/swift.jsonl" --event-stream-version 0 </dev/null
status=$?
if [ $status -ne 0 ] && ! grep -q '"kind":"issueRecorded"' "$LODGE_RESULTS/swift.jsonl" 2>/dev/null; then
    record failed "swift tests" "ended with status $status and recorded no failure"
fi

# `make lint` can check these only where lodge was built before it ran.
if [ -x Scripts/generate ] && ! grep -qs "generated references" "$LODGE_RESULTS/lint.tsv"; then
    title "generated references"
    if Scripts/generate --check </dev/null; then
        record passed "generated references"
    else
        record failed "generated references" "run Scripts/generate and look at what changed"
    fi
fi

for sdk in mcp-1.30.0 mcp-2.3.0; do
    title "python SDK, $sdk"
    timeout --kill-after=30 600 Scripts/test-sdk.sh "$sdk" --junit-xml "$LODGE_RESULTS/$sdk.xml" </dev/null
    status=$?
    # 1: some failed, and the record says which. 5: none were collected, which no change should bring about.
    [ $status -le 1 ] || record failed "python SDK, $sdk" "ended with status $status"
done
finish
