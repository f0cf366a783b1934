"""The wheel works when it is installed alone in an empty environment."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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


def test_the_wheel_holds_the_knowledge_the_prompts_and_the_types(wheel: Path) -> None:
    """What is not Python is easily forgotten."""
    names = set(zipfile.ZipFile(wheel).namelist())

    wanted = {"mcp_daan/py.typed", "mcp_daan/prompts/daan.nl.md", "mcp_daan/prompts/daan.en.md"}
    wanted |= {
        f"mcp_daan/embedded/backend/{name}.md" for name in ("VERSION", "DATABASE", "LESSONS-LEARNED", "TEST-SCENARIOS")
    }
    assert wanted - names == set()
    assert [name for name in names if name.startswith(("tests/", "bench/"))] == []


@pytest.mark.timeout(300)
def test_the_wheel_alone_answers_from_the_embedded_knowledge_and_walks_the_demo(wheel: Path, tmp_path: Path) -> None:
    """An empty environment, an empty folder, nothing of the checkout."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)],
        check=True,
        env=clean,
    )
    (tmp_path / "empty").mkdir()
    command = [str(python.with_name("mcp-daan"))]

    found = subprocess.run(
        [*command, "call", "knowledge_search", '{"query": "row limits"}'],
        cwd=tmp_path / "empty",
        env=clean,
        capture_output=True,
        text=True,
    )
    walked = subprocess.run(
        [*command, "demo", "--dir", str(tmp_path / "demo"), "--json"],
        cwd=tmp_path / "empty",
        env=clean,
        capture_output=True,
        text=True,
    )

    assert (found.returncode, json.loads(found.stdout)["status"]) == (0, "complete")
    assert walked.returncode == 0, walked.stderr
    assert list((tmp_path / "empty").iterdir()) == []
