"""The real server as a real process, spoken to by the SDK's client and by hand."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters
from mcp.shared.exceptions import MCPDeprecationWarning

from mcp_daan.demo.workspace import make_workspace
from mcp_daan.server.briefs import PROMPTS

ERAS = pytest.mark.parametrize("mode", ["legacy", "auto"])
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo workspace for the whole file."""
    from datetime import UTC, datetime

    folder = tmp_path_factory.mktemp("demo") / "workspace"
    make_workspace(folder, datetime.now(UTC))
    return folder


def parameters(workspace: Path) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_daan", "serve", "--workspace", str(workspace)], env=dict(os.environ)
    )


@asynccontextmanager
async def connected(workspace: Path, mode: str) -> AsyncIterator[Client]:
    async with Client(parameters(workspace), mode=mode) as client:
        yield client


class Raw:
    """A server process spoken to line by line."""

    def __init__(self, workspace: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mcp_daan", "serve", "--workspace", str(workspace)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.ask(INITIALIZE)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message: dict[str, Any] | bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write((message if isinstance(message, bytes) else json.dumps(message).encode()) + b"\n")
        self.process.stdin.flush()

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        self.send(message)
        return self.answer(message["id"])

    def answer(self, number: int) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message: dict[str, Any] = json.loads(line)
            if message.get("id") == number:
                return message
        raise AssertionError("the server went away")

    def call(self, number: int, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return self.ask(
            {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        )

    def end(self) -> int:
        self.process.communicate(timeout=10)
        return self.process.returncode


@ERAS
@pytest.mark.asyncio
async def test_the_daily_work_is_done_over_stdio_in_both_eras(demo: Path, mode: str) -> None:
    """Validate, search, look into the database, see the tokens; text and structured content are one."""
    async with connected(demo, mode) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        answers = [
            await client.call_tool("knowledge_validate", {"task_id": "T-1"}),
            await client.call_tool("knowledge_search", {"query": "row limits"}),
            await client.call_tool("d1_databases", {}),
            await client.call_tool("tokens_health", {"limit": 3}),
        ]

    assert names[0] == "knowledge_validate"
    assert [(answer.is_error, answer.structured_content["status"]) for answer in answers] == [(False, "complete")] * 4
    assert [json.loads(answer.content[0].text) == answer.structured_content for answer in answers] == [True] * 4


@ERAS
@pytest.mark.asyncio
async def test_an_unknown_tool_is_a_protocol_error_and_a_wrong_argument_is_not(demo: Path, mode: str) -> None:
    """The first cannot be answered; the second is an answer."""
    async with connected(demo, mode) as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("no_such_tool", {})
        wrong = await client.call_tool("d1_query", {"database": "x"})

    assert caught.value.code == -32602
    assert (wrong.is_error, wrong.structured_content["error"]["code"]) == (True, "invalid_arguments")


@ERAS
@pytest.mark.asyncio
async def test_every_prompt_is_filled_in_and_every_resource_can_be_read(demo: Path, mode: str) -> None:
    """What is listed works."""
    given = {"opdracht": "Controleer de koppelingen.", "database": "portal-db", "task": "T-1"}
    async with connected(demo, mode) as client:
        prompts = [
            await client.get_prompt(name, {key: given[key] for key in list(brief.arguments)[: brief.required]})
            for name, brief in PROMPTS.items()
        ]
        english = await client.get_prompt("daan", {"opdracht": "Check the connections.", "language": "en"})
        resources = (await client.list_resources()).resources
        texts = [(await client.read_resource(each.uri)).contents[0].text for each in resources]
        templates = [each.uri_template for each in (await client.list_resource_templates()).resource_templates]

    shown = [prompt.messages[0].content.text for prompt in [*prompts, english]]
    assert [text for text in shown if "$" in text] == []
    assert "Controleer de koppelingen." in shown[0]
    assert "Check the connections." in shown[-1]
    assert [each.uri for each in resources if each.uri.startswith("d1://")] != []
    assert all(texts)
    assert templates == ["knowledge://backend/{path}", "d1://{database}/schema"]


@pytest.mark.asyncio
async def test_prompts_and_resources_that_do_not_exist_are_protocol_errors(demo: Path) -> None:
    """Each says what to do instead."""
    async with connected(demo, "auto") as client:
        for uri in (
            "knowledge://backend/absent.md",
            "knowledge://backend/../../../apps/auth-portal/.dev.vars",
            "d1://absent/schema",
            "file:///etc/passwd",
        ):
            with pytest.raises(MCPError) as caught:
                await client.read_resource(uri)
            assert caught.value.code == -32602
        for name, arguments in (
            ("absent", {}),
            ("daan", {}),
            ("daan", {"opdracht": "x", "language": "fr"}),
            ("kennisvalidatie", {"a": "b"}),
        ):
            with pytest.raises(MCPError):
                await client.get_prompt(name, arguments)


@ERAS
@pytest.mark.asyncio
async def test_arguments_complete_from_what_exists(demo: Path, mode: str) -> None:
    """Languages, databases, paths and connections."""
    from mcp_types import PromptReference, ResourceTemplateReference

    async with connected(demo, mode) as client:

        async def values(ref: PromptReference | ResourceTemplateReference, name: str, value: str) -> list[str]:
            return (await client.complete(ref, {"name": name, "value": value})).completion.values

        languages = await values(PromptReference(name="daan"), "language", "")
        databases = await values(ResourceTemplateReference(uri="d1://{database}/schema"), "database", "")
        paths = await values(ResourceTemplateReference(uri="knowledge://backend/{path}"), "path", "data")
        connections = await values(PromptReference(name="token_incident"), "connection", "")
        none = await values(PromptReference(name="daan"), "opdracht", "")

    assert languages == ["en", "nl"]
    assert databases != []
    assert paths[0] == "DATABASE.md"
    assert len(connections) == 100
    assert none == []


@pytest.mark.asyncio
async def test_a_client_that_asks_for_progress_hears_it(demo: Path) -> None:
    """Long work says how far it is."""
    heard: list[tuple[float, float | None]] = []

    async def hear(done: float, total: float | None, message: str | None) -> None:
        heard.append((done, total))

    async with connected(demo, "auto") as client:
        await client.call_tool("knowledge_validate", {}, progress_callback=hear)

    assert heard != []
    assert heard == sorted(heard, key=lambda each: each[0])


@ERAS
@pytest.mark.asyncio
async def test_subscribers_hear_when_a_document_changes(demo: Path, mode: str) -> None:
    """By `resources/subscribe` in the old era and by `subscriptions/listen` in the new one."""
    uri = "knowledge://backend/TEST-SCENARIOS.md"
    path = demo / "docs" / "knowledge" / "backend" / "TEST-SCENARIOS.md"
    before = path.read_text()
    heard = asyncio.Event()

    async def hear(message: Any) -> None:
        if "resources/updated" in str(getattr(message, "method", "")) or "ResourceUpdated" in type(message).__name__:
            heard.set()

    async with Client(parameters(demo), mode=mode, message_handler=hear) as client:
        if mode == "legacy":
            with pytest.warns(MCPDeprecationWarning):
                await client.subscribe_resource(uri)
            path.write_text(before + "\nChanged.\n")
            await asyncio.wait_for(heard.wait(), 20)
        else:
            async with client.listen(resource_subscriptions=[uri]) as events:
                path.write_text(before + "\nChanged.\n")
                event = await asyncio.wait_for(anext(aiter(events)), 20)
            assert event.uri == uri
    path.write_text(before)


def test_garbage_on_the_wire_and_huge_arguments_leave_the_server_serving(demo: Path) -> None:
    """Broken JSON, broken UTF-8, a megabyte of argument, wrong kinds of messages."""
    server = Raw(demo)
    for garbage in (
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'{"jsonrpc":"2.0","id":"\\ud800","method":"tools/list"}',
        b"",
    ):
        server.send(garbage)
    huge = server.call(1, "d1_query", {"database": "portal-db", "sql": "SELECT '" + "x" * 1_000_000 + "'"})
    after = server.call(2, "knowledge_search", {"query": "row limits"})

    assert huge["result"]["structuredContent"]["status"] == "failed"
    assert after["result"]["structuredContent"]["status"] == "complete"
    assert server.end() == 0


def test_the_server_ends_at_end_of_input_and_takes_its_workers_along(demo: Path) -> None:
    """Nothing is left running: neither after a clean end nor after a kill."""
    for ending in ("end of input", "kill"):
        server = Raw(demo)
        server.call(1, "d1_query", {"database": "portal-db", "sql": "SELECT 1"})
        children = [
            int(pid)
            for pid in subprocess.run(
                ["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True
            ).stdout.split()
        ]
        assert children != []
        if ending == "kill":
            server.process.send_signal(signal.SIGKILL)
            server.end()
        else:
            assert server.end() == 0
        assert [pid for pid in children if not gone(pid)] == []


def gone(pid: int) -> bool:
    """Whether process *pid* ends within ten seconds."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        try:
            subprocess.run(["tail", f"--pid={pid}", "-f", "/dev/null"], timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
    return False


def test_two_servers_on_one_workspace_serve_side_by_side(demo: Path) -> None:
    """Each sees what the other wrote."""
    first, second = Raw(demo), Raw(demo)
    lesson = {
        "title": "Two servers share one folder",
        "problem": "Both wrote at once.",
        "solution": "One file a lesson.",
        "component": "workers",
    }
    written = first.call(1, "lessons_append", lesson)["result"]["structuredContent"]
    seen = second.call(1, "lessons_list", {"query": "share one folder"})["result"]["structuredContent"]
    again = second.call(2, "lessons_append", lesson)["result"]["structuredContent"]

    assert (written["status"], written["lessonsAdded"]) == ("complete", 1)
    assert [each["id"] for each in seen["data"]["lessons"]] == [written["data"]["id"]]
    assert again["error"]["code"] == "conflict"
    assert again["data"]["duplicateOf"]["id"] == written["data"]["id"]
    assert [first.end(), second.end()] == [0, 0]


def test_only_json_rpc_stands_on_stdout(demo: Path) -> None:
    """A stray line would end the conversation."""
    lines = [
        INITIALIZE,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
    ]
    done = subprocess.run(
        [sys.executable, "-m", "mcp_daan", "--workspace", str(demo)],
        input="".join(json.dumps(each) + "\n" for each in lines),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert [json.loads(line)["jsonrpc"] for line in done.stdout.splitlines()] != []
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
