#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The numbers Lodge is built for, measured here. Options go to bench.py (`Benchmarks/run.sh --help`).
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
command -v wrk >/dev/null || missing+=(wrk)
command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null || missing+=(gcc libc6-dev)
command -v python3 >/dev/null || missing+=(python3)
compgen -G '/usr/lib/*/libz.so' >/dev/null || missing+=(zlib1g-dev)
# Without ensurepip no virtual environment can be made for the peers.
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if ((${#missing[@]})); then
    if [[ $(id -u) != 0 ]]; then
        echo "benchmarks need ${missing[*]}: install them as root with apt-get install ${missing[*]}" >&2
        exit 1
    fi
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >&2
fi
exec python3 Benchmarks/bench.py "$@"
