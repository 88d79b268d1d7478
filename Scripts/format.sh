#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Rewrites the Swift sources in the house style of .swift-format.
set -euo pipefail
cd "$(dirname "$0")/.."
roots=()
for root in Package.swift Sources Tests Fixtures Fuzz Benchmarks; do
    [ ! -e "$root" ] || roots+=("$root")
done
exec swift format format --in-place --parallel --recursive "${roots[@]}"
