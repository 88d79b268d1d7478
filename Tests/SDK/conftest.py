# SPDX-License-Identifier: Apache-2.0
"""Fixtures: where a test finds the server it talks to.

With LODGE_SDK_DIRECT=1 every test talks to the bare server over stdio instead, which proves the test and the fixture
server; what only a broker can show is then skipped.
"""
import os
from pathlib import Path

import pytest
from broker import DIRECT, Broker, connected, direct, program

# Makes the fixture server cut its lists into pages.
PAGE_SIZE = "EVERYTHING_PAGE_SIZE"

# A proxy that the machine needs for the outside must not see the loopback.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lodge-logs")


def pytest_collection_modifyitems(items: list[pytest.Item]):
    for item in items:
        if DIRECT and item.get_closest_marker("broker"):
            item.add_marker(pytest.mark.skip(reason="LODGE_SDK_DIRECT=1: no broker in between"))
        parameters = getattr(item, "callspec", None)
        kind = str(parameters.params.get("everything", "")) if parameters else ""
        if item.get_closest_marker("own_server") and kind.startswith("call"):
            item.add_marker(pytest.mark.skip(reason="isolation call: a server hears of its client for one call only"))


def pytest_generate_tests(metafunc: pytest.Metafunc):
    """A test that uses `everything` runs once for each isolation its module names and over each of the two transports
    of HTTP, or once without a broker."""
    if "everything" in metafunc.fixturenames:
        kinds = ["direct"] if DIRECT else [*metafunc.module.ISOLATIONS, *(f"{one}-sse" for one in metafunc.module.ISOLATIONS)]
        # Where a client has a process of its own, it may as well come by stdio, through `lodge connect`.
        if "client" in kinds:
            kinds.append("connect")
        metafunc.parametrize("everything", kinds, indirect=True, scope="module")


@pytest.fixture(scope="module")
def everything(request: pytest.FixtureRequest, logs: Path):
    """The server that has everything, in the isolation and over the transport of the parameter; one broker for all
    tests of a module."""
    command = [program("EverythingServer")]
    if request.param == "direct":
        yield direct(command, environment={PAGE_SIZE: "10"})
        return
    log = logs / f"{request.module.__name__}-{request.param}.log"
    isolation, _, transport = request.param.partition("-")
    isolation = "client" if isolation == "connect" else isolation
    with Broker(command, "--isolation", isolation, "--env", f"{PAGE_SIZE}=10", log=log, sse=transport == "sse") as broker:
        yield connected(broker) if request.param == "connect" else broker.target


@pytest.fixture
def serve(request: pytest.FixtureRequest, logs: Path):
    """Starts further brokers for one test and ends them, last first: `serve(command, *options)`."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        def start(command: list[str], *options: str, **more) -> Broker:
            log = logs / f"{request.node.name.replace('/', '_')}-{len(list(logs.iterdir()))}.log"
            return stack.enter_context(Broker(command, *options, log=log, **more))
        yield start


@pytest.fixture
def reach(serve):
    """The target of a server command: through Lodge, or bare in direct mode."""
    def start(command: list[str], *options: str, folder: Path | None = None):
        return direct(command, folder) if DIRECT else serve(command, *options, folder=folder).target
    return start


