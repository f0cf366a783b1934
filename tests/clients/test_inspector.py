"""The MCP Inspector, as a stranger would run it, against the installed command."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.demo.workspace import make_workspace
from mcp_daan.tools import all_tools
from tests.node.packages import BIN, installed
from tests.oauth.portal import Portal

CALLS: dict[str, dict[str, Any]] = {
    "knowledge_validate": {},
    "knowledge_search": {"query": ["row limits", "rijlimieten"], "limit": 2},
    "knowledge_read": {"path": "backend/DATABASE.md"},
    "lessons_append": {
        "title": "Inspect before use",
        "problem": "Nobody looked.",
        "solution": "Look.",
        "component": "d1",
    },
    "lessons_list": {"branches": "all"},
    "d1_databases": {},
    "d1_schema": {"database": "portal-db"},
    "d1_query": {"database": "portal-db", "sql": "SELECT * FROM connections LIMIT 2"},
    "d1_explain": {
        "database": "portal-db",
        "sql": "SELECT id FROM invoices WHERE total_cents > 1000 ORDER BY issued_on LIMIT 5",
    },
    "d1_migrations": {"database": "portal-db", "rehearse": True},
    "d1_check": {"database": "portal-db", "deep": True},
    "tokens_health": {"limit": 2},
    "oauth_check": {},
    "workers_check": {},
    "kv_read": {"namespace": "SESSION", "limit": 2},
    "infra_status": {},
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A demo workspace for the whole file, and a portal that runs."""
    folder = tmp_path_factory.mktemp("demo") / "workspace"
    make_workspace(folder, datetime.now(UTC))
    with Portal() as portal, (folder / "daan.toml").open("a") as settings:
        settings.write(f'\n[oauth]\nurl = "{portal.good().resource}"\n')
        settings.flush()
        yield folder


def inspect(workspace: Path, *arguments: str) -> tuple[int, Any]:
    """The Inspector's exit code and the result that it printed."""
    launcher = installed("inspector") / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
    # It passes none of its own environment on to the server.
    server = ["--cli", BIN / "mcp-daan", "-e", f"DAAN_WORKSPACE={workspace}"]
    command = [BIN / "node", launcher, *server, *arguments, "--format", "json"]
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=environment, stdin=subprocess.DEVNULL
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["result"]


def test_the_tool_list_passes_the_inspectors_own_lint(demo: Path) -> None:
    """`--strict` looks for schemas that some client cannot take."""
    code, listed = inspect(demo, "--method", "tools/list", "--strict")

    assert code == 0
    assert [tool["name"] for tool in listed["tools"]] == list(all_tools())


@pytest.mark.parametrize("name", all_tools())
def test_every_tool_answers_rightly_on_the_demo(demo: Path, name: str) -> None:
    """Complete or, where the first page is cut, partial; structured and as text."""
    code, result = inspect(
        demo, "--method", "tools/call", "--tool-name", name, "--tool-args-json", json.dumps(CALLS[name])
    )

    assert (code, result.get("isError", False)) == (0, False)
    assert result["structuredContent"]["status"] == "complete"
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]


def test_a_failure_is_an_answer_with_the_inspectors_exit_code_for_it(demo: Path) -> None:
    """Exit code 5: the tool says isError."""
    code, result = inspect(
        demo,
        "--method",
        "tools/call",
        "--tool-name",
        "d1_query",
        "--tool-args-json",
        '{"database": "x", "sql": "SELECT 1"}',
    )

    assert (code, result["structuredContent"]["error"]["code"]) == (5, "not_found")


def test_prompts_and_resources_are_listed(demo: Path) -> None:
    """In the newest era of the protocol."""
    code, prompts = inspect(demo, "--protocol-era", "modern", "--method", "prompts/list")
    other, resources = inspect(demo, "--protocol-era", "modern", "--method", "resources/list")

    assert (code, other) == (0, 0)
    assert prompts["prompts"][0]["name"] == "daan"
    assert "d1://portal-db/schema" in [each["uri"] for each in resources["resources"]]
