"""Claude Code's command line adds the server, finds it healthy, and reads what `mcp-daan install` wrote."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_daan.demo.workspace import make_workspace
from tests.node.packages import BIN, installed


def claude(home: Path, folder: Path, *arguments: str) -> str:
    """What it prints, in a home of its own and with nothing of this environment."""
    program = installed("claude-code") / "node_modules/@anthropic-ai/claude-code-linux-x64/claude"
    clean = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home)}
    done = subprocess.run(
        [program, "mcp", *arguments], capture_output=True, text=True, timeout=100, env=clean, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
@pytest.mark.timeout(400)
def test_claude_code_adds_the_server_and_finds_it_connected(tmp_path: Path) -> None:
    """`mcp add`, `list` and `get`; its exit code is 0 even for a server that fails, so the words count."""
    workspace, home = tmp_path / "workspace", tmp_path / "home"
    home.mkdir()
    make_workspace(workspace, datetime.now(UTC))
    command = [str(BIN / "mcp-daan"), "serve", "--workspace", str(workspace)]
    claude(home, tmp_path, "add", "daan", "-s", "user", "--", *command)
    claude(home, tmp_path, "add", "broken", "-s", "user", "--", str(BIN / "mcp-daan"), "serve", "--no-such-switch")
    listed = {line.split(":")[0]: line for line in claude(home, tmp_path, "list").splitlines() if "mcp-daan" in line}

    assert "Connected" in listed["daan"]
    assert "Connected" not in listed["broken"]
    assert "Status: ✔ Connected" in claude(home, tmp_path, "get", "daan")


@pytest.mark.long
@pytest.mark.timeout(400)
def test_claude_code_reads_what_install_wrote(tmp_path: Path) -> None:
    """A server of the project is shown, and waits for a person's approval."""
    workspace, home = tmp_path / "workspace", tmp_path / "home"
    home.mkdir()
    make_workspace(workspace, datetime.now(UTC))
    subprocess.run(
        [BIN / "mcp-daan", "install", "claude-code", "--workspace", workspace],
        check=True,
        capture_output=True,
        env=os.environ,
    )

    said = claude(home, workspace, "get", "daan")
    assert f"Command: {BIN / 'mcp-daan'}" in said
    assert "Pending approval" in claude(home, workspace, "list")
