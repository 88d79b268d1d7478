# SPDX-License-Identifier: Apache-2.0
"""The server under test: Lodge before a child of either era, in the isolation that withholds nothing.

With LODGE_CONFORMANCE_URL the same tests run against any other server, which proves the tests and not Lodge.
"""
import os
from pathlib import Path

import pytest
from broker import Broker, program

ELSEWHERE = os.environ.get("LODGE_CONFORMANCE_URL")
ERA = {"legacy": [], "modern": ["--era", "modern"]}


@pytest.fixture(scope="session", params=["elsewhere"] if ELSEWHERE else list(ERA))
def url(request: pytest.FixtureRequest, logs: Path):
    """The endpoint, once for each era of the child; one broker serves every scenario of both revisions."""
    if ELSEWHERE:
        yield ELSEWHERE
        return
    options = ["--auth", "none", "--isolation", "client", *ERA[request.param]]
    # The child speaks one era alone, so that nothing but Lodge can bring the other one.
    with Broker([program("EverythingServer"), "--era", request.param], *options, log=logs / f"conformance-{request.param}.log") as broker:
        assert broker.target.url.endswith("/mcp")
        yield broker.target.url


@pytest.fixture(params=["2025-11-25", "2026-07-28"])
def client(request: pytest.FixtureRequest, url: str):
    """A client of the revision of the parameter; what both have is asked in the same words."""
    if request.param == "2025-11-25":
        from legacy import LegacyClient
        with LegacyClient(url) as connected:
            yield connected
    else:
        from modern import ModernClient
        yield ModernClient(url)
