"""A raw JSON-RPC client over stdio, the same for every server, so that no client favours anyone."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

LEGACY = "2025-06-18"
MODERN = "2026-07-28"
CLIENT = {"name": "bench", "version": "1"}
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
}
PAGE = os.sysconf("SC_PAGE_SIZE")
# Nobody waits at an unattended run: a server that hangs is ended, and the run tells of it.
PATIENCE = 600.0


class Failed(RuntimeError):
    """A server that ended, or answered otherwise than it had to."""

    def __init__(self, server: str, why: str) -> None:
        super().__init__(why)
        self.server = server


class Server:
    """One server process and its pipes; *name* is whose it is."""

    def __init__(
        self, command: Sequence[str], cwd: Path, environment: Mapping[str, str], log: Path, name: str = ""
    ) -> None:
        self.name = name
        self.started = time.perf_counter()
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                command, cwd=cwd, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in, self._out = self.process.stdin, self.process.stdout
        self._next = 0
        self._watch = threading.Timer(PATIENCE, self.process.kill)
        self._watch.daemon = True
        self._watch.start()

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], int]:
        """The answer to one request, and the bytes of the line it stood on."""
        self._next += 1
        self.tell(method, params, id=self._next)
        while line := self._out.readline():
            if not line.lstrip().startswith(b"{"):
                continue  # Some peers write log lines to stdout.
            message = json.loads(line)
            if message.get("id") == self._next and "method" not in message:
                return message, len(line)
        raise Failed(self.name, f"the server ended with {self.process.wait()} before it answered {method}")

    def timed(self, line: bytes) -> tuple[float, bytes]:
        """Milliseconds from writing *line* to the end of the line that answers it, and that line, which is not parsed."""
        begun = time.perf_counter()
        self._write(line)
        while not (answer := self._out.readline()).startswith(b"{"):
            if not answer:
                raise Failed(self.name, f"the server ended with {self.process.wait()} before it answered")
        return (time.perf_counter() - begun) * 1000, answer

    def tell(self, method: str, params: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Send one message; without an id it is a notification."""
        message = {"jsonrpc": "2.0", "method": method, **more, **({} if params is None else {"params": params})}
        self._write(json.dumps(message).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        try:
            self._in.write(line)
            self._in.flush()
        except BrokenPipeError:
            raise Failed(self.name, f"the server ended with {self.process.wait()}") from None

    def greet(self, era: str = LEGACY) -> None:
        """The handshake of *era*; in the modern one there is none but the discovery."""
        if era == MODERN:
            self.ask("server/discover", {"_meta": META})
            return
        self.ask("initialize", {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": CLIENT})
        self.tell("notifications/initialized")

    def tools(self, era: str = LEGACY) -> list[dict[str, Any]]:
        """The tool list; Failed when the server refuses."""
        answer, _ = self.ask("tools/list", {"_meta": META} if era == MODERN else {})
        if "result" not in answer:
            raise Failed(self.name, f"tools/list was refused: {answer}")
        tools: list[dict[str, Any]] = answer["result"]["tools"]
        return tools

    def call(self, name: str, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
        """One tool call, and the bytes of the answer's line; Failed when it failed."""
        answer, size = self.ask("tools/call", {"name": name, "arguments": arguments})
        if "result" not in answer or answer["result"].get("isError"):
            raise Failed(self.name, f"{name} failed: {json.dumps(answer)[:400]}")
        return answer["result"], size

    def since_start(self) -> float:
        """Milliseconds since the process was spawned."""
        return (time.perf_counter() - self.started) * 1000

    def memory(self) -> tuple[float, float]:
        """MB of the process tree: resident, and with what processes share counted once."""
        tree = _tree(self.process.pid)
        return sum(map(_resident, tree)) / 1e6, sum(map(_proportional, tree)) / 1e6

    def close(self) -> None:
        """End of input, and the end of the process; killed after five seconds."""
        self._watch.cancel()
        with suppress(BrokenPipeError):  # It may have ended already.
            self._in.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._out.close()


def request(name: str, arguments: Mapping[str, Any], id: int = 1) -> bytes:
    """A call as one line, made before the clock runs."""
    call = {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    return json.dumps(call).encode() + b"\n"


def _tree(root: int) -> list[int]:
    """*root* and every process below it, from /proc."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue  # It ended meanwhile.
            parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    tree = [root]
    for pid in tree:
        tree += [child for child, parent in parents.items() if parent == pid]
    return tree


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0


def _proportional(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
