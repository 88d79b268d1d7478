# SPDX-License-Identifier: Apache-2.0
"""What is measured: each subject starts one program in front of the echo child and says how to call it."""

import http.client
import json
import os
import secrets
import select
import socket
import subprocess
import time
from pathlib import Path

from . import processes

START_SECONDS = 60
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": "initialize",
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "lodge-benchmarks", "version": "1"},
    },
}
MODERN = "2026-07-28"
MODERN_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "lodge-benchmarks", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def tool_call(identifier, name, **arguments):
    params = {"name": name, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": identifier, "method": "tools/call", "params": params}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Subject:
    """A running program; a context manager, so that it never outlives its measurement."""

    name = ""
    path = "/mcp"
    has_sessions = True
    # Whether the first line of its stdout says that it is ready; nobody reads what another prints there.
    prints_ready = False

    def __init__(self, bench):
        self.bench = bench
        self.port = 0
        self.headers = {}
        self.process = None
        self.started_at = 0.0
        self.directory = bench.scratch / "subjects" / self.name
        self.directory.mkdir(parents=True, exist_ok=True)

    def command(self):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ)

    def wait_until_ready(self):
        """Tries to connect until the port answers; a first `initialize` is what proves it."""
        deadline = self.started_at + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError(f"{self.name} ended at its start: {self.log_tail()}") from None
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{self.name} was not ready within {START_SECONDS} s") from None
                time.sleep(0.002)

    def __enter__(self):
        self.log = open(self.directory / "stderr.log", "w")
        command = self.command()
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE if self.prints_ready else self.log, stderr=self.log,
            cwd=self.directory, env=self.environment(), start_new_session=True,
        )
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        process = self.process
        process.stdin.close()
        process.terminate()
        try:
            process.wait(timeout=8)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=8)
        if process.stdout is not None:
            process.stdout.close()
        self.log.close()

    def log_tail(self):
        self.log.flush()
        return (self.directory / "stderr.log").read_text(errors="replace")[-600:]

    def state(self):
        """What became of it, for the report of a failure: has it ended, and does it still answer a new session."""
        if self.process.poll() is not None:
            return f"it ended with {self.process.returncode}: {self.log_tail()}"
        try:
            connection = self.connect()
            self.check_on(connection, self.open_session(connection))
            connection.close()
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            return f"it runs, but a new session fails: {error}"
        return "it runs, and a new session works"

    def line(self):
        """The first line of the subject's stdout."""
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            raise RuntimeError(f"{self.name} printed no line at its start: {self.log_tail()}")
        return line

    def connect(self, timeout=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def post(self, connection, message, session=None):
        """One message; status, the session id given, and the answer parsed (nothing for an empty one)."""
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **self.headers}
        if session is not None:
            headers["Mcp-Session-Id"] = session
        connection.request("POST", self.path, json.dumps(message), headers)
        response = connection.getresponse()
        text = response.read().decode()
        if response.getheader("Content-Type", "").startswith("text/event-stream"):
            text = "".join(line[5:].strip() for line in text.splitlines() if line.startswith("data:"))
        try:
            answer = json.loads(text) if text else None
        except ValueError:
            answer = text
        return response.status, response.getheader("Mcp-Session-Id"), answer

    def open_session(self, connection):
        """A session made as a client makes one; its id, or nothing for a subject without sessions."""
        status, session, answer = self.post(connection, INITIALIZE)
        if status != 200 or "result" not in (answer or {}):
            raise RuntimeError(f"{self.name} answered initialize with {status}: {answer}")
        if self.has_sessions:
            status, _, answer = self.post(connection, INITIALIZED, session)
            if status != 202:
                raise RuntimeError(f"{self.name} answered notifications/initialized with {status}: {answer}")
        return session

    def check(self, session=None):
        """One call whose answer must be right to the letter."""
        connection = self.connect()
        try:
            self.check_on(connection, session)
        finally:
            connection.close()

    def check_on(self, connection, session, tool="echo"):
        text = f"sample-{secrets.token_hex(4)} \u00e9\u4e16"
        status, _, answer = self.post(connection, tool_call("sample", tool, text=text), session)
        result = {"content": [{"type": "text", "text": text}], "isError": False}
        expected = {"jsonrpc": "2.0", "id": "sample", "result": result}
        if status != 200 or answer != expected:
            raise RuntimeError(f"{self.name} answered a sample call with {status}: {answer}")

    def headers_file(self, sessions, path=None, tool="echo"):
        """What load.c and wrk read: a block of headers for each of `sessions` fresh sessions at a path."""
        blocks = []
        usual, self.path = self.path, path or self.path
        connection = self.connect()
        for _ in range(sessions):
            session = self.open_session(connection)
            lines = [f"{key}: {value}" for key, value in self.headers.items()]
            if self.has_sessions:
                lines.append(f"Mcp-Session-Id: {session}")
            blocks.append("\n".join(lines))
            self.check_on(connection, session, tool)
        connection.close()
        self.path = usual
        return self.written(f"headers-{sessions}{(path or '').replace('/', '-')}.txt", "\n\n".join(blocks))

    def token_file(self):
        """The headers of a client that has no session yet."""
        return self.written("headers.txt", "\n".join(f"{key}: {value}" for key, value in self.headers.items()))

    def modern_file(self, tool="echo"):
        """The headers of a client of 2026-07-28, which has no session at all."""
        modern = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": tool}
        lines = [f"{key}: {value}" for key, value in {**self.headers, **modern}.items()]
        return self.written("headers-modern.txt", "\n".join(lines))

    def written(self, name, text):
        file = self.directory / name
        file.write_text(text + "\n")
        file.chmod(0o600)
        return file

    def child(self):
        """The pid of the echo child."""
        found = [pid for pid in processes.descendants(self.process.pid) if processes.program_of(pid) == self.echo]
        if len(found) != 1:
            raise RuntimeError(f"{self.name} has {len(found)} echo children, not 1")
        return found[0]

    @property
    def echo(self):
        return os.path.realpath(self.bench.echo)

    def own_processes(self):
        """The subject without the child it serves."""
        below = processes.descendants(self.process.pid)
        return [self.process.pid] + [pid for pid in below if processes.program_of(pid) != self.echo]


class Lodge(Subject):
    name = "lodge"
    prints_ready = True

    def command(self):
        return [str(self.bench.lodge), "serve", "--listen", "127.0.0.1:0", "--json", "--", str(self.bench.echo)]

    def wait_until_ready(self):
        ready = json.loads(self.line())
        address, _, path = ready["servers"][0]["url"].removeprefix("http://").partition("/")
        self.port = int(address.rsplit(":", 1)[1])
        self.path = "/" + path
        self.headers = {"Authorization": f"Bearer {ready['token']}"}


class LodgeOfTen(Lodge):
    """Ten echo servers in one process; the first is the single one that the aggregate is compared with."""

    name = "lodge of ten"

    def command(self):
        entry = {"command": str(self.bench.echo)}
        file = self.directory / "servers.json"
        file.write_text(json.dumps({"mcpServers": {f"echo-{number}": entry for number in range(10)}}))
        return [str(self.bench.lodge), "serve", "--listen", "127.0.0.1:0", "--json", "--config", str(file)]


class BareRelay(Subject):
    name = "bare relay"
    has_sessions = False
    prints_ready = True

    def command(self):
        return [str(self.bench.relay), str(self.bench.echo)]

    def wait_until_ready(self):
        self.port = int(self.line())


class McpProxy(Subject):
    """Its Streamable HTTP endpoint; quiet, since it writes a log line for each request by default."""

    name = "mcp-proxy"

    def command(self):
        self.port = free_port()
        program = self.bench.peers["mcp-proxy"] / "bin" / "mcp-proxy"
        return [str(program), "--port", str(self.port), "--log-level", "ERROR", "--", str(self.bench.echo)]


class Translate(Subject):
    """ContextForge's bridge on Streamable HTTP, which knows no sessions; it refuses to start with its default keys."""

    name = "translate"
    has_sessions = False

    def command(self):
        self.port = free_port()
        python = self.bench.peers["translate"] / "bin" / "python"
        return [
            str(python), "-m", "mcpgateway.translate", "--stdio", str(self.bench.echo), "--expose-streamable-http",
            "--port", str(self.port), "--logLevel", "error",
        ]

    def environment(self):
        keys = {key: secrets.token_urlsafe(32) for key in ("JWT_SECRET_KEY", "AUTH_ENCRYPTION_SECRET")}
        return {**os.environ, **keys, "LOG_LEVEL": "ERROR"}
