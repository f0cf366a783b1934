"""The clients of the TypeScript SDK, its first and its second generation, in both eras of the protocol."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_daan.demo.workspace import make_workspace
from mcp_daan.tools import all_tools
from tests.node.packages import BIN, installed


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo workspace for the whole file."""
    folder = tmp_path_factory.mktemp("demo") / "workspace"
    make_workspace(folder, datetime.now(UTC))
    return folder


@pytest.mark.parametrize(
    ("generation", "era"), [("v1", "legacy"), ("legacy", "legacy"), ("auto", "modern"), ("2026-07-28", "modern")]
)
def test_a_typescript_client_walks_through_the_server(demo: Path, generation: str, era: str) -> None:
    """Tools with their schemas checked, a refusal, prompts, resources, completion, an unknown tool."""
    server = [BIN / "mcp-daan", "--workspace", demo]
    done = subprocess.run(
        [BIN / "node", installed("clients") / "walk.mjs", generation, "stdio", *server],
        capture_output=True,
        text=True,
        timeout=90,
        env=os.environ,
    )

    assert done.returncode == 0, done.stderr
    saw = json.loads(done.stdout)
    assert saw.pop("tools") == list(all_tools())
    assert saw.pop("resources") > 10
    assert saw == {
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
