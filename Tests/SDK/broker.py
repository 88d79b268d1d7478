# SPDX-License-Identifier: Apache-2.0
"""The built program as a process: started, asked where it listens, ended, and proved to have left nothing behind."""
from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

from sdk import HTTPTarget, StdioTarget, Target

BUILD = Path(os.environ.get("LODGE_BUILD_DIR", ".build/debug")).resolve()
SCRATCH = Path(os.environ.get("LODGE_SCRATCH", ".build-test")).resolve()
DIRECT = os.environ.get("LODGE_SDK_DIRECT") == "1"
READY_SECONDS = 30
# The whole teardown is promised in under 5 s; a loaded machine gets twice that.
END_SECONDS = 10


def program(name: str) -> str:
    """A product of the build; a missing one fails the test, since the build made all of them."""
    path = BUILD / name
    assert path.exists(), f"{path} is not built; run 'swift build --build-tests' or set LODGE_BUILD_DIR"
    return str(path)


def python_server(name: str) -> str:
    """The console script of a server from PyPI."""
    path = SCRATCH / "venv" / "servers" / "bin" / name
    assert path.exists(), f"{path} is not there; run Scripts/setup-python.sh servers"
    return str(path)


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def identity(pid: int) -> tuple[int, str] | None:
    """A pid and its start time: what a reused pid does not share. None for a process that is gone or a zombie."""
    fields = _stat(pid)
    return (pid, fields[19]) if fields and fields[0] not in "ZX" else None


def descendants(pid: int) -> set[tuple[int, str]]:
    """Every living process below `pid`, as identities."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _stat(int(entry))):
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, queue = set(), [pid]
    while queue:
        for child in children.get(queue.pop(), []):
            queue.append(child)
            if one := identity(child):
                found.add(one)
    return found


class Broker:
    """One `lodge serve` in the foreground, as a context manager. Ends by SIGTERM, with status 0, and alone."""

    def __init__(self, command: list[str], *options: str, log: Path, environment: dict[str, str] | None = None,
                 folder: Path | None = None, sse: bool = False):
        behind = ["--", *command] if command else []
        self.arguments = [program("lodge"), "serve", "--listen", "127.0.0.1:0", "--json", *options, *behind]
        self.log = log
        self.environment = {**os.environ, **(environment or {})}
        self.folder = folder
        self.sse = sse
        self.seen: set[tuple[int, str]] = set()

    def __enter__(self) -> Broker:
        with self.log.open("wb") as errors:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                env=self.environment, cwd=self.folder, start_new_session=True)
        try:
            self.ready = json.loads(self._first_line())
            assert set(self.ready) >= {"servers", "token", "pid"}, self.ready
            assert self.ready["pid"] == self.process.pid, self.ready
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def _first_line(self) -> bytes:
        """What `serve --json` says once it is ready; an early end or a silence fails with its own words."""
        assert self.process.stdout is not None
        deadline, line = time.monotonic() + READY_SECONDS, b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                left = deadline - time.monotonic()
                assert left > 0 and selector.select(left), f"lodge was not ready within {READY_SECONDS} s: {self.errors()}"
                chunk = os.read(self.process.stdout.fileno(), 65536)
                assert chunk, f"lodge ended with status {self.process.wait()} before it was ready: {self.errors()}"
                line += chunk
        return line

    def errors(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    @property
    def token(self) -> str:
        return self.ready["token"]

    @property
    def target(self) -> HTTPTarget:
        """Where the server is: its MCP endpoint, or with `sse` the stream of the 2024-11-05 transport beside it."""
        return self._at(self.ready["servers"][0]["url"])

    def target_of(self, name: str) -> HTTPTarget:
        """One of several servers."""
        return self._at(next(one["url"] for one in self.ready["servers"] if one["name"] == name))

    def _at(self, url: str) -> HTTPTarget:
        if self.sse:
            url = url.removesuffix("/mcp") + "/sse"
        return HTTPTarget(url, self.token, self.sse)

    def children(self) -> set[tuple[int, str]]:
        """The living processes below the broker; what was seen once must be gone at the end."""
        found = descendants(self.process.pid)
        self.seen |= found
        return found

    def __exit__(self, kind, _value, _trace):
        self.children()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = None
        left = [one for one in self.seen if identity(one[0]) == one]
        for pid, _ in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # Only now: a process left behind would hold the pipe open.
        rest = self.process.stdout.read() if self.process.stdout else b""
        if self.process.stdout:
            self.process.stdout.close()
        if kind is not None:
            print(self.errors(), file=sys.stderr)
            return
        assert status == 0, f"lodge ended with {status} after SIGTERM: {self.errors()}"
        assert not left, f"lodge left {left} running: {self.errors()}"
        assert not rest, f"stdout belongs to the ready line alone, but there was {rest[:300]!r}"


def direct(command: list[str], folder: Path | None = None, environment: dict[str, str] | None = None) -> Target:
    return StdioTarget(command, environment or {}, str(folder) if folder else None)


def connected(broker: Broker) -> Target:
    """The same broker over stdio, through `lodge connect`; its token stands in no argument."""
    command = [program("lodge"), "connect", "--token-env", "LODGE_TOKEN", broker.target.url]
    return StdioTarget(command, {"LODGE_TOKEN": broker.token, "NO_PROXY": "127.0.0.1"})
