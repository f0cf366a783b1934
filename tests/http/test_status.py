"""The state of everything, as far as its caller may see it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.server.offer import SCOPES
from mcp_daan.tools.status import LINES
from tests.http.servers import MODERN, Server, bearer
from tests.http.test_tokens import made

# The lines that each scope shows; `astro` is a part of the Workers.
SHOWN = {
    "knowledge:read": {"knowledge", "git"},
    "d1:read": {"d1"},
    "tokens:read": {"oauth", "cloudflare"},
    "infra:read": {"workers", "astro", "kv"},
}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a user who serves a team."""
    return tmp_path_factory.mktemp("status")


@pytest.fixture(scope="module")
def server(demo: Path, team: Path) -> Iterator[Server]:
    """A server that asks for tokens, and audits to its stderr."""
    made(team, demo, "everything", *SCOPES)
    started = Server(demo, team)
    yield started
    started.close()


def withheld(data: dict[str, Any]) -> set[str]:
    """The components whose line says that the scope is missing."""
    return {
        each["component"]
        for each in data["components"]
        if (each["state"], each["findings"]) == ("unknown", 0) and "is missing." in each["summary"]
    }


@pytest.mark.parametrize("also", [None, "knowledge:read", "d1:read", "tokens:read"])
def test_the_status_shows_the_components_whose_scope_its_caller_holds(
    server: Server, team: Path, demo: Path, also: str | None
) -> None:
    """Of the others it says which scope is missing: no code, no count, no path, as a tool and as a resource."""
    scopes = ["infra:read", *([also] if also else [])]
    token = made(team, demo, f"status {also}", *scopes)
    answer = server.call("infra_status", {}, token)
    read = server.result("resources/read", {"uri": "daan://status"}, token)["contents"][0]["text"]
    shown = set().union(*(SHOWN[scope] for scope in scopes))

    for data in (answer["data"], json.loads(read)):
        assert withheld(data) == set(LINES) - shown
        assert {each["component"] for each in data["findings"]} <= shown
        assert data["total"] == sum(each["findings"] for each in data["components"])
        assert {each["component"] for each in data["unseen"] if each["kind"] == "forbidden"} == set(LINES) - shown
        assert {each["source"].split()[0] for each in data["unseen"] if each["kind"] != "forbidden"} <= {"cloudflare"}
    text = json.dumps(answer)
    assert answer["status"] == "partial"
    assert [scope in text for scope in SHOWN] == [scope not in scopes for scope in SHOWN]
    # The documents are held against the databases, and the connections are kept in one: both tell its name.
    assert ("portal-db" in text, "DATABASE.md" in text) == (also is not None, also == "knowledge:read")
    assert any(each.startswith("d1://") for each in answer["artifacts"]) == (also == "d1:read")


@pytest.mark.parametrize("era", ["2025-06-18", "2025-11-25", "2026-07-28"])
def test_no_way_to_ask_shows_more(server: Server, team: Path, demo: Path, era: str) -> None:
    """In either era, also with progress asked for: each is answered by a path of its own through the server."""
    token = made(team, demo, f"way {era}", "infra:read")
    meta = {**(MODERN if era == "2026-07-28" else {}), "progressToken": "p"}
    params = {"name": "infra_status", "arguments": {}, "_meta": meta}
    headers = {"mcp-protocol-version": era, "mcp-method": "tools/call", "mcp-name": "infra_status", **bearer(token)}
    response = server.post({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, headers)
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith(("data: {", "{"))]
    answer = json.loads(lines[-1])["result"]["structuredContent"]

    assert withheld(answer["data"]) == set(LINES) - SHOWN["infra:read"]
    assert answer["status"] == "partial"


def test_who_holds_every_scope_sees_the_whole(server: Server, team: Path, demo: Path) -> None:
    """As over stdio; and the audit tells the one from the other."""
    whole = server.call("infra_status", {}, made(team, demo, "whole", *SCOPES))
    server.call("infra_status", {}, made(team, demo, "part", "infra:read"))
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    told = {each["who"]: (each["outcome"], each["rows"]) for each in lines}

    assert (whole["status"], withheld(whole["data"]), len(whole["data"]["findings"])) == ("complete", set(), 10)
    assert told["token whole"] == ("complete", 10)
    assert (told["token part"][0], told["token part"][1] < 10) == ("partial", True)
