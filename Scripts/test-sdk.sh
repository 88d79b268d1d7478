#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs Tests/SDK with one of the official Python SDKs against the built program.
# Usage: test-sdk.sh mcp-1.30.0|mcp-2.3.0 [PYTEST ARGUMENT …]
# LODGE_SDK_DIRECT=1 runs the same tests on the bare servers over stdio: it proves the tests, not Lodge.
# LODGE_CONFORMANCE_URL=URL runs Tests/SDK/conformance against the server that is there, to the same end.
set -euo pipefail
cd "$(dirname "$0")/.."
sdk=${1:?name an SDK: mcp-1.30.0 or mcp-2.3.0}
shift
export LODGE_SCRATCH=${LODGE_SCRATCH:-$PWD/.build-test}
export LODGE_BUILD_DIR=${LODGE_BUILD_DIR:-$PWD/.build/debug}
Scripts/setup-python.sh "$sdk" servers
export PYTHONDONTWRITEBYTECODE=1
exec "$LODGE_SCRATCH/venv/$sdk/bin/python" -m pytest -c Tests/SDK/pytest.ini --rootdir Tests/SDK -p no:cacheprovider Tests/SDK "$@"
