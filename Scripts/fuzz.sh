#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzzer in Fuzz/ in a release build, SECONDS shared among them, each with a fresh seed that it prints.
# Usage: fuzz.sh [SECONDS]   (600). To see a failure again: swift run -c release NAME --seed SEED
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
fuzzers=()
for folder in Fuzz/*/; do
    [ ! -f "$folder/main.swift" ] || fuzzers+=("$(basename "$folder")")
done
if [ ${#fuzzers[@]} -eq 0 ]; then
    echo "fuzz.sh: Fuzz/ holds no fuzzer" >&2
    exit 1
fi
share=$((seconds / ${#fuzzers[@]}))
[ $share -gt 0 ] || share=1
status=0
for fuzzer in "${fuzzers[@]}"; do
    swift build -c release --product "$fuzzer"
    seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
    echo "$fuzzer: $share s, seed $seed"
    "$(swift build -c release --show-bin-path)/$fuzzer" --seconds "$share" --seed "$seed" || status=1
done
exit $status
