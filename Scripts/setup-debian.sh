#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that the named purposes need, and only those that are missing.
# Usage: setup-debian.sh lint|test|demo|bench …   (no network is touched when nothing is missing)
set -euo pipefail

missing=()
need() { missing+=("$1"); }
has() { command -v "$1" >/dev/null 2>&1; }
has_venv() { # Some python3 here must be able to make a virtual environment.
    local python
    for python in python3 /usr/bin/python3; do
        has "$python" && "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    done
    return 1
}

has_zlib() { # Its linker name: swift-nio-extras, which async-http-client needs, links to it.
    compgen -G '/usr/lib/*/libz.so' >/dev/null || [ -e /usr/lib/libz.so ]
}

for purpose in "$@"; do
    case $purpose in
        lint)
            has make || need make
            has git || need git
            has python3 || need python3 ;;
        test)
            has make || need make
            has git || need git
            has python3 || need python3
            has_venv || need python3-venv
            has curl || need curl
            has openssl || need openssl
            has ps || need procps
            has unshare || need util-linux
            has bwrap || need bubblewrap
            has_zlib || need zlib1g-dev
            [ -e /etc/ssl/certs/ca-certificates.crt ] || need ca-certificates ;;
        demo)
            has_zlib || need zlib1g-dev ;;
        bench)
            has python3 || need python3
            has_venv || need python3-venv
            has_zlib || need zlib1g-dev
            has wrk || need wrk ;;
        *)
            echo "setup-debian.sh: unknown purpose '$purpose'; name lint, test, demo or bench" >&2
            exit 2 ;;
    esac
done

[ ${#missing[@]} -gt 0 ] || exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! has sudo; then
        echo "setup-debian.sh: missing ${missing[*]}; run 'apt-get install ${missing[*]}' as root" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "installing ${missing[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
"${apt[@]}" update
"${apt[@]}" install --yes --no-install-recommends "${missing[@]}" </dev/null >/dev/null
