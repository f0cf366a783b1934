"""Real servers over HTTP, as processes, and plain requests to them."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2

MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
}
ACCEPT = {"accept": "application/json, text/event-stream"}


def wait(done: Callable[[], Any], seconds: float = 20) -> Any:
    """What *done* gives once that is true; its last answer after *seconds*."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (found := done()) and time.monotonic() < deadline:
        pause.wait(0.02)
    return found


def environment(home: Path, **variables: str) -> dict[str, str]:
    """The variables of a process whose user lives at *home*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAAN_", "OTEL_"))}
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "DATA", "CONFIG", "STATE")}
    return {**kept, "HOME": str(home), **folders, **variables}


class Server:
    """`mcp-daan serve --http`, from its start to its end."""

    def __init__(self, workspace: Path, home: Path, *typed: str, place: str = "127.0.0.1:0", **variables: str) -> None:
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the server
        command = [sys.executable, "-m", "mcp_daan", "serve", "--http", place, "--workspace", str(workspace), *typed]
        self.process = subprocess.Popen(command, stderr=self.said, env=environment(home, **variables))
        self.url = wait(self._address)
        assert self.url, self.log
        self.base = self.url.removesuffix("/mcp")
        self.http = httpx2.Client(base_url=self.base, timeout=60)
        assert wait(self._serves), self.log

    def _address(self) -> str | None:
        found = re.search(r"http://\S+/mcp", self.log)
        return found[0] if found else None

    def _serves(self) -> bool:
        try:
            return self.http.get("/healthz").status_code == 200
        except httpx2.ConnectError:
            return False

    @property
    def log(self) -> str:
        """What it has said so far."""
        self.said.seek(0)
        return self.said.read()

    @property
    def children(self) -> list[int]:
        """The processes below it."""
        return children(self.process.pid)

    def post(self, message: object, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        """The answer to *message* as it stands."""
        return self.http.post("/mcp", json=message, headers={**ACCEPT, **(headers or {})})

    def ask(self, method: str, params: Mapping[str, Any] | None = None, token: str | None = None) -> httpx2.Response:
        """The answer to a request of 2026-07-28."""
        given = dict(params or {})
        headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": method, **bearer(token)}
        name = given.get("name", given.get("uri"))
        if name is not None:
            headers["mcp-name"] = name
        return self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": {**given, "_meta": MODERN}}, headers)

    def result(self, method: str, params: Mapping[str, Any] | None = None, token: str | None = None) -> dict[str, Any]:
        """The result of a request of 2026-07-28."""
        response = self.ask(method, params, token)
        text = response.text
        if response.headers["content-type"].startswith("text/event-stream"):
            text = text.rstrip().splitlines()[-1].removeprefix("data: ")
        answer: dict[str, Any] = json.loads(text)
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def call(self, name: str, arguments: Mapping[str, Any], token: str | None = None) -> dict[str, Any]:
        """The structured content of a tool's answer."""
        answer: dict[str, Any] = self.result("tools/call", {"name": name, "arguments": arguments}, token)
        content: dict[str, Any] = answer["structuredContent"]
        return content

    def stop(self) -> int:
        """Tell it to stop, and its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def close(self) -> None:
        """End it however it stands, and let go of what is open."""
        self.http.close()
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.said.close()


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}


def children(parent: int) -> list[int]:
    """The processes that *parent* started and that still run."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(folder.name))
    return sorted(found)


def command(home: Path, *typed: str) -> subprocess.CompletedProcess[str]:
    """`mcp-daan` with what was *typed*, run to its end."""
    program = [sys.executable, "-m", "mcp_daan", *typed]
    return subprocess.run(program, capture_output=True, text=True, env=environment(home), timeout=60)
