"""Serving over HTTP: both eras, probes, hostile requests, the end."""

import ast
import asyncio
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp_types import PromptReference

from mcp_daan.cli import main
from mcp_daan.tools import all_tools
from tests.http.servers import ACCEPT, Server, wait

ERAS = pytest.mark.parametrize("mode", ["legacy", "auto"])
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def test_probes_are_answered_to_anybody(server: Server) -> None:
    """A load balancer knows the machine by its number, and has no token."""
    health = server.http.get("/healthz", headers={"host": "10.1.2.3:80"})
    ready = server.http.get("/readyz", headers={"host": "10.1.2.3:80"})

    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


@ERAS
@pytest.mark.asyncio
async def test_the_daily_work_is_done_over_http_in_both_eras(server: Server, mode: str) -> None:
    """Tools, prompts, resources and completion, with the SDK's own client."""
    async with Client(server.url, mode=mode) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        answers = [
            await client.call_tool("knowledge_validate", {"task_id": "T-1"}),
            await client.call_tool("d1_query", {"database": "portal-db", "sql": "SELECT count(*) FROM connections"}),
            await client.call_tool("tokens_health", {"limit": 3}),
        ]
        with pytest.raises(MCPError) as caught:
            await client.call_tool("no_such_tool", {})
        prompt = await client.get_prompt("daan", {"opdracht": "Kijk na."})
        resources = (await client.list_resources()).resources
        schema = await client.read_resource("d1://portal-db/schema")
        languages = await client.complete(PromptReference(name="daan"), {"name": "language", "value": "n"})

    assert names == list(all_tools())
    assert [(answer.is_error, answer.structured_content["status"]) for answer in answers] == [(False, "complete")] * 3
    assert [json.loads(answer.content[0].text) == answer.structured_content for answer in answers] == [True] * 3
    assert caught.value.code == -32602
    assert "Kijk na." in prompt.messages[0].content.text
    assert "skill://token-incident/SKILL.md" in [str(each.uri) for each in resources]
    assert "connections" in schema.contents[0].text
    assert languages.completion.values == ["nl", "en"]


@ERAS
@pytest.mark.asyncio
async def test_progress_comes_while_a_call_runs(server: Server, mode: str) -> None:
    """In both eras on the stream of the answer."""
    heard: list[float] = []

    async def hear(done: float, total: float | None, message: str | None) -> None:
        heard.append(done)

    async with Client(server.url, mode=mode) as client:
        await client.call_tool("knowledge_validate", {}, progress_callback=hear)

    assert heard != []
    assert heard == sorted(heard)


@pytest.mark.asyncio
async def test_subscribers_hear_of_a_change(server: Server, demo: Path) -> None:
    """Over `subscriptions/listen`, of a document that was written on disk."""
    path = demo / "docs" / "knowledge" / "backend" / "TEST-SCENARIOS.md"
    before, uri = path.read_text(), "knowledge://backend/TEST-SCENARIOS.md"
    async with Client(server.url) as client, client.listen(resource_subscriptions=[uri]) as events:
        path.write_text(before + "\nChanged.\n")
        event = await asyncio.wait_for(anext(aiter(events)), 20)
    path.write_text(before)

    assert event.uri == uri


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_every_older_revision_is_spoken_without_a_session(server: Server, version: str) -> None:
    """Each request stands alone, so that any process may answer it; what needs a session is not promised."""
    info = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    answer = server.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": info})
    result = json.loads(answer.text.rstrip().splitlines()[-1].removeprefix("data: "))["result"]
    listed = server.post(LIST, {"mcp-protocol-version": version})

    assert (result["protocolVersion"], "mcp-session-id" in answer.headers) == (version, False)
    assert set(result["capabilities"]["resources"].values()) <= {False}
    assert (listed.status_code, '"knowledge_validate"' in listed.text) == (200, True)


def test_the_newest_revision_says_what_may_be_kept_and_for_how_long(server: Server) -> None:
    """`ttlMs` and `cacheScope`; the lists are the same every time, also after calls."""
    first = server.result("tools/list")
    server.call("lessons_list", {})
    second = server.result("tools/list")
    discovered = server.result("server/discover")
    read = server.result("resources/read", {"uri": "daan://output-protocol"})

    assert (first["ttlMs"] > 0, first["cacheScope"]) == (True, "public")
    assert first["tools"] == second["tools"]
    assert (discovered["supportedVersions"], "ttlMs" in discovered) == (["2026-07-28"], True)
    assert {"ttlMs", "cacheScope"} <= read.keys()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_only_post_is_answered(server: Server, method: str) -> None:
    """A stream that nothing comes on would only be held open."""
    answer = server.http.request(method, "/mcp", headers=ACCEPT)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("body", "headers", "statuses"),
    [
        (b"{", {}, [400]),
        (b"", {}, [400]),
        (b"\xff\xfe", {}, [400]),
        (b"[" * 100_000, {}, [400]),
        (b"[]", {}, [400]),
        (b"null", {}, [400]),
        (json.dumps([LIST, LIST]).encode(), {}, [400]),
        (json.dumps(LIST).encode(), {"content-type": "text/plain"}, [400]),
        (json.dumps(LIST).encode(), {"accept": "text/html"}, [406]),
        (b"x" * 1_100_000, {}, [413]),
        (json.dumps({**LIST, "id": "1" * 500_000}).encode(), {}, [200]),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1e999}}', {}, [200, 400]),
    ],
    ids=["cut", "empty", "not text", "deep", "list", "null", "batch", "plain", "html", "large", "long id", "infinite"],
)
@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_a_broken_request_is_refused_and_the_next_one_is_served(
    server: Server, version: str, body: bytes, headers: dict[str, str], statuses: list[int]
) -> None:
    """Whatever is sent, there is an answer, and no trace of it in the log."""
    sent = {**ACCEPT, "content-type": "application/json", "mcp-protocol-version": version, **headers}
    answer = server.http.post("/mcp", content=body, headers=sent)

    assert answer.status_code in ([*statuses, 400] if version == "2026-07-28" else statuses)
    assert server.http.get("/healthz").status_code == 200
    assert "Traceback" not in answer.text


def test_a_body_without_a_length_is_cut_off_where_it_gets_too_large(server: Server) -> None:
    """What is declared is believed only where it is too much already."""

    def endless() -> Any:
        for _ in range(200):
            yield b" " * 65_536

    before = refusals(server, "size")
    answer = server.http.post("/mcp", content=endless(), headers={**ACCEPT, "content-type": "application/json"})

    assert (answer.status_code, refusals(server, "size") - before) == (413, 1)


def refusals(server: Server, reason: str) -> float:
    """How many requests the gate has refused for *reason*, before anything else had to hold them."""
    lines = server.http.get("/metrics").text.splitlines()
    start = f'daan_refusals_total{{reason="{reason}"}} '
    return next((float(line.removeprefix(start)) for line in lines if line.startswith(start)), 0.0)


@pytest.mark.parametrize("more", [{}, {"progressToken": "p"}], ids=["answered by us", "answered by the SDK"])
def test_a_caller_that_leaves_takes_its_query_along(demo: Path, home: Path, more: dict[str, str]) -> None:
    """The connection is closed; the process that worked for it is gone, and the server serves on."""
    started = Server(demo, home, DAAN_LIMITS_STATEMENT_SECONDS="50")
    try:
        assert started.call("d1_query", {"database": "portal-db", "sql": "SELECT 1"})["status"] == "complete"
        (worker,) = started.children
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.post(
                started.url,
                json={
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "tools/call",
                    "params": {
                        "name": "d1_query",
                        "arguments": {"database": "portal-db", "sql": ENDLESS},
                        "_meta": {
                            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                            "io.modelcontextprotocol/clientCapabilities": {},
                            **more,
                        },
                    },
                },
                headers={
                    **ACCEPT,
                    "mcp-protocol-version": "2026-07-28",
                    "mcp-method": "tools/call",
                    "mcp-name": "d1_query",
                },
                timeout=2,
            )

        assert wait(lambda: worker not in started.children, 5)
        assert started.call("d1_query", {"database": "portal-db", "sql": "SELECT 1"})["status"] == "complete"
        assert '"outcome": "cancelled"' in started.log
    finally:
        started.close()


def test_it_stops_when_told_to_lets_calls_end_and_ends_streams(demo: Path, home: Path) -> None:
    """A call that runs gets its answer, who listens learns that it is over, and nothing is left behind."""
    started = Server(demo, home, DAAN_LIMITS_STATEMENT_SECONDS="50")
    answers: list[dict[str, Any]] = []
    slow = {"database": "portal-db", "sql": ENDLESS.replace("SELECT i + 1 FROM n", "SELECT i + 1 FROM n LIMIT 3000000")}
    calling = threading.Thread(target=lambda: answers.append(started.call("d1_query", slow)))
    listening = threading.Thread(
        target=lambda: answers.append(
            started.result("subscriptions/listen", {"notifications": {"resourcesListChanged": True}})
        )
    )
    for thread in (listening, calling):
        thread.start()
    assert wait(lambda: "running 3" in running(started))
    below = started.children
    code = started.stop()
    for thread in (listening, calling):
        thread.join(20)
    log = started.log
    started.close()

    assert (code, len(answers), [pid for pid in below if Path(f"/proc/{pid}").exists()]) == (0, 2, [])
    assert [answer["status"] for answer in answers if "status" in answer] == ["complete"]
    assert "Traceback" not in log


def running(server: Server) -> str:
    """How many requests run, this one included."""
    lines = server.http.get("/metrics").text.splitlines()
    return next(line for line in lines if line.startswith("daan_requests_running")).replace("daan_requests_", "")


def refused(capsys: pytest.CaptureFixture[str], *typed: str) -> str:
    """What is said instead of serving."""
    try:
        code = main(["serve", *typed])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    return capsys.readouterr().err


@pytest.mark.timeout(30)  # what is not refused serves on
@pytest.mark.parametrize("place", ["0.0.0.0:0", "[::]:0", "example.test:0", "192.0.2.1:0"])
@pytest.mark.parametrize("auth", ["", "none"])
def test_beyond_this_machine_nothing_is_served_without_authentication(
    demo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: str, auth: str
) -> None:
    """Not even when the settings say that there is none: that holds for this machine only."""
    if auth:
        monkeypatch.setenv("DAAN_HTTP_AUTH", auth)

    said = refused(capsys, "--http", place, "--workspace", str(demo))

    assert "only with authentication" in said


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (["--http", "127.0.0.1"], "HOST:PORT"),
        (["--http", "127.0.0.1:99999"], "HOST:PORT"),
        (["--http", "http://127.0.0.1:80"], "HOST:PORT"),
        (["--http", "127.0.0.1:0", "--workers", "0"], "--workers"),
        (["--http", "127.0.0.1:0", "--tools", "nothing"], "does not know"),
        (["--http", ""], "HOST:PORT"),
        (["--workers", "2"], "--http"),
        (["--https", "127.0.0.1:0"], "--http"),
    ],
)
def test_what_cannot_be_served_is_said_before_anything_is(
    demo: Path, capsys: pytest.CaptureFixture[str], typed: list[str], named: str
) -> None:
    """With exit code 2, and no traceback."""
    assert named in refused(capsys, *typed, "--workspace", str(demo))


def test_a_place_that_is_taken_is_said(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another server may run there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"

        assert "cannot listen" in refused(capsys, "--http", place, "--workspace", str(demo))


def test_a_request_that_passed_no_gate_is_nobodys() -> None:
    """Should the SDK ever hand one on without its HTTP request, it may do nothing; over stdio it is the user's."""
    from types import SimpleNamespace

    from mcp_daan.server.callers import LOCAL, NOBODY, offered
    from mcp_daan.server.offer import Offer

    counts = [
        len(offered(Offer(), SimpleNamespace(request=None, lifespan_context=caller)).tools)
        for caller in (NOBODY, LOCAL)
    ]

    assert counts == [0, len(all_tools())]


def test_the_server_over_stdio_loads_nothing_of_the_web() -> None:
    """What is served to one client starts without it."""
    program = "import sys; import mcp_daan.server.stdio; from mcp_daan.server.switches import Switches\n"
    program += "print([name for name in sys.modules if name.startswith(('mcp_daan.server.http', 'uvicorn.', 'jwt.'))])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert [name for name in ast.literal_eval(done.stdout) if name.startswith("mcp_daan")] == []


def test_the_switches_hold_over_http(demo: Path, home: Path) -> None:
    """`--read-only` and a toolset: what is not offered is unknown, as over stdio."""
    started = Server(demo, home, "--read-only", "--toolsets", "knowledge")
    try:
        tools = started.result("tools/list")["tools"]
        written = started.ask("tools/call", {"name": "lessons_append", "arguments": {}})
    finally:
        started.close()

    assert [tool["name"] for tool in tools] == [
        "knowledge_validate",
        "knowledge_search",
        "knowledge_read",
        "lessons_list",
    ]
    assert written.json()["error"]["code"] == -32602
