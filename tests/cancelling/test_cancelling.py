"""A call that nobody waits for any more ends, with everything that works for it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.demo.workspace import make_workspace
from mcp_daan.errors import Unavailable
from mcp_daan.stopping import Stop, current, stoppable

# Processor time in hundredths of a second: a start takes 10 to 20.
WORK = 50
# Runs until its deadline of 50 seconds, in one process of its own.
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
}
CALLS = {
    "d1_query": {"database": "portal-db", "sql": ENDLESS},
    "d1_explain": {"database": "portal-db", "sql": ENDLESS, "advise": False},
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo workspace whose statements may run for long."""
    folder = tmp_path_factory.mktemp("demo") / "workspace"
    make_workspace(folder, datetime.now(UTC))
    settings = folder / "daan.toml"
    settings.write_text((settings.read_text() if settings.exists() else "") + "\n[limits]\nstatement_seconds = 50\n")
    return folder


class Server:
    """A server process over stdio, in one of the eras."""

    def __init__(self, workspace: Path, era: str) -> None:
        self.meta = {"_meta": META} if era == "2026-07-28" else {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mcp_daan", "serve", "--workspace", str(workspace)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if not self.meta:
            info = {"name": "test", "version": "1"}
            self.send("initialize", 0, {"protocolVersion": era, "capabilities": {}, "clientInfo": info})
            self.answer(0)
            self.send("notifications/initialized", None, {})

    def send(self, method: str, number: int | None, params: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        message = {"jsonrpc": "2.0", "method": method, "params": {**params, **self.meta}}
        message |= {} if number is None else {"id": number}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def answer(self, number: int) -> dict[str, Any]:
        assert self.process.stdout is not None
        return next(message for message in map(json.loads, self.process.stdout) if message.get("id") == number)

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()

    def working(self) -> list[int]:
        """The processes below the server that have worked for longer than a start takes."""
        return [pid for pid, used in ticks(self.process.pid).items() if used >= WORK]


def ticks(parent: int) -> dict[int, int]:
    """How long each child of *parent* has run, in hundredths of a second."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == parent and fields[0] != "Z":
                found[int(folder.name)] = int(fields[11]) + int(fields[12])
    return found


def wait(done: Callable[[], Any], seconds: float = 40) -> Any:
    """What *done* gives once that is true; its last answer after *seconds*."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (found := done()) and time.monotonic() < deadline:
        pause.wait(0.02)
    return found


@pytest.fixture(params=["2024-11-05", "2025-11-25", "2026-07-28"])
def server(demo: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server in the era of each revision."""
    started = Server(demo, request.param)
    yield started
    started.process.kill()
    started.process.wait()
    started.close()


def test_a_cancelled_call_ends_the_process_that_worked_for_it(server: Server) -> None:
    """The process table shows it running before and nothing after, in every era; the server goes on."""
    name = "d1_explain" if server.meta else "d1_query"
    server.send("tools/call", 1, {"name": name, "arguments": CALLS[name]})
    (worker,) = wait(server.working)

    server.send("notifications/cancelled", None, {"requestId": 1})

    assert wait(lambda: worker not in ticks(server.process.pid), 5)
    assert server.working() == []
    server.send("tools/call", 2, {"name": "d1_query", "arguments": {"database": "portal-db", "sql": "SELECT 1"}})
    assert server.answer(2)["result"]["structuredContent"]["status"] == "complete"


def test_end_of_input_ends_a_running_call_and_the_server_at_once(server: Server) -> None:
    """A client that is gone leaves nothing behind."""
    server.send("tools/call", 1, {"name": "d1_query", "arguments": CALLS["d1_query"]})
    assert wait(server.working)
    children = list(ticks(server.process.pid))

    assert server.process.stdin is not None
    server.process.stdin.close()
    code = server.process.wait(timeout=5)

    assert (code, [pid for pid in children if Path(f"/proc/{pid}").exists() and not zombie(pid)]) == (0, [])


STUCK = """
import sys, threading
from mcp_daan.app import App
from mcp_daan.protocol import Model, Reply
from mcp_daan.server.offer import Offer
from mcp_daan.server.stdio import serve
from mcp_daan.toolbox import tool

@tool(title="Stuck")
def stuck(app: App) -> Reply[Model]:
    # As a library might leave one behind: the end of a process waits for it.
    threading.Thread(target=threading.Event().wait, daemon=False).start()
    print("begun", file=sys.stderr, flush=True)
    threading.Event().wait()

serve(lambda: App(sys.argv[1]), Offer({"stuck": stuck.__daan_tool__}))
"""


def test_end_of_input_does_not_wait_for_work_that_cannot_be_stopped(demo: Path) -> None:
    """A source that does not answer holds its call, not the server."""
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, str(demo)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "stuck", "_meta": META}}
    process.stdin.write(json.dumps(call).encode() + b"\n")
    process.stdin.flush()
    begun = process.stderr.readline()
    process.stdin.close()
    process.stderr.close()

    assert (begun, process.wait(timeout=5)) == (b"begun\n", 0)


def zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_what_begins_after_the_call_was_stopped_does_not_begin() -> None:
    """A second step of the same call is not started, and what is over is not ended again."""
    ended: list[str] = []
    stop = Stop()
    with stop.ending(lambda: ended.append("first")):
        pass
    with stop.ending(lambda: ended.append("second")):
        stop.now()
    with pytest.raises(Unavailable), stop.ending(lambda: ended.append("third")):
        ended.append("begun")

    assert ended == ["second"]


def test_outside_of_a_call_nothing_can_be_stopped() -> None:
    """On the command line there is nobody to cancel but the person at the keyboard."""
    assert current.get(None) is None
    with stoppable(lambda: os.abort()):
        pass
