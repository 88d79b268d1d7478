#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One agent session: a server needs a key, an agent gets its tools and hunts for the key. Needs only Swift and a shell.
# Ends with the agent's own status: 0 if it could use the server and found no key anywhere it looked.
# Arguments are handed to `lodge run`, e.g. --sandbox=required.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${LODGE_BUILD:-.build}

for product in lodge FixtureServer DemoAgent; do
    swift build --scratch-path "$build" --product "$product"
done
programs=$(cd "$(swift build --scratch-path "$build" --show-bin-path)" && pwd)

umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
prefix=LODGE-DEMO-KEY-
key=$prefix$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
# `printf` is the shell's own, so the key stands in no process's arguments.
printf '[{"name": "vault", "command": "%s", "args": ["vault"], "env": {"DEMO_API_KEY": "%s"}}]\n' \
    "$programs/FixtureServer" "$key" >"$folder/specs.json"

echo
echo "A key that starts with $prefix was made and given to the server 'vault'. Now an agent gets the server's tools,"
echo "and then looks for the key in its environment, in every process and file it can see, and in what the tools answer."
echo
status=0
"$programs/lodge" run --specs "$folder/specs.json" --log-level warning "$@" -- \
    "$programs/DemoAgent" --mcp-config '{mcp-config}' --hunt-for-prefix "$prefix" || status=$?
exit $status
