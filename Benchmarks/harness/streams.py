# SPDX-License-Identifier: Apache-2.0
"""Many event streams that nobody writes to, each on a connection of its own."""

import resource
import socket


class StreamHolder:
    """Opens streams of one lodge and holds them; a context manager that closes them all."""

    def __init__(self, lodge):
        self.lodge = lodge
        self.sockets = []

    def __enter__(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return self

    def __exit__(self, *_):
        for each in self.sockets:
            each.close()

    def open(self, kind, count):
        connection = self.lodge.connect()
        for _ in range(count):
            headers = {**self.lodge.headers, "Host": f"127.0.0.1:{self.lodge.port}", "Accept": "text/event-stream"}
            path = "/sse"
            if kind == "Streamable HTTP":
                headers["Mcp-Session-Id"] = self.lodge.open_session(connection)
                path = self.lodge.path
            self.sockets.append(self.opened(path, headers))
        connection.close()

    def opened(self, path, headers):
        lines = [f"GET {path} HTTP/1.1", *(f"{key}: {value}" for key, value in headers.items())]
        stream = socket.create_connection(("127.0.0.1", self.lodge.port), timeout=30)
        stream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        text = b""
        # The first event or comment follows the head; with it the stream is open on both sides.
        while b"\r\n\r\n" not in text or b"\n\n" not in text.partition(b"\r\n\r\n")[2]:
            piece = stream.recv(4096)
            if not piece:
                raise RuntimeError(f"a stream was refused: {text[:300]!r}")
            text += piece
        if not text.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"a stream was refused: {text[:300]!r}")
        return stream

    def alive(self):
        """How many are still open; a closed one can be read at once, and is at its end."""
        count = 0
        for stream in self.sockets:
            stream.setblocking(False)
            try:
                # A keep-alive comment may have come meanwhile.
                count += stream.recv(65536) != b""
            except BlockingIOError:
                count += 1
        return count
