"""A stand-in for Cloudflare's API on this machine, that keeps every byte it is sent."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN_ID = "fedcba9876543210fedcba9876543210"
Answer = tuple[int, Any]


def good(result: Any, **info: Any) -> Answer:
    """An envelope with *result*."""
    return 200, {"success": True, "errors": [], "messages": [], "result": result, "result_info": info}


def bad(status: int, code: int, message: str = "said by Cloudflare") -> Answer:
    """An envelope with one error."""
    return status, {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}


class Cloud:
    """The API: answers by path, each a fixed one or a function of the query and the body."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[dict[str, str], Any], Answer]] = {}
        self.received: list[bytes] = []
        self.asked: list[tuple[str, str]] = []
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                cloud.received.append(f"{self.requestline}\n{self.headers}\n".encode() + body)
                parts = urlsplit(self.path)
                path = unquote(parts.path).removeprefix("/client/v4/")
                cloud.asked.append((self.command, path))
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                status, said = cloud.answered(path, query, body)
                text = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if isinstance(said, bytes) else "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def answered(self, path: str, query: dict[str, str], body: bytes) -> Answer:
        """What is said to a request."""
        answer = self.answers.get(path, bad(404, 7003, "Could not route"))
        return answer(query, json.loads(body) if body else None) if callable(answer) else answer

    @property
    def base(self) -> str:
        """The address that DAAN_CLOUDFLARE_API is set to."""
        return f"http://127.0.0.1:{self._server.server_port}/client/v4"

    def environment(self, token: str, account: str | None = ACCOUNT) -> dict[str, str]:
        """The environment of somebody with *token*."""
        known = {} if account is None else {"CLOUDFLARE_ACCOUNT_ID": account}
        return {"CLOUDFLARE_API_TOKEN": token, "DAAN_CLOUDFLARE_API": self.base, **known}

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
