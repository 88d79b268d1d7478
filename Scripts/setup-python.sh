#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the virtual environments of the tests under $LODGE_SCRATCH/venv, one for each Tests/SDK/requirements/*.txt.
# A stamp of the requirements and the interpreter makes a second run do nothing.
# Usage: setup-python.sh [NAME …]   (default: all)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=${LODGE_SCRATCH:-$root/.build-test}

python=
for candidate in python3 /usr/bin/python3; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "setup-python.sh: no python3 here can make a virtual environment; run Scripts/setup-debian.sh test" >&2
    exit 1
fi

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    for file in "$root"/Tests/SDK/requirements/*.txt; do
        names+=("$(basename "$file" .txt)")
    done
fi

for name in "${names[@]}"; do
    requirements=$root/Tests/SDK/requirements/$name.txt
    venv=$scratch/venv/$name
    stamp=$({ "$python" -c 'import sys; print(sys.version, sys.executable)'; cat "$requirements"; } | sha256sum | cut -d' ' -f1)
    [ "$(cat "$venv/.stamp" 2>/dev/null)" != "$stamp" ] || continue
    echo "python environment '$name'"
    rm -rf "$venv"
    mkdir -p "$(dirname "$venv")"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --retries 5 -r "$requirements" </dev/null
    printf '%s\n' "$stamp" >"$venv/.stamp"
done
