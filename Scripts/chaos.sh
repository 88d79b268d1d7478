#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs lodge-chaos on a release build: interleaved calls by the million, disconnects, kills of servers and of lodge.
# Usage: chaos.sh [OPTION…]   the options of lodge-chaos, for example --phase kills --kills 100 --seed 7
set -euo pipefail
cd "$(dirname "$0")/.."
for product in lodge FixtureServer lodge-chaos; do
    swift build -c release --product "$product"
done
chaos=$(swift build -c release --show-bin-path)/lodge-chaos
# First it has to show that its checks catch something.
"$chaos" --self-test
exec "$chaos" "$@"
