"""Frameworks for agents, each in an environment of its own with the SDK that it brings."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.demo.workspace import make_workspace
from mcp_daan.tools import all_tools
from tests.clients.environments import environment
from tests.node.packages import BIN

AGENTS = Path(__file__).parent / "agents"


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A demo workspace of the test's own."""
    folder = tmp_path / "workspace"
    make_workspace(folder, datetime.now(UTC))
    return folder


def run(python: Path, agent: str, workspace: Path) -> Any:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [python, AGENTS / agent, BIN / "mcp-daan", workspace]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=clean)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_an_agent_of_pydantic_ai_does_the_whole_workflow(demo: Path) -> None:
    """Validate, search, read, find the database, query, and write the lesson down."""
    python = environment("pydantic-ai", "pydantic-ai-slim[mcp]==2.68.0")
    before = set((demo / "docs/knowledge/backend").rglob("*.md"))
    said = run(python, "pydantic_agent.py", demo)

    assert said["output"] == "done"
    assert [error for _, error, _ in said["answers"]] == [None] * 7
    assert [added for *_, added in said["answers"]] == [0] * 6 + [1]
    (lesson,) = set((demo / "docs/knowledge/backend").rglob("*.md")) - before
    assert "Count before you conclude" in lesson.read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_adapters_of_langchain_load_and_call_the_tools(demo: Path) -> None:
    """Their SDK is a generation older."""
    said = run(environment("langchain", "langchain-mcp-adapters==0.3.2"), "langchain_agent.py", demo)

    assert said["tools"] == list(all_tools())
    assert said["answers"] == {"knowledge_search": "complete", "d1_query": "complete", "tokens_health": "complete"}
