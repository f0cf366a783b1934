"""The bundle is valid by its own tool, and what it unpacks to runs as a client runs it."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import anyio
import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.node.packages import BIN, installed

ROOT = Path(__file__).parents[2]
MANIFEST = json.loads((ROOT / "bundle" / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, packed from the checkout."""
    file = tmp_path_factory.mktemp("bundle") / "mcp-daan.mcpb"
    subprocess.run([sys.executable, str(ROOT / "bundle" / "pack.py"), str(file)], check=True, capture_output=True)
    return file


def mcpb(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = installed("mcpb") / "node_modules/@anthropic-ai/mcpb/dist/cli/cli.js"
    return subprocess.run([BIN / "node", script, *arguments], capture_output=True, text=True, timeout=60)


def test_the_manifest_is_valid_by_the_format_s_own_tool() -> None:
    """`mcpb validate` knows version 0.4."""
    done = mcpb("validate", str(ROOT / "bundle" / "manifest.json"))

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_manifest_with_an_unknown_key_is_not_valid(tmp_path: Path) -> None:
    """The check above can fail."""
    (tmp_path / "manifest.json").write_text(json.dumps({**MANIFEST, "unknown": 1}))

    assert mcpb("validate", str(tmp_path / "manifest.json")).returncode != 0


def test_the_version_is_the_project_s() -> None:
    """One version everywhere."""
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == MANIFEST["version"]


def test_the_token_is_sensitive_and_only_the_folder_is_required() -> None:
    """A client keeps what is sensitive in the system's key store."""
    config = MANIFEST["user_config"]

    assert [name for name, each in config.items() if each.get("sensitive")] == ["api_token"]
    assert [name for name, each in config.items() if each["required"]] == ["workspace"]


def test_packing_twice_gives_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    """So that a published hash can be checked."""
    again = tmp_path / "again.mcpb"
    subprocess.run([sys.executable, str(ROOT / "bundle" / "pack.py"), str(again)], check=True, capture_output=True)

    assert again.read_bytes() == bundle.read_bytes()


def test_the_bundle_holds_the_package_and_nothing_of_the_machine(bundle: Path) -> None:
    """No environment, no tests, no cache."""
    names = zipfile.ZipFile(bundle).namelist()

    assert {"manifest.json", "pyproject.toml", "mcp_daan/cli.py", "knowledge/backend/VERSION.md"} <= set(names)
    assert {name.split("/")[0] for name in names if "/" in name} == {"mcp_daan", "knowledge"}
    assert [name for name in names if "__pycache__" in name or "/." in name] == []


def unpacked(bundle: Path, folder: Path) -> Path:
    """What the format's own tool makes of *bundle*."""
    done = mcpb("unpack", str(bundle), str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("${" + name + "}", value)
    return text


@pytest.mark.timeout(300)
@pytest.mark.asyncio
async def test_what_is_unpacked_runs_as_the_client_runs_it(bundle: Path, tmp_path: Path) -> None:
    """By uv, with the settings filled in; what a person left empty arrives as it stands and counts as not set."""
    folder = unpacked(bundle, tmp_path / "unpacked")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    values = {"__dirname": str(folder), "user_config.workspace": str(workspace), "user_config.read_only": "true"}
    config = MANIFEST["server"]["mcp_config"]
    uv = shutil.which("uv", path=str(BIN))
    assert uv is not None
    server = StdioServerParameters(
        command=uv,
        args=[filled(each, values) for each in config["args"]],
        env={**os.environ, **{name: filled(value, values) for name, value in config["env"].items()}},
        cwd=tmp_path,
    )
    with anyio.fail_after(240):
        async with stdio_client(server) as (incoming, outgoing), ClientSession(incoming, outgoing) as session:
            await session.initialize()
            names = {tool.name for tool in (await session.list_tools()).tools}
            answer = (await session.call_tool("knowledge_search", {"query": "row limits"})).structured_content

    assert "d1_query" in names
    assert "lessons_append" not in names
    assert answer is not None
    assert answer["status"] == "complete"
    assert (folder / ".venv").is_dir()
