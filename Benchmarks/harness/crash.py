# SPDX-License-Identifier: Apache-2.0
"""The crash row: one child killed under 100 calls, and every answer timed."""

import json
import os
import selectors
import signal
import socket
import time

from .subjects import Lodge, tool_call

CALLS = 100
WAIT_SECONDS = 20


class Waiting:
    """One connection with a call that its server never answers by itself."""

    def __init__(self, lodge, session, identifier):
        self.identifier = identifier
        self.answered_at = None
        self.bytes = b""
        self.socket = socket.create_connection(("127.0.0.1", lodge.port), timeout=10)
        body = json.dumps(tool_call(identifier, "hang")).encode()
        fields = {
            "Host": f"127.0.0.1:{lodge.port}", "Content-Type": "application/json", "Mcp-Session-Id": session,
            "Accept": "application/json, text/event-stream", "Content-Length": str(len(body)), **lodge.headers,
        }
        head = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
        self.socket.sendall(f"POST {lodge.path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        self.socket.setblocking(False)

    def receive(self, now):
        """Reads what is there; true once the answer is whole."""
        part = self.socket.recv(1 << 16)
        if not part:
            raise RuntimeError(f"the connection of call {self.identifier} was closed without an answer")
        self.bytes += part
        head, end, body = self.bytes.partition(b"\r\n\r\n")
        if not end:
            return False
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        whole = len(body) >= int(length[0].split(b":")[1]) if length else body.endswith(b"0\r\n\r\n")
        if whole:
            self.answered_at = now
        return whole

    def check(self):
        head, _, body = self.bytes.partition(b"\r\n\r\n")
        text = body[body.index(b"{") : body.rindex(b"}") + 1]
        answer = json.loads(text)
        if not head.startswith(b"HTTP/1.1 200 ") or answer.get("id") != self.identifier:
            raise RuntimeError(f"call {self.identifier} was answered with {self.bytes[:400]!r}")
        if answer.get("error", {}).get("code") != -32000:
            raise RuntimeError(f"call {self.identifier} did not fail with -32000: {answer}")


def crash_once(bench):
    """One fresh lodge, one crash; seconds from the kill to the first and last answer and to the next good one."""
    with Lodge(bench) as lodge:
        connection = lodge.connect(timeout=WAIT_SECONDS)
        sessions = [lodge.open_session(connection) for _ in range(CALLS)]
        waiting = [Waiting(lodge, session, f"hang-{index}") for index, session in enumerate(sessions)]
        # The calls reach the child on connections of their own; this one is answered after what it has read by then.
        time.sleep(0.3)
        lodge.check_on(connection, sessions[0])
        try:
            killed_at = kill_and_collect(lodge.child(), waiting)
            next_good = wait_for_good(lodge, connection, sessions[0]) - killed_at
        finally:
            for each in waiting:
                each.socket.close()
            connection.close()
        for each in waiting:
            each.check()
        times = sorted(each.answered_at - killed_at for each in waiting)
        return {"first_answer": times[0], "last_answer": times[-1], "next_good": next_good}


def kill_and_collect(child, waiting):
    """Kills the child and takes every answer; when the kill was sent.

    A watcher of the exit would be woken at the same time as Lodge and may well run after it; the kill comes before
    the exit for certain, so what is counted from it is never too little.
    """
    with selectors.DefaultSelector() as selector:
        for each in waiting:
            selector.register(each.socket, selectors.EVENT_READ, each)
        if selector.select(0):
            raise RuntimeError("a call was answered before the child was killed")
        open_calls = len(waiting)
        deadline = time.monotonic() + WAIT_SECONDS
        killed_at = time.monotonic()
        os.kill(child, signal.SIGKILL)
        while open_calls > 0:
            ready = selector.select(max(0, deadline - time.monotonic()))
            if not ready:
                raise RuntimeError(f"{open_calls} of {CALLS} calls had no answer {WAIT_SECONDS} s after the crash")
            for key, _ in ready:
                if key.data.receive(time.monotonic()):
                    selector.unregister(key.fileobj)
                    open_calls -= 1
    return killed_at


def wait_for_good(lodge, connection, session):
    """Calls until the tool answers again; when it did."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        status, _, answer = lodge.post(connection, tool_call("next", "echo", text="next"), session)
        if status == 200 and "result" in answer:
            return time.monotonic()
        if time.monotonic() > deadline:
            raise RuntimeError(f"no good answer within {WAIT_SECONDS} s of the crash; the last was {status}: {answer}")
        time.sleep(0.005)
