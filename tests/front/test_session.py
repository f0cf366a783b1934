"""What the front does by itself: it needs no SDK for plain sessions, hears a cancellation at all times, and ends."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pytest

import mcp_daan.server.front
from mcp_daan.errors import Unavailable
from mcp_daan.protocol import Said
from mcp_daan.server.front.lists import Lists
from mcp_daan.server.front.session import Behind, Progress, Session
from mcp_daan.server.offer import Offer
from mcp_daan.server.readers import THREADS
from mcp_daan.stopping import Stop
from tests.front.sessions import INITIALIZED, LISTS, ROW, SCHEMA, initialize, line, meta

ANSWER = {"taskId": "T", "status": "complete", "error": None}


class Client:
    """A session in this process: what is written to it, what it says, and what it asks of what stands behind it."""

    def __init__(self) -> None:
        reading, writing = os.pipe()
        self.to = os.fdopen(writing, "wb")
        self.heard: list[dict[str, Any]] = []
        self.passed_on: list[bytes] = []
        self.begun, self.stopped = threading.Semaphore(0), threading.Semaphore(0)
        self.news = threading.Condition()
        self.hold = threading.Event()
        behind = Behind(self.call, lambda: None, self.sdk)
        self.lines = os.fdopen(reading, "rb")
        self.behind: list[threading.Thread] = []
        self.session = Session(self.lines, self.write, Lists(Offer()), behind)
        self.session.readers.begin()

    def say(self, *lines: bytes) -> None:
        self.to.write(b"".join(lines))
        self.to.flush()

    def write(self, text: str) -> None:
        with self.news:
            self.heard.append(json.loads(text))
            self.news.notify_all()

    def answer(self, number: Any) -> dict[str, Any]:
        with self.news:
            assert self.news.wait_for(lambda: any(each.get("id") == number for each in self.heard), 10)
            return next(each for each in self.heard if each.get("id") == number)

    def call(self, name: str, arguments: Mapping[str, Any], stop: Stop, progress: Progress) -> Said | None:
        """A tool that works until it is let go or stopped; without arguments it answers at once."""
        self.begun.release()
        if name == "infra_status":
            self.hold.wait(10)
            try:
                progress(1, 2, "half way")
            except Unavailable:
                self.stopped.release()
        elif arguments:
            with stop.ending(lambda: (self.stopped.release(), self.hold.set())):
                self.hold.wait(10)
        return Said(json.dumps(ANSWER), failed=False) if name != "kv_read" else None

    def sdk(self) -> BinaryIO:
        reading, writing = os.pipe()

        def read() -> None:
            with os.fdopen(reading, "rb") as lines:
                self.passed_on.extend(lines)

        self.behind.append(threading.Thread(target=read, daemon=True))
        self.behind[-1].start()
        return os.fdopen(writing, "wb")

    def end(self) -> None:
        """The end of input; every thread has gone after it."""
        self.to.close()
        assert self.session.ended.wait(10)
        for thread in threading.enumerate():
            if thread.name == "mcp-daan-reader" or thread in self.behind:
                thread.join(10)
        self.lines.close()


@pytest.mark.parametrize(
    ("opening", "more"), [(initialize() + INITIALIZED, {}), (line("server/discover", 0, meta()), meta())]
)
def test_a_plain_session_needs_no_sdk(opening: bytes, more: dict[str, Any]) -> None:
    """Handshake, lists that rest on no file, calls: all of it is answered here."""
    client = Client()
    client.say(
        opening, *(line(each, each, more) for each in LISTS[:3]), line("tools/call", 1, {"name": "d1_query", **more})
    )
    results = [client.answer(each) for each in (0, *LISTS[:3], 1)]
    client.end()

    assert [each for each in results if "result" not in each] == []
    assert client.passed_on == []


def test_the_sdk_is_first_told_how_the_session_began() -> None:
    """It gets the handshake under an id of ours, the notice that the client sent, and then the line as it came."""
    client = Client()
    odd = b'{"jsonrpc": "2.0", "id": 1,  "method": "resources/list"}\n'
    client.say(initialize(), INITIALIZED, odd)
    client.end()

    told = [json.loads(each) for each in client.passed_on]
    assert [(each["method"], each.get("id")) for each in told] == [
        ("initialize", "mcp-daan-opening"),
        ("notifications/initialized", None),
        ("resources/list", 1),
    ]
    assert client.passed_on[-1] == odd


def test_with_every_thread_at_work_a_cancellation_is_heard_and_what_waits_is_answered_in_turn() -> None:
    """Somebody always reads on."""
    client = Client()
    client.say(initialize(), *(line("tools/call", number, ROW) for number in range(1, THREADS + 6)))
    for _ in range(THREADS):
        assert client.begun.acquire(timeout=10)
    client.say(line("ping", "p"), line("notifications/cancelled", None, {"requestId": THREADS + 3}))
    client.answer("p")
    client.hold.set()
    answered = [client.answer(number)["id"] for number in range(1, THREADS + 6) if number != THREADS + 3]
    client.end()

    assert len(answered) == THREADS + 4
    assert [each for each in client.heard if each.get("id") == THREADS + 3] == []


def test_a_call_under_way_at_the_end_is_stopped_and_said_to_be_closed() -> None:
    """As the SDK does."""
    client = Client()
    client.say(initialize(), line("tools/call", 1, SCHEMA))
    assert client.begun.acquire(timeout=10)
    client.end()

    assert client.stopped.acquire(blocking=False)
    assert client.answer(1)["error"] == {"code": -32000, "message": "Connection closed"}


def test_work_in_python_ends_at_its_next_step_once_it_was_cancelled() -> None:
    """Each notice of progress looks whether anybody still waits."""
    client = Client()
    client.say(initialize(), line("tools/call", 1, {"name": "infra_status"}))
    assert client.begun.acquire(timeout=10)
    client.say(line("notifications/cancelled", None, {"requestId": 1}), line("ping", "p"))
    client.answer("p")
    client.hold.set()

    assert client.stopped.acquire(timeout=10)
    client.end()
    assert [each for each in client.heard if each.get("id") == 1] == []


def test_a_fault_of_the_server_is_an_error_without_its_text() -> None:
    """The log has it; the client hears that there was one."""
    client = Client()
    client.say(initialize(), line("tools/call", 1, {"name": "kv_read"}))
    answer = client.answer(1)
    client.end()

    assert answer["error"] == {"code": -32603, "message": "The server failed; its log (stderr) says where."}


def test_a_client_that_reads_no_more_ends_the_session() -> None:
    """There is nobody to answer."""
    client = Client()

    def gone(text: str) -> None:
        raise BrokenPipeError

    client.session._write = gone
    client.say(initialize())

    assert client.session.ended.wait(10)
    client.end()


def test_a_fault_while_a_line_is_read_ends_the_session() -> None:
    """Better an end that everybody sees than a server that reads no more."""
    faults: list[threading.ExceptHookArgs] = []
    before, threading.excepthook = threading.excepthook, faults.append
    client = Client()
    del client.session._lists
    try:
        client.say(initialize())
        assert client.session.ended.wait(10)
        client.end()
    finally:
        threading.excepthook = before

    assert [fault.exc_type for fault in faults] == [AttributeError]


def test_whatever_of_the_protocol_is_in_our_hands_is_small() -> None:
    """Less than 300 lines that are not blank; a second SDK would be worse than a slow start."""
    folder = Path(mcp_daan.server.front.__file__).parent
    lines = [
        line for file in folder.glob("*.py") for line in file.read_text(encoding="utf-8").splitlines() if line.strip()
    ]

    assert 100 < len(lines) < 300


PRINTING = """
import os, sys
from mcp_daan.app import App
from mcp_daan.protocol import Model, Reply
from mcp_daan.server.offer import Offer
from mcp_daan.server.stdio import serve
from mcp_daan.toolbox import tool

@tool(title="Loud")
def d1_query(app: App) -> Reply[Model]:
    print("a stray line", flush=True)
    os.write(1, b"another\\n")
    os.system("echo a third; read answer")
    return Reply(summary="Done.", data=Model())

serve(lambda: App(sys.argv[1]), Offer({"d1_query": d1_query.__daan_tool__}))
"""


def test_a_stray_print_and_a_child_neither_disturb_nor_read_the_conversation(tmp_path: Path) -> None:
    """Standard output and input belong to the client alone; what else is printed goes to stderr."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRINTING, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(initialize() + line("tools/call", 1, {"name": "d1_query"}) + line("ping", 2))
    process.stdin.flush()
    heard = {json.loads(process.stdout.readline())["id"] for _ in range(3)}
    rest, errors = process.communicate(timeout=20)

    assert (heard, rest) == ({0, 1, 2}, b"")
    assert errors.split(b"\n")[:3] == [b"a stray line", b"another", b"a third"]
