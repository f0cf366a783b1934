"""Plain calls over HTTP are answered without the SDK, and no differently: the same requests go to a server of each kind."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.app import App
from mcp_daan.protocol import Model, Reply
from mcp_daan.server.callers import LOCAL, NOBODY, Caller
from mcp_daan.server.http import direct
from mcp_daan.server.http.direct import Direct
from mcp_daan.server.offer import Offer
from mcp_daan.toolbox import tool
from tests.front.test_differential import told
from tests.http.servers import ACCEPT, MODERN, Server, wait

SCHEMA = {"database": "portal-db", "task_id": "T-1", "detail": "names"}
SQL = {
    "database": "portal-db",
    "task_id": "é",
    "sql": "SELECT id, provider, 1e300 FROM connections ORDER BY id LIMIT 3",
}
HEADERS = {
    **ACCEPT,
    "content-type": "application/json",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": "d1_schema",
}


def body(name: str = "d1_schema", arguments: Any = SCHEMA, meta: Any = MODERN, **more: Any) -> dict[str, Any]:
    """A call as it is written."""
    params = {"name": name, "arguments": arguments, "_meta": meta}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params, **more}


def headers(**changed: str | None) -> dict[str, str]:
    """The headers of a call with some of them *changed* or left out."""
    given = {**HEADERS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return {name: value for name, value in given.items() if value is not None}


REQUESTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "plain": (body(), headers()),
    "rows, a text for an id": (body("d1_query", SQL, id="één"), headers(mcp_name="d1_query")),
    "refused": (body("d1_query", {**SQL, "sql": "DELETE FROM users"}), headers(mcp_name="d1_query")),
    "a wrong argument": (body(arguments={**SCHEMA, "nope": 1}), headers()),
    "no arguments": (body("d1_databases", {}), headers(mcp_name="d1_databases")),
    "null for arguments": (body(arguments=None), headers()),
    "no such tool": (body("nope"), headers(mcp_name="nope")),
    "progress": (body(meta={**MODERN, "progressToken": 1}), headers()),
    "no envelope": (body(meta={}), headers()),
    "another version": (body(meta={**MODERN, "io.modelcontextprotocol/protocolVersion": "2027-01-01"}), headers()),
    "odd capabilities": (body(meta={**MODERN, "io.modelcontextprotocol/clientCapabilities": []}), headers()),
    "other parameters": (body(params={**body()["params"], "task": {}}), headers()),
    "no id": ({key: value for key, value in body().items() if key != "id"}, headers()),
    "id of a wrong kind": (body(id=1.5), headers()),
    "another name in the header": (body(), headers(mcp_name="d1_query")),
    "the name coded": (body(), headers(mcp_name="=?base64?ZDFfc2NoZW1h?=")),
    "no name in the header": (body(), headers(mcp_name=None)),
    "another method in the header": (body(), headers(mcp_method="tools/list")),
    "no method in the header": (body(), headers(mcp_method=None)),
    "another version in the header": (body(), headers(mcp_protocol_version="2025-11-25")),
    "no version in the header": (body(), headers(mcp_protocol_version=None)),
    "JSON alone": (body(), headers(accept="application/json")),
    "a stream alone": (body(), headers(accept="text/event-stream")),
    "anything": (body(), headers(accept="*/*")),
    "weighed": (body(), headers(accept="application/json;q=0.5, text/event-stream")),
    "a parameter in a header": (body(), headers(mcp_param_database="x")),
}
PLAIN = ("plain", "rows, a text for an id", "refused", "a wrong argument", "no arguments")


@pytest.fixture(scope="module")
def alone(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server in which the SDK answers everything, since spans are asked for; nobody listens for them."""
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "600000"}
    started = Server(demo, tmp_path_factory.mktemp("alone"), **variables)
    yield started
    started.process.kill()
    started.close()


@pytest.mark.parametrize("name", REQUESTS)
def test_a_call_is_answered_as_the_sdk_answers_it(server: Server, alone: Server, name: str) -> None:
    """Status, kind of content and every message."""
    message, given = REQUESTS[name]
    content = json.dumps(message).encode()
    answers = [each.http.post("/mcp", content=content, headers=given) for each in (alone, server)]
    seen = [(each.status_code, each.headers.get("content-type"), _messages(each.text)) for each in answers]

    assert seen[1] == seen[0]


def _messages(text: str) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith(("data: ", "{"))]
    return [told(line.encode()) for line in lines] or [text]


def test_only_what_is_plain_is_taken(demo: Path) -> None:
    """Of the requests above the SDK has all others, and so it has whatever a caller may not use."""
    app = App(str(demo))
    taker = Direct(app, Offer())
    pairs = {
        name: [(key.encode(), value.encode()) for key, value in given.items()] for name, (_, given) in REQUESTS.items()
    }

    def taken(name: str, caller: Caller = LOCAL) -> bool:
        return taker.call(REQUESTS[name][0], pairs[name], caller) is not None

    names = [name for name in REQUESTS if taken(name)]
    twice = taker.call(body(), [*pairs["plain"], (b"mcp-name", b"d1_schema")], LOCAL)
    app.close()

    assert names == list(PLAIN)
    assert (twice, taken("plain", NOBODY), taken("plain", Caller("x", frozenset({"d1:read"})))) == (None, False, True)


@tool(title="Waits")
def d1_query(app: App) -> Reply[Model]:
    """Wait until the test goes on."""
    GO.wait(20)
    return Reply(summary="Done.", data=Model())


GO = threading.Event()


def _answered(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *heard: str, go_after: int
) -> tuple[list[dict[str, Any]], Any]:
    """What is sent for a call that waits until *go_after* messages went out, to a client that says what it *heard*."""
    monkeypatch.setattr(direct, "PING_SECONDS", 0.05)
    GO.clear()
    app = App(str(folder))
    taker = Direct(app, Offer({"d1_query": d1_query.__daan_tool__}))
    given = headers(mcp_name="d1_query")
    call = taker.call(body("d1_query", {}), [(key.encode(), value.encode()) for key, value in given.items()], LOCAL)
    assert call is not None
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) >= go_after:
            GO.set()

    waiting = [{"type": each} for each in heard]

    async def receive() -> Any:
        return waiting.pop(0) if waiting else await asyncio.Event().wait()

    asyncio.run(taker.answer(call, receive, send))
    GO.set()
    taker.close()
    app.close()
    return sent, call


def test_a_long_call_is_answered_in_a_stream_with_pings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A proxy does not take it for dead."""
    sent, _ = _answered(monkeypatch, tmp_path, "http.request", go_after=3)
    bodies = [each["body"] for each in sent[1:]]

    assert sent[0]["headers"][0] == (b"content-type", b"text/event-stream")
    assert bodies[:2] == [b": ping\r\n\r\n"] * 2
    assert json.loads(bodies[-1].decode().removeprefix("event: message\r\ndata: "))["result"]["isError"] is False


def test_a_client_that_goes_stops_its_call_and_is_sent_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Closing the connection is how a call is cancelled over HTTP."""
    sent, call = _answered(monkeypatch, tmp_path, "http.disconnect", go_after=1)

    assert (sent, call.stop.stopped) == ([], True)


def test_a_direct_call_is_counted_and_audited(demo: Path, home: Path) -> None:
    """As every other."""
    started = Server(demo, home, DAAN_AUDIT_FILE=str(home / "audit.jsonl"))
    try:
        started.call("d1_query", {**SQL})
        lines = wait(lambda: (home / "audit.jsonl").read_text(encoding="utf-8").splitlines())
        metrics = started.http.get("/metrics").text
    finally:
        started.close()
    line = json.loads(lines[-1])

    assert (line["who"], line["name"], line["task_id"], line["rows"], line["outcome"]) == (
        "local",
        "d1_query",
        "é",
        3,
        "complete",
    )
    assert 'daan_calls_total{method="tools/call",name="d1_query",outcome="complete"} 1' in metrics
