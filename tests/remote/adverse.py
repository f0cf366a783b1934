"""A server that stands where Cloudflare's API should, and does whatever a test wants instead."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Reply = Callable[[socket.socket], None]


class Adverse:
    """Listens, notes each request whole, and answers with the next of *replies*, the last one again and again."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def base(self) -> str:
        """The address of the API that it seems to be."""
        return f"http://127.0.0.1:{self._server.getsockname()[1]}/client/v4"

    def end(self) -> None:
        """Stop listening."""
        self._ended.set()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()
        for thread in self._threads:
            thread.join()

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._answer, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = _request(connection)
            if request:
                self.requests.append(request)
                reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
                reply(connection)


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return b""
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def http(status: int, body: bytes | str = b"", *, length: int | None = None, **headers: Any) -> Reply:
    """An answer as it should be, or with a *length* that is not the body's."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(data) if length is None else length}"]
    lines += ["connection: close", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return lambda connection: connection.sendall(head + data)


def dripping(*, head: bool, every: float = 0.05) -> Reply:
    """An answer that comes a byte at a time and never gets anywhere, from its head on or in its body."""

    nobody = threading.Event()

    def reply(connection: socket.socket) -> None:
        if not head:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(60):
            connection.sendall(b"x: y\r\n" if head else b" ")
            nobody.wait(every)

    return reply


def silent(connection: socket.socket) -> None:
    """No answer, until the caller leaves."""
    connection.recv(1)


def broken(connection: socket.socket) -> None:
    """The connection ends without an answer."""
