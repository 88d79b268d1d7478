#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One agent session: a server needs a key, an agent gets its tools and hunts for the key. Needs Swift, zlib1g-dev and a shell.
# Ends with the agent's own status: 0 if it could use the server and found no key anywhere it looked.
# Arguments are handed to `lodge run`, e.g. --sandbox=required. LODGE_PRODUCTS names a directory with the programs
# where they need not be built.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -n "${LODGE_PRODUCTS:-}" ]; then
    programs=$(cd "$LODGE_PRODUCTS" && pwd)
    agent=$programs/DemoAgent
else
    build=${LODGE_BUILD:-.build}
    # zlib's headers, which Swift's own instructions install as well; nothing happens where they are there.
    if [ -e /etc/debian_version ]; then Scripts/setup-debian.sh demo; fi
    swift build --scratch-path "$build" --product lodge
    swift build --scratch-path "$build" --product FixtureServer
    # Optimised, since it reads every file and process it can reach.
    swift build --scratch-path "$build" -c release --product DemoAgent
    programs=$(cd "$(swift build --scratch-path "$build" --show-bin-path)" && pwd)
    agent=$(cd "$(swift build --scratch-path "$build" -c release --show-bin-path)" && pwd)/DemoAgent
fi

umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
prefix=LODGE-DEMO-KEY-
key=$prefix$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
# `printf` is the shell's own, so the key stands in no process's arguments.
printf '[{"name": "vault", "command": "%s", "args": ["vault"], "env": {"DEMO_API_KEY": "%s"}}]\n' \
    "$programs/FixtureServer" "$key" >"$folder/specs.json"

echo
echo "A key that begins with $prefix was made and given to the server 'vault'. An agent now gets that server's tools"
echo "through Lodge, uses one, and then looks for the key: in its environment, in every file and process it can reach,"
echo "and in what the tools answered. (A server that answers with its key is another matter: --try-leak of DemoAgent.)"
echo
status=0
mkdir "$folder/workspace"
cd "$folder/workspace"
"$programs/lodge" run --specs "$folder/specs.json" --log-level warning "$@" -- \
    "$agent" --mcp-config '{mcp-config}' --hunt-for-prefix "$prefix" || status=$?
echo
case $status in
    0) echo "The agent used the server and found no key." ;;
    3) echo "The agent found the key where the lines above say; SECURITY.md tells what stays open without a sandbox." >&2 ;;
    *) echo "The session failed with status $status." >&2 ;;
esac
exit $status
