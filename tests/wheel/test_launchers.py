"""`uvx` and `pipx` run the built wheel, as people without an environment of their own do."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


@pytest.mark.timeout(300)
def test_uvx_runs_the_wheel_and_installs_a_command_that_outlives_its_cache(wheel: Path, tmp_path: Path) -> None:
    """The client's file names uvx, not the folder in the cache that uv may clean."""
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        ["uvx", "--from", str(wheel), "mcp-daan", "install", "cursor", "--print"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    entry = json.loads(done.stdout)["mcpServers"]["daan"]
    assert [Path(entry["command"]).name, *entry["args"][:3]] == ["uvx", "--compile-bytecode", "mcp-daan", "serve"]
    assert str(tmp_path / "cache") not in done.stdout


@pytest.mark.long
@pytest.mark.timeout(300)
def test_pipx_runs_the_wheel_and_installs_a_command_that_outlives_its_cache(wheel: Path, tmp_path: Path) -> None:
    """In an environment that pipx makes, and takes away after a fortnight."""
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "pipx"], check=True)
    environment = {**os.environ, "PIPX_HOME": str(tmp_path / "pipx")}

    def run(*typed: str) -> str:
        command = [python, "-m", "pipx", "run", "--spec", str(wheel), "mcp-daan", *typed]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    entry = json.loads(run("install", "cursor", "--print"))["mcpServers"]["daan"]

    assert "d1_query" in [tool["name"] for tool in json.loads(run("tools", "--json"))]
    assert [Path(entry["command"]).name, *entry["args"][:3]] == ["pipx", "run", "mcp-daan", "serve"]
