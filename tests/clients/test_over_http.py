"""Clients of other makers on a team's server over HTTP, each with a token."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.demo.workspace import make_workspace
from mcp_daan.server.http.tokens import TokenFile
from mcp_daan.server.offer import SCOPES
from mcp_daan.tools import all_tools
from tests.clients.test_claude_code import claude
from tests.http.servers import Server
from tests.node.packages import BIN, installed

GENERATIONS = [("v1", "legacy"), ("legacy", "legacy"), ("auto", "modern"), ("2026-07-28", "modern")]
ONE = {"database": "portal-db", "sql": "SELECT id FROM connections LIMIT 1"}


class Team:
    """A server and a token of it."""

    def __init__(self, folder: Path) -> None:
        workspace, home = folder / "workspace", folder / "home"
        make_workspace(workspace, datetime.now(UTC))
        self.token = TokenFile(home / "data/mcp-daan/tokens.json").create("client", SCOPES)
        self.server = Server(workspace, home)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """One for the whole file."""
    made = Team(tmp_path_factory.mktemp("team"))
    yield made
    made.server.close()


def node(*typed: str | Path, home: Path | None = None) -> tuple[int, str, str]:
    """What a program of npm says on its two streams, and its exit code."""
    more = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **({"HOME": str(home)} if home else {})}
    done = subprocess.run(
        [BIN / "node", *typed],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, **more},
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr


def seen(era: str) -> dict[str, Any]:
    """What a walk sees, but for the numbers that depend on the workspace."""
    return {
        "server": "mcp-daan",
        "rows": 2,
        "masked": ["access_token_enc"],
        "refused": [True, "refused"],
        "prompts": ["daan", "kennisvalidatie", "token_incident", "migration_review", "lessons_retro"],
        "prompt": 1,
        "protocol": "Answer",
        "completed": ["portal-db"],
        "unknown": -32602,
        "era": era,
    }


@pytest.mark.parametrize(("generation", "era"), GENERATIONS)
def test_a_typescript_client_walks_through_the_server(team: Team, generation: str, era: str) -> None:
    """The same walk as over stdio, in each generation and era."""
    code, said, errors = node(installed("clients") / "walk.mjs", generation, "http", team.server.url, team.token)
    assert code == 0, errors
    saw = json.loads(said)

    assert saw.pop("tools") == list(all_tools())
    assert saw.pop("resources") > 10
    assert saw == seen(era)


def test_a_client_that_knows_stdio_only_comes_over_mcp_remote(team: Team, tmp_path: Path) -> None:
    """The bridge passes every message on, and the token in a header."""
    packages = installed("clients")
    bridge = [packages / "node_modules/mcp-remote/dist/proxy.js", team.server.url, "--allow-http"]
    options = ["--transport", "http-only", "--header", f"Authorization: Bearer {team.token}"]
    code, said, errors = node(packages / "walk.mjs", "v1", "stdio", BIN / "node", *bridge, *options, home=tmp_path)
    assert code == 0, errors
    saw = json.loads(said)

    assert saw.pop("tools") == list(all_tools())
    assert saw.pop("resources") > 10
    assert saw == seen("legacy")


def inspected(team: Team, *typed: str) -> tuple[int, Any]:
    """The Inspector's exit code, and what it printed."""
    launcher = installed("inspector") / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
    where = ["--cli", team.server.url, "--transport", "http", "--header", f"Authorization: Bearer {team.token}"]
    code, said, errors = node(launcher, *where, *typed, "--format", "json")
    assert said, errors
    return code, json.loads(said)["result"]


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_finds_no_fault_with_the_list(team: Team, era: str) -> None:
    """Its own lint, over HTTP, in both eras."""
    code, listed = inspected(team, "--protocol-era", era, "--method", "tools/list", "--strict")

    assert (code, [tool["name"] for tool in listed["tools"]]) == (0, list(all_tools()))


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_puts_the_server_under_load_without_an_error(team: Team, era: str) -> None:
    """Two hundred calls, four at a time."""
    call = ["--method", "tools/call", "--tool-name", "d1_query", "--tool-args-json", json.dumps(ONE)]
    load = ["--load", "--load-concurrency", "4", "--load-requests", "200"]
    code, told = inspected(team, "--protocol-era", era, *call, *load)

    assert (code, told["ok"], told["errors"], told["toolErrors"]) == (0, 200, 0, 0)


@pytest.mark.long
@pytest.mark.timeout(400)
def test_claude_code_finds_the_server_connected(team: Team, tmp_path: Path) -> None:
    """`mcp add -t http` with a token is healthy, and with another token it is not."""
    for name, token in (("daan", team.token), ("stranger", "daan_unknown")):
        header = f"Authorization: Bearer {token}"
        claude(tmp_path, tmp_path, "add", name, "-s", "user", "-t", "http", team.server.url, "-H", header)
    listed = {line.split(":")[0]: line for line in claude(tmp_path, tmp_path, "list").splitlines() if "/mcp" in line}

    assert "Connected" in listed["daan"]
    assert "Connected" not in listed["stranger"]
